"""What an ICCS simulator is told at its start: addresses, positions, queues, subscribers, radio gateways."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, SecretStr, Tag

MAX_POSITIONS = 1000
MAX_CALLS = 2000
"""Calls a switch carries at once; more are answered 503."""

PositionId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)]
Number = Annotated[str, Field(pattern=r"^\+?[0-9*#]{1,20}$")]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PositionSettings(_Settings):
    """One operator position, which is also an extension that can be dialled by its id."""

    id: PositionId
    role: Literal["call_taker", "dispatcher", "supervisor"] = "call_taker"
    talkgroups: tuple[str, ...] = ()
    """Talkgroups it monitors and may key."""


class PositionRange(_Settings):
    """A row of like positions: ``govan-01`` … ``govan-40``."""

    site: PositionId
    first: int = Field(ge=1, le=MAX_POSITIONS)
    last: int = Field(ge=1, le=MAX_POSITIONS)
    role: Literal["call_taker", "dispatcher", "supervisor"] = "call_taker"
    talkgroups: tuple[str, ...] = ()

    def each(self) -> list[PositionSettings]:
        """Return the positions of the row, first to last."""
        return [
            PositionSettings(id=f"{self.site}-{number:02d}", role=self.role, talkgroups=self.talkgroups)
            for number in range(self.first, self.last + 1)
        ]


def _shape(value: Any) -> str:
    given = set(value) if isinstance(value, dict) else set(type(value).model_fields)
    return "row" if "site" in given else "one"


AnyPosition = Annotated[
    Annotated[PositionSettings, Tag("one")] | Annotated[PositionRange, Tag("row")], Discriminator(_shape)
]


class SubscriberSettings(_Settings):
    """A telephone that may register with the switch (RFC 3261 section 10, digest)."""

    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
    password: SecretStr


class IccsSettings(_Settings):
    """An ICCS as the testbed file describes it."""

    host: str = "127.0.0.1"
    sip_port: int = Field(default=0, ge=0, le=65535)
    """UDP port of the switch; 0 takes any free one."""
    control_port: int = Field(default=0, ge=0, le=65535)
    """TCP port of the control interface; 0 takes any free one."""
    control_token: SecretStr | None = None
    """Bearer token that the control interface asks for; needed where ``host`` is not a loopback address."""
    realm: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "niccs"
    """What telephones are asked to register for."""
    digest: tuple[Literal["SHA-256", "MD5"], ...] = Field(default=("MD5", "SHA-256"), min_length=1, max_length=2)
    """Digest algorithms that are offered, in that order. RFC 8760 wants the better one first; telephones of before it
    look at the first alone and know only MD5, and control rooms have many of those.
    """
    positions: tuple[AnyPosition, ...] = ()
    queues: dict[str, tuple[Number, ...]] = {"emergency": ("999", "112"), "non_emergency": ("101",)}
    """Queue name to the numbers that lead to it; earlier queues are served first."""
    ring_s: float = Field(default=60.0, gt=0, le=600)
    """Seconds for which a call placed by a position rings before it is given up."""
    subscribers: tuple[SubscriberSettings, ...] = ()

    def each_position(self) -> list[PositionSettings]:
        """Return every position once; one named by itself goes before its place in a row."""
        rows = (row.each() if isinstance(row, PositionRange) else [row] for row in self.positions)
        found: dict[str, PositionSettings] = {}
        singles = {row.id: row for row in self.positions if isinstance(row, PositionSettings)}
        for row in rows:
            for position in row:
                found.setdefault(position.id, singles.get(position.id, position))
        return list(found.values())
