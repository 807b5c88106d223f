"""The RTP packet: bytes to fields and back (RFC 3550 section 5)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from harness.errors import MediaError, RtpError

VERSION = 2
HEADER_SIZE = 12
MAX_CSRC = 15
RTCP_TYPES = range(192, 224)
"""What the second octet of RTCP is, and that of RTP must not be where both share a port (RFC 5761 section 4)."""

HEADER = struct.Struct("!BBHII")
"""Version and flags, marker and payload type, sequence number, timestamp, SSRC."""
_EXTENSION = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class Extension:
    """A header extension (RFC 3550 section 5.3.1)."""

    profile: int
    """16 bits that the profile defines, e.g. 0x0167 (EUROCAE ED-137) or 0xBEDE (RFC 8285)."""
    data: bytes
    """Whole 32-bit words."""


# Not frozen, for that would treble the time it takes to make one; nobody changes a packet all the same.
@dataclass(slots=True, unsafe_hash=True)
class RtpPacket:
    """One RTP packet."""

    payload_type: int
    """0-127."""
    sequence: int
    """16 bits, one more each packet."""
    timestamp: int
    """32 bits, in units of the payload's clock (8,000 Hz for telephony)."""
    ssrc: int
    """32 bits, chosen at random by the source."""
    payload: bytes = b""
    marker: bool = False
    """For audio: the first packet of a talkspurt (RFC 3551 section 4.1)."""
    csrc: tuple[int, ...] = ()
    """Up to 15 contributing sources."""
    extension: Extension | None = None
    padding: int = 0
    """Octets of padding at the end, their count octet included; 0 is none."""

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """Read a datagram. Raises RtpError, and nothing else, when RFC 3550 does not allow it."""
        size = len(data)
        if size < HEADER_SIZE:
            raise RtpError(f"RTP packet of {size} octets; the header alone has {HEADER_SIZE} (RFC 3550 section 5.1)")
        first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
        if first >> 6 != VERSION:
            raise RtpError(f"RTP version {first >> 6}, must be {VERSION} (RFC 3550 section 5.1)")
        if first & 0x3F == 0:  # the common case: no padding, extension or CSRC
            return cls(second & 0x7F, sequence, timestamp, ssrc, bytes(data[HEADER_SIZE:]), second > 0x7F)

        offset = HEADER_SIZE + 4 * (first & 0x0F)
        if offset > size:
            raise RtpError(f"RTP packet of {size} octets ends inside its {first & 0x0F} CSRCs (RFC 3550 section 5.1)")
        csrc = struct.unpack_from(f"!{first & 0x0F}I", data, HEADER_SIZE)
        extension = None
        if first & 0x10:
            if offset + _EXTENSION.size > size:
                raise RtpError("RTP packet ends inside its header extension (RFC 3550 section 5.3.1)")
            profile, words = _EXTENSION.unpack_from(data, offset)
            offset += _EXTENSION.size
            if offset + 4 * words > size:
                raise RtpError(f"RTP header extension of {words} words runs past the packet (RFC 3550 section 5.3.1)")
            extension = Extension(profile, bytes(data[offset : offset + 4 * words]))
            offset += 4 * words
        padding = 0
        if first & 0x20:
            padding = data[-1]
            if not 1 <= padding <= size - offset:
                raise RtpError(f"RTP padding of {padding} octets in {size - offset} (RFC 3550 section 5.1)")
        payload = bytes(data[offset : size - padding])
        return cls(second & 0x7F, sequence, timestamp, ssrc, payload, second > 0x7F, csrc, extension, padding)

    def build(self) -> bytes:
        """The datagram. Raises MediaError when a field does not fit its place."""
        if len(self.csrc) > MAX_CSRC:
            raise MediaError(f"{len(self.csrc)} CSRCs; RTP has room for {MAX_CSRC}")
        if not 0 <= self.padding <= 0xFF:
            raise MediaError(f"RTP padding must be 0-255 octets, not {self.padding}")
        if not 0 <= self.payload_type <= 0x7F:
            raise MediaError(f"RTP payload type must be 0-127, not {self.payload_type}")
        first = VERSION << 6 | bool(self.padding) << 5 | (self.extension is not None) << 4 | len(self.csrc)
        second = self.marker << 7 | self.payload_type
        try:
            parts = [HEADER.pack(first, second, self.sequence, self.timestamp, self.ssrc)]
            if self.csrc:
                parts.append(struct.pack(f"!{len(self.csrc)}I", *self.csrc))
            if self.extension is not None:
                words, odd = divmod(len(self.extension.data), 4)
                if odd:
                    raise MediaError(f"an RTP extension is whole 32-bit words, not {len(self.extension.data)} octets")
                parts += [_EXTENSION.pack(self.extension.profile, words), self.extension.data]
        except struct.error as error:
            raise MediaError(f"an RTP field does not fit: {error}") from None
        parts.append(self.payload)
        if self.padding:
            parts.append(bytes(self.padding - 1) + bytes([self.padding]))
        return b"".join(parts)


def build_plain(payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, *, marker: bool) -> bytes:
    """The same datagram as RtpPacket(...).build(), for a packet with no CSRC, extension or padding.

    The paced sender calls this thousands of times a second; the caller keeps the fields in range.
    """
    return HEADER.pack(VERSION << 6, marker << 7 | payload_type, sequence, timestamp, ssrc) + payload
