"""How well speech came through: intelligibility (STOI), quality (PESQ), and the probability of successful delivery.

STOI (Taal and others, 2011; PyPI `pystoi`) tells how much is understood, 0-1. PESQ (ITU-T P.862; PyPI `pesq`, an extra)
tells how it sounds, 1.0-4.6 MOS. PSuD (NISTIR 8261) is the probability that a message of a given length is heard whole:
each of its words understood. Whole-clip scores hide a front that was cut off; PSuD and the access time don't.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.errors import LocalError
from harness.measure.access.curve import LEVEL, Interval
from harness.protocols.rtp.g711 import SAMPLE_RATE

UNDERSTOOD: Final = 0.5
"""Intelligibility from which a word counts as understood (NIST's threshold)."""
LEAST_MESSAGES: Final = 8
RESAMPLES: Final = 2_000
"""Of the bootstrap that gives PSuD's interval."""
_TOO_SHORT_S: Final = 0.5


def intelligibility(spoken: NDArray[np.int16], heard: NDArray[np.int16], rate: int = SAMPLE_RATE) -> float:
    """STOI of speech that was heard against what was spoken, 0-1. Both aligned, at `rate`. Raises LocalError."""
    ours, theirs = _pair(spoken, heard, rate)
    from pystoi import stoi  # noqa: PLC0415 - takes a second to import

    return float(np.clip(stoi(ours, theirs, rate), 0.0, 1.0))


def quality(spoken: NDArray[np.int16], heard: NDArray[np.int16], rate: int = SAMPLE_RATE) -> float:
    """PESQ of speech that was heard against what was spoken, MOS-LQO 1.0-4.6: narrowband at 8 kHz, wideband at 16 kHz.

    Raises LocalError where `pesq` is not installed (the extra `quality`), the rate is another, or no speech is there.
    """
    if rate not in (8_000, 16_000):
        raise LocalError(f"PESQ is for 8000 and 16000 samples a second, not {rate}")
    ours, theirs = _pair(spoken, heard, rate)
    try:
        from pesq import PesqError, pesq  # noqa: PLC0415 - an extra
    except ImportError:
        raise LocalError(
            "PESQ is not installed: pip install 'iccs-acceptance-harness[quality]' (needs a C compiler)"
        ) from None
    try:
        return float(pesq(rate, ours, theirs, "nb" if rate == SAMPLE_RATE else "wb"))
    except PesqError as error:
        raise LocalError(f"PESQ can't tell: {error}") from None


def _pair(
    spoken: NDArray[np.int16], heard: NDArray[np.int16], rate: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as floats of one length. Raises LocalError."""
    size = min(len(spoken), len(heard))
    if size < _TOO_SHORT_S * rate:
        raise LocalError(f"{size / rate:.2f} s of speech is too little to judge; {_TOO_SHORT_S} s at least")
    ours, theirs = spoken[:size].astype(np.float64), heard[:size].astype(np.float64)
    if not ours.any():
        raise LocalError("what was spoken is silent: there is nothing to judge")
    return ours, theirs


def delivered(words: Sequence[float], word_s: float, message_s: float, threshold: float = UNDERSTOOD) -> list[bool]:
    """Whether each message of `message_s` seconds that began with a word of a row was heard whole.

    `words`: the intelligibility of consecutive words, each `word_s` long. Raises LocalError where the row is shorter.
    """
    each = ceil(message_s / word_s - 1e-9) if word_s > 0 else 0
    if each < 1 or each > len(words):
        raise LocalError(f"messages of {message_s:g} s in {len(words)} words of {word_s:g} s")
    good = [word >= threshold for word in words]
    return [all(good[at : at + each]) for at in range(len(good) - each + 1)]


def psud(
    transmissions: Sequence[Sequence[float]], word_s: float, message_s: float, *, level: float = LEVEL, seed: int = 0
) -> Interval:
    """The probability of successful delivery of messages of `message_s` seconds, from the front of each transmission.

    `transmissions`: of each the intelligibility of its words. The interval is a bootstrap's over transmissions, for the
    words of one share their fate. Raises LocalError with fewer than LEAST_MESSAGES.
    """
    whole = np.array([delivered(words, word_s, message_s)[0] for words in transmissions], np.float64)
    if len(whole) < LEAST_MESSAGES:
        raise LocalError(f"{len(whole)} transmissions; a probability needs {LEAST_MESSAGES} at least")
    chance = np.random.default_rng(seed)
    means = whole[chance.integers(0, len(whole), (RESAMPLES, len(whole)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(whole.mean()), float(low), float(high), level)
