"""An element under more than it should bear: it refuses what is too much, keeps its size, and a call is spoken to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import trustme

from harness.endpoints.media import Recording, open_media
from harness.endpoints.sip.agent import MAX_CALLS, UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.transports import MESSAGE_S, SWEEP_S, Listen, TlsSides
from harness.endpoints.speech import join_speech
from harness.measure.correlate import find
from harness.measure.gap import longest_gap
from harness.measure.verdict import Due, judge
from harness.protocols import sdp
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip.digest import Challenge, authorization
from harness.testbed.clips import read_clip
from harness.transport.context import Context
from harness.transport.stream import HANDSHAKE_S, MAX_SHAKING
from harness.transport.tls import TlsFiles
from suites.selftest.system.sip_element import CLIP, REALM
from suites.selftest.witnesses.control_room import ended, resident

pytestmark = [pytest.mark.real_wire, pytest.mark.alone]

WITHIN_S = 10.0
BURST = 100
"""Datagrams sent before an answer is awaited, so that no socket's buffer overflows."""
FLOOD = 20_000
UNKNOWN = 10_000
REPLAYS = 10_000
SLOW = 200
HALF_OPEN = 300
A_CALL = 12 * 1024
"""Bytes that a call that rings may take, with its INVITE, its transaction and its journal."""
MAY_GROW = 20 * 1024 * 1024
SDP = sdp.offer("127.0.0.1", 40_002).decode()
DUE = Due(codec="PCMA", loss=0.01, mos=4.0)
"""What is due to the call that is up, all the while."""
LONGEST_GAP_S = 0.5
"""The longest that its caller may miss."""
DEPTH_S = 0.25
"""By so much what is heard first may come earlier than what it is found by: a playout that waits for a late packet."""
HEARD_S = 2.0
"""For so long it has been spoken to before anything else begins."""


class Element:
    """The running element."""

    def __init__(self, process: asyncio.subprocess.Process, ports: dict[str, int], folder: Path) -> None:
        self.process = process
        self.ports = ports
        self.folder = folder

    def uri(self, user: str, transport: str) -> str:
        return f"sip:{user}@127.0.0.1:{self.ports[transport]};transport={transport.lower()}"

    def memory(self) -> int:
        return resident(self.process.pid)

    async def stop(self) -> dict[str, int]:
        """End it; returns what it tells of its journal."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        async with asyncio.timeout(WITHIN_S):
            told: dict[str, int] = json.loads(await self.process.stdout.readline())
            assert await self.process.wait() == 0
        return told


@pytest.fixture
async def element(tmp_path: Path) -> AsyncIterator[Element]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "element.pem"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "suites.selftest.system.sip_element", str(tmp_path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            ports = json.loads(await process.stdout.readline())
        yield Element(process, ports, tmp_path)
    finally:
        await ended(process)


@contextlib.asynccontextmanager
async def call_that_is_up(element: Element, transport: str) -> AsyncIterator[Call]:
    """A call that is spoken to all the while; at the end its speech is judged, and it is held, resumed and cleared."""
    context = Context.create()
    files = TlsFiles(element.folder / "element.pem", authority=element.folder / "authority.pem")
    media = await open_media(context, in_process=False)
    agent = await UserAgent.open(context, "caller", listen=[Listen(transport)], tls=TlsSides(files, files))
    try:
        port = await media.open_port("caller speech")
        offer = sdp.offer(*port.address)
        call = agent.invite(element.uri("101", transport), offer=offer)
        await call.answered(within=WITHIN_S)
        answered = context.journal.now()
        await join_speech(port, sdp.negotiated(offer, call.remote_sdp))
        await port.record()
        await asyncio.sleep(HEARD_S)
        yield call
        await asyncio.sleep(HEARD_S)
        heard = await port.recorded()
        assert judge(await port.stats(), since=answered, due=DUE).findings == ()
        gap = longest_gap(*spoken_as_heard(heard), heard, since_s=heard.start + HEARD_S / 2)
        assert gap.seconds <= LONGEST_GAP_S, f"the caller missed {gap.seconds} s, from {gap.begins} s on"
        assert (await call.send("OPTIONS", within=WITHIN_S)).status == 200
        await call.session.offer(sdp.offer(*port.address, direction="sendonly", version=2), within=WITHIN_S)
        await call.session.offer(sdp.offer(*port.address, version=3), within=WITHIN_S)
        call.hang_up()
        await call.ended(within=WITHIN_S)
        assert call.status == 200
    finally:
        await agent.close()
        await media.close()


def spoken_as_heard(heard: Recording) -> tuple[Samples, float]:
    """What the element says over and over, and from when on, by what is heard of it first, a playout's depth before."""
    clip = read_clip(CLIP)
    first = find(clip, heard.samples[: 3 * len(clip)]).lag
    while first > 0:
        first -= len(clip)
    times = 2 + int((len(heard.samples) - first) / len(clip))
    return np.tile(clip, times), heard.start + first / heard.rate - DEPTH_S


