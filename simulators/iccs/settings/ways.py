"""How talkgroups are reached that no TETRA terminal works, in an ICCS's settings: by MCPTT, or by a radio gateway."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from simulators.settings import Strict

MAX_WAYS = 500

Component = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
"""A component of the testbed file."""
McpttName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
RadioName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,64}$")]
Host = Annotated[str, Field(pattern=r"^[^:\s]+$", max_length=253)]


class McpttWaySettings(Strict):
    """The ICCS as a user of an MCPTT server, in a group."""

    by: Literal["mcptt"]
    of: Component = "mcptt"
    """The server."""
    user: McpttName
    """The user part of the control room's MCPTT ID; one may work several groups."""
    group: McpttName | None = None
    """The user part of the group's MCPTT ID; left out: the talkgroup's name."""
    password: SecretStr | None = None
    """What it registers with; a simulated server's own for that user where left out."""
    priority: int = Field(default=5, ge=0, le=255)
    """The floor priority that is asked for (mc_priority)."""
    local: Host = "127.0.0.1"
    """The address of this machine that it is bound to."""


class RoipWaySettings(Strict):
    """The ICCS as a control room of a radio gateway (ED-137), which keys one radio for the talkgroup."""

    by: Literal["roip"]
    of: Component
    """The gateway."""
    radio: RadioName
    """The user part of the radio's SIP URI."""
    standby: RadioName | None = None
    """The radio of that gateway that takes over when this one is lost."""
    standby_of: Component | None = None
    """The gateway of the standby, where it is another."""
    local: Host = "127.0.0.1"
    """The address of this machine that it is bound to."""
    period_ms: int = Field(default=200, ge=20, le=1000)
    """R2S-KeepAlivePeriod that is offered."""
    multiplier: int = Field(default=4, ge=2, le=50)
    """R2S-KeepAliveMultiplier that is offered; with 200 ms a radio that fell silent is given up within a second."""
    layout: Literal[2009, 2011] = 2011
    """Which header extension our packets carry."""

    @model_validator(mode="after")
    def _standby_fits(self) -> RoipWaySettings:
        if self.standby_of is not None and self.standby is None:
            raise ValueError("'standby_of' needs 'standby', the radio there")
        if (self.standby, self.standby_of or self.of) == (self.radio, self.of):
            raise ValueError(f"{self.radio!r} can't stand by for itself")
        return self


WaySettings = Annotated[McpttWaySettings | RoipWaySettings, Field(discriminator="by")]
