"""The commands a terminal equipment sends: each a small dataclass that is read from an AT line and written to one."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from typing import ClassVar, Final, Self

from harness.errors import PeiRemoteError
from harness.protocols.pei.codes import AiService, CmeError
from harness.protocols.tetra.identity import TSI_MAX_DIGITS, parse_ssi
from harness.protocols.tetra.sds import MAX_BITS

MAX_DIAL_DIGITS = 24
"""Longest dial string taken; a TSI has 17 digits, an external number may have more."""
COMMANDS_KEPT = 4_096
"""Lines whose reading is kept: the same few are sent all day."""
_MAX_NUMBER = 0xFFFF
_DIAL = re.compile(r"[0-9*#+]+")
_EXTENDED = re.compile(r"(\+[A-Z]+)(=\?|\?|=(.*))?", re.DOTALL)


class CommandRefusedError(PeiRemoteError):
    """A command line that a terminal answers with `+CME ERROR`: which one, and why."""

    def __init__(self, cme: CmeError, why: str) -> None:
        super().__init__(f"{why}: +CME ERROR: {int(cme)} ({cme.text})")
        self.cme = cme


_PARAMETERS: Final[dict[type[Numeric], tuple[str, ...]]] = {}
"""The names of each command's parameters in their order: looked up once, for commands are read and written all day."""


def _parameters(command: type[Numeric]) -> tuple[str, ...]:
    found = _PARAMETERS.get(command)
    if found is None:
        found = _PARAMETERS[command] = tuple(item.name for item in fields(command))
    return found


@dataclass(frozen=True, slots=True)
class Numeric:
    """Base of the commands whose parameters are numbers only, in the order of the fields."""

    NAME: ClassVar[str] = ""

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads `a,b,…`; missing trailing parameters and empty ones take their default."""
        texts, names = text.split(","), _parameters(cls)
        if len(texts) > len(names):
            raise CommandRefusedError(CmeError.SYNTAX, f"AT{cls.NAME}: {len(texts)} parameters, at most {len(names)}")
        given = {name: _number(cls.NAME, name, part) for name, part in zip(names, texts, strict=False) if part.strip()}
        try:
            return cls(**given)
        except TypeError:
            raise CommandRefusedError(CmeError.SYNTAX, f"AT{cls.NAME}: too few parameters") from None

    def line(self) -> str:
        """The command line without its end."""
        values = [getattr(self, name) for name in _parameters(type(self))]
        return f"AT{self.NAME}=" + ",".join([str(value) for value in values if value is not None])


def _number(name: str, item: str, text: str) -> int:
    bare = text.strip()
    if not (bare.isascii() and bare.isdigit()):
        raise CommandRefusedError(CmeError.TYPE, f"AT{name}: {item} is not a number: {bare[:40]!r}")
    if len(bare) > 5 or int(bare) > _MAX_NUMBER:
        raise CommandRefusedError(CmeError.RANGE, f"AT{name}: {item} is out of range: {bare[:40]!r}")
    return int(bare)


@dataclass(frozen=True, slots=True)
class RegisterService(Numeric):
    """`AT+CTSP`: which service's codes the terminal shall hand to this equipment [C]."""

    NAME: ClassVar[str] = "+CTSP"
    profile: int
    layer1: int
    layer2: int | None = None
    ai_mode: int | None = None
    link_id: int | None = None


VOICE_SERVICE = RegisterService(2, 0, 0)
GROUP_SERVICE = RegisterService(1, 1, 11)
STATUS_SERVICE = RegisterService(1, 2, 20)


def sds_service(protocol: int) -> RegisterService:
    """The registration of one SDS protocol id: 130 text, 131 GPS, 10 LIP, 3 simple GPS, 138 user data header [C]."""
    return RegisterService(1, 3, protocol)


@dataclass(frozen=True, slots=True)
class DefineCall(Numeric):
    """`AT+CTSDC`: what the next `ATD` sets up; the defaults are the group call `0,0,0,1,1,0,1,1,0,0,0` [C]."""

    NAME: ClassVar[str] = "+CTSDC"
    service: int = AiService.SPEECH
    called_type: int = 0
    area: int = 0
    hook: int = 1
    """0: the called party must answer; 1: direct."""
    simplex: int = 1
    """0 duplex, 1 simplex."""
    e2ee: int = 0
    comms: int = 1
    """0 point to point, 1 point to multipoint."""
    slots: int = 1
    request_transmit: int = 0
    """0: we ask to talk first [U]."""
    priority: int = 0
    """0-15; 12 and up pre-emptive, 15 emergency [U]."""
    clir: int = 0

    def __post_init__(self) -> None:
        if self.priority > 15 or self.hook > 1 or self.simplex > 1 or self.comms > 3:
            raise CommandRefusedError(CmeError.RANGE, f"AT+CTSDC: a parameter is out of range in {astuple(self)}")


