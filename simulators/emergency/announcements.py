"""What the network's operators and machines say, and the tones that they play. All speech is made for this project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from harness.endpoints.media.wav import read_wav
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

RING_HZ: Final = (400.0, 450.0)
"""The ringing tone of the United Kingdom (BT SIN 350)."""
RING_S: Final = ((0.4, True), (0.2, False), (0.4, True), (2.0, False))
"""Its cadence."""
RING_DBOV: Final = -22.0


def _ringing() -> Iterator[Samples]:
    amplitude = 32768.0 * 10 ** (RING_DBOV / 20)
    start = 0
    for seconds, sounds in RING_S:
        at = np.arange(start, start + round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        start += len(at)
        tone = sum(np.sin(2 * np.pi * hertz * at) for hertz in RING_HZ) * amplitude if sounds else np.zeros(len(at))
        yield np.asarray(tone).astype(np.int16)


@dataclass(frozen=True, slots=True)
class Announcements:
    """Clips of 8 kHz speech; each field is a file of the folder, with hyphens for underscores."""

    operator_service: Samples
    """Emergency, which service?"""
    operator_prompt: Samples
    """If you can't speak, tap or cough."""
    operator_connecting: Samples
    operator_handover: Samples
    """To the control room: an emergency call."""
    operator_silent: Samples
    """To the control room: the caller does not speak."""
    operator_text: Samples
    """To the control room: the caller writes."""
    operator_gone: Samples
    """To the control room: the caller has cleared."""
    operator_buddy: Samples
    """To the control room: for another authority, which does not answer."""
    operator_sorry: Samples
    """To the caller: nobody answers."""
    silent_solution: Samples
    """To the caller: press 55."""
    caller_999: Samples
    """What callers of a spate say."""

    @classmethod
    def load(cls, folder: Path) -> Announcements:
        """Read them. Raises MediaError where one is missing or is not 8 kHz, 16 bits, mono."""
        return cls(*(read_wav(folder / f"{each.name.replace('_', '-')}.wav") for each in fields(cls)))


def ringing_tone() -> Samples:
    """One round of the ringing tone; it loops."""
    return np.concatenate(list(_ringing()))
