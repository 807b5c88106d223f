"""What a command would do on air, and whether it may: asked for every command line before a byte leaves."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import PeiRemoteError
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY, PRE_EMPTIVE_CALL_PRIORITY, TxPriority
from harness.protocols.pei.commands import (
    Basic,
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
)
from harness.protocols.tetra.identity import parse_ssi

Permit = Callable[[str, str, int], None]
"""Asked with the act (`key`, `call`, `message`, `command`), the target (SSI or number) and the call priority, 0-15;
raises InterlockError to refuse."""

_CALL_PRIORITY = {TxPriority.PRE_EMPTIVE: PRE_EMPTIVE_CALL_PRIORITY, TxPriority.EMERGENCY: EMERGENCY_CALL_PRIORITY}
_SILENT = frozenset({"+CSQ", "+CTOM", "+CMEE", "+CREG", "+CNUMS", "+CNUMD", "+CNUMF"})
"""Commands without a class of their own that send nothing over the air."""


class Gate:
    """Knows what earlier commands set up, so that the next one's effect is known."""

    def __init__(self, permit: Permit | None) -> None:
        self._permit = permit
        self._priority = 0
        """The highest call priority that the terminal may hold for the next `ATD`."""
        self._group = True

    def ask(self, act: str, target: str, priority: int) -> None:
        """Asks the permit for an act as a whole. Raises InterlockError."""
        if self._permit is not None:
            self._permit(act, _ssi(target), priority)

    def ask_message(self, destination: str, body: str | None) -> None:
        """Asks for a message; one that can be the emergency status counts as an emergency. Raises InterlockError."""
        self.ask("message", destination, EMERGENCY_CALL_PRIORITY if _may_be_emergency(body) else 0)

    def taken(self, text: str) -> None:
        """The terminal took a command: of an `AT+CTSDC`, what was defined before holds no longer."""
        if self._permit is not None and text[:9].upper() == "AT+CTSDC=":
            self._priority = _definition(text).priority

    def pass_(
        self, text: str, body: str | None, end_of: Callable[[int], tuple[str, str | None]], about: str | None = None
    ) -> None:
        """Asks the permit for a command line; `end_of` gives the act that talking in a call instance is, and its end.

        `about` names whom an `AT+CTSDC` will be for. A line that this project can't read, or that could hide a second
        command, is asked for as `command`: an armed interlock refuses it.

        Raises:
            InterlockError: refused; nothing may leave.
        """
        if self._permit is None:
            return
        try:
            command = parse_command(text)
        except CommandRefusedError:
            self._permit("command", text, 0)
            return
        match command:
            case Dial(number):
                self.ask("key" if self._group else "call", number, self._priority)
            case DefineCall(priority=priority):
                if priority >= PRE_EMPTIVE_CALL_PRIORITY:
                    self.ask("key" if command.comms else "call", about or "any", priority)
                # Until the terminal has taken it, the earlier definition may hold still.
                self._priority = max(self._priority, priority)
                self._group = bool(command.comms)
            case KeyTransmit(cc, priority):
                act, end = end_of(cc)
                self.ask(act, end or "any", _call_priority(priority))
            case SendSds(destination):
                self.ask_message(destination, body)
            case OtherCommand(name, rest):
                if name not in _SILENT or ";" in (rest or ""):
                    self._permit("command", text, 0)
            case Basic() | Query() | RegisterService() | SdsSetup() | SelectGroup() | Unkey():
                pass  # none of these keys, dials or sends


def _definition(text: str) -> DefineCall:
    try:
        command = parse_command(text)
    except CommandRefusedError:
        command = None
    # What can't be read could be an emergency.
    return command if isinstance(command, DefineCall) else DefineCall(priority=EMERGENCY_CALL_PRIORITY)


def _may_be_emergency(body: str | None) -> bool:
    """Whether a body can be status 0, whatever service the terminal is set to."""
    return body is not None and len(body) <= 4 and not body.strip("0")


def _call_priority(priority: int) -> int:
    return _CALL_PRIORITY.get(TxPriority(priority), 0)


def _ssi(number: str) -> str:
    """The SSI in a number's digits, without leading zeros, as an allow-list names it; else the number itself."""
    try:
        return str(parse_ssi(number))
    except PeiRemoteError:
        return number
