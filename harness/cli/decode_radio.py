"""What the radio engines understand of TETRA: PEI lines and whole transcripts, SDS, location reports, status."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from typing import Any, NamedTuple

from harness.cli.log_lines import bare
from harness.cli.plain import plain
from harness.errors import HarnessError, PeiRemoteError, SdsError
from harness.protocols.pei import codes
from harness.protocols.pei.commands import (
    Basic,
    Command,
    DefineCall,
    OtherCommand,
    Query,
    SendSds,
    parse_command,
)
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.replies import FINAL, NUMBERED_FINAL, PLAIN_CODES
from harness.protocols.pei.sds_code import SdsReceived, decode_hex
from harness.protocols.pei.unsolicited import OtherCode, is_sds_head, parse_unsolicited, prefix_of
from harness.protocols.tetra import delivery, lip, sds, status, text_coding
from harness.protocols.tetra.concatenation import Assembler

Decoded = dict[str, Any]
MAX_LINES = 20_000
"""Lines of one transcript."""

_LISTS = frozenset({"+CNUMF", "+CNUMS", "+CNUMD"})
"""What is answered by several lines, of which real terminals name the first alone [C]."""
_SAID = {"type": "identity_type", "number": "identity"}
"""Fields of a code or command whose names are a row's own, as `number` is the line's."""
_HEX_LINE = re.compile(r"[0-9A-Fa-f ]{2,1100}")
_BODY_END = re.compile(r"(?:\x1a|\^Z|<SUB>|<CTRL-?Z>|\\x1a|<0x1A>)\s*$", re.IGNORECASE)
_COMMANDS = {
    "+CTSP": "registers a service",
    "+CTSDC": "defines the next call",
    "+CTXD": "asks to talk",
    "+CUTXC": "ceases to talk",
    "+CTSDS": "sets up what the next message carries",
    "+CMGS": "sends a message",
    "+CTGS": "talkgroup in use",
    "+CNUMF": "own identity",
    "+CNUMS": "phone book of talkgroups",
    "+CNUMD": "talkgroups that the network gave",
    "+CSQ": "signal quality",
    "+CREG": "registration",
    "+CTOM": "operating mode",
    "+CTBCT": "what the cell offers",
    "+CMEE": "how errors are told",
}
_BASICS = {
    "": "is the terminal there?",
    "A": "answers a call",
    "H": "clears the calls",
    "E0": "echo off",
    "E1": "echo on",
    "Z": "resets the terminal; some reboot",
    "I": "asks for its make",
}
_CODES = {
    "+CTICN": "a call comes in",
    "+CTOCP": "progress of our call",
    "+CTCC": "the call is through",
    "+CTXG": "transmission grant",
    "+CTXI": "a transmission is cut short",
    "+CTXW": "the call is held up",
    "+CTXD": "transmit demand",
    "+CDTXC": "the talker has stopped",
    "+CTCR": "the call is released",
    "+CTOM": "operating mode",
    "+CSQ": "signal quality",
    "+CREG": "registration",
    "+CTGS": "talkgroup in use",
    "+CTBCT": "what the cell offers",
    "+CTDGR": "direct mode: a gateway or repeater is seen; of the simulated network: a group given (2) or taken (3)",
    "+CNUMF": "own identity",
    "+CNUMS": "phone book entry",
    "+CNUMD": "talkgroup that the network gave",
    "+CMGS": "what became of a message",
    "+CTSDSR": "a message came in",
}
_MEANINGS: dict[tuple[str, str], type[codes.Coded]] = {
    ("+CTICN", "status"): codes.CallStatus,
    ("+CTOCP", "status"): codes.CallStatus,
    ("+CTXG", "grant"): codes.Grant,
    ("+CTXI", "grant"): codes.Grant,
    ("+CTCR", "cause"): codes.ReleaseCause,
    ("+CTOM", "mode"): codes.ServiceMode,
    ("+CREG", "state"): codes.Registration,
    ("+CNUMF", "identity_type"): codes.IdentityType,
    ("+CMGS", "status"): codes.SdsResult,
    ("+CTSDSR", "service"): codes.AiService,
    ("+CTICN", "service"): codes.AiService,
    ("+CTOCP", "service"): codes.AiService,
    ("+CTXD", "priority"): codes.TxPriority,
    ("+CTSDS", "service"): codes.AiService,
    ("+CTSDC", "service"): codes.AiService,
}


def decode_pei(data: bytes) -> Decoded | list[Decoded]:
    """One line (or a `+CTSDSR` and its hex) as an object; a transcript, line by line, as a list.

    In a transcript a line that is not understood is listed as `unknown`, with the reason. Raises PeiRemoteError for a
    single line that is not understood, for an empty input and for one of more than MAX_LINES lines.
    """
    text = data.decode("latin-1")
    rows = [row.strip(" \t\r\n\x00\x11\x13") for row in re.split(r"\r\n|\r|\n", text)]
    rows = [row for row in rows if row]
    if not rows:
        raise PeiRemoteError("an empty line")
    if len(rows) > MAX_LINES:
        raise PeiRemoteError(f"a transcript of {len(rows)} lines; {MAX_LINES} is the most")
    if len(rows) == 1 or (len(rows) == 2 and is_sds_head(bare(rows[0])) and _HEX_LINE.fullmatch(bare(rows[1]))):
        (shown,) = _Transcript().read(rows, strict=True)
        return shown
    return _Transcript().read(rows, strict=False)


class _Open(NamedTuple):
    """A line that another follows: the head of a message, or the command that sends one."""

    row: Decoded
    head: str | None
    command: SendSds | None


class _Transcript:
    """Reads line after line; knows what the line before asked for."""

    def __init__(self) -> None:
        self._open: _Open | None = None
        self._service: int = codes.AiService.SDS_4
        self._read: str | None = None
        """The list that is being read."""
        self._assembler = Assembler()

    def read(self, rows: list[str], *, strict: bool) -> list[Decoded]:
        """What each line means. With `strict`, what is not understood raises PeiRemoteError; else it is listed."""
        found: list[Decoded] = []
        for number, row in enumerate(rows, 1):
            line = bare(row)
            try:
                shown = self._listed(row) if self._lists(row, line) else self._line(line)
            except HarnessError as error:
                if strict:
                    raise
                shown = {"line": line, "direction": "unknown", "meaning": "not understood", "why": str(error)}
            if shown is None:
                continue
            entry = shown if strict else {"number": number, **shown}
            found.append(entry)
            if self._open is not None:
                self._open = self._open._replace(row=entry)  # what the next line tells goes in here
        if self._open is not None and self._open.head is not None:
            why = "a +CTSDSR is followed by a line of hexadecimal digits, and there is none"
            if strict:
                raise PeiRemoteError(why)
            self._open.row["why"] = why
        return found

    def _lists(self, row: str, line: str) -> bool:
        """Whether a line is one of a list that is being read, without the list's name before it."""
        return self._read is not None and row[:1].isdigit() and row == line and "," in row

    def _listed(self, row: str) -> Decoded:
        return {**_code(f"{self._read}: {row}"), "line": row}

    def _line(self, line: str) -> Decoded | None:
        """What a line means; None for one that completes the line before."""
        before, self._open = self._open, None
        if before is not None and self._completes(before, line):
            return None
        if line[:2].upper() == "AT":
            return self._command(line)
        upper = line.upper()
        if upper.startswith(NUMBERED_FINAL):
            self._read = None
            return _error(line)
        self._read = None if upper in FINAL else self._read
        if upper in FINAL or upper in PLAIN_CODES:
            return {"line": line, "direction": "final result", "type": upper, "meaning": upper.lower()}
        if is_sds_head(line):
            row: Decoded = {"line": line, "direction": "code", "type": "SdsReceived", "meaning": _CODES["+CTSDSR"]}
            self._open = _Open(row, line, None)
            return row
        if before is None and _HEX_LINE.fullmatch(_BODY_END.sub("", line)) and len(line) >= 4 and not line.isdigit():
            return {"line": line, "direction": "unknown", "meaning": "hexadecimal digits that belong to nothing"}
        if (prefix := prefix_of(line)) in _LISTS and line.partition(":")[2].strip().isdigit():
            return {
                "line": line,
                "direction": "code",
                "type": "ListLength",
                "entries": int(line.partition(":")[2]),
                "meaning": f"how many follow: {_CODES[prefix or '']}",
            }
        shown = _code(line)
        if shown["type"] == SdsReceived.__name__:
            shown["hex"] = shown["payload"]
            shown["content"] = self._content(shown["service"], bytes.fromhex(shown["payload"]), shown["calling"] or "")
        return shown

    def _completes(self, before: _Open, line: str) -> bool:
        body = _BODY_END.sub("", line).strip()
        if not _HEX_LINE.fullmatch(body):
            missing = "the line of hexadecimal digits is missing"
            before.row["why"] = missing
            return False
        before.row["hex"] = body
        try:
            if before.head is not None:
                code = parse_unsolicited(before.head, body)
                assert isinstance(code, SdsReceived)
                before.row.update(_meant("+CTSDSR", plain(_dataclass(code))))
                before.row["content"] = self._content(code.service, code.payload, code.calling or "")
            elif before.command is not None:
                payload = decode_hex(body, before.command.bits)
                before.row["content"] = self._content(self._service, payload, "")
        except HarnessError as error:
            before.row["why"] = str(error)
        return True

    def _content(self, service: int, payload: bytes, sender: str) -> Decoded:
        if service == codes.AiService.STATUS:
            return told_of_status(status.decode(payload))
        if service != codes.AiService.SDS_4:
            return {"type": "user data", "hex": payload.hex().upper()}
        shown = decode_sds(payload)
        message = sds.decode(payload)
        if isinstance(message, sds.TextPart | sds.MessagePart):
            whole = self._assembler.take(sender, message)
            if isinstance(whole, str):
                shown["whole_text"] = whole
            elif whole is not None:
                shown["whole"] = decode_sds(whole)
        return shown

    def _command(self, line: str) -> Decoded:
        command = parse_command(line)
        shown = {"line": line, "direction": "command", **plain({"type": type(command).__name__, **_dataclass(command)})}
        name = getattr(command, "NAME", getattr(command, "name", ""))
        shown = _meant(name, shown)
        shown["meaning"] = _told_command(command)
        if name == "+CTSDS":
            self._service = shown["service"]
        self._read = name if name in _LISTS else None
        if isinstance(command, SendSds):
            self._open = _Open(shown, None, command)
        return shown


