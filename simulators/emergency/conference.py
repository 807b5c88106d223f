"""Caller, operator and control room of one call in one conference: who hears whom, what is said to all."""

from __future__ import annotations

from typing import Any

from harness.endpoints.media import Bridge, Impairment, MediaPort, MediaService
from harness.errors import MediaError
from harness.journal import Journal
from harness.protocols.rtp.g711 import Samples
from simulators.emergency.leg import Leg

CALLER, ROOM, OPERATOR = "caller", "control-room", "operator"


class Conference:
    """One call's conference; it begins with the first party and ends with `close`."""

    def __init__(self, journal: Journal, media: MediaService, name: str) -> None:
        self.name = name
        self.legs: dict[str, Leg] = {}
        """CALLER and ROOM, while they are in."""
        self.jack: MediaPort | None = None
        """The headset of an operator who is driven by hand, while in."""
        self._journal = journal
        self._media = media
        self._bridge: Bridge | None = None
        self._deaf: set[str] = set()

    async def _open(self) -> Bridge:
        if self._bridge is None:
            self._bridge = await self._media.open_bridge(self.name)
        return self._bridge

    async def enter(self, who: str, leg: Leg) -> None:
        """Let a party in, in place of one of that name. Raises MediaError."""
        await self.go(who)
        self.legs[who] = leg
        leg.followed = lambda: self._join(who, leg)
        await self._join(who, leg)

    async def _join(self, who: str, leg: Leg) -> None:
        if leg.speaks and self.legs.get(who) is leg:
            await (await self._open()).join(leg.port)
            if who in self._deaf:
                await leg.port.impair(Impairment(nothing=True))

    async def go(self, who: str) -> None:
        """Let a party out; one that is not in is left alone."""
        leg = self.legs.pop(who, None)
        if leg is not None and self._bridge is not None:
            await self._leave(leg.port)

    async def plug(self, jack: MediaPort) -> None:
        """Let an operator's headset in. Raises MediaError."""
        self.jack = jack
        await (await self._open()).join(jack)

    async def unplug(self) -> None:
        """Let the operator's headset out."""
        jack, self.jack = self.jack, None
        if jack is not None:
            await self._leave(jack)

    async def _leave(self, port: MediaPort) -> None:
        assert self._bridge is not None
        try:
            await self._bridge.leave(port)
        except MediaError as error:  # it was closed first
            self._journal.record(self.name, "conference.late", reason=str(error))

    async def say(self, samples: Samples) -> None:
        """Let the operator speak to all who are in."""
        for leg in tuple(self.legs.values()):
            await leg.say(samples)

    async def deafen(self, who: str, *, deaf: bool) -> None:
        """Let a party get no speech at all, or again: one-way audio."""
        (self._deaf.add if deaf else self._deaf.discard)(who)
        leg = self.legs.get(who)
        if leg is not None and leg.speaks:
            await leg.port.impair(Impairment(nothing=True) if deaf else None)

    def shown(self) -> dict[str, Any]:
        """Who is in, as JSON holds it."""
        return {"in": sorted(self.legs), "operator": self.jack is not None}

    async def close(self) -> None:
        """End it; the parties' ports stay."""
        await self.unplug()
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            await bridge.close()
