"""RTP from strangers on the ports of a live call: what is heard stays what the right peer says."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import CODECS, Samples
from harness.protocols.rtp.rtp import build_plain
from harness.testbed.conversation import converse
from suites.selftest.witnesses.control_room import control_room, kinds, warnings

pytestmark = [pytest.mark.real_wire, pytest.mark.alone]

FRAME = 160
FRAME_S = 0.02
PAYLOAD_TYPE = 8
MAY_GROW = 20 * 1024 * 1024
MAX_WARNINGS = 200
"""More would be a warning a packet: some 5,000 of them are sent."""
Address = tuple[str, int]


class Stranger:
    """Speaks to ports that expect somebody else, on and on: well-formed speech, and noise of all sizes."""

    def __init__(self, speech: Samples, targets: list[Address]) -> None:
        self.sent = 0
        self._payloads = [CODECS["PCMA"].encode(speech[at : at + FRAME]) for at in range(0, len(speech) - FRAME, FRAME)]
        self._targets = targets
        self._rng = random.Random(7)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        due, number = loop.time(), 0
        try:
            while True:
                payload = self._payloads[number % len(self._payloads)]
                spoken = build_plain(PAYLOAD_TYPE, number & 0xFFFF, number * FRAME, 0xBAD, payload, marker=number == 0)
                noise = (self._rng.randbytes(self._rng.randrange(1, 1400)), b"\x80", b"", spoken[:11], bytes(65_000))
                for host, port in self._targets:
                    for data in (spoken, *noise[:4], *noise[4:] * (number % 50 == 0)):
                        transport.sendto(data, (host, port))
                        self.sent += 1
                    # RTCP: BYE in the name of somebody else, and noise
                    transport.sendto(bytes.fromhex("81cb000100000bad"), (host, port + 1))
                    transport.sendto(noise[0], (host, port + 1))
                number += 1
                due += FRAME_S
                await asyncio.sleep(due - loop.time())
        finally:
            transport.close()


@contextlib.asynccontextmanager
async def speaking(stranger: Stranger) -> AsyncIterator[None]:
    task = asyncio.create_task(stranger.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def address(url: str) -> Address:
    host, _, port = url.removeprefix("rtp://").rpartition(":")
    return host, int(port)


async def test_strangers_are_not_heard_on_a_live_call(tmp_path: Path, speech: Callable[[str], Samples]) -> None:
    intrusion = speech("officer-reply")
    async with control_room(tmp_path, "iccs") as room, room.bench() as drivers:
        console, trunk = await drivers.console("govan-12"), await drivers.trunk()
        call = await trunk.dial("999", cli="+447700900123")
        await console.expect("call.ringing", within=5.0)
        await console.answer(queue="emergency")
        await call.answered(within=5.0)
        shown = await console.expect("call.connected", within=5.0)
        leg = (await drivers.journal.expect(call.name, "rtp.first_packet", within=5.0)).data["remote"]
        async with room.client() as http:
            jack = (await http.get("/positions/govan-12")).json()["jack"]

        stranger = Stranger(intrusion, [address(leg), address(jack)])
        before = room.memory()
        async with speaking(stranger):
            for mouth, ear, clip in ((call, console.headset, "caller-999"), (console, call, "call-taker")):
                heard = await converse(mouth, ear, speech(clip))
                assert heard.correlation > 0.95
                assert correlation(intrusion, heard.recording.samples) < 0.3
            grown = room.memory() - before
        assert grown < MAY_GROW, f"{stranger.sent} datagrams of a stranger made it grow by {grown} bytes"

        # The next call works, and nobody who was a stranger is heard on it.
        await console.clear()
        await call.ended(within=5.0)
        after = drivers.journal.position
        again = await trunk.dial("999")
        await console.expect("call.ringing", within=5.0, after=after)
        await console.answer()
        await again.answered(within=5.0)
        assert (await converse(again, console.headset, speech("caller-999"))).correlation > 0.95
        await console.clear()
        await again.ended(within=5.0)
        await drivers.close()
        journal = await room.stop()

    told = kinds(journal, "rtp.stranger")
    assert {event["source"] for event in told} == {f"iccs {shown.data['call']}", "iccs govan-12 jack"}
    assert len(warnings(journal)) < MAX_WARNINGS
    closed = {event["source"]: event["data"] for event in kinds(journal, "media.closed")}
    assert closed[f"iccs {shown.data['call']}"]["strangers"] > 1000
    assert closed["iccs call-2"]["strangers"] == 0
