"""A gateway of the ICCS at work: one way to a talkgroup, or one that stands by for another, and who has it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from harness.endpoints.media import MediaPort
from harness.journal import Event
from harness.protocols.pei.codes import ReleaseCause, describe
from simulators.iccs.positions import Position
from simulators.iccs.talkgroup_ways.lines import GatewayLine
from simulators.iccs.talkgroup_ways.way import TalkgroupWay


@dataclass(slots=True, eq=False)
class Gateway:
    """One gateway."""

    line: GatewayLine
    way: TalkgroupWay
    in_service: bool = False
    """Whether its way is there and did what it was told when it was brought up."""
    coming: bool = False
    """Whether it is being brought up."""
    keyed_by: Position | None = None
    granted: bool = False
    call: int | None = None
    """The call in which it has the floor, or had it last."""
    passes_on: str | None = None
    """The talkgroup for which a patch keys it."""
    carries: MediaPort | None = None
    """Whose speech it passes on by that patch, once it has the floor."""
    receives: bool = False
    """Whether somebody talks on the talkgroup."""
    talker: int | str | None = None
    """Who that is: an ISSI, or an MCPTT ID; None where nobody is named."""
    work: asyncio.Task[None] | None = None
    again: asyncio.TimerHandle | None = None
    """The next attempt to bring it into service."""

    @property
    def port(self) -> MediaPort | None:
        """The port of its way."""
        return self.way.port

    @property
    def keys(self) -> bool:
        """Whether it is to transmit: for a position, or for a patch."""
        return self.keyed_by is not None or self.passes_on is not None


def left_to_key(gateway: Gateway, event: Event) -> bool:
    """Whether a call was released because our terminal left it to ask for the floor anew: who talks in it goes on."""
    return gateway.keys and event.data.get("cause") == describe(ReleaseCause, ReleaseCause.USER)
