"""Texts by a GSM modem, in PDU mode: set up, what comes read and deleted, reports as codes."""

from __future__ import annotations

import asyncio
import re
from typing import Final, Self

from harness.endpoints.gsm.equipment import DEFAULT_BAUD, SEND_S, ModemLine
from harness.endpoints.sms.port import PermitText, TextPort
from harness.errors import ModemLocalError, ModemUnansweredError, SmsError
from harness.protocols.gsm import pdu as pdus
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.equipment import Told
from harness.protocols.gsm.pdu import Deliver, Status, StatusReport, Submit
from harness.protocols.gsm.stamps import relative_octet
from harness.protocols.gsm.user_data import UserData
from harness.protocols.smpp.codes import MessageState
from harness.transport.context import Context

MAX_TO_READ: Final = 1_000
"""Messages that wait to be read from the modem; more are left in it until it is opened again."""
_CODE: Final = re.compile(r'\+C(?:MT|DS)I: *"(\w\w)", *(\d{1,5})')
_LISTED: Final = re.compile(r"\+CMGL: *(\d{1,5}),")
_SENT: Final = re.compile(r"\+CMGS: *(\d{1,3})")
_NOTIFICATIONS: Final = ("AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1,0,2,0", "AT+CNMI=1,1,0,1,0", "AT+CNMI=1,1,0,2,0")
"""Asked for in turn: messages stored and told of, reports shown or stored; not every modem has every mode."""
_STATES: Final[dict[int, MessageState]] = {
    Status.EXPIRED: MessageState.EXPIRED,
    Status.DELETED_BY_CENTRE: MessageState.DELETED,
    Status.DELETED_BY_SENDER: MessageState.DELETED,
}


class ModemPort(TextPort):
    """One modem. What was in it unread when it is opened comes as if it came then; what was read is deleted."""

    def __init__(self, context: Context, name: str, url: str, baud: int, permit: PermitText | None) -> None:
        super().__init__(context, name, permit)
        self.url = url
        self.number = ""
        """The subscriber's own number, where the SIM knows it."""
        self._baud = baud
        self._line: ModemLine
        self._to_read: asyncio.Queue[tuple[str, int]] = asyncio.Queue(MAX_TO_READ)
        self._reader: asyncio.Task[None] | None = None
        self._store = ""
        self._sending = asyncio.Lock()

    @classmethod
    async def open(
        cls, context: Context, name: str, url: str, *, baud: int = DEFAULT_BAUD, permit: PermitText | None = None
    ) -> Self:
        """Open the line and set the modem up. Raises TransportError, ModemLocalError when it is no such modem."""
        port = cls(context, name, url, baud, permit)
        await port._open()
        return port

    async def _open(self) -> None:
        self._line = await ModemLine.open(
            self._context, self.name, self.url, baud=self._baud, told=self._heard, lost=self._was_lost
        )
        try:
            await self._set_up()
        except BaseException:
            self._line.close()
            raise
        self._reader = asyncio.create_task(self._read_all())

    async def _set_up(self) -> None:
        line = self._line
        for command in ("ATE0", "AT+CMEE=1", "AT+CMGF=0"):
            await line.command(command)
        for command in _NOTIFICATIONS:
            if (await line.ask(command)).ok:
                break
        else:
            raise ModemLocalError(f"{self.name}: the modem tells of no messages that come: {', '.join(_NOTIFICATIONS)}")
        own = await line.ask("AT+CNUM")
        found = re.search(r'"(\+?\d{3,15})"', " ".join(own.lines)) if own.ok else None
        self.number = found.group(1) if found is not None else ""
        self._store = ""
        for text in (await line.command("AT+CMGL=0")).lines:
            unread = _LISTED.match(text)
            if unread is not None:
                self._note("", int(unread.group(1)))

    async def reopen(self) -> None:
        """Open the line again. Raises TransportError, ModemLocalError."""
        await self.close()
        await self._open()

    async def close(self) -> None:
        """Give the line up."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        self._line.close()

    async def _submit(self, to: Address, content: UserData, *, report: bool, validity_s: float | None) -> str:
        validity = None if validity_s is None else relative_octet(validity_s)
        tpdu = Submit(to, content, validity=validity, report=report).write()
        body = pdus.with_centre(None, tpdu).hex().upper().encode()
        async with self._sending:
            reply = await self._line.command(f"AT+CMGS={len(tpdu)}", body=body, within=SEND_S)
        found = _SENT.search(" ".join(reply.lines))
        if found is None:
            raise ModemUnansweredError(f"{self.name}: OK without +CMGS: and a reference: {reply.lines!r}")
        return found.group(1)

    # -- what comes --------------------------------------------------------------------------------------------------

    def _heard(self, told: Told) -> None:
        found = _CODE.match(told.text)
        if found is not None:
            self._note(found.group(1), int(found.group(2)))
        elif told.following is not None and told.text.startswith(("+CDS", "+CMT")):
            self._take(told.following)

    def _note(self, store: str, index: int) -> None:
        try:
            self._to_read.put_nowait((store, index))
        except asyncio.QueueFull:
            self._context.journal.warn(self.name, "modem.left_unread", store=store, index=index)

    async def _read_all(self) -> None:
        """Read what the modem tells of, one message after the other, as long as the line is there."""
        while True:
            store, index = await self._to_read.get()
            try:
                if store and store != self._store:
                    await self._line.command(f'AT+CPMS="{store}"')
                    self._store = store
                reply = await self._line.command(f"AT+CMGR={index}")
                if len(reply.lines) >= 2:
                    self._take(reply.lines[1])
                await self._line.command(f"AT+CMGD={index}")
            except ModemLocalError as error:
                self._context.journal.warn(self.name, "modem.not_read", index=index, why=str(error))
                if self._line.gone is not None:
                    return

    def _take(self, octets: str) -> None:
        try:
            try:
                _, tpdu = pdus.split_centre(bytes.fromhex(octets))
            except ValueError:
                raise SmsError("a PDU in hex was due") from None
            message = pdus.read_to_handset(tpdu)
        except SmsError as error:
            self._context.journal.warn(self.name, "modem.bad_message", why=str(error))
            return
        match message:
            case Deliver():
                self._came(str(message.sender), message.content)
            case StatusReport():
                self._reported(str(message.reference), str(message.recipient), _state_of(message.status))

    def _was_lost(self, why: str) -> None:
        self.on_lost(why)


def _state_of(status: int) -> MessageState:
    """What a STATUS-REPORT's status comes to (TS 23.040 section 9.2.3.15)."""
    if not pdus.is_final(status):
        return MessageState.ENROUTE
    return MessageState.DELIVERED if status <= 2 else _STATES.get(status, MessageState.UNDELIVERABLE)
