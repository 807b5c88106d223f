"""LIP location reports (ETSI TS 100 392-18-1): the short one, 84 bits, read and written; of a long one the place read.

Handsets in the field send long reports, too [C]. Of those the place and its age are read; that the extension, the kinds
of time and the shapes are numbered so is from memory [U], and fits to the bit the long report that is public.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from harness.errors import SdsError
from harness.protocols.tetra.sds import ProtocolId

SHORT_REPORT_BITS = 84
"""Eight bits of protocol id and 76 of report [C]."""
_LON_BITS, _LAT_BITS = 25, 24
_LON_STEP = 360 / (1 << _LON_BITS)
_LAT_STEP = 180 / (1 << _LAT_BITS)
POSITION_ERROR_UNKNOWN = 7
VELOCITY_UNKNOWN = 127
_LINEAR_BELOW = 29
_FASTEST_KMH = 16 * 1.038**113
_DIRECTION_STEP = 22.5
_LONG_REPORT = 0b0011
"""The extension of a report's type that is a long report [U]."""
_TIME_BITS = {0: 0, 1: 2, 2: 22}
"""How long what follows each kind of time is: none, time elapsed, time of the position (day, hour, minute, second)."""
_SHAPES = range(1, 10)
"""Shapes of a place that begin with longitude and latitude: from the point (1) to the arc (9)."""
_ELAPSED_UNKNOWN = 3
_ELAPSED_S = (5.0, 300.0, 1_800.0, None)


class Reason(IntEnum):
    """Why a report was sent (ETSI TS 100 392-18-1, reason for sending [C]): those that we send."""

    POWERED_ON = 0
    INTERVAL = 129
    """The longest time between reports was over."""
    DISTANCE = 130
    """The longest way between reports was travelled."""


@dataclass(frozen=True, slots=True)
class ShortLocation:
    """A short location report; the layout of every field is [C]."""

    longitude: float
    """Degrees east, -180 up to (not including) 180, in steps of 360/2^25 (about 1.07e-5 degrees)."""
    latitude: float
    """Degrees north, -90 up to (not including) 90, in steps of 180/2^24."""
    position_error: int = POSITION_ERROR_UNKNOWN
    """Code 0-7: below 2*10^n metres for 0-5, 6 more than 200 km, 7 unknown."""
    velocity: int = VELOCITY_UNKNOWN
    """Code 0-127: km/h below 29, then 16*1.038^(K-13), 127 unknown."""
    direction: int = 0
    """Direction of travel in steps of 22.5 degrees, 0-15."""
    elapsed: int = 0
    """Time since the fix, code 0-3: under 5 s, 5 min, 30 min, unknown [C]."""
    additional_type: int = 0
    """0: the additional data is the reason for sending; 1: user-defined [C]."""
    additional: int = 0
    """Additional data, 0-255."""

    @property
    def speed_kmh(self) -> float | None:
        """Speed in km/h, or None where unknown."""
        if self.velocity == VELOCITY_UNKNOWN:
            return None
        return float(self.velocity) if self.velocity < _LINEAR_BELOW else 16 * 1.038 ** (self.velocity - 13)

    @property
    def direction_degrees(self) -> float:
        """Direction of travel in degrees from north."""
        return self.direction * _DIRECTION_STEP

    @property
    def fix_age_s(self) -> float | None:
        """How old the position was at most when it was sent, in seconds; None where that is unknown."""
        return _ELAPSED_S[self.elapsed]

    @property
    def reason(self) -> int | None:
        """Why it was sent, where the additional data tell that."""
        return self.additional if self.additional_type == 0 else None

    @property
    def error_metres(self) -> float | None:
        """Upper bound of the position error in metres; None where unknown or beyond 200 km."""
        return None if self.position_error >= 6 else 2.0 * 10**self.position_error

    def encode(self) -> bytes:
        """Eleven bytes: the 84 bits and four zero bits of padding.

        Raises:
            SdsError: a field out of its range.
        """
        word = ProtocolId.LIP << 2 | 0
        for name, value, bits in (
            ("elapsed time", self.elapsed, 2),
            ("longitude", _signed("longitude", self.longitude, _LON_STEP, _LON_BITS), _LON_BITS),
            ("latitude", _signed("latitude", self.latitude, _LAT_STEP, _LAT_BITS), _LAT_BITS),
            ("position error", self.position_error, 3),
            ("velocity", self.velocity, 7),
            ("direction", self.direction, 4),
            ("type of additional data", self.additional_type, 1),
            ("additional data", self.additional, 8),
        ):
            if not 0 <= value < 1 << bits:
                raise SdsError(f"LIP {name} {value} does not fit {bits} bits")
            word = word << bits | value
        return (word << 4).to_bytes(11, "big")


