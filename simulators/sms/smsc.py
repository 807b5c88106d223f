"""The service centre's SMPP 3.4 side: binds, requests with their bounds and faults, texts and receipts to clients."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from harness.errors import SmppError, SmsError
from harness.protocols.gsm.address import Address
from harness.protocols.smpp.codes import Command, Status
from harness.protocols.smpp.pdu import Pdu
from harness.protocols.smpp.session import Answered, Asked, BadUnit, BindAsked, CentreSession, Closed, State
from harness.transport.context import Context
from harness.transport.stream import StreamConnection, StreamListener, listen_stream
from harness.transport.tap import NullTap
from simulators.sms.network import SmsNetwork, Text, key_of
from simulators.sms.receipts import fields_of
from simulators.sms.requests import RefusedError, Sender, carry_out
from simulators.sms.settings import AccountSettings, SmsSettings

MAX_SESSIONS: Final = 256
"""Connections at once; one beyond is closed."""
BIND_S: Final = 10.0
"""Seconds within which a connection binds (session_init_timer)."""
ANSWER_S: Final = 10.0
"""Seconds within which a client answers deliver_sm (response_timer)."""
ENQUIRE_S: Final = 60.0
"""Seconds of silence after which, and between which, a client is asked whether it is there (enquire_link_timer)."""
IDLE_S: Final = 300.0
"""Seconds of silence after which a session is closed (inactivity_timer)."""
BAD_UNITS_JOURNALLED: Final = 200
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of passwords that are made for a run: none that is taken for another."""


class Fault(StrEnum):
    """What the service centre does wrong, or refuses, on demand."""

    STATUS = "status"
    """Texts are answered by the status named."""
    SILENT = "silent"
    """Texts are taken and never answered."""
    LOST = "lost"
    """Texts are neither taken nor answered."""


class Account:
    """Who may bind, and the sessions that did."""

    def __init__(self, settings: AccountSettings, password: str, network: SmsNetwork) -> None:
        self.settings = settings
        self.password = password
        self.links: list[Link] = []
        self._tokens = 0.0
        self._filled = 0.0
        self.sender = Sender(Address.of(settings.numbers[0]), self)
        for number in settings.numbers:
            network.attach(number, self)

    def offer(self, text: Text, done: Callable[[bool], None]) -> None:
        """Give a text or receipt to the session that has most room."""
        link = max(self.links, key=lambda each: each.session.room, default=None)
        if link is None or link.session.room <= 0:
            done(False)
        else:
            link.deliver(text, done)

    def throttled(self) -> bool:
        """Whether one text more would be more than its rate: a second's worth may come at once."""
        rate = self.settings.rate
        if rate is None:
            return False
        now = asyncio.get_running_loop().time()
        most = max(rate, 1.0)
        self._tokens = min(most, self._tokens + (now - self._filled) * rate) if self._filled else most
        self._filled = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False


class SmppCentre:
    """The SMPP side. Events: ``smpp.bound`` {system_id, how}, ``smpp.unbound`` {why}, ``smpp.bad_unit`` {why},
    ``smpp.refused`` {command, why}, ``smpp.refused_bind`` {system_id, status}.
    """

    def __init__(self, context: Context, name: str, settings: SmsSettings, network: SmsNetwork) -> None:
        self.name = name
        self.context = context
        self.network = network
        self.system_id = settings.system_id
        self.accounts = {
            account.system_id: Account(account, _password(context, account), network) for account in settings.accounts
        }
        self.fault: Fault | None = None
        self.fault_status = Status.ROK
        self.faults_left: int | None = None
        """Texts for which the fault holds; None: until it is ended."""
        self.links: dict[Link, None] = {}
        self._listener: StreamListener

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises TransportError."""
        # Numbers and passwords stand in SMPP where a capture's mask does not reach: nothing is captured.
        self._listener = await listen_stream((host, port), lambda: Link(self), tap=NullTap())

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self._listener.local

    def stop(self) -> None:
        """End every session and listen no more."""
        self._listener.close()
        for link in tuple(self.links):
            link.end("the centre stops")

    def unbind_all(self) -> int:
        """End every session from the centre's side; returns how many there were."""
        links = tuple(self.links)
        for link in links:
            link.end("unbound by the centre")
        return len(links)

    def set_fault(self, fault: Fault | None, status: Status = Status.RSYSERR, count: int | None = None) -> None:
        """Begin a fault, for ``count`` texts or until it is ended, or end it."""
        self.fault, self.fault_status, self.faults_left = fault, status, count

    def take_fault(self) -> Fault | None:
        """The fault that the text which came is to meet."""
        fault = self.fault
        if fault is not None and self.faults_left is not None:
            self.faults_left -= 1
            if self.faults_left <= 0:
                self.fault = None
        return fault

    def status(self) -> dict[str, Any]:
        """Who is bound, and what is wrong."""
        sessions = {name: [link.session.state.name for link in each.links] for name, each in self.accounts.items()}
        return {"sessions": sessions, "fault": None if self.fault is None else self.fault.value}


def _password(context: Context, account: AccountSettings) -> str:
    if account.password is not None:
        return account.password.get_secret_value()
    return "".join(context.rng.choice(_LETTERS) for _ in range(8))


