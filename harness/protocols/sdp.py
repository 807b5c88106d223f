"""Session descriptions (RFC 4566) and their offer/answer (RFC 3264) for one telephony audio stream.

Theory. An offer lists streams; the answer has one m-line for each of them, in the offer's order, port 0 refusing it. Of
the audio formats the answer keeps those that both sides speak, in the offer's order; the first is what is sent. Each
side states what *it* does: `sendonly` offered is answered `recvonly` or `inactive`. `telephone-event` (RFC 4733) rides
in the same stream under a payload type that the offer picks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from harness.errors import SdpError

MAX_SDP: Final = 16_384
"""Bytes of one description."""
MAX_LINES: Final = 512
"""Lines of one description."""
MAX_MEDIA: Final = 16
"""Streams (m-lines) of one description."""
MAX_FORMATS: Final = 64
"""Formats of one stream."""

STATIC_PAYLOAD_TYPES: Final = {0: "PCMU", 3: "GSM", 4: "G723", 8: "PCMA", 9: "G722", 13: "CN", 18: "G729"}
"""RFC 3551 §6: payload types that need no rtpmap."""
_STATIC_FORMATS: Final = {str(number): (number, name) for number, name in STATIC_PAYLOAD_TYPES.items()}
OWN_PAYLOAD_TYPES: Final = {"PCMA": 8, "PCMU": 0}
"""Codecs that the harness speaks."""
DTMF: Final = "telephone-event"
DTMF_PAYLOAD_TYPE: Final = 101
"""The payload type that our own offers give to telephone-event."""

DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(slots=True)
class Media:
    """One m-line and what follows it."""

    kind: str
    """audio, video, application…"""
    port: int
    """0 refuses the stream (RFC 3264 §6)."""
    protocol: str
    """RTP/AVP, RTP/SAVP…"""
    formats: list[str]
    connection: str = ""
    """The address of the stream's own c-line; empty where the session's holds."""
    attributes: list[tuple[str, str]] = field(default_factory=list)
    """(name, value) of the a-lines; the value is empty for flags."""
    other: list[str] = field(default_factory=list)
    """Lines kept as they came: i=, b=, k= and unknown ones."""

    def attribute(self, name: str) -> str | None:
        """The first value of an attribute; None where it is not there."""
        return next((value for key, value in self.attributes if key == name), None)

    def codecs(self) -> dict[int, str]:
        """Payload types in the m-line's order, each with its encoding name in upper case (telephone-event in lower)."""
        maps: dict[str, str] = {}
        for key, value in self.attributes:
            if key == "rtpmap":
                number, _, encoding = value.partition(" ")
                maps[number] = encoding.strip()
        found: dict[int, str] = {}
        for text in self.formats:
            static = _STATIC_FORMATS.get(text)
            if static is not None and text not in maps:
                found[static[0]] = static[1]
                continue
            if not (text.isascii() and text.isdigit()) or len(text) > 3 or int(text) > 127:
                continue
            name, _, rate = maps.get(text, STATIC_PAYLOAD_TYPES.get(int(text), "")).partition("/")
            if name and rate.partition("/")[0] in ("", "8000"):
                found[int(text)] = DTMF if name.lower() == DTMF else name.upper()
        return found


@dataclass(slots=True)
class Session:
    """A whole description."""

    origin: str
    """The o-line's value."""
    name: str = "-"
    connection: str = ""
    """The address of the session's c-line; empty where each stream has its own."""
    attributes: list[tuple[str, str]] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    """Session lines kept as they came: i=, u=, e=, p=, b=, t=, r=, z=, k= and unknown ones."""

    def __bytes__(self) -> bytes:
        lines = ["v=0", f"o={self.origin}", f"s={self.name}"]
        if self.connection:
            lines.append(_connection_line(self.connection))
        # RFC 4566 §5 wants t= there, and after c= and b=.
        if not any(line.startswith("t=") for line in self.other):
            lines.append("t=0 0")
        lines += self.other
        lines += [f"a={name}:{value}" if value else f"a={name}" for name, value in self.attributes]
        for media in self.media:
            lines.append(f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}")
            if media.connection:
                lines.append(_connection_line(media.connection))
            lines += media.other
            lines += [f"a={name}:{value}" if value else f"a={name}" for name, value in media.attributes]
        lines.append("")
        return "\r\n".join(lines).encode()

    def audio(self) -> tuple[Media, str] | None:
        """The first audio stream over RTP that is not refused, and its address; None where there is none."""
        for media in self.media:
            if _is_live_audio(media):
                return media, media.connection or self.connection
        return None

    def direction(self, media: Media) -> str:
        """What the description's author does on a stream: the stream's attribute, else the session's, else sendrecv."""
        for attributes in (media.attributes, self.attributes):
            for name, value in attributes:
                if not value and name in DIRECTIONS:
                    return name
        return "sendrecv"


