"""The E-model against published figures: G.107's defaults and table, G.113's impairment of G.711 by loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LocalError
from harness.measure.emodel import (
    EQUIPMENT,
    G711_BARE,
    UNCONFIRMED_EQUIPMENT,
    Transmission,
    delay_impairment,
    effective_impairment,
    quality,
    rating,
    score,
)


def test_the_default_values_give_the_published_rating():
    """G.107 section 7.7: R = 93.2 at the defaults, and a score of 4.41."""
    assert rating(Transmission()) == pytest.approx(93.2, abs=0.05)
    assert quality("PCMA").mos == pytest.approx(4.41, abs=0.005)


@pytest.mark.parametrize(
    ("r", "mos"), [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58), (0, 1.0), (100, 4.5)]
)
def test_ratings_stand_for_the_published_scores(r, mos):
    """G.107 annex B, table B.1 (user satisfaction)."""
    assert score(r) == pytest.approx(mos, abs=0.01)


@pytest.mark.parametrize(
    ("percent", "ie"), [(0, 0), (1, 5), (2, 7), (3, 10), (5, 15), (7, 20), (10, 25), (15, 35), (20, 45)]
)
def test_g711_with_concealment_loses_what_g113_says(percent, ie):
    """G.113 appendix I, G.711 with packet loss concealment, random loss; the equation follows the table within 3."""
    assert effective_impairment(EQUIPMENT["PCMA"], percent / 100) == pytest.approx(ie, abs=3)


@pytest.mark.parametrize(("percent", "ie"), [(0, 0), (1, 25), (2, 35), (3, 45), (5, 55)])
def test_g711_without_concealment_loses_far_more(percent, ie):
    """The older table for G.711 without concealment; the equation with Bpl 4.3 is the kinder by up to 8."""
    bare = effective_impairment(G711_BARE, percent / 100)
    assert ie - 8 <= bare <= ie + 1
    assert quality("PCMU", loss=percent / 100, concealed=False).r == pytest.approx(93.21 - bare, abs=0.01)


@pytest.mark.parametrize(("percent", "ie"), [(0, 11), (1, 15), (2, 19), (3, 23), (4, 26)])
def test_g729a_loses_what_g113_says(percent, ie):
    """G.113 appendix I, table I.2: G.729A with VAD."""
    assert effective_impairment(EQUIPMENT["G729"], percent / 100) == pytest.approx(ie, abs=1)


def test_delay_costs_nothing_up_to_100_ms_and_much_beyond_250():
    """G.107 equation 7-27; G.114 figure 1's curve."""
    assert delay_impairment(100) == 0
    assert delay_impairment(150) < 0.5
    assert delay_impairment(200) == pytest.approx(3.05, abs=0.1)
    assert delay_impairment(300) == pytest.approx(14.8, abs=0.2)
    assert delay_impairment(400) == pytest.approx(24.1, abs=0.2)


def test_the_talkers_own_echo_costs_more_the_later_it_comes():
    ratings = [quality("PCMA", delay_ms=delay, echo=True).r for delay in (0, 50, 100, 200, 400)]
    assert ratings == sorted(ratings, reverse=True)
    assert ratings[2] < quality("PCMA", delay_ms=100).r


def test_losses_in_rows_are_worse_than_random_ones():
    """G.107 equation 7-29: the burst ratio weakens the robustness."""
    assert quality("PCMA", loss=0.05, burst_ratio=2).r < quality("PCMA", loss=0.05).r
    assert effective_impairment(EQUIPMENT["PCMA"], 0.05, 2) == pytest.approx(95 * 5 / (5 / 2 + 25.1))


@pytest.mark.parametrize("codec", sorted(UNCONFIRMED_EQUIPMENT))
def test_wideband_is_rated_on_its_own_scale_and_says_what_is_not_confirmed(codec):
    clean, lossy = quality(codec), quality(codec, loss=0.03, delay_ms=200)
    assert clean.wideband
    assert not clean.confirmed
    assert 93.2 < clean.r <= 129
    assert 1 <= lossy.mos < clean.mos <= 4.5
    assert quality("G722").r == pytest.approx(116)  # 129 less the 13 of G.113 appendix IV


@given(
    st.sampled_from([*EQUIPMENT, *UNCONFIRMED_EQUIPMENT]),
    st.floats(0, 10_000),
    st.floats(0, 1),
    st.floats(0.1, 50),
    st.booleans(),
)
def test_every_rating_is_in_its_range_and_never_better_with_more_loss(codec, delay, loss, burst, echo):
    given_ = quality(codec, delay_ms=delay, loss=loss, burst_ratio=burst, echo=echo)
    worse = quality(codec, delay_ms=delay, loss=min(1.0, loss + 0.05), burst_ratio=burst, echo=echo)
    assert 0 <= given_.r <= 129
    assert 1 <= worse.mos <= given_.mos + 1e-9 <= 4.5 + 1e-9


@pytest.mark.parametrize(
    "bad", [{"loss": -0.1}, {"loss": 1.5}, {"delay_ms": -1}, {"burst_ratio": 0}, {"delay_ms": 1e9}]
)
def test_what_can_not_be_rated_is_refused(bad):
    with pytest.raises(LocalError):
        quality("PCMA", **bad)


def test_a_codec_without_figures_is_refused_with_those_there_are():
    with pytest.raises(LocalError, match=r"'GSM'; there is PCMA"):
        quality("GSM")