def _dataclass(value: Command | Unsolicited) -> Decoded:
    return {_SAID.get(item.name, item.name): getattr(value, item.name) for item in fields(value)}


def _meant(name: str, shown: Decoded) -> Decoded:
    """Adds to each number that has a meaning its meaning, under its name with `_means`."""
    told = {
        f"{item}_means": codes.describe(_MEANINGS[name, item], value)
        for item, value in shown.items()
        if (name, item) in _MEANINGS and isinstance(value, int)
    }
    return {**shown, **told}


def _told_command(command: Command) -> str:
    match command:
        case DefineCall():
            ends = "a group call" if command.comms else f"a private {'simplex' if command.simplex else 'duplex'} call"
            emergency = ", an emergency" if command.priority >= codes.EMERGENCY_CALL_PRIORITY else ""
            return f"defines the next call: {ends} of priority {command.priority}{emergency}"
        case Basic(name):
            return _BASICS[name]
        case Query(name, test):
            what = _COMMANDS.get(name, "not known to this tool")
            return f"{'asks what is possible' if test else 'reads'}: {what}"
        case OtherCommand(name):
            return _COMMANDS.get(name, "not known to this tool")
    return _COMMANDS.get(getattr(command, "NAME", ""), "sets up a call")


def _error(line: str) -> Decoded:
    name, _, number = line.partition(":")
    shown: Decoded = {"line": line, "direction": "final result", "type": name.strip().upper(), "meaning": "an error"}
    digits = number.strip()
    if digits.isascii() and digits.isdigit() and len(digits) < 6:
        shown["number_of_error"] = int(digits)
        if shown["type"] == "+CME ERROR":
            shown["meaning"] = codes.describe(codes.CmeError, int(digits))
    return shown


