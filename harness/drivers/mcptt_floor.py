"""The key of an MCPTT handset: pressed, queued, granted, denied and let go, in whichever call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from harness.endpoints.mcptt import GroupCall, McpttTerminal
from harness.errors import DriverError, ExpectationError, InterlockError, McpttLocalError
from harness.journal import Event, Journal
from harness.protocols.mcptt.messages import Deny, Indicator, in_words

GRANT_S: Final = 5.0
"""Seconds within which the server answers a request to talk."""
QUEUED_S: Final = 30.0
"""Seconds for which a queued request is let wait."""
GATHERED_S: Final = 3.0
"""Seconds after joining for which one who is alone in a call presses again: the others are only being called. [p]"""
ALONE_AGAIN_S: Final = 0.1
"""Seconds from one such press to the next."""
EMERGENCY_PRIORITY: Final = 15
"""The priority that is an emergency, as on TETRA; from 12 on the interlock asks for a permit."""
_ANSWERS: Final = ("floor.granted", "floor.queued", "floor.denied", "floor.unanswered")


@dataclass(frozen=True, slots=True)
class Keyed:
    """A floor that was granted."""

    granted: bool
    seconds: int | None
    """How long one may talk."""


class KeyedHandset:
    """The part of a handset that has the key."""

    name: str
    _journal: Journal
    _domain: str
    _permit: Callable[[str, str, int], None]
    _keyed: GroupCall | None
    """The call in which our key is down."""
    _terminal: McpttTerminal
    _joined_at: float
    """Run time at which a group's call was joined last, seconds."""

    async def _key(self, call: GroupCall, name: str, told: Mapping[str, Any], priority: int, within: float) -> Keyed:
        """Press the key in a call; return when it is granted. ``told``: what its events carry. Raises as ``key``."""
        if self._keyed is not None:
            raise DriverError(f"{self.name}: the key is pressed already")
        self._ask("key" if call.key == "group" else "call", name, priority)
        pressed = self._journal.record(self.name, "ptt.pressed", priority=priority, **told)
        self._keyed = call
        indicator = Indicator.EMERGENCY if priority >= EMERGENCY_PRIORITY else None
        press = partial(call.press, priority=priority or None, indicator=indicator)
        try:
            press()
            granted = await self._answered(call, name, told, pressed, within, press)
        except (McpttLocalError, ExpectationError, asyncio.CancelledError) as error:
            self._let_go(call, told, str(error) or "let go")
            raise
        grant_ms = round((granted.time - pressed.time) * 1000, 3)
        self._journal.record(self.name, "ptt.granted", grant_ms=grant_ms, **told)
        return Keyed(True, granted.data.get("seconds"))

    async def _answered(
        self,
        call: GroupCall,
        name: str,
        told: Mapping[str, Any],
        pressed: Event,
        within: float,
        press: Callable[[], object],
    ) -> Event:
        answer = await self._first(_ANSWERS, call.told, pressed.seq, within)
        while _is_alone(answer) and self._journal.now() - self._joined_at < GATHERED_S:
            await asyncio.sleep(ALONE_AGAIN_S)
            press()
            answer = await self._first(_ANSWERS, call.told, answer.seq, within)
        if answer.kind == "floor.queued":
            self._journal.record(self.name, "ptt.queued", position=answer.data.get("position"), **told)
            answer = await self._first(("floor.granted", "floor.denied"), call.told, answer.seq, QUEUED_S)
        if answer.kind != "floor.granted":
            reason = _why(answer)
            self._let_go(call, told, reason)
            raise DriverError(f"{self.name}: {name}: {reason}")
        return answer

    async def _first(self, kinds: tuple[str, ...], told: Mapping[str, Any], after: int, within: float) -> Event:
        """The first event of one of these kinds. Raises ExpectationError."""
        waits = [
            asyncio.ensure_future(self._journal.expect(self.name, kind, within=within, after=after, **told))
            for kind in kinds
        ]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return min((each.result() for each in done), key=lambda event: event.seq)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _let_go(self, call: GroupCall, told: Mapping[str, Any], reason: str) -> None:
        self._keyed = None
        self._journal.record(self.name, "ptt.denied", reason=reason, **told)
        if call.is_up:
            call.release()

    async def unkey(self) -> None:
        """Let the key go. Raises DriverError when it is not pressed."""
        if self._keyed is None:
            raise DriverError(f"{self.name}: the key is not pressed")
        call, self._keyed = self._keyed, None
        self._journal.record(self.name, "ptt.released")
        if call.is_up:
            call.release()

    # Names

    def _id(self, name: str) -> str:
        """The MCPTT ID of a user or a group."""
        return f"sip:{name}@{self._domain}"

    def _name(self, mcptt_id: object) -> str:
        return str(mcptt_id or "").removeprefix("sip:").partition("@")[0]

    def _ask(self, what: str, talkgroup: str, priority: int) -> None:
        """Ask the interlock, and journal what it refuses."""
        try:
            self._permit(what, talkgroup, priority)
        except InterlockError:
            self._journal.warn(self.name, "ptt.not_allowed", talkgroup=talkgroup, priority=priority)
            raise


def _why(answer: Event) -> str:
    if answer.kind == "floor.unanswered":
        return "the server does not answer"
    cause = answer.data.get("cause")
    return in_words(Deny, cause, f"denied, cause {cause}")


def _is_alone(answer: Event) -> bool:
    """Whether the floor was denied because nobody else is in the call (TS 24.380, cause 3 of Floor Deny)."""
    return answer.kind == "floor.denied" and answer.data.get("cause") == Deny.ONLY_ONE_PARTICIPANT
