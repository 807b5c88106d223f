"""Texts by SMPP 3.4, bound as a transceiver. Units are read and written by smpplib, on this project's connection and
clock: so the two ends of a simulated session share no codec.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from typing import Any, Final, Self

from smpplib import command as commands
from smpplib import exceptions, smpp

from harness.endpoints.sms.port import PermitText, TextPort
from harness.errors import SmppError, SmppLocalError, SmppUnansweredError
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.user_data import UserData
from harness.protocols.smpp import content as contents
from harness.protocols.smpp import receipt as receipts
from harness.protocols.smpp import times
from harness.protocols.smpp.codes import VERSION, Command, EsmClass, MessageState, Status, Tag
from harness.protocols.smpp.pdu import HEADER, MAX_PDU, Pdu
from harness.transport.context import Context
from harness.transport.stream import StreamConnection, connect_stream
from harness.transport.tap import NullTap

ANSWER_S: Final = 10.0
"""Seconds within which the centre answers (response_timer)."""
WINDOW: Final = 50
"""Texts that may be unanswered."""
ENQUIRE_S: Final = 30.0
"""Seconds between enquire_link, by which a dead session is found."""
THROTTLED_WAITS_S: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""How long a text waits before it is sent again that was answered ESME_RTHROTTLED or ESME_RMSGQFUL, in turn."""
_LATER: Final = frozenset({Status.RTHROTTLED, Status.RMSGQFUL})
_UNREADABLE: Final = (
    *(exceptions.UnknownCommandError, exceptions.PDUError, struct.error),
    *(KeyError, ValueError, TypeError, AttributeError, IndexError),
)
"""What smpplib raises for units that it can't read."""


@dataclass(frozen=True, slots=True)
class SmppAccount:
    """Where and as whom to bind."""

    host: str
    port: int
    system_id: str
    password: str
    number: str
    """Whom texts come from: E.164 or a short code."""
    system_type: str = ""


class _Sequence:
    """What smpplib asks for each unit's number."""

    def __init__(self) -> None:
        self.sequence = 0

    def next_sequence(self) -> int:
        """The next one."""
        self.sequence = self.sequence % 0x7FFF_FFFF + 1
        return self.sequence


