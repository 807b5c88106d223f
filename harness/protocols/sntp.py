"""SNTP (RFC 5905 sections 6 to 8 and 14): the packet, timestamps of any era, and a clock's offset from one exchange.

Theory. The client sends at T1 by its clock, the server gets that at T2 and answers at T3 by its own, the client has it
at T4. Were both ways as long, the server's clock would be ahead by ((T2 - T1) + (T3 - T4)) / 2; the way there and back
took (T4 - T1) - (T3 - T2). As the two ways may differ, the offset is known to half of that and no better (RFC 5905
section 8): of several exchanges the quickest tells most.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from harness.errors import SntpError, SntpLocalError

PORT: Final = 123
LENGTH: Final = 48
"""Bytes of a packet without extension fields and message authentication; those are left unread."""
VERSION: Final = 4
OLDEST: Final = 1
"""The oldest version that is read (RFC 1059)."""
SINCE_1900: Final = 2_208_988_800
"""Seconds from 1900-01-01, where NTP's era 0 begins, to 1970-01-01 (RFC 5905, figure 4)."""
ERA: Final = 1 << 32
"""Seconds of an era: the 32 bits of a timestamp's seconds come round (RFC 5905 section 6)."""
_FRACTION: Final = 1 << 32
_SHORT: Final = 1 << 16
UNSYNCHRONISED: Final = 3
"""The leap indicator of a clock that follows none (RFC 5905, figure 9)."""
MAX_STRATUM: Final = 15
"""The farthest from a reference clock that still counts as synchronised (RFC 5905, figure 11)."""
_LAYOUT: Final = struct.Struct("!BBbbIIIQQQQ")


class Mode(IntEnum):
    """Who speaks (RFC 5905, figure 10)."""

    CLIENT = 3
    SERVER = 4


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; timestamps are 64 bits as they stand on the wire, 0: none."""

    mode: int
    """0 to 7."""
    version: int = VERSION
    """1 to 7."""
    leap: int = 0
    """0 to 3; 3: the clock is not synchronised."""
    stratum: int = 0
    """0: none, or a kiss-o'-death whose code is the reference id; 1: a reference clock; 16: not synchronised."""
    poll: int = 0
    """Most seconds between messages, as a power of two, -128 to 127."""
    precision: int = -20
    """How finely the clock is read: seconds as a power of two, -128 to 127."""
    root_delay_s: float = 0.0
    """Both ways to the reference clock; 0 up to 65,536."""
    root_dispersion_s: float = 0.0
    """How far off the reference clock it may be beside that; 0 up to 65,536."""
    reference_id: bytes = b"\0\0\0\0"
    """Four bytes: which clock it follows."""
    reference: int = 0
    """When its clock was set last."""
    origin: int = 0
    """In an answer: what the question had as ``transmit``."""
    receive: int = 0
    transmit: int = 0

    def encode(self) -> bytes:
        """Return 48 bytes. Raises SntpLocalError for a value that does not fit its field."""
        for name, value, most in (("leap", self.leap, 3), ("version", self.version, 7), ("mode", self.mode, 7)):
            if not 0 <= value <= most:
                raise SntpLocalError(f"SNTP {name} is 0 to {most}, not {value}")
        if len(self.reference_id) != 4:
            raise SntpLocalError(f"an SNTP reference id has 4 bytes, not {len(self.reference_id)}")
        try:
            return _LAYOUT.pack(
                self.leap << 6 | self.version << 3 | self.mode,
                self.stratum,
                self.poll,
                self.precision,
                round(self.root_delay_s * _SHORT),
                round(self.root_dispersion_s * _SHORT),
                int.from_bytes(self.reference_id, "big"),
                self.reference,
                self.origin,
                self.receive,
                self.transmit,
            )
        except (struct.error, ValueError, OverflowError) as error:
            raise SntpLocalError(f"an SNTP packet can't hold that: {error}") from error


def decode(data: bytes) -> Packet:
    """Read a packet. Raises SntpError for one that is too short or of a version that there is not."""
    if len(data) < LENGTH:
        raise SntpError(f"an SNTP packet has {LENGTH} bytes at least, not {len(data)}")
    first, stratum, poll, precision, delay, dispersion, name, *stamps = _LAYOUT.unpack_from(data)
    version = first >> 3 & 7
    if version < OLDEST:
        raise SntpError("an SNTP packet of version 0 (RFC 5905 section 7.3)")
    return Packet(
        first & 7,
        version,
        first >> 6,
        stratum,
        poll,
        precision,
        delay / _SHORT,
        dispersion / _SHORT,
        name.to_bytes(4, "big"),
        *stamps,
    )


