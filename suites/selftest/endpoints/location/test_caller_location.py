"""Both ends of a caller-location link in virtual time: what is asked, kept, lost and found again; peers that fail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import installed as packages
from harness.endpoints.location import (
    CallerLocationClient,
    CallerLocationServer,
    LinkChanged,
    LinkedClient,
    LocationChanged,
    Notice,
    client,
    codec_names,
    load_codec,
    server,
)
from harness.errors import CallerLocationLocalError, TransportError
from harness.protocols.location.caller import (
    Answer,
    CallerLocation,
    Cell,
    KeepAlive,
    Message,
    Query,
    Reason,
    Refusal,
    Source,
    Status,
    Subscriber,
    Update,
    Welcome,
)
from harness.protocols.location.link import DETECTED_WITHIN_S
from harness.protocols.location.link_wire import JsonLines
from harness.protocols.location.shapes import ArcBand, Circle, Point
from harness.transport.context import Context

pytestmark = pytest.mark.virtual_time

MOBILE, LANDLINE, PERSON = "+447700900123", "+441414960123", "+447911123456"
CELL = CallerLocation(
    Source.CELL, area=ArcBand(Point(55.86, -4.25), 550, 1100, 240, 120), cell=Cell("001-01-4000-11"), time=1
)
AML = CallerLocation(Source.AML, area=Circle(Point(55.864213, -4.251834), 12.0), method="G", time=19)
HOME = CallerLocation(Source.SUBSCRIBER, subscriber=Subscriber("A Person", ("1 Some Street", "Govan"), "G51 1AA"))


class Desk:
    """Answers with what it is told to."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[CallerLocation, ...]] = {MOBILE: (CELL,), PERSON: (HOME, AML)}
        self.queries: list[Query] = []
        self.clients: list[LinkedClient] = []
        self.released_calls: list[str] = []
        self.gone_clients = 0
        self.answers = True
        self.refuses = False

    def asked(self, client: LinkedClient, query: Query) -> None:
        self.queries.append(query)
        self.clients.append(client)
        if self.refuses:
            client.send(Refusal(query.query, Reason.BUSY))
        elif self.answers:
            found = self.known.get(query.cli, ())
            client.send(Answer(query.query, query.call, Status.FOUND if found else Status.UNKNOWN, found))

    def released(self, client: LinkedClient, call: str) -> None:
        self.released_calls.append(call)

    def gone(self, client: LinkedClient) -> None:
        self.gone_clients += 1


@asynccontextmanager
async def service(**options: Any) -> AsyncIterator[tuple[Context, Desk, CallerLocationServer]]:
    """A service that a test answers for."""
    context, desk = Context.create(seed=1), Desk()
    started = await CallerLocationServer.start(
        context, "service", ("127.0.0.1", 0), greeting=Welcome("test", 2.0), questions=desk, **options
    )
    try:
        yield context, desk, started
    finally:
        await started.stop()


@asynccontextmanager
async def linked(**options: Any) -> AsyncIterator[tuple[Context, Desk, CallerLocationServer, CallerLocationClient]]:
    """A service, and a control room that is linked to it."""
    async with service() as (context, desk, started):
        room = CallerLocationClient.open(context, "room", started.address, **options)
        await room.until(up=True, within=5)
        try:
            yield context, desk, started, room
        finally:
            await room.close()


async def test_the_first_answer_comes_back_and_the_handset_s_position_later_with_the_cell_fix_kept() -> None:
    async with linked() as (context, desk, _, room):
        notices: list[Notice] = []
        room.subscribe(notices.append)
        known = await room.locate("call-1", MOBILE)
        assert (known.status, known.locations, known.best) == (Status.FOUND, (CELL,), CELL)
        await asyncio.sleep(18)
        desk.clients[0].send(Update("call-1", AML))
        event = await context.journal.expect("room", "location.received", within=1, source="AML", pushed=True)
        assert event.data["radius"] == 12.0
        kept = room.known("call-1")
        assert kept is not None
        assert (kept.locations, kept.best) == ((CELL, AML), AML)
        assert notices == [
            LocationChanged(known, (CELL,), False),
            LocationChanged(kept, (AML,), True),
        ]


