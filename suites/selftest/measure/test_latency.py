"""Mouth-to-ear latency against delays that we put in ourselves, and correlation against sounds that are not the one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.endpoints.media.api import Recording
from harness.endpoints.media.vocoder import Resynthesis, Vocoder, vocoded
from harness.endpoints.media.wav import read_wav
from harness.errors import LocalError
from harness.measure.correlate import correlation, find
from harness.measure.latency import Method, mouth_to_ear
from harness.protocols.rtp.g711 import CODECS

AUDIO = Path(__file__).parents[3] / "fixtures" / "audio"
CALLER = read_wav(AUDIO / "caller-999.wav")
OTHERS = [read_wav(AUDIO / f"{name}.wav") for name in ("call-taker", "dispatch", "officer-reply")]


def heard_after(delay_s, *, gain=1.0, noise=0.0, law="PCMA", tail=4000, clip=CALLER):
    """What a port would record of `clip`: silence, then the clip, shifted to a fraction of a sample, noisy, coded."""
    whole, rest = divmod(delay_s * 8000, 1)
    spectrum = np.fft.rfft(np.concatenate([clip.astype(float), np.zeros(tail)]))
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(len(clip) + tail) * rest)
    moved = np.fft.irfft(spectrum * turn, len(clip) + tail)
    sound = np.concatenate([np.zeros(int(whole)), moved]) * gain
    sound += np.random.default_rng(1).normal(0, noise, len(sound))
    codec = CODECS[law]
    return codec.decode(codec.encode(np.clip(sound, -32768, 32767).astype(np.int16)))


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0, 1.2),
    st.sampled_from([0.05, 0.5, 1.0, 1.9, -1.0]),
    st.sampled_from(["PCMA", "PCMU"]),
    st.floats(0, 500),
)
def test_the_delay_that_was_put_in_comes_out(delay, gain, law, start):
    heard = Recording(start, heard_after(delay, gain=gain, noise=300 * abs(gain), law=law))
    latency = mouth_to_ear(CALLER, start, heard)
    assert latency.ms == pytest.approx(delay * 1000, abs=1.0)
    assert latency.confidence > 0.9


def test_a_recording_that_began_after_the_speech_is_told_right():
    whole = heard_after(0.200)
    heard = Recording(10.0 + 1.0, whole[8000:])  # began a second late: the delay is still 200 ms
    assert mouth_to_ear(CALLER, 10.0, heard).ms == pytest.approx(200, abs=1.0)


def test_a_second_of_leading_silence_does_not_count_as_delay():
    heard = Recording(99.0, heard_after(1.150))
    assert mouth_to_ear(CALLER, 100.0, heard).ms == pytest.approx(150, abs=1.0)


def test_a_fifth_of_the_frames_lost_is_still_recognised():
    sound = heard_after(0.1).copy()
    for frame in range(0, len(sound) - 160, 800):
        sound[frame : frame + 160] = 0
    latency = mouth_to_ear(CALLER, 0.0, Recording(0.0, sound))
    assert latency.ms == pytest.approx(100, abs=1.0)
    assert 0.7 < latency.confidence < 0.97


@pytest.mark.parametrize("other", range(3))
def test_other_speech_is_not_taken_for_it(other):
    assert correlation(CALLER, heard_after(0.3, clip=OTHERS[other])) < 0.35
    with pytest.raises(LocalError, match="not heard"):
        mouth_to_ear(CALLER, 0.0, Recording(0.0, heard_after(0.3, clip=OTHERS[other])))


def test_the_same_file_correlates_and_noise_or_silence_does_not():
    noise = np.random.default_rng(2).normal(0, 3000, 40000).astype(np.int16)
    assert correlation(CALLER, heard_after(0.05)) > 0.95
    assert correlation(CALLER, noise) < 0.2
    assert correlation(CALLER, np.zeros(40000, np.int16)) == 0.0
    assert correlation(CALLER, np.zeros(10, np.int16)) == 0.0


def test_a_snippet_at_the_edge_does_not_pass_for_the_whole():
    # only the last tenth of the clip was heard: half of it must be there
    assert correlation(CALLER, np.concatenate([CALLER[-3300:], np.zeros(30000, np.int16)])) < 0.5


def test_the_lag_may_be_negative_and_between_samples():
    assert find(CALLER, CALLER[4000:]).lag == pytest.approx(-4000, abs=0.01)
    assert find(CALLER, heard_after(0.1 + 0.4 / 8000)).lag == pytest.approx(800.4, abs=0.15)


@pytest.mark.parametrize(
    ("reference", "heard", "told"),
    [
        (np.zeros(8000, np.int16), CALLER, "silent"),
        (CALLER[:100], CALLER, "too short"),
        (CALLER, np.zeros(5_000_000, np.int16), "at most"),
    ],
)
def test_what_can_not_be_compared_is_named(reference, heard, told):
    with pytest.raises(LocalError, match=told):
        find(reference, heard)


def through_a_vocoder(delay_s, how, *, seed=1, snr_db=5.0, clip=CALLER):
    """What is recorded of a clip behind a vocoder's stand-in, with noise that far below the speech."""
    spoken = vocoded(clip, how, seed)
    whole = round(delay_s * 8000)
    sound = np.concatenate([np.zeros(whole), spoken.astype(float), np.zeros(4000)])
    level = float(np.sqrt(np.mean(spoken.astype(float) ** 2))) * 10 ** (-snr_db / 20)
    sound += np.random.default_rng(seed).normal(0, level, len(sound))
    return np.clip(sound, -32768, 32767).astype(np.int16), whole / 8000


