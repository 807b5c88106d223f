"""SIP over TCP in a capture: messages are whole whatever the network did to their segments."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.capture_packets import Captured
from harness.protocols.sip.grammar import MAX_MESSAGE
from harness.scenario.record import Recorded
from harness.scenario.record_connections import whole_messages

HERE, THERE = ("192.0.2.9", 40_000), ("192.0.2.1", 5060)


def message(number: int, body: bytes = b"") -> bytes:
    head = f"OPTIONS sip:999@192.0.2.1 SIP/2.0\r\nCall-ID: {number}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def segment(sequence: int, payload: bytes, time: float = 0.0, *, opens: bool = False) -> Captured:
    return Captured(time, HERE, THERE, payload, True, sequence % (1 << 32), opens)


def read(*segments: Captured) -> tuple[list[tuple[float, bytes]], dict[str, int]]:
    found = Recorded()
    messages = whole_messages(segments, found)
    assert all(each.tcp and (each.source, each.target) == (HERE, THERE) for each in messages)
    return [(each.time, each.payload) for each in messages], found.left_out


MESSAGES = [message(1), message(2, b"v=0\r\n" * 30), message(3, b"x"), message(4)]
STREAM = b"".join(MESSAGES)


@settings(max_examples=100, deadline=None)
@given(
    cuts=st.lists(st.integers(1, len(STREAM) - 1), max_size=20, unique=True).map(sorted),
    first=st.sampled_from([1, 77, (1 << 32) - 100, (1 << 31) - 10]),
    opened=st.booleans(),
    data=st.data(),
)
def test_cut_turned_round_and_repeated_segments_make_the_messages(
    cuts: list[int], first: int, opened: bool, data: st.DataObject
) -> None:
    bounds = list(zip([0, *cuts], [*cuts, len(STREAM)], strict=True))
    segments = [segment(first + begin, STREAM[begin:end]) for begin, end in bounds]
    again = [
        segment(first + begin, STREAM[begin : begin + length])
        for begin, length in data.draw(
            st.lists(st.tuples(st.integers(0, len(STREAM) - 1), st.integers(1, 200)), max_size=5)
        )
    ]
    order = data.draw(st.permutations([*segments, *again]))
    syn = [segment(first - 1, b"", -1.0, opens=True)] if opened else []
    told = [replace(each, time=float(number)) for number, each in enumerate(order)]
    messages, left_out = read(*syn, *told)
    assert [each for _, each in messages] == MESSAGES
    assert left_out == {}


def test_a_message_is_there_when_its_last_segment_is_and_all_before_it() -> None:
    one, two = message(1, b"12345"), message(2)
    messages, _ = read(
        segment(1, one[:-3], 1.0),
        segment(1 + len(one), two, 1.5),
        segment(1 + len(one) - 3, one[-3:], 2.0),
        segment(1 + len(one) + len(two), message(3), 3.0),
    )
    assert messages == [(2.0, one), (2.0, two), (3.0, message(3))]


def test_after_a_gap_messages_are_read_from_where_one_begins() -> None:
    one = message(1, b"12345")
    messages, left_out = read(
        segment(1, one[:20], 1.0),
        segment(41, one[40:], 1.1),  # a segment is missing before it: the rest of a message is none
        segment(1 + len(one), message(2), 1.2),
    )
    assert messages == [(1.2, message(2))]
    assert list(left_out) == ["a piece of a SIP connection that the capture has not"]


def test_a_capture_may_begin_and_end_in_the_midst_of_a_message() -> None:
    one, two, three = message(1, b"12345"), message(2), message(3, b"12345")
    messages, left_out = read(segment(500, one[9:]), segment(500 + len(one) - 9, two + three[:-1], 1.0))
    # Where the first whole message shares a segment with the end of one that is not there, it is not looked for.
    assert messages == [(1.0, two)]
    assert list(left_out) == ["a SIP message on a connection whose end the capture has not"]


def test_ports_that_are_used_again_are_another_connection() -> None:
    messages, left_out = read(
        segment(100, b"", 0.0, opens=True),
        segment(101, message(1), 1.0),
        segment(7_000, b"", 2.0, opens=True),
        segment(7_000, b"", 2.1, opens=True),
        segment(7_001, message(2), 3.0),
    )
    assert messages == [(1.0, message(1)), (3.0, message(2))]
    assert left_out == {}


def test_keep_alives_of_both_kinds_are_no_messages() -> None:
    one = message(1)
    messages, left_out = read(
        segment(1, one, 1.0),
        segment(len(one), b"\0", 2.0),  # TCP's own: the byte before the next
        segment(1 + len(one), b"\r\n\r\n", 3.0),
        segment(5 + len(one), message(2), 4.0),
    )
    assert messages == [(1.0, one), (4.0, message(2))]
    assert left_out == {}


def test_what_is_under_tls_is_told_and_what_is_no_sip_is_left() -> None:
    hello = b"\x16\x03\x01\x02\x00\x01" + bytes(50)
    assert read(segment(1, hello)) == ([], {"a connection under TLS: what it carries can't be read": 1})
    assert read(segment(1, b"GET / HTTP/1.1\r\n\r\n")) == ([], {})


@pytest.mark.parametrize("end", [b"X" * (MAX_MESSAGE + 1), b"\r\n\r\n"])
def test_a_message_longer_than_any_or_without_a_length_is_told_and_not_kept(end: bytes) -> None:
    broken = b"OPTIONS sip:999@192.0.2.1 SIP/2.0\r\nVia: " + end
    messages, left_out = read(segment(1, broken, 1.0), segment(1 + len(broken), message(2), 2.0))
    assert messages == [(2.0, message(2))]
    assert [why.partition(":")[0] for why in left_out] == ["a SIP connection that can't be read on"]
