"""Comfort noise: the payload of RFC 3389, and noise of the level and spectrum that it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MediaError, RtpError
from harness.protocols.rtp.comfort_noise import MAX_COEFFICIENTS, MAX_LEVEL, Noise, NoiseMaker, spectrum


def dbov(samples):
    return 20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)) / 32768)


@given(st.integers(0, MAX_LEVEL), st.lists(st.integers(0, 254), max_size=MAX_COEFFICIENTS))
def test_payloads_round_trip(level, coefficients):
    noise = Noise(level, tuple(coefficients))
    assert Noise.parse(noise.build()) == noise


@given(st.binary(max_size=60))
def test_any_payload_is_noise_or_an_rtp_error(payload):
    try:
        noise = Noise.parse(payload)
    except RtpError as error:
        assert "RFC 3389" in str(error)
    else:
        assert noise.level == payload[0]
        assert len(noise.coefficients) <= MAX_COEFFICIENTS


@pytest.mark.parametrize("noise", [Noise(-1), Noise(128), Noise(50, (255,)), Noise(50, (1,) * 33)])
def test_what_can_not_be_sent_is_our_own_error(noise):
    with pytest.raises(MediaError):
        noise.build()


@pytest.mark.parametrize("level", [30, 45, 60, 72])
@pytest.mark.parametrize("coefficients", [(), (200, 90, 127)])
def test_noise_has_the_level_that_was_told(level, coefficients):
    maker = NoiseMaker(1)
    maker.describe(Noise(level, coefficients))
    heard = np.concatenate([maker.frame(160) for _ in range(100)])
    assert dbov(heard) == pytest.approx(-level, abs=0.7)


def test_the_spectrum_is_that_of_the_reflection_coefficients():
    """One coefficient k is the filter 1 / (1 + k z^-1): low frequencies for a negative k, high ones for a positive."""
    low, high = spectrum((20,), 160), spectrum((234,), 160)
    assert low[0] > 5 * low[-1]
    assert high[-1] > 5 * high[0]
    assert np.allclose(spectrum((127,), 160), 1.0)
    k = (20 - 127) / 127
    omega = np.pi * np.arange(81) / 80
    theory = 1 / np.abs(1 + k * np.exp(-1j * omega))
    assert np.allclose(low / low[0], theory / theory[0])


def test_the_extreme_coefficients_do_not_ring_for_ever():
    maker = NoiseMaker(1)
    maker.describe(Noise(40, (0, 254, 0, 254)))
    heard = np.concatenate([maker.frame(160) for _ in range(50)])
    assert dbov(heard) == pytest.approx(-40, abs=3)


def test_one_seed_makes_one_noise():
    first, second = NoiseMaker(7), NoiseMaker(7)
    for maker in (first, second):
        maker.describe(Noise(50))
    assert np.array_equal(first.frame(160), second.frame(160))


def test_silence_is_silent():
    maker = NoiseMaker(1)
    maker.describe(Noise(MAX_LEVEL))
    assert not maker.frame(160).any()