def _code(line: str) -> Decoded:
    odd: list[PeiRemoteError] = []
    code = parse_unsolicited(line, odd=odd)
    shown = {"line": line, "direction": "code", "type": type(code).__name__, **plain(_dataclass(code))}
    if isinstance(code, OtherCode):
        known = _CODES.get(code.prefix)
        return {**shown, "direction": "code" if known else "unknown", "meaning": known or "not known to this tool"}
    shown = _meant(code.PREFIX, shown)
    shown["meaning"] = _CODES[code.PREFIX]
    if odd:
        shown["findings"] = [str(error) for error in odd]
    return shown


def decode_sds(data: bytes) -> Decoded:
    """What an SDS type 4 says, a location report with its place. Raises SdsError."""
    if data[:1] == bytes((sds.ProtocolId.LIP,)):
        return {"type": "LongLocation" if lip.is_long(data) else "ShortLocation", **decode_lip(data)}
    message = sds.decode(data)
    shown = {"type": type(message).__name__, **plain(_sds_fields(message))}
    try:
        shown["protocol_name"] = sds.ProtocolId(data[0]).name
    except ValueError:
        shown["protocol_name"] = f"protocol {data[0]:#04x}, not known to this tool"
    if isinstance(message, sds.DeliveryReport | sds.DeliveryAck):
        shown["status_means"] = delivery.told(message.status)
        shown["outcome"] = delivery.outcome_of(message.status).value
    elif isinstance(message, sds.SimpleText | sds.TextTransfer | sds.TextPart):
        shown["coding_known"] = text_coding.is_known(message.coding)
    return shown


