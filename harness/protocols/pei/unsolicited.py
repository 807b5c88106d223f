"""The codes a terminal sends of its own accord: each a small dataclass that is read from a line and written to one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from harness.errors import PeiRemoteError
from harness.protocols.pei.fields import MAX_FIELDS, Unsolicited, id_field, int_field, label_field, split_fields
from harness.protocols.pei.sds_code import SdsReceived, inline_hex, parse_sds


@dataclass(frozen=True, slots=True)
class IncomingCall(Unsolicited):
    """`+CTICN`: a call comes in [C]."""

    PREFIX: ClassVar[str] = "+CTICN"
    cc: int = int_field()
    """Call instance, the PEI's handle of this call."""
    status: int = int_field(0)
    """CallStatus."""
    service: int = int_field(0)
    """AiService."""
    calling_type: int | None = int_field(None)
    calling: str | None = id_field(None)
    """Calling party's SSI or TSI, digits."""
    hook: int | None = int_field(None)
    """0: hook signalling (the called party must answer) 1: direct set-up."""
    simplex: int | None = int_field(None)
    """0 duplex, 1 simplex."""
    e2ee: int | None = int_field(None)
    comms: int | None = int_field(None)
    """0 point to point, 1 point to multipoint."""
    slots: int | None = int_field(None)
    called_type: int | None = int_field(None)
    called: str | None = id_field(None)
    """Called party's SSI or TSI: the GSSI of a group call."""
    priority: int | None = int_field(None)


@dataclass(frozen=True, slots=True)
class OutgoingProgress(Unsolicited):
    """`+CTOCP`: how our call set-up goes [C]."""

    PREFIX: ClassVar[str] = "+CTOCP"
    cc: int = int_field()
    status: int = int_field(0)
    """CallStatus."""
    service: int = int_field(0)
    simplex: int | None = int_field(None)
    e2ee: int | None = int_field(None)


@dataclass(frozen=True, slots=True)
class Connected(Unsolicited):
    """`+CTCC`: the call is through. The call instance comes first; 7 or 8 fields are seen [C]; what they are is [U]."""

    PREFIX: ClassVar[str] = "+CTCC"
    cc: int = int_field()
    hook: int | None = int_field(None)
    simplex: int | None = int_field(None)
    service: int | None = int_field(None)
    e2ee: int | None = int_field(None)
    comms: int | None = int_field(None)
    slots: int | None = int_field(None)
    proprietary: int | None = int_field(None)

    @property
    def is_duplex(self) -> bool:
        """Whether both ends talk at once. Only a call of two can, whatever the duplex field of another says."""
        return self.simplex == 0 and self.comms == 0


@dataclass(frozen=True, slots=True)
class TransmissionGrant(Unsolicited):
    """`+CTXG`: who may talk. Four fields are our own grant, six name another talker [C]."""

    PREFIX: ClassVar[str] = "+CTXG"
    cc: int = int_field()
    grant: int = int_field()
    """Grant."""
    request_permission: int = int_field(0)
    """0: asking to transmit is allowed meanwhile [U]."""
    e2ee: int = int_field(0)
    talker_type: int | None = int_field(None)
    talker: str | None = id_field(None)
    """The talking party's identity (TPI), digits."""


@dataclass(frozen=True, slots=True)
class TransmissionInterrupt(Unsolicited):
    """`+CTXI`: a transmission is cut short for another's. It exists [C]; that its fields are `+CTXG`'s is [U]."""

    PREFIX: ClassVar[str] = "+CTXI"
    cc: int = int_field()
    grant: int | None = int_field(None)
    request_permission: int | None = int_field(None)
    e2ee: int | None = int_field(None)
    talker_type: int | None = int_field(None)
    talker: str | None = id_field(None)


@dataclass(frozen=True, slots=True)
class TransmissionWait(Unsolicited):
    """`+CTXW`: the network holds the call up, a transmission in it pauses. It exists [C]; its fields are [U]."""

    PREFIX: ClassVar[str] = "+CTXW"
    cc: int = int_field()
    request_permission: int | None = int_field(None)


