"""What the interlock refuses never reaches the real equipment: sockets and lines that the test holds stay silent."""

from __future__ import annotations

import asyncio
import os
import socket
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.drivers.console import Console
from harness.endpoints.media import open_media
from harness.errors import DriverError, InterlockError, PeiLocalError, TestbedError
from harness.testbed.bench import Bench, open_bench
from harness.testbed.interlock import Interlock
from harness.testbed.load import load_testbed
from harness.testbed.simulation import Simulation
from harness.transport.context import Context

pytestmark = pytest.mark.real_wire
TODAY = date(2026, 3, 10)
SAFETY = """
safety:
  dial: ["01314960001", "2001"]
  key: [GD-OPS-1]
  message: [4009001]
"""


class Equipment:
    """A UDP socket where a real switch would be."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]

    async def next(self) -> bytes:
        """The next datagram that arrives."""
        async with asyncio.timeout(2.0):
            return await asyncio.get_running_loop().sock_recv(self._socket, 65536)

    def silent(self) -> bool:
        """Whether nothing has arrived: on loopback a datagram is here as soon as it is sent."""
        try:
            self._socket.recv(65536)
        except BlockingIOError:
            return True
        return False

    def close(self) -> None:
        """Let it go."""
        self._socket.close()


class Line:
    """A PTY whose master the test holds, and a terminal on it that says OK to all and notes what it was told."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.url = os.ttyname(slave)
        self._slave = slave
        self.said: list[bytes] = []
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def _read(self) -> None:
        data = os.read(self.master, 65536)
        self.said.append(data)
        if b"\r" in data:
            os.write(self.master, b"\r\nOK\r\n")

    def close(self) -> None:
        """Let it go."""
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)
        os.close(self._slave)


@contextmanager
def closing(*things: Equipment | Line) -> Iterator[None]:
    """Close them all after."""
    try:
        yield
    finally:
        for each in things:
            each.close()


@asynccontextmanager
async def bench_of(tmp_path: Path, text: str, **options: Any) -> AsyncIterator[Bench]:
    """A bench over a testbed file of that text."""
    path = tmp_path / "testbed.yaml"
    path.write_text("name: bench\ntalkgroups: {GD-OPS-1: 1001, GD-OPS-2: 1002}\n" + SAFETY + text)
    async with open_bench(load_testbed(path), today=TODAY, **{"addresses": None, "virtual": False, **options}) as bench:
        yield bench


async def test_a_real_switch_hears_nothing_but_what_is_allowed(tmp_path: Path) -> None:
    switch = Equipment()
    text = (
        f"components:\n  iccs: {{role: iccs, binding: real, sip: '127.0.0.1:{switch.port}'}}\n"
        "  trunk: {role: emergency_trunk}\n"
    )
    with closing(switch):
        async with bench_of(tmp_path, text) as bench:
            trunk = await bench.trunk()
            for number in ("999", "+44999", "9%399", "112", "101", "18000", "01314960002", "2001;isub=1", "2001%40x"):
                with pytest.raises(InterlockError):
                    await trunk.dial(number)
                assert switch.silent(), number
            assert [event.kind for event in bench.journal if event.source == "trunk"] == []
            call = await trunk.dial("01314960001", cli="+447700900123")
            assert (await switch.next()).startswith(b"INVITE sip:01314960001@127.0.0.1:")
            await call.hang_up()


async def test_a_real_terminal_is_told_nothing_that_keys_or_sends_but_what_is_allowed(tmp_path: Path) -> None:
    line, loudspeaker = Line(), Equipment()
    text = (
        "components:\n  officer:\n    role: radio_terminal\n    binding: real\n    issi: 4001234\n"
        f"    talkgroup: GD-OPS-1\n    serial: {{url: {line.url}}}\n    audio: 'rtp://127.0.0.1:{loudspeaker.port}'\n"
    )
    with closing(line, loudspeaker):
        async with bench_of(tmp_path, text) as bench:
            officer = await bench.terminal("officer")
            line.said.clear()
            for refused in (
                officer.key("GD-OPS-2"),
                officer.key("GD-OPS-1", priority=15),
                officer.send_status(5, to=4001235),
                officer.send_status(0, to=4009001),
                officer.send_text("hello", to=4001235),
                officer.send_text("hello", to=1001),
            ):
                with pytest.raises(InterlockError):
                    await refused
            with pytest.raises(PeiLocalError):  # it says OK and nothing else, so no floor comes
                await officer.key("GD-OPS-1", within=0.2)
            # A line keeps its order: had anything left before, it would stand before this.
            commands = b"".join(line.said).splitlines()
            assert commands[0].startswith(b"AT+CTSDC=")
            assert [each for each in commands if each][1] == b"ATD1001"


