"""A playing over the wire: who is let in, what becomes of a browser that vanishes, nonsense, and a full disk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from harness.evidence.requirements import catalogue
from harness.page.play import session
from harness.page.play.routes import MAX_MESSAGE, MAX_REFUSED
from harness.page.play.session import MAX_VIEWERS
from harness.testbed.clips import read_clip
from suites.selftest.page.play.play_server import DOMESTIC, OFFICER, Server, serving

pytestmark = pytest.mark.real_wire
UP_WITHIN_S = 60.0
WAV_OF_A_SECOND = 16_000


async def begun(server: Server, person: str = "anna", seat: str = "call_taker", scenario: str = DOMESTIC) -> str:
    async with server.browser(person) as http:
        answer = await http.post("/play", data=await server.form(person, scenario=scenario, seat=seat))
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


@asynccontextmanager
async def browser(
    server: Server, path: str, person: str = "anna", *, way: str = "console", origin: str | None = None
) -> AsyncIterator[ClientConnection]:
    url = server.url.replace("http", "ws") + f"{path}/{way}"
    cookie = "; ".join(f"{key}={value}" for key, value in server.cookie(person).items())
    headers = {"Cookie": cookie} | ({} if origin is None else {"Origin": origin})
    async with connect(url, additional_headers=headers, proxy=None, max_size=2**20) as socket:
        yield socket


LATEST: WeakKeyDictionary[ClientConnection, dict[str, Any]] = WeakKeyDictionary()
"""The state that each browser was sent last."""


async def until(socket: ClientConnection, fits: Callable[[dict[str, Any]], bool], within: float = UP_WITHIN_S) -> Any:
    """Return the state that was sent last, where it fits, or the first message that does."""
    if socket in LATEST and fits(LATEST[socket]):
        return LATEST[socket]
    async with asyncio.timeout(within):
        while True:
            message = json.loads(await socket.recv())
            if message["kind"] == "state":
                LATEST[socket] = message
            if fits(message):
                return message


def children() -> set[str]:
    """The processes that this one has started and that live."""
    return {pid for each in Path("/proc/self/task").iterdir() for pid in (each / "children").read_text().split()}


def is_phase(phase: str) -> Callable[[dict[str, Any]], bool]:
    return lambda message: message.get("phase") == phase


async def do(socket: ClientConnection, act: str, **given: Any) -> Any:
    """Ask for an act; return the answer."""
    await socket.send(json.dumps({"do": act, "with": given}))
    return await until(socket, lambda message: message["kind"] in {"done", "refused"})


async def test_what_is_done_in_the_browser_is_audited_at_the_iccs_under_the_position() -> None:
    async with serving() as server:
        path = await begun(server)
        async with browser(server, path) as socket:
            await until(socket, is_phase("ready"))
            assert (await do(socket, "answer"))["kind"] == "refused", "nothing rings yet"
            assert (await do(socket, "begin"))["kind"] == "done"
            ringing = await until(socket, lambda it: it["kind"] == "state" and bool(it["console"]["calls"]))
            call = ringing["console"]["calls"][0]
            assert (call["queue"], call["cli"]) == ("emergency", "+447700900125")
            assert (await do(socket, "answer", call=call["call"]))["kind"] == "done"
            await until(socket, lambda it: it["kind"] == "state" and it["console"]["calls"][0]["state"] == "connected")
            assert (await do(socket, "open_incident", title="<b>x</b>"))["kind"] == "done"
            playing = next(iter(server.sessions._playings.values()))
            assert playing._console is not None
            entries = (await playing._console._http.get("/v1/audit")).json()
            done = [(each["position"], each["act"], each["outcome"]) for each in entries]
            assert ("govan-12", "answer", "refused") in done
            assert ("govan-12", "answer", "done") in done
            assert ("govan-12", "open_incident", "done") in done
            await do(socket, "leave")
            await until(socket, is_phase("over"))
        assert [attempt.ended for _, attempt in server.attempts.kept] == ["abandoned"]


async def test_a_second_browser_looks_on_and_has_the_seat_once_the_first_is_gone() -> None:
    async with serving() as server:
        path = await begun(server)
        async with browser(server, path) as first:
            await until(first, lambda it: it.get("holder") is True)
            async with browser(server, path) as second:
                seen = await until(second, lambda it: it["kind"] == "state")
                assert seen["holder"] is False and seen["held_by"].startswith("Anna")
                refused = await do(second, "begin")
                assert refused["kind"] == "refused" and "has this seat in another window" in refused["reason"]
                await first.close()
                await until(second, lambda it: it.get("holder") is True)


async def test_a_browser_that_vanishes_is_waited_for_and_then_its_playing_is_abandoned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "VANISHED_S", 3.0)
    async with serving() as server:
        path = await begun(server)
        async with browser(server, path) as socket:
            await until(socket, is_phase("ready"))
            await do(socket, "begin")
            await until(socket, is_phase("playing"))
            socket.transport.abort()  # as a cable that is pulled: no goodbye
        async with browser(server, path) as again:
            back = await until(again, lambda it: it["kind"] == "state")
            assert back["phase"] == "playing" and back["holder"] is True, "a reload goes on where it was"
        playing = next(iter(server.sessions._playings.values()))
        async with asyncio.timeout(30):
            await asyncio.shield(playing._task)
        ((_, attempt),) = server.attempts.kept
        assert attempt.ended == "abandoned" and attempt.detail["why"] == "the browser did not come back"


async def test_nobody_else_is_let_in() -> None:
    async with serving() as server:
        path = await begun(server)
        for person, origin in (("ben", None), ("cara", None), ("", None), ("anna", "http://elsewhere.example")):
            for way in ("console", "sound"):
                with pytest.raises(InvalidStatus) as refused:
                    async with browser(server, path, person, way=way, origin=origin):
                        pass
                assert refused.value.response.status_code == 403
        async with server.browser("ben") as http:
            for page in (path, f"{path}/debrief", f"{path}/heard.wav", "/play/" + "A" * 200):
                assert (await http.get(page)).status_code == 404
            form = await server.form("ben")
            assert (await http.post(f"{path}/keep", data=form)).status_code == 404
        async with server.browser("anna") as http:
            form = await server.form("anna", scenario=DOMESTIC, seat="call_taker")
            again = await http.post("/play", data=form)
            assert again.status_code == 409 and "you are playing already" in again.text
            foreign = await http.post("/play", data=form, headers={"Origin": "http://elsewhere.example"})
            assert foreign.status_code == 403
            assert (await http.post("/play", data={**form, "csrf": "of another"})).status_code == 403
        async with server.browser("ben") as http:
            for seat in ("caller", "nobody", "<script>"):
                form = await server.form("ben", scenario=DOMESTIC, seat=seat)
                assert (await http.post("/play", data=form)).status_code == 409
            form = await server.form("ben", scenario="../../etc/passwd", seat="call_taker")
            unknown = await http.post("/play", data=form)
            assert unknown.status_code == 409


@pytest.mark.parametrize(
    "message",
    ["", "nonsense", "[]", "[" * 10_000, '{"do": 1}', '{"do": "answer", "with": 3}', "x" * (MAX_MESSAGE + 1)],
    ids=["empty", "words", "list", "deep", "number", "with", "long"],
)
async def test_a_message_that_makes_no_sense_is_refused_and_too_many_of_them_end_the_stream(message: str) -> None:
    async with serving() as server:
        path = await begun(server)
        async with browser(server, path) as socket:
            for _ in range(MAX_REFUSED):
                await socket.send(message)
            with pytest.raises(ConnectionClosed) as closed:
                await until(socket, lambda _: False)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
        async with browser(server, path) as socket:
            await until(socket, is_phase("ready"))
            for act, given in (
                ("fly", {}),
                ("answer", {"call": "x" * 99}),
                ("key", {}),
                ("thrive", {"factor": "Luck"}),
            ):
                assert (await do(socket, act, **given))["kind"] == "refused"


async def test_a_message_of_a_megabyte_ends_the_stream_and_nothing_else() -> None:
    async with serving() as server:
        path = await begun(server)
        with pytest.raises(ConnectionClosed):
            async with browser(server, path) as socket:
                await socket.send("x" * 2**20)
                await until(socket, lambda _: False)
        async with browser(server, path) as socket:
            await until(socket, is_phase("ready"))


async def test_more_browsers_than_are_let_in_are_told_so() -> None:
    async with serving() as server:
        path = await begun(server)
        async with AsyncExitStack() as stack:
            for _ in range(MAX_VIEWERS):
                await stack.enter_async_context(browser(server, path))
            one_more = await stack.enter_async_context(browser(server, path))
            with pytest.raises(ConnectionClosed) as closed:
                await until(one_more, lambda _: False)
            assert closed.value.rcvd is not None and "close one" in closed.value.rcvd.reason


async def test_where_the_disk_is_full_the_attempt_is_held_until_it_can_be_stored() -> None:
    async with serving() as server:
        server.attempts.full = True
        path = await begun(server)
        async with browser(server, path) as socket:
            await until(socket, is_phase("ready"))
            await do(socket, "begin")
            await until(socket, is_phase("playing"))
            await do(socket, "leave")
            over = await until(socket, is_phase("over"))
            assert over["attempt"] == {"number": None, "unkept": "the disk is full"}
        async with server.browser("anna") as http:
            told = (await http.get(f"{path}/debrief")).text
            assert "not stored yet: the disk is full" in told and "Try again" in told
            assert "<script>alert" not in told and "&lt;script&gt;alert" in told
            form = await server.form("anna", scenario=DOMESTIC, seat="call_taker")
            refused = await http.post("/play", data=form)
            assert refused.status_code == 409 and "not stored yet" in refused.text
            await http.post(f"{path}/keep", data=form)
            assert server.attempts.kept == []
            server.attempts.full = False
            await http.post(f"{path}/keep", data=form)
            await http.post(f"{path}/keep", data=form)
            assert len(server.attempts.kept) == 1, "it is stored once"
            assert "Stored as attempt 1" in (await http.get(f"{path}/debrief")).text
            for moment in ("0", "1.5", "100000"):
                heard = await http.get(f"{path}/heard.wav?at={moment}")
                assert heard.status_code == 200 and heard.content[:4] == b"RIFF"
            for moment in ("nan", "inf", "-1", "x", "1e9"):
                assert (await http.get(f"{path}/heard.wav?at={moment}")).status_code == 400
            assert (await http.get("/play/attempts/1")).status_code == 200
            assert (await http.get("/play/attempts/2")).status_code == 404
        async with server.browser("ben") as http:
            assert (await http.get("/play/attempts/1")).status_code == 404
        async with server.browser("cara") as http:
            read = await http.get("/play/attempts/1")
            assert read.status_code == 200 and "heard.wav" not in read.text


async def test_a_server_that_ends_keeps_what_was_reached_and_leaves_no_process() -> None:
    before = children()
    async with serving() as server:
        path = await begun(server)
        async with browser(server, path) as socket:
            await until(socket, is_phase("ready"))
            assert len(children() - before) >= 2, "the simulators and the media worker"
            await do(socket, "begin")
            await until(socket, is_phase("playing"))
            assert await server.sessions.close() == []
            assert children() == before
        ((_, attempt),) = server.attempts.kept
        assert attempt.ended == "abandoned" and attempt.detail["why"] == "the server was stopped"


async def test_a_playing_is_held_before_a_step_and_goes_on_one_step_at_a_time() -> None:
    async with serving() as server:
        path = await begun(server)
        async with browser(server, path) as socket:
            await until(socket, is_phase("ready"))
            await do(socket, "pause")
            await do(socket, "begin")
            held = await until(socket, lambda it: it["kind"] == "state" and bool(it["pace"]["held_before"]))
            assert held["pace"]["held_before"].startswith("caller: dial") and held["reached"] == 0
            await do(socket, "step")
            held = await until(socket, lambda it: it["kind"] == "state" and it["reached"] == 1)
            held = await until(socket, lambda it: it["kind"] == "state" and "say" in str(it["pace"]["held_before"]))
            assert held["reached"] == 1
            await do(socket, "play")
            await until(socket, lambda it: it["kind"] == "state" and it["turn"] is not None)


async def test_the_scenarios_clock_goes_at_another_speed_and_the_debrief_tells_it() -> None:
    async with serving() as server:
        path = await begun(server, seat="dispatcher", scenario=OFFICER)
        async with browser(server, path) as socket:
            await until(socket, is_phase("ready"))
            refused = await do(socket, "speed", to=3)
            assert refused["reason"] == "a speed is one of 0.5, 1, 2, 4, 8"
            await do(socket, "speed", to=8)
            await until(socket, lambda it: it["kind"] == "state" and it["pace"]["speed"] == 8)
            await do(socket, "begin")
            await until(socket, lambda it: it["kind"] == "state" and it["turn"] is not None)
            await do(socket, "leave")
            await until(socket, is_phase("over"))
        ((_, attempt),) = server.attempts.kept
        assert attempt.detail["speeds"] == [8.0]


async def test_what_the_seat_has_heard_is_replayed_at_once_and_to_nobody_else() -> None:
    async with serving() as server:
        path = await begun(server)
        async with browser(server, path) as socket, server.browser("anna") as http:
            assert (await http.get(f"{path}/replays")).status_code == 409, "the control room is not up"
            await until(socket, is_phase("ready"))
            assert (await http.get(f"{path}/replays")).json() == []
            await do(socket, "begin")
            await until(socket, lambda it: it["kind"] == "state" and it["turn"] is not None)
            assert (await do(socket, "answer"))["kind"] == "done"
            loop = asyncio.get_running_loop()
            played = b""
            async with asyncio.timeout(30):
                while len(played) < WAV_OF_A_SECOND:  # the caller has to say something first
                    asked = loop.time()
                    told = (await http.get(f"{path}/replays")).json()
                    for leg in [each["leg"] for each in told if each["kind"] == "telephone_in"]:
                        played = (await http.get(f"{path}/recorded/{leg}")).content
                    took = loop.time() - asked
                    await asyncio.sleep(0.2)
            assert took <= catalogue()["NICCS-REC-002"].figure("replay_s").value
            assert played[:4] == b"RIFF"
            unknown = await http.get(f"{path}/recorded/LEG-999999")
            assert unknown.status_code == 409 and "there is no recording" in unknown.text
            async with server.browser("ben") as other:
                assert (await other.get(f"{path}/replays")).status_code == 404
                assert (await other.get(f"{path}/recorded/{leg}")).status_code == 404


async def test_what_a_microphone_says_is_spoken_into_the_headset_and_told_as_ones_own_voice() -> None:
    async with serving() as server:
        path = await begun(server)
        async with browser(server, path) as socket:
            await until(socket, is_phase("ready"))
            playing = next(iter(server.sessions._playings.values()))
            assert playing._console is not None
            journal = playing._console._journal
            async with browser(server, path, way="sound") as sound:
                async with asyncio.timeout(10):
                    assert len(await sound.recv()) == 320, "20 ms of 16-bit samples"
                samples = read_clip("dispatch").astype("<i2").tobytes()
                for start in range(0, len(samples), 3_200):
                    await sound.send(samples[start : start + 3_200])
                spoke = await journal.expect("govan-12", "operator.spoke", within=10.0)
                assert "clip" not in spoke.data
                await sound.send(b"odd")
                with pytest.raises(ConnectionClosed) as closed:
                    while True:
                        await sound.recv()
                assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
