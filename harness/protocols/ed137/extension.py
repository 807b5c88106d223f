"""The RTP header extension of a radio packet, in both layouts: who keys, whether the squelch is open, and features.

`0x0167` (ED-137A, 2011, and later): PTT type 15-13, SQU 12, PTT id 11-6, PM 5, PTTS 4, SCT 3, reserved 2-1, X 0 of 16
bits, then features. `0x0067` (2009): PTT type 31-29, SQU 28, PTT id 27-24, SCT 23, X 22 of a 32-bit word with one
feature in bits 21-1 and VF in bit 0; a feature more is a word more. PTT type and SQU stand at the same place in both.
Source: tshark's dissector; the standard's text was not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from harness.errors import Ed137Error, Ed137LocalError
from harness.protocols.ed137.features import (
    ClimaxDelay,
    Feature,
    Method,
    SignalQuality,
    Unknown,
    read_features,
    within,
    write_features,
)
from harness.protocols.rtp.rtp import Extension

MAX_WORDS: Final = 64
"""32-bit words of one extension; fifteen features of fifteen octets fit."""


class Layout(IntEnum):
    """Which of the two layouts; the value is the profile that names it in the RTP header."""

    OF_2009 = 0x0067
    OF_2011 = 0x0167


class Ptt(IntEnum):
    """How a transmitter is keyed; of two that key it the higher wins. 6 and 7 are reserved."""

    OFF = 0
    NORMAL = 1
    COUPLING = 2
    PRIORITY = 3
    EMERGENCY = 4
    TEST = 5
    RESERVED_6 = 6
    RESERVED_7 = 7


@dataclass(frozen=True, slots=True)
class RadioState:
    """What one packet says of the radio, or of who speaks to it."""

    ptt: Ptt = Ptt.OFF
    """To the radio: how it is keyed. From it: how it is keyed at present, by whoever won."""
    squelch: bool = False
    """From the radio: something is received."""
    ptt_id: int = 0
    """Whose PTT it is: 1-63 (2009: 1-15), given by the radio in SDP; 0: nobody's."""
    ptt_mute: bool = False
    """PM, 2011: the radio hears this PTT and does not send, for another has it."""
    ptt_summation: bool = False
    """PTTS, 2011: several PTTs are on at once, their speech is mixed."""
    simultaneous: bool = False
    """SCT: the radio hears several transmissions on its frequency."""
    features: tuple[Feature, ...] = ()
    layout: Layout = Layout.OF_2011
    voice_frequency: bool = False
    """VF, 2009."""

    @property
    def quality(self) -> SignalQuality | None:
        """The signal quality that it tells, if it does."""
        return next((each for each in self.features if isinstance(each, SignalQuality)), None)


@dataclass(frozen=True, slots=True)
class Reading:
    """An extension as it was read, and what was odd about it."""

    state: RadioState
    """In the layout that it is written in, which is the named one unless `finding` says so."""
    finding: str = ""
    """What is wrong with it, for a tester; empty where nothing is."""


def read(extension: Extension) -> Reading:
    """Read an extension. Raises Ed137Error where it is of another profile, or of no words, or of too many.

    Radios exist that send one layout under the other's profile. Where the bits can't be the named layout's and can be
    the other's, that is what is read, and `finding` says so. A PTT alone reads the same in both, but for its id.
    """
    try:
        named = Layout(extension.profile)
    except ValueError:
        raise Ed137Error(f"header extension 0x{extension.profile:04x}; ED-137's are 0x0167 and 0x0067") from None
    size = len(extension.data)
    if size == 0 or size % 4 or size > 4 * MAX_WORDS:
        raise Ed137Error(f"an extension of {size} octets; it has 1-{MAX_WORDS} words of four")
    other = Layout.OF_2009 if named is Layout.OF_2011 else Layout.OF_2011
    odd = _oddity(named, extension.data)
    if odd and not _oddity(other, extension.data):
        finding = f"the layout of {_year(other)} under 0x{named:04x}, which is that of {_year(named)}: {odd}"
        return Reading(_READERS[other](extension.data), finding)
    return Reading(_READERS[named](extension.data), odd)


def write(state: RadioState) -> Extension:
    """The extension of a packet in its state's layout. Raises Ed137LocalError where something does not fit."""
    if state.layout is Layout.OF_2009:
        return Extension(Layout.OF_2009, _write_2009(state))
    return Extension(Layout.OF_2011, _write_2011(state))


def mislabelled(extension: Extension) -> Extension:
    """The same words under the other layout's profile, as some radios send them: for tests of who is to notice."""
    return replace(extension, profile=Layout.OF_2009 if extension.profile == Layout.OF_2011 else Layout.OF_2011)


