"""A private call at the MCPTT server: a group of two with a floor, or two who both speak; one leaving ends it.

An ambient listening call is one with a floor that the listened-to user has all the time (TS 24.379 clause 11.1.6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from harness.endpoints.sip.call import Call
from harness.errors import McpttError
from harness.journal import Journal
from harness.protocols.mcptt.description import apart
from harness.protocols.mcptt.messages import FloorMessage, FloorType
from harness.protocols.mcptt.server import NEVER
from harness.protocols.mcptt.timers import ServerTimers
from simulators.mcptt.call import ControlledCall
from simulators.mcptt.legs import Leg


class HalfDuplexCall(ControlledCall):
    """One with a floor."""

    kind: ClassVar[str] = "private_call"

    @property
    def parties(self) -> tuple[str, ...]:
        """Caller and called."""
        return tuple(self.group.members)

    def _left(self) -> None:
        for other in tuple(self.legs.values()):
            other.hang_up()
        super()._left()

    def shown(self) -> dict[str, Any]:
        """What the control interface tells."""
        told = super().shown()
        del told["group"]
        return {**told, "duplex": False}


class AmbientCall(HalfDuplexCall):
    """One in which the caller listens to the called, who does not know."""

    kind: ClassVar[str] = "ambience"
    _is_asked_for: bool = False

    def answer(self, leg: Leg, offered: bytes) -> bytes:
        """Our answer to the listener's offer, whose implicit request is for the floor of the other one."""
        answer = super().answer(leg, offered)
        self._is_asked_for, leg.wishes = leg.wishes, False
        return answer

    async def join(self, leg: Leg) -> None:
        """A leg is up; once both are, the listened-to user is given the floor. Raises MediaError."""
        await super().join(leg)
        listened = self.legs.get(self.parties[1])
        if self._is_asked_for and listened is not None and len(self.floor.users) == len(self.parties):
            self._is_asked_for = False
            request = FloorMessage(FloorType.REQUEST, listened.ssrc)
            self._work(self.floor.receive(listened.user, request, asyncio.get_running_loop().time()))

    def receives_only(self, user: str) -> bool:
        """The listener does not talk."""
        return user == self.parties[0]

    def _timers(self) -> ServerTimers:
        """Who is listened to may be silent, and has the floor, for as long as it lasts."""
        return replace(super()._timers(), t1_end_of_media=NEVER, t2_stop_talking=NEVER, t4_inactivity=NEVER)


class FullDuplexCall:
    """One without."""

    def __init__(
        self, journal: Journal, source: str, name: str, parties: tuple[str, str], over: Callable[[FullDuplexCall], None]
    ) -> None:
        self.parties = parties
        """Caller and called."""
        self.legs: dict[str, Leg] = {}
        self.silent = False
        """It has no floor that could fall silent."""
        self._journal = journal
        self._source = source
        self._name = name
        self._over = over
        self._joining = asyncio.Lock()

    def answer(self, leg: Leg, offered: bytes) -> bytes:
        """Our answer to a user's offer. Raises SdpError: a 488 is due."""
        return leg.media.answer(offered)

    def offer(self, leg: Leg) -> bytes:
        """Our offer to the user who is called. Raises SdpLocalError."""
        return leg.media.offer()

    def take_answer(self, leg: Leg, answer: bytes) -> None:
        """The called user's answer. Raises McpttError and SdpError."""
        described = apart(answer)
        if described.floor is not None:
            raise McpttError("an answer with floor control in a call that has none")
        leg.media.take_answer(described.speech)

    async def join(self, leg: Leg) -> None:
        """A leg is up; once both are, each hears the other. Raises MediaError."""
        async with self._joining:
            await leg.media.join()
            if self._is_gone(leg):
                return
            leg.joined = True
            self._record("joined", leg)
            one, *others = [each for each in self.legs.values() if each.joined]
            for other in others:
                await one.media.port.hear(other.media.port)
                await other.media.port.hear(one.media.port)

    def leave(self, leg: Leg) -> None:
        """A leg is over, and with it the call."""
        if self.legs.get(leg.user) is leg:
            del self.legs[leg.user]
        if leg.joined:
            leg.joined = False
            self._record("left", leg)
        for other in tuple(self.legs.values()):
            other.hang_up()
        if not self.legs:
            self._over(self)

    async def close(self) -> None:
        """The call is over."""
        for leg in tuple(self.legs.values()):
            leg.hang_up()
            await leg.close()
        self.legs.clear()

    def shown(self) -> dict[str, Any]:
        """What the control interface tells."""
        return {"users": [leg.user for leg in self.legs.values() if leg.joined], "duplex": True}

    def _is_gone(self, leg: Leg) -> bool:
        sip: Call | None = leg.sip
        return sip is None or sip.is_over or self.legs.get(leg.user) is not leg

    def _record(self, kind: str, leg: Leg) -> None:
        self._journal.append(self._source, f"private_call.{kind}", {"private_call": self._name, "user": leg.user})


PrivateCall = HalfDuplexCall | FullDuplexCall
