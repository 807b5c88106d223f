"""A plain client of the MCPTT server: sockets, and bytes written by hand from the standard, nothing of ours."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from harness.endpoints.mcptt import McpttTerminal
from harness.endpoints.media import open_media
from harness.transport.context import Context
from simulators.mcptt.server import McpttServer
from simulators.mcptt.settings import McpttSettings

pytestmark = pytest.mark.real_wire

GROUP = "sip:GD-OPS-1@mcptt.example"
WITHIN_S = 5.0
REQUEST, GRANTED, TAKEN, RELEASE, IDLE, ACK = 0, 1, 2, 4, 5, 10


class PlainClient:
    """SIP, floor control and RTP, each a UDP socket; what it knows of the protocols is in this class."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self.sip, self.floor, self.rtp = (self._socket() for _ in range(3))
        self.to = ""
        self.floor_peer = self.rtp_peer = ("", 0)

    def _socket(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        return made

    async def _receive(self, where: socket.socket) -> bytes:
        async with asyncio.timeout(WITHIN_S):
            return await asyncio.get_running_loop().sock_recv(where, 65_536)

    def _sip(self, method: str, cseq: int, *, content: str = "", content_type: str = "", branch: str) -> bytes:
        host, port = self.sip.getsockname()
        lines = [
            f"{method} {GROUP} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{branch}",
            "Max-Forwards: 70",
            f"From: <sip:officer-2@{host}>;tag=plain",
            f"To: <{GROUP}>{self.to}",
            "Call-ID: plain-client",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:officer-2@{host}:{port}>",
            "Accept-Contact: *;+g.3gpp.mcptt;require;explicit",
            *([f"Content-Type: {content_type}"] if content_type else []),
            f"Content-Length: {len(content)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + content).encode()

    async def call(self) -> None:
        """INVITE with SDP and mcptt-info, 200, ACK."""
        sdp = "\r\n".join(
            [
                *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"),
                f"m=audio {self.rtp.getsockname()[1]} RTP/AVP 8",
                "a=rtpmap:8 PCMA/8000",
                f"m=application {self.floor.getsockname()[1]} udp MCPTT",
                "a=fmtp:MCPTT mc_queueing;mc_priority=5",
                "",
            ]
        )
        info = (
            '<?xml version="1.0" encoding="UTF-8"?><mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>'
            '<session-type>chat</session-type><mcptt-request-uri type="Normal"><mcpttURI>'
            f"{GROUP}</mcpttURI></mcptt-request-uri></mcptt-Params></mcpttinfo>"
        )
        parts = [("application/sdp", sdp), ("application/vnd.3gpp.mcptt-info+xml", info)]
        content = "".join(f"--b1\r\nContent-Type: {kind}\r\n\r\n{part}\r\n" for kind, part in parts) + "--b1--\r\n"
        invite = self._sip("INVITE", 1, content=content, content_type='multipart/mixed;boundary="b1"', branch="1")
        self.sip.sendto(invite, self.server)
        while True:
            answer = (await self._receive(self.sip)).decode()
            if not answer.startswith("SIP/2.0 1"):
                break
        assert answer.startswith("SIP/2.0 200"), answer
        tag = re.search(r"^To:.*(;tag=[^;\r\n]+)", answer, re.MULTILINE)
        audio, floor = re.search(r"m=audio (\d+) ", answer), re.search(r"m=application (\d+) udp MCPTT", answer)
        assert tag is not None
        assert audio is not None
        assert floor is not None
        self.to = tag[1]
        self.rtp_peer, self.floor_peer = ("127.0.0.1", int(audio[1])), ("127.0.0.1", int(floor[1]))
        self.sip.sendto(self._sip("ACK", 1, branch="2"), self.server)

    def send(self, subtype: int, fields: bytes) -> None:
        """An RTCP APP packet named MCPT."""
        body = struct.pack("!I4s", 0x11223344, b"MCPT") + fields
        self.floor.sendto(struct.pack("!BBH", 0x80 | subtype, 204, len(body) // 4) + body, self.floor_peer)

    async def hear(self, subtype: int) -> dict[int, bytes]:
        """The fields of the next message of a kind; others are left out."""
        while True:
            data = await self._receive(self.floor)
            first, kind, words = struct.unpack_from("!BBH", data)
            assert (first >> 6, kind, data[8:12], 4 * words + 4) == (2, 204, b"MCPT", len(data))
            if first & 0x0F == subtype:
                break
        fields: dict[int, bytes] = {}
        at = 12
        while at < len(data):
            length = data[at + 1]
            fields[data[at]] = data[at + 2 : at + 2 + length]
            at += (length + 5) // 4 * 4
        if first & 0x10:
            self.send(ACK, b"\x0a\x02\x00\x00" + bytes([12, 2, subtype, 0]))
        return fields

    def close(self) -> None:
        for each in (self.sip, self.floor, self.rtp):
            each.close()


@pytest.fixture
async def server() -> AsyncIterator[tuple[Context, McpttServer, McpttTerminal]]:
    context = Context.create(seed=1)
    media = await open_media(context, in_process=False)
    settings = McpttSettings.model_validate(
        {"users": [{"name": "officer-1"}, {"name": "officer-2"}], "groups": [{"name": "GD-OPS-1"}]}
    )
    started = await McpttServer.start(context, media, settings)
    terminal = await McpttTerminal.open(
        context, media, "officer-1", user="sip:officer-1@mcptt.example", server=started.sip_address
    )
    yield context, started, terminal
    await terminal.close()
    await started.stop()
    await media.close()


async def test_it_joins_a_call_is_told_who_talks_waits_talks_and_lets_go(
    server: tuple[Context, McpttServer, McpttTerminal],
) -> None:
    context, started, terminal = server
    call = await terminal.call(GROUP)
    client = PlainClient(started.sip_address)
    try:
        await client.call()
        assert await client.hear(IDLE)
        call.press()
        await call.granted(within=WITHIN_S)
        taken = await client.hear(TAKEN)
        assert taken[4] == b"sip:officer-1@mcptt.example"
        # Speech is passed on: PCMA, 160 octets every 20 ms.
        packet = await client._receive(client.rtp)
        assert (packet[0] >> 6, packet[1] & 0x7F, len(packet)) == (2, 8, 172)

        client.send(REQUEST, b"\x00\x02\x05\x00" + b"\x0d\x02\x80\x00")
        place = await client.hear(9)
        assert place[3] == b"\x00\x05"
        call.release()
        granted = await client.hear(GRANTED)
        assert int.from_bytes(granted[1]) == 30
        seen = await context.journal.expect("officer-1", "floor.taken", within=WITHIN_S)
        assert seen.data["talker"] == "sip:officer-2@mcptt.example"
        client.send(RELEASE, b"")
        await client.hear(IDLE)
        await context.journal.expect("officer-1", "floor.idle", within=WITHIN_S, after=seen.seq)
    finally:
        client.close()