def to_stamp(seconds: float) -> int:
    """A timestamp of seconds since 1970, before or after; eras come round. Raises SntpLocalError where not finite."""
    try:
        whole = round((seconds + SINCE_1900) * _FRACTION)
    except (ValueError, OverflowError) as error:
        raise SntpLocalError(f"{seconds} is no time") from error
    return whole % (ERA * _FRACTION)


def from_stamp(stamp: int, *, near: float) -> float:
    """Seconds since 1970 of a timestamp, in the era that is nearest to ``near`` (RFC 5905 section 6)."""
    seconds = stamp / _FRACTION - SINCE_1900
    return seconds + ERA * round((near - seconds) / ERA)


def question(nonce: int) -> Packet:
    """What a client sends. ``nonce``: 64 bits that stand for T1 and come back, so that no one else can answer."""
    return Packet(Mode.CLIENT, transmit=nonce)


def answer(
    asked: Packet, *, received: float, sent: float, stratum: int, reference_id: bytes, precision: int = -20
) -> Packet:
    """What a server says to a question that it got at ``received`` and answers at ``sent``, seconds since 1970.

    Raises SntpError where it was no client's question: a server says nothing to that.
    """
    if asked.mode != Mode.CLIENT:
        raise SntpError(f"a client's question has mode {Mode.CLIENT}, not {asked.mode}")
    return Packet(
        Mode.SERVER,
        version=min(asked.version, VERSION),
        stratum=stratum,
        poll=asked.poll,
        precision=precision,
        reference_id=reference_id,
        reference=to_stamp(received),
        origin=asked.transmit,
        receive=to_stamp(received),
        transmit=to_stamp(sent),
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """What one exchange tells of a server's clock."""

    offset_s: float
    """How far it is ahead of ours; below 0: behind."""
    delay_s: float
    """The way there and back."""
    uncertainty_s: float
    """By how much the offset may be wrong: half the delay, and how finely the server's clock is read."""
    stratum: int
    synchronised: bool
    """Whether the server says that its clock follows a reference."""


def sample(given: Packet, *, nonce: int, sent: float, received: float) -> Sample:
    """What an answer tells: the question left with ``nonce`` at ``sent`` (T1), the answer came at ``received`` (T4).

    Both are seconds since 1970 by our own clock. Raises SntpError for an answer that is none to that question, is a
    refusal (kiss-o'-death, RFC 5905 section 7.4), has no time, or would have been on its way for less than nothing.
    """
    if given.mode != Mode.SERVER:
        raise SntpError(f"a server's answer has mode {Mode.SERVER}, not {given.mode}")
    if given.origin != nonce:
        raise SntpError("the answer is to another question: its origin timestamp is not what was sent")
    if given.stratum == 0:
        code = given.reference_id.rstrip(b"\0")
        told = code.decode("ascii") if code.isascii() and code.decode("ascii").isprintable() else code.hex()
        raise SntpError(f"the server refuses to tell its time: kiss-o'-death {told or 'without a code'}")
    if not given.receive or not given.transmit:
        raise SntpError("the answer has no time in it")
    came, left = from_stamp(given.receive, near=sent), from_stamp(given.transmit, near=received)
    precision = 2.0**given.precision
    delay = (received - sent) - (left - came)
    if left < came or delay < -precision:
        raise SntpError(f"the answer's times make no sense: {left - came:.6f} s to answer, {delay:.6f} s on the way")
    delay = max(delay, 0.0)
    return Sample(
        offset_s=((came - sent) + (left - received)) / 2,
        delay_s=delay,
        uncertainty_s=delay / 2 + precision,
        stratum=given.stratum,
        synchronised=given.leap != UNSYNCHRONISED and given.stratum <= MAX_STRATUM,
    )


def best(samples: Iterable[Sample]) -> Sample:
    """Of several, the one that tells most: the quickest. Raises SntpLocalError where there is none."""
    found = min(samples, key=lambda each: each.uncertainty_s, default=None)
    if found is None:
        raise SntpLocalError("no exchange came about")
    return found