async def test_a_number_that_nothing_is_known_of_is_told_so() -> None:
    async with linked() as (_, _, _, room):
        known = await room.locate("c", LANDLINE)
        assert (known.status, known.best) == (Status.UNKNOWN, None)


async def test_asking_twice_asks_once() -> None:
    async with linked() as (_, desk, _, room):
        await room.locate("c", MOBILE)
        await room.locate("c", MOBILE)
        room.ask("c", MOBILE)
        await asyncio.sleep(1)
        assert len(desk.queries) == 1


async def test_a_call_that_is_over_is_released_and_forgotten() -> None:
    async with linked() as (context, desk, _, room):
        await room.locate("c", MOBILE)
        room.release("c")
        room.release("c")
        desk.clients[0].send(Update("c", AML))
        await context.journal.expect("room", "location.stray", within=1, call="c")
        assert desk.released_calls == ["c"]
        assert room.known("c") is None


async def test_a_service_that_says_nothing_is_known_to_be_gone_in_the_stated_time() -> None:
    silent = False

    class Mute(JsonLines):
        def encode(self, message: Message) -> bytes:
            return b"" if silent else super().encode(message)

    async with service(codec=Mute) as (context, _, started):
        room = CallerLocationClient.open(context, "room", started.address)
        await room.until(up=True, within=5)
        await asyncio.sleep(30)
        assert room.is_up, "keep-alives keep an idle link up"
        silent, began = True, context.journal.now()
        await room.until(up=False, within=60)
        assert context.journal.now() - began <= DETECTED_WITHIN_S
        with pytest.raises(CallerLocationLocalError, match="room: no link to the location service; ask the caller"):
            await room.locate("c", MOBILE)
        await room.close()


async def test_what_was_asked_is_asked_again_when_the_service_is_back_and_nothing_is_shown_twice() -> None:
    async with linked() as (context, desk, started, room):
        await room.locate("c", MOBILE)
        mark = context.journal.position
        await started.fail()
        await room.until(up=False, within=1)
        room.ask("late", MOBILE)
        desk.known[MOBILE] = (replace(CELL, time=99), AML)
        await started.listen()
        await room.until(up=True, within=20)
        await asyncio.sleep(1)
        assert [query.call for query in desk.queries] == ["c", "c", "late"]
        received = [
            (event.data["call"], event.data["source"])
            for event in context.journal.since(mark)
            if event.kind == "location.received"
        ]
        assert received == [("c", "AML"), ("late", "cell"), ("late", "AML")]


async def test_a_service_that_ends_in_an_orderly_way_is_known_at_once() -> None:
    async with linked() as (context, _, started, room):
        notices: list[Notice] = []
        room.subscribe(notices.append)
        await started.stop()
        await room.until(up=False, within=0.5)
        assert notices == [LinkChanged(False, "the service ended it: stopping")]
        down = context.journal.find("room", "location.link_down")
        assert down is not None
        assert down.data["severity"] == "warning"


async def test_tries_to_link_go_on_further_and_further_apart_and_are_told_once() -> None:
    context = Context.create(seed=1)
    room = CallerLocationClient.open(context, "room", ("127.0.0.1", 9))
    await asyncio.sleep(120)
    downs = [event for event in context.journal if event.kind == "location.link_down"]
    assert len(downs) == 1
    assert "no connection to 127.0.0.1:9" in downs[0].data["cause"]
    await room.close()
    await room.close()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("silent", "room: no answer within 2 s; ask the caller"),
        ("busy", "room: the service refused: busy; ask the caller"),
        ("gone", "room: the link went down: the connection was closed; ask the caller"),
        ("released", "room: the call was released; ask the caller"),
        ("closed", "room: the link was closed; ask the caller"),
    ],
)
async def test_whoever_waits_is_told_why_there_is_no_answer(wrong: str, told: str) -> None:
    async with linked() as (_, desk, started, room):
        desk.answers, desk.refuses = False, wrong == "busy"
        waiting = asyncio.create_task(room.locate("c", MOBILE))
        await asyncio.sleep(0.5)
        match wrong:
            case "gone":
                await started.fail()
            case "released":
                room.release("c")
            case "closed":
                await room.close()
        with pytest.raises(CallerLocationLocalError, match=told):
            await waiting


