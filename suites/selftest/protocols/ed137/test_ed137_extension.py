"""The ED-137 header extension: both layouts round trip, odd bits are a finding, bad bytes a named error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import Ed137Error, Ed137LocalError
from harness.protocols.ed137.extension import Layout, Ptt, RadioState, mislabelled, read, write
from harness.protocols.ed137.features import (
    ClimaxDelay,
    DelayAnswer,
    DelayRequest,
    Feature,
    Method,
    RemoteControl,
    SignalQuality,
    Unknown,
)
from harness.protocols.rtp.rtp import Extension

ticks, short = st.integers(0, (1 << 23) - 1), st.integers(0, 0xFFFF)
flags = st.booleans()
features_2011: st.SearchStrategy[Feature] = st.one_of(
    st.builds(SignalQuality, st.integers(0, 31), st.sampled_from(Method)),
    st.builds(ClimaxDelay, st.integers(0, 127), flags),
    st.builds(RemoteControl, *[flags] * 8),
    st.builds(DelayRequest, ticks, flags),
    st.builds(DelayAnswer, ticks, ticks, short, short, short, flags, flags, st.none() | short),
    st.builds(Unknown, st.integers(5, 15), st.binary(max_size=15)),
)
features_2009: st.SearchStrategy[Feature] = st.one_of(
    st.builds(SignalQuality, st.integers(0, 255), st.sampled_from(Method)),
    st.builds(ClimaxDelay, st.integers(0, 63)),
)
states_2011 = st.builds(
    RadioState,
    st.sampled_from(Ptt),
    flags,
    st.integers(0, 63),
    flags,
    flags,
    flags,
    st.lists(features_2011, max_size=15).map(tuple),
)
states_2009 = st.builds(
    RadioState,
    ptt=st.sampled_from(Ptt),
    squelch=flags,
    ptt_id=st.integers(0, 15),
    simultaneous=flags,
    features=st.lists(features_2009, max_size=8).map(tuple),
    layout=st.just(Layout.OF_2009),
    voice_frequency=flags,
)


@given(states_2011 | states_2009)
def test_what_is_written_is_read(state: RadioState) -> None:
    extension = write(state)
    assert len(extension.data) % 4 == 0
    reading = read(extension)
    assert (reading.state, reading.finding) == (state, "")


@given(st.sampled_from([0x0067, 0x0167, 0xBEDE]), st.binary(max_size=80))
def test_any_bytes_are_read_or_refused_by_name(profile: int, data: bytes) -> None:
    try:
        reading = read(Extension(profile, data))
    except Ed137Error:
        assert profile == 0xBEDE or len(data) % 4 or not data
    else:
        assert reading.state.layout in Layout


def test_the_word_of_a_normal_ptt_is_the_sheets() -> None:
    """PTT type 15-13, SQU 12, PTT id 11-6, and 16 zero bits where nothing follows."""
    assert write(RadioState(Ptt.NORMAL, ptt_id=5)).data == bytes.fromhex("21400000")
    assert write(RadioState(Ptt.EMERGENCY, squelch=True, ptt_id=63)).data == bytes.fromhex("9fc00000")
    assert write(RadioState(Ptt.NORMAL, ptt_id=5, layout=Layout.OF_2009)).data == bytes.fromhex("25000000")


def test_a_signal_quality_is_told_in_dbm_as_the_method_has_it() -> None:
    assert SignalQuality(0).at_most_dbm == -100.0
    assert SignalQuality(1).at_most_dbm == -97.86
    assert SignalQuality(14).at_most_dbm == -70.0
    assert SignalQuality(15).at_most_dbm is None
    assert SignalQuality(3, Method.AGC).at_most_dbm is None


@pytest.mark.parametrize(
    "state",
    [
        RadioState(squelch=True, features=(SignalQuality(9),), layout=Layout.OF_2009),
        RadioState(Ptt.NORMAL, ptt_id=3, features=(ClimaxDelay(7),), layout=Layout.OF_2009),
        RadioState(squelch=True, features=(SignalQuality(9),)),
        RadioState(Ptt.NORMAL, ptt_id=1, features=(DelayRequest(800_000, True),)),
    ],
)
def test_the_one_layout_under_the_others_profile_is_read_and_reported(state: RadioState) -> None:
    reading = read(mislabelled(write(state)))
    assert reading.state == state
    assert f"the layout of {2009 if state.layout is Layout.OF_2009 else 2011} under" in reading.finding


def test_bits_that_neither_layout_has_are_reported_and_the_rest_is_read() -> None:
    """The reserved bits of 2011, and a feature of 2009 that says no type."""
    reading = read(Extension(0x0167, bytes.fromhex("21060000")))
    assert reading.state == RadioState(Ptt.NORMAL, ptt_id=4)
    assert "reserved" in reading.finding


@pytest.mark.parametrize("state", [RadioState(ptt_id=64), RadioState(ptt_id=16, layout=Layout.OF_2009)])
def test_an_id_that_its_field_cannot_hold_is_refused(state: RadioState) -> None:
    with pytest.raises(Ed137LocalError, match="PTT id"):
        write(state)


@pytest.mark.parametrize("feature", [RemoteControl(), DelayRequest(1), ClimaxDelay(1, True), Unknown(9, b"x")])
def test_what_the_layout_of_2009_has_no_place_for_is_refused(feature: Feature) -> None:
    with pytest.raises(Ed137LocalError, match="2009"):
        write(RadioState(features=(feature,), layout=Layout.OF_2009))
