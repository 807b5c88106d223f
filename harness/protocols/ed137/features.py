"""What the header extension may carry beside the fixed bits: signal quality, delays, remote control, measurements.

Source: tshark's dissector, which reads all of it (`rtp.ext.ed137*`); the standard's text was not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from harness.errors import Ed137Error, Ed137LocalError

TICK_S: Final = 125e-6
"""What delay measurements count in, seconds."""
CLIMAX_STEP_MS: Final = 2
MAX_FEATURES: Final = 15
"""Features of one extension."""
MAX_VALUE: Final = 15
"""Octets of one feature's value: its length has four bits."""


class Method(IntEnum):
    """How signal quality was found; 4 to 7 are the maker's."""

    RSSI = 0
    AGC = 1
    C_N = 2
    PSD = 3
    MAKER_4 = 4
    MAKER_5 = 5
    MAKER_6 = 6
    MAKER_7 = 7


@dataclass(frozen=True, slots=True)
class SignalQuality:
    """How well the radio hears: what best signal selection goes by."""

    index: int
    """0-31, more is better; by RSSI 0-15: below -100 dBm to above -70 dBm in steps of 2.14 dB."""
    method: Method = Method.RSSI

    @property
    def at_most_dbm(self) -> float | None:
        """The upper end of the index's step by RSSI; None above -70 dBm and for other methods."""
        return round(-100 + self.index * 30 / 14, 2) if self.method is Method.RSSI and self.index < 15 else None


@dataclass(frozen=True, slots=True)
class ClimaxDelay:
    """How long a transmitter is to wait, so that several of one frequency (CLIMAX) send at once."""

    steps: int
    """0-127 (0-63 in the 2009 layout), of 2 ms."""
    absolute: bool = False

    @property
    def ms(self) -> int:
        """The delay in milliseconds."""
        return self.steps * CLIMAX_STEP_MS


@dataclass(frozen=True, slots=True)
class RemoteControl:
    """Which of a double radio's transmitters and receivers are to be used (radio remote control)."""

    standby_transmitter_1: bool = False
    standby_receiver_1: bool = False
    standby_transmitter_2: bool = False
    standby_receiver_2: bool = False
    use_transmitter_1: bool = False
    use_transmitter_2: bool = False
    mute_receiver_1: bool = False
    mute_receiver_2: bool = False


@dataclass(frozen=True, slots=True)
class DelayRequest:
    """RMM: the control room asks how long its packets take."""

    sent: int
    """T1, when it was sent: 23 bits of 125 µs ticks."""
    synchronised: bool = False
    """Whether the clock is set by a common time."""


@dataclass(frozen=True, slots=True)
class DelayAnswer:
    """MAM: the radio's answer."""

    sent: int
    """T1, as asked."""
    received: int
    """T2, when the request came: 23 bits of ticks."""
    answered_after: int
    """Tsd, ticks from the request to this answer."""
    jitter_buffer: int
    """Tj1, ticks that speech waits in the radio's jitter buffer."""
    inside: int
    """Tid, ticks that speech takes inside the radio."""
    synchronised: bool = False
    wants_another: bool = False
    """Whether the radio asks for a new measurement."""
    offset: int | None = None
    """Ts2, ticks; in ED-137C alone, which makes the answer two octets longer."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A feature that is reserved, a maker's, or of a length that is not its own."""

    type: int
    """0-15."""
    value: bytes
    """Up to 15 octets."""


Feature = SignalQuality | ClimaxDelay | RemoteControl | DelayRequest | DelayAnswer | Unknown

_HIGH: Final = 1 << 23
_CONTROLS: Final = tuple(RemoteControl.__dataclass_fields__)


