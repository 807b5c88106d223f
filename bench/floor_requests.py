"""Floor requests a second through the whole MCPTT server over loopback, beside a bare UDP echo in the same process.

    python -m bench.floor_requests [--groups N] [--members N] [--seconds S]

The server is the one of `iccs simulate esn`, in a process of its own on uvloop: SIP, floor machines, journal (20,000
events kept) and the media worker that it starts. The users have joined by INVITE with SDP and mcptt-info, as handsets
do. One user of each group then asks for the floor (Floor Request), is granted it, lets it go (Floor Release), hears
that it is idle, and asks again at once; all groups do so side by side, with one request of each under way.

A floor that changes hands costs the server more than the two datagrams that come: it parses and journals both, moves
the group's floor machine, has the media worker connect everybody to the talker (a turn of pipes between two processes,
done before the grant is told, or first words would be lost), and writes, sends and journals a Granted, a Taken to each
other member, and an Idle to all.

The client is as thin as can be: datagrams written beforehand, of answers only the subtype is looked at. The peer is a
UDP echo on the server's own loop, driven by the same client with datagrams of the same size and as many under way; a
request has two turns (Request-Granted, Release-Idle), so that the peer's figure is echoes over two.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, cast

import uvloop

from harness.endpoints.sip.agent import UserAgent
from harness.protocols.mcptt.description import invite_body, with_floor, with_its_floor
from harness.protocols.mcptt.info import INVITE_HEADERS, FloorTerms, McpttInfo
from harness.protocols.mcptt.messages import FloorMessage, FloorType, write_datagram
from harness.transport.context import Context
from harness.transport.tap import Address

GROUPS, MEMBERS, SECONDS = 16, 3, 3.0
WARM_UP_S = 0.5
WITHIN_S = 5.0
_SUBTYPE = 0x0F
_SPEECH = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio %d RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)

_SERVER = """
import asyncio, sys
import uvloop
from harness.endpoints.media import open_media
from harness.transport.context import Context
from simulators.mcptt.server import McpttServer
from simulators.mcptt.settings import McpttSettings

class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
    def datagram_received(self, data, source):
        self.transport.sendto(data, source)

