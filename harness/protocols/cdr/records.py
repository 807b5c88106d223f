"""One call record each, in our words: to a row of a flat file and back.

A CDR tells of one call between two legs (a transfer or conference makes several, of one global call ID); a CMR of the
media at one end of it. Both belong together by `call_manager` and `call_id`. Only what a control room's switch tells
has a field; the other columns are written as Cisco's guide gives their defaults, and left when they are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from harness.errors import CdrError
from harness.protocols.cdr.addresses import to_address, to_number
from harness.protocols.cdr.codes import (
    BANDWIDTHS,
    Codec,
    DtmfMethod,
    OnBehalfOf,
    PatternUsage,
    Protocol,
    Redirect,
    Secured,
)
from harness.protocols.cdr.columns import BY_NAME, CDR, CMR, COLUMNS
from harness.protocols.cdr.flat_file import Row, Value
from harness.protocols.cdr.quality import VoiceQuality
from harness.protocols.sip.rtp_stat import RtpStat

CALL_RECORD: Final = 1
MEDIA_RECORD: Final = 2
"""`cdrRecordType` of a CDR and of a CMR."""
ROUTINE: Final = 4
"""Precedence level of a call without precedence."""
MAX_CALL_ID: Final = 2**24 - 1
"""`globalCallID_callId` begins again with 1 after it."""

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class Leg:
    """One end of a call. Zeros and empty texts stand for what there was not."""

    leg: int = 0
    """Its number within the cluster."""
    node: int = 0
    """Where it was registered."""
    address: str = ""
    """Of its signalling: IPv4 or IPv6."""
    device: str = ""
    """The telephone's or trunk's name."""
    cause: int = 0
    """Why this end cleared the call (`codes`); 0 where the other did."""
    cause_location: int = 0
    """Q.850's, 0…15."""
    cleared_by: int = OnBehalfOf.UNKNOWN
    media_address: str = ""
    """IPv4; empty where no media was set up."""
    media_port: int = 0
    codec: int = Codec.NONE
    packet_ms: int = 0
    """Milliseconds of speech in one packet."""
    dtmf: int = DtmfMethod.NO_PREFERENCE
    conversation: int = 0
    """The conference that it leads to."""
    session: str = ""
    """Its Session-ID (RFC 7989)."""


_LEG_COLUMNS: Final = {
    "node": "NodeId",
    "device": "DeviceName",
    "cause": "Cause_value",
    "cause_location": "Cause_location",
    "cleared_by": "CallTerminationOnBehalfOf",
    "media_port": "MediaTransportAddress_Port",
    "codec": "MediaCap_payloadCapability",
    "packet_ms": "MediaCap_maxFramesPerPacket",
    "dtmf": "DTMFMethod",
    "conversation": "ConversationId",
    "session": "DeviceSessionID",
}
_BANDWIDTHS: Final = {int(codec): kbit for codec, kbit in BANDWIDTHS.items()}
_LEG_ID: Final = {"orig": "origLegCallIdentifier", "dest": "destLegIdentifier"}


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One CDR."""

    call_id: int
    """1…MAX_CALL_ID."""
    origination: int
    """When the caller went off hook, or the call came in: seconds since 1970."""
    disconnect: int
    pkid: str
    """A UUID of the record's own."""
    cluster: str = "StandAloneCluster"
    call_manager: int = 1
    connect: int = 0
    """When it was answered; 0 where it never was."""
    orig: Leg = Leg()
    dest: Leg = Leg()
    calling: str = ""
    calling_user: str = ""
    original_called: str = ""
    """Whom the caller called, translated."""
    final_called: str = ""
    """To whom the call was put last."""
    final_called_user: str = ""
    last_redirect: str = ""
    """Who redirected it last; as `final_called` where nobody did."""
    calling_partition: str = ""
    original_partition: str = ""
    final_partition: str = ""
    last_redirect_partition: str = ""
    redirected_by: int = OnBehalfOf.UNKNOWN
    """What redirected it from the one called at first."""
    redirect_reason: int = Redirect.UNKNOWN
    last_redirected_by: int = OnBehalfOf.UNKNOWN
    last_redirect_reason: int = Redirect.UNKNOWN
    joined_by: int = OnBehalfOf.UNKNOWN
    comment: str = ""
    """Tags and values, such as `CallFlag=MALICIOUS`."""
    secured: int = Secured.NO
    outpulsed_calling: str = ""
    outpulsed_called: str = ""
    incoming_protocol: int = Protocol.UNKNOWN
    incoming_reference: str = ""
    """The Call-ID of the trunk it came by, cut to 32 characters."""
    outgoing_protocol: int = Protocol.UNKNOWN
    outgoing_reference: str = ""
    hunt_pilot: str = ""
    hunt_pilot_partition: str = ""
    pattern_usage: int = PatternUsage.ROUTE
    was_queued: int = 0
    queue_seconds: int = 0
    original_pattern: str = ""
    final_pattern: str = ""
    last_redirect_pattern: str = ""
    hunt_pilot_pattern: str = ""

    @property
    def duration(self) -> int:
        """Seconds for which it was up; 0 where it was never answered."""
        return max(0, self.disconnect - self.connect) if self.connect else 0

    def row(self) -> dict[str, Value]:
        """All columns of a CDR. Raises CdrError on what is no address."""
        found: dict[str, Value] = {column.name: 0 if column.is_number else "" for column in COLUMNS[CDR]}
        found |= {column: _plain(getattr(self, name)) for name, column in _CALL_COLUMNS.items()}
        found |= {"cdrRecordType": CALL_RECORD, "duration": self.duration}
        for side, leg in (("orig", self.orig), ("dest", self.dest)):
            found |= {f"{side}{column}": _plain(getattr(leg, name)) for name, column in _LEG_COLUMNS.items()}
            found |= {
                _LEG_ID[side]: leg.leg,
                f"{side}IpAddr": to_number(leg.address),
                f"{side}Ipv4v6Addr": leg.address,
                f"{side}MediaTransportAddress_IP": to_number(leg.media_address),
                f"{side}MediaCap_Bandwidth": _BANDWIDTHS.get(leg.codec, 0),
                f"{side}PrecedenceLevel": ROUTINE,
                f"{side}RSVPAudioStat": "0",
                f"{side}RSVPVideoStat": "0",
            }
        return found

    @classmethod
    def of_row(cls, row: Row) -> CallRecord:
        """Read a row; columns that it lacks read as their defaults. Raises CdrError where it is no CDR."""
        told = _checked(row, CALL_RECORD)
        return replace(_read(cls, _CALL_COLUMNS, told, _CALL_NEEDED), orig=_leg("orig", told), dest=_leg("dest", told))


