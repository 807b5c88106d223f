"""A running control room that is sent what no telephone sends: it answers what is due, keeps its size, and goes on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from harness.endpoints.sip.notes import MAX_WARNINGS, WARNING_PERIOD
from suites.selftest.witnesses.control_room import ControlRoom, control_room, kinds

pytestmark = pytest.mark.real_wire

WITHIN_S = 3.0
LARGEST_DATAGRAM = 65_507
GARBAGE_DATAGRAMS = 20_000
BURST = 100
"""Datagrams sent before the room's answer to an OPTIONS is awaited, so that its socket's buffer does not overflow."""
MAY_GROW = 20 * 1024 * 1024
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)


class Wire(asyncio.DatagramProtocol):
    """A UDP socket towards the room, and what came back."""

    def __init__(self, room: ControlRoom) -> None:
        self.room = room
        self.came: asyncio.Queue[bytes] = asyncio.Queue()
        self.local = ("", 0)
        self._transport: asyncio.DatagramTransport
        self._numbers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.local = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.put_nowait(data)

    def send(self, data: bytes) -> None:
        self._transport.sendto(data, self.room.sip)

    def close(self) -> None:
        self._transport.close()

    def message(self, method: str, *extra: str, uri: str = "", body: str = "", tag: str = "", cseq: str = "") -> bytes:
        """A request as it should be, save for what is asked for."""
        self._numbers += 1
        host, port = self.local
        lines = [
            f"{method} {uri or f'sip:999@127.0.0.1:{self.room.sip[1]}'} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK-{port}-{self._numbers}",
            f"From: <sip:outside@{host}>;tag=from{self._numbers}",
            f"To: <sip:999@127.0.0.1>{tag and ';tag=' + tag}",
            f"Call-ID: {port}-{self._numbers}@outside",
            f"CSeq: {cseq or f'1 {method}'}",
            f"Contact: <sip:outside@{host}:{port}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            *extra,
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    async def asked(self, data: bytes) -> int:
        """The final status of a request, 0 where none comes; a refused INVITE is not acknowledged, and so repeated."""
        call_id = next(line for line in data.split(b"\r\n") if line.startswith(b"Call-ID"))
        self.send(data)
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    answer = await self.came.get()
                    if call_id in answer and not answer.startswith(b"SIP/2.0 1"):
                        return int(answer.split(b" ", 2)[1])
        except TimeoutError:
            return 0

    async def call(self) -> None:
        """Call 999, be answered, and hang up."""
        invite = self.message("INVITE", body=SDP)
        self.send(invite)
        async with asyncio.timeout(WITHIN_S):
            call_id = f"Call-ID: {self.local[1]}-{self._numbers}@outside".encode()
            while call_id not in (answer := await self.came.get()) or not answer.startswith(b"SIP/2.0 200"):
                assert call_id not in answer or answer.startswith(b"SIP/2.0 1"), answer
        head = answer.decode().split("\r\n")
        to = next(line for line in head if line.startswith("To:"))
        request = invite.decode().partition("\r\n\r\n")[0].split("\r\n")
        kept = [line for line in request if line.startswith(("From:", "Call-ID:", "Max-Forwards:"))]
        uri = next(line for line in head if line.startswith("Contact:")).partition("<")[2].partition(">")[0]
        sent = []
        for number, method in ((1, "ACK"), (2, "BYE")):
            via = f"Via: SIP/2.0/UDP {self.local[0]}:{self.local[1]};branch=z9hG4bK-{self._numbers}-{method}"
            lines = [f"{method} {uri} SIP/2.0", via, to, *kept, f"CSeq: {number} {method}", "Content-Length: 0", "", ""]
            sent.append("\r\n".join(lines).encode())
        self.send(sent[0])
        assert await self.asked(sent[1]) == 200


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[ControlRoom]:
    async with control_room(tmp_path / "room", "iccs", auto_answer=0.05) as started:
        yield started


@pytest.fixture
async def wire(room: ControlRoom) -> AsyncIterator[Wire]:
    _, opened = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Wire(room), local_addr=("127.0.0.1", 0)
    )
    yield opened
    opened.close()


async def test_what_can_be_answered_gets_the_error_that_is_due(room: ControlRoom, wire: Wire) -> None:
    await wire.call()
    due = (
        (wire.message("OPTIONS"), 200),
        (wire.message("BYE", tag="nobody"), 481),
        (wire.message("BYE"), 481),
        (wire.message("INVITE", tag="nobody", body=SDP), 481),
        (wire.message("CANCEL"), 481),
        (wire.message("MESSAGE", body="hello"), 405),
        (wire.message("SUBSCRIBE"), 489),
        (wire.message("FLY"), 501),
        (wire.message("INVITE", uri="mailto:somebody@127.0.0.1", body=SDP), 416),
        (wire.message("INVITE", uri="sip:07700900999@127.0.0.1", body=SDP), 404),
        (wire.message("INVITE", "Require: teleportation", body=SDP), 420),
        (wire.message("OPTIONS", cseq="1 INVITE"), 400),
        (wire.message("OPTIONS", cseq="99999999999999 OPTIONS"), 400),
        (wire.message("OPTIONS", "a header line without a colon"), 400),
        (wire.message("OPTIONS", "X: " + "x" * 60_000), 400),
        (wire.message("OPTIONS").replace(b"Content-Length: 0", b"Content-Length: 500"), 400),
        (wire.message("OPTIONS").replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), 505),
        (wire.message("INVITE", body="v=0\r\nthis is no session\r\n"), 488),
        (wire.message("INVITE", body=SDP.replace("m=audio 40000 RTP/AVP 8", "m=audio 40000 RTP/AVP 97")), 488),
        (wire.message("INVITE", body=SDP.replace("127.0.0.1", "not\0an\0address")), 488),
    )
    wrong = [(status, was, data[:300]) for data, status in due if (was := await wire.asked(data)) != status]
    assert not wrong
    await wire.call()
    journal = await room.stop()
    assert kinds(journal, "sip.handler-failed") == []
    assert len(kinds(journal, "sip.garbage")) >= 3


async def test_a_header_cannot_be_smuggled_into_what_the_room_sends(room: ControlRoom, wire: Wire) -> None:
    """What a caller puts into From, Call-ID or a branch comes back in answers and never as a line of its own."""
    for smuggled in ("\r\nX-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1", "%0d%0aX-Evil: 1", "\0X-Evil: 1"):
        data = wire.message("OPTIONS").decode().replace("tag=from", f"tag=x{smuggled}\r\nX-Was: ")
        wire.send(data.encode())
        wire.send(wire.message("OPTIONS", uri=f"sip:999{smuggled}@127.0.0.1"))
    assert await wire.asked(wire.message("OPTIONS")) == 200
    while not wire.came.empty():
        lines = wire.came.get_nowait().replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        assert not [line for line in lines if line.startswith(b"X-Evil")]
    await wire.call()
    await room.stop()


async def test_a_megabyte_of_nothing_leaves_the_room_as_it_was(room: ControlRoom, wire: Wire) -> None:
    await wire.call()
    good = wire.message("INVITE", body=SDP)
    for _ in range(16):  # 1 MB of each
        for data in (
            bytes(LARGEST_DATAGRAM),
            b"A" * LARGEST_DATAGRAM,
            b"\r\n" * (LARGEST_DATAGRAM // 2),
            (good + b"B" * LARGEST_DATAGRAM)[:LARGEST_DATAGRAM],
            b"INVITE sip:" + b"9" * (LARGEST_DATAGRAM - 11),
        ):
            wire.send(data)
        assert await wire.asked(wire.message("OPTIONS")) == 200
    await wire.call()
    journal = await room.stop()
    assert kinds(journal, "sip.garbage")


async def test_twenty_thousand_datagrams_of_garbage_do_not_make_it_grow(room: ControlRoom, wire: Wire) -> None:
    rng = random.Random(999)
    good = wire.message("INVITE", body=SDP)

    def garbage(number: int) -> bytes:
        match number % 5:
            case 0:
                return rng.randbytes(rng.randrange(1, 1400))
            case 1:
                return good[: rng.randrange(1, len(good) - len(SDP))]
            case 2:
                return bytes(rng.randrange(5, 1400))
            case 3:  # bits that flip
                spoilt = bytearray(good.replace(b"INVITE", b"REFUSE"))
                for _ in range(8):
                    spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
                return bytes(spoilt)
            case _:
                return b"SIP/2.0 200 OK\r\n" + good.partition(b"\r\n")[2]

    async def send(count: int) -> None:
        for number in range(count):
            wire.send(garbage(number))
            if number % BURST == BURST - 1:
                assert await wire.asked(wire.message("OPTIONS")) == 200

    await wire.call()
    await send(GARBAGE_DATAGRAMS // 10)  # tables and arenas get the size that they keep
    before = room.memory()
    await send(GARBAGE_DATAGRAMS)
    grown = room.memory() - before
    assert grown < MAY_GROW, f"{GARBAGE_DATAGRAMS} datagrams made it grow by {grown} bytes"
    while not wire.came.empty():
        wire.came.get_nowait()
    await wire.call()
    journal = await room.stop()
    warned = kinds(journal, "sip.garbage") + kinds(journal, "sip.stray-response") + kinds(journal, "sip.refused")
    periods = journal[-1]["time"] / WARNING_PERIOD + 2
    assert MAX_WARNINGS <= len(warned) <= MAX_WARNINGS * periods
