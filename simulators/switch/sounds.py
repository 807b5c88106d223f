"""What the switch plays: tones as the United Kingdom's networks give them, a tune for those on hold, a greeting."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

LEVEL: Final = 0.08
"""Amplitude of a tone against full scale: about -25 dBov, a quiet talker's."""
_FADE: Final = 40
"""Samples over which a note comes and goes, so that it does not click."""
_TUNE: Final = (392, 494, 587, 494, 440, 523, 659, 523, 392, 494, 587, 784, 740, 659, 587, 494)
"""Notes in hertz; invented."""
_NOTE_S: Final = 0.5
_GREETING: Final = (523, 659, 784, 659)


def _tone(*hertz: float, seconds: float) -> NDArray[np.float64]:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = sum((np.sin(2 * np.pi * each * at) for each in hertz), np.zeros(len(at))) / max(1, len(hertz))
    fade = np.ones(len(at))
    edge = np.linspace(0.0, 1.0, _FADE)
    fade[:_FADE], fade[-_FADE:] = edge, edge[::-1]
    return np.asarray(wave * fade)


def _clip(*parts: NDArray[np.float64]) -> Samples:
    return np.rint(np.concatenate(parts) * LEVEL * 32767).astype(np.int16)


def _quiet(seconds: float) -> NDArray[np.float64]:
    return np.zeros(round(seconds * SAMPLE_RATE))


@cache
def tune() -> Samples:
    """Eight seconds that loop, for those on hold."""
    return _clip(*(_tone(note, 2 * note, seconds=_NOTE_S) for note in _TUNE))


@cache
def ringing_tone() -> Samples:
    """400 and 450 Hz, 0.4 s twice in 3 s (BS 6305)."""
    ring = _tone(400, 450, seconds=0.4)
    return _clip(ring, _quiet(0.2), ring, _quiet(2.0))


@cache
def engaged_tone() -> Samples:
    """400 Hz, 0.375 s on and off, for three seconds."""
    return _clip(*([_tone(400, seconds=0.375), _quiet(0.375)] * 4))


@cache
def recording_notice() -> Samples:
    """1400 Hz for half a second: the recording tone of ITU-T E.180."""
    return _clip(_tone(1400, seconds=0.5))


@cache
def unobtainable_tone() -> Samples:
    """400 Hz for two seconds."""
    return _clip(_tone(400, seconds=2.0))


@cache
def greeting() -> Samples:
    """What a mailbox says without a greeting of its own: four notes, as it has no voice."""
    return _clip(*(_tone(note, seconds=0.4) for note in _GREETING), _quiet(0.2))


@cache
def beep() -> Samples:
    """1 kHz for 0.4 s: speak now."""
    return _clip(_tone(1000, seconds=0.4), _quiet(0.1))


@cache
def confirmed() -> Samples:
    """Two short notes upwards: it is done, or somebody has come."""
    return _clip(_tone(660, seconds=0.15), _tone(880, seconds=0.15))


@cache
def departed() -> Samples:
    """Two short notes downwards: somebody has gone."""
    return _clip(_tone(880, seconds=0.15), _tone(660, seconds=0.15))


@cache
def denied() -> Samples:
    """Three low notes: that can't be done."""
    return _clip(*([_tone(300, seconds=0.15), _quiet(0.1)] * 3))