async def main(groups, members):
    loop = asyncio.get_running_loop()
    context = Context.create(seed=1, events=20_000)
    media = await open_media(context, in_process=False)
    settings = McpttSettings.model_validate({
        "users": [{"name": f"user-{at}"} for at in range(groups * members)],
        "groups": [{"name": f"group-{at}"} for at in range(groups)],
    })
    server = await McpttServer.start(context, media, settings)
    echo, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
    print(server.sip_address[1], echo.get_extra_info("sockname")[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    echo.close()
    await server.stop()
    await media.close()

uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
"""


class _Port(asyncio.DatagramProtocol):
    """A user's floor port: `heard` is given each datagram's subtype."""

    def __init__(self) -> None:
        self.heard: Callable[[int], None] = lambda _subtype: None
        self._transport: asyncio.DatagramTransport
        self.peer: Address

    @classmethod
    async def open(cls) -> _Port:
        _, port = await asyncio.get_running_loop().create_datagram_endpoint(cls, ("127.0.0.1", 0))
        return port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    @property
    def number(self) -> int:
        return int(self._transport.get_extra_info("sockname")[1])

    def send(self, data: bytes) -> None:
        self._transport.sendto(data, self.peer)

    def datagram_received(self, data: bytes, _source: Any) -> None:
        self.heard(data[0] & _SUBTYPE)

    def close(self) -> None:
        self._transport.close()


class _Asker:
    """One user who asks, is granted, lets go, and asks again; or whose datagrams are echoed."""

    def __init__(self, port: _Port, ssrc: int, *, echo: bool = False) -> None:
        self.turns = 0
        """Requests granted and let go; echoes."""
        self.refused = 0
        self._port = port
        self._echo = echo
        self._request = write_datagram(FloorMessage(FloorType.REQUEST, ssrc, priority=5, indicator=0x8000))
        self._release = write_datagram(FloorMessage(FloorType.RELEASE, ssrc))
        self._has_floor = False
        port.heard = self._echoed if echo else self._heard

    def ask(self) -> None:
        self._port.send(self._request)

    def _echoed(self, _subtype: int) -> None:
        self.turns += 1
        self._port.send(self._request)

    def _heard(self, subtype: int) -> None:
        if subtype == FloorType.GRANTED and not self._has_floor:
            self._has_floor = True
            self._port.send(self._release)
        elif subtype == FloorType.IDLE and self._has_floor:
            self._has_floor = False
            self.turns += 1
            self._port.send(self._request)
        elif subtype in (FloorType.DENY, FloorType.REVOKE):
            self.refused += 1


async def _joined(agent: UserAgent, server: int, group: str, stack: AsyncExitStack) -> _Port:
    """A user in the call of a group, by its floor port."""
    port, speech = await _Port.open(), await _Port.open()
    stack.callback(port.close)
    stack.callback(speech.close)
    offer = with_floor(_SPEECH % speech.number, FloorTerms(port.number, queueing=True, priority=5))
    content = invite_body(offer, McpttInfo("chat", f"sip:{group}@mcptt.example"))
    call = agent.invite(f"sip:{group}@127.0.0.1:{server}", offer=offer, content=content, headers=INVITE_HEADERS)
    await call.answered(within=WITHIN_S)
    port.peer = with_its_floor(call.remote_sdp, "the answer")[2]
    stack.push_async_callback(call.ended, within=WITHIN_S)
    stack.callback(call.hang_up)
    return port


async def _timed(askers: list[_Asker], seconds: float) -> float:
    """Turns a second of all together, once they are at it."""
    for asker in askers:
        asker.ask()
    await asyncio.sleep(WARM_UP_S)
    before, began = sum(asker.turns for asker in askers), time.perf_counter()
    await asyncio.sleep(seconds)
    return (sum(asker.turns for asker in askers) - before) / (time.perf_counter() - began)


async def _run(server: int, echo: int, groups: int, members: int, seconds: float) -> dict[str, Any]:
    context = Context.create(seed=1, events=1_000)
    async with AsyncExitStack() as stack:
        echoed = []
        for number in range(groups):
            port = await _Port.open()
            port.peer = ("127.0.0.1", echo)
            echoed.append((port, _Asker(port, number + 1, echo=True)))
        echoes = await _timed([asker for _, asker in echoed], seconds)
        for port, _ in echoed:
            port.close()
        askers = []
        for number in range(groups * members):
            agent = await UserAgent.open(context, f"user-{number}", local=("127.0.0.1", 0), user=f"user-{number}")
            stack.push_async_callback(agent.close)
            port = await _joined(agent, server, f"group-{number % groups}", stack)
            if number < groups:
                askers.append(_Asker(port, number + 1))
        requests = await _timed(askers, seconds)
        idle = [number for number, asker in enumerate(askers) if asker.turns == 0]
        refused = sum(asker.refused for asker in askers)
        if idle or refused:
            raise RuntimeError(f"floors of groups {idle} were never granted, and {refused} requests were refused")
    return {
        "groups": groups,
        "members": members,
        "requests_per_second": round(requests),
        "echoes_per_second": round(echoes),
        "peer_per_second": round(echoes / 2),
    }


def measure(groups: int = GROUPS, members: int = MEMBERS, seconds: float = SECONDS) -> dict[str, Any]:
    """Requests a second and the peer's. Raises RuntimeError where a floor stays away."""
    command = [sys.executable, "-c", _SERVER, str(groups), str(members)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        told = child.stdout.readline().split()
        if len(told) != 2:
            raise RuntimeError("the server did not start")
        return uvloop.run(_run(int(told[0]), int(told[1]), groups, members, seconds))
    finally:
        child.stdin.close()
        child.wait(20)
        child.stdout.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=GROUPS)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    print(json.dumps(measure(options.groups, options.members, options.seconds), indent=1))


if __name__ == "__main__":
    main()