async def test_an_answer_that_comes_too_late_for_whoever_waited_is_kept() -> None:
    async with linked() as (_, desk, _, room):
        desk.answers = False
        with pytest.raises(CallerLocationLocalError, match="no answer within"):
            await room.locate("c", MOBILE, within=0.5)
        desk.clients[0].send(Answer(1, "c", Status.FOUND, (CELL,)))
        await asyncio.sleep(0.1)
        assert (await room.locate("c", MOBILE)).locations == (CELL,)


async def test_answers_to_nothing_and_updates_of_nothing_are_told_and_left() -> None:
    async with linked() as (context, desk, _, room):
        await room.locate("c", MOBILE)
        service_end = desk.clients[0]
        service_end.send(Answer(77, "c", Status.FOUND, (AML,)))
        service_end.send(Update("other", AML))
        await asyncio.sleep(0.1)
        assert len([event for event in context.journal if event.kind == "location.stray"]) == 2
        assert room.is_up


async def test_of_a_person_s_number_the_journal_keeps_little_and_the_caller_of_locate_gets_all() -> None:
    async with linked() as (context, _, _, room):
        known = await room.locate("c", PERSON)
        assert known.locations == (HOME, AML)
        text = context.journal.lines()
        for private in ("A Person", "1 Some Street", "1AA", "55.8642", "4.2518", PERSON):
            assert private not in text
        assert '"postcode":"G51 •••"' in text
        assert '"latitude":55.86' in text


async def test_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_CALLS", 2)
    async with linked() as (_, _, _, room):
        room.ask("1", MOBILE)
        room.ask("2", MOBILE)
        with pytest.raises(CallerLocationLocalError, match="2 calls are asked about already"):
            room.ask("3", MOBILE)
        room.release("1")
        room.ask("3", MOBILE)


async def test_locations_of_a_call_are_bounded_and_the_first_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_LOCATIONS", 4)
    async with linked() as (_, desk, _, room):
        await room.locate("c", MOBILE)
        for number in range(10):
            desk.clients[0].send(Update("c", replace(AML, time=number)))
        await asyncio.sleep(0.1)
        known = room.known("c")
        assert known is not None
        assert [location.time for location in known.locations] == [1, 7, 8, 9]


async def test_links_are_bounded_and_one_too_many_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_LINKS", 1)
    async with linked() as (context, _, started, _):
        other = CallerLocationClient.open(context, "other", started.address)
        down = await context.journal.expect("other", "location.link_down", within=2)
        assert down.data["cause"] == "the service refuses the link: busy"
        await other.close()


async def test_connections_that_never_greet_are_bounded_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    async with service() as (context, desk, started):
        strangers = [await asyncio.open_connection(*started.address) for _ in range(4)]
        assert await strangers[3][0].read() == b"", "one too many is closed at once"
        began = context.journal.now()
        assert await strangers[0][0].read() == b""
        assert context.journal.now() - began == pytest.approx(5, abs=0.1)
        room = CallerLocationClient.open(context, "room", started.address)
        await room.until(up=True, within=5)
        await room.close()
        for _, writer in strangers:
            writer.close()
        await context.journal.expect("service", "location.unlinked", within=1)
        assert desk.gone_clients == 1


