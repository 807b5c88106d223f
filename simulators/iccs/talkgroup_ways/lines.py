"""What a gateway of the ICCS is told of its way to a talkgroup: one kind of line a technology."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.transport.tap import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLine:
    """What all have."""

    name: str
    """The journal's source of all that comes by it."""
    talkgroup: str
    stands_by: bool = False
    """Whether another one of the talkgroup works it first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TetraLine(GatewayLine):
    """A TETRA terminal that the ICCS drives."""

    serial: str
    """As pyserial opens it."""
    baud: int
    audio: str
    """Its audio jack, ``rtp://host:port``."""
    private: bool = False
    """Whether it is kept for calls with one radio, and not for its talkgroup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoipLine(GatewayLine):
    """A radio of a gateway, by ED-137."""

    uri: str
    """The radio's SIP URI."""
    local: str = "127.0.0.1"
    """The address of this machine that it is bound to."""
    period_ms: int = 200
    """R2S-KeepAlivePeriod that is offered."""
    multiplier: int = 4
    """R2S-KeepAliveMultiplier that is offered."""
    layout: int = 2011
    """Which header extension our packets carry: 2009 or 2011."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McpttLine(GatewayLine):
    """A user of an MCPTT server in a group."""

    server: Address
    """Where it takes SIP over UDP."""
    domain: str
    """Of MCPTT IDs."""
    group: str
    """The user part of the group's MCPTT ID."""
    user: str
    """The user part of the control room's MCPTT ID; lines of one user share its terminal, and the first one's terms."""
    terminal: str
    """The journal's source of what that user's terminal tells."""
    password: str = field(default="", repr=False)
    priority: int = 5
    """The floor priority that is asked for (mc_priority), 0-255."""
    local: str = "127.0.0.1"
    """The address of this machine that it is bound to."""