@dataclass(frozen=True, slots=True)
class TransmissionCeased(Unsolicited):
    """`+CDTXC`: the talker has stopped [C]."""

    PREFIX: ClassVar[str] = "+CDTXC"
    cc: int = int_field()
    request_permission: int = int_field(0)


@dataclass(frozen=True, slots=True)
class CallReleased(Unsolicited):
    """`+CTCR`: the call is over [C]."""

    PREFIX: ClassVar[str] = "+CTCR"
    cc: int = int_field()
    cause: int = int_field(0)
    """ReleaseCause."""


@dataclass(frozen=True, slots=True)
class OperatingMode(Unsolicited):
    """`+CTOM`: trunked mode, direct mode, gateway, repeater [C]."""

    PREFIX: ClassVar[str] = "+CTOM"
    mode: int = int_field()


@dataclass(frozen=True, slots=True)
class SignalQuality(Unsolicited):
    """`+CSQ` [C]."""

    PREFIX: ClassVar[str] = "+CSQ"
    level: int = int_field()
    """Code: dBm = -113 + 2 * level; 99 none."""
    errors: int | None = int_field(None)

    @property
    def dbm(self) -> int | None:
        """Signal level in dBm, or None where there is none."""
        return None if self.level == 99 else -113 + 2 * self.level


@dataclass(frozen=True, slots=True)
class NetworkRegistration(Unsolicited):
    """`+CREG` [C]."""

    PREFIX: ClassVar[str] = "+CREG"
    state: int = int_field()
    """Registration."""
    location_area: int | None = int_field(None)
    mni: str | None = id_field(None)


@dataclass(frozen=True, slots=True)
class SelectedGroup(Unsolicited):
    """`+CTGS`: the talkgroup in use, `+CTGS: 1,09011638300000001` [C]."""

    PREFIX: ClassVar[str] = "+CTGS"
    act: int = int_field()
    """GroupAct; 2-7 are scan priorities."""
    group: str | None = id_field(None)


SYSTEM_WIDE_SERVICES = 0b000001000000
"""Bit of a `+CTBCT`'s services that is set unless the cell is in fallback: the sixth of the twelve BS service details
(EN 300 392-2 clause 18.5.2) as far as they are known here, and that `+CTBCT` writes them as one number, are [U]."""


@dataclass(frozen=True, slots=True)
class Broadcast(Unsolicited):
    """`+CTBCT`: what the serving cell offers [C]."""

    PREFIX: ClassVar[str] = "+CTBCT"
    location_area: int = int_field()
    services: int | None = int_field(None)
    security: int | None = int_field(None)
    sds_tl: int | None = int_field(None)


@dataclass(frozen=True, slots=True)
class GroupReport(Unsolicited):
    """`+CTDGR: 2,1001,90116383,0` [C]: in direct mode, a gateway or repeater is seen: kind, address, MNI, presence [C].

    That a network reports by it which group it gave or took, as the simulated one does, is [U] (decision 279).
    """

    PREFIX: ClassVar[str] = "+CTDGR"
    act: int = int_field()
    group: str | None = id_field(None)
    mni: str | None = id_field(None)
    result: int | None = int_field(None)


@dataclass(frozen=True, slots=True)
class Numbering(Unsolicited):
    """`+CNUMF`: a number of the terminal's own [C]."""

    PREFIX: ClassVar[str] = "+CNUMF"
    type: int = int_field()
    """IdentityType."""
    number: str = id_field()


@dataclass(frozen=True, slots=True)
class GroupBookEntry(Unsolicited):
    """`+CNUMS`: one talkgroup of the phone book: `1,<GTSI>,<name>` [C]."""

    PREFIX: ClassVar[str] = "+CNUMS"
    type: int = int_field()
    group: str = id_field()
    name: str | None = label_field()


@dataclass(frozen=True, slots=True)
class DynamicGroupEntry(Unsolicited):
    """`+CNUMD`: one talkgroup that the network gave; its fields are `+CNUMS`'s [C]."""

    PREFIX: ClassVar[str] = "+CNUMD"
    type: int = int_field()
    group: str = id_field()
    name: str | None = label_field()


