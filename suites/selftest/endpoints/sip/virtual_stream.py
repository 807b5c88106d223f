"""A TCP peer driven by hand in virtual time, and certificates, for tests of SIP over streams."""

from __future__ import annotations

import asyncio
from pathlib import Path

import trustme

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.transports import TlsSides
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse
from harness.protocols.sip.stream import StreamCutter
from harness.transport.context import Context
from harness.transport.stream import StreamConnection, connect_stream
from harness.transport.tls import TlsFiles


class StreamPeer:
    """One end of a connection: sends bytes, keeps the messages and whatever else comes."""

    def __init__(self) -> None:
        self.got: list[Request | Response] = []
        self.raw = b""
        """All bytes that came."""
        self.lost_because: str | None = None
        self.connection: StreamConnection | None = None
        self._cutter = StreamCutter()

    @classmethod
    async def connect(cls, context: Context, agent: UserAgent, *, kind: str = "TCP") -> StreamPeer:
        peer = cls()
        await connect_stream(agent.endpoint.transports.locals[kind], peer, tap=context.tap)
        return peer

    def opened(self, connection: StreamConnection) -> None:
        self.connection = connection

    def received(self, connection: StreamConnection, data: bytes) -> None:
        self.raw += data
        self.got += [parse(message) for message in self._cutter.feed(data)]

    def lost(self, connection: StreamConnection, why: str) -> None:
        self.lost_because = why

    def send(self, data: bytes) -> None:
        assert self.connection is not None
        self.connection.send(data)

    def close(self) -> None:
        assert self.connection is not None
        self.connection.close()

    @property
    def local(self) -> tuple[str, int]:
        assert self.connection is not None
        return self.connection.local

    def request(
        self,
        method: str,
        *lines: str,
        branch: str = "1",
        contact: str = "",
        tag: str = "",
        cseq: int = 1,
        call_id: str = "",
        body: bytes = b"",
    ) -> bytes:
        """A request; each branch has a Call-ID of its own unless one is given."""
        host, port = self.local
        contact = contact or f"sip:peer@{host}:{port};transport=tcp"
        text = f"{method} sip:switch@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP {host}:{port};branch=z9hG4bK{branch}\r\n"
        text += f"From: <sip:peer@{host}>;tag=p\r\nTo: <sip:switch@127.0.0.1>{tag and f';tag={tag}'}\r\n"
        text += f"Call-ID: {call_id or branch}\r\nCSeq: {cseq} {method}\r\nContact: <{contact}>\r\n"
        text += "".join(f"{line}\r\n" for line in lines)
        if body:
            text += "Content-Type: application/sdp\r\n"
        return f"{text}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def statuses(self, after: float = 0.5) -> list[int]:
        """The statuses that have come, `after` seconds from now."""
        await asyncio.sleep(after)
        return [message.status for message in self.got if isinstance(message, Response)]


class Papers:
    """Certificates in a folder: an authority, and whatever it signs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.authority = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.authority))

    def signed(self, *names: str, **options: object) -> Path:
        """Certificate and key in one file, for hosts or addresses."""
        return _written(self._folder, self._authority.issue_cert(*names, **options))  # type: ignore[arg-type]

    def stranger(self, *names: str) -> Path:
        """One that another authority signed."""
        return _written(self._folder, trustme.CA().issue_cert(*names))

    def sides(self, certificate: Path, *, mutual: bool = False, shown: Path | None = None) -> TlsSides:
        """An endpoint's: `certificate` as a server, `shown` as a client."""
        server = TlsFiles(certificate, authority=self.authority if mutual else None, mutual=mutual)
        return TlsSides(server, TlsFiles(shown, authority=self.authority))


def _written(folder: Path, leaf: trustme.LeafCert) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.pem"
    leaf.private_key_and_cert_chain_pem.write_to_path(str(path))
    return path
