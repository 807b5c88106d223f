"""What network and control room tell each other of a call beside its speech: marks, requests, keys, eCall data."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.call import Call
from harness.errors import MsdError, SipLocalError, SipRemoteError
from harness.protocols.location import ecall_control, msd
from harness.protocols.sip import dtmf_info
from harness.protocols.sip.body import Part
from harness.protocols.sip.emergency_call import PACKAGE, Ask, Caller, Line, Mark, Operator, Stage, What, mark_of
from harness.protocols.sip.message import Request
from simulators.emergency.conference import CALLER, ROOM

if TYPE_CHECKING:
    from simulators.emergency.call import EmergencyCall

MAX_WAITING: Final = 32
"""Events of one call that wait to be told; beyond them the oldest is dropped, for each tells the whole state."""
TOLD_WITHIN: Final = 5.0
"""Seconds that the control room has to answer an INFO before the next one goes."""
PACKAGES: Final = (ecall_control.INFO_PACKAGE, PACKAGE)
_EVENT_OF: Final = {
    Caller.HELD: What.CALLER_HELD,
    Caller.ON: What.CALLER_RESTORED,
    Caller.GONE: What.CALLER_GONE,
}


class TrunkTalk:
    """One call's talk with its control room."""

    def __init__(self, call: EmergencyCall) -> None:
        self._call = call
        self._invited: Mark | None = None
        self._waiting: deque[Mark] = deque(maxlen=MAX_WAITING)
        self._teller: asyncio.Task[None] | None = None
        self._ready = False

    # To the control room

    def invite(self, mark: Mark) -> None:
        """Note what the INVITE of an attempt tells."""
        self._invited = mark
        self._ready = False
        self.note(mark)

    def begin(self) -> None:
        """The control room has answered: tell it what has changed since the INVITE."""
        room, call, invited = self._call.room, self._call, self._invited
        accepted = room.sip.accepted if room is not None and room.sip is not None else None
        try:
            self._ready = accepted is not None and PACKAGE in accepted.values("recv-info")
        except SipRemoteError:
            self._ready = False
        assert invited is not None
        if invited.caller is not None and invited.caller is not call.caller_is:
            self.tell(_EVENT_OF[call.caller_is], hold=round(call.line.hold_left))
        if invited.operator is Operator.ON and call.operator_is is Operator.LEFT:
            self.tell(What.OPERATOR_LEFT)

    def tell(self, event: What, *, hold: int = 0) -> None:
        """Tell the control room that something has changed, where it wants to be told."""
        if not self._ready or self._call.stage is not Stage.ANSWERED or self._call.over:
            return
        self._waiting.append(self._call.mark(event, hold=hold))
        if self._teller is None or self._teller.done():
            self._teller = self._call.plant.spawn(self._tell_all())

    async def told(self) -> None:
        """Return when all that was to be told has been."""
        if self._teller is not None:
            await asyncio.wait((self._teller,), timeout=TOLD_WITHIN)

    async def _tell_all(self) -> None:
        while self._waiting:
            mark = self._waiting.popleft()
            room = self._call.room
            if room is None or room.sip is None or room.sip.is_over:
                return
            self.note(mark)
            headers = [("Info-Package", PACKAGE), mark.header()]
            try:
                response = await room.sip.send("INFO", headers=headers, within=TOLD_WITHIN)
            except SipLocalError as error:
                self._call.tell("mark.untold", event=str(mark.event), reason=str(error))
                continue
            if response.status >= 300:
                self._call.tell("mark.refused", event=str(mark.event), status=response.status)

    def acknowledged(self) -> tuple[list[tuple[str, str]], list[Part]]:
        """What the 200 to a vehicle carries: headers and parts that acknowledge its data (RFC 8147 section 9)."""
        data = self._call.calling.msd
        if data is None:
            return [], []
        try:
            msd.decode(data.body)
            received = True
        except MsdError:
            received = False
        block = ecall_control.build(ecall_control.Control(acks=(ecall_control.Ack(data.content_id, received),)))
        content_id = f"ack-{data.content_id}"
        fields = {"content-id": f"<{content_id}>", "content-disposition": "by-reference;handling=optional"}
        header = ("Call-Info", f"<cid:{content_id}>;purpose={ecall_control.CALL_INFO_PURPOSES[1]}")
        self._call.tell("ecall.data", received=received)
        return [header], [Part(ecall_control.CONTENT_TYPE, block, fields)]

    def note(self, mark: Mark) -> None:
        """Keep in the record what is told."""
        told = {name: value for name, value in mark.told().items() if name != "call"}
        self._call.record.note_mark(self._call.plant.now(), told)

    # From either side

    def informed(self, who: str, _sip: Call, request: Request) -> int:
        """An INFO came; returns the status to answer with."""
        package = (request.get("info-package") or "").partition(";")[0].strip()
        try:
            if package == PACKAGE:
                return self._asked(request) if who == ROOM else 400
            if package == ecall_control.INFO_PACKAGE:
                self._pass_on(who, request)
            elif not package and request.content_type in (dtmf_info.DTMF_RELAY, dtmf_info.DTMF):
                self._call.key(who, dtmf_info.parse(request.content_type, request.body).key)
        except SipRemoteError as error:
            self._call.plant.journal.warn(self._call.plant.name, "call.bad_info", call=self._call.id, reason=str(error))
            return 400
        return 200

    def _asked(self, request: Request) -> int:
        call = self._call
        mark = mark_of(request)
        if mark is None or mark.call != call.record.uuid or mark.ask is None:
            return 400
        call.tell("room.asks", ask=str(mark.ask))
        match mark.ask:
            case Ask.OPERATOR_LEAVE:
                call.crew.leave(call)
            case Ask.OPERATOR_RETURN:
                return 200 if call.crew.rejoin(call) else 480
            case Ask.NUISANCE:
                call.tag_nuisance()
            case Ask.HOLD_LINE:
                if call.calling.line is not Line.LANDLINE:
                    return 403
                call.line.keep_open()
        return 200

    def _pass_on(self, who: str, request: Request) -> None:
        """eCall data and the requests for it go between vehicle and control room as they came."""
        other = self._call.room if who == CALLER else self._call.caller
        if other is not None and other.sip is not None and not other.sip.is_over:
            names = ("Info-Package", "Call-Info", "Content-Disposition")
            headers = [(name, line) for name in names for line in request.lines(name)]
            self._call.plant.spawn(self._send_on(other.sip, headers, request))

    async def _send_on(self, sip: Call, headers: list[tuple[str, str]], request: Request) -> None:
        content_type = request.get("content-type") or ""
        try:
            await sip.send("INFO", headers=headers, content=request.body, content_type=content_type, within=TOLD_WITHIN)
        except SipLocalError as error:
            self._call.tell("info.undelivered", reason=str(error))
