"""A control room calls a caller back: its call on the trunk goes on to the caller's telephone, by speech and text."""

from __future__ import annotations

import asyncio

from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.errors import HarnessError, MediaError, SdpError, SipRemoteError
from harness.journal import Event
from harness.protocols.sip import identity
from harness.protocols.sip.emergency_call import mark_of
from harness.protocols.sip.text_relay import TO_RELAY_USER, text_relay_of
from simulators.emergency.calling import dialled_of, e164, line_of, number_of
from simulators.emergency.leg import Leg
from simulators.emergency.phones import Phones
from simulators.emergency.plant import Plant
from simulators.emergency.records import CallRecord, Outcome


class RingBack:
    """One ring-back."""

    def __init__(self, plant: Plant, phones: Phones, sip: IncomingCall) -> None:
        self._plant = plant
        self._phones = phones
        self._sip = sip
        self._out: OutgoingCall | None = None
        self._room: Leg | None = None
        self._phone: Leg | None = None
        self._answer = b""
        self._joining = asyncio.Lock()
        self._joined = False
        self._over = False
        self._text: dict[Leg, int] = {}
        self.record: CallRecord

    async def run(self) -> None:
        """Find the telephone and ring it; refuses the call where that can't be done."""
        plant, sip = self._plant, self._sip
        try:
            dialled = dialled_of(sip.request)
            number = e164(dialled.removeprefix(TO_RELAY_USER))
            writes = (found := text_relay_of(sip.request)) is not None and found.text is not None
        except (SipRemoteError, SdpError) as error:
            plant.journal.warn(plant.name, "ring_back.refused", status=400, reason=str(error))
            sip.reject(400)
            return
        self._open_record(number, dialled, "relay" if writes else "")
        sip.on_change(self._room_changed)
        contact = self._phones.contact(plant.callers, number)
        if contact is None:
            self._refuse(480 if self._phones.knows(number) else 404, "no telephone is known there")
        elif any(call.is_held and call.calling.number == number for call in plant.calls.values()):
            self._refuse(486, "its receiver is down and its circuit kept")
        else:
            await self._ring(contact, writes=writes)

    def _open_record(self, number: str, dialled: str, text: str) -> None:
        plant = self._plant
        try:
            mark = mark_of(self._sip.request)
        except SipRemoteError:
            mark = None
        first = plant.records.of(mark.call) if mark is not None else plant.records.latest_of(number)
        settings = plant.settings
        line = str(line_of(number, settings.landlines, settings.mobiles))
        self.record = CallRecord(
            f"em-{next(plant.numbers)}",
            first.uuid if first is not None else plant.new_uuid(),
            "ring-back",
            number,
            False,
            line,
            dialled,
            plant.now(),
            text=text,
            ring_back_of=first.id if first is not None else "",
        )
        plant.records.add(self.record)
        plant.events.tell("ring_back.offered", call=self.record.id, number=number, of=self.record.ring_back_of)

    async def _ring(self, contact: str, *, writes: bool) -> None:
        plant, sip = self._plant, self._sip
        name = f"{plant.name} {self.record.id}"
        try:
            self._room = await Leg.open(plant, f"{name} control-room", text=writes)
            self._phone = await Leg.open(plant, f"{name} caller", text=writes)
            self._answer = self._room.media.answer(sip.remote_sdp)
        except SdpError as error:
            self._refuse(488, str(error))
            return
        except MediaError as error:
            self._refuse(503, str(error))
            return
        if sip.is_over:
            await self._close()
            return
        self._room.bind(sip)
        for leg, other in ((self._room, self._phone), (self._phone, self._room)):
            leg.heard = lambda event, leg=leg, other=other: self._heard(leg, other, event)
        try:
            self._out = plant.callers.invite(
                contact, offer=self._phone.media.offer(), caller=self._from(), headers=self._headers()
            )
        except HarnessError as error:
            self._refuse(503, str(error))
            return
        self._phone.bind(self._out)
        self._out.on_change(self._phone_changed)

    def _from(self) -> str:
        host = self._plant.callers.address[0]
        try:
            number = number_of(self._sip.request)
        except SipRemoteError:
            number = ""
        return identity.Caller(number or self._plant.settings.operator_number, host).from_value

    def _headers(self) -> list[tuple[str, str]]:
        priority = self._sip.request.get("priority")
        return [("Priority", priority)] if priority is not None else []

    def _heard(self, leg: Leg, other: Leg, event: Event) -> None:
        if event.kind == "dtmf.received":
            other.press(str(event.data.get("digit")))
        elif event.kind == "text.received":
            asyncio.get_running_loop().call_soon(self._take_text, leg, other)

    def _take_text(self, leg: Leg, other: Leg) -> None:
        if leg.text is not None and not self._over:
            whole = leg.text.received()
            new, self._text[leg] = whole[self._text.get(leg, 0) :], len(whole)
            self._plant.spawn(other.write(new))

    # What the telephone does

    def _phone_changed(self, out: Call, what: str) -> None:
        if what == "ended":
            if not self._sip.is_over and self.record.answered is None:
                self._refuse(out.status if 400 <= out.status < 700 else 480, out.reason)
            self._end("caller")
        elif what == "answered":
            self._plant.spawn(self._join(out.remote_sdp, answered=True))
        elif what == "ringing" and not out.remote_sdp:
            self._sip.ring()
        elif what in ("ringing", "progress") and out.remote_sdp:
            self._plant.spawn(self._join(out.remote_sdp, answered=False))

    async def _join(self, described: bytes, *, answered: bool) -> None:
        phone, room, sip = self._phone, self._room, self._sip
        assert phone is not None and room is not None
        async with self._joining:
            try:
                phone.media.take_answer(described)
                await phone.media.join()
                if sip.remote_sdp and not room.speaks:
                    await room.media.join()
                if not self._joined:
                    await phone.port.hear(room.port)
                    await room.port.hear(phone.port)
                    self._joined = True
            except (SdpError, MediaError) as error:
                self._plant.journal.warn(self._plant.name, "ring_back.no_media", reason=str(error))
                if answered:
                    self._end("network")
                return
        if sip.is_over or self._over:
            self._end("control-room")
        elif answered:
            self.record.answered = self._plant.now()
            sip.answer(self._answer)
            self._plant.events.tell("ring_back.answered", call=self.record.id)
        elif self.record.answered is None:
            sip.ring(183, sdp=self._answer)

    # The end

    def _room_changed(self, _sip: Call, what: str) -> None:
        if what == "ended":
            self._end("control-room")

    def _refuse(self, status: int, reason: str) -> None:
        self._plant.events.tell("ring_back.refused", call=self.record.id, status=status, reason=reason)
        if not self._sip.is_over:
            self._sip.reject(status)
        self._end("network")

    def _end(self, by: str) -> None:
        if self._over:
            return
        self._over = True
        record = self.record
        record.ended, record.cleared_by = self._plant.now(), by
        record.outcome = Outcome.ANSWERED if record.answered is not None else Outcome.NO_ANSWER
        for sip in (self._out, self._sip):
            if sip is not None and not sip.is_over:
                sip.hang_up()
        self._plant.events.tell("ring_back.ended", call=record.id, by=by, outcome=str(record.outcome))
        self._plant.spawn(self._close())

    async def _close(self) -> None:
        for leg in (self._phone, self._room):
            if leg is not None:
                await leg.close()
