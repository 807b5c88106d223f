"""Floor control messages: what is written is read, what is alien is kept, what can't be is a named error."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import McpttError, McpttLocalError
from harness.protocols.mcptt.messages import (
    NAME,
    FloorMessage,
    FloorType,
    Indicator,
    QueueInfo,
    Source,
    read_datagram,
    write_datagram,
)
from harness.protocols.rtp.rtcp import App, ReceiverReport, build_compound

octet, short, word = (st.none() | st.integers(0, most) for most in (255, 0xFFFF, 0xFFFFFFFF))
text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)
messages = st.builds(
    FloorMessage,
    type=st.sampled_from(FloorType),
    ssrc=st.integers(0, 0xFFFFFFFF),
    wants_ack=st.booleans(),
    priority=octet,
    duration=short,
    queue=st.none() | st.builds(QueueInfo, st.integers(0, 255), st.integers(0, 255)),
    granted_party=text,
    may_request=st.none() | st.booleans(),
    user=text,
    queue_size=short,
    sequence=short,
    queued_user=text,
    source=st.none() | st.sampled_from(Source),
    acknowledged=st.none() | st.integers(0, 31),
    indicator=short,
    talker=word,
    others=st.lists(st.tuples(st.integers(15, 255), st.binary(max_size=40)), max_size=4).map(tuple),
)
refused = st.builds(
    FloorMessage, type=st.just(FloorType.DENY), ssrc=st.just(7), cause=st.integers(0, 0xFFFF), phrase=text
)


@given(st.lists(messages | refused, max_size=4))
def test_what_is_written_is_read(sent: list[FloorMessage]) -> None:
    data = write_datagram(*sent) if sent else build_compound([ReceiverReport(1)])
    assert len(data) % 4 == 0
    assert read_datagram(data) == sent


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(data: bytes) -> None:
    with contextlib.suppress(McpttError):
        read_datagram(data)


@given(st.integers(0, 31), st.binary(max_size=200))
def test_any_fields_are_read_or_refused_by_name(subtype: int, data: bytes) -> None:
    app = App(subtype, 7, NAME, data + bytes(-len(data) % 4))
    try:
        (message,) = read_datagram(build_compound([app]))
    except McpttError:
        return
    assert message.type == subtype & 0x0F


def test_the_bytes_of_a_request_are_the_sheets() -> None:
    """Packet type 204, name MCPT, and fields padded to 32 bits with a length that does not count the padding."""
    request = FloorMessage(FloorType.REQUEST, 0x01020304, priority=5, user="sip:a@b", indicator=Indicator.NORMAL)
    expected = "80cc0007" + "01020304" + "4d435054" + "00020500" + "0607" + "7369703a614062" + "000000" + "0d028000"
    assert write_datagram(request).hex() == expected


def test_messages_that_are_not_floor_control_are_left_out() -> None:
    other = App(3, 9, b"PoC1", bytes(4))
    idle = FloorMessage(FloorType.IDLE, 2, sequence=3)
    assert read_datagram(build_compound([ReceiverReport(1), other]) + write_datagram(idle)) == [idle]


def test_a_field_that_is_not_ours_or_of_an_odd_length_is_kept_as_it_came() -> None:
    alien = FloorMessage(FloorType.IDLE, 2, others=((1, b"\x00"), (200, b"abc"), (4, b"")))
    assert read_datagram(write_datagram(alien)) == [alien]


def test_of_a_field_that_stands_twice_the_first_counts() -> None:
    twice = FloorMessage(FloorType.GRANTED, 2, duration=30, others=((1, b"\x00\x05"),))
    assert read_datagram(write_datagram(twice)) == [twice]


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (FloorMessage(FloorType.REQUEST, 1, priority=256), "a floor priority must be 0-255, not 256"),
        (FloorMessage(FloorType.GRANTED, 1, duration=-1), "a duration must be 0-65535"),
        (FloorMessage(FloorType.REQUEST, 1, user="x" * 256), "text of 256 octets, 255 fit"),
        (FloorMessage(16, 1), "a floor control message must be 0-15"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(message: FloorMessage, named: str) -> None:
    with pytest.raises(McpttLocalError, match=named):
        write_datagram(message)


def test_a_message_is_called_by_its_name() -> None:
    assert FloorMessage(FloorType.QUEUE_POSITION_INFO, 1).name == "floor queue position info"
    assert FloorMessage(7, 1).name == "floor message 7"
