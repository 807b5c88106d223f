"""What the harness's protocol engines understand of one message, as JSON-able values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.cli.decode_mcptt import decode_mcptt
from harness.cli.decode_radio import decode_lip, decode_pei, decode_sds, decode_status
from harness.cli.decode_radio_ip import decode_ed137, decode_ed137_words
from harness.cli.plain import plain
from harness.errors import AmlError, CdrError, HarnessError
from harness.protocols import sdp
from harness.protocols.cdr import codes, columns, flat_file
from harness.protocols.cdr.records import CallRecord, Leg, MediaRecord
from harness.protocols.location import aml_https, aml_sms, gsm7, msd, pidf
from harness.protocols.rtp.dtmf import DtmfEvent
from harness.protocols.rtp.rtcp import parse_compound
from harness.protocols.rtp.rtp import RtpPacket
from harness.protocols.sip import dialog_info, message_summary
from harness.protocols.sip.message import Request
from harness.protocols.sip.parse import parse
from harness.protocols.times import to_iso

Decoded = dict[str, Any]
_HEX = re.compile(rb"^\s*(?:0x)?([0-9A-Fa-f\s:]+)\s*$")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message."""

    decode: Callable[[bytes], Decoded | list[Decoded]]
    binary: bool
    """Whether text input is hexadecimal."""
    example: str
    is_text_too: bool = False
    """Whether what is not hexadecimal is the message itself."""


def from_hex(data: bytes) -> bytes:
    """Return the bytes that hexadecimal text stands for; blanks, colons and a leading 0x are left out.

    Raises HarnessError when it is no such text.
    """
    match = _HEX.match(data)
    digits = re.sub(rb"[\s:]", b"", match.group(1)) if match else b""
    if not digits:
        raise HarnessError(f"not hexadecimal: {data[:60]!r}")
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())  # 84 bits come as 21 or 22 digits


def _sip(data: bytes) -> Decoded:
    text = data if b"\r\n" in data else data.replace(b"\n", b"\r\n")
    message = parse(text)
    message.check()
    head: Decoded = {
        "type": "request" if isinstance(message, Request) else "response",
        "start_line": message.start_line,
    }
    if isinstance(message, Request):
        head |= {"method": message.method, "uri": str(message.uri)}
    else:
        head |= {"status": message.status, "reason": message.reason}
    names = dict.fromkeys(name for name, _ in message.fields)
    found = head | {
        "call_id": message.call_id,
        "cseq": {"number": message.cseq.number, "method": message.cseq.method},
        "from": str(message.from_),
        "to": str(message.to),
        "via": [str(value) for value in message.values("via")],
        "headers": {name: message.lines(name) for name in names},
        "body_length": len(message.body),
    }
    if message.body and message.content_type.lower().startswith("application/sdp"):
        found["sdp"] = _sdp(message.body)
    return found


def _sdp(data: bytes) -> Decoded:
    session = sdp.parse(data)
    shown: Decoded = plain(session)
    for media, row in zip(session.media, shown["media"], strict=True):
        row["direction"] = session.direction(media)
        row["codecs"] = {str(number): name for number, name in media.codecs().items()}
    return shown


def _rtp(data: bytes) -> Decoded:
    packet = RtpPacket.parse(data)
    return {**plain(packet), "payload_length": len(packet.payload)}


def _rtcp(data: bytes) -> list[Decoded]:
    return [plain(packet) for packet in parse_compound(data)]


def _dtmf(data: bytes) -> Decoded:
    return dict(plain(DtmfEvent.parse(data)))


def _aml(data: bytes) -> Decoded:
    """A text (as it is, or packed in hexadecimal, as a data message carries it), or a form that was posted."""
    data = data.strip()
    packed = _HEX.match(data)
    if packed is not None:
        text = gsm7.unpack(from_hex(data))
    elif data.startswith(aml_sms.HEADER.encode()):
        text = data.decode("utf-8", "replace")
    elif b"=" in data and b";" not in data.partition(b"&")[0]:
        form = aml_https.parse(data)
        shown: Decoded = plain(form)
        told = [finding._asdict() for finding in form.findings]
        return {
            **shown,
            "type": "form",
            "has_fix": form.has_fix,
            "method": _aml_method(form.method),
            "findings": told,
        }
    else:
        raise AmlError(f"neither a text that begins {aml_sms.HEADER}=1 nor a form: {data[:40]!r}")
    message = aml_sms.parse(text)
    return {
        **plain(message),
        "type": "text",
        "has_fix": message.has_fix,
        "method": _aml_method(message.method),
        "time": None if message.time is None else to_iso(message.time),
        "length": len(text.rstrip("\r\n\x00")),
        "septets": gsm7.septets(text),
        "findings": [finding._asdict() for finding in message.findings],
    }


def _aml_method(method: aml_sms.Method | None) -> str | None:
    return None if method is None else method.name.lower()


def _pidf(data: bytes) -> Decoded:
    presence = pidf.parse(data.strip())
    shown: Decoded = plain(presence)
    for location, row in zip(presence.locations, shown["locations"], strict=True):
        if location.shape is not None:
            row["shape"] = plain(location.shape)
        row["civic"] = None if location.civic is None else dict(location.civic)
    return shown


