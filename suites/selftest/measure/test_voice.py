"""Intelligibility falls as a path gets worse; a message is delivered only where each of its words was understood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.media.vocoder import Vocoder, vocoded
from harness.endpoints.media.wav import read_wav
from harness.errors import LocalError
from harness.measure.voice import delivered, intelligibility, psud, quality
from harness.protocols.rtp.g711 import CODECS

AUDIO = Path(__file__).parents[3] / "fixtures" / "audio"
SAID = read_wav(AUDIO / "dispatch.wav")


def noisy(snr_db: float) -> np.ndarray:
    level = float(np.sqrt(np.mean(SAID.astype(float) ** 2))) * 10 ** (-snr_db / 20)
    sound = SAID + np.random.default_rng(1).normal(0, level, len(SAID))
    return np.clip(sound, -32768, 32767).astype(np.int16)


def test_speech_as_it_was_said_is_understood_whole_and_g711_hardly_hurts_it() -> None:
    law = CODECS["PCMU"]
    assert intelligibility(SAID, SAID) > 0.99
    assert intelligibility(SAID, law.decode(law.encode(SAID))) > 0.97


def test_the_more_noise_the_less_is_understood() -> None:
    scores = [intelligibility(SAID, noisy(snr)) for snr in (20, 10, 0, -10)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] - scores[-1] > 0.3


def test_lost_frames_are_heard() -> None:
    whole, broken = (intelligibility(SAID, vocoded(SAID, Vocoder(loss=loss), 1)) for loss in (0.0, 0.4))
    assert whole - broken > 0.1


def test_quality_is_told_or_it_is_said_that_it_is_not_installed() -> None:
    try:
        clean, worse = quality(SAID, SAID), quality(SAID, noisy(5))
    except LocalError as error:
        assert "not installed" in str(error)
    else:
        assert clean > worse
        assert clean > 4.0
    with pytest.raises(LocalError, match="8000 and 16000"):
        quality(SAID, SAID, rate=44_100)


def test_silence_and_too_little_speech_are_refused() -> None:
    with pytest.raises(LocalError, match="silent"):
        intelligibility(np.zeros(8_000, np.int16), SAID)
    with pytest.raises(LocalError, match="too little"):
        intelligibility(SAID[:100], SAID[:100])


def test_a_message_is_delivered_where_all_its_words_are() -> None:
    words = [1.0, 0.9, 0.4, 0.8, 0.7]
    assert delivered(words, 0.5, 1.0) == [True, False, False, True]
    assert delivered(words, 0.5, 2.5) == [False]
    with pytest.raises(LocalError, match="5 words"):
        delivered(words, 0.5, 3.0)


@given(st.integers(0, 2**16), st.sampled_from([0.2, 0.5, 0.9]))
def test_psud_of_words_that_fail_by_chance_is_their_chance_to_the_power_of_the_words(seed: int, share: float) -> None:
    chance = np.random.default_rng(seed)
    transmissions = [list((chance.random(4) < share).astype(float)) for _ in range(1_000)]
    found = psud(transmissions, 0.5, 1.0)
    assert found.value == pytest.approx(share**2, abs=0.08)
    assert found.low <= found.value <= found.high


def test_longer_messages_are_delivered_less_often() -> None:
    chance = np.random.default_rng(5)
    transmissions = [list((chance.random(10) < 0.9).astype(float)) for _ in range(300)]
    shares = [psud(transmissions, 0.5, seconds).value for seconds in (0.5, 1.5, 5.0)]
    assert shares == sorted(shares, reverse=True)
    with pytest.raises(LocalError, match="needs 8"):
        psud(transmissions[:3], 0.5, 0.5)
