"""The codes a terminal sends of its own accord: each a small dataclass that is read from a line and written to one."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, Self

from harness.errors import PeiRemoteError

MAX_FIELDS = 24
"""Most comma-separated fields looked at in one line."""
_MAX_DIGITS = 10
"""Most digits of a number that is no identity; guards int() against a line of a thousand digits."""


def _number(text: str, where: str) -> int:
    digits = text[1:] if text[:1] == "-" else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _MAX_DIGITS:
        raise PeiRemoteError(f"{where} is not a number: {text[:40]!r}")
    return int(text)


def _identity(text: str, where: str) -> str:
    bare = text.strip('"')
    if not bare.isascii() or any(c not in "0123456789*#+" for c in bare):
        raise PeiRemoteError(f"{where} is not an identity: {text[:40]!r}")
    return bare


def _name(text: str, where: str) -> str:
    return text.strip('"')


def _int(default: Any = MISSING) -> Any:
    return field(default=default, metadata={"read": _number})


def _id(default: Any = MISSING) -> Any:
    return field(default=default, metadata={"read": _identity})


def split_fields(text: str) -> list[str]:
    """The fields after the colon, blanks around each taken off; a comma inside quotes does not part."""
    if '"' not in text:
        return [part.strip() for part in text.split(",")]
    parts, start, quoted = [], 0, False
    for at, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


@dataclass(frozen=True, slots=True)
class Unsolicited:
    """Base of all codes: the prefix on the line, and reading and writing by the order of the fields."""

    PREFIX: ClassVar[str] = ""

    @classmethod
    def from_fields(cls, texts: list[str]) -> Self:
        """Reads the fields in order; missing trailing ones and empty ones take their default.

        Raises:
            PeiRemoteError: a field without a default is missing, or one is not what it must be.
        """
        if len(texts) > MAX_FIELDS:
            raise PeiRemoteError(f"{cls.PREFIX}: {len(texts)} fields; {MAX_FIELDS} is the most")
        values: dict[str, Any] = {}
        for item, text in zip(fields(cls), texts, strict=False):
            if text:
                values[item.name] = item.metadata["read"](text, f"{cls.PREFIX}: {item.name}")
        for item in fields(cls):
            if item.default is MISSING and item.name not in values:
                raise PeiRemoteError(f"{cls.PREFIX}: {item.name} is missing")
        return cls(**values)

    def line(self) -> str:
        """The line without its CR LF; trailing fields that are None are left off, those between are left empty."""
        values = [getattr(self, item.name) for item in fields(self)]
        while values and values[-1] is None:
            values.pop()
        return f"{self.PREFIX}: " + ",".join("" if value is None else str(value) for value in values)


@dataclass(frozen=True, slots=True)
class IncomingCall(Unsolicited):
    """`+CTICN`: a call comes in [C]."""

    PREFIX: ClassVar[str] = "+CTICN"
    cc: int = _int()
    """Call instance, the PEI's handle of this call."""
    status: int = _int(0)
    """CallStatus."""
    service: int = _int(0)
    """AiService."""
    calling_type: int | None = _int(None)
    calling: str | None = _id(None)
    """Calling party's SSI or TSI, digits."""
    hook: int | None = _int(None)
    """0: hook signalling (the called party must answer) 1: direct set-up."""
    simplex: int | None = _int(None)
    """0 duplex, 1 simplex."""
    e2ee: int | None = _int(None)
    comms: int | None = _int(None)
    """0 point to point, 1 point to multipoint."""
    slots: int | None = _int(None)
    called_type: int | None = _int(None)
    called: str | None = _id(None)
    """Called party's SSI or TSI: the GSSI of a group call."""
    priority: int | None = _int(None)


@dataclass(frozen=True, slots=True)
class OutgoingProgress(Unsolicited):
    """`+CTOCP`: how our call set-up goes [C]."""

    PREFIX: ClassVar[str] = "+CTOCP"
    cc: int = _int()
    status: int = _int(0)
    """CallStatus."""
    service: int = _int(0)
    simplex: int | None = _int(None)
    e2ee: int | None = _int(None)


@dataclass(frozen=True, slots=True)
class Connected(Unsolicited):
    """`+CTCC`: the call is through. The call instance comes first; 7 or 8 fields are seen [C]; what they are is [U]."""

    PREFIX: ClassVar[str] = "+CTCC"
    cc: int = _int()
    hook: int | None = _int(None)
    simplex: int | None = _int(None)
    service: int | None = _int(None)
    e2ee: int | None = _int(None)
    comms: int | None = _int(None)
    slots: int | None = _int(None)
    proprietary: int | None = _int(None)