async def test_a_real_gateway_behind_a_simulated_control_room_is_keyed_only_as_allowed(tmp_path: Path) -> None:
    line, jack = Line(), Equipment()
    text = (
        "components:\n  iccs:\n    role: iccs\n    simulator:\n      positions:\n"
        "        - {id: desk-1, role: dispatcher, talkgroups: [GD-OPS-1, GD-OPS-2]}\n"
        "  desk-1: {role: console, position: desk-1}\n"
        "  gateway-2:\n    role: radio_gateway\n    binding: real\n    issi: 4009002\n"
        f"    talkgroup: GD-OPS-2\n    serial: {{url: {line.url}}}\n    audio: 'rtp://127.0.0.1:{jack.port}'\n"
    )
    with closing(line, jack):
        path = tmp_path / "testbed.yaml"
        async with bench_of(tmp_path, text) as drivers:
            testbed = load_testbed(path)
            context = Context.create()
            simulation = await Simulation.start(context, testbed, Interlock(testbed, TODAY), virtual=False)
            try:
                line.said.clear()
                for each in simulation.addresses:
                    drivers.addresses.add(each)
                desk = await drivers.console("desk-1")
                with pytest.raises(InterlockError, match="key GD-OPS-2 is not allowed: gateway-2 of testbed 'bench'"):
                    await desk.key("GD-OPS-2")
                with pytest.raises(InterlockError):
                    await desk.send_text(4001234, "hello")
                with pytest.raises(InterlockError):
                    await desk.dial("2002")
                # And the control room itself refuses what some other console asks for, before the gateway hears of it.
                desk._permit_radio = lambda *_asked: None
                await desk.key("GD-OPS-2")
                refused = await desk.expect("ptt.refused", within=2.0)
                assert "key GD-OPS-2 is not allowed" in refused.data["reason"]
                with pytest.raises(
                    DriverError, match="409: the text to 4001234 failed: message 4001234 is not allowed"
                ):
                    await desk.send_text(4001234, "hello")
                # The console's answer came after the gateway was asked, over sockets: a byte would be here by now.
                assert line.said == []
            finally:
                await drivers.close()
                await simulation.stop()
                context.close()


async def test_a_real_switch_s_console_is_asked_nothing_that_is_not_allowed(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(row.split(b":")[1]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length")
        )
        asked.append(head + await reader.readexactly(length))
        body = b'{"call": "1"}'
        writer.write(b"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    text = "components:\n  iccs: {role: iccs, binding: real, sip: '192.0.2.1:5060'}\n"
    async with server, bench_of(tmp_path, text) as bench:
        http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        lock = bench.interlock
        media = await open_media(bench.context, in_process=True)
        console = Console(bench.context, media, "desk", "desk-1", http, lock.dial, lock.radio)
        for refused in (
            console.dial("999"),
            console.dial("2002"),
            console.key("GD-OPS-2"),
            console.send_text(4001234, "x"),
        ):
            with pytest.raises(InterlockError):
                await refused
        assert asked == []
        assert await console.dial("2001") == "1"
        await console.key("GD-OPS-1")
        await console.send_text(4009001, "x")
        assert [each.split(b" ")[1].rpartition(b"/")[2] for each in asked] == [b"dial", b"key", b"text"]
        await console.close()
        await media.close()


async def test_virtual_time_is_refused_where_anything_is_real(tmp_path: Path) -> None:
    text = "components:\n  iccs: {role: iccs, binding: real, sip: '192.0.2.1:5060'}\n"
    with pytest.raises(TestbedError, match="testbed 'bench' has iccs: no virtual time with those"):
        async with bench_of(tmp_path, text, virtual=True):
            pass