def _sds_fields(message: sds.Sds) -> Decoded:
    shown = asdict(message)
    if isinstance(shown.get("report"), sds.ReportRequest):
        shown["report"] = [each.name for each in sds.ReportRequest if each & shown["report"]]
    return shown


def decode_lip(data: bytes) -> Decoded:
    """Where and how fast, of a short location report with its protocol id. Raises SdsError."""
    place = lip.decode(data)
    return {
        "longitude": round(place.longitude, 6),
        "latitude": round(place.latitude, 6),
        "position_error_m": place.error_metres,
        "speed_kmh": None if place.speed_kmh is None else round(place.speed_kmh, 1),
        "direction_deg": place.direction_degrees,
        "elapsed_code": place.elapsed,
        "additional_type": place.additional_type,
        "additional": place.additional,
    }


def decode_status(data: bytes) -> Decoded:
    """What kind of pre-coded status a number (decimal, or hexadecimal after 0x) is. Raises SdsError."""
    text = data.decode("ascii", "replace").strip()
    try:
        value = int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError as error:
        raise SdsError(f"a status is a number from 0 to 65535, not {text[:40]!r}") from error
    return told_of_status(status.decode(status.encode(value)))


def told_of_status(value: int) -> Decoded:
    """A pre-coded status, with the report that it may be. Raises SdsError when it is not 16 bits."""
    kind = status.kind_of(value)
    shown: Decoded = {"value": value, "kind": kind.name.lower()}
    if kind is status.StatusKind.SHORT_REPORT:
        report = status.parse_short_report(value)
        shown |= {"report": report.type.name.lower(), "reference": report.reference}
    return shown
