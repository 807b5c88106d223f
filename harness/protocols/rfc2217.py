"""Telnet's COM port option (RFC 2217) as a client needs it for control lines: what it asks, and what it is told.

Only RTS, DTR and the modem's state: no speed, no data. Options are agreed as RFC 854 and RFC 855 have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, IntFlag
from typing import Final

from harness.errors import KeyingError

IAC: Final = 255
DONT, DO, WONT, WILL, SB, SE = 254, 253, 252, 251, 250, 240
BINARY, SUPPRESS_GO_AHEAD, COM_PORT = 0, 3, 44
MAX_SUBNEGOTIATION: Final = 64
"""Bytes of one subnegotiation; the longest that RFC 2217 has, a signature, is cut off there."""
_SET_CONTROL, _SET_MODEMSTATE_MASK, _NOTIFY_MODEMSTATE = 5, 11, 7
_FROM_SERVER: Final = 100


class Control(IntEnum):
    """Values of SET-CONTROL (RFC 2217 section 3)."""

    ASK_DTR = 7
    DTR_ON = 8
    DTR_OFF = 9
    ASK_RTS = 10
    RTS_ON = 11
    RTS_OFF = 12


class ModemState(IntFlag):
    """What the equipment's lines are (NOTIFY-MODEMSTATE); the low four bits tell which have changed."""

    CTS = 0x10
    DSR = 0x20
    RI = 0x40
    CD = 0x80


class Refusal(Enum):
    """Something that the server will not do."""

    COM_PORT = "com port option"


@dataclass(frozen=True, slots=True)
class ControlTold:
    """The server tells how RTS or DTR is."""

    control: Control


_CONTROLS: Final = frozenset(map(int, Control))
Event = ControlTold | ModemState | Refusal


def opening() -> bytes:
    """What the client says first: that it will do the COM port option, in binary, and wants every change of lines."""
    wanted = ((WILL, COM_PORT), (WILL, BINARY), (DO, BINARY), (WILL, SUPPRESS_GO_AHEAD), (DO, SUPPRESS_GO_AHEAD))
    said = b"".join(bytes((IAC, verb, option)) for verb, option in wanted)
    return said + _command(_SET_MODEMSTATE_MASK, 0xFF)


def control(value: Control) -> bytes:
    """Set a line, or ask how it is."""
    return _command(_SET_CONTROL, value)


def _command(command: int, value: int) -> bytes:
    doubled = bytes((value, value)) if value == IAC else bytes((value,))
    return bytes((IAC, SB, COM_PORT, command)) + doubled + bytes((IAC, SE))


class Reader:
    """Reads what a server sends. Data of the port itself is let go."""

    def __init__(self) -> None:
        self._state = "data"
        self._verb = 0
        self._body = bytearray()
        self.replies = bytearray()
        """What is to be sent back: refusals of options that were not agreed. The caller takes it and empties it."""

    def feed(self, data: bytes) -> list[Event]:
        """Return what bytes tell. Raises KeyingError for a subnegotiation of more than MAX_SUBNEGOTIATION bytes."""
        found: list[Event] = []
        for byte in data:
            event = self._byte(byte)
            if event is not None:
                found.append(event)
        return found

    def _byte(self, byte: int) -> Event | None:
        match self._state:
            case "data":
                self._state = "command" if byte == IAC else "data"
            case "command":
                self._command(byte)
            case "option":
                self._state = "data"
                return self._agreed(byte)
            case "sub":
                if byte == IAC:
                    self._state = "sub command"
                else:
                    self._keep(byte)
            case "sub command":
                if byte == IAC:
                    self._state = "sub"
                    self._keep(byte)
                else:
                    self._state = "data"
                    return self._told(bytes(self._body)) if byte == SE else None
        return None

    def _command(self, byte: int) -> None:
        if byte == SB:
            self._state = "sub"
            self._body.clear()
        elif byte in (DO, DONT, WILL, WONT):
            self._state, self._verb = "option", byte
        else:
            self._state = "data"

    def _keep(self, byte: int) -> None:
        if len(self._body) >= MAX_SUBNEGOTIATION:
            self._state = "data"
            raise KeyingError(f"a subnegotiation of more than {MAX_SUBNEGOTIATION} bytes")
        self._body.append(byte)

    def _agreed(self, option: int) -> Event | None:
        if self._verb in (DONT, WONT):
            return Refusal.COM_PORT if option == COM_PORT and self._verb == DONT else None
        if option not in (BINARY, SUPPRESS_GO_AHEAD, COM_PORT):
            self.replies += bytes((IAC, WONT if self._verb == DO else DONT, option))
        return None

    def _told(self, body: bytes) -> Event | None:
        if len(body) != 3 or body[0] != COM_PORT:
            return None  # a signature, a speed, or another option's
        command, value = body[1] - _FROM_SERVER, body[2]
        if command == _NOTIFY_MODEMSTATE:
            return ModemState(value & 0xF0)
        if command == _SET_CONTROL and value in _CONTROLS:
            return ControlTold(Control(value))
        return None
