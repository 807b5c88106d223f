"""The terminal's side of the PEI, sans-I/O: command lines in, replies out; requests to the network and its codes.

The machine knows the line and the calls on it (call_state.TABLE). What the network does is not its business: it hands
`Request`s up, and is told the outcome as codes (`tell`). Where real terminals differ by codeplug it takes the strict
side, named below, so that a client which leaves a step out is found here and not on the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import PeiRemoteError
from harness.protocols.pei import call_state
from harness.protocols.pei.call_state import CallState, Input
from harness.protocols.pei.codes import AiService, CmeError, GroupAct, IdentityType, Registration, ServiceMode
from harness.protocols.pei.commands import (
    STATUS_SERVICE,
    VOICE_SERVICE,
    Basic,
    Command,
    CommandRefusedError,
    DefineCall,
    Dial,
    KeyTransmit,
    OtherCommand,
    Query,
    RegisterService,
    SdsSetup,
    SelectGroup,
    SendSds,
    Unkey,
    parse_command,
    sds_service,
)
from harness.protocols.pei.framing import Body, CommandLines
from harness.protocols.pei.unsolicited import (
    GroupBookEntry,
    NetworkRegistration,
    Numbering,
    OperatingMode,
    SdsReceived,
    SelectedGroup,
    SignalQuality,
    Unsolicited,
    decode_hex,
)
from harness.protocols.tetra.identity import Tsi, parse_ssi

MAX_SERVICES = 64
"""Registrations by AT+CTSP; one more gets `+CME ERROR: 39` (table full)."""
MAX_CALLS = 4
"""Calls one terminal can be in at once [U]."""
MAX_INSTANCE = 255
"""SDS instances count 1-255 and start again [U]."""
CODES_NEED_REGISTRATION = True
"""SDS, status and calls are handed to the equipment only after it registered for them by AT+CTSP [U]."""


@dataclass(frozen=True, slots=True)
class SetUpCall:
    """The equipment dialled."""

    cc: int
    destination: int
    """ISSI or GSSI."""
    definition: DefineCall


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """The equipment takes the call that came in."""

    cc: int


@dataclass(frozen=True, slots=True)
class ClearCall:
    """The equipment clears a call."""

    cc: int


@dataclass(frozen=True, slots=True)
class DemandTransmit:
    """The equipment asks to talk."""

    cc: int
    priority: int


@dataclass(frozen=True, slots=True)
class CeaseTransmit:
    """The equipment stops talking, or takes its demand back."""

    cc: int


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """The equipment selected a talkgroup, or none."""

    gssi: int | None


@dataclass(frozen=True, slots=True)
class SendMessage:
    """The equipment sends an SDS or a status."""

    instance: int
    """Handle that the result (`+CMGS: instance,status`) names."""
    destination: int
    service: int
    """AiService."""
    bits: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class BadInput:
    """Noise, or a line that no terminal takes."""

    error: PeiRemoteError


@dataclass(frozen=True, slots=True)
class CommandTaken:
    """A command line came and was answered: for the transcript."""

    line: str
    result: str


Request = (
    SetUpCall
    | AnswerCall
    | ClearCall
    | DemandTransmit
    | CeaseTransmit
    | ChangeGroup
    | SendMessage
    | BadInput
    | CommandTaken
)


class MobileTerminalMachine:
    """One terminal: identity, registrations, calls.

    `receive` takes bytes and gives requests; `tell` takes codes from the network; `take_output` gives what to write.
    """

    def __init__(self, identity: Tsi, groups: Mapping[str, int], *, selected: int | None = None) -> None:
        self.identity = identity
        self.groups = dict(groups)
        """The phone book: name to GSSI."""
        self.selected = selected
        """GSSI of the talkgroup in use."""
        self.registration = NetworkRegistration(Registration.NONE)
        self.signal = SignalQuality(31, 0)
        self.calls: dict[int, CallState] = {}
        self._services: dict[RegisterService, None] = {}
        self._definition = DefineCall()
        self._sds_service: int | None = None
        self._awaiting: SendSds | None = None
        self._instance = 0
        self._echo = False
        self._lines = CommandLines()
        self._output: list[str] = []
        self._requests: list[Request] = []

    def take_output(self) -> bytes:
        """The bytes to write now; may be empty."""
        if not self._output:
            return b""
        text = "".join(self._output)
        self._output.clear()
        return text.encode("latin-1", "replace")

    # -- from the network ------------------------------------------------------------------------------------------

    def incoming_cc(self) -> int | None:
        """A free call instance for a call that the network brings; None when the terminal has no more."""
        return next((cc for cc in range(1, MAX_CALLS + 1) if cc not in self.calls), None)

    def tell(self, code: Unsolicited) -> bool:
        """The network did something: moves the call, and writes the code if the equipment registered for it.

        Gives False where the call's state does not allow the code, which is then neither taken nor written.
        """
        moved = call_state.input_of_code(code)
        if moved is not None and not self._move(*moved):
            return False
        if isinstance(code, NetworkRegistration):
            self.registration = code
        if self._registered_for(code):
            self._output.append(f"\r\n{code.line()}\r\n")
        return True

    def _registered_for(self, code: Unsolicited) -> bool:
        if not CODES_NEED_REGISTRATION:
            return True
        if isinstance(code, SdsReceived):
            if code.service == AiService.STATUS:
                return STATUS_SERVICE in self._services
            return bool(code.payload) and sds_service(code.payload[0]) in self._services
        return call_state.input_of_code(code) is None or VOICE_SERVICE in self._services

    def _move(self, cc: int, given: Input) -> bool:
        following = call_state.following(self.calls.get(cc, CallState.IDLE), given)
        if following is None:
            return False
        if following is CallState.IDLE:
            self.calls.pop(cc, None)
        else:
            self.calls[cc] = following
        return True

    # -- from the terminal equipment ---------------------------------------------------------------------------------

    def receive(self, data: bytes) -> list[Request]:
        """Takes bytes as they come; gives what the network shall do; never raises."""
        self._lines.push(data)
        while (item := self._lines.take()) is not None:
            if isinstance(item, PeiRemoteError):
                # A real terminal answers what it can't read by an error; it does not go silent.
                self._awaiting = None
                self._requests.append(BadInput(item))
                self._result("ERROR")
            elif isinstance(item, Body):
                self._body(item)
            else:
                self._command(item)
        requests, self._requests = self._requests, []
        return requests

    def _result(self, text: str) -> None:
        self._output.append(f"\r\n{text}\r\n")

    def _refuse(self, line: str, error: CommandRefusedError) -> None:
        result = f"+CME ERROR: {int(error.cme)}"
        self._result(result)
        self._requests.append(CommandTaken(line, result))
        self._requests.append(BadInput(error))

    def _ok(self, line: str) -> None:
        self._result("OK")
        self._requests.append(CommandTaken(line, "OK"))

    def _command(self, line: str) -> None:
        if self._echo:
            self._output.append(line + "\r\n")
        if line in ("AT", "at"):
            self._output.append("\r\nOK\r\n")
            return
        try:
            command = parse_command(line)
            if isinstance(command, SendSds):
                self._expect_body(command)
                return
            self._do(command)
        except CommandRefusedError as error:
            self._refuse(line, error)
            if line[2:].lstrip().upper().startswith("+CMGS="):
                # The body of the refused command is on its way: it is no command.
                self._lines.expect_body()
            return
        self._ok(line)

    @property
    def awaits_body(self) -> bool:
        """Whether the hex of an `AT+CMGS` is due: whoever keeps the time calls `give_up_body` when it does not come."""
        return self._lines.in_body

    def give_up_body(self) -> None:
        """The hex did not come in time: the line takes commands again."""
        if not self._lines.in_body:
            return
        self._lines.drop_body()
        if self._awaiting is not None:
            self._awaiting = None
            self._result(f"+CME ERROR: {int(CmeError.DATA_TIMEOUT)}")

    def _expect_body(self, command: SendSds) -> None:
        self._lines.expect_body()
        self._awaiting = command

    def _body(self, body: Body) -> None:
        command, self._awaiting = self._awaiting, None
        if command is None:
            return
        line = command.line()
        if body.text is None:
            self._ok(line)
            return
        try:
            self._send(command, body.text)
        except CommandRefusedError as error:
            self._refuse(line, error)
            return
        self._result(f"+CMGS: {self._instance}")
        self._ok(line)

    def _send(self, command: SendSds, text: str) -> None:
        if self._sds_service is None:
            raise CommandRefusedError(CmeError.NOT_ALLOWED, "AT+CMGS before AT+CTSDS")
        if self.registration.state not in (Registration.HOME, Registration.VISITED):
            raise CommandRefusedError(CmeError.OUT_OF_SERVICE, "AT+CMGS while not registered")
        try:
            payload = decode_hex(text, command.bits)
        except PeiRemoteError as error:
            raise CommandRefusedError(CmeError.DATA_DECODE, f"AT+CMGS: {error}") from None
        if self._sds_service == AiService.STATUS and command.bits != 16:
            raise CommandRefusedError(CmeError.RANGE, f"AT+CMGS: a status of {command.bits} bits")
        self._instance = self._instance % MAX_INSTANCE + 1
        destination = parse_ssi(command.destination)
        self._requests.append(SendMessage(self._instance, destination, self._sds_service, command.bits, payload))

    def _do(self, command: Command) -> None:
        match command:
            case RegisterService():
                if command not in self._services and len(self._services) >= MAX_SERVICES:
                    raise CommandRefusedError(CmeError.TABLE_FULL, f"{MAX_SERVICES} services are registered")
                self._services[command] = None
            case DefineCall():
                self._definition = command
            case SdsSetup(service=service):
                self._sds_service = service
            case Dial(number):
                self._dial(number)
            case KeyTransmit(cc, priority):
                self._about_call(cc, Input.KEY, DemandTransmit(cc, priority))
            case Unkey(cc):
                self._about_call(cc, Input.UNKEY, CeaseTransmit(cc))
            case SelectGroup(act, group):
                self._select(act, group)
            case Basic(name):
                self._basic(name)
            case Query(name, test):
                self._query(name, test)
            case OtherCommand(name, text):
                self._other(name, text)
            case SendSds():  # taken before, as its body follows
                pass

    def _dial(self, number: str) -> None:
        try:
            destination = parse_ssi(number)
        except PeiRemoteError as error:
            raise CommandRefusedError(CmeError.DIAL_STRING, f"ATD: {error}") from None
        if self.registration.state not in (Registration.HOME, Registration.VISITED):
            raise CommandRefusedError(CmeError.OUT_OF_SERVICE, "ATD while not registered")
        cc = self.incoming_cc()
        if cc is None:
            raise CommandRefusedError(CmeError.NOT_ALLOWED, f"ATD: {MAX_CALLS} calls are up already")
        self._move(cc, Input.DIAL)
        self._requests.append(SetUpCall(cc, destination, self._definition))

    def _about_call(self, cc: int, given: Input, request: Request) -> None:
        state = self.calls.get(cc, CallState.IDLE)
        if not self._move(cc, given):
            raise CommandRefusedError(CmeError.NOT_ALLOWED, f"call {cc} is {state.value}")
        self._requests.append(request)

    def _select(self, act: int, group: str) -> None:
        if act > GroupAct.SELECT:
            raise CommandRefusedError(CmeError.UNSUPPORTED, "AT+CTGS: scanning is not offered")
        gssi = parse_ssi(group) if act else None
        if gssi is not None and gssi not in self.groups.values():
            raise CommandRefusedError(CmeError.RANGE, f"AT+CTGS: {gssi} is not in the codeplug")
        if gssi != self.selected:
            self.selected = gssi
            self._requests.append(ChangeGroup(gssi))

    def _basic(self, name: str) -> None:
        match name:
            case "A":
                cc = next((cc for cc, state in self.calls.items() if state is CallState.INCOMING), None)
                if cc is None:
                    raise CommandRefusedError(CmeError.NOT_ALLOWED, "ATA: no call comes in")
                self._requests.append(AnswerCall(cc))
            case "H":
                for cc in tuple(self.calls):
                    self._move(cc, Input.HANG_UP)
                    self._requests.append(ClearCall(cc))
            case "E0" | "E1":
                self._echo = name == "E1"
            case "Z":
                self._services.clear()
                self._definition = DefineCall()
                self._sds_service = None
                self._echo = False
            case "I":
                self._result("TETRA terminal (simulated)")

    def _query(self, name: str, test: bool) -> None:
        codes: list[Unsolicited] = []
        match name:
            case _ if test:
                raise CommandRefusedError(CmeError.UNSUPPORTED, f"AT{name}=? is not offered")
            case "+CTGS":
                group = None if self.selected is None else self._gtsi(self.selected)
                codes = [SelectedGroup(GroupAct.NONE if group is None else GroupAct.SELECT, group)]
            case "+CNUMF":
                codes = [Numbering(IdentityType.INDIVIDUAL, self.identity.digits)]
            case "+CNUMS":
                codes = [GroupBookEntry(1, self._gtsi(gssi), label) for label, gssi in self.groups.items()]
            case "+CSQ":
                codes = [self.signal]
            case "+CREG":
                codes = [self.registration]
            case "+CTOM":
                codes = [OperatingMode(ServiceMode.TMO)]
            case _:
                raise CommandRefusedError(CmeError.UNSUPPORTED, f"AT{name}? is not offered")
        for code in codes:
            self._result(code.line())

    def _other(self, name: str, text: str | None) -> None:
        if name == "+CSQ" and text is None:
            self._result(self.signal.line())
        elif name != "+CTOM" or text != "0":
            raise CommandRefusedError(CmeError.UNSUPPORTED, f"AT{name} is not offered")

    def _gtsi(self, gssi: int) -> str:
        return Tsi(self.identity.mcc, self.identity.mnc, gssi).digits
