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
from harness.protocols.mcdata.sds import Payload, Wanted
from harness.transport.context import Context
from simulators.mcptt.server import McpttServer
from simulators.mcptt.settings import McpttSettings

pytestmark = pytest.mark.real_wire

GROUP = "sip:GD-OPS-1@mcptt.example"
WITHIN_S = 5.0
REQUEST, GRANTED, TAKEN, DENY, RELEASE, IDLE, ACK = 0, 1, 2, 3, 4, 5, 10


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

    async def call(self, *, private: str = "", listens: bool = False) -> None:
        """INVITE with SDP and mcptt-info, 200, ACK. ``private``: the user to be called alone, with a list of one.

        ``listens``: their microphone is to be opened (ambient listening, remotely initiated).
        """
        sdp = "\r\n".join(
            [
                *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"),
                f"m=audio {self.rtp.getsockname()[1]} RTP/AVP 8",
                "a=rtpmap:8 PCMA/8000",
                f"m=application {self.floor.getsockname()[1]} udp MCPTT",
                f"a=fmtp:MCPTT mc_queueing;mc_priority=5{';mc_implicit_request' if listens else ''}",
                "",
            ]
        )
        info = (
            '<?xml version="1.0" encoding="UTF-8"?><mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>'
            '<session-type>chat</session-type><mcptt-request-uri type="Normal"><mcpttURI>'
            f"{GROUP}</mcpttURI></mcptt-request-uri></mcptt-Params></mcpttinfo>"
        )
        if private:
            info = (
                '<?xml version="1.0" encoding="UTF-8"?><mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>'
                "<session-type>private</session-type></mcptt-Params></mcpttinfo>"
            )
        if listens:
            info = info.replace("<session-type>private", "<session-type>ambient-listening").replace(
                "</mcptt-Params>",
                "<anyExt><ambient-listening-type>remote-init</ambient-listening-type></anyExt></mcptt-Params>",
            )
        parts = [("application/sdp", sdp), ("application/vnd.3gpp.mcptt-info+xml", info)]
        if private:
            listed = f'<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="{private}"/>'
            parts.append(("application/resource-lists+xml", f"{listed}</list></resource-lists>"))
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
        {
            "users": [{"name": "officer-1"}, {"name": "officer-2", "may_listen": True}],
            "groups": [{"name": "GD-OPS-1"}],
        }
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


async def test_it_calls_one_user_alone_talks_and_is_hung_up_on(
    server: tuple[Context, McpttServer, McpttTerminal],
) -> None:
    context, started, terminal = server
    await terminal.register()
    client = PlainClient(started.sip_address)
    try:
        await client.call(private="sip:officer-1@mcptt.example")
        await context.journal.expect(
            "officer-1", "private_call.up", within=WITHIN_S, peer="sip:officer-2@mcptt.example"
        )
        await context.journal.expect("mcptt", "private_call.joined", within=WITHIN_S, user="officer-1")
        assert await client.hear(IDLE)
        client.send(REQUEST, b"\x00\x02\x05\x00" + b"\x0d\x02\x80\x00")
        assert await client.hear(GRANTED)
        seen = await context.journal.expect("officer-1", "floor.taken", within=WITHIN_S)
        assert seen.data["talker"] == "sip:officer-2@mcptt.example"
        client.send(RELEASE, b"")
        await client.hear(IDLE)
        await terminal.private.hang_up(within=WITHIN_S)
        while not (bye := await client._receive(client.sip)).startswith(b"BYE "):
            pass
        assert b"Call-ID: plain-client" in bye
    finally:
        client.close()


async def test_it_listens_to_one_whose_handset_shows_nothing_and_may_not_talk(
    server: tuple[Context, McpttServer, McpttTerminal],
) -> None:
    context, started, terminal = server
    await terminal.register()
    client = PlainClient(started.sip_address)
    before = context.journal.position
    try:
        await client.call(private="sip:officer-1@mcptt.example", listens=True)
        taken = await client.hear(TAKEN)
        assert (taken[4], taken[5]) == (b"sip:officer-1@mcptt.example", b"\x00\x00")  # and may not be requested
        packet = await client._receive(client.rtp)
        assert (packet[0] >> 6, packet[1] & 0x7F, len(packet)) == (2, 8, 172)
        client.send(REQUEST, b"\x00\x02\x05\x00" + b"\x0d\x02\x80\x00")
        assert (await client.hear(DENY))[2][:2] == b"\x00\x05"  # receive only
        client.sip.sendto(client._sip("BYE", 2, branch="3"), client.server)
        while not (await client._receive(client.sip)).startswith(b"SIP/2.0 200"):
            pass
        await context.journal.expect("officer-1 ambience", "ambience.over", within=WITHIN_S)
        shown = [each for each in context.journal.since(before) if each.source == "officer-1"]
        assert [each.kind for each in shown if "call_id" not in each.data] == []  # those are SIP's
    finally:
        client.close()


