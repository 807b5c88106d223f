"""Words that a playout buffer moved are heard; words that are missing, others' or out of order are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.endpoints.media.wav import read_wav
from harness.errors import LocalError
from harness.measure.correlate import correlation
from harness.measure.words import how_like, words_found

AUDIO = Path(__file__).parents[3] / "fixtures" / "audio"
NAMES = ("announcements/ivr-main", "call-taker", "caller-999", "dispatch", "officer-reply")
CLIPS = {name: read_wav(AUDIO / f"{name}.wav") for name in NAMES}
SAID = CLIPS["announcements/ivr-main"]
RATE = 8000


def silence(ms: float) -> np.ndarray:
    return np.zeros(round(ms * RATE / 1000), np.int16)


def test_words_moved_by_a_buffer_that_grew_and_shrank_are_heard() -> None:
    third = len(SAID) // 3
    moved = np.concatenate(
        [silence(500), SAID[:third], silence(60), SAID[third : 2 * third], SAID[2 * third + 320 :], silence(300)]
    )
    assert correlation(SAID, moved) < 0.8  # one lag finds a part of it
    assert words_found(SAID, moved, rate=RATE) > 0.9


def test_what_was_heard_whole_scores_as_ever() -> None:
    line = np.concatenate([silence(700), SAID, silence(100)])
    assert words_found(SAID, line, rate=RATE) > 0.99
    assert words_found(SAID, -(line // 3), rate=RATE) > 0.99


def test_a_third_that_is_missing_or_garbled_is_not_heard() -> None:
    third = len(SAID) // 3
    for instead in (np.zeros(third, np.int16), np.resize(CLIPS["dispatch"], third)):
        line = np.concatenate([silence(200), SAID[:third], instead, SAID[2 * third :]])
        assert words_found(SAID, line, rate=RATE) < 0.9
    assert words_found(SAID, np.concatenate([SAID[:third], silence(5_000)]), rate=RATE) < 0.75


def test_words_in_another_order_are_not_heard() -> None:
    half = len(SAID) // 2
    assert words_found(SAID, np.concatenate([SAID[half:], SAID[:half]]), rate=RATE) < 0.8


@pytest.mark.parametrize("said", NAMES)
@pytest.mark.parametrize("other", NAMES)
def test_other_speech_is_not_taken_for_it(said: str, other: str) -> None:
    score = words_found(CLIPS[said], np.concatenate([silence(300), CLIPS[other]]), rate=RATE)
    assert score > 0.95 if said == other else score < 0.5


def test_silence_noise_and_next_to_nothing_hold_no_words() -> None:
    noise = np.random.default_rng(2).normal(0, 3000, 80_000).astype(np.int16)
    assert words_found(SAID, noise, rate=RATE) < 0.3
    assert words_found(SAID, silence(5_000), rate=RATE) == 0.0
    assert words_found(SAID, silence(0), rate=RATE) == 0.0
    with pytest.raises(LocalError, match="silent"):
        words_found(silence(2_000), SAID, rate=RATE)


def test_a_part_at_one_place_or_the_whole_in_pieces_will_do() -> None:
    part = np.concatenate([silence(100), SAID[len(SAID) // 3 :]])
    assert words_found(SAID, part, rate=RATE) < 0.9 < how_like(SAID, part, rate=RATE)
    third = len(SAID) // 3
    moved = np.concatenate([silence(500), SAID[:third], silence(60), SAID[third:]])
    assert correlation(SAID, moved) < 0.9 < how_like(SAID, moved, rate=RATE)
    assert how_like(SAID, CLIPS["dispatch"], rate=RATE) < 0.5
