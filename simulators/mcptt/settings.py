"""What a simulated MCPTT server is told: its users, its groups, how floors are ruled and how long things take."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from harness.protocols.mcptt.claims import Rules
from harness.protocols.mcptt.location import Triggers
from harness.protocols.mcptt.timers import ServerTimers
from simulators.settings import Strict

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
Port = Annotated[int, Field(ge=0, le=0xFFFF)]
Priority = Annotated[int, Field(ge=0, le=255)]


class UserSettings(Strict):
    """One user."""

    name: Name
    """The user part of the MCPTT ID."""
    password: SecretStr | None = None
    """Registrations are challenged where users have one: all of them, or none."""
    priority: Priority = 255
    """The highest floor priority that is granted."""
    receive_only: bool = False
    calls: tuple[Name, ...] | Literal["all"] = "all"
    """Whom it may call alone; with nobody in it, it may make no private calls."""
    may_be_called: bool = True
    """Whether it may be called alone."""
    may_locate: bool = True
    """Whether it may ask where other users are."""
    may_listen: bool = False
    """Whether it may have other users' microphones opened (ambient listening)."""
    is_told_places: bool = False
    """Whether it is told every place that another user reports, as a control room is (TS 23.280 clause 10.9.3.6)."""


class GroupSettings(Strict):
    """One group."""

    name: Name
    """The user part of its MCPTT ID."""
    members: tuple[Name, ...] | Literal["all"] = "all"
    priority: Priority | None = None
    """The highest floor priority in this group, whatever its members have."""


class PrivateSettings(Strict):
    """How private calls are let."""

    each: int = Field(default=1, ge=1, le=16)
    """Private calls that one user may be in at once."""
    rings_s: float = Field(default=40.0, gt=0, le=600)
    """How long a called user is let ring."""


class LocationSettings(Strict):
    """When terminals are to tell where they are; where all is left out they are told of nothing, and only asked."""

    periodic_s: int | None = Field(default=None, ge=1, le=86_400)
    distance_m: int | None = Field(default=None, ge=1, le=100_000)
    at_log_on: bool = False
    when_configured: bool = False
    minimum_s: int = Field(default=0, ge=0, le=86_400)
    """Least time between reports; an emergency does not wait."""

    def triggers(self) -> Triggers:
        """The same for the document."""
        return Triggers(**self.model_dump())


class FloorSettings(Strict):
    """How floors are ruled."""

    queueing: bool = True
    queue: int = Field(default=16, ge=0, le=254)
    pre_emption: bool = True
    pre_empting_priority: Priority | None = None
    override: bool = False
    alone: bool = False
    delay_s: float = Field(default=0.0, ge=0, le=60)
    """How long the server, and the network before it, take over each floor control message."""

    def rules(self) -> Rules:
        """The same for the floor server."""
        return Rules(**{field.name: getattr(self, field.name) for field in fields(Rules)})


class TimerSettings(Strict):
    """The floor server's timers (seconds) and counts; those left out are the standard's."""

    t1_end_of_media: float = Field(default=4.0, gt=0, le=600)
    t2_stop_talking: float = Field(default=30.0, gt=0, le=3600)
    t3_stop_talking_grace: float = Field(default=3.0, gt=0, le=600)
    t4_inactivity: float = Field(default=30.0, gt=0, le=86_400)
    t7_floor_idle: float = Field(default=1.0, gt=0, le=600)
    c7: int = Field(default=10, ge=1, le=100)
    t8_floor_revoke: float = Field(default=1.0, gt=0, le=600)
    t20_granted: float = Field(default=1.0, gt=0, le=600)
    c20: int = Field(default=3, ge=1, le=100)

    def timers(self) -> ServerTimers:
        """The same for the floor server."""
        return ServerTimers(**self.model_dump())


class McpttSettings(Strict):
    """The whole server."""

    domain: str = Field(default="mcptt.example", pattern=r"^[A-Za-z0-9.-]{1,120}$")
    """Of MCPTT IDs: `sip:NAME@DOMAIN`."""
    host: str = "127.0.0.1"
    sip_port: Port = 0
    control_port: Port = 0
    control_token: SecretStr | None = None
    users: tuple[UserSettings, ...] = Field(default=(), max_length=5_000)
    groups: tuple[GroupSettings, ...] = Field(min_length=1, max_length=1_000)
    private: PrivateSettings = PrivateSettings()
    location: LocationSettings = LocationSettings()
    floor: FloorSettings = FloorSettings()
    timers: TimerSettings = TimerSettings()

    @field_validator("users", "groups")
    @classmethod
    def _once(cls, value: tuple[UserSettings | GroupSettings, ...]) -> tuple[UserSettings | GroupSettings, ...]:
        names = [each.name for each in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"named twice: {', '.join(twice)}")
        return value

    @model_validator(mode="after")
    def _passwords_of_all_or_none(self) -> McpttSettings:
        without = [user.name for user in self.users if user.password is None]
        if 0 < len(without) < len(self.users):
            raise ValueError(f"users without a password, while others have one: {', '.join(without[:8])}")
        return self

    @model_validator(mode="after")
    def _members_are_users(self) -> McpttSettings:
        known = {user.name for user in self.users}
        for group in self.groups:
            strangers = [] if group.members == "all" else sorted(set(group.members) - known)
            if strangers:
                raise ValueError(f"group {group.name} has members who are no users: {', '.join(strangers)}")
        return self

    @model_validator(mode="after")
    def _who_may_be_called_are_users(self) -> McpttSettings:
        known = {user.name for user in self.users}
        for user in self.users:
            strangers = [] if user.calls == "all" else sorted(set(user.calls) - known)
            if strangers:
                raise ValueError(f"user {user.name} may call those who are no users: {', '.join(strangers)}")
        return self

    def user(self, name: str) -> UserSettings | None:
        """The user of a name."""
        return next((each for each in self.users if each.name == name), None)

    def may_join(self, user: str, group: GroupSettings) -> bool:
        """Whether a user is a member."""
        if group.members != "all":
            return user in group.members
        return any(each.name == user for each in self.users)