def _year(layout: Layout) -> int:
    return 2009 if layout is Layout.OF_2009 else 2011


def _oddity(layout: Layout, data: bytes) -> str:
    """What can't be in that layout; empty where all can."""
    if layout is Layout.OF_2011:
        word = int.from_bytes(data[:2])
        if word & 0x0006:
            return f"reserved bits are set in 0x{word:04x}"
        if not word & 1 and any(data[2:]):
            return f"X is 0 and {data[2:].hex()} follows"
        if word & 1:
            try:
                features = read_features(data[2:])
            except Ed137Error as error:
                return str(error)
            return "X is 1 and no feature follows" if not features else ""
        return ""
    words = _words(data)
    for word in words:
        if not word & 1 << 22 and word & 0x003FFFFE:
            return f"X is 0 and 0x{word & 0x003FFFFE:06x} follows in 0x{word:08x}"
        if word & 1 << 22 and not word >> 18 & 0x0F:
            return f"X is 1 and the feature in 0x{word:08x} has type 0"
    if len({word & 0xFF800000 for word in words}) > 1:
        return "words that say different things of one packet"
    return ""


def _read_2011(data: bytes) -> RadioState:
    word = int.from_bytes(data[:2])
    features: tuple[Feature, ...] = ()
    if word & 1:
        try:
            features = read_features(data[2:])
        except Ed137Error:
            features = ()  # the finding tells
    return RadioState(
        ptt=Ptt(word >> 13),
        squelch=bool(word & 0x1000),
        ptt_id=word >> 6 & 0x3F,
        ptt_mute=bool(word & 0x20),
        ptt_summation=bool(word & 0x10),
        simultaneous=bool(word & 0x08),
        features=features,
    )


def _read_2009(data: bytes) -> RadioState:
    words = _words(data)
    first = words[0]
    return RadioState(
        ptt=Ptt(first >> 29),
        squelch=bool(first & 1 << 28),
        ptt_id=first >> 24 & 0x0F,
        simultaneous=bool(first & 1 << 23),
        features=tuple(_feature_2009(word) for word in words if word & 1 << 22),
        layout=Layout.OF_2009,
        voice_frequency=bool(first & 1),
    )


_READERS: Final = {Layout.OF_2009: _read_2009, Layout.OF_2011: _read_2011}


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 4]) for at in range(0, len(data), 4)]


def _feature_2009(word: int) -> Feature:
    kind, length, value = word >> 18 & 0x0F, word >> 14 & 0x0F, word >> 1 & 0x1FFF
    if kind == 1:
        # The index has eight bits here, and the method three below it.
        index = word >> 6 & 0xFF
        return SignalQuality(index, Method(word >> 3 & 0x07))
    if kind == 2:
        return ClimaxDelay(word >> 8 & 0x3F)
    return Unknown(kind, length.to_bytes(1) + value.to_bytes(2))


def _write_2011(state: RadioState) -> bytes:
    word = state.ptt << 13 | state.squelch << 12 | within(state.ptt_id, 63, "a PTT id") << 6
    word |= state.ptt_mute << 5 | state.ptt_summation << 4 | state.simultaneous << 3 | bool(state.features)
    out = word.to_bytes(2) + write_features(state.features)
    return out + bytes(-len(out) % 4)


def _write_2009(state: RadioState) -> bytes:
    if state.ptt_mute or state.ptt_summation:
        raise Ed137LocalError("PTT mute and summation have no place in the layout of 2009")
    word = state.ptt << 29 | state.squelch << 28 | within(state.ptt_id, 15, "a PTT id") << 24
    word |= state.simultaneous << 23 | state.voice_frequency
    if not state.features:
        return word.to_bytes(4)
    return b"".join((word | 1 << 22 | _bits_2009(feature)).to_bytes(4) for feature in state.features)


def _bits_2009(feature: Feature) -> int:
    match feature:
        case SignalQuality(index, method):
            return 1 << 18 | 1 << 14 | within(index, 0xFF, "a signal quality index") << 6 | method << 3
        case ClimaxDelay(steps, False):
            return 2 << 18 | 1 << 14 | within(steps, 63, "a CLIMAX delay") << 8
        case Unknown(kind, value) if len(value) == 3 and value[0] < 16 and value[1] < 0x20:
            return within(kind, 15, "a feature type", least=1) << 18 | value[0] << 14 | int.from_bytes(value[1:]) << 1
    raise Ed137LocalError(f"{type(feature).__name__} has no place in the layout of 2009")