def _msd(data: bytes) -> Decoded:
    message = msd.decode(data)
    shown: Decoded = plain(message)
    place = message.place
    return {
        **shown,
        "storages": sorted(message.storages),
        "not_told": sorted(message.not_told),
        "place": None if place is None else {"latitude": place.latitude, "longitude": place.longitude},
        "recent_1": message.recent_1._asdict() if message.recent_1 else None,
        "recent_2": message.recent_2._asdict() if message.recent_2 else None,
        "additional": plain(message.additional._asdict()) if message.additional else None,
        "time": to_iso(message.timestamp),
        "layout": "confirmed by public messages" if message.confirmed else "not confirmed by any public message",
    }


def _call_records(data: bytes) -> Decoded:
    return _records(columns.CDR, data, _call_record)


def _media_records(data: bytes) -> Decoded:
    return _records(columns.CMR, data, _media_record)


def _records(tag: str, data: bytes, shown: Callable[[flat_file.Row], Decoded]) -> Decoded:
    file = flat_file.read(data)
    if file.tag != tag:
        raise CdrError(f"a file of {file.tag} records, not of {tag}")
    return {
        "type": tag,
        "columns": len(file.columns),
        "missing": file.missing,
        "has_types": file.has_types,
        "records": [shown(row) for row in file.rows],
    }


def _call_record(row: flat_file.Row) -> Decoded:
    record = CallRecord.of_row(row)
    return {
        **plain(record),
        "duration": record.duration,
        "origination": _time(record.origination),
        "connect": _time(record.connect),
        "disconnect": _time(record.disconnect),
        "orig": _leg(record.orig),
        "dest": _leg(record.dest),
    }


def _leg(leg: Leg) -> Decoded:
    name = codes.cause_name(leg.cause) if leg.cause else None
    return {**plain(leg), "cause_name": name, "sip_status": codes.sip_status(leg.cause)}


def _media_record(row: flat_file.Row) -> Decoded:
    record = MediaRecord.of_row(row)
    return {**plain(record), "time": _time(record.time)}


def _time(seconds: int) -> str | None:
    """0 stands for what never was; nothing before 1970 was either."""
    return to_iso(seconds) if seconds > 0 else None


def _message_summary(data: bytes) -> Decoded:
    summary = message_summary.parse(data)
    return {
        "waiting": summary.waiting,
        "account": summary.account,
        "counts": {name: counts._asdict() for name, counts in summary.counts.items()},
        "messages": [dict(headers) for headers in summary.messages],
    }


def _dialog_info(data: bytes) -> Decoded:
    return dict(plain(dialog_info.parse(data.strip())))


KINDS: dict[str, Kind] = {
    "sip": Kind(_sip, False, "iccs decode sip message.txt"),
    "sdp": Kind(_sdp, False, "iccs decode sdp -"),
    "rtp": Kind(_rtp, True, "iccs decode rtp 8008000100000000DEADBEEFD5D5"),
    "rtcp": Kind(_rtcp, True, "iccs decode rtcp FILE"),
    "dtmf": Kind(_dtmf, True, "iccs decode dtmf 058A0320"),
    "pei": Kind(decode_pei, False, "iccs decode pei 'AT+CTXD=1,0'"),
    "sds": Kind(decode_sds, True, "iccs decode sds 82040101 54455354"),
    "lip": Kind(decode_lip, True, "iccs decode lip 0A0088BD4247F737FFE810"),
    "status": Kind(decode_status, False, "iccs decode status 32773"),
    "ed137": Kind(decode_ed137, True, "iccs decode ed137 --profile 0x0167 20400000"),
    "mcptt": Kind(decode_mcptt, True, "iccs decode mcptt 80CC00030000000A4D435054000102000500", True),
    "aml": Kind(
        _aml, False, "iccs decode aml 'A\"ML=1;lt=+55.74317;lg=-4.26881;rd=50;top=20130717141935;lc=90;pm=G;…'"
    ),
    "pidf": Kind(_pidf, False, "iccs decode pidf location.xml"),
    "msd": Kind(_msd, True, "iccs decode msd 02251C0680E30A51…"),
    "cdr": Kind(_call_records, False, "iccs decode cdr cdr_StandAloneCluster_01_202607011230_1"),
    "cmr": Kind(_media_records, False, "iccs decode cmr cmr_StandAloneCluster_01_202607011230_1"),
    "message-summary": Kind(_message_summary, False, "iccs decode message-summary 'Messages-Waiting: yes'"),
    "dialog-info": Kind(_dialog_info, False, "iccs decode dialog-info state.xml"),
}
ALIASES = {"at": "pei"}


def decode(kind: str, data: bytes, *, from_file: bool, profile: int | None = None) -> Decoded | list[Decoded]:
    """Return what is understood of ``data``.

    Text given for a binary kind is hexadecimal, or for some the message itself; a file may hold either. With
    ``profile`` the data are not an RTP packet but the words of an ``ed137`` header extension of that profile. Raises
    HarnessError (a protocol's own error).
    """
    known = KINDS[ALIASES.get(kind, kind)]
    if known.binary and not ((from_file or known.is_text_too) and _HEX.match(data) is None):
        data = from_hex(data)
    try:
        return known.decode(data) if profile is None else decode_ed137_words(data, profile)
    except UnicodeError as error:
        raise HarnessError(str(error)) from error
