"""The session description itself (RFC 8866, and RFC 4566 before it): text to lines to streams and back.

What is read is kept whole, in whatever order a peer writes it, so that `bytes(parse(data))` says the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from harness.errors import SdpError
from harness.protocols.sdp.formats import encoding_of, static_encoding

MAX_SDP: Final = 16_384
"""Bytes of one description."""
MAX_LINES: Final = 512
"""Lines of one description."""
MAX_MEDIA: Final = 16
"""Streams (m-lines) of one description."""
MAX_FORMATS: Final = 64
"""Formats of one stream."""
MAX_PAYLOAD_TYPE: Final = 127

_PAYLOAD_TYPES: Final = {str(number): number for number in range(MAX_PAYLOAD_TYPE + 1)}

DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(slots=True)
class Media:
    """One m-line and what follows it."""

    kind: str
    """audio, text, video, application…"""
    port: int
    """0 refuses the stream (RFC 3264 section 6)."""
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
        for key, value in self.attributes:
            if key == name:
                return value
        return None

    def codecs(self) -> dict[int, str]:
        """Payload types in the m-line's order, each with its encoding name in upper case (telephone-event in lower).

        Formats whose clock rate is not the one that RTP telephony gives them are left out.
        """
        maps: dict[str, str] | None = None
        found: dict[int, str] = {}
        for key, value in self.attributes:
            if key == "rtpmap":
                number, _, encoding = value.partition(" ")
                if maps is None:
                    maps = {}
                maps[number] = encoding
        for text in self.formats:
            name = encoding_of(maps[text]) if maps is not None and text in maps else static_encoding(text)
            if name and text in _PAYLOAD_TYPES:
                found[_PAYLOAD_TYPES[text]] = name
        return found

    def clock_rates(self) -> dict[int, int]:
        """The clock rate that each mapped payload type states, in Hz; 8000 where none can be read."""
        rates: dict[int, int] = {}
        for key, value in self.attributes:
            if key == "rtpmap":
                text, _, encoding = value.partition(" ")
                rate = encoding.strip().partition("/")[2].partition("/")[0]
                if (number := payload_type(text)) is not None:
                    rates[number] = int(rate) if rate.isascii() and rate.isdigit() and len(rate) <= 6 else 8000
        return rates

    def parameters(self, number: int) -> str:
        """The value of a payload type's a=fmtp; empty where there is none."""
        wanted = str(number)
        for key, value in self.attributes:
            if key == "fmtp":
                format_, _, text = value.partition(" ")
                if format_ == wanted:
                    return text.strip()
        return ""


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
            lines.append(f"c={network_address(self.connection)}")
        # RFC 8866 section 5 wants t= there, and after c= and b=.
        if not any(line.startswith("t=") for line in self.other):
            lines.append("t=0 0")
        lines += self.other
        lines += [f"a={name}:{value}" if value else f"a={name}" for name, value in self.attributes]
        for media in self.media:
            lines.append(f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}")
            if media.connection:
                lines.append(f"c={network_address(media.connection)}")
            lines += media.other
            lines += [f"a={name}:{value}" if value else f"a={name}" for name, value in media.attributes]
        lines.append("")
        return "\r\n".join(lines).encode()

    @property
    def times(self) -> str:
        """The t-line, which an answer repeats (RFC 3264 section 6)."""
        for line in self.other:
            if line.startswith("t="):
                return line
        return "t=0 0"

    @property
    def version(self) -> str:
        """The o-line's sess-version; empty where the line has none."""
        words = self.origin.split()
        return words[2] if len(words) > 2 else ""

    def audio(self) -> tuple[Media, str] | None:
        """The first audio stream over RTP that is not refused, and its address; None where there is none."""
        for media in self.media:
            if media.kind == "audio" and media.port and media.protocol in PROFILES:
                return media, media.connection or self.connection
        return None

    def address(self, media: Media) -> str:
        """Where a stream is: its own c-line, else the session's; empty where neither is there."""
        return media.connection or self.connection

    def direction(self, media: Media) -> str:
        """What the description's author does on a stream: the stream's attribute, else the session's, else sendrecv."""
        for attributes in (media.attributes, self.attributes):
            for name, value in attributes:
                if not value and name in DIRECTIONS:
                    return name
        return "sendrecv"


