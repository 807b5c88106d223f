"""Whether words were heard that a playout buffer moved: found piece by piece, each near where the one before it was.

A playout buffer that becomes deeper or shallower moves all that comes after by some tens of milliseconds. A listener
hears every word; a correlation of the whole has one lag, at which only what came before the move, or after, is found.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.measure.correlate import Match, find

PIECE_S: Final = 1.0
"""Seconds of a piece: some words, too many to be found by chance."""
WANDER_S: Final = 0.25
"""How far a piece may lie from where the whole was found; what a jitter buffer can move."""


def words_found(reference: NDArray[np.int16], heard: NDArray[np.int16], *, rate: int) -> float:
    """How well ``reference`` is found in ``heard``, 0 to 1, as `correlate.correlation` has it, where pieces moved.

    Both at ``rate`` samples a second. Each piece of PIECE_S is looked for within WANDER_S of the place at which the
    whole was found; what they have in common is added up and divided by the energies of all. Raises LocalError as
    `correlate.find` does.
    """
    return _in_pieces(reference, heard, find(reference, heard), rate)


def how_like(reference: NDArray[np.int16], heard: NDArray[np.int16], *, rate: int) -> float:
    """How like ``reference`` what was heard is, 0 to 1: at one place, of which a part will do, or word by word.

    Raises LocalError as `correlate.find` does.
    """
    whole = find(reference, heard)
    return max(whole.peak, _in_pieces(reference, heard, whole, rate))


def _in_pieces(reference: NDArray[np.int16], heard: NDArray[np.int16], whole: Match, rate: int) -> float:
    spoken = reference.astype(np.float64) - reference.mean()
    wander, size = round(WANDER_S * rate), round(PIECE_S * rate)
    # What lies before and after was not heard: silence, so that a piece at the edge is compared with something.
    around = np.zeros(len(reference) + wander + size)
    line = np.concatenate([around, heard.astype(np.float64) - (heard.mean() if len(heard) else 0.0), around])
    common = of_spoken = of_heard = 0.0
    for start in range(0, len(spoken), size):
        piece = spoken[start : start + size]
        at = len(around) + round(whole.lag) + start
        near = line[at - wander : at + len(piece) + wander]
        raw = _correlated(near, piece)
        best = int(np.argmax(raw))
        common += float(raw[best])
        of_spoken += float(piece @ piece)
        stretch = near[best : best + len(piece)]
        of_heard += float(stretch @ stretch)
    found = common / np.sqrt(of_spoken * of_heard) if of_heard else 0.0
    return float(min(1.0, found))


def _correlated(near: NDArray[np.float64], piece: NDArray[np.float64]) -> NDArray[np.float64]:
    """The size of the correlation of ``piece`` at every place within ``near``, by FFT."""
    total = 1 << (len(near) + len(piece) - 1).bit_length()
    raw = np.fft.irfft(np.fft.rfft(near, total) * np.conj(np.fft.rfft(piece, total)), total)
    return np.abs(raw[: len(near) - len(piece) + 1])
