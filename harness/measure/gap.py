"""Gaps in speech: the longest stretch of what was said that the ear did not get, found piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.endpoints.media.api import Recording
from harness.errors import LocalError

PIECE_S: Final = 0.1
"""Length of the pieces in which speech is looked for. One that is heard vouches for its middle, so a gap is told too
long rather than too short, by at most this."""
STEP_S: Final = 0.02
"""From one piece's start to the next one's."""
LIKE: Final = 0.95
"""Normalised correlation from which a piece counts as heard. G.711 gives over 0.99, a piece with one packet missing
about 0.9, other speech by chance up to 0.9, as vowels are alike. It is not for codecs that keep the waveform less."""
MAX_DELAY_S: Final = 0.5
"""The latest that a piece may come and still be heard: later speech is a gap in any conversation."""
DRIFT_S: Final = 0.06
"""How far pieces may lie off the delay that most have: what a playout buffer may add or take away in mid-speech."""
SAME_S: Final = 0.005
"""How far the delays of pieces that came the same way may lie apart. A playout buffer that becomes deeper in mid-speech
after a late packet changes it by more, once: those before and those after agree among each other."""
AROUND_S: Final = 0.5
"""How far to both sides of a piece others may vouch for it."""
VOUCHED_S: Final = 0.2
"""So much must have come the same way, off the delay that most have, to count as heard: what is alike by chance is
less."""
AUDIBLE_DB: Final = -30.0
"""Pieces quieter than this against the loudest are pauses, in which nothing can be missed."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The longest stretch that was not heard."""

    seconds: float
    """Its length; 0 where every piece was heard."""
    begins: float
    """Run time at which the first word that was missed was said, seconds."""
    heard: float
    """Share of the pieces with speech that were heard, 0-1."""


def longest_gap(spoken: NDArray[np.int16], spoken_start_s: float, heard: Recording, *, since_s: float) -> Gap:
    """The longest stretch of `spoken` said from run time `since_s` on that is not in `heard`.

    `spoken` is at `heard.rate`, its first sample left at run time `spoken_start_s`. A pause in the speech neither makes
    a gap nor ends one. Raises LocalError where nothing was said in that time, or the recording ends before the speech
    did: there is nothing to judge then.
    """
    rate = heard.rate
    piece, step = round(PIECE_S * rate), round(STEP_S * rate)
    first = max(0, round((since_s - spoken_start_s) * rate))
    # what was said so late that the recording can't hold it any more is not judged
    last = min(len(spoken), round((heard.start - spoken_start_s - MAX_DELAY_S) * rate) + len(heard.samples))
    starts = np.arange(first, last - piece + 1, step)
    if not len(starts):
        raise LocalError("nothing was said, or nothing recorded, in the time that is looked at for gaps")
    windows = np.lib.stride_tricks.sliding_window_view(spoken.astype(np.float64), piece)[starts]
    windows = windows - windows.mean(axis=1, keepdims=True)
    energy = (windows**2).sum(axis=1)
    audible = energy > energy.max() * 10 ** (AUDIBLE_DB / 10)
    if not energy.max() or not audible.any():
        raise LocalError("only silence was said in the time that is looked at for gaps")

    shift = round((spoken_start_s - heard.start) * rate)
    delays, scores = _matches(windows, starts + shift, heard.samples, round(MAX_DELAY_S * rate))
    good = audible & (scores >= LIKE)
    if good.any():
        usual = np.abs(delays - np.median(delays[good])) <= DRIFT_S * rate
        good &= usual | _vouched(starts, delays, good, rate)
    return _longest(starts, audible, good, spoken_start_s, rate, piece)


def _matches(
    windows: NDArray[np.float64], due: NDArray[np.int_], heard: NDArray[np.int16], reach: int
) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """For each piece, the delay in samples at which it is most like what was heard, and how like."""
    piece = windows.shape[1]
    delays, scores = np.zeros(len(windows), int), np.zeros(len(windows))
    size = 1 << (2 * piece + reach).bit_length()
    padded = np.concatenate([heard.astype(np.float64), np.zeros(reach + piece)])
    for number, (window, at) in enumerate(zip(windows, due, strict=True)):
        stretch = padded[max(0, at) : max(0, at + reach + piece)]
        if len(stretch) < piece:
            continue
        raw = np.fft.irfft(np.fft.rfft(stretch, size) * np.conj(np.fft.rfft(window, size)), size)
        raw = raw[: len(stretch) - piece + 1]
        sums, squares = (np.concatenate([[0.0], np.cumsum(each)]) for each in (stretch, stretch**2))
        within = squares[piece:] - squares[:-piece] - (sums[piece:] - sums[:-piece]) ** 2 / piece
        # what is next to silent is like nothing: one code of G.711 on average
        scale = np.sqrt(np.maximum(within, piece * 64.0) * (window @ window or 1.0))
        best = int(np.argmax(raw / scale))
        delays[number], scores[number] = best + max(0, at) - at, raw[best] / scale[best]
    return delays, scores


def _vouched(
    starts: NDArray[np.int_], delays: NDArray[np.int_], alike: NDArray[np.bool_], rate: int
) -> NDArray[np.bool_]:
    """Which pieces have enough others around them that came by the same delay: by chance, each comes by its own."""
    vouched = np.zeros(len(starts), bool)
    places = np.flatnonzero(alike)
    at, by = starts[places], delays[places]
    firsts = np.searchsorted(at, at - AROUND_S * rate)
    lasts = np.searchsorted(at, at + AROUND_S * rate, side="right")
    for place, delay, first, last in zip(places, by, firsts, lasts, strict=True):
        same = np.abs(by[first:last] - delay) <= SAME_S * rate
        vouched[place] = same.sum() * STEP_S >= VOUCHED_S
    return vouched


def _longest(
    starts: NDArray[np.int_],
    audible: NDArray[np.bool_],
    good: NDArray[np.bool_],
    spoken_start_s: float,
    rate: int,
    piece: int,
) -> Gap:
    """The longest way from one heard piece to the next with a missed one between, or from and to the ends."""
    longest, begins = 0, int(starts[0])
    covered, missed = int(starts[0]), False
    for start, speaks, found in zip(starts, audible, good, strict=True):
        middle = int(start) + piece // 2
        if found:
            if missed and middle - covered > longest:
                longest, begins = middle - covered, covered
            covered, missed = middle, False
        missed = missed or bool(speaks and not found)
    end = int(starts[-1]) + piece
    if missed and end - covered > longest:
        longest, begins = end - covered, covered
    share = float(good.sum() / audible.sum())
    return Gap(round(longest / rate, 3), round(spoken_start_s + begins / rate, 3), round(share, 3))