@dataclass(frozen=True, slots=True)
class KeyTransmit(Numeric):
    """`AT+CTXD`: asks to talk in a call [C]."""

    NAME: ClassVar[str] = "+CTXD"
    cc: int
    priority: int = 0
    """TxPriority."""

    def __post_init__(self) -> None:
        if self.priority > 3:
            raise CommandRefusedError(CmeError.RANGE, f"AT+CTXD: priority {self.priority} is not 0-3")


@dataclass(frozen=True, slots=True)
class Unkey(Numeric):
    """`AT+CUTXC`: ceases to talk [C]."""

    NAME: ClassVar[str] = "+CUTXC"
    cc: int


@dataclass(frozen=True, slots=True)
class SdsSetup(Numeric):
    """`AT+CTSDS`: what the next `AT+CMGS` carries: `12,0,0,0,1` SDS type 4, `13,0` status [C]."""

    NAME: ClassVar[str] = "+CTSDS"
    service: int
    called_type: int = 0
    area: int | None = None
    access: int | None = None
    e2ee: int | None = None
    """The names of the last three are [U]."""

    def __post_init__(self) -> None:
        if not AiService.SDS_1 <= self.service <= AiService.STATUS:
            raise CommandRefusedError(CmeError.RANGE, f"AT+CTSDS: AI service {self.service} is no SDS")


SDS_TYPE_4 = SdsSetup(AiService.SDS_4, 0, 0, 0, 1)
SDS_STATUS = SdsSetup(AiService.STATUS, 0)


@dataclass(frozen=True, slots=True)
class SelectGroup:
    """`AT+CTGS=1,<GTSI>`: the talkgroup in use [C]."""

    NAME: ClassVar[str] = "+CTGS"
    act: int
    """GroupAct: 0 none, 1 select, 2-7 scan priority."""
    group: str = ""
    """GTSI or GSSI, digits; empty where act is 0."""

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads `act[,group]`."""
        act, _, group = text.partition(",")
        number = _number(cls.NAME, "act", act)
        if number > 7:
            raise CommandRefusedError(CmeError.RANGE, f"AT+CTGS: act {number} is not 0-7")
        if number and not group.strip():
            raise CommandRefusedError(CmeError.SYNTAX, "AT+CTGS: a group was due")
        return cls(number, _ssi_digits(cls.NAME, group) if number else "")

    def line(self) -> str:
        """The command line without its end."""
        return f"AT{self.NAME}={self.act}" + (f",{self.group}" if self.group else "")


@dataclass(frozen=True, slots=True)
class SendSds:
    """`AT+CMGS=<dest>,<bits>`, which the hex and Ctrl-Z follow, with no prompt between [C]."""

    NAME: ClassVar[str] = "+CMGS"
    destination: str
    """ISSI, GSSI or TSI, digits."""
    bits: int

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads `dest,bits`."""
        destination, comma, bits = text.partition(",")
        if not comma:
            raise CommandRefusedError(CmeError.SYNTAX, "AT+CMGS: a length was due")
        number = _number(cls.NAME, "length", bits)
        if not 0 < number <= MAX_BITS:
            raise CommandRefusedError(CmeError.RANGE, f"AT+CMGS: {number} bits; 1-{MAX_BITS} are allowed")
        return cls(_ssi_digits(cls.NAME, destination), number)

    def line(self) -> str:
        """The command line without its end."""
        return f"AT{self.NAME}={self.destination},{self.bits}"


def _ssi_digits(name: str, text: str) -> str:
    digits = text.strip()
    if len(digits) > TSI_MAX_DIGITS:
        raise CommandRefusedError(CmeError.RANGE, f"AT{name}: identity of {len(digits)} digits")
    try:
        parse_ssi(digits)
    except PeiRemoteError as error:
        raise CommandRefusedError(CmeError.TYPE, f"AT{name}: {error}") from None
    return digits


