"""Real-time text and its redundancy: RFC 2198's and RFC 4103's rules, and text that survives what a network does."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MediaError, RtpError
from harness.protocols.rtp.redundancy import MAX_BLOCK, MAX_BLOCKS, Block, build_redundant, parse_redundant
from harness.protocols.rtp.text import (
    BUFFER_S,
    KEEP_ALIVE_S,
    LINE,
    LOST,
    MARK,
    MAX_LEAP,
    MAX_PENDING,
    MAX_WAITING,
    REORDER_S,
    TextReceiver,
    TextSender,
    shown,
)

STEP = 0.02


class Line:
    """A sender on a clock, its packets numbered as RTP does."""

    def __init__(self, *, redundant=100, generations=2, cps=30, sequence=65530):
        self.sender = TextSender(98, redundant_payload_type=redundant, generations=generations, cps=cps)
        self.sequence = sequence
        self.now = 0.0
        self.sent = []

    def run(self, seconds):
        until = self.now + seconds
        while self.now < until - 1e-9:
            packet = self.sender.next_packet(self.now, round(self.now * 1000) % 2**32)
            if packet is not None:
                self.sent.append((self.now, self.sequence, packet))
                self.sequence = (self.sequence + 1) % 65536
            self.now += STEP

    def type(self, text, each=0.1):
        for letter in text:
            self.sender.write(letter)
            self.run(each)


def read(packets, *, redundant=100):
    """What a receiver reads of (time, sequence, packet); it is given time to give up at the end."""
    receiver, text = TextReceiver(98, redundant_payload_type=redundant), ""
    now = 0.0
    for now, sequence, packet in packets:
        text += receiver.expire(now)
        text += receiver.receive(packet.payload_type, sequence, packet.payload, now)
    return text + receiver.expire(now + 2 * REORDER_S), receiver


# --- RFC 2198 ---


def test_the_headers_are_those_of_the_rfc():
    payload = build_redundant(5, b"new", [Block(7, 320, b"old")])
    # F=1, type 7, offset 320 in 14 bits, length 3 in 10; F=0, type 5
    assert payload == (1 << 31 | 7 << 24 | 320 << 10 | 3).to_bytes(4) + bytes([5]) + b"oldnew"
    assert parse_redundant(payload) == (5, b"new", (Block(7, 320, b"old"),))


@given(
    st.integers(0, 127),
    st.binary(max_size=200),
    st.lists(
        st.builds(Block, st.integers(0, 127), st.integers(0, 16383), st.binary(max_size=100)), max_size=MAX_BLOCKS
    ),
)
def test_redundant_payloads_round_trip(payload_type, payload, earlier):
    assert parse_redundant(build_redundant(payload_type, payload, earlier)) == (payload_type, payload, tuple(earlier))


@given(st.binary(max_size=120))
def test_any_octets_are_a_redundant_payload_or_an_rtp_error(data):
    try:
        parse_redundant(data)
    except RtpError as error:
        assert str(error)


def test_a_payload_of_nothing_but_headers_is_refused():
    with pytest.raises(RtpError, match=f"more than {MAX_BLOCKS}"):
        parse_redundant(b"\x80\0\0\0" * 100)
    with pytest.raises(MediaError, match="does not fit"):
        build_redundant(1, b"", [Block(1, 0, bytes(MAX_BLOCK + 1))])


# --- sending ---


def test_text_is_collected_for_300_ms_and_repeated_twice():
    line = Line()
    line.run(1.0)  # the byte order mark, and its two repetitions
    line.sent.clear()
    line.type("abcdef", each=0.1)
    line.run(2.0)
    texts = [packet.text for _, _, packet in line.sent]
    assert "".join(texts) == "abcdef"
    assert texts[-2:] == ["", ""]
    times = [time for time, _, _ in line.sent]
    assert all(later - earlier >= BUFFER_S - 1e-9 for earlier, later in itertools.pairwise(times))
    blocks = [parse_redundant(packet.payload) for _, _, packet in line.sent]
    for number in range(2, len(blocks)):
        assert [block.payload for block in blocks[number][2]] == [blocks[number - 2][1], blocks[number - 1][1]]
        assert blocks[number][2][1].offset == round((times[number] - times[number - 1]) * 1000)


def test_the_marker_is_set_after_silence_alone():
    line = Line()
    line.run(2.0)
    line.type("hello")
    line.run(3.0)
    line.type("again")
    markers = [(round(time, 1), packet.marker) for time, _, packet in line.sent if packet.marker]
    assert [time for time, _ in markers] == [0.0, 2.0, 5.5]


def test_a_session_begins_with_a_mark_and_an_idle_one_is_kept_alive():
    line = Line()
    line.run(3.5 * KEEP_ALIVE_S)
    marks = [time for time, _, packet in line.sent if packet.text == MARK]
    assert len(marks) == 4
    assert marks[1] - marks[0] >= KEEP_ALIVE_S
    assert read(line.sent)[0] == ""


def test_the_peers_limit_of_characters_a_second_is_kept():
    line = Line(cps=10)
    line.run(1.0)
    line.sender.write("x" * 400)
    line.run(40.0)
    for begin in range(0, 30):
        within = sum(len(packet.text) for time, _, packet in line.sent if begin <= time < begin + 10)
        assert within <= 10 * 10 + 100
    assert sum(len(packet.text.replace(MARK, "")) for _, _, packet in line.sent) == 400
    assert sum(len(packet.text) for time, _, packet in line.sent if time < 10) <= 200


def test_without_redundancy_blocks_go_out_bare():
    line = Line(redundant=None)
    line.type("plain")
    line.run(1.0)
    assert {packet.payload_type for _, _, packet in line.sent} == {98}
    assert b"".join(packet.payload for _, _, packet in line.sent).decode() == MARK + "plain"
    assert read(line.sent, redundant=None)[0] == "plain"


def test_what_can_not_be_sent_is_our_own_error():
    sender = TextSender(98)
    with pytest.raises(MediaError, match="at most"):
        sender.write("x" * (MAX_WAITING + 1))
    with pytest.raises(MediaError, match="not text"):
        sender.write("\ud800")


# --- receiving ---

TEXT = "Fire at 12 Oak Road \N{EN DASH} smoke 🔥, two people\u2028send help"


@given(st.integers(0, 2**32), st.text(min_size=1, max_size=60))
def test_text_is_whole_when_no_three_packets_in_a_row_are_lost(seed, text):
    text = text.replace(MARK, "?").replace(LOST, "?").encode(errors="replace").decode()
    line, rng = Line(), random.Random(seed)
    line.run(1.0)
    line.type(text, each=0.15)
    line.run(2.0)
    kept, row = [], 0
    for packet in line.sent:
        row = row + 1 if rng.random() < 0.4 and row < 2 else 0
        if not row:
            kept.append(packet)
    if line.sent[-1] is not kept[-1]:
        kept.append(line.sent[-1])
    heard, receiver = read(kept)
    assert heard == text
    assert receiver.lost == 0


def test_each_block_that_is_gone_is_marked_and_the_rest_read():
    line = Line()
    line.run(1.0)
    line.type("abcdefghijkl", each=0.3)
    line.run(2.0)
    first = next(number for number, (_, _, packet) in enumerate(line.sent) if packet.text == "c")
    heard, receiver = read(line.sent[:first] + line.sent[first + 4 :])  # c d e f; e and f come again
    assert heard == "ab" + LOST * 2 + "efghijkl"
    assert (receiver.lost, receiver.recovered) == (2, 2)


def test_what_is_only_late_is_waited_for():
    line = Line(redundant=None)
    line.type("abcdef", each=0.3)
    line.run(1.0)
    sent = line.sent[:]
    moved = sent.pop(2)
    sent.insert(4, (sent[3][0], *moved[1:]))
    assert read(sent, redundant=None)[0] == "abcdef"


def test_what_is_later_than_a_second_is_given_up():
    line = Line(redundant=None)
    line.type("abcdefgh", each=0.3)
    line.run(1.0)
    sent = line.sent[:]
    moved = sent.pop(2)
    sent.insert(7, (sent[6][0], *moved[1:]))
    heard, receiver = read(sent, redundant=None)
    gone = moved[2].text
    assert heard == "abcdefgh".replace(gone, LOST)
    assert receiver.lost == 1


def test_two_gaps_are_waited_for_side_by_side():
    receiver = TextReceiver(98)
    for number, letter in ((0, b"a"), (2, b"c"), (4, b"e")):
        receiver.receive(98, number, letter, number * 0.3)
    assert receiver.expire(1.5) == ""
    assert receiver.expire(1.6) == LOST + "c"
    assert receiver.expire(2.2) == LOST + "e"
    assert not receiver.waiting


def test_packets_behind_a_gap_are_bounded():
    receiver, text = TextReceiver(98), ""
    text += receiver.receive(98, 0, b"a", 0.0)
    for number in range(2, MAX_PENDING + 10):
        text += receiver.receive(98, number, b"x", 0.0)
    assert text.startswith("a" + LOST + "x" * MAX_PENDING)


def test_a_sender_that_starts_over_is_marked_once_and_read_on():
    receiver = TextReceiver(98)
    assert receiver.receive(98, 10, b"a", 0.0) == "a"
    assert receiver.receive(98, 11 + MAX_LEAP + 5, b"b", 0.1) == LOST + "b"
    assert receiver.receive(98, 12 + MAX_LEAP + 5, b"c", 0.2) == "c"


def test_text_from_before_the_first_packet_that_came_is_read_from_its_redundancy():
    line = Line()
    line.type("hi", each=0.3)
    line.run(2.0)
    assert read(line.sent[2:])[0] == "hi"


def test_octets_that_are_no_utf8_are_marked_not_fatal():
    receiver = TextReceiver(98)
    assert receiver.receive(98, 0, b"ab\xff\xfec", 0.0) == f"ab{LOST}{LOST}c"


@given(st.lists(st.tuples(st.sampled_from([98, 100]), st.integers(0, 65535), st.binary(max_size=40)), max_size=60))
def test_no_packets_raise_anything_but_the_named_error(packets):
    receiver = TextReceiver(98, redundant_payload_type=100)
    for number, (payload_type, sequence, payload) in enumerate(packets):
        try:
            assert MARK not in receiver.receive(payload_type, sequence, payload, number * 0.3)
        except RtpError as error:
            assert str(error)
        receiver.expire(number * 0.3)
    receiver.finish()
    assert not receiver.waiting


@given(st.text(max_size=80).filter(lambda text: "\r" not in text), st.integers(0, 2**32))
def test_everything_typed_is_read_in_order_once(text, seed):
    text = text.replace(MARK, "?").encode(errors="replace").decode()
    line, rng = Line(cps=1000), random.Random(seed)
    for letter in text:
        line.sender.write(letter)
        line.run(rng.choice([0.02, 0.1, 0.5]))
    line.run(2.0)
    doubled = [packet for packet in line.sent for _ in range(rng.choice([1, 2]))]
    assert read(doubled)[0] == text


def test_a_reader_sees_erasures_carried_out():
    assert shown(f"help mx\b{LINE}now\b\b\bok\r\n\b") == "help m\nok"
    assert shown("\b\bx") == "x"