class SmppPort(TextPort):
    """One session. Events: ``smpp.throttled`` {wait_s}, ``smpp.bad_unit`` {why}, ``smpp.lost`` {why}."""

    def __init__(self, context: Context, name: str, account: SmppAccount, permit: PermitText | None) -> None:
        super().__init__(context, name, permit)
        self.number = account.number
        self.gone: str | None = "not bound yet"
        """Why the session is gone; None while it is there."""
        self._account = account
        self._own = Address.of(account.number)
        self._sequence = _Sequence()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._window = asyncio.Semaphore(WINDOW)
        self._buffer = b""
        self._connection: StreamConnection | None = None
        self._enquiring: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, context: Context, name: str, account: SmppAccount, *, permit: PermitText | None = None) -> Self:
        """Connect and bind. Raises TransportError, SmppLocalError when the centre refuses."""
        port = cls(context, name, account, permit)
        await port._open()
        return port

    async def _open(self) -> None:
        account = self._account
        self._buffer = b""
        self._connection = await connect_stream((account.host, account.port), self, tap=NullTap())
        self.gone = None
        try:
            await self._ask(
                "bind_transceiver",
                system_id=account.system_id,
                password=account.password,
                system_type=account.system_type,
                interface_version=VERSION,
            )
        except BaseException:
            self._end("the bind failed")
            raise
        self._enquiring = asyncio.create_task(self._enquire())

    async def reopen(self) -> None:
        """Connect and bind again. Raises TransportError, SmppLocalError."""
        await self.close()
        await self._open()

    async def close(self) -> None:
        """Unbind, and close the connection."""
        enquiring, self._enquiring = self._enquiring, None
        if enquiring is not None:
            enquiring.cancel()
            await asyncio.gather(enquiring, return_exceptions=True)
        if self.gone is None:
            try:
                await self._ask("unbind")
            except SmppLocalError as error:
                self._context.journal.warn(self.name, "smpp.not_unbound", why=str(error))
        self._end("closed")

    async def _submit(self, to: Address, content: UserData, *, report: bool, validity_s: float | None) -> str:
        octets = content.header() + content.body()
        fields = {
            "source_addr_ton": self._own.ton,
            "source_addr_npi": self._own.npi,
            "source_addr": self._own.digits,
            "dest_addr_ton": to.ton,
            "dest_addr_npi": to.npi,
            "destination_addr": to.digits,
            "esm_class": int(EsmClass.HEADER) if content.elements else 0,
            "data_coding": content.dcs,
            "short_message": octets,
            "registered_delivery": int(report),
        }
        if validity_s is not None:
            fields["validity_period"] = times.relative(max(1, round(validity_s)))
        async with self._window:
            for wait in THROTTLED_WAITS_S:
                try:
                    answer = await self._ask("submit_sm", **fields)
                except _RefusedError as error:
                    if error.status not in _LATER:
                        raise
                    self._context.journal.record(self.name, "smpp.throttled", wait_s=wait)
                    await asyncio.sleep(wait)
                else:
                    return _text(answer.message_id)
            return _text((await self._ask("submit_sm", **fields)).message_id)

    async def _ask(self, name: str, **fields: Any) -> Any:
        """Send a request and return its response.

        Raises SmppLocalError where it was refused or nothing has left, SmppUnansweredError where it may have.
        """
        if self.gone is not None:
            raise SmppLocalError(f"{self.name}: {name}: the session is gone ({self.gone})")
        request = smpp.make_pdu(name, client=self._sequence, **fields)
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[request.sequence] = found
        try:
            self._send(request)
            async with asyncio.timeout(ANSWER_S):
                answer = await found
        except TimeoutError:
            raise SmppUnansweredError(f"{self.name}: {name} was not answered within {ANSWER_S:g} s") from None
        finally:
            del self._waiting[request.sequence]
        if answer.status:
            raise _RefusedError(self.name, name, answer.status)
        return answer

    def _send(self, unit: Any) -> None:
        if self._connection is not None:
            self._connection.send(unit.generate())

    async def _enquire(self) -> None:
        while True:
            await asyncio.sleep(ENQUIRE_S)
            try:
                await self._ask("enquire_link")
            except SmppLocalError as error:
                self._gone(str(error))
                return

    # -- what comes --------------------------------------------------------------------------------------------------

    def opened(self, connection: StreamConnection) -> None:
        """The connection is there; the bind follows."""

    def received(self, connection: StreamConnection, data: bytes) -> None:
        """Octets of the centre's."""
        if connection is not self._connection:
            return
        self._buffer += data
        while len(self._buffer) >= HEADER:
            length = int.from_bytes(self._buffer[:4], "big")
            if not HEADER <= length <= MAX_PDU:
                self._gone(f"the centre sent a unit of {length} octets")
                return
            if len(self._buffer) < length:
                return
            unit, self._buffer = self._buffer[:length], self._buffer[length:]
            try:
                self._take(smpp.parse_pdu(unit, client=self._sequence, allow_unknown_opt_params=True))
            except _UNREADABLE as error:
                why = f"a unit of {length} octets can't be read: {type(error).__name__}"
                self._context.journal.warn(self.name, "smpp.bad_unit", why=why)

    def lost(self, connection: StreamConnection, why: str) -> None:
        """The connection is gone."""
        if connection is self._connection:
            self._gone(why)

    def _take(self, unit: Any) -> None:
        if unit.is_response():
            found = self._waiting.get(unit.sequence)
            if found is not None and not found.done():
                found.set_result(unit)
            return
        match unit.command:
            case "deliver_sm" | "data_sm":
                self._answer(unit, "deliver_sm_resp" if unit.command == "deliver_sm" else "data_sm_resp")
                self._delivered(unit)
            case "enquire_link":
                self._answer(unit, "enquire_link_resp")
            case "unbind":
                self._answer(unit, "unbind_resp")
                self._gone("unbound by the centre")

    def _answer(self, unit: Any, name: str) -> None:
        answer = smpp.make_pdu(name, client=self._sequence)
        answer.sequence = unit.sequence
        self._send(answer)

    def _delivered(self, unit: Any) -> None:
        try:
            message = _as_ours(unit)
            if message.number("esm_class") & EsmClass.RECEIPT:
                self._receipt(unit, message)
            else:
                self._came(str(contents.address(message, "source")), contents.read(message))
        except SmppError as error:
            self._context.journal.warn(self.name, "smpp.bad_unit", why=str(error))

    def _receipt(self, unit: Any, message: Pdu) -> None:
        """A receipt's parameters count before its text, which each centre writes as it likes."""
        told = _text(getattr(unit, "receipted_message_id", None))
        state = getattr(unit, "message_state", None)
        if not told or state is None:
            receipt = receipts.read(message.message.decode("latin-1"))
            told, state = told or receipt.message_id, receipt.state if state is None else state
        if state not in set(MessageState):
            raise SmppError(f"a receipt of message_state {state}; 1-8 are known")
        self._reported(told, str(contents.address(message, "source")), MessageState(state))

    def _gone(self, why: str) -> None:
        if self.gone is None:
            self._end(why)
            self._context.journal.warn(self.name, "smpp.lost", why=why)
            self.on_lost(why)

    def _end(self, why: str) -> None:
        self.gone = self.gone or why
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        for found in self._waiting.values():
            if not found.done():
                found.set_exception(SmppUnansweredError(f"{self.name}: the session is gone ({why})"))


class _RefusedError(SmppLocalError):
    """A request was answered by an error."""

    def __init__(self, name: str, command: str, status: int) -> None:
        known = f"ESME_{Status(status).name}" if status in set(Status) else "a status of the centre's own"
        super().__init__(f"{name}: {command} was refused: {known} ({status:#010x})")
        self.status = status


def _as_ours(unit: commands.Command) -> Pdu:
    """A deliver_sm or data_sm of smpplib's as content and addresses are read from."""
    names = ("source_addr_ton", "source_addr_npi", "dest_addr_ton", "dest_addr_npi", "esm_class", "data_coding")
    fields: dict[str, Any] = {name: getattr(unit, name, None) or 0 for name in names}
    for name in ("source_addr", "destination_addr"):
        fields[name] = _text(getattr(unit, name, None))
    fields["short_message"] = getattr(unit, "short_message", None) or b""
    tlvs = []
    for tag, size in ((Tag.SAR_MSG_REF_NUM, 2), (Tag.SAR_TOTAL_SEGMENTS, 1), (Tag.SAR_SEGMENT_SEQNUM, 1)):
        value = getattr(unit, tag.name.lower(), None)
        if value is not None:
            tlvs.append((int(tag), value.to_bytes(size, "big")))
    payload = getattr(unit, "message_payload", None)
    if payload is not None:
        tlvs.append((int(Tag.MESSAGE_PAYLOAD), payload))
    return Pdu(Command.DELIVER_SM, unit.sequence, fields=fields, tlvs=tuple(tlvs))


def _text(value: bytes | str | None) -> str:
    """smpplib gives strings as octets."""
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""