PROFILES: Final = {"RTP/AVP": False, "RTP/AVPF": False, "RTP/SAVP": True, "RTP/SAVPF": True}
"""RTP profiles that we speak, and whether each is secured (RFC 3551, 4585, 3711, 5124); DTLS is not among them."""


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
    # RFC 8866 section 5: parsers should take a lone LF too.
    text = text.replace("\r\n", "\n").strip("\n")
    if "\r" in text:
        raise SdpError("a bare CR in a session description")
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise SdpError(f"a session description of {len(lines)} lines; at most {MAX_LINES}")
    if lines[0].rstrip() != "v=0":
        raise SdpError(f"a session description begins with v=0, not {lines[0][:40]!r}")
    session = Session("", "-", "", [], [], [])
    media: Media | None = None
    attributes, other = session.attributes, session.other
    del lines[0]
    for line in lines:
        start = line[:2]
        if start == "a=":
            name, _, rest = line[2:].partition(":")
            # Equipment is seen that ends its lines with blanks.
            attributes.append((name.rstrip(), rest.rstrip()))
        elif start == "m=":
            if len(session.media) >= MAX_MEDIA:
                raise SdpError(f"more than {MAX_MEDIA} streams")
            media = _media(line[2:])
            session.media.append(media)
            attributes, other = media.attributes, media.other
        elif start == "c=":
            address = _address(line[2:])
            if media is None:
                session.connection = address
            else:
                media.connection = address
        elif start == "o=" and media is None:
            session.origin = line[2:].rstrip()
        elif start == "s=" and media is None:
            session.name = line[2:]
        elif start[1:] == "=":
            other.append(line)
        elif line.strip():
            raise SdpError(f"not a line of a session description: {line[:40]!r}")
    if not session.origin:
        raise SdpError("a session description without an o= line")
    return session


def payload_type(text: str) -> int | None:
    """The payload type that an m-line or an attribute names; None for what is none (0-127)."""
    return _PAYLOAD_TYPES.get(text)


def port_number(text: str) -> int:
    """A port, 0-65535. Raises SdpError."""
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) > 65_535:
        raise SdpError(f"not a port: {text[:20]!r}")
    return int(text)


@lru_cache(maxsize=256)
def network_address(host: str) -> str:
    """``IN IP4 host`` or ``IN IP6 host``. Raises SdpError for what is no address."""
    if len(host.split()) != 1 or host != host.strip():
        raise SdpError(f"not an address: {host!r}")
    return f"IN {'IP6' if ':' in host else 'IP4'} {host}"


def head(host: str, session_id: int, version: int, times: str = "t=0 0") -> list[str]:
    """The session lines of a description of ours. Raises SdpError for what is no address."""
    network = network_address(host)
    return ["v=0", f"o=- {session_id} {version} {network}", "s=-", f"c={network}", times]


def _media(value: str) -> Media:
    parts = value.split()
    if len(parts) < 4:
        raise SdpError(f"not an m-line: {value[:60]!r}")
    if len(parts) - 3 > MAX_FORMATS:
        raise SdpError(f"more than {MAX_FORMATS} formats of a stream")
    port = parts[1]
    # a plain number is what nearly all say; the rest is looked at closely
    number = int(port) if port.isdecimal() and port.isascii() and len(port) < 5 else port_number(port.partition("/")[0])
    return Media(parts[0], number, parts[2], parts[3:], "", [], [])


def _address(value: str) -> str:
    parts = value.split()
    if len(parts) != 3 or parts[0] != "IN" or parts[1] not in ("IP4", "IP6"):
        raise SdpError(f"not a c-line: {value[:60]!r}")
    return parts[2].partition("/")[0]