def read_features(data: bytes) -> tuple[Feature, ...]:
    """Read type-length-value after type-length-value; zeros at the end are padding. Raises Ed137Error."""
    features: list[Feature] = []
    at = 0
    while at < len(data):
        kind, length = data[at] >> 4, data[at] & 0x0F
        if not kind:
            if any(data[at:]):
                raise Ed137Error(f"feature type 0 at octet {at}, and not only padding after it: {data[at:].hex()}")
            break
        value = data[at + 1 : at + 1 + length]
        if len(value) < length:
            raise Ed137Error(f"feature {kind} has {length} octets, {len(value)} are there")
        if len(features) == MAX_FEATURES:
            raise Ed137Error(f"more than {MAX_FEATURES} features")
        features.append(_read(kind, value))
        at += 1 + length
    return tuple(features)


def _read(kind: int, value: bytes) -> Feature:
    match kind, len(value):
        case 1, 1:
            return SignalQuality(value[0] >> 3, Method(value[0] & 0x07))
        case 2, 1:
            return ClimaxDelay(value[0] & 0x7F, value[0] >= 0x80)
        case 3, 1:
            return RemoteControl(*(bool(value[0] & 0x80 >> bit) for bit in range(8)))
        case 4, 3:
            word = int.from_bytes(value)
            return DelayRequest(word & ~_HIGH, word >= _HIGH)
        case 4, 12 | 14:
            first, second = int.from_bytes(value[:3]), int.from_bytes(value[3:6])
            after, jitter, inside, *more = (int.from_bytes(value[at : at + 2]) for at in range(6, len(value), 2))
            return DelayAnswer(
                first & ~_HIGH,
                second & ~_HIGH,
                after,
                jitter,
                inside,
                synchronised=first >= _HIGH,
                wants_another=second >= _HIGH,
                offset=more[0] if more else None,
            )
    return Unknown(kind, value)


def write_features(features: tuple[Feature, ...]) -> bytes:
    """The features as type-length-value, without padding. Raises Ed137LocalError where a value does not fit."""
    if len(features) > MAX_FEATURES:
        raise Ed137LocalError(f"{len(features)} features; an extension has at most {MAX_FEATURES}")
    out = bytearray()
    for feature in features:
        kind, value = _written(feature)
        out.append(kind << 4 | len(value))
        out += value
    return bytes(out)


def _written(feature: Feature) -> tuple[int, bytes]:
    match feature:
        case SignalQuality(index, method):
            return 1, bytes([within(index, 31, "a signal quality index") << 3 | method])
        case ClimaxDelay(steps, absolute):
            return 2, bytes([within(steps, 127, "a CLIMAX delay") | absolute << 7])
        case RemoteControl():
            return 3, bytes([sum(getattr(feature, name) << 7 - bit for bit, name in enumerate(_CONTROLS))])
        case DelayRequest(sent, synchronised):
            return 4, (within(sent, _HIGH - 1, "T1") | synchronised << 23).to_bytes(3)
        case DelayAnswer():
            return 4, _answer(feature)
        case Unknown(kind, value):
            if len(value) > MAX_VALUE:
                raise Ed137LocalError(f"a feature of {len(value)} octets; its length has four bits")
            return within(kind, 15, "a feature type", least=1), value


def _answer(answer: DelayAnswer) -> bytes:
    first = within(answer.sent, _HIGH - 1, "T1") | answer.synchronised << 23
    second = within(answer.received, _HIGH - 1, "T2") | answer.wants_another << 23
    out = first.to_bytes(3) + second.to_bytes(3)
    times = {"Tsd": answer.answered_after, "Tj1": answer.jitter_buffer, "Tid": answer.inside}
    if answer.offset is not None:
        times["Ts2"] = answer.offset
    return out + b"".join(within(ticks, 0xFFFF, name).to_bytes(2) for name, ticks in times.items())


def within(value: int, most: int, what: str, *, least: int = 0) -> int:
    """The value; raises Ed137LocalError where its field can't hold it."""
    if not least <= value <= most:
        raise Ed137LocalError(f"{what} must be {least}-{most}, not {value}")
    return value