_CALL_COLUMNS: Final = {
    "call_id": "globalCallID_callId",
    "origination": "dateTimeOrigination",
    "disconnect": "dateTimeDisconnect",
    "pkid": "pkid",
    "cluster": "globalCallId_ClusterID",
    "call_manager": "globalCallID_callManagerId",
    "connect": "dateTimeConnect",
    "calling": "callingPartyNumber",
    "calling_user": "callingPartyUnicodeLoginUserID",
    "original_called": "originalCalledPartyNumber",
    "final_called": "finalCalledPartyNumber",
    "final_called_user": "finalCalledPartyUnicodeLoginUserID",
    "last_redirect": "lastRedirectDn",
    "calling_partition": "callingPartyNumberPartition",
    "original_partition": "originalCalledPartyNumberPartition",
    "final_partition": "finalCalledPartyNumberPartition",
    "last_redirect_partition": "lastRedirectDnPartition",
    "redirected_by": "origCalledPartyRedirectOnBehalfOf",
    "redirect_reason": "origCalledPartyRedirectReason",
    "last_redirected_by": "lastRedirectRedirectOnBehalfOf",
    "last_redirect_reason": "lastRedirectRedirectReason",
    "joined_by": "joinOnBehalfOf",
    "comment": "comment",
    "secured": "callSecuredStatus",
    "outpulsed_calling": "outpulsedCallingPartyNumber",
    "outpulsed_called": "outpulsedCalledPartyNumber",
    "incoming_protocol": "IncomingProtocolID",
    "incoming_reference": "IncomingProtocolCallRef",
    "outgoing_protocol": "OutgoingProtocolID",
    "outgoing_reference": "OutgoingProtocolCallRef",
    "hunt_pilot": "huntPilotDN",
    "hunt_pilot_partition": "huntPilotPartition",
    "pattern_usage": "calledPartyPatternUsage",
    "was_queued": "wasCallQueued",
    "queue_seconds": "totalWaitTimeInQueue",
    "original_pattern": "originalCalledPartyPattern",
    "final_pattern": "finalCalledPartyPattern",
    "last_redirect_pattern": "lastRedirectingPartyPattern",
    "hunt_pilot_pattern": "huntPilotPattern",
}