async def test_a_control_room_that_leaves_everything_unread_is_given_up() -> None:
    async with service() as (context, desk, started):
        reader, writer = await asyncio.open_connection(*started.address)
        codec = JsonLines()
        writer.write(b'{"seq":1,"type":"hello","version":1,"client":"sleeper"}\n')
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await context.journal.expect("service", "location.linked", within=1)
        codec.encode(KeepAlive())
        writer.write(codec.encode(Query(1, "c", MOBILE)))
        await asyncio.sleep(0.1)
        for number in range(20_000):
            desk.clients[0].send(Update("c", replace(AML, time=number)))
            if desk.gone_clients:
                break
        await asyncio.sleep(0.1)
        gone = context.journal.find("service", "location.unlinked")
        assert gone is not None
        assert "octets unread" in gone.data["cause"]
        writer.close()
        del reader


async def test_a_port_that_is_taken_is_told() -> None:
    async with service() as (context, desk, started):
        with pytest.raises(TransportError, match="can't listen on"):
            await CallerLocationServer.start(
                context, "second", started.address, greeting=Welcome("x", 2.0), questions=desk
            )


# -- codecs ----------------------------------------------------------------------------------------------------------


DOCS = Path(__file__).resolve().parents[4] / "docs" / "interfaces" / "caller-location.md"


def documented_codec() -> Any:
    """The codec that the documentation gives as its example, as it stands there."""
    (code,) = re.findall(r"```python\n(# supplier_location.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs", "exec"), names)
    return names["Semicolons"]


def installed(monkeypatch: pytest.MonkeyPatch, name: str, load: Callable[[], Any]) -> None:
    """Let a package be installed that brings a codec."""
    entry = SimpleNamespace(name=name, value="supplier:Codec", load=load)
    monkeypatch.setattr(packages, "entry_points", lambda group: [entry] if group == "iccs.caller_location" else [])


async def supplier(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that speaks the made-up format of the documentation."""
    while line := await reader.readline():
        match line.decode().strip().split(";"):
            case ["LOGIN", "s3cret"]:
                writer.write(b"READY\r\n")
            case ["ASK", query, call, "+441414960123"]:
                writer.write(f"TOLD;{query};{call};A Person;1 Some Street/Govan;G51 1AA\r\n".encode())
            case ["ASK", query, call, "noise"]:
                writer.write(f"{query} {call}\r\n".encode())
            case ["ASK", query, call, _]:
                writer.write(f"NONE;{query};{call}\r\n".encode())
            case _:
                writer.write(b"\r\n")
    writer.close()


async def test_the_documented_codec_takes_the_place_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "supplier", documented_codec)
    assert codec_names() == ["iccs", "supplier"]
    context = Context.create(seed=1)
    listening = await asyncio.start_server(supplier, "127.0.0.1", 9100)
    room = CallerLocationClient.open(context, "room", ("127.0.0.1", 9100), token="s3cret", codec=load_codec("supplier"))
    await room.until(up=True, within=5)
    known = await room.locate("c", LANDLINE)
    assert known.best is not None
    assert known.best.subscriber == HOME.subscriber
    assert (await room.locate("d", MOBILE)).status is Status.UNKNOWN
    room.release("d")
    await asyncio.sleep(30)
    assert room.is_up
    room.ask("e", "noise")
    down = await context.journal.expect("room", "location.link_down", within=1)
    assert down.data["cause"] == "not a line of this format: '3 e'"
    await room.close()
    listening.close()
    await asyncio.sleep(1)  # of virtual time: the supplier's end sees that the link is gone


def test_codecs_that_are_not_there_or_can_not_be_loaded_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        CallerLocationLocalError, match=r"codec 'eisec' is installed \(iccs.caller_location\); there is iccs"
    ):
        load_codec("eisec")

    def fails() -> Any:
        raise ImportError("no module named supplier")

    installed(monkeypatch, "supplier", fails)
    with pytest.raises(CallerLocationLocalError, match=r"'supplier' \(supplier:Codec\) can't be loaded: no module"):
        load_codec("supplier")
    installed(monkeypatch, "supplier", lambda: 5)
    with pytest.raises(CallerLocationLocalError, match="can't be called to make one"):
        load_codec("supplier")
    installed(monkeypatch, "iccs", lambda: 5)
    assert load_codec("iccs") is JsonLines, "no package takes our own name"