def _signed(name: str, degrees: float, step: float, bits: int) -> int:
    half = 1 << bits - 1
    if not -half * step <= degrees < half * step:
        raise SdsError(f"LIP {name} {degrees} degrees is out of range")
    # Rounding the last step up would wrap to the other side of the world.
    return min(round(degrees / step), half - 1) & (1 << bits) - 1


def velocity_code(kmh: float) -> int:
    """The code of a speed of 0 km/h or more that is nearest to it; the highest known code for what is beyond.

    Raises:
        SdsError: a speed below 0.
    """
    if not kmh >= 0:
        raise SdsError(f"LIP has no speed of {kmh} km/h")
    if kmh < _LINEAR_BELOW - 0.5:
        return round(kmh)
    return min(round(math.log(min(kmh, _FASTEST_KMH) / 16, 1.038)) + 13, VELOCITY_UNKNOWN - 1)


def decode(payload: bytes) -> ShortLocation:
    """The location report in a payload that begins with protocol id 0x0A; of a long one the place and its age.

    Raises:
        SdsError: another protocol id, another report than short and long ones, a long one without a place, or too few
            bytes.
    """
    if is_long(payload):
        return _decode_long(payload)
    if len(payload) < 11:
        raise SdsError(f"LIP report cut short: {len(payload)} bytes of 11")
    if payload[0] != ProtocolId.LIP:
        raise SdsError(f"protocol id {payload[0]:#04x} is not LIP (0x0A)")
    word = int.from_bytes(payload[:11], "big") >> 4
    kind = word >> 74 & 3
    if kind != 0:
        raise SdsError(f"LIP report of type {kind}; the short report (0) and the long one are read")
    longitude = _from_signed(word >> 47, _LON_BITS)
    latitude = _from_signed(word >> 23, _LAT_BITS)
    return ShortLocation(
        longitude=longitude * _LON_STEP,
        latitude=latitude * _LAT_STEP,
        position_error=word >> 20 & 7,
        velocity=word >> 13 & 127,
        direction=word >> 9 & 15,
        elapsed=word >> 72 & 3,
        additional_type=word >> 8 & 1,
        additional=word & 255,
    )


def is_long(payload: bytes) -> bool:
    """Whether a payload is a long location report."""
    return len(payload) > 1 and payload[0] == ProtocolId.LIP and payload[1] >> 2 == 1 << 4 | _LONG_REPORT


def _decode_long(payload: bytes) -> ShortLocation:
    word, left = int.from_bytes(payload[1:], "big"), 8 * (len(payload) - 1)

    def take(bits: int) -> int:
        nonlocal left
        left -= bits
        if left < 0:
            raise SdsError(f"LIP long report cut short: {len(payload)} bytes")
        return word >> left & (1 << bits) - 1

    take(6)
    kind = take(2)
    if kind not in _TIME_BITS:
        raise SdsError(f"LIP long report with time of kind {kind}; 0 to 2 are known")
    time = take(_TIME_BITS[kind])
    shape = take(4)
    if shape not in _SHAPES:
        raise SdsError(f"LIP long report without a place: shape {shape}")
    longitude, latitude = _from_signed(take(_LON_BITS), _LON_BITS), _from_signed(take(_LAT_BITS), _LAT_BITS)
    elapsed = time if kind == 1 else _ELAPSED_UNKNOWN
    return ShortLocation(longitude * _LON_STEP, latitude * _LAT_STEP, elapsed=elapsed, additional_type=1)


def _from_signed(word: int, bits: int) -> int:
    value = word & (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value
