"""A call's SIP side: its media is set up once, it is answered or spoken to early, re-offers and INFO are followed."""

from __future__ import annotations

import asyncio
from itertools import count

from harness.endpoints.media import Impairment
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import HarnessError, MediaError, MsdError, SdpError, SipLocalError, SipRemoteError
from harness.protocols import sdp
from harness.protocols.location import msd
from harness.protocols.sip import dtmf_info, emergency_call
from harness.protocols.sip.body import parts_of
from harness.protocols.sip.emergency_call import Caller, Mark, What
from harness.protocols.sip.message import Request
from simulators.iccs import arrival
from simulators.iccs.calls import CallState, Step, SwitchCall
from simulators.iccs.keys import Keys
from simulators.iccs.leg import Leg
from simulators.iccs.shared import Shared
from simulators.iccs.switch import Switch
from simulators.iccs.trunks import TrunkFault, Trunks

SET_UPS_AT_ONCE = 64
"""Calls whose media is being set up at the same time; further ones wait their turn."""
BY_THE_OTHER_SIDE = "ended by the other side"


class Wire:
    """What passes between the switch and the other end of each call."""

    def __init__(self, shared: Shared, switch: Switch, trunks: Trunks, keys: Keys) -> None:
        self._shared = shared
        self._switch = switch
        self._trunks = trunks
        self._keys = keys
        self._set_ups = asyncio.Semaphore(SET_UPS_AT_ONCE)
        self._opening: dict[SwitchCall, asyncio.Task[bytes]] = {}
        self._sessions = count(1)

    # Media

    async def open_leg(self, call: SwitchCall, *, text: bool) -> Leg:
        """Bind a leg's ports for a call. Raises MediaError."""
        settings = self._shared.settings
        silent = settings.media == "none"
        leg = Leg(self._shared.context, self._shared.media, settings.host, f"iccs {call.id}", silent=silent)
        leg.signalled_from = lambda: call.sip.signalled_from if call.sip is not None else None
        await leg.open(next(self._sessions), text=text)
        return leg

    async def use(self, call: SwitchCall, leg: Leg) -> None:
        """Make a leg a call's. Raises MediaError where the call has ended meanwhile."""
        if call.is_over:
            await leg.close()
            raise MediaError(f"{call.id} ended while its media was set up")
        call.leg = leg
        self._keys.listen(call)
        if call.trunk and self._trunks.get(call.trunk).fault is TrunkFault.ONE_WAY:
            await leg.misbehave(Impairment(nothing=True))

    async def _media(self, call: SwitchCall) -> bytes:
        """Set a call's media up, once; return our session description. Raises SdpError, MediaError."""
        if call.leg is not None:
            return call.leg.session.local
        opening = self._opening.get(call)
        if opening is None:
            opening = self._opening[call] = asyncio.get_running_loop().create_task(self._open(call))
            opening.add_done_callback(lambda _task: self._opening.pop(call, None))
        return await asyncio.shield(opening)

    async def _open(self, call: SwitchCall) -> bytes:
        async with self._set_ups:
            if call.sip is None or call.is_over:
                raise MediaError(f"{call.id} has no wire any more")
            leg = await self.open_leg(call, text=call.text)
            try:
                if call.sip.remote_sdp:
                    body = leg.answer(call.sip.remote_sdp)
                    await leg.join()
                else:  # the caller leaves the offer to us, and answers it in its ACK (RFC 3264 section 4)
                    body = leg.session.offer()
            except HarnessError:
                await leg.close()
                raise
            await self.use(call, leg)
            return body

    # Answering

    def set_up(self, call: SwitchCall) -> None:
        """Answer a call that a position has taken."""
        self._shared.spawn(self._answer(call))

    async def _answer(self, call: SwitchCall) -> None:
        sip = call.sip
        assert isinstance(sip, IncomingCall)
        try:
            body = await self._media(call)
            if call.state is CallState.ANSWERING:
                call.step(Step.CONNECT)
                sip.answer(body)
                self._switch.connected(call)
        except SdpError as error:
            self.refuse(call, sip, 488, error)
        except HarnessError as error:
            self.refuse(call, sip, 500, error)

    def refuse(self, call: SwitchCall, sip: IncomingCall, status: int, error: HarnessError) -> None:
        """Reject a call, or hang it up where it was answered, and keep in its record why."""
        if call.is_over:
            return
        self._shared.journal.warn("iccs", "call.refused", status=status, reason=str(error), **call.shown())
        call.record.outcome = "refused"
        try:
            sip.reject(status)
        except SipLocalError:  # it was answered, and something went wrong after that
            sip.hang_up()
        self._switch.end(call, str(error))

    async def greet(self, call: SwitchCall) -> bool:
        """Answer a call for what is no adviser; whether it is up then."""
        sip = call.sip
        assert isinstance(sip, IncomingCall)
        try:
            body = await self._media(call)
            if call.is_over:
                return False
            sip.answer(body)
        except SdpError as error:
            self.refuse(call, sip, 488, error)
            return False
        except HarnessError as error:
            self.refuse(call, sip, 500, error)
            return False
        return True

    async def be_heard(self, call: SwitchCall, early: bool) -> bool:
        """Make a call that nobody has answered one that can be spoken to: by early media, or by answering it.

        Without an offer there is no early media; such a call goes on ringing. Says whether it can be spoken to.
        """
        sip = call.sip
        if call.leg is not None:
            return True
        if not isinstance(sip, IncomingCall) or (early and not sip.remote_sdp):
            return False
        if not early:
            return await self.greet(call)
        try:
            sip.ring(183, sdp=await self._media(call))
        except HarnessError as error:  # taken or gone meanwhile, or an offer that will be refused when it is answered
            self._shared.journal.record("iccs", "call.not_heard", call=call.id, reason=str(error))
            return False
        return True

    def queued(self, call: SwitchCall) -> None:
        """Tell the network that a call waits in a queue (182), so that it does not take it for lost."""
        if isinstance(call.sip, IncomingCall) and call.waits:
            try:
                call.sip.ring(182)
            except SipLocalError as error:  # it is being answered in this very turn
                self._shared.journal.record("iccs", "call.not_told", call=call.id, reason=str(error))

    # What comes on a call

    def follow(self, call: SwitchCall, sip: Call) -> None:
        """Follow what comes on a call from now on."""
        call.sip = sip
        sip.on_change(lambda changed, what: self._changed(call, what) if call.sip is changed else None)
        sip.on_offer(lambda _sip, offered: self._offered(call, offered))
        sip.on_info = lambda _sip, request: self._informed(call, request)

    def _changed(self, call: SwitchCall, what: str) -> None:
        if what == "confirmed" and call.leg is not None and call.leg.session.state is sdp.State.OURS_OPEN:
            self._shared.spawn(self._late(call))
        elif what == "ringing" and call.state is CallState.DIALLING:
            self._tell(call, "call.alerting")
        elif what == "ended" and call.state is not CallState.DIALLING:  # who dials is told otherwise
            self._ended(call)

    async def _late(self, call: SwitchCall) -> None:
        """The answer to our offer came in an ACK."""
        leg, sip = call.leg, call.sip
        if leg is None or sip is None:
            return
        try:
            leg.session.take_answer(sip.remote_sdp)
            await leg.join()
        except HarnessError as error:
            for position in call.conversation.everyone if call.conversation is not None else []:
                self._shared.positions.tell(position, "call.failed", reason=str(error), **call.shown())
            self._switch.end(call, "no speech agreed")
            return
        if call.conversation is not None:
            self._switch.patch.conversation(call.conversation)

    def _offered(self, call: SwitchCall, offered: bytes) -> bytes:
        """Answer a later offer: hold, resume, another address. Raises SdpError."""
        leg = call.leg
        if leg is None:
            raise SdpError(f"{call.id} has no session yet")
        if not offered:
            return leg.session.offer()
        was = leg.is_held
        body = leg.answer(offered)
        self._shared.spawn(self._rejoin(call, leg, was))
        return body

    async def _rejoin(self, call: SwitchCall, leg: Leg, was_held: bool) -> None:
        try:
            await leg.join()
        except MediaError as error:
            self._shared.journal.record("iccs", "call.not_rejoined", call=call.id, reason=str(error))
            return
        if leg.is_held is not was_held:
            self._tell(call, "call.remote_held" if leg.is_held else "call.remote_resumed")
        if call.conversation is not None:
            self._switch.patch.conversation(call.conversation)

    def _ended(self, call: SwitchCall) -> None:
        mark = arrival.mark_in(call.sip.ended_by) if call.sip is not None else None
        if mark is not None and mark.why is not None:
            call.notes["why"] = str(mark.why)
        rerouted = mark is not None and mark.event is What.REROUTED
        self._switch.end(call, BY_THE_OTHER_SIDE, given_up=not rerouted, rerouted=rerouted)

    # INFO

    def _informed(self, call: SwitchCall, request: Request) -> int:
        package = (request.get("info-package") or "").partition(";")[0].strip()
        try:
            if package == emergency_call.PACKAGE:
                return self._marked(call, emergency_call.mark_of(request))
            if arrival.is_msd_info(request):
                return self._vehicle(call, request)
            if request.content_type in (dtmf_info.DTMF, dtmf_info.DTMF_RELAY):
                self._keys.pressed(call, dtmf_info.parse(request.content_type, request.body).key, by="INFO")
        except (SipRemoteError, MsdError) as error:
            self._shared.journal.warn("iccs", "call.unreadable", call=call.id, reason=str(error))
            return 400
        return 200

    def _vehicle(self, call: SwitchCall, request: Request) -> int:
        part = next((each for each in parts_of(request) if each.content_type == msd.CONTENT_TYPE.lower()), None)
        if part is not None:
            show_vehicle(self._shared, call, arrival.msd_shown(part.body))
        return 200

    def _marked(self, call: SwitchCall, mark: Mark | None) -> int:
        """The 999 network told something of a call in its course."""
        if mark is None or (call.mark is not None and mark.call != call.mark.call):
            return 400
        call.mark = mark
        call.flags = tuple(dict.fromkeys((*call.flags, *arrival.flags_of(mark))))
        call.record.flags = tuple(dict.fromkeys((*call.record.flags, *call.flags)))
        call.notes |= arrival.notes_of(mark)
        more = {"hold_s": mark.hold} if mark.caller is Caller.HELD and mark.hold else {}
        more |= {"lifted": mark.lifted} if mark.event is What.CALLER_RESTORED else {}
        if mark.event is What.CALLER_GONE:
            call.record.outcome = "caller gone"
        if mark.event is not None:
            self._tell(call, f"call.{mark.event.replace('-', '_')}", **more)
        return 200

    def _tell(self, call: SwitchCall, kind: str, **more: object) -> None:
        """Tell whoever has a call, or where it rings."""
        call.record.note(self._shared.now(), kind.removeprefix("call.").replace("_", " "), call=call.id, **more)
        has_it = call.conversation.everyone if call.conversation is not None else call.presented
        for position in has_it:
            self._shared.positions.tell(position, kind, **more, **call.shown())


def show_vehicle(shared: Shared, call: SwitchCall, told: dict[str, object]) -> None:
    """Show an eCall's minimum set of data to whoever has the call, now and later."""
    data = {"call": call.id, "record": call.record.id, **told}
    call.shows = [each for each in call.shows if each[0] != "ecall.shown"] + [("ecall.shown", data)]
    call.record.note(shared.now(), "minimum set of data", **told)
    for position in call.conversation.everyone if call.conversation is not None else []:
        shared.positions.tell(position, "ecall.shown", **data)
