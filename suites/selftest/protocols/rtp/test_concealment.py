"""Packet loss concealment: the pitch goes on, fades, and joins what comes back without a click."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.rtp.concealment import FADED_S, HELD_S, Concealer


def voiced(seconds, rate=8000, pitch=110.0):
    """A vowel: harmonics of a pitch."""
    time = np.arange(round(seconds * rate)) / rate
    wave = sum(np.sin(2 * np.pi * pitch * number * time) / number for number in range(1, 12))
    return (wave * 4000).astype(np.int16)


def after(speech, rate=8000):
    """A concealer that has heard it, frame by frame."""
    concealer, frame = Concealer(rate), rate // 50
    for begin in range(0, len(speech), frame):
        concealer.heard(speech[begin : begin + frame])
    return concealer


@pytest.mark.parametrize("rate", [8000, 16_000])
@pytest.mark.parametrize("pitch", [80.0, 110.0, 180.0])
def test_the_pitch_goes_on_in_place(rate, pitch):
    speech = voiced(0.2, rate, pitch)
    made = after(speech[: -rate // 50], rate).conceal(rate // 100, np.zeros(0, np.int16))
    due = speech[-rate // 50 :][: rate // 100]
    likeness = np.dot(made.astype(float), due) / np.linalg.norm(made.astype(float)) / np.linalg.norm(due.astype(float))
    assert likeness > 0.9
    assert np.linalg.norm(made.astype(float)) == pytest.approx(np.linalg.norm(due.astype(float)), rel=0.2)


def test_it_keeps_its_strength_then_fades_to_nothing():
    concealer = after(voiced(0.2))
    made = np.concatenate([concealer.conceal(160, np.zeros(0, np.int16)) for _ in range(4)])
    level = [np.abs(made[begin : begin + 80].astype(int)).max() for begin in range(0, 640, 80)]
    assert level[0] > 3000
    assert level[0] > level[2] > level[3] > level[4] > level[5]
    assert not made[round(FADED_S * 8000) :].any()
    assert HELD_S == 0.010


def test_no_click_where_it_begins_and_where_speech_comes_back():
    speech = voiced(0.3)
    steepest = np.abs(np.diff(speech.astype(int))).max()
    concealer = after(speech[:1600])
    made = concealer.conceal(160, np.zeros(0, np.int16))
    back = concealer.resume(speech[1760:1920])
    joined = np.concatenate([speech[:1600], made, back]).astype(int)
    assert np.abs(np.diff(joined)).max() < 1.5 * steepest
    assert not concealer.busy
    assert np.array_equal(back[32:], speech[1792:1920])


def test_with_nothing_heard_there_is_nothing_to_repeat():
    concealer = Concealer(8000)
    assert not concealer.conceal(160, np.zeros(0, np.int16)).any()
    concealer.forget()
    concealer.heard(np.zeros(160, np.int16))
    assert not concealer.conceal(160, np.zeros(0, np.int16)).any()


def test_after_the_stream_is_over_its_voice_is_not_heard_again():
    concealer = after(voiced(0.2))
    concealer.forget()
    assert not concealer.conceal(160, np.zeros(0, np.int16)).any()


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 160)), max_size=30), st.integers(0, 2**32 - 1))
def test_no_row_of_gaps_breaks_it(steps, seed):
    rng = np.random.default_rng(seed)
    concealer = Concealer(8000)
    for lost, count in steps:
        if lost:
            assert len(concealer.conceal(count, np.zeros(0, np.int16))) == count
        else:
            samples = rng.integers(-32768, 32767, count).astype(np.int16)
            samples = concealer.resume(samples) if concealer.busy else samples
            concealer.heard(samples)
            assert len(samples) == count
