"""The control interface of the ICCS simulator: who may use it, what it takes, what becomes of a console that sleeps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from control_room_in_virtual_time import LAYOUT, anything, control_room
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from harness.endpoints.media import open_media
from harness.errors import DriverError, LocalError
from harness.transport.context import Context
from simulators.guard import MAX_BODY
from simulators.iccs.positions import CONSOLES_A_POSITION, EVENTS_A_CONSOLE
from simulators.iccs.settings import IccsSettings
from simulators.iccs.simulator import IccsSimulator

pytestmark = pytest.mark.virtual_time
TOKEN = "test-control-token"


async def test_a_seat_is_taken_once() -> None:
    async with control_room() as room, room.http() as http:
        answers = await asyncio.gather(*(http.post("/v1/positions/govan-01/login") for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
        told = next(answer.json() for answer in answers if answer.status_code == 409)
        assert told == {"detail": "somebody is logged in at govan-01"}
        with pytest.raises(DriverError, match="409: somebody is logged in at govan-01"):
            await room.console("govan-01")
        assert (await http.post("/v1/positions/govan-01/logout")).json()["logged_in"] is False
        assert (await http.post("/v1/positions/govan-01/logout")).status_code == 200
        await room.console("govan-01")


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("answer", {}),
        ("dial", {"number": "2001"}),
        ("key", {"talkgroup": "GD-OPS-1"}),
        ("text", {"issi": 1, "text": "x"}),
    ],
)
async def test_nobody_acts_at_an_empty_seat(action: str, body: dict[str, Any]) -> None:
    async with control_room() as room, room.http() as http:
        answer = await http.post(f"/v1/positions/desk-1/{action}", json=body)
        assert (answer.status_code, answer.json()["detail"]) == (409, "nobody is logged in at desk-1")


async def test_what_is_not_there_is_404() -> None:
    async with control_room() as room, room.http() as http:
        for path in ("positions/nobody", "incidents/INC-1"):
            assert (await http.get(f"/v1/{path}")).status_code == 404
        assert (await http.post("/v1/positions/nobody/login")).status_code == 404
        await http.post("/v1/positions/govan-01/login")
        answer = await http.post("/v1/positions/govan-01/answer", json={"queue": "nowhere"})
        assert (answer.status_code, answer.json()["detail"]) == (404, "there is no queue 'nowhere'")


async def test_bodies_are_bounded_and_strict() -> None:
    async with control_room() as room, room.http() as http:
        url = "/v1/positions/govan-01/incidents"
        assert (await http.post(url, content=b"x" * (MAX_BODY + 1))).status_code == 413
        assert (await http.post(url, content=b"x" * MAX_BODY)).status_code == 422
        assert (await http.post(url, headers={"Transfer-Encoding": "chunked"}, content=b"{}")).status_code == 422
        assert (await http.post(url, json={"title": "x" * 201})).status_code == 422
        assert (await http.post(url, json={"title": "x", "more": 1})).status_code == 422
        assert (await http.post("/v1/positions/govan-01/dial", json={"number": "2001@else"})).status_code == 422
        assert (await http.post(url, json={"title": "x" * 200})).status_code == 201


async def test_its_event_streams_are_described_where_they_are() -> None:
    async with control_room() as room, room.http() as http:
        found = (await http.get("/asyncapi.json")).json()
        assert found["asyncapi"] == "3.0.0"
        assert {each["address"] for each in found["channels"].values()} == {
            "/v1/positions/{id_}/events",
            "/v1/wallboard/events",
        }
        assert "/asyncapi.json" not in (await http.get("/openapi.json")).json()["paths"]


async def test_without_the_token_nothing_is_told_or_done() -> None:
    async with control_room({"control_token": TOKEN}) as room:
        for token in (None, "x", TOKEN[:-1], TOKEN + "x"):
            async with room.http(token) as http:
                for path in ("/v1/status", "/v1/positions", "/v1/positions/nobody"):
                    answer = await http.get(path)
                    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
                assert (await http.post("/v1/positions/govan-01/login")).status_code == 401
                for page in ("/docs", "/redoc", "/openapi.json", "/asyncapi.json"):
                    assert (await http.get(page)).status_code == 404
        assert not room.iccs.positions.get("govan-01").logged_in
        url = room.iccs.control_url.replace("http", "ws") + "/v1/positions/govan-01/events"
        with pytest.raises(InvalidStatus, match=r"HTTP 40[13]"):
            await connect(url, proxy=None)
        with pytest.raises(DriverError, match="401: a bearer token is needed"):
            await room.console("govan-01")
        console = await room.console("govan-01", token=TOKEN)
        await console.open_incident("x")
        await console.expect("incident.opened", within=1.0)


@pytest.mark.parametrize(("host", "token", "allowed"), [("0.0.0.0", None, False), ("0.0.0.0", TOKEN, True)])
async def test_beyond_loopback_a_token_is_needed(host: str, token: str | None, allowed: bool) -> None:
    context = Context.create(seed=1)
    media = await open_media(context, in_process=True)
    settings = IccsSettings.model_validate(LAYOUT | {"host": host, "control_token": token})
    try:
        start = IccsSimulator.start(context, media, settings, permit_dial=anything, permit_radio=anything)
        if allowed:
            await (await start).stop()
        else:
            with pytest.raises(LocalError, match=r"on 0\.0\.0\.0 needs 'control_token': only loopback goes without"):
                await start
    finally:
        await media.close()


async def test_more_positions_than_an_iccs_has_are_refused() -> None:
    rows = [{"site": "a", "first": 1, "last": 1000}, {"site": "b", "first": 1, "last": 1}]
    with pytest.raises(LocalError, match="1001 positions; an ICCS has 1000 at most"):
        async with control_room({"positions": rows}):
            pass


@pytest.mark.unlike_on_purpose
async def test_a_console_that_does_not_read_is_cut_off_and_the_others_go_on() -> None:
    async with control_room() as room:
        reader = await room.console("govan-01")
        url = room.iccs.control_url.replace("http", "ws") + "/v1/positions/govan-01/events"
        sleeper = await connect(url, proxy=None, max_queue=1)
        sleeper.transport.pause_reading()
        position = room.iccs.positions.get("govan-01")
        sent = 0
        while len(position.streams) == 2 and sent < 200_000:
            for _ in range(EVENTS_A_CONSOLE // 2):
                room.iccs.positions.tell(position, "test.event", number=sent, padding="x" * 500)
                sent += 1
            await asyncio.sleep(0.5)
        assert len(position.streams) == 1
        await reader.expect("test.event", within=5.0, number=sent - 1)
        warned = [event for event in room.simulators.journal if event.kind == "console.cut_off"]
        assert len(warned) == 1
        sleeper.transport.resume_reading()
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(60):
                while True:
                    await sleeper.recv()
        assert sleeper.close_code == 1013


async def test_so_many_consoles_may_watch_a_position() -> None:
    async with control_room() as room:
        url = room.iccs.control_url.replace("http", "ws") + "/v1/positions/{}/events"
        open_ = [await connect(url.format("govan-01"), proxy=None) for _ in range(CONSOLES_A_POSITION)]
        for position in ("govan-01", "nobody"):
            with pytest.raises(InvalidStatus):
                await connect(url.format(position), proxy=None)
        await asyncio.gather(*(each.close() for each in open_))
        await asyncio.sleep(1.0)
        assert room.iccs.positions.get("govan-01").streams == []


async def test_what_a_console_says_on_its_stream_is_not_looked_at() -> None:
    async with control_room() as room:
        url = room.iccs.control_url.replace("http", "ws") + "/v1/positions/govan-01/events"
        async with connect(url, proxy=None) as stream:
            for message in ("hello", b"\x00\xff", "{}"):
                await stream.send(message)
            await asyncio.sleep(0.5)
            assert len(room.iccs.positions.get("govan-01").streams) == 1


async def test_stopping_ends_open_streams() -> None:
    async with control_room() as room:
        url = room.iccs.control_url.replace("http", "ws") + "/v1/positions/govan-01/events"
        stream = await connect(url, proxy=None)
        await room.iccs.stop()
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(5):
                await stream.recv()
