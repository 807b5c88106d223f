"""The control interface of a running control room, given what no console sends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from harness.errors import DriverError
from simulators.guard import MAX_BODY
from simulators.iccs.positions import CONSOLES_A_POSITION
from suites.selftest.witnesses.control_room import ControlRoom, control_room, kinds

pytestmark = pytest.mark.real_wire

WITHIN_S = 10.0
MAY_GROW = 24 * 1024 * 1024
AT = "/positions/govan-12"
LONG_TITLE = "\N{POLICE CAR}" * 190
EVENTS = 6000
"""Of 0.9 kB each: a console's bound of them and more than the 2.8 MB that a loopback connection's sockets hold."""


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[ControlRoom]:
    async with control_room(tmp_path / "room", "iccs") as started:
        yield started


@pytest.fixture
async def http(room: ControlRoom) -> AsyncIterator[httpx.AsyncClient]:
    async with room.client() as opened:
        yield opened


async def test_each_refusal_has_its_status(room: ControlRoom, http: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65_536

    async def asked(method: str, path: str, **how: Any) -> int:
        return (await http.request(method, path, **how)).status_code

    for path, how, status in (
        ("/positions/nowhere/login", {}, 404),
        ("/positions/nowhere/answer", {"json": {}}, 404),
        ("/positions/../../etc/passwd", {}, 404),
        ("/nothing", {}, 404),
        (f"{AT}/answer", {"json": {}}, 409),  # nobody sits there
        (f"{AT}/login", {}, 200),
        (f"{AT}/login", {}, 409),  # somebody does
        (f"{AT}/answer", {"json": {"queue": "lost"}}, 404),
        (f"{AT}/answer", {"json": {}}, 409),  # nothing rings
        (f"{AT}/clear", {}, 409),
        (f"{AT}/dtmf", {"json": {"digits": "1"}}, 409),
        (f"{AT}/unkey", {}, 409),
        (f"{AT}/key", {"json": {"talkgroup": "GD-OPS-1"}}, 409),  # a call taker works none
        (f"{AT}/dial", {"json": {"number": "2001"}}, 409),  # nobody has registered
        (f"{AT}/incidents/INC-404/close", {}, 404),
        (f"{AT}/answer", {"content": b"{"}, 422),
        (f"{AT}/answer", {"content": b"\xff\xfe\x00"}, 422),
        (f"{AT}/answer", {"content": b"[" * 60_000}, 422),
        (f"{AT}/answer", {"content": b"\xff\xfe\x00", "headers": {"Content-Type": "application/json"}}, 400),
        (f"{AT}/answer", {"content": b"[" * 60_000, "headers": {"Content-Type": "application/json"}}, 400),
        (f"{AT}/answer", {"content": b'{"\\ud800": 1}', "headers": {"Content-Type": "application/json"}}, 422),
        (f"{AT}/incidents", {"content": b'{"title": "\\ud800"}', "headers": {"Content-Type": "application/json"}}, 422),
        (f"{AT}/answer", {"json": ["queue"]}, 422),
        (f"{AT}/answer", {"json": {"queue": 5}}, 422),
        (f"{AT}/answer", {"json": {"queue": "emergency", "extra": 1}}, 422),
        (f"{AT}/dial", {"json": {"number": "2001@evil\r\nVia: x"}}, 422),
        (f"{AT}/dial", {"json": {"number": ""}}, 422),
        (f"{AT}/dtmf", {"json": {"digits": "1" * 33}}, 422),
        (f"{AT}/dtmf", {"json": {"digits": "12x"}}, 422),
        (f"{AT}/text", {"json": {"issi": 0, "text": "a"}}, 422),
        (f"{AT}/text", {"json": {"issi": 16_777_216, "text": "a"}}, 422),
        (f"{AT}/incidents", {"json": {"title": "x" * 201}}, 422),
        (f"{AT}/answer", {"content": b"x" * (MAX_BODY + 1)}, 413),
        (f"{AT}/answer", {"content": b"x" * 1_000_000}, 413),
        (f"{AT}/answer", {"content": chunks()}, 413),
        (f"{AT}/logout", {}, 200),
        (f"{AT}/logout", {}, 200),  # nobody sits there, which is no error
    ):
        assert await asked("POST", path, **how) == status, (path, str(how)[:100])
    assert await asked("GET", f"{AT}/answer") == 405
    assert (await http.get("/status")).json()["logged_in"] == []
    await room.stop()


async def test_a_position_is_one_operators(room: ControlRoom) -> None:
    async with room.bench() as first, room.bench() as second:
        console, trunk = await first.console("govan-12"), await first.trunk()
        with pytest.raises(DriverError, match=r"409.*somebody is logged in"):
            await second.console("govan-12")
        # the one who was refused has not thrown the other out
        call = await trunk.dial("999")
        await console.expect("call.ringing", within=WITHIN_S)
        await console.answer()
        await call.answered(within=WITHIN_S)
        with pytest.raises(DriverError, match=r"409.*not free"):
            await console.dial("2001")
        with pytest.raises(DriverError, match=r"409.*not free"):
            await console.answer()
        await console.clear()
        await call.ended(within=WITHIN_S)
    await room.stop()


async def test_a_console_that_never_reads_is_cut_off_within_bounds(room: ControlRoom, http: httpx.AsyncClient) -> None:
    url = f"{room.http.replace('http', 'ws', 1)}/v1{AT}/events"
    async with connect(url, proxy=None) as listener:
        host, _, port = room.http.removeprefix("http://").rpartition(":")
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(narrow, (host, int(port)))
        reader, writer = await asyncio.open_connection(sock=narrow, limit=1024)
        writer.write(
            f"GET /v1{AT}/events HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 101")
        before = room.memory()
        for number in range(EVENTS):  # more than the sockets' buffers and the room's bound hold together
            (await http.post(f"{AT}/incidents", json={"title": f"{number} {LONG_TITLE}"})).raise_for_status()
            async with asyncio.timeout(WITHIN_S):
                assert f'"{number} ' in str(await listener.recv())  # who reads is told everything, in order
        grown = room.memory() - before
        assert grown < MAY_GROW, f"{EVENTS} events made it grow by {grown} bytes"
    journal = await room.stop()  # who does not read does not hold it up
    writer.transport.abort()
    (cut_off,) = kinds(journal, "console.cut_off")
    assert cut_off["source"] == "govan-12"


async def test_more_consoles_than_a_position_takes_are_turned_away(room: ControlRoom) -> None:
    url = f"{room.http.replace('http', 'ws', 1)}/v1{AT}/events"
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(CONSOLES_A_POSITION):
            await stack.enter_async_context(connect(url, proxy=None))
        with pytest.raises(InvalidStatus, match="403"):
            await connect(url, proxy=None)
    with pytest.raises(InvalidStatus, match="403"):
        await connect(url.replace("govan-12", "nowhere"), proxy=None)
    async with connect(url, proxy=None) as socket:  # there is room again
        await socket.send("what a console says is not looked at")
        await socket.send("x" * 100_000)
        await socket.send(b"\x00" * 1000)
    async with room.client() as http:
        assert (await http.post(f"{AT}/login")).status_code == 200
    await room.stop()