class Negotiated(NamedTuple):
    """What an offer and its answer agree on for the audio stream, seen from our side."""

    host: str
    """Where our packets go."""
    port: int
    payload_type: int
    """What we send speech under, 0…127."""
    codec: str
    """PCMA or PCMU."""
    dtmf_payload_type: int | None
    """What telephone events are under; None where they were not agreed."""
    direction: str
    """What we do: sendrecv, sendonly, recvonly or inactive."""
    ptime: int = 20
    """Milliseconds of speech in a packet that the other side asks for."""

    @property
    def sends(self) -> bool:
        """Whether we may send."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        """Whether the other side may send."""
        return self.direction in ("sendrecv", "recvonly")


def parse(data: bytes) -> Session:  # noqa: PLR0912
    """Parse a description; lines of unknown type, or in odd order, are kept. Raises SdpError."""
    if len(data) > MAX_SDP:
        raise SdpError(f"a session description of {len(data)} bytes; at most {MAX_SDP}")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise SdpError("a session description that is not UTF-8") from error
    if "\0" in text:
        raise SdpError("a NUL in a session description")
    # RFC 4566 §5: parsers should take a lone LF too.
    text = text.replace("\r\n", "\n").rstrip("\n")
    if "\r" in text:
        raise SdpError("a bare CR in a session description")
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise SdpError(f"a session description of {len(lines)} lines; at most {MAX_LINES}")
    if lines[0] != "v=0":
        raise SdpError(f"a session description begins with v=0, not {lines[0][:40]!r}")
    session = Session("")
    media: Media | None = None
    for line in lines[1:]:
        if line[1:2] != "=":
            raise SdpError(f"not a line of a session description: {line[:40]!r}")
        kind, value = line[0], line[2:]
        target = session if media is None else media
        if kind == "a":
            name, _, rest = value.partition(":")
            target.attributes.append((name, rest))
        elif kind == "m":
            if len(session.media) >= MAX_MEDIA:
                raise SdpError(f"more than {MAX_MEDIA} streams")
            media = _media(value)
            session.media.append(media)
        elif kind == "c":
            target.connection = _address(value)
        elif kind == "o" and media is None:
            session.origin = value
        elif kind == "s" and media is None:
            session.name = value
        else:
            target.other.append(line)
    if not session.origin:
        raise SdpError("a session description without an o= line")
    return session


def offer(
    host: str,
    port: int,
    *,
    codecs: Sequence[str] = ("PCMA", "PCMU"),
    dtmf: bool = True,
    direction: str = "sendrecv",
    ptime: int = 20,
    session_id: int = 1,
    version: int = 1,
) -> bytes:
    """Write an offer of one audio stream at `host`:`port` ; `version` grows with each new offer of a session."""
    chosen = {OWN_PAYLOAD_TYPES[name]: name for name in codecs}
    if dtmf:
        chosen[DTMF_PAYLOAD_TYPE] = DTMF
    lines = ["v=0", f"o={_origin(host, session_id, version)}", "s=-", _connection_line(host), "t=0 0"]
    return "\r\n".join([*lines, *_audio(port, chosen, direction, ptime), ""]).encode()


def answer(
    offered: bytes,
    local_host: str,
    local_port: int,
    *,
    codecs: Iterable[str] = ("PCMA", "PCMU"),
    direction: str = "sendrecv",
    session_id: int = 1,
    version: int = 1,
) -> tuple[bytes, Negotiated]:
    """Answer an offer with an audio stream at `local_host`:`local_port`; `direction` is the most that we would do.

    Raises SdpError where the offer can't be read or has no audio stream that we speak (a 488 is due then).
    """
    session = parse(offered)
    ours = tuple(codecs)
    agreed: Negotiated | None = None
    lines = ["v=0", "", "s=-", _connection_line(local_host), "t=0 0"]
    for theirs in session.media:
        common = _common(theirs, ours) if agreed is None and _is_live_audio(theirs) else {}
        if not _speech(common):
            lines.append(f"m={theirs.kind} 0 {theirs.protocol} {theirs.formats[0]}")
            continue
        host = theirs.connection or session.connection
        mine = _answer_direction(session.direction(theirs), direction, host)
        agreed = _negotiated(theirs, host, common, mine)
        lines += _audio(local_port, common, mine, agreed.ptime, _dtmf_events(theirs, agreed.dtmf_payload_type))
    if agreed is None:
        raise SdpError(f"no audio stream in {' or '.join(ours)} was offered")
    lines[1] = f"o={_origin(local_host, session_id, version)}"
    return "\r\n".join([*lines, ""]).encode(), agreed


def negotiated(offer_local: bytes, answer_remote: bytes) -> Negotiated:
    """What our offer and the peer's answer agree on. Raises SdpError where the answer refuses, or does not fit."""
    ours, theirs = parse(offer_local), parse(answer_remote)
    if len(ours.media) != len(theirs.media):
        raise SdpError(f"{len(ours.media)} streams offered, {len(theirs.media)} answered")
    for mine, answered in zip(ours.media, theirs.media, strict=True):
        if not _is_live_audio(mine):
            continue
        if answered.kind != mine.kind or not _is_live_audio(answered):
            raise SdpError("the audio stream was refused")
        offered = set(mine.codecs().values())
        common = {number: name for number, name in answered.codecs().items() if name in offered}
        if not _speech(common):
            raise SdpError("the answer names no codec that was offered")
        host = answered.connection or theirs.connection
        direction = _answer_direction(theirs.direction(answered), ours.direction(mine), host)
        return _negotiated(answered, host, common, direction)
    raise SdpError("the offer has no audio stream")