@dataclass(frozen=True, slots=True)
class SendResult(Unsolicited):
    """`+CMGS: instance[,status[,reference]]`: what became of an SDS; can come seconds after OK [C]."""

    PREFIX: ClassVar[str] = "+CMGS"
    instance: int = int_field()
    status: int | None = int_field(None)
    """SdsResult."""
    reference: int | None = int_field(None)


@dataclass(frozen=True, slots=True)
class OtherCode(Unsolicited):
    """A code without a class of its own here: `+CTXD`, whose fields are not public, or a vendor's own."""

    prefix: str
    texts: tuple[str, ...]

    def line(self) -> str:
        """The line as it was read."""
        return f"{self.prefix}: " + ",".join(self.texts) if self.texts else self.prefix


_CLASSES: tuple[type[Unsolicited], ...] = (
    IncomingCall,
    OutgoingProgress,
    Connected,
    TransmissionGrant,
    TransmissionInterrupt,
    TransmissionWait,
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
    DynamicGroupEntry,
    SendResult,
)
CODES_KEPT = 4_096
"""Lines whose reading is kept, and codes that are told again: a network tells all of a talkgroup the same."""
_BY_PREFIX = {cls.PREFIX: cls for cls in _CLASSES}


@lru_cache(maxsize=CODES_KEPT)
def told_again(code: type[Unsolicited], *values: int | str | None) -> Unsolicited:
    """The code of these values: the one that others of a talkgroup are told too, made and written once for all."""
    return code(*values)


def prefix_of(line: str) -> str | None:
    """The `+NAME` that a line begins with, upper case; None where it begins with none."""
    if not line.startswith("+"):
        return None
    begins = line.partition(":")[0]
    if begins in _BY_PREFIX:
        return begins
    name = begins.strip().upper()
    return name if len(name) > 1 and name[1:].replace(" ", "").isalnum() and name.isascii() else None


def is_sds_head(line: str) -> bool:
    """Whether `line` is a `+CTSDSR` whose hex is on the line after it, as it nearly always is."""
    return prefix_of(line) == SdsReceived.PREFIX and inline_hex(split_fields(line.partition(":")[2])) is None


def parse_listed(line: str, name: str) -> Unsolicited:
    """A line of the answer to a read of `name`, e.g. `+CNUMF`: real terminals name it on the first line alone [C].

    Raises:
        PeiRemoteError: as `parse_unsolicited`.
    """
    return parse_unsolicited(line if line.startswith("+") else f"{name}: {line}")


def parse_unsolicited(line: str, hex_line: str | None = None, odd: list[PeiRemoteError] | None = None) -> Unsolicited:
    """The code on a line (`+CTICN: 1,…` and `+CTICN:1,…` alike); `hex_line` is the one after a `+CTSDSR`.

    With `odd`, fields that can't be read and may be missing are left out and told there.

    Raises:
        PeiRemoteError: no code, a field that is missing or not what it must be, hex that does not fit its length.
    """
    if hex_line is None:
        try:
            return _without_hex(line)
        except PeiRemoteError:
            if odd is None:
                raise
    return _parsed(line, hex_line, odd)


@lru_cache(maxsize=CODES_KEPT)
def _without_hex(line: str) -> Unsolicited:
    return _parsed(line, None, None)


def _parsed(line: str, hex_line: str | None, odd: list[PeiRemoteError] | None) -> Unsolicited:
    prefix = prefix_of(line)
    if prefix is None:
        raise PeiRemoteError(f"no PEI code: {line[:60]!r}")
    texts = split_fields(line.partition(":")[2])
    if prefix == SdsReceived.PREFIX:
        return parse_sds(*(inline_hex(texts) or (texts, hex_line)))
    cls = _BY_PREFIX.get(prefix)
    return OtherCode(prefix, tuple(texts[:MAX_FIELDS])) if cls is None else cls.from_fields(texts, odd)
