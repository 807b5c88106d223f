"""Session descriptions of radio sessions: written and read alike; the named error on what is not one."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import Ed137Error, Ed137LocalError
from harness.protocols.ed137.description import PAYLOAD_TYPES, describe, read_description
from harness.protocols.ed137.terms import Direction, RadioTerms
from harness.protocols.rtp.g711 import CODECS

TERMS = st.builds(
    RadioTerms,
    direction=st.sampled_from(Direction),
    period_ms=st.integers(20, 1000),
    multiplier=st.integers(2, 50),
    ptt_id=st.none() | st.integers(0, 63),
    ptt_report=st.integers(0, 3),
    quality=st.lists(st.sampled_from(["RSSI", "AGC", "C/N", "PSD"]), max_size=4, unique=True).map(tuple),
    signal_time=st.none() | st.integers(1, 255),
    frequency=st.sampled_from(["", "118.005", "GD-OPS-1"]),
    extension=st.booleans(),
    keep_alive_type=st.integers(96, 127),
)
GOOD = describe(("192.0.2.1", 4000), RadioTerms(ptt_id=3), session_id=1)


@given(TERMS, st.integers(1, 65535))
def test_what_is_described_is_read(terms: RadioTerms, port: int) -> None:
    told = read_description(describe(("192.0.2.7", port), terms, session_id=5))
    assert told.address == ("192.0.2.7", port)
    assert told.terms == terms
    assert list(told.codecs.items()) == list(PAYLOAD_TYPES.items())


@given(
    st.binary(max_size=400)
    | st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=20)).map(
        lambda cut: GOOD[: cut[0]] + cut[1] + GOOD[cut[0] + len(cut[1]) :]
    )
)
def test_nothing_but_the_named_error_comes_of_anything(data: bytes) -> None:
    with contextlib.suppress(Ed137Error):
        assert read_description(data).codecs


@pytest.mark.parametrize(
    ("found", "put", "told"),
    [
        (b"RTP/AVP", b"RTP/SAVP", "RTP/SAVP; a radio session is not secured"),
        (b"m=audio 4000", b"m=audio 0", "no audio stream"),
        (b"192.0.2.1", b"radio.example", "no IP address"),
        (b"AVP 8 0 123", b"AVP 9 123", "no G.711 in m=audio 9 123"),
        (b"a=type:Radio-TxRx", b"a=type:phone", "a=type:phone is no radio session"),
        (b"Multiplier:10", b"Multiplier:51", "R2S-KeepAliveMultiplier:51; it is 2-50"),
    ],
)
def test_what_is_no_radio_session_is_told_so(found: bytes, put: bytes, told: str) -> None:
    assert found in GOOD
    with pytest.raises(Ed137Error, match=told):
        read_description(GOOD.replace(found, put))


def test_terms_out_of_range_are_not_written() -> None:
    with pytest.raises(Ed137LocalError, match="R2S-KeepAlivePeriod must be 20-1000, not 5"):
        describe(("192.0.2.1", 4000), RadioTerms(period_ms=5), session_id=1, codecs={0: CODECS["PCMU"]})