def _media(value: str) -> Media:
    parts = value.split()
    if len(parts) < 4:
        raise SdpError(f"not an m-line: {value[:60]!r}")
    port = parts[1].partition("/")[0]
    if not (port.isascii() and port.isdigit()) or len(port) > 5 or int(port) > 65_535:
        raise SdpError(f"not a port: {parts[1][:20]!r}")
    if len(parts) - 3 > MAX_FORMATS:
        raise SdpError(f"more than {MAX_FORMATS} formats of a stream")
    return Media(parts[0], int(port), parts[2], parts[3:])


def _address(value: str) -> str:
    parts = value.split()
    if len(parts) != 3 or parts[0] != "IN" or parts[1] not in ("IP4", "IP6"):
        raise SdpError(f"not a c-line: {value[:60]!r}")
    return parts[2].partition("/")[0]


def _connection_line(address: str) -> str:
    return f"c=IN {'IP6' if ':' in address else 'IP4'} {address}"


def _origin(host: str, session_id: int, version: int) -> str:
    if len(host.split()) != 1 or host != host.strip():
        raise SdpError(f"not an address: {host!r}")
    return f"- {session_id} {version} IN {'IP6' if ':' in host else 'IP4'} {host}"


def _is_live_audio(media: Media) -> bool:
    return media.kind == "audio" and media.port != 0 and media.protocol == "RTP/AVP"


def _common(theirs: Media, ours: tuple[str, ...]) -> dict[int, str]:
    return {number: name for number, name in theirs.codecs().items() if name in ours or name == DTMF}


def _speech(common: dict[int, str]) -> bool:
    """Whether anything but telephone-event is among the formats."""
    return any(name != DTMF for name in common.values()) if DTMF in common.values() else bool(common)


def _answer_direction(theirs: str, most: str, their_host: str) -> str:
    """Our direction, given theirs and the most that we would do (RFC 3264 §6.1)."""
    if not their_host:
        raise SdpError("an audio stream without an address")
    # 0.0.0.0 is how RFC 2543 put a call on hold: the peer takes nothing (RFC 3264 §8.4).
    takes = theirs in ("sendrecv", "recvonly") and their_host != "0.0.0.0"  # noqa: S104
    if most == theirs == "sendrecv" and takes:
        return "sendrecv"
    sends = most in ("sendrecv", "sendonly") and takes
    receives = most in ("sendrecv", "recvonly") and theirs in ("sendrecv", "sendonly")
    return {(True, True): "sendrecv", (True, False): "sendonly", (False, True): "recvonly"}.get(
        (sends, receives), "inactive"
    )


def _negotiated(theirs: Media, host: str, common: dict[int, str], direction: str) -> Negotiated:
    number, codec, dtmf = -1, "", None
    for payload_type, name in common.items():
        if name == DTMF:
            dtmf = payload_type if dtmf is None else dtmf
        elif not codec:
            number, codec = payload_type, name
    ptime = theirs.attribute("ptime") or ""
    return Negotiated(
        host,
        theirs.port,
        number,
        codec,
        dtmf,
        direction,
        # 10…200 ms is what RTP telephony uses; anything else is not worth refusing a call for.
        int(ptime) if ptime.isascii() and ptime.isdigit() and len(ptime) <= 3 and 10 <= int(ptime) <= 200 else 20,
    )


def _dtmf_events(theirs: Media, number: int | None) -> str:
    """The events that the offer lists for its telephone-event, so that we claim no more than 0-15 of them."""
    if number is None:
        return ""
    offered = {value.partition(" ")[0]: value.partition(" ")[2] for key, value in theirs.attributes if key == "fmtp"}
    return "0-15" if offered.get(str(number), "0-15").startswith(("0-15", "0-16")) else offered[str(number)]


def _audio(port: int, codecs: dict[int, str], direction: str, ptime: int, events: str = "0-15") -> list[str]:
    lines = [f"m=audio {port} RTP/AVP {' '.join([str(number) for number in codecs])}"]
    for number, name in codecs.items():
        lines.append(f"a=rtpmap:{number} {name}/8000")
        if name == DTMF:
            lines.append(f"a=fmtp:{number} {events}")
    lines += (f"a=ptime:{ptime}", f"a={direction}")
    return lines