@dataclass(frozen=True, slots=True)
class Dial:
    """`ATD<number>`: sets up the call that `AT+CTSDC` defined; for a group call the number is its GSSI [C]."""

    number: str

    def line(self) -> str:
        """The command line without its end."""
        return f"ATD{self.number}"


@dataclass(frozen=True, slots=True)
class Basic:
    """`AT`, `ATA` (answer), `ATH` (clear), `ATE0`, `ATE1` (echo), `ATZ` (reset), `ATI`, `ATV1`, `ATQ0`."""

    name: str
    """What follows AT, upper case; `E` is written as `E0`, `H0` as `H`."""

    def line(self) -> str:
        """The command line without its end."""
        return f"AT{self.name}"


@dataclass(frozen=True, slots=True)
class Query:
    """`AT+NAME?` reads a setting, `AT+NAME=?` asks what is possible."""

    name: str
    """With its plus, upper case: `+CTGS`."""
    test: bool = False

    def line(self) -> str:
        """The command line without its end."""
        return f"AT{self.name}={'?' if self.test else ''}" if self.test else f"AT{self.name}?"


@dataclass(frozen=True, slots=True)
class OtherCommand:
    """A well-formed command that this module has no class for; `text` is what follows `=`, or None."""

    name: str
    text: str | None = None

    def line(self) -> str:
        """The command line without its end."""
        return f"AT{self.name}" + ("" if self.text is None else f"={self.text}")


Command = (
    RegisterService
    | DefineCall
    | KeyTransmit
    | Unkey
    | SdsSetup
    | SelectGroup
    | SendSds
    | Dial
    | Basic
    | Query
    | OtherCommand
)
_WITH_PARAMETERS: dict[
    str, type[RegisterService | DefineCall | KeyTransmit | Unkey | SdsSetup | SelectGroup | SendSds]
] = {cls.NAME: cls for cls in (RegisterService, DefineCall, KeyTransmit, Unkey, SdsSetup, SelectGroup, SendSds)}
_BASIC = {"": "", "A": "A", "H": "H", "H0": "H", "E": "E0", "E0": "E0", "E1": "E1", "Z": "Z", "Z0": "Z", "I": "I"}
_BASIC |= {"V1": "V1", "Q": "Q0", "Q0": "Q0"}
_PREFIX = re.compile("AT", re.IGNORECASE)


def command_line(text: str) -> str | None:
    """What a terminal takes of a line, from its prefix on (V.250 section 5.2.1); None: it is no command line."""
    found = _PREFIX.search(text)
    return None if found is None else text[found.start() :]


@lru_cache(maxsize=COMMANDS_KEPT)
def parse_command(line: str) -> Command:
    """The command on a line. Letters may be of either case; blanks between AT and the command are allowed.

    Raises:
        CommandRefusedError: the line is no command, or a parameter is not what it must be.
    """
    text = line.strip()
    if text[:2].upper() != "AT":
        raise CommandRefusedError(CmeError.SYNTAX, f"not an AT command: {text[:60]!r}")
    rest = text[2:].strip()
    if rest.startswith("+"):
        return _parse_extended(rest)
    basic = "".join(rest.split())
    if basic[:1] in ("D", "d"):
        number = basic[1:].removesuffix(";")
        if len(number) > MAX_DIAL_DIGITS:
            raise CommandRefusedError(CmeError.DIAL_STRING_LONG, f"ATD: number of {len(number)} digits")
        if not _DIAL.fullmatch(number):
            raise CommandRefusedError(CmeError.DIAL_STRING, f"ATD: not a number: {number!r}")
        return Dial(number)
    name = _BASIC.get(basic.upper())
    if name is None:
        raise CommandRefusedError(CmeError.UNSUPPORTED, f"unknown command {text[:60]!r}")
    return Basic(name)


def _parse_extended(rest: str) -> Command:
    name, mark, _ = rest.partition("=")
    head = name if mark else rest.rstrip("?")
    found = _EXTENDED.fullmatch(head.strip().upper() + rest[len(head) :])
    if found is None:
        raise CommandRefusedError(CmeError.SYNTAX, f"not a command: {rest[:60]!r}")
    plus_name, tail, text = found.groups()
    if tail in ("?", "=?"):
        return Query(plus_name, tail == "=?")
    parser = _WITH_PARAMETERS.get(plus_name)
    if parser is None:
        return OtherCommand(plus_name, text)
    if text is None:
        raise CommandRefusedError(CmeError.SYNTAX, f"AT{plus_name}: parameters were due")
    return parser.from_text(text)