class Wire(asyncio.DatagramProtocol):
    """A UDP socket towards the element that counts what comes back, by status."""

    def __init__(self) -> None:
        self.came: dict[int, int] = {}
        self.latest = b""
        self._marked: asyncio.Future[bytes] | None = None
        self._mark = b""
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        status = int(data[8:11])
        self.came[status] = self.came.get(status, 0) + 1
        if self._marked is not None and self._mark in data and not self._marked.done() and status >= 180:
            self._marked.set_result(data)

    async def ask(self, data: bytes, mark: str) -> bytes:
        """Send a request and return the answer that holds its mark."""
        self._mark, self._marked = mark.encode(), asyncio.get_running_loop().create_future()
        self.transport.sendto(data)
        async with asyncio.timeout(WITHIN_S):
            return await self._marked

    async def flood(self, first: int, count: int, make: Callable[[int], bytes]) -> None:
        """Send `count` requests, numbered from `first`, in bursts; each burst is waited for."""
        for number in range(first, first + count):
            if number % BURST == BURST - 1:
                await self.ask(make(number), f"mark-{number}@")
            else:
                self.transport.sendto(make(number))


@pytest.fixture
async def wire(element: Element) -> AsyncIterator[Wire]:
    loop = asyncio.get_running_loop()
    transport, opened = await loop.create_datagram_endpoint(Wire, remote_addr=("127.0.0.1", element.ports["UDP"]))
    yield opened
    transport.close()


