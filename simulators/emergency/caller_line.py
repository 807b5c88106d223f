"""The caller's line of one call: it rings, is answered, is put down, is kept for a while, and is lifted again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import MediaError, SdpError
from harness.protocols.sip.emergency_call import Caller, Line, Stage, What, Why
from simulators.emergency.conference import CALLER
from simulators.emergency.faults import Fault
from simulators.emergency.leg import Leg
from simulators.emergency.records import Outcome

if TYPE_CHECKING:
    from simulators.emergency.call import EmergencyCall

NORMAL: Final = ("Reason", 'Q.850;cause=16;text="Normal call clearing"')


class CallerLine:
    """The line from the caller's telephone. A call that no telephone is on has one that does nothing."""

    def __init__(self, call: EmergencyCall) -> None:
        self._call = call
        self._sip: IncomingCall | None = None
        self._hold: asyncio.TimerHandle | None = None
        self._kept_open = False
        self._lifting = False

    @property
    def hold_left(self) -> float:
        """Seconds for which the circuit is kept; 0 where it is not held, or for as long as it takes."""
        return 0.0 if self._hold is None else self._hold.when() - asyncio.get_running_loop().time()

    def arrive(self, sip: IncomingCall) -> None:
        """Let the caller hear that it rings."""
        self._sip = sip
        sip.on_change(self._changed)
        sip.ring()

    async def answer(self) -> bool:
        """Answer, unless that was done before; whether the caller is still there."""
        if self._sip is None or self._call.caller is not None:
            return True
        return await self._answer(self._sip)

    async def _answer(self, sip: IncomingCall) -> bool:
        call, plant = self._call, self._call.plant
        try:
            leg = await Leg.open(plant, f"{plant.name} {call.id} caller", text=call.calling.writes)
        except MediaError as error:
            self._refuse(sip, 503, str(error))
            return False
        if call.over or sip.is_over:
            await leg.close()
            return False
        try:
            answer = leg.media.answer(sip.remote_sdp)
        except SdpError as error:
            await leg.close()
            self._refuse(sip, 488, str(error))
            return False
        leg.bind(sip)
        leg.heard = lambda event: call.heard(CALLER, event)
        sip.on_info = lambda informed, request: call.talk.informed(CALLER, informed, request)
        if sip.remote_sdp:
            await leg.media.join()
        if call.over or sip.is_over:
            await leg.close()
            return False
        call.caller = leg
        await call.conference.enter(CALLER, leg)
        if Fault.CALLER_HEARS_NOTHING in plant.faults:
            await call.conference.deafen(CALLER, deaf=True)
        if sip.is_over:  # in the meantime; the leg is closed with the call
            return False
        headers, parts = call.talk.acknowledged()
        sip.answer(answer, headers, beside=parts)
        return True

    def _refuse(self, sip: IncomingCall, status: int, reason: str) -> None:
        plant = self._call.plant
        plant.journal.warn(plant.name, "caller.refused", call=self._call.id, status=status, reason=reason)
        self._call.end(Outcome.FAILED, "network")
        if not sip.is_over:
            sip.reject(status)

    # Put down, kept, lifted

    def _changed(self, sip: Call, what: str) -> None:
        if what == "ended" and sip is self._sip:
            self._sip = None
            self._put_down()

    def _put_down(self) -> None:
        call = self._call
        if call.over or call.caller_is is not Caller.ON:
            return
        leg, call.caller = call.caller, None
        call.plant.spawn(self._let_go(leg))
        can_be_kept = call.calling.line is Line.LANDLINE and (call.plant.settings.hold_s or self._kept_open)
        if can_be_kept and call.stage is not Stage.QUEUE:
            self._keep()
        else:
            call.caller_gone()

    async def _let_go(self, leg: Leg | None) -> None:
        if leg is not None:
            if self._call.conference.legs.get(CALLER) is leg:
                await self._call.conference.go(CALLER)
            await leg.close()

    def _keep(self) -> None:
        call = self._call
        seconds = call.plant.settings.hold_s
        call.caller_is = Caller.HELD
        call.record.held.append((call.plant.now(), None))
        if not self._kept_open:
            self._hold = asyncio.get_running_loop().call_later(seconds, self._hold_over)
        call.tell("caller.held", seconds=None if self._kept_open else seconds)
        call.talk.tell(What.CALLER_HELD, hold=0 if self._kept_open else round(seconds))
        call.crew.changed(call, "held")

    def keep_open(self) -> None:
        """Keep the circuit however long: a trace."""
        self._kept_open = True
        self._stop_hold()

    def _stop_hold(self) -> None:
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None

    def _hold_over(self) -> None:
        self._hold = None
        self._call.tell("caller.hold_over")
        self._call.caller_gone(why=Why.HOLD_EXPIRED)

    async def lift(self, sip: IncomingCall) -> None:
        """The receiver of a held landline is lifted: the same call goes on."""
        call = self._call
        if not call.is_held or self._lifting:
            sip.reject(486)
            return
        self._lifting = True
        self._stop_hold()
        self._sip = sip
        sip.on_change(self._changed)
        try:
            if not await self._answer(sip):
                if not call.over:
                    call.caller_gone()
                return
        finally:
            self._lifting = False
        call.caller_is = Caller.ON
        call.lifted += 1
        call.record.held[-1] = (call.record.held[-1][0], call.plant.now())
        call.tell("caller.restored", lifted=call.lifted)
        call.talk.tell(What.CALLER_RESTORED)
        call.crew.changed(call, "restored")

    def end(self, *, hang_up: bool) -> None:
        """Keep nothing any more; ``hang_up``: tell the telephone that the call is over."""
        self._stop_hold()
        if hang_up and self._sip is not None and not self._sip.is_over:
            self._sip.hang_up([NORMAL])