class Link:
    """One connection of a client."""

    def __init__(self, centre: SmppCentre) -> None:
        self.session = CentreSession(centre.system_id)
        self._centre = centre
        self._account: Account | None = None
        self._connection: StreamConnection | None = None
        self._waiting: dict[int, tuple[Callable[[bool], None], asyncio.TimerHandle]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._bad = 0

    # -- the connection's side ---------------------------------------------------------------------------------------

    def opened(self, connection: StreamConnection) -> None:
        """A client is there; it has BIND_S to bind."""
        self._connection = connection
        if len(self._centre.links) >= MAX_SESSIONS:
            connection.close()
            return
        self._centre.links[self] = None
        self._timer = asyncio.get_running_loop().call_later(BIND_S, self.end, f"no bind within {BIND_S:g} s")

    def received(self, connection: StreamConnection, data: bytes) -> None:
        """Its octets."""
        self._heard = asyncio.get_running_loop().time()
        for event in self.session.receive(data):
            match event:
                case BindAsked(request):
                    self._bind(request)
                case Asked(request):
                    self._asked(request)
                case Answered(sequence, status):
                    self._answered(sequence, taken=status == Status.ROK)
                case BadUnit(error):
                    self._bad_unit(error)
                case Closed(why):
                    self._closed(why)
                    return
        self._flush()

    def lost(self, connection: StreamConnection, why: str) -> None:
        """It went without unbinding."""
        self._closed(why)

    def end(self, why: str) -> None:
        """End the session from the centre's side."""
        self.session.close(why)
        self._closed(why)

    def _closed(self, why: str) -> None:
        if self not in self._centre.links:
            return
        del self._centre.links[self]
        self._flush()
        if self._connection is not None:
            self._connection.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._account is not None:
            self._account.links.remove(self)
        for sequence in tuple(self._waiting):
            self._answered(sequence, taken=False)
        self._centre.context.journal.record(self._centre.name, "smpp.unbound", why=why)

    def _flush(self) -> None:
        data = self.session.take_output()
        if data and self._connection is not None:
            self._connection.send(data)

    def _bad_unit(self, error: SmppError) -> None:
        self._bad += 1
        if self._bad <= BAD_UNITS_JOURNALLED:
            self._centre.context.journal.warn(self._centre.name, "smpp.bad_unit", why=str(error))

    def _watch(self) -> None:
        """Ask a silent client whether it is there, and close a session that has been silent too long."""
        loop = asyncio.get_running_loop()
        now, over = loop.time(), self._heard + IDLE_S
        if now >= over:
            self.end(f"silent for {IDLE_S:g} s")
            return
        due = self._heard + ENQUIRE_S
        if now >= due:
            self.session.send(Command.ENQUIRE_LINK, {})
            self._flush()
            due = min(now + ENQUIRE_S, over)
        # At a moment, not after a while: what is left of it may be too little for a clock to go on by.
        self._timer = loop.call_at(due, self._watch)

    # -- requests ----------------------------------------------------------------------------------------------------

    def _bind(self, request: Pdu) -> None:
        account = self._centre.accounts.get(request.text("system_id"))
        status = Status.ROK
        if account is None:
            status = Status.RINVSYSID
        elif not hmac.compare_digest(request.text("password").encode(), account.password.encode()):
            status = Status.RINVPASWD
        elif len(account.links) >= account.settings.sessions:
            status = Status.RBINDFAIL
        if account is None or status:
            self.session.answer(request, status)
            self._centre.context.journal.warn(
                self._centre.name, "smpp.refused_bind", system_id=request.text("system_id"), status=status.name
            )
            return
        self.session.window = account.settings.window
        self.session.bound(request)
        self._account = account
        account.links.append(self)
        if self._timer is not None:
            self._timer.cancel()
        self._watch()
        self._centre.context.journal.record(
            self._centre.name, "smpp.bound", system_id=account.settings.system_id, how=self.session.state.name
        )
        if self.session.state is not State.TX:
            self._flush()
            for number in account.settings.numbers:
                self._centre.network.nudge(number)

    def _asked(self, request: Pdu) -> None:
        account = self._account
        assert account is not None, "requests come after a bind"
        try:
            if request.command in (Command.SUBMIT_SM, Command.SUBMIT_MULTI, Command.DATA_SM):
                if account.throttled():
                    raise RefusedError(Status.RTHROTTLED, f"more than {account.settings.rate:g} texts a second")
                fault = self._centre.take_fault()
                if fault is Fault.STATUS:
                    raise RefusedError(self._centre.fault_status, "as was asked for")
                if fault is not None:
                    if fault is Fault.SILENT:
                        carry_out(self._centre.network, request, account.sender)
                    self.session.forget(request)
                    return
            fields = carry_out(self._centre.network, request, account.sender)
        except RefusedError as error:
            self.session.answer(request, error.status)
            command = Command(request.command).name.lower()
            self._centre.context.journal.record(self._centre.name, "smpp.refused", command=command, why=str(error))
        else:
            self.session.answer(request, Status.ROK, fields)

    # -- what goes to the client -------------------------------------------------------------------------------------

    def deliver(self, text: Text, done: Callable[[bool], None]) -> None:
        """Send a text or receipt; ``done`` is told whether the client took it."""
        try:
            fields, tlvs = fields_of(text, optional=self.session.takes_optional)
            sequence = self.session.send(Command.DELIVER_SM, fields, tlvs)
        except (SmsError, SmppError) as error:
            self._bad_unit(SmppError(f"text {text.id} of {key_of(text.sender)} can't be written: {error}"))
            done(False)
            return
        timer = asyncio.get_running_loop().call_later(ANSWER_S, self._overdue, sequence)
        self._waiting[sequence] = (done, timer)
        self._flush()

    def _overdue(self, sequence: int) -> None:
        self.session.overdue(sequence)
        self._answered(sequence, taken=False)

    def _answered(self, sequence: int, *, taken: bool) -> None:
        waiting = self._waiting.pop(sequence, None)
        if waiting is not None:
            done, timer = waiting
            timer.cancel()
            done(taken)
