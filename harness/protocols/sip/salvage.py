"""What can be saved of a request that could not be read, so that its sender gets an error instead of silence.

RFC 3261 §8.2.6 wants Via, From, To, Call-ID and CSeq copied; what is there of them goes back as text, whatever it says
(RFC 4475 §3.1.2.4, §3.3.1). Where it goes is the transport's affair: the address it came from, at the port of its Via.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import SipRemoteError
from harness.protocols.sip.fields import Fields
from harness.protocols.sip.grammar import (
    ANY_VERSION,
    CONTROL,
    LWS_FOLD,
    MAX_HEADER_LINE,
    MAX_HEADERS,
    MAX_MESSAGE,
    REASONS,
    SIP_VERSION,
    TOKEN,
    split_outside,
)
from harness.protocols.sip.headers import Via
from harness.protocols.sip.names import KEYS
from harness.protocols.sip.uri import parse_hostport

_ECHOED = ("from", "to", "call-id", "cseq")
_COPIED = ("via", *_ECHOED)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A request that is to be refused."""

    status: int
    """505 for another version of SIP (§21.5.6), else 400."""
    echoed: Fields
    """What its answer copies, Via apart."""
    vias: list[str]
    """Its Via lines, the topmost first; at least one."""
    sent_by_port: int | None
    """The port of the topmost Via; None where it names none, or can't be read."""
    wants_rport: bool
    """Whether the answer goes to the port that the request came from (RFC 3581)."""

    def answer(self, source: tuple[str, int], to_tag: str, warning: str) -> bytes:
        """The response, for a request that came from `source`; `warning` is a Warning value."""
        top, *others = self.vias
        head, comma, rest = top.partition(",")
        received = f"{head};received={source[0]}{f';rport={source[1]}' if self.wants_rport else ''}"
        if self.wants_rport:
            received = received.replace(";rport;", ";", 1)
        lines = [f"{SIP_VERSION} {self.status} {REASONS[self.status]}", f"Via: {received}{comma}{rest}"]
        lines += [f"Via: {via}" for via in others]
        for name, value in self.echoed:
            tagged = name == "To" and "tag=" not in value.lower()
            lines.append(f"{name}: {value}{f';tag={to_tag}' if tagged else ''}")
        lines += [f"Warning: {warning}", "Content-Length: 0", "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def salvage(data: bytes) -> Salvaged | None:
    """What an error response needs of a request that was refused; None where none is due.

    None is due to responses, to ACK, to what is no request of any version of SIP or has no Via, and where what is to be
    copied can't be, as it would break out of its line.
    """
    head = data[:MAX_MESSAGE].lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    lines = LWS_FOLD.sub(" ", head.decode("utf-8", "surrogateescape")).split("\r\n", MAX_HEADERS + 1)
    words = lines[0].split()
    if len(words) < 3 or TOKEN.fullmatch(words[0]) is None or words[0] == "ACK":
        return None
    if ANY_VERSION.fullmatch(words[-1].upper()) is None or words[0].upper().startswith("SIP/"):
        return None
    found: dict[str, str] = {}
    vias: list[str] = []
    for line in lines[1 : MAX_HEADERS + 1]:
        name, colon, value = line.partition(":")
        key = KEYS.get(name.strip()) or name.strip().lower()
        value = value.strip()
        if not colon or key not in _COPIED:
            continue
        if len(value) > MAX_HEADER_LINE or CONTROL.search(value):
            return None
        if key == "via":
            vias.append(value)
        else:
            found.setdefault(key, value)
    if not vias:
        return None
    names = {"from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}
    echoed = [(names[key], found[key]) for key in _ECHOED if key in found]
    foreign = words[-1].upper() != SIP_VERSION
    port, wants_rport = _top(vias[0])
    return Salvaged(505 if foreign else 400, echoed, vias, port, wants_rport)


def _top(line: str) -> tuple[int | None, bool]:
    """The port of the first Via of a line, and whether it wants `rport`; as far as it can be read."""
    first = (split_outside(line, ",", MAX_HEADERS) or [line])[0]
    try:
        via = Via.parse(first)
    except SipRemoteError:
        # Of another version's Via the sent-by still stands before the first semicolon.
        sent_by = first.partition(";")[0].split()[-1:]
        try:
            return parse_hostport(sent_by[0])[1] if sent_by else None, False
        except SipRemoteError:
            return None, False
    return via.port, via.wants_rport
