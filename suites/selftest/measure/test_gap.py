"""Gaps in speech: what is missing is found where and as long as it is, whatever is heard in its place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.endpoints.media import Recording
from harness.errors import LocalError
from harness.measure.gap import PIECE_S, STEP_S, longest_gap
from harness.protocols.rtp.g711 import CODECS, SAMPLE_RATE, Samples
from harness.testbed.clips import read_clip

BEGAN = 100.0
"""Run time at which the speech begins."""
DELAY_S = 0.0837
SPOKEN = np.tile(read_clip("dispatch"), 3)[: 5 * SAMPLE_RATE]
INSTEAD = {
    "nothing": np.zeros(len(SPOKEN), np.int16),
    "music": np.tile(read_clip("announcements/hold-music"), 2)[: len(SPOKEN)],
    "other speech": np.tile(read_clip("call-taker"), 2)[: len(SPOKEN)],
}


def heard(lost: tuple[float, float] = (0.0, 0.0), instead: str = "nothing", *, begins: float = BEGAN) -> Recording:
    """The speech as the ear has it by G.711, with one stretch replaced; both ends in seconds of the speech."""
    made = SPOKEN.copy()
    first, last = (round(each * SAMPLE_RATE) for each in lost)
    made[first:last] = INSTEAD[instead][: last - first]
    late = np.concatenate([np.zeros(round(DELAY_S * SAMPLE_RATE), np.int16), made, np.zeros(SAMPLE_RATE, np.int16)])
    law = CODECS["PCMA"]
    samples: Samples = law.decode(law.encode(late))
    return Recording(begins, samples[round((begins - BEGAN) * SAMPLE_RATE) :])


@pytest.mark.parametrize("instead", INSTEAD)
@pytest.mark.parametrize("lost", [(1.0, 1.3), (1.0, 1.5), (2.0, 2.7), (0.0, 0.6), (3.5, 4.9)])
def test_a_gap_is_told_no_shorter_than_the_words_that_were_missed(lost: tuple[float, float], instead: str) -> None:
    gap = longest_gap(SPOKEN, BEGAN, heard(lost, instead), since_s=BEGAN)
    long = lost[1] - lost[0]
    assert long - PIECE_S <= gap.seconds <= long + PIECE_S + STEP_S
    assert gap.begins == pytest.approx(BEGAN + lost[0], abs=PIECE_S)
    assert gap.heard < 1.0


def test_speech_that_is_whole_has_no_gap_however_late_the_ear_began() -> None:
    for begins in (BEGAN, BEGAN + 0.7):
        gap = longest_gap(SPOKEN, BEGAN, heard(begins=begins), since_s=begins)
        assert (gap.seconds, gap.heard) == (0.0, 1.0)


@pytest.mark.parametrize("late_s", [0.3, 0.7, 1.5, 3.0])
def test_an_ear_that_began_after_the_act_has_missed_what_was_said_before(late_s: float) -> None:
    gap = longest_gap(SPOKEN, BEGAN, heard(begins=BEGAN + late_s), since_s=BEGAN)
    assert gap.seconds == pytest.approx(late_s, abs=DELAY_S + PIECE_S)
    assert gap.begins == BEGAN


def test_only_what_was_said_since_the_act_counts() -> None:
    missed = heard((0.5, 1.5))
    assert longest_gap(SPOKEN, BEGAN, missed, since_s=BEGAN).seconds > 0.9
    assert longest_gap(SPOKEN, BEGAN, missed, since_s=BEGAN + 1.0).seconds == pytest.approx(0.5, abs=PIECE_S)
    assert longest_gap(SPOKEN, BEGAN, missed, since_s=BEGAN + 1.6).seconds == 0.0


def test_speech_that_never_comes_is_one_gap() -> None:
    for instead in INSTEAD:
        gap = longest_gap(SPOKEN, BEGAN, heard((0.0, 5.0), instead), since_s=BEGAN)
        assert gap.seconds > 4.0


def test_speech_that_comes_later_than_a_conversation_bears_is_not_heard() -> None:
    early = heard()
    late = Recording(early.start + 0.6, early.samples)
    assert longest_gap(SPOKEN, BEGAN, late, since_s=BEGAN).seconds > 3.0


@pytest.mark.parametrize("deeper_s", [0.04, 0.08, 0.14, 0.3])
@pytest.mark.parametrize("at_s", [0.8, 2.5, 4.0])
def test_a_playout_that_becomes_deeper_in_mid_speech_hides_no_more_than_it_adds(at_s: float, deeper_s: float) -> None:
    whole = heard()
    at = round((at_s + DELAY_S) * SAMPLE_RATE)
    waits = np.zeros(round(deeper_s * SAMPLE_RATE), np.int16)
    deeper = Recording(whole.start, np.concatenate([whole.samples[:at], waits, whole.samples[at:]]))
    gap = longest_gap(SPOKEN, BEGAN, deeper, since_s=BEGAN)
    assert gap.seconds <= deeper_s + PIECE_S + STEP_S


@pytest.mark.parametrize(
    ("spoken", "recording", "since", "why"),
    [
        (SPOKEN, heard(), BEGAN + 60, "nothing was said, or nothing recorded"),
        (SPOKEN, Recording(BEGAN, np.zeros(0, np.int16)), BEGAN, "nothing was said, or nothing recorded"),
        (np.zeros(8000, np.int16), heard(), BEGAN, "only silence was said"),
    ],
)
def test_where_there_is_nothing_to_judge_it_is_said(
    spoken: Samples, recording: Recording, since: float, why: str
) -> None:
    with pytest.raises(LocalError, match=why):
        longest_gap(spoken, BEGAN, recording, since_s=since)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 3.5), st.floats(0.25, 1.2))
def test_wherever_the_gap_is_it_is_not_told_shorter_than_a_piece_less(begins: float, lasts: float) -> None:
    gap = longest_gap(SPOKEN, BEGAN, heard((begins, begins + lasts), "other speech"), since_s=BEGAN)
    # A pause at an end of the stretch is not missed by anybody, nor is it heard: it may count to the gap, or not.
    assert gap.seconds <= lasts + 2 * PIECE_S + longest_pause()
    assert gap.seconds >= lasts - PIECE_S - longest_pause()


def longest_pause() -> float:
    """The longest pause in the speech, seconds."""
    loud = np.abs(SPOKEN.astype(int)) > 300
    places = np.flatnonzero(loud)
    return float(np.diff(places).max() / SAMPLE_RATE)
