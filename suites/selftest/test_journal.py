"""The journal: what it keeps, how expectations are met and how a failed one tells its story."""

import asyncio
import io
import json

import pytest

from harness.errors import ExpectationError
from harness.journal import NEAREST_SHOWN, Fact, Journal

pytestmark = pytest.mark.virtual_time


def journal(**options):
    return Journal(asyncio.get_running_loop().time, **options)


async def test_events_are_numbered_timed_and_written_to_the_sink():
    sink = io.StringIO()
    book = journal(sink=sink)
    await asyncio.sleep(1.5)
    first = book.record("caller", "call.dialled", number="999")
    book.record("govan-12", "call.ringing", at=1.25, queue="emergency")
    assert (first.seq, first.time, first.source, first.kind) == (1, 1.5, "caller", "call.dialled")
    rows = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert [row["seq"] for row in rows] == [1, 2]
    assert rows[1] == {
        "seq": 2,
        "time": 1.25,
        "source": "govan-12",
        "kind": "call.ringing",
        "data": {"queue": "emergency"},
    }
    assert book.lines() == sink.getvalue()


async def test_a_fact_stands_as_if_each_who_saw_it_had_said_it_in_full():
    told, full = io.StringIO(), io.StringIO()
    known, book = journal(sink=told), journal(sink=full)
    for delay in (0.1234567, 0.0, 2.5):
        await asyncio.sleep(delay)
        fact = Fact("radio.talker", {"cc": 1, "cli": "+442079460958"})
        for source in ("officer", "gateway"):
            seen = known.append_fact(source, fact)
            assert seen == book.append(source, "radio.talker", {"cc": 1, "cli": "+442079460958"})
    assert told.getvalue() == full.getvalue() == known.lines()
    assert "2079460958" not in told.getvalue()
    with pytest.raises(TypeError):
        seen.data["cc"] = 2


async def test_an_event_of_before_has_its_own_time_and_the_next_has_now():
    book = journal(sink=(sink := io.StringIO()))
    await asyncio.sleep(3)
    for at in (None, 1.0, None):
        book.record("caller", "call.dialled", at=at)
    assert [event.time for event in book] == [json.loads(line)["time"] for line in sink.getvalue().splitlines()]
    assert [event.time for event in book] == [3.0, 1.0, 3.0]


async def test_an_event_cannot_be_altered():
    event = journal().record("caller", "call.dialled", number="999")
    with pytest.raises(AttributeError):
        event.kind = "other"
    with pytest.raises(TypeError):
        event.data["number"] = "101"


async def test_oldest_events_leave_memory_at_the_limit():
    book = journal(limit=10)
    for index in range(25):
        book.record("x", "tick", index=index)
    assert len(book) == 10
    assert [event.data["index"] for event in book] == list(range(15, 25))
    assert [event.seq for event in book.since(20)] == [21, 22, 23, 24, 25]
    assert [event.seq for event in book.since(3)] == list(range(16, 26))


async def test_secrets_and_private_numbers_never_reach_it():
    event = journal().record("caller", "call.dialled", password="hunter2", cli="+442079460958", test="+447700900123")
    assert "hunter2" not in event.line()
    assert "2079460958" not in event.line()
    assert event.data["test"] == "+447700900123"


async def test_an_expectation_is_met_by_what_came_before_and_by_what_comes_later():
    book = journal()
    book.record("govan-12", "call.ringing", queue="emergency")
    assert (await book.expect("govan-12", "call.ringing", within=0.1)).seq == 1
    loop = asyncio.get_running_loop()
    loop.call_later(2.0, lambda: book.record("govan-12", "call.answered"))
    found = await book.expect("govan-12", "call.answered", within=3.0)
    assert found.time == pytest.approx(2.0)


async def test_an_expectation_looks_only_after_the_position_given():
    book = journal()
    book.record("officer", "ptt.granted", issi=1)
    here = book.position
    asyncio.get_running_loop().call_later(1.0, lambda: book.record("officer", "ptt.granted", issi=2))
    assert (await book.expect("officer", "ptt.granted", within=2.0, after=here)).data["issi"] == 2


async def test_wanted_values_may_be_predicates_and_missing_keys_never_match():
    book = journal()
    book.record("officer", "voice.heard", latency_ms=250)
    found = await book.expect("officer", "voice.heard", within=0.1, latency_ms=lambda value: value < 300)
    assert found.data["latency_ms"] == 250
    with pytest.raises(ExpectationError):
        await book.expect("officer", "voice.heard", within=0.1, absent=None)


async def test_any_source_is_meant_by_none():
    book = journal()
    book.record("govan-31", "incident.closed")
    assert (await book.expect(None, "incident.closed", within=0.1)).source == "govan-31"


async def test_a_failed_expectation_waits_its_time_and_tells_the_nearest_first():
    book = journal()
    for index in range(20):
        book.record("noise", "media.stats", index=index)
    book.record("govan-13", "call.ringing", queue="emergency")
    book.record("govan-12", "call.ringing", queue="non_emergency")
    began = asyncio.get_running_loop().time()
    with pytest.raises(ExpectationError) as caught:
        await book.expect("govan-12", "call.ringing", within=2.0, queue="emergency")
    assert asyncio.get_running_loop().time() - began == pytest.approx(2.0)
    told = str(caught.value).splitlines()
    assert "expected call.ringing on govan-12 with queue='emergency' within 2 s" in told[0]
    assert "non_emergency" in told[1]
    assert "govan-13" in told[2]
    assert len(told) == 1 + NEAREST_SHOWN


async def test_a_failed_expectation_on_an_empty_journal_says_so():
    with pytest.raises(ExpectationError, match="nothing at all happened"):
        await journal().expect("govan-12", "call.ringing", within=0.5)


async def test_subscribers_hear_each_event_until_they_leave():
    book, heard = journal(), []
    leave = book.subscribe(lambda event: heard.append(event.kind))
    book.record("x", "one")
    leave()
    book.record("x", "two")
    assert heard == ["one"]


async def test_a_cancelled_expectation_leaves_no_waiter_behind():
    book = journal()
    waiting = asyncio.create_task(book.expect("x", "never", within=100.0))
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert not book._waiters


async def test_a_warning_carries_its_severity():
    assert journal().warn("iccs", "sip.malformed", why="no Via").data["severity"] == "warning"