def message(client: PlainClient, call_id: str, parts: list[tuple[str, bytes]]) -> bytes:
    """A MESSAGE of MCData, written by hand."""
    host, port = client.sip.getsockname()
    content = b"".join(b"--b1\r\nContent-Type: %s\r\n\r\n%s\r\n" % (kind.encode(), part) for kind, part in parts)
    content += b"--b1--\r\n"
    lines = [
        "MESSAGE sip:mcdata@mcptt.example SIP/2.0",
        f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{call_id}",
        "Max-Forwards: 70",
        f"From: <sip:officer-2@{host}>;tag=plain",
        "To: <sip:mcdata@mcptt.example>",
        f"Call-ID: {call_id}",
        "CSeq: 1 MESSAGE",
        "Accept-Contact: *;+g.3gpp.mcdata.sds;require;explicit",
        'Content-Type: multipart/mixed;boundary="b1"',
        f"Content-Length: {len(content)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


async def test_it_gets_a_text_receipts_it_and_answers_with_another(
    server: tuple[Context, McpttServer, McpttTerminal],
) -> None:
    context, started, terminal = server
    await terminal.register()
    client = PlainClient(started.sip_address)
    host, port = client.sip.getsockname()
    registrar, registered_at = started.sip_address
    register = [
        f"REGISTER sip:{registrar}:{registered_at} SIP/2.0",
        f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bKr",
        "Max-Forwards: 70",
        f"From: <sip:officer-2@{registrar}:{registered_at}>;tag=r",
        f"To: <sip:officer-2@{registrar}:{registered_at}>",
        "Call-ID: plain-register",
        "CSeq: 1 REGISTER",
        f"Contact: <sip:officer-2@{host}:{port}>",
        "Expires: 60",
        "Content-Length: 0",
    ]
    lists = (
        b'<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>'
        b'<entry uri="sip:officer-1@mcptt.example"/></list></resource-lists>'
    )
    try:
        client.sip.sendto(("\r\n".join(register) + "\r\n\r\n").encode(), started.sip_address)
        assert (await client._receive(client.sip)).startswith(b"SIP/2.0 200")
        await terminal.texts.send("sip:officer-2@mcptt.example", Payload.of_text("hello"), wanted=Wanted.DELIVERY)
        came = await client._receive(client.sip)
        assert came.startswith(b"MESSAGE ")
        assert b"<mcdataURI>sip:officer-1@mcptt.example</mcdataURI></mcdata-calling-user-id>" in came
        assert b"\r\n\r\n\x03\x01\x78\x00\x06\x01hello\r\n" in came
        signalling = came.partition(b"mcdata-signalling\r\n\r\n")[2][:39]
        assert (signalling[:1], signalling[38:]) == (b"\x01", b"\x81")
        copied = [line for line in came.split(b"\r\n") if re.match(rb"(Via|From|To|Call-ID|CSeq):", line)]
        client.sip.sendto(
            b"\r\n".join([b"SIP/2.0 200 OK", *copied, b"Content-Length: 0", b"", b""]), started.sip_address
        )
        delivered = b"\x05\x02" + signalling[1:38]
        info = b'<mcdatainfo xmlns="urn:3gpp:ns:mcdataInfo:1.0"><mcdata-Params>%s</mcdata-Params></mcdatainfo>'
        parts = [("application/vnd.3gpp.mcdata-info+xml", info % b""), ("application/resource-lists+xml", lists)]
        client.sip.sendto(
            message(client, "plain-told", [*parts, ("application/vnd.3gpp.mcdata-signalling", delivered)]),
            started.sip_address,
        )
        assert (await client._receive(client.sip)).startswith(b"SIP/2.0 200")
        await context.journal.expect("officer-1", "mcdata.disposition", within=WITHIN_S, told="delivered")

        text = [
            ("application/vnd.3gpp.mcdata-info+xml", info % b"<request-type>one-to-one-sds</request-type>"),
            ("application/vnd.3gpp.mcdata-signalling", b"\x01" + bytes(5) + b"c" * 16 + b"m" * 16),
            ("application/vnd.3gpp.mcdata-payload", b"\x03\x01\x78\x00\x03\x01hi"),
            ("application/resource-lists+xml", lists),
        ]
        client.sip.sendto(message(client, "plain-text", text), started.sip_address)
        assert (await client._receive(client.sip)).startswith(b"SIP/2.0 202")
        await context.journal.expect("officer-1", "mcdata.received", within=WITHIN_S, text="hi", user="officer-2")
    finally:
        client.close()