@dataclass(frozen=True, slots=True)
class TransmissionGrant(Unsolicited):
    """`+CTXG`: who may talk. Four fields are our own grant, six name another talker [C]."""

    PREFIX: ClassVar[str] = "+CTXG"
    cc: int = _int()
    grant: int = _int()
    """Grant."""
    request_permission: int = _int(0)
    """0: asking to transmit is allowed meanwhile [U]."""
    e2ee: int = _int(0)
    talker_type: int | None = _int(None)
    talker: str | None = _id(None)
    """The talking party's identity (TPI), digits."""


@dataclass(frozen=True, slots=True)
class TransmissionCeased(Unsolicited):
    """`+CDTXC`: the talker has stopped [C]."""

    PREFIX: ClassVar[str] = "+CDTXC"
    cc: int = _int()
    request_permission: int = _int(0)


@dataclass(frozen=True, slots=True)
class CallReleased(Unsolicited):
    """`+CTCR`: the call is over [C]."""

    PREFIX: ClassVar[str] = "+CTCR"
    cc: int = _int()
    cause: int = _int(0)
    """ReleaseCause."""


@dataclass(frozen=True, slots=True)
class OperatingMode(Unsolicited):
    """`+CTOM`: trunked mode, direct mode, gateway, repeater [C]."""

    PREFIX: ClassVar[str] = "+CTOM"
    mode: int = _int()


@dataclass(frozen=True, slots=True)
class SignalQuality(Unsolicited):
    """`+CSQ` [C]."""

    PREFIX: ClassVar[str] = "+CSQ"
    level: int = _int()
    """Code: dBm = -113 + 2 * level; 99 none."""
    errors: int | None = _int(None)

    @property
    def dbm(self) -> int | None:
        """Signal level in dBm, or None where there is none."""
        return None if self.level == 99 else -113 + 2 * self.level


@dataclass(frozen=True, slots=True)
class NetworkRegistration(Unsolicited):
    """`+CREG` [C]."""

    PREFIX: ClassVar[str] = "+CREG"
    state: int = _int()
    """Registration."""
    location_area: int | None = _int(None)
    mni: str | None = _id(None)


@dataclass(frozen=True, slots=True)
class SelectedGroup(Unsolicited):
    """`+CTGS`: the talkgroup in use, `+CTGS: 1,09011638300000001` [C]."""

    PREFIX: ClassVar[str] = "+CTGS"
    act: int = _int()
    """GroupAct; 2-7 are scan priorities."""
    group: str | None = _id(None)


@dataclass(frozen=True, slots=True)
class Broadcast(Unsolicited):
    """`+CTBCT`: what the serving cell offers [C]."""

    PREFIX: ClassVar[str] = "+CTBCT"
    location_area: int = _int()
    services: int | None = _int(None)
    security: int | None = _int(None)
    sds_tl: int | None = _int(None)


@dataclass(frozen=True, slots=True)
class GroupReport(Unsolicited):
    """`+CTDGR: 2,1001,90116383,0`: the network gave or took a group, by dynamic regrouping too [C]; names [U]."""

    PREFIX: ClassVar[str] = "+CTDGR"
    act: int = _int()
    group: str | None = _id(None)
    mni: str | None = _id(None)
    result: int | None = _int(None)


@dataclass(frozen=True, slots=True)
class Numbering(Unsolicited):
    """`+CNUMF`: a number of the terminal's own [C]."""

    PREFIX: ClassVar[str] = "+CNUMF"
    type: int = _int()
    """IdentityType."""
    number: str = _id()


@dataclass(frozen=True, slots=True)
class GroupBookEntry(Unsolicited):
    """`+CNUMS`: one talkgroup of the phone book: `1,<GTSI>,<name>` [C]."""

    PREFIX: ClassVar[str] = "+CNUMS"
    type: int = _int()
    group: str = _id()
    name: str | None = field(default=None, metadata={"read": _name})


@dataclass(frozen=True, slots=True)
class SendResult(Unsolicited):
    """`+CMGS: instance[,status[,reference]]`: what became of an SDS; can come seconds after OK [C]."""

    PREFIX: ClassVar[str] = "+CMGS"
    instance: int = _int()
    status: int | None = _int(None)
    """SdsResult."""
    reference: int | None = _int(None)


