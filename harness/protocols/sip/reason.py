"""Why a request was sent, or a call ended: the Reason header (RFC 3326, locations by RFC 8606)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from harness.errors import SipRemoteError
from harness.protocols.sip import q850
from harness.protocols.sip.grammar import DIGITS, REASONS, TOKEN, quote, unquote
from harness.protocols.sip.headers import parse_params, write_params
from harness.protocols.sip.message import Message
from harness.protocols.sip.uri import Params

HEADER: Final = "Reason"
Q850: Final = "Q.850"
SIP: Final = "SIP"
PREEMPTION: Final = "Preemption"
"""RFC 4411: 1 to 5."""
LOCATIONS: Final = (
    *("U", "LPN", "LN", "TN", "RLN", "RPN", "LOC-6", "INTL", "LOC-8", "LOC-9"),
    *("BI", "LOC-11", "LOC-12", "LOC-13", "LOC-14", "LOC-15"),
)
"""Where a Q.850 cause arose: its location value, 0 to 15, is the place in this list (RFC 8606 section 4)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One value of the header."""

    protocol: str
    """`Q.850`, `SIP`, `Preemption` or another token, as written."""
    cause: int | None = None
    """A Q.850 cause, a SIP status, or what the protocol means by it; None where none is told."""
    text: str = ""
    location: str = ""
    """One of LOCATIONS; empty where none is told."""
    other: Params = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Reason:
        """Parse one value; raises SipRemoteError."""
        protocol, _, tail = text.partition(";")
        protocol = protocol.strip()
        if TOKEN.fullmatch(protocol) is None:
            raise SipRemoteError(f"a Reason whose protocol is no token: {text[:80]!r}")
        params = parse_params(tail) if tail else {}
        digits = params.pop("cause", None)
        if digits is not None and DIGITS.fullmatch(digits) is None:
            raise SipRemoteError(f"a Reason whose cause is no number: {text[:80]!r}")
        told = unquote(params.pop("text", None) or "")
        location = unquote(params.pop("location", None) or "")
        return cls(protocol, None if digits is None else int(digits), told, location, params)

    @classmethod
    def of_q850(cls, cause: int, *, location: str = "") -> Reason:
        """A Q.850 cause with its name as the text."""
        return cls(Q850, cause, q850.name_of(cause), location)

    @property
    def is_q850(self) -> bool:
        """Whether the cause is one of Q.850's."""
        return self.protocol.upper() == Q850

    @property
    def meaning(self) -> str:
        """What the cause means; the text where the protocol is not known, empty where nothing is told."""
        if self.cause is None:
            return self.text
        if self.is_q850:
            return q850.name_of(self.cause)
        known = REASONS.get(self.cause, "") if self.protocol.upper() == SIP else ""
        return known or self.text

    def __str__(self) -> str:
        text = self.protocol if self.cause is None else f"{self.protocol};cause={self.cause}"
        if self.location:
            text += f";location={self.location}"
        if self.text:
            text += f";text={quote(self.text)}"
        return text + write_params(self.other)


def reasons_of(message: Message) -> list[Reason]:
    """All that a message tells, in its order. Raises SipRemoteError."""
    return [Reason.parse(value) for value in message.values(HEADER)]


def q850_cause(message: Message) -> int | None:
    """The first Q.850 cause that a message tells; None where there is none. Raises SipRemoteError."""
    return next((each.cause for each in reasons_of(message) if each.is_q850), None)


def value_of(reasons: Iterable[Reason]) -> str:
    """The header's value that tells all of them, in their order."""
    return ", ".join(map(str, reasons))