def request(method: str, number: int, *lines: str, user: str = "999", tag: str = "", body: str = "") -> bytes:
    """A request whose sender is made up."""
    text = f"{method} sip:{user}@127.0.0.1 SIP/2.0\r\n"
    text += f"Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{method}{number}\r\n"
    text += f"From: <sip:x{number}@192.0.2.1>;tag=f{number}\r\nTo: <sip:{user}@{REALM}>{tag and f';tag={tag}'}\r\n"
    text += f"Call-ID: mark-{number}@spoofed\r\nCSeq: 1 {method}\r\nContact: <sip:x{number}@192.0.2.1>\r\n"
    text += "".join(f"{line}\r\n" for line in lines) + ("Content-Type: application/sdp\r\n" if body else "")
    return f"{text}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def test_a_flood_of_invites_is_bounded_and_a_call_that_is_up_goes_on(element: Element, wire: Wire) -> None:
    async with call_that_is_up(element, "UDP"):
        before = element.memory()
        await wire.flood(0, FLOOD, lambda number: request("INVITE", number, body=SDP))
        grown = element.memory() - before
        assert wire.came.get(180, 0) >= MAX_CALLS - 1
        assert wire.came[180] + wire.came[503] >= FLOOD
        assert grown < MAX_CALLS * A_CALL, f"{FLOOD} INVITEs made it grow by {grown} bytes"
        await wire.flood(FLOOD, FLOOD // 4, lambda number: request("INVITE", number, body=SDP))
        assert element.memory() - before - grown < MAY_GROW, "what is refused leaves nothing behind"
    told = await element.stop()
    assert told["handler_failed"] == 0
    assert told["warnings"] < 500


async def test_ten_thousand_unknown_dialogs_get_481_and_leave_nothing_behind(element: Element, wire: Wire) -> None:
    methods = ("BYE", "INFO", "INVITE", "UPDATE", "NOTIFY")

    def make(number: int) -> bytes:
        return request(methods[number % len(methods)], number, tag=f"nobody{number}")

    async with call_that_is_up(element, "UDP"):
        await wire.flood(0, UNKNOWN, make)
        assert set(wire.came) == {481}
        before = element.memory()
        await wire.flood(UNKNOWN, UNKNOWN, make)
        grown = element.memory() - before
        # The transactions linger for 32 s, which is why the second ten thousand still cost something.
        assert grown < MAY_GROW, f"{UNKNOWN} unknown dialogs made it grow by {grown} bytes"
    assert (await element.stop())["handler_failed"] == 0


async def test_a_nonce_that_is_played_again_and_again_lets_nobody_in(element: Element, wire: Wire) -> None:
    uri = f"sip:2001@{REALM}"
    asked = await wire.ask(request("REGISTER", 0, user="2001"), "mark-0@")
    line = next(each for each in asked.decode().split("\r\n") if each.startswith("WWW-Authenticate") and "MD5" in each)
    value = authorization(Challenge.parse(line.partition(": ")[2]), "REGISTER", uri, "2001", "s3cret", cnonce="c")
    good = request("REGISTER", 1, f"Authorization: {value}", user="2001")
    assert b" 200 OK" in (await wire.ask(good, "mark-1@")).split(b"\r\n")[0]
    async with call_that_is_up(element, "UDP"):
        await wire.flood(1_000, 1_000, lambda number: request("REGISTER", number, user="2001"))
        before = element.memory()
        wire.came.clear()
        replayed = f"Authorization: {value}"
        await wire.flood(10_000, REPLAYS, lambda number: request("REGISTER", number, replayed, user="2001"))
        assert wire.came == {401: REPLAYS}
        grown = element.memory() - before
        assert grown < MAY_GROW, f"{REPLAYS} replays made it grow by {grown} bytes"
        # Whoever has the password still gets in.
        asked = await wire.ask(request("REGISTER", 90_000, user="2001"), "mark-90000@")
        line = next(each for each in asked.decode().split("\r\n") if "MD5" in each)
        value = authorization(Challenge.parse(line.partition(": ")[2]), "REGISTER", uri, "2001", "s3cret", cnonce="c")
        again = request("REGISTER", 90_001, f"Authorization: {value}", user="2001").replace(b"CSeq: 1 ", b"CSeq: 9 ")
        assert b" 200 OK" in (await wire.ask(again, "mark-90001@")).split(b"\r\n")[0]
    assert (await element.stop())["handler_failed"] == 0


async def test_two_hundred_slow_senders_are_given_up_and_a_call_over_tcp_goes_on(element: Element) -> None:
    async with call_that_is_up(element, "TCP"):
        before = element.memory()
        opened = [await asyncio.open_connection("127.0.0.1", element.ports["TCP"]) for _ in range(SLOW)]
        data = request("OPTIONS", 1)
        loop = asyncio.get_running_loop()
        began = loop.time()
        gone: set[int] = set()
        at = 0
        while len(gone) < SLOW and loop.time() - began < MESSAGE_S + 2 * SWEEP_S:
            for number, (reader, writer) in enumerate(opened):
                if reader.at_eof() or writer.is_closing():
                    gone.add(number)
                else:
                    writer.write(data[at : at + 1])
            at += 1
            await asyncio.sleep(0.5)
        waited = loop.time() - began
        for _, writer in opened:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in opened), return_exceptions=True)
        assert len(gone) == SLOW
        assert waited >= MESSAGE_S - 1
        assert element.memory() - before < MAY_GROW
    assert (await element.stop())["handler_failed"] == 0


async def test_three_hundred_half_open_handshakes_are_given_up_and_a_call_over_tls_goes_on(element: Element) -> None:
    async with call_that_is_up(element, "TLS"):
        before = element.memory()
        loop = asyncio.get_running_loop()
        began = loop.time()
        opened = [await asyncio.open_connection("127.0.0.1", element.ports["TLS"]) for _ in range(HALF_OPEN)]
        for _, writer in opened[::2]:
            writer.write(b"\x16\x03\x01\x02\x00\x01")  # the first bytes of a hello
        await asyncio.sleep(1.0)
        at_once = sum(reader.at_eof() or reader.exception() is not None for reader, _ in opened)
        assert at_once == HALF_OPEN - MAX_SHAKING, "the oldest made room"
        # A new telephone gets in meanwhile.
        async with call_that_is_up(element, "TLS"):
            pass
        async with asyncio.timeout(HANDSHAKE_S + WITHIN_S):
            for reader, _ in opened:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
        assert loop.time() - began >= HANDSHAKE_S - 1
        for _, writer in opened:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in opened), return_exceptions=True)
        assert element.memory() - before < 2 * MAY_GROW
    assert (await element.stop())["handler_failed"] == 0
