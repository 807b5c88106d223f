"""RTP packets: what RFC 3550 section 5.1 says of each bit, a round trip, and nonsense."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MediaError, RtpError
from harness.protocols.rtp import Extension, RtpPacket
from harness.protocols.rtp.rtp import build_plain

WORD = st.integers(0, 2**32 - 1)
EXTENSIONS = st.builds(
    Extension, st.integers(0, 0xFFFF), st.binary(max_size=40).map(lambda data: data[: len(data) // 4 * 4])
)
PACKETS = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=WORD,
    ssrc=WORD,
    payload=st.binary(max_size=200),
    marker=st.booleans(),
    csrc=st.lists(WORD, max_size=15).map(tuple),
    extension=st.none() | EXTENSIONS,
    padding=st.integers(0, 255),
)


def test_a_packet_written_by_hand_is_read_field_by_field():
    data = bytes.fromhex("b2 88 1234 00001f40 deadbeef 00000001 00000002 0167 0001 20000000 d5d5d5 00000004")
    assert RtpPacket.parse(data) == RtpPacket(
        payload_type=8,
        sequence=0x1234,
        timestamp=8000,
        ssrc=0xDEADBEEF,
        payload=b"\xd5\xd5\xd5",
        marker=True,
        csrc=(1, 2),
        extension=Extension(0x0167, b"\x20\0\0\0"),
        padding=4,
    )


@given(PACKETS)
def test_what_is_built_is_what_is_read(packet):
    assert RtpPacket.parse(packet.build()) == packet


@given(PACKETS)
def test_the_fast_builder_gives_the_same_bytes(packet):
    plain = RtpPacket(
        packet.payload_type, packet.sequence, packet.timestamp, packet.ssrc, packet.payload, packet.marker
    )
    fast = build_plain(
        plain.payload_type, plain.sequence, plain.timestamp, plain.ssrc, plain.payload, marker=plain.marker
    )
    assert fast == plain.build()


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: b"\xbf\x08" + tail))
def test_any_bytes_are_a_packet_or_an_rtp_error(data):
    try:
        RtpPacket.parse(data)
    except RtpError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "0 octets"),
        (b"\x80\x08" + bytes(9), "11 octets"),
        (b"\x40\x08" + bytes(10), "version 1"),
        (b"\x82\x08" + bytes(14), "CSRC"),
        (b"\x90\x08" + bytes(12), "inside its header extension"),
        (b"\x90\x08" + bytes(10) + struct.pack("!HH", 0xBEDE, 2) + bytes(4), "runs past"),
        (b"\xa0\x08" + bytes(10), "padding of 0"),
        (b"\xa0\x08" + bytes(10) + b"\x02", "padding of 2"),
        (b"\xa0\x08" + bytes(10) + b"\x00\x00", "padding of 0"),
    ],
)
def test_nonsense_is_named(data, told):
    with pytest.raises(RtpError, match=told):
        RtpPacket.parse(data)


@pytest.mark.parametrize(
    "packet",
    [
        RtpPacket(128, 0, 0, 0),
        RtpPacket(8, 65536, 0, 0),
        RtpPacket(8, 0, 2**32, 0),
        RtpPacket(8, 0, 0, 0, csrc=(0,) * 16),
        RtpPacket(8, 0, 0, 0, extension=Extension(0xBEDE, b"abc")),
        RtpPacket(8, 0, 0, 0, padding=256),
    ],
)
def test_a_field_that_does_not_fit_is_our_own_error(packet):
    with pytest.raises(MediaError):
        packet.build()
