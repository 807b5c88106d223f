"""The caller-location link: every cell of both sides' tables in another form, and both sides joined without a wire."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CallerLocationError, CallerLocationLocalError
from harness.protocols.location.caller import (
    Answer,
    Bye,
    CallerLocation,
    Cell,
    Hello,
    KeepAlive,
    Message,
    Query,
    Reason,
    Refusal,
    Release,
    Source,
    Status,
    Subscriber,
    Update,
    Welcome,
)
from harness.protocols.location.link import (
    IGNORED,
    REFUSED,
    SILENT_INTERVALS,
    TABLES,
    Close,
    Deliver,
    Do,
    Down,
    Event,
    Link,
    Output,
    SetTimer,
    Side,
    State,
    StopTimers,
    Timer,
    Transmit,
    Up,
)
from harness.protocols.location.link import Cell as TableCell
from harness.protocols.location.link_wire import MAX_LINE_OCTETS, JsonLines
from harness.protocols.location.shapes import ArcBand, Circle, Ellipse, Point, Polygon

# The state after each event: i idle, g greeting, a awaiting, u up, c closed; . ignored, x refused.
_LETTERS = {"i": State.IDLE, "g": State.GREETING, "a": State.AWAITING, "u": State.UP, "c": State.CLOSED}
_CONTROL_ROOM = """
                i g u c
SEND            x x u x
STOP            c c c c
CONNECTED       g . . .
LOST            c c c .
GREETED         . u c .
STRANGER        . . c .
GOT_MESSAGE     . c u .
GOT_KEEP_ALIVE  . g u .
GOT_BYE         . c c .
BROKEN          . c c .
SILENCE         . c c .
BEAT            . . u .
"""
_SERVICE = """
                i a u c
