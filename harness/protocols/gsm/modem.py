"""A GSM modem as its serial line shows it (3GPP TS 27.005 and 27.007, ITU-T V.250): bytes in, results and codes out.

Theory. A line is idle, or a command is being carried out. `AT+CMGS` and `AT+CMGW` first ask for the message by a
prompt: what comes up to Ctrl-Z is the message, ESC gives it up. A message that is to be sent is handed out as a `Send`
request, and its final result waits until the network has answered; what is typed meanwhile waits too. Of the commands
on one line the first that fails ends the line. Codes of the modem's own accord (`+CMTI`, `+CMT`, `+CDS`, `+CDSI`,
`+CREG`) stand between commands, never within a prompt.

A message that comes in is stored or shown as `AT+CNMI` says, and the network learns by a `Received` request whether it
was taken: at once, or with `AT+CSMS=1` when the equipment acknowledges what was shown (`AT+CNMA`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from harness.errors import ModemRemoteError, SmsError
from harness.protocols.gsm import modem_general, modem_messages
from harness.protocols.gsm import modem_views as views
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.coding import class_of
from harness.protocols.gsm.commands import AtCommand, Op, command_line, parse
from harness.protocols.gsm.errors import Cme, Cms, RefusedError, words
from harness.protocols.gsm.framing import Body, Line, ModemInput
from harness.protocols.gsm.modem_messages import Prompted
from harness.protocols.gsm.modem_state import REGISTRATIONS, Identity, ModemState
from harness.protocols.gsm.pdu import Deliver, StatusReport, Submit
from harness.protocols.gsm.storage import State, Storage, Stored

PROMPT: Final = b"\r\n> "
_NAMES: Final = tuple(
    sorted(
        {*modem_general.HANDLERS, *modem_messages.HANDLERS, "+CMGS", "+CMGW", "+CMSS", "+CNMA", "+CLAC"},
        key=lambda name: (not name.startswith("+"), name),
    )
)


@dataclass(frozen=True, slots=True)
class Send:
    """A message is to be sent: answer by `sent` or `refused`."""

    submit: Submit
    centre: Address


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a message that came in."""

    token: int
    """As `deliver` was given it."""
    taken: bool
    """False where there was no room, or the equipment refused it: the network may try again."""


@dataclass(frozen=True, slots=True)
class CommandCarriedOut:
    """A command line was taken; for whoever keeps a record."""

    text: str


@dataclass(frozen=True, slots=True)
class BadInput:
    """A line that is none, or a command that was refused."""

    error: ModemRemoteError


Request = Send | Received | CommandCarriedOut | BadInput


@dataclass(slots=True)
class _Sending:
    """A message whose answer of the network is waited for."""

    command: str
    reference: int
    stored: tuple[int, Stored] | None = None
    """Where `AT+CMSS` has it from."""


