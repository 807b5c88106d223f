"""Rings telephones, or a trunk's peer, for a call: several at once, the first one who answers takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessError, InterlockError, LocalError, SdpError, SipRemoteError
from harness.protocols.sip import q850
from harness.protocols.sip.message import Response
from harness.protocols.sip.reason import q850_cause
from simulators.switch.call import Failed, Refusal, SwitchCall
from simulators.switch.leg import Leg

if TYPE_CHECKING:
    from simulators.switch.core import Core

BUSY: Final = frozenset((486, 600, 603))
"""Answers of one who can't, or does not want to, take a call now."""
ELSEWHERE: Final = "Call completed elsewhere"
Place = Callable[[], Awaitable[Leg]]
"""Places one leg. Raises HarnessError where it can't be."""


class Ringing:
    """What rings for one call at a time."""

    def __init__(self, core: Core, call: SwitchCall) -> None:
        self._core = core
        self._call = call
        self._won: asyncio.Future[Leg | Refusal] = asyncio.get_running_loop().create_future()
        self._refusals: list[Refusal] = []
        self._placing = 0

    async def first(
        self, places: Sequence[Place], within: float, *, first_answer: float | None = None
    ) -> Leg | Refusal:
        """Ring all of them for `within` seconds, and return who answered first, or how it came to nothing.

        `first_answer`: seconds within which any answer at all is due; Refusal with status 408 and REFUSED without.
        """
        call = self._call
        call.won, call.rings = self._won, self
        self._placing = len(places)
        try:
            async with asyncio.timeout(within):
                for place in places:
                    if not self._won.done():
                        await self._place(place)
                if first_answer is not None:
                    await self._heard_within(first_answer)
                return await self._won
        except TimeoutError:
            return Refusal(480, Failed.NO_ANSWER, "No Answer")
        finally:
            call.won = call.rings = None
            winner = self._won.result() if self._won.done() and not self._won.cancelled() else None
            for leg in list(call.ringing):
                leg.on_progress = None
                if leg is not winner:
                    text = ELSEWHERE if isinstance(winner, Leg) else ""
                    leg.hang_up(cause=q850.NORMAL_CLEARING, text=text)
            call.ringing.clear()

    async def instead(self, leg: Leg, place: Place) -> None:
        """Ring another leg in place of one that rings. Raises LocalError where that one does not."""
        if leg not in self._call.ringing or self._won.done():
            raise LocalError(f"{leg.id} rings no more")
        self._placing += 1
        await self._place(place)
        if leg in self._call.ringing:
            self._call.ringing.remove(leg)
            leg.on_progress = None
            leg.hang_up()

    async def _place(self, place: Place) -> None:
        call = self._call
        try:
            leg = await place()
        except InterlockError as error:
            self._lost(Refusal(403, reason="Not Allowed"), str(error))
            return
        except HarnessError as error:
            self._lost(Refusal(503), str(error))
            return
        leg.call = call
        call.tried = leg
        call.ringing.append(leg)
        leg.on_progress = self._progress
        self._placing -= 1
        if leg.is_over:  # it failed at once
            self._progress(leg, "ended")

    async def _heard_within(self, seconds: float) -> None:
        """Return once something came of what was placed. A Refusal is set where nothing does in time."""
        await asyncio.wait((self._won,), timeout=seconds)
        if not self._won.done() and all(leg.sip.status == 0 for leg in self._call.ringing):
            self._won.set_result(Refusal(408, Failed.REFUSED, "No Response"))

    def _progress(self, leg: Leg, what: str) -> None:
        call = self._call
        if what == "ringing":
            call.alerting(leg)
        elif what == "progress" and leg.sip.remote_sdp:
            self._core.spawn(call.early_media(leg, leg.sip.remote_sdp))
        elif what == "progress" and leg.sip.status >= 180:
            call.alerting(leg)
        elif what == "answered":
            self._answered(leg)
        elif what == "ended":
            self._ended(leg)

    def _answered(self, leg: Leg) -> None:
        if self._won.done():
            leg.hang_up(text=ELSEWHERE)
            return
        speech = leg.speech
        try:
            if speech is not None and speech.agreed is None:
                speech.take_answer(leg.sip.remote_sdp)
        except SdpError as error:
            self._core.journal.warn(str(leg), "leg.not_agreed", reason=str(error))
            leg.hang_up(status=488)
            return
        self._won.set_result(leg)

    def _ended(self, leg: Leg) -> None:
        if leg in self._call.ringing:
            self._call.ringing.remove(leg)
            self._lost(refusal_of(leg), "")

    def _lost(self, refusal: Refusal, why: str) -> None:
        if why:
            self._placing -= 1
            self._core.journal.record(self._call.id, "call.not_placed", status=refusal.status, reason=why)
        self._refusals.append(refusal)
        over = refusal.status >= 600 and refusal.status != 603
        if not self._won.done() and (over or (not self._placing and not self._call.ringing)):
            self._won.set_result(_best(self._refusals))


def refusal_of(leg: Leg) -> Refusal:
    """What a leg's end said instead of answering."""
    sip = leg.sip
    message = sip.ended_by
    retry_after, moved_to = None, ""
    status = sip.status if sip.status >= 300 else 480
    if isinstance(message, Response):
        try:
            retry_after = message.number("retry-after") if message.get("retry-after") is not None else None
            if 300 <= message.status < 400 and message.contact is not None:
                moved_to = message.contact.uri.user_text
            cause = q850_cause(message)
        except SipRemoteError:
            cause = None
        if cause == 17:
            status = 486
    why = Failed.BUSY if status in BUSY else Failed.REFUSED
    return Refusal(status, why, sip.reason, retry_after, moved_to)


def _best(refusals: Sequence[Refusal]) -> Refusal:
    """The refusal that tells most (RFC 3261 section 16.7): 6xx, then a redirection, busy, the lowest class."""

    def rank(refusal: Refusal) -> tuple[int, int]:
        status = refusal.status
        if status >= 600:
            return 0, status
        if status < 400:
            return 1, status
        return (2, 0) if refusal.why is Failed.BUSY else (3 + status // 100, status)

    return min(refusals, key=rank)