@pytest.mark.parametrize("resynthesis", [Resynthesis.SCRAMBLED, Resynthesis.PARAMETRIC])
@pytest.mark.parametrize("delay_s", [0.05, 0.18, 0.4, 0.9])
def test_a_delay_is_found_within_five_ms_through_a_vocoder_that_keeps_no_waveform(delay_s, resynthesis):
    for number, clip in enumerate([CALLER, *OTHERS]):
        samples, truth = through_a_vocoder(delay_s, Vocoder(resynthesis=resynthesis), seed=number, clip=clip)
        found = mouth_to_ear(clip, 10.0, Recording(10.0, samples), Method.ENVELOPE)
        assert found.ms == pytest.approx(1000 * truth, abs=5.0)


def test_the_envelope_is_taken_where_the_waveform_is_gone_and_the_waveform_where_it_is_there():
    samples, truth = through_a_vocoder(0.2, Vocoder(resynthesis=Resynthesis.PARAMETRIC))
    found = mouth_to_ear(CALLER, 0.0, Recording(0.0, samples))
    assert (found.method, found.ms) == (Method.ENVELOPE, pytest.approx(1000 * truth, abs=5.0))
    kept = mouth_to_ear(CALLER, 0.0, Recording(0.0, heard_after(0.2)))
    assert (kept.method, kept.ms) == (Method.WAVEFORM, pytest.approx(200.0, abs=1.0))


def test_lost_frames_and_a_clipped_front_do_not_shift_the_delay():
    how = Vocoder(loss=0.05, front_clip_s=0.25)
    samples, truth = through_a_vocoder(0.3, how, snr_db=20.0)
    found = mouth_to_ear(CALLER, 0.0, Recording(0.0, samples), Method.ENVELOPE)
    assert found.ms == pytest.approx(1000 * truth, abs=5.0)


@pytest.mark.parametrize("method", list(Method))
def test_other_speech_is_not_taken_for_the_one_that_was_said(method):
    for other in OTHERS:
        samples, _ = through_a_vocoder(0.2, Vocoder(), clip=other)
        with pytest.raises(LocalError, match="was not heard"):
            mouth_to_ear(CALLER, 0.0, Recording(0.0, samples), method)