SEND            x x u x
STOP            c c c c
CONNECTED       a . . .
LOST            c c c .
GREETED         . u c .
STRANGER        . c c .
GOT_MESSAGE     . c u .
GOT_KEEP_ALIVE  . a u .
GOT_BYE         . c c .
BROKEN          . c c .
SILENCE         . c c .
BEAT            . . u .
"""


def cells() -> list[tuple[Side, State, Event, str]]:
    """The tables above, cell by cell."""
    found = []
    for side, table in ((Side.CONTROL_ROOM, _CONTROL_ROOM), (Side.SERVICE, _SERVICE)):
        head, *rows = [row.split() for row in table.strip("\n").splitlines()]
        found += [
            (side, _LETTERS[column], Event[row[0]], letter)
            for row in rows
            for column, letter in zip(head, row[1:], strict=True)
        ]
    return found


@pytest.mark.parametrize(("side", "state", "event", "letter"), cells())
def test_cell(side: Side, state: State, event: Event, letter: str) -> None:
    cell = TABLES[side][state][event]
    if letter in ".x":
        assert cell is (IGNORED if letter == "." else REFUSED)
        return
    assert isinstance(cell, TableCell)
    assert cell.state is _LETTERS[letter]
    ends = cell.state is State.CLOSED and state not in (State.IDLE, State.CLOSED)
    assert (Do.TELL_DOWN in cell.steps) is (ends or (state is State.IDLE and event is Event.LOST))
    assert (Do.STILL in cell.steps) is (Do.TELL_DOWN in cell.steps), "no timer outlives a link"
    assert (Do.CLOSE in cell.steps) is (ends and event is not Event.LOST)
    assert (Do.AWAIT_WORD in cell.steps) is (cell.state is State.UP and event not in (Event.SEND, Event.BEAT))


def test_the_walk_above_is_of_every_cell() -> None:
    walked = {(side, state, event) for side, state, event, _ in cells()}
    assert walked == {(side, state, event) for side, table in TABLES.items() for state in table for event in Event}


class Pair:
    """Both ends of a link, joined by nothing."""

    def __init__(self, *, token: str = "", told: str = "", keep_alive_s: float = 2.0) -> None:
        self.ends = {
            Side.CONTROL_ROOM: Link(Side.CONTROL_ROOM, JsonLines(), Hello("iccs", told)),
            Side.SERVICE: Link(Side.SERVICE, JsonLines(), Welcome("location", keep_alive_s), token=token),
        }
        self.done: dict[Side, list[Output]] = {side: [] for side in Side}

    def do(self, side: Side, outputs: list[Output]) -> None:
        """Carry out what one side wants, and what comes of it."""
        other = Side.SERVICE if side is Side.CONTROL_ROOM else Side.CONTROL_ROOM
        for output in outputs:
            self.done[side].append(output)
            if isinstance(output, Transmit):
                self.do(other, self.ends[other].receive(output.octets))
            elif isinstance(output, Close):
                self.do(other, self.ends[other].lost("the other closed"))

    def connect(self) -> None:
        """Connect both."""
        self.do(Side.SERVICE, self.ends[Side.SERVICE].connected())
        self.do(Side.CONTROL_ROOM, self.ends[Side.CONTROL_ROOM].connected())

    def of(self, side: Side, kind: type[Output]) -> list[Output]:
        """What one side wanted, of one kind."""
        return [output for output in self.done[side] if isinstance(output, kind)]


def test_a_link_comes_up_on_both_sides_with_the_service_s_interval() -> None:
    pair = Pair(keep_alive_s=0.5)
    pair.connect()
    assert pair.of(Side.SERVICE, Up) == [Up(Hello("iccs"))]
    assert pair.of(Side.CONTROL_ROOM, Up) == [Up(Welcome("location", 0.5))]
    for side in Side:
        assert SetTimer(Timer.SILENCE, 0.5 * SILENT_INTERVALS) in pair.done[side]
        assert SetTimer(Timer.BEAT, 0.5) in pair.done[side]
        assert pair.ends[side].state is State.UP


def test_a_question_is_answered_and_updated_and_released() -> None:
    pair = Pair()
    pair.connect()
    here = CallerLocation(Source.CELL, area=Circle(Point(55.8, -4.2), 900.0))
    room, service = pair.ends[Side.CONTROL_ROOM], pair.ends[Side.SERVICE]
    pair.do(Side.CONTROL_ROOM, room.send(Query(1, "c", "+447700900123")))
    pair.do(Side.SERVICE, service.send(Answer(1, "c", Status.FOUND, (here,))))
    pair.do(Side.SERVICE, service.send(Update("c", here)))
    pair.do(Side.CONTROL_ROOM, room.send(Release("c")))
    assert pair.of(Side.SERVICE, Deliver) == [Deliver(Query(1, "c", "+447700900123")), Deliver(Release("c"))]
    assert pair.of(Side.CONTROL_ROOM, Deliver) == [
        Deliver(Answer(1, "c", Status.FOUND, (here,))),
        Deliver(Update("c", here)),
    ]


def test_keep_alives_go_out_on_the_beat_and_keep_the_other_side_waiting() -> None:
    pair = Pair()
    pair.connect()
    before = len(pair.of(Side.SERVICE, SetTimer))
    pair.do(Side.CONTROL_ROOM, pair.ends[Side.CONTROL_ROOM].expired(Timer.BEAT))
    assert pair.of(Side.SERVICE, SetTimer)[before:] == [SetTimer(Timer.SILENCE, 6.0)]


def test_silence_ends_a_link_and_says_how_long_it_was() -> None:
    pair = Pair()
    pair.connect()
    assert pair.ends[Side.CONTROL_ROOM].expired(Timer.SILENCE) == [
        StopTimers(),
        Down("nothing came for 6 s"),
        Close(),
    ]


def test_the_wrong_token_is_refused_and_both_sides_say_why() -> None:
    pair = Pair(token="right", told="wrong")
    pair.connect()
    assert pair.of(Side.SERVICE, Down) == [Down("not the right token")]
    assert pair.of(Side.CONTROL_ROOM, Down) == [Down("the service refuses the link: unauthorised")]
    pair = Pair(token="right", told="right")
    pair.connect()
    assert pair.ends[Side.SERVICE].state is State.UP


def test_a_bye_is_told_to_the_other_side() -> None:
    pair = Pair()
    pair.connect()
    pair.do(Side.SERVICE, pair.ends[Side.SERVICE].stop())
    assert pair.of(Side.CONTROL_ROOM, Down) == [Down("the service ended it: stopping")]


def test_nothing_can_be_sent_on_a_link_that_is_not_up() -> None:
    with pytest.raises(CallerLocationLocalError, match="the link is idle and not up"):
        Link(Side.CONTROL_ROOM, JsonLines(), Hello("iccs")).send(Release("c"))


@pytest.mark.parametrize(
    ("side", "message", "told"),
    [
        (Side.CONTROL_ROOM, Query(1, "c", ""), "Query is not the service's to send"),
        (Side.CONTROL_ROOM, Hello("x"), "Hello is not the service's to send"),
        (Side.CONTROL_ROOM, Welcome("x", 2.0), "a second greeting"),
        (Side.CONTROL_ROOM, Refusal(0, Reason.BUSY), "the service refuses the link: busy"),
        (Side.SERVICE, Answer(1, "c", Status.UNKNOWN), "Answer is not the control room's to send"),
        (Side.SERVICE, Refusal(1, Reason.BUSY), "Refusal is not the control room's to send"),
        (Side.SERVICE, Hello("x"), "a second greeting"),
    ],
)
def test_what_is_not_the_peer_s_to_send_ends_the_link(side: Side, message: Message, told: str) -> None:
    pair = Pair()
    pair.connect()
    peer = JsonLines()
    peer.encode(KeepAlive())  # stands for the greeting, which was the peer's first
    outputs = pair.ends[side].receive(peer.encode(message))
    assert [output for output in outputs if isinstance(output, Down)] == [Down(told)]


def test_an_interval_that_would_keep_a_control_room_from_knowing_is_refused() -> None:
    pair = Pair(keep_alive_s=300)
    pair.connect()
    assert pair.of(Side.CONTROL_ROOM, Down) == [Down("keep-alive every 300 s; 0.1 to 30 s are accepted")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"noise\n", "not a line of JSON"),
        (b"[]\n", "not an object"),
        (b"[" * 10_000 + b"\n", "not a line of JSON"),
        (b'{"type":"keep_alive"}\n', "seq is a whole number"),
        (b'{"seq":2,"type":"keep_alive"}\n', "message 2 after 0: 1 is due"),
        (b'{"seq":1,"type":"other"}\n', "type 'other'; hello, welcome"),
        (b'{"seq":1}\n', "type is a text"),
        (b'{"seq":1,"type":"hello","version":2}\n', "version 2; 1 is spoken"),
        (b'{"seq":1,"type":"query","query":true,"call":"c"}\n', "query is a whole number"),
        (b'{"seq":1,"type":"query","query":1,"call":"%s"}\n' % (b"c" * 129), "call is a text of up to 128"),
        (b'{"seq":1,"type":"answer","query":1,"call":"c","status":"odd"}\n', "status is one of found, unknown"),
        (b'{"seq":1,"type":"update","call":"c"}\n', "a location is an object"),
        (b'{"seq":1,"type":"update","call":"c","location":{"source":"AML","area":1}}\n', "area is an object"),
        (
            b'{"seq":1,"type":"update","call":"c","location":{"source":"AML","area":{"shape":"star","latitude":1,'
            b'"longitude":1}}}\n',
            "shape 'star'; point",
        ),
        (
            b'{"seq":1,"type":"update","call":"c","location":{"source":"AML","area":{"shape":"circle","latitude":1e999,'
            b'"longitude":1,"radius":1}}}\n',
            "latitude is a number",
        ),
        (b"x" * (MAX_LINE_OCTETS + 1), "without a line feed"),
        (b'"' + b"x" * (MAX_LINE_OCTETS + 1) + b'"\n', "octets; 16384 is the most"),
    ],
)
def test_what_can_not_be_read_is_told(line: bytes, told: str) -> None:
    with pytest.raises(CallerLocationError) as error:
        JsonLines().feed(line)
    assert told in str(error.value)


def test_a_member_that_is_not_known_is_left_alone() -> None:
    assert JsonLines().feed(b'{"seq":1,"type":"release","call":"c","later":{"x":1}}\n') == [Release("c")]


def test_what_is_too_long_is_not_written_and_takes_no_number() -> None:
    codec = JsonLines()
    with pytest.raises(CallerLocationError):
        codec.encode(Query(1, "c" * MAX_LINE_OCTETS, ""))
    with pytest.raises(CallerLocationError):
        codec.encode(Query(1, "\udc80", ""))
    assert json.loads(codec.encode(KeepAlive()))["seq"] == 1


class _Broken:
    """A plug-in with a fault in it."""

    def encode(self, message: Message) -> bytes:
        raise TypeError("oops")

    def feed(self, octets: bytes) -> list[Message]:
        raise KeyError("oops")


def test_a_codec_with_a_fault_ends_its_link_and_nothing_else() -> None:
    link = Link(Side.CONTROL_ROOM, _Broken(), Hello("iccs"))
    assert link.connected() == [StopTimers(), Down("the codec failed: TypeError: oops"), Close()]
    assert link.state is State.CLOSED
    link = Link(Side.SERVICE, _Broken(), Welcome("location", 2.0))
    link.connected()
    assert Down("the codec failed: KeyError: 'oops'") in link.receive(b"x")


# -- any message, any cut, any octets --------------------------------------------------------------------------------

references = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180), st.none() | st.floats(-100, 9000))
lengths = st.floats(0, 4e7)
angles = st.floats(0, 360)
shapes = (
    points
    | st.builds(Circle, points, lengths)
    | st.tuples(points, lengths, lengths, angles).map(lambda e: Ellipse(e[0], max(e[1:3]), min(e[1:3]), e[3]))
    | st.tuples(points, lengths, lengths, angles, angles).map(
        lambda e: ArcBand(e[0], min(e[1:3]), max(e[1:3]), e[3], e[4])
    )
    | st.lists(st.builds(Point, st.floats(-90, 90), st.floats(-180, 180)), min_size=3, max_size=6).map(
        lambda corners: Polygon(tuple(corners))
    )
)
caller_locations = st.builds(
    CallerLocation,
    source=st.sampled_from(Source),
    area=st.none() | shapes,
    subscriber=st.none()
    | st.builds(Subscriber, references, st.lists(references, max_size=8).map(tuple), st.just("G51 0CV")),
    cell=st.none() | st.builds(Cell, references, references, st.none() | st.integers(0, 359)),
    confidence=st.none() | st.integers(0, 100),
    method=st.sampled_from(["", "G", "W"]),
    time=st.none() | st.integers(0, 2**40),
)
messages = (
    st.builds(Hello, references, references)
    | st.builds(Welcome, references, st.floats(0, 3600))
    | st.just(KeepAlive())
    | st.builds(Query, st.integers(1, 2**53), references, references)
    | st.builds(
        Answer,
        st.integers(1, 2**53),
        references,
        st.sampled_from(Status),
        st.lists(caller_locations, max_size=3).map(tuple),
    )
    | st.builds(Update, references, caller_locations)
    | st.builds(Release, references)
    | st.builds(Refusal, st.integers(0, 2**53), st.sampled_from(Reason))
    | st.builds(Bye, st.sampled_from(Reason))
)


@given(st.lists(messages, max_size=5), st.lists(st.integers(1, 200), max_size=20))
def test_messages_come_back_however_they_are_cut(sent: list[Message], cuts: list[int]) -> None:
    ours, theirs = JsonLines(), JsonLines()
    octets = b"".join(map(ours.encode, sent))
    received: list[Message] = []
    for cut in (*cuts, len(octets)):
        received += theirs.feed(octets[:cut])
        octets = octets[cut:]
    assert received == sent


@given(messages, st.binary(max_size=100), st.integers(0, 300))
def test_whatever_the_octets_nothing_but_the_named_error_comes(message: Message, octets: bytes, at: int) -> None:
    line = JsonLines().encode(message)
    for each in (octets, octets + b"\n", line[:at] + octets + line[at:], line[:at] + octets + b"\n"):
        try:
            JsonLines().feed(each)
        except CallerLocationError:
            continue


@given(st.lists(st.binary(max_size=60) | messages.map(lambda message: JsonLines().encode(message)), max_size=6))
def test_whatever_a_peer_sends_a_link_goes_on_or_ends(sent: list[bytes]) -> None:
    for side, greeting in ((Side.CONTROL_ROOM, Hello("iccs")), (Side.SERVICE, Welcome("location", 2.0))):
        link = Link(side, JsonLines(), greeting)
        link.connected()
        downs = 0
        for octets in sent:
            outputs = link.receive(octets)
            downs += sum(isinstance(output, Down) for output in outputs)
        assert downs == (link.state is State.CLOSED)