@dataclass(frozen=True, slots=True)
class SdsReceived(Unsolicited):
    """`+CTSDSR` and the hex on the line after it: an SDS or a status came [C]."""

    PREFIX: ClassVar[str] = "+CTSDSR"
    service: int
    """AiService: 12 SDS type 4, 13 status."""
    calling: str | None
    """Sender's SSI or TSI; real terminals leave it out at times."""
    calling_type: int | None
    called: str
    called_type: int
    bits: int
    """Length of the payload."""
    payload: bytes
    """Padded with zero bits to whole bytes."""
    e2ee: int | None = None

    def line(self) -> str:
        """Both lines, parted by CR LF; the hex is padded to whole bytes, as Motorola does [C]."""
        calling_type = "" if self.calling_type is None else self.calling_type
        tail = "" if self.e2ee is None else f",{self.e2ee}"
        head = f"{self.service},{self.calling or ''},{calling_type},{self.called},{self.called_type},{self.bits}{tail}"
        return f"{self.PREFIX}: {head}\r\n{self.payload.hex().upper()}"


@dataclass(frozen=True, slots=True)
class OtherCode(Unsolicited):
    """A code without a class of its own here: `+CTXI`, `+CTXW`, a vendor's own."""

    prefix: str
    texts: tuple[str, ...]

    def line(self) -> str:
        """The line as it was read."""
        return f"{self.prefix}: " + ",".join(self.texts)


_CLASSES: tuple[type[Unsolicited], ...] = (
    IncomingCall,
    OutgoingProgress,
    Connected,
    TransmissionGrant,
    TransmissionCeased,
    CallReleased,
    OperatingMode,
    SignalQuality,
    NetworkRegistration,
    SelectedGroup,
    Broadcast,
    GroupReport,
    Numbering,
    GroupBookEntry,
    SendResult,
)
_BY_PREFIX = {cls.PREFIX: cls for cls in _CLASSES}


def prefix_of(line: str) -> str | None:
    """The `+NAME` that a line begins with, upper case; None where it begins with none."""
    if not line.startswith("+"):
        return None
    name = line.partition(":")[0].strip().upper()
    return name if len(name) > 1 and name[1:].replace(" ", "").isalnum() and name.isascii() else None


def is_sds_head(line: str) -> bool:
    """Whether `line` is a `+CTSDSR`, whose hex is on the line after it."""
    return prefix_of(line) == SdsReceived.PREFIX


def parse_unsolicited(line: str, hex_line: str | None = None) -> Unsolicited:
    """The code on a line (`+CTICN: 1,…` and `+CTICN:1,…` alike); `hex_line` is the one after a `+CTSDSR`.

    Raises:
        PeiRemoteError: no code, a field that is missing or not what it must be, hex that does not fit its length.
    """
    prefix = prefix_of(line)
    if prefix is None:
        raise PeiRemoteError(f"no PEI code: {line[:60]!r}")
    texts = split_fields(line.partition(":")[2])
    if prefix == SdsReceived.PREFIX:
        return _parse_sds(texts, hex_line)
    cls = _BY_PREFIX.get(prefix)
    return OtherCode(prefix, tuple(texts[:MAX_FIELDS])) if cls is None else cls.from_fields(texts)


def decode_hex(text: str, bits: int) -> bytes:
    """The bytes of a payload of `bits` bits: digits for just the bits (Sepura) or padded to whole bytes (Motorola) [C].

    Raises:
        PeiRemoteError: not hex, or another number of digits.
    """
    if not 0 <= bits <= 8 * 1024:
        raise PeiRemoteError(f"payload of {bits} bits")
    just = (bits + 3) // 4
    if len(text) not in (just, just + just % 2):
        raise PeiRemoteError(f"payload of {bits} bits in {len(text)} hex digits; {just} were due")
    if any(character not in "0123456789abcdefABCDEF" for character in text):
        raise PeiRemoteError(f"payload is not hex: {text[:40]!r}")
    return bytes.fromhex(text + "0" * (len(text) % 2))


def _parse_sds(texts: list[str], hex_line: str | None) -> SdsReceived:
    if len(texts) in (4, 5):
        # The calling party's two fields are absent altogether.
        texts = [texts[0], "", "", *texts[1:]]
    if not 6 <= len(texts) <= MAX_FIELDS:
        raise PeiRemoteError(f"+CTSDSR: {len(texts)} fields; 4 to 7 were due")
    where = "+CTSDSR"
    bits = _number(texts[5], f"{where}: length")
    if hex_line is None:
        raise PeiRemoteError("+CTSDSR: no line of hex after it")
    return SdsReceived(
        service=_number(texts[0], f"{where}: AI service"),
        calling=_identity(texts[1], f"{where}: calling party") or None,
        calling_type=_number(texts[2], f"{where}: calling type") if texts[2] else None,
        called=_identity(texts[3], f"{where}: called party"),
        called_type=_number(texts[4], f"{where}: called type") if texts[4] else 0,
        bits=bits,
        payload=decode_hex(hex_line, bits),
        e2ee=_number(texts[6], f"{where}: e2ee") if len(texts) > 6 and texts[6] else None,
    )
