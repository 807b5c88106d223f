"""The terminal's side of the PEI, sans-I/O: command lines in, replies out; requests to the network and its codes.

The machine knows the line and the calls on it (call_state.TABLE). What the network does is not its business: it hands
requests up, and is told the outcome as codes (`tell`). Where real terminals differ by codeplug its personality says
how; where no personality says so it takes the strict side, named below, so that a client which leaves a step out is
found here and not on the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.errors import PeiRemoteError
from harness.protocols.pei import answers, call_state
from harness.protocols.pei.call_state import CallState, Input
from harness.protocols.pei.codes import AiService, CmeError, GroupAct, Registration, ServiceMode
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
    command_line,
    parse_command,
    sds_service,
)
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.framing import Body, CommandLines
from harness.protocols.pei.personality import PLAIN, Personality
from harness.protocols.pei.requests import (
    AnswerCall,
    BadInput,
    CeaseTransmit,
    ChangeGroup,
    ChangeMode,
    ClearCall,
    CommandTaken,
    DemandTransmit,
    Reboot,
    Request,
    SendMessage,
    SetUpCall,
)
from harness.protocols.pei.sds_code import SdsReceived, decode_hex
from harness.protocols.pei.unsolicited import GroupReport, NetworkRegistration, SignalQuality
from harness.protocols.tetra.identity import Tsi, parse_ssi

MAX_SERVICES = 64
"""Registrations by AT+CTSP; one more gets `+CME ERROR: 39` (table full)."""
MAX_CALLS = 4
"""Calls one terminal can be in at once [U]."""
MAX_DYNAMIC_GROUPS = 32
"""Groups that the network can have given at once [U]."""
MAX_INSTANCE = 255
"""SDS instances count 1-255 and start again [U]."""
CODES_NEED_REGISTRATION = True
"""SDS type 4, status and calls are handed to the equipment only after it registered for them by AT+CTSP [U]."""
FIXED_BITS = {AiService.SDS_1: 16, AiService.SDS_2: 32, AiService.SDS_3: 64, AiService.STATUS: 16}
"""Length of the messages that have but one."""
GROUP_GIVEN, GROUP_TAKEN = 2, 3
"""First field of `+CTDGR`: 2 is seen [C]; that it gives the group, and that 3 takes it, is [U]."""
_ON_NETWORK = (Registration.HOME, Registration.VISITED)


class MobileTerminalMachine:
    """One terminal: identity, registrations, calls.

    `receive` takes bytes and gives requests; `tell` takes codes from the network; `take_output` gives what to write.
    """

    def __init__(
        self,
        identity: Tsi,
        groups: Mapping[str, int],
        *,
        selected: int | None = None,
        personality: Personality = PLAIN,
    ) -> None:
        self.identity = identity
        self.groups = dict(groups)
        """The phone book: name to GSSI."""
        self.dynamic_groups: dict[str, int] = {}
        """Groups that the network gave: digits to GSSI."""
        self.selected = selected
        """GSSI of the talkgroup in use."""
        self.personality = personality
        self.registration = NetworkRegistration(Registration.NONE)
        self.signal = SignalQuality(31, 0)
        self.mode: int = ServiceMode.TMO
        self.calls: dict[int, CallState] = {}
        self.rebooting = False
        """It takes and gives nothing until `booted`."""
        self._last = "AT"
        """What `A/` repeats."""
        self._echo = False
        self._reset()
        self._instance = 0
        self._lines = CommandLines()
        self._output: list[str] = []
        self._requests: list[Request] = []

    def _reset(self) -> None:
        self._services: dict[RegisterService, None] = {}
        self._voice = False
        """Whether calls are among them."""
        self._definition = DefineCall()
        self._sds_service: int | None = None
        self._awaiting: SendSds | None = None
        self._echo = False

    def take_output(self) -> bytes:
        """The bytes to write now; may be empty."""
        if not self._output:
            return b""
        text = self._output.pop() if len(self._output) == 1 else "".join(self._output)
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
        if moved is not None:
            if not self._move(*moved):
                return False
        elif isinstance(code, NetworkRegistration):
            self.registration = code
        elif isinstance(code, GroupReport):
            self._regroup(code)
        if self._registered_for(code, moved is not None) and not self.rebooting:
            self._output.append(f"\r\n{self.personality.write(code)}\r\n")
        return True

    def _registered_for(self, code: Unsolicited, moves_a_call: bool) -> bool:
        if not CODES_NEED_REGISTRATION:
            return True
        if moves_a_call:
            return self._voice
        if isinstance(code, SdsReceived):
            if code.service == AiService.STATUS:
                return STATUS_SERVICE in self._services
            if code.service != AiService.SDS_4:
                return True  # how types 1 to 3 are registered for is not public
            return bool(code.payload) and sds_service(code.payload[0]) in self._services
        return True

    def _regroup(self, report: GroupReport) -> None:
        if not report.group:
            return
        if report.act == GROUP_GIVEN and len(self.dynamic_groups) < MAX_DYNAMIC_GROUPS:
            self.dynamic_groups[report.group] = parse_ssi(report.group)
        elif report.act == GROUP_TAKEN:
            gssi = self.dynamic_groups.pop(report.group, None)
            if gssi is not None and gssi == self.selected:
                self.selected = None

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
        if self.rebooting:
            return []
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
        stray = self._lines.take_flow_control()
        if stray is not None:
            self._requests.append(BadInput(stray))
        requests, self._requests = self._requests, []
        return requests

    def _result(self, text: str) -> None:
        self._output.append(f"\r\n{text}\r\n")

    def _refuse(self, line: str, error: CommandRefusedError) -> None:
        result = f"+CME ERROR: {int(error.cme)}"
        self._result(result if self.personality.blank else result.replace(" ERROR: ", " ERROR:"))
        self._requests.append(CommandTaken(line, result))
        self._requests.append(BadInput(error))

    def _ok(self, line: str) -> None:
        self._result("OK")
        self._requests.append(CommandTaken(line, "OK"))

    def _command(self, line: str) -> None:
        if self._echo:
            self._output.append(line + "\r\n")
        heard = self._last if line.upper() == "A/" else command_line(line)
        if heard is None:
            # An answer to what is no command would come back through a line that echoes, and be answered in turn.
            self._requests.append(BadInput(PeiRemoteError(f"no command line, passed over: {line[:60]!r}")))
            return
        self._last = line = heard
        if line in ("AT", "at"):
            self._output.append("\r\nOK\r\n")
            return
        try:
            command = parse_command(line)
            refusal = self.personality.refusal(line)
            if refusal is not None:
                raise CommandRefusedError(refusal, f"a {self.personality.name} terminal does not take {line[:60]!r}")
            if isinstance(command, SendSds):
                self._lines.expect_body()
                self._awaiting = command
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
        self._result(f"+CMGS: {self._instance}" if self.personality.blank else f"+CMGS:{self._instance}")
        self._ok(line)

    def _send(self, command: SendSds, text: str) -> None:
        if self._sds_service is None:
            raise CommandRefusedError(CmeError.NOT_ALLOWED, "AT+CMGS before AT+CTSDS")
        self._on_network("AT+CMGS")
        try:
            payload = decode_hex(text, command.bits)
        except PeiRemoteError as error:
            raise CommandRefusedError(CmeError.DATA_DECODE, f"AT+CMGS: {error}") from None
        service = AiService(self._sds_service)
        due = FIXED_BITS.get(service, command.bits)
        if command.bits != due:
            raise CommandRefusedError(
                CmeError.RANGE, f"AT+CMGS: a {service.text} of {command.bits} bits; {due} are due"
            )
        self._instance = self._instance % MAX_INSTANCE + 1
        destination = parse_ssi(command.destination)
        self._requests.append(SendMessage(self._instance, destination, service, command.bits, payload))

    def _on_network(self, what: str) -> None:
        if self.mode == ServiceMode.DMO:
            raise CommandRefusedError(CmeError.NOT_VD, f"{what} in direct mode")
        if self.registration.state not in _ON_NETWORK:
            raise CommandRefusedError(CmeError.OUT_OF_SERVICE, f"{what} while not registered")

    def _do(self, command: Command) -> None:
        match command:
            case RegisterService():
                if command not in self._services and len(self._services) >= MAX_SERVICES:
                    raise CommandRefusedError(CmeError.TABLE_FULL, f"{MAX_SERVICES} services are registered")
                self._services[command] = None
                self._voice = self._voice or command == VOICE_SERVICE
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
                told = answers.test(name, self) if test else self.personality.say(name)
                self._show(answers.read(name, self) if told is None else [told])
            case OtherCommand(name, text):
                self._other(name, text)
            case SendSds():  # taken before, as its body follows
                pass

    def _show(self, codes: Sequence[str | Unsolicited]) -> None:
        for code in codes:
            self._result(code if isinstance(code, str) else self.personality.write(code))

    def _dial(self, number: str) -> None:
        try:
            destination = parse_ssi(number)
        except PeiRemoteError as error:
            raise CommandRefusedError(CmeError.DIAL_STRING, f"ATD: {error}") from None
        self._on_network("ATD")
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
        if gssi is not None and gssi not in (*self.groups.values(), *self.dynamic_groups.values()):
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
                self._reset()
                if self.personality.reboots:
                    self._requests.append(Reboot())
            case "I":
                self._result(self.personality.identification)

    def _other(self, name: str, text: str | None) -> None:
        match name, text:
            case "+CSQ", None:
                self._show([self.signal])
            case (("+CNUMS" | "+CNUMD"), str()):
                self._show(answers.read_book(name, text, self))
            case "+CTOM", "0" | "1":
                if self.mode != int(text):
                    self.mode = int(text)
                    self._requests.append(ChangeMode(self.mode))
            case "+CMEE", str():
                pass  # errors are numbered whatever is asked for
            case _:
                told = self.personality.say(name) if text is None else None
                if told is None:
                    raise CommandRefusedError(CmeError.UNSUPPORTED, f"AT{name} is not offered")
                self._show([told])

    # -- reboot --------------------------------------------------------------------------------------------------------

    def reboot(self) -> None:
        """It goes down: every call is over, the network has lost it, and bytes that come meanwhile are lost."""
        self.rebooting = True
        self.calls.clear()
        self.registration = NetworkRegistration(Registration.NONE)
        self._lines = CommandLines()
        self.dynamic_groups.clear()
        self._reset()

    def booted(self) -> None:
        """It is up again, as from the factory: no service is registered for, no group lost from the codeplug."""
        self.rebooting = False