class ModemMachine:
    """One modem. `receive` and what the network does give requests; `take_output` the bytes that are due."""

    def __init__(self, identity: Identity, storage: Storage, centre: Address | None) -> None:
        self.state = ModemState(identity, storage, centre)
        self._input = ModemInput()
        self._output = bytearray()
        self._requests: list[Request] = []
        self._commands: deque[AtCommand] = deque()
        """Those of the line that are still to be carried out."""
        self._asked: Prompted | None = None
        self._sending: _Sending | None = None
        self._unacknowledged: int | None = None
        """The token of a message that was shown and waits for `AT+CNMA`."""
        self._last = "AT"

    @property
    def awaits_body(self) -> bool:
        """Whether a message is being typed: its time is for whoever has a clock."""
        return self._input.in_body

    @property
    def awaits_acknowledgement(self) -> bool:
        """Whether `AT+CNMA` is due: its time is for whoever has a clock."""
        return self._unacknowledged is not None

    def take_output(self) -> bytes:
        """The bytes that are due on the line."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def take_requests(self) -> list[Request]:
        """What is due of the network since last asked."""
        requests, self._requests = self._requests, []
        return requests

    # -- the line ----------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Bytes came."""
        overflow = self._input.push(data)
        if overflow is not None:
            self._requests.append(BadInput(overflow))
        self._go_on()

    def _go_on(self) -> None:
        while self._sending is None:
            item = self._input.take()
            self._echo()
            match item:
                case None:
                    return
                case Line(text):
                    self._line(text)
                case Body(octets):
                    self._body(octets)
                case ModemRemoteError():
                    self._asked = None
                    self._requests.append(BadInput(item))
                    self._commands.clear()
                    self._result("ERROR", "4")

    def _echo(self) -> None:
        echo, self._input.echo = self._input.echo, b""
        if self.state.echo:
            self._output += echo

    def _line(self, text: str) -> None:
        line = self._last if text == "A/" else command_line(text)
        if line is None:
            # An answer to what is no command would be answered in turn, where the equipment echoes.
            self._requests.append(BadInput(ModemRemoteError(f"no command line, passed over: {text[:60]!r}")))
            return
        self._last = line
        try:
            self._commands.extend(parse(line))
        except RefusedError as error:
            self._fail(error)
            return
        self._requests.append(CommandCarriedOut(line))
        self._carry_out()

    def _carry_out(self) -> None:
        """Go on with the commands of the line, until one asks for something or fails."""
        while self._commands:
            command = self._commands.popleft()
            try:
                done = self._one(command)
            except RefusedError as error:
                self._fail(modem_messages.refusal(self.state, command.name, error))
                return
            if not done:
                return
        self._result("OK", "0")
        self._release()

    def _one(self, command: AtCommand) -> bool:
        """Carry one command out; False where it is not over."""
        state, name = self.state, command.name
        if not state.unlocked and name not in modem_general.LOCKED:
            raise RefusedError(Cme.SIM_PIN, f"AT{name}: no PIN yet")
        handler = modem_general.HANDLERS.get(name) or modem_messages.HANDLERS.get(name)
        if handler is not None:
            for line in handler(state, command):
                self._info(line)
            return True
        if name == "+CLAC":
            for each in _NAMES:
                self._info(f"AT{each}")
            return True
        if name not in ("+CMGS", "+CMGW", "+CMSS", "+CNMA"):
            raise RefusedError(None, f"AT{name} is not offered")
        if command.op is Op.TEST:
            if name == "+CNMA":
                self._info("+CNMA: (0-2)")
            return True
        return self._message_command(command)

    def _message_command(self, command: AtCommand) -> bool:
        name = command.name
        if name == "+CMSS":
            index, stored, submit = modem_messages.stored_to_send(self.state, command)
            self._send(name, submit, stored.centre or self.state.centre, (index, stored))
            return False
        if name == "+CNMA" and self._unacknowledged is None:
            raise RefusedError(Cms.NO_CNMA_EXPECTED, "AT+CNMA: nothing waits for it")
        asked = modem_messages.prompted(self.state, command)
        if asked is None:
            self._acknowledge(taken=command.number(0, 0) < 2)
            return True
        if name == "+CNMA":
            asked = replace(asked, state=State.READ if command.number(0) < 2 else State.UNREAD)
        self._asked = asked
        self._input.expect_body()
        self._output += PROMPT
        return False

    def _body(self, octets: bytes | None) -> None:
        asked, self._asked = self._asked, None
        assert asked is not None, "a body is read after a prompt only"
        if octets is None:
            self._carry_out()
            return
        try:
            if asked.command == "+CNMA":
                self._acknowledge(taken=asked.state is State.READ)
                self._carry_out()
                return
            centre, message = modem_messages.message_of(self.state, asked, octets)
            if asked.command == "+CMGS":
                assert isinstance(message, Submit), "what is sent is read as a SUBMIT"
                self._send(asked.command, message, centre, None)
                return
            _, index = self.state.storage.add(self.state.stores[1], Stored(asked.state, centre, message))
            self._info(f"+CMGW: {index}")
        except RefusedError as error:
            self._fail(error)
            return
        self._carry_out()

    def give_up_body(self) -> None:
        """The message that is being typed did not end in time."""
        self._asked = None
        self._input.drop_body()
        self._fail(RefusedError(Cms.UNKNOWN, "the message did not end in time"))
        self._go_on()

    # -- sending -----------------------------------------------------------------------------------------------------

    def _send(self, name: str, submit: Submit, centre: Address | None, stored: tuple[int, Stored] | None) -> None:
        if not self.state.on_network:
            raise RefusedError(Cms.NO_NETWORK, f"AT{name}: not on the network")
        if centre is None or not centre.digits:
            raise RefusedError(Cms.NO_CENTRE_ADDRESS, f"AT{name}: no service centre is set")
        if not submit.to.digits:
            raise RefusedError(Cms.UNASSIGNED_NUMBER, f"AT{name}: it is for nobody")
        reference = self.state.next_reference()
        self._sending = _Sending(name, reference, stored)
        self._requests.append(Send(replace(submit, reference=reference), centre))

    def sent(self) -> None:
        """The network took the message."""
        sending, self._sending = self._sending, None
        if sending is None:
            return
        if sending.stored is not None:
            index, stored = sending.stored
            store = self.state.stores[1]
            if (index, stored) in self.state.storage.all(store):
                self.state.storage.set_state(store, index, State.SENT)
        self._info(f"{sending.command}: {sending.reference}")
        self._carry_out()
        self._go_on()

    def refused(self, error: Cms) -> None:
        """The network did not take it."""
        if self._sending is not None:
            self._sending = None
            self._fail(RefusedError(error, "the network refused the message"))
            self._go_on()

    # -- what the network brings -------------------------------------------------------------------------------------

    def deliver(self, token: int, message: Deliver | StatusReport) -> None:
        """A message came; a `Received` request tells what became of it."""
        state = self.state
        _, incoming, _, reports, _ = state.notification
        if isinstance(message, StatusReport):
            shown, told, stored = reports == 1, reports == 2, reports == 2
        else:
            shown = (incoming == 2 and class_of(message.content.dcs) != 2) or (
                incoming == 3 and class_of(message.content.dcs) == 3
            )
            told, stored = incoming > 0, not shown
        if not state.on_network or (shown and self._unacknowledged is not None):
            self._requests.append(Received(token, taken=False))
            return
        try:
            if shown:
                self._code(views.code(state, message))
            elif stored:
                kept = Stored(State.UNREAD, state.centre, message)
                store, index = state.storage.add(modem_messages.store_for(state, message), kept)
                if told:
                    kind = "+CDSI" if isinstance(message, StatusReport) else "+CMTI"
                    self._code(f'{kind}: "{store}",{index}')
        except (RefusedError, SmsError) as error:
            self._requests.append(BadInput(ModemRemoteError(f"a message of the network was not taken: {error}")))
            self._requests.append(Received(token, taken=False))
            return
        if shown and state.service == 1:
            self._unacknowledged = token
        else:
            self._requests.append(Received(token, taken=True))

    def _acknowledge(self, *, taken: bool) -> None:
        assert self._unacknowledged is not None, "asked for before"
        self._requests.append(Received(self._unacknowledged, taken))
        self._unacknowledged = None

    def acknowledgement_overdue(self) -> None:
        """`AT+CNMA` did not come: codes that bring whole messages are given no longer (section 3.4.4)."""
        if self._unacknowledged is not None:
            self._acknowledge(taken=False)
            mode, _, bm, _, bfr = self.state.notification
            self.state.notification = (mode, 0, bm, 0, bfr)

    def register(self, *, registered: bool, signal: int | None = None) -> None:
        """The network has the modem, or has it no longer."""
        state = self.state
        changed, state.registered = state.registered != registered, registered
        if signal is not None:
            state.signal = signal
        for name in REGISTRATIONS:
            if changed and state.numbers[name]:
                self._code(modem_general.registration_line(state, name, asked=False))

    def _code(self, text: str) -> None:
        self.state.held.append(text)
        self._release()

    def _release(self) -> None:
        """Give the codes that are held, where they may stand now: none within a prompt or before its result."""
        if self._asked is not None or self._sending is not None:
            return
        held = tuple(self.state.held)
        self.state.held.clear()
        for text in held:
            if self.state.notification[0] == 0 and text.startswith(("+CM", "+CD")):
                self.state.held.append(text)
            else:
                self._info(text)

    # -- results -----------------------------------------------------------------------------------------------------

    def _info(self, text: str) -> None:
        # Characters of a message are bytes here already (`charset.to_equipment`).
        octets = text.encode("latin-1", "replace")
        self._output += b"\r\n" + octets + b"\r\n" if self.state.verbose else octets + b"\r\n"

    def _result(self, verbose: str, short: str) -> None:
        if not self.state.quiet:
            self._output += f"\r\n{verbose}\r\n".encode() if self.state.verbose else f"{short}\r".encode()

    def _fail(self, refused: RefusedError) -> None:
        self._commands.clear()
        self._requests.append(BadInput(refused))
        error, mode = refused.error, self.state.numbers["+CMEE"]
        match error:
            case Cms():
                self._result(f"+CMS ERROR: {words(error) if mode == 2 else int(error)}", f"+CMS ERROR: {int(error)}")
            case Cme() if mode:
                self._result(f"+CME ERROR: {words(error) if mode == 2 else int(error)}", f"+CME ERROR: {int(error)}")
            case _:
                self._result("ERROR", "4")
        self._release()
