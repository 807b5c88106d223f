"""Plain UDP sockets that send a SIP element any octets and judge what comes back: none of the harness's SIP is used.

Most torture messages come from hosts that are not here, and carry no `rport`. Their answers are due at the address
that the datagram came from, but at the port that Via names, or 5060 (RFC 3261 §18.2.1, §18.2.2); with `rport` they are
due at the port that it came from (RFC 3581 §4). So the witness sends from a port of its own and listens on the others.

Loopback delivers before `sendto` returns, and the element answers in the order of arrival: once an OPTIONS that was
sent after a message is answered, all answers to the message are there, and silence is known without waiting for it.
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
    head = data.lstrip(b"\r\n").partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
    lines = re.sub(r"[ \t]*\r\n[ \t]+", " ", head).split("\r\n")[1:]
    pairs = [(name.strip().lower(), value.strip()) for name, colon, value in (line.partition(":") for line in lines)]
    return [(_LONG.get(name, name), value) for name, value in pairs]


def header(data: bytes, name: str) -> str | None:
    """The first value of a header field."""
    return next((value for found, value in header_lines(data) if found == name), None)


def vias(data: bytes) -> list[str]:
    """All Via values in their order, without what a server puts in (received, rport), and in one spelling.

    White space is gone, and protocol, host and the parameters' names are in lower case: neither tells values apart.
    """
    found = [one for name, value in header_lines(data) if name == "via" for one in value.split(",")]
    bare = [re.sub(r"\s+|;\s*(received|rport)\b[^;]*", "", one) for one in found]
    return [re.sub(r"^[^;]*|;[^;=]*", lambda part: part[0].lower(), one) for one in bare]


def due_port(data: bytes, source_port: int) -> int | None:
    """Where the answer to a request is due; None where it has no Via, or one that names no port that there is."""
    top = (header(data, "via") or ":0").split(",")[0]
    if re.search(r";\s*rport\b", top):
        return source_port
    port = re.search(r":\s*(\d+)$", top.partition(";")[0].strip())
    named = int(port[1]) if port else 5060
    return named if 0 < named <= 65_535 else None


def squeezed(value: str | None) -> str:
    """A value with each run of white space as one blank."""
    return re.sub(r"\s+", " ", value or "")


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
        """Send a datagram and return all that it is answered with, in the order of coming, a port at a time."""
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
        """Send the ACK of an INVITE's final answer; returns the BYE that would end the call (§12.2.1, §13.2.2.4)."""
        cseq = int((final.header("cseq") or "").split()[0])
        accepted = final.status < 300
        contact = re.search(r"<(.*?)>", final.header("contact") or "")
        uri = contact[1] if contact else invite.split(b" ", 2)[1].decode()
        kept = [f"From: {final.header('from')}", f"To: {final.header('to')}", f"Call-ID: {final.header('call-id')}"]
        # The ACK of a refusal belongs to the INVITE's transaction, and so has its top Via (§17.1.1.3).
        via = [] if accepted else [f"Via: {(header(invite, 'via') or '').split(',')[0]}"]
        self.send(self.request("ACK", *via, *kept, f"CSeq: {cseq} ACK", uri=uri))
        return self.request("BYE", *kept, f"CSeq: {cseq + 1} BYE", uri=uri)

    async def asked_and_ended(self, data: bytes) -> list[Answer]:
        """The same, and a call that it began is acknowledged and ended."""
        answers = await self.asked(data)
        finals = [answer for answer in answers if answer.status >= 200]
        if finals and header(data, "cseq") and data.startswith(b"INVITE "):
            bye = self.acknowledge(data, finals[0])
            if finals[0].status < 300:
                (ended,) = await self.asked(bye)
                assert ended.status == 200
        return answers

    async def call(self, offer: str) -> None:
        """Place an ordinary call, be answered, and hang up."""
        answers = await self.asked_and_ended(self.request("INVITE", body=offer))
        assert answers and answers[-1].status == 200, f"an ordinary call gets {[each.status for each in answers]}"


def must_come_back_as_is_due(data: bytes, answer: Answer, witness: Witness) -> None:
    """RFC 3261 §8.2.6.2 (what is copied), §18.2 (where it goes), and no header that the request smuggled in."""
    assert due_port(data, witness.port) in (answer.port, None)
    assert vias(answer.data) == vias(data)
    if HOST not in (header(data, "via") or HOST):
        assert f";received={HOST}" in squeezed(answer.header("via"))
    for name in ("from", "call-id", "cseq"):
        assert squeezed(answer.header(name)) == squeezed(header(data, name))
    to = squeezed(header(data, "to"))
    assert squeezed(answer.header("to")).startswith(to)
    if answer.status > 100 and to:
        assert "tag" in (answer.header("to") or "")
    assert int(answer.header("content-length") or -1) == len(answer.body)
    assert not re.search(rb"[\r\n]x-evil", answer.data, re.IGNORECASE)


async def must_answer(witness: Witness, data: bytes, due: tuple[int, ...]) -> Answer | None:
    """Send a message, see that one of the answers due comes, and end the call that it began; returns the final answer.

    `due` are final statuses; with none nothing at all may come, and 0 among them lets nothing be right too.
    """
    answers = await witness.asked_and_ended(data)
    finals = [answer for answer in answers if answer.status >= 200]
    if not finals and (not due or 0 in due):
        assert answers == []
        return None
    statuses = [answer.status for answer in finals]
    assert len(statuses) == 1 and statuses[0] in due, f"due: {due or 'silence'}, seen: {statuses or 'silence'}"
    for answer in answers:
        must_come_back_as_is_due(data, answer, witness)
    return finals[0]