@dataclass(frozen=True, slots=True)
class MediaRecord:
    """One CMR: what one end sent and heard. None where a figure is not told."""

    call_id: int
    leg: int
    """Which of the CDR's legs."""
    time: int
    """When the end went on hook: seconds since 1970."""
    pkid: str
    cluster: str = "StandAloneCluster"
    call_manager: int = 1
    node: int = 1
    number: str = ""
    """The end's directory number; empty for a trunk."""
    partition: str = ""
    device: str = ""
    packets_sent: int | None = None
    octets_sent: int | None = None
    """Of payload, without RTP headers."""
    packets_received: int | None = None
    octets_received: int | None = None
    packets_lost: int | None = None
    """Below 0 where duplicates came (RFC 3550 appendix A.3)."""
    jitter: int | None = None
    """Milliseconds."""
    latency: int | None = None
    """Milliseconds; the round trip where it comes from P-RTP-Stat."""
    duration: int | None = None
    """Seconds; of SIP ends alone."""
    quality: VoiceQuality | None = None
    local_session: str = ""
    remote_session: str = ""

    def with_stat(self, stat: RtpStat) -> MediaRecord:
        """The record with what a trunk's P-RTP-Stat told."""
        return replace(
            self,
            packets_sent=stat.packets_sent,
            octets_sent=stat.octets_sent,
            packets_received=stat.packets_received,
            octets_received=stat.octets_received,
            packets_lost=stat.packets_lost,
            jitter=stat.jitter,
            latency=stat.round_trip,
            duration=stat.duration,
        )

    def row(self) -> dict[str, Value]:
        """All columns of a CMR; video's are left empty. Raises CdrError on figures that can't be written."""
        found: dict[str, Value] = {column.name: None if column.is_number else "" for column in COLUMNS[CMR]}
        found |= {column: _plain(getattr(self, name)) for name, column in _MEDIA_COLUMNS.items()}
        quality = "" if self.quality is None else str(self.quality)
        return found | {"cdrRecordType": MEDIA_RECORD, "varVQMetrics": quality}

    @classmethod
    def of_row(cls, row: Row) -> MediaRecord:
        """Read a row; columns that it lacks read as their defaults. Raises CdrError where it is no CMR."""
        told = _checked(row, MEDIA_RECORD)
        text = str(told.get("varvqmetrics") or "")
        return replace(
            _read(cls, _MEDIA_COLUMNS, told, _MEDIA_NEEDED), quality=VoiceQuality.parse(text) if text else None
        )


_MEDIA_COLUMNS: Final = {
    "call_id": "globalCallID_callId",
    "leg": "callIdentifier",
    "time": "dateTimeStamp",
    "pkid": "pkid",
    "cluster": "globalCallId_ClusterID",
    "call_manager": "globalCallID_callManagerId",
    "node": "nodeId",
    "number": "directoryNum",
    "partition": "directoryNumPartition",
    "device": "deviceName",
    "packets_sent": "numberPacketsSent",
    "octets_sent": "numberOctetsSent",
    "packets_received": "numberPacketsReceived",
    "octets_received": "numberOctetsReceived",
    "packets_lost": "numberPacketsLost",
    "jitter": "jitter",
    "latency": "latency",
    "duration": "duration",
    "local_session": "localSessionID",
    "remote_session": "remoteSessionID",
}
_CALL_NEEDED: Final = frozenset(("call_id", "origination", "disconnect", "pkid"))
_MEDIA_NEEDED: Final = frozenset(("call_id", "leg", "time", "pkid"))


def _plain(value: Any) -> Value:
    return int(value) if isinstance(value, int) else value


def _checked(row: Row, kind: int) -> dict[str, Value]:
    told = {name.lower(): value for name, value in row.items()}
    if told.get("cdrrecordtype") != kind:
        name = "call detail" if kind == CALL_RECORD else "call management"
        raise CdrError(f"cdrRecordType is {told.get('cdrrecordtype')!r}; a {name} record has {kind}")
    known = BY_NAME[CDR if kind == CALL_RECORD else CMR]
    for name, value in told.items():
        # A file's own types may be others than those that the columns have.
        if name in known and value is not None and isinstance(value, int) is not known[name].is_number:
            raise CdrError(f"{known[name].name} is {value!r}; it is {known[name].type} in Cisco's files")
    return told


def _read(
    cls: type[_Record], columns: dict[str, str], told: dict[str, Value], needed: frozenset[str] = frozenset()
) -> _Record:
    found: dict[str, Any] = {}
    for name, column in columns.items():
        value = told.get(column.lower())
        if value is None and name in needed:
            raise CdrError(f"a call record without {column}")
        if value is not None:
            found[name] = value
    return cls(**found)


def _leg(side: str, told: dict[str, Value]) -> Leg:
    columns = {name: f"{side}{column}" for name, column in _LEG_COLUMNS.items()}
    leg = _read(Leg, {**columns, "leg": _LEG_ID[side], "address": f"{side}Ipv4v6Addr"}, told)
    media = told.get(f"{side}MediaTransportAddress_IP".lower())
    signalling = told.get(f"{side}IpAddr".lower())
    return replace(
        leg,
        # Older releases have no textual address.
        address=leg.address or to_address(signalling if isinstance(signalling, int) else None),
        media_address=to_address(media if isinstance(media, int) else None),
    )
