"""Plain UDP sockets that send a SIP element any octets and see what comes back: none of the harness's SIP is used.

Most torture messages come from hosts that are not here, and carry no `rport`. Their answers are due at the address that
the datagram came from, but at the port that Via names, or 5060 (RFC 3261 §18.2.1, §18.2.2); with `rport` they are due at
the port that it came from (RFC 3581 §4). So the witness sends from a port of its own and listens on the others as well.

Loopback delivers before `sendto` returns, and the element answers in the order of arrival: once an OPTIONS that was sent
after a message is answered, all answers to the message are there, and silence is known without waiting for it.
"""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass
from itertools import count

HOST = "127.0.44.75"
"""A loopback address that nothing else uses."""
VIA_PORTS = (5060, 5050)
"""The ports that the Vias of torture messages name, or mean; no other program may have them on HOST."""
WITHIN_S = 3.0
LARGEST = 65_535

_LONG = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact"}
_numbers = count(1)


def header_lines(data: bytes) -> list[tuple[str, str]]:
    """(lower-case long name, value) of a message's header lines, unfolded."""
    head = data.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
    lines = re.sub(r"[ \t]*\r\n[ \t]+", " ", head).split("\r\n")[1:]
    pairs = [(name.strip().lower(), value.strip()) for name, colon, value in (line.partition(":") for line in lines)]
    return [(_LONG.get(name, name), value) for name, value in pairs]


def header(data: bytes, name: str) -> str | None:
    """The first value of a header field."""
    return next((value for found, value in header_lines(data) if found == name), None)


def vias(data: bytes) -> list[str]:
    """All Via values in their order, without white space and without what a server puts in (received, rport)."""
    found = [one for name, value in header_lines(data) if name == "via" for one in value.split(",")]
    return [re.sub(r"\s+|;\s*(received|rport)\b[^;]*", "", one) for one in found]


def due_port(data: bytes, source_port: int) -> int:
    """Where the answer to a request is due."""
    top = (header(data, "via") or "").split(",")[0]
    if re.search(r";\s*rport\b", top):
        return source_port
    port = re.search(r":\s*(\d+)$", top.partition(";")[0].strip())
    return int(port[1]) if port else 5060


@dataclass(frozen=True, slots=True)
class Answer:
    """One datagram that came, and the port of ours where it came."""

    data: bytes
    port: int

    @property
    def status(self) -> int:
        """The status; 0 where it is no response."""
        return int(self.data[8:11]) if self.data.startswith(b"SIP/2.0 ") else 0

    def header(self, name: str) -> str | None:
        """The first value of a header field."""
        return header(self.data, name)

    def headers(self, name: str) -> list[str]:
        """All values of a header field."""
        return [value for found, value in header_lines(self.data) if found == name]

    @property
    def body(self) -> bytes:
        """What follows the headers."""
        return self.data.partition(b"\r\n\r\n")[2]


class Witness:
    """The sockets. Use as a context manager."""

    def __init__(self, element: tuple[str, int]) -> None:
        self.element = element
        self._own = self._bound(0)
        self.port = self._own.getsockname()[1]
        self._sockets = {self.port: self._own, **{port: self._bound(port) for port in VIA_PORTS}}

    @staticmethod
    def _bound(port: int) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setblocking(False)
        bound.bind((HOST, port))
        return bound

    def __enter__(self) -> Witness:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._sockets.values():
            each.close()

    def send(self, data: bytes) -> None:
        """Send one datagram from our own port."""
        self._own.sendto(data, self.element)

    def request(self, method: str, *lines: str, uri: str = "", body: str = "") -> bytes:
        """An ordinary request of ours. `lines` are further header lines, or stand for those that it would have."""
        number = next(_numbers)
        given = {line.partition(":")[0].lower() for line in lines}
        ordinary = [
            f"Via: SIP/2.0/UDP {HOST}:{self.port};rport;branch=z9hG4bK-witness-{self.port}-{number}",
            f"From: <sip:witness@{HOST}>;tag=w{number}",
            f"To: <sip:user@{self.element[0]}>",
            f"Call-ID: witness-{number}@{HOST}",
            f"CSeq: 1 {method}",
            "Max-Forwards: 70",
            f"Contact: <sip:witness@{HOST}:{self.port}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        kept = [line for line in ordinary if line.partition(":")[0].lower() not in given]
        start = f"{method} {uri or f'sip:user@{self.element[0]}:{self.element[1]}'} SIP/2.0"
        return ("\r\n".join([start, *kept, *lines]) + "\r\n\r\n" + body).encode()

    async def asked(self, data: bytes) -> list[Answer]:
        """Send a datagram and return all that it is answered with, in the order of coming (a port at a time)."""
        self._drain()
        self.send(data)
        fence = self.request("OPTIONS")
        mine = header(fence, "call-id")
        self.send(fence)
        loop = asyncio.get_running_loop()
        answers: list[Answer] = []
        async with asyncio.timeout(WITHIN_S):
            while not answers or answers[-1].header("call-id") != mine:
                answers.append(Answer(await loop.sock_recv(self._own, LARGEST), self.port))
        assert answers.pop().status == 200, "an ordinary OPTIONS is not answered any more"
        return answers + self._drain()

    def _drain(self) -> list[Answer]:
        answers = []
        for port, each in self._sockets.items():
            while True:
                try:
                    answers.append(Answer(each.recv(LARGEST), port))
                except BlockingIOError:
                    break
        return answers

    def acknowledge(self, invite: bytes, final: Answer) -> bytes:
        """Send the ACK of an INVITE's final answer; returns the BYE that would end the call (RFC 3261 §12.2.1, §13.2.2.4)."""
        cseq = int((final.header("cseq") or "").split()[0])
        accepted = final.status < 300
        contact = re.search(r"<(.*?)>", final.header("contact") or "")
        uri = contact[1] if contact else invite.split(b" ", 2)[1].decode()
        kept = [f"From: {final.header('from')}", f"To: {final.header('to')}", f"Call-ID: {final.header('call-id')}"]
        # The ACK of a refusal belongs to the INVITE's transaction, and so has its top Via (§17.1.1.3).
        via = [] if accepted else [f"Via: {(header(invite, 'via') or '').split(',')[0]}"]
        self.send(self.request("ACK", *via, *kept, f"CSeq: {cseq} ACK", uri=uri))
        return self.request("BYE", *kept, f"CSeq: {cseq + 1} BYE", uri=uri)

    async def call(self, offer: str) -> None:
        """Place an ordinary call, be answered, and hang up."""
        invite = self.request("INVITE", body=offer)
        answers = await self.asked(invite)
        assert answers and answers[-1].status == 200, f"an ordinary call gets {[each.status for each in answers]}"
        (ended,) = await self.asked(self.acknowledge(invite, answers[-1]))
        assert ended.status == 200
