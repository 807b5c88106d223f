"""RTCP: round trips, the signs and ends that are easily wrong, and nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MediaError, RtpError
from harness.protocols.rtp import (
    App,
    Bye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    UnknownRtcp,
    build_compound,
    parse_compound,
)

WORD = st.integers(0, 2**32 - 1)
BLOCKS = st.lists(
    st.builds(ReportBlock, WORD, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), WORD, WORD, WORD, WORD),
    max_size=3,
).map(tuple)
ITEMS = st.lists(st.tuples(st.integers(1, 8), st.binary(max_size=40)), max_size=3).map(tuple)
REPORTS = st.one_of(
    st.builds(SenderReport, WORD, st.integers(0, 2**64 - 1), WORD, WORD, WORD, BLOCKS),
    st.builds(ReceiverReport, WORD, BLOCKS),
)
OTHERS = st.one_of(
    st.builds(SourceDescription, st.lists(st.tuples(WORD, ITEMS), max_size=3).map(tuple)),
    st.builds(Bye, st.lists(WORD, max_size=3).map(tuple), st.binary(max_size=60)),
    st.builds(
        App,
        st.integers(0, 31),
        WORD,
        st.binary(min_size=4, max_size=4),
        st.binary(max_size=20).map(lambda data: data[: len(data) // 4 * 4]),
    ),
)


@given(REPORTS, st.lists(REPORTS | OTHERS, max_size=4))
def test_what_is_built_is_what_is_read(first, rest):
    packets = [first, *rest]
    assert parse_compound(build_compound(packets)) == packets


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda tail: b"\x81\xc8\x00\x06" + tail), st.booleans())
def test_any_bytes_are_rtcp_or_an_rtp_error(data, strict):
    try:
        parse_compound(data, strict=strict)
    except RtpError as error:
        assert str(error)


def test_a_negative_loss_is_read_as_such():
    report = ReceiverReport(1, (ReportBlock(2, 0, -3, 10, 0),))
    data = build_compound([report])
    assert data[13:16] == b"\xff\xff\xfd"
    assert parse_compound(data) == [report]


def test_padding_belongs_to_the_last_packet_only():
    report = build_compound([ReceiverReport(7)])
    bye = b"\xa1\xcb\x00\x02" + (9).to_bytes(4, "big") + b"\0\0\0\4"
    assert parse_compound(report + bye) == [ReceiverReport(7), Bye((9,))]
    with pytest.raises(RtpError, match="only the last"):
        parse_compound(b"\xa0\xc9\x00\x02" + bytes(7) + b"\4" + report)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b"\x80\xc9\x00", "inside a header"),
        (b"\x40\xc9\x00\x01" + bytes(4), "version 1"),
        (b"\x80\xcb\x00\x00", "begins with packet type 203"),
        (b"\x80\xc9\x00\x02" + bytes(4), "runs past"),
        (b"\x80\xc8\x00\x01" + bytes(4), "too short"),
        (b"\x81\xc9\x00\x01" + bytes(4), "1 blocks"),
        (b"\x80\xc9\x00\x00", "no SSRC"),
        (b"\x80\xc9\x00\x01" * 1 + bytes(4) + b"\x81\xca\x00\x02" + bytes(4) + b"\x01\xff\0\0", "runs past its packet"),
        (b"\x80\xc9\x00\x01" + bytes(4) + b"\x81\xca\x00\x01" + bytes(4), "no end"),
        (b"\x80\xc9\x00\x01" + bytes(4) + b"\x82\xcb\x00\x01" + bytes(4), "names 2 sources"),
        ((b"\x80\xc9\x00\x01" + bytes(4)) * 65, "more than 64"),
    ],
)
def test_nonsense_is_named(data, told):
    with pytest.raises(RtpError, match=told):
        parse_compound(data)


def test_reduced_size_and_unknown_types_are_read_when_allowed():
    assert parse_compound(b"\x83\xcd\x00\x01abcd", strict=False) == [UnknownRtcp(205, 3, b"abcd")]


@pytest.mark.parametrize(
    "packet", [App(0, 1, b"abc"), Bye((), b"x" * 256), SourceDescription(((1, ((0, b""),)),)), ReceiverReport(2**32)]
)
def test_a_field_that_does_not_fit_is_our_own_error(packet):
    with pytest.raises(MediaError):
        build_compound([packet])
