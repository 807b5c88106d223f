"""What tests of the SIP engine in virtual time share: the loop, agents that answer, and a peer driven by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.protocols import sdp
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse
from harness.transport.context import Context
from harness.transport.udp import UdpPort, open_udp
from harness.transport.virtual_loop import VirtualLoop

OFFER = sdp.offer("127.0.0.1", 4000)


def virtually(work: Callable[[Context], Awaitable[None]], seed: int = 1) -> str:
    """Run `work` on a loop of its own in virtual time; returns its journal as text."""
    loop = VirtualLoop(seed)
    try:

        async def whole() -> str:
            context = Context.create(seed=seed)
            async with asyncio.timeout(7_200):
                await work(context)
            return context.journal.lines()

        return loop.run_until_complete(whole())
    finally:
        loop.close()


def network(loss: float = 0.0, duplicate: float = 0.0, jitter_s: float = 0.0) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    impairment = loop.network.impairment
    impairment.loss, impairment.duplicate, impairment.jitter_s = loss, duplicate, jitter_s


def answering(call: IncomingCall) -> None:
    call.ring()
    call.answer(sdp.answer(call.remote_sdp, "127.0.0.1", 5000)[0] if call.remote_sdp else OFFER)


class Peer:
    """A hand-driven peer: sends what no user agent would, and keeps what comes."""

    port: UdpPort

    def __init__(self) -> None:
        self.got: list[Request | Response] = []

    @classmethod
    async def open(cls, context: Context) -> Peer:
        peer = cls()
        peer.port = await open_udp(("127.0.0.1", 0), lambda data, _: peer.got.append(parse(data)), tap=context.tap)
        return peer

    def request(
        self,
        method: str,
        to: UserAgent,
        *lines: str,
        cseq: int = 1,
        branch: str = "1",
        tag: str = "",
        call_id: str = "",
        body: bytes = b"",
    ) -> bytes:
        """A request; each branch has a Call-ID of its own unless one is given."""
        host, port = self.port.local
        text = f"{method} {to.uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{branch}\r\n"
        text += f"From: <sip:peer@{host}:{port}>;tag=p\r\nTo: <{to.uri}>{f';tag={tag}' if tag else ''}\r\n"
        text += f"Call-ID: {call_id or branch}\r\nCSeq: {cseq} {method}\r\nContact: <sip:peer@{host}:{port}>\r\n"
        text += "".join(f"{line}\r\n" for line in lines)
        if body:
            text += f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        return f"{text}\r\n".encode() + body

    def requests(self, method: str) -> list[Request]:
        """What came of a method, oldest first."""
        return [message for message in self.got if isinstance(message, Request) and message.method == method]

    def responses(self, method: str) -> list[Response]:
        """What came in answer to a method, oldest first."""
        return [message for message in self.got if isinstance(message, Response) and message.cseq.method == method]

    def answer(self, request: Request, to: UserAgent, status: int = 200, *lines: str, body: bytes = b"") -> None:
        """Send a response to a request, with a Contact of ours."""
        host, port = self.port.local
        headers = [
            ("Contact", f"<sip:peer@{host}:{port}>"),
            *[(n, v.strip()) for n, _, v in (e.partition(":") for e in lines)],
        ]
        content_type = "application/sdp" if body else ""
        response = request.response(status, to_tag="p", headers=headers, body=body, content_type=content_type)
        self.port.send(bytes(response), to.address)

    async def ask(self, to: UserAgent, data: bytes) -> Response:
        """Send, and return the newest response of this very transaction half a second of virtual time later."""
        branch = data.partition(b";branch=")[2].partition(b"\r\n")[0].decode()
        self.port.send(data, to.address)
        await asyncio.sleep(0.5)
        found = [message for message in self.got if isinstance(message, Response) and message.via.branch == branch]
        assert found, "no response came"
        return found[-1]
