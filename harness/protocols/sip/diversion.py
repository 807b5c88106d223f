"""Who diverted a call: the Diversion header (RFC 5806, its errata, and RFC 7544's mapping of its reasons).

Theory. Each one who diverts a call puts a value before those that are there, so the first value is the latest diversion
and the last one names whom the caller called. `counter` says for how many diversions a value stands (1 where it is not
told), so that the sum of them bounds a chain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from harness.errors import SipRemoteError
from harness.protocols.sip.grammar import TOKEN, quote, unquote
from harness.protocols.sip.headers import NameAddr, write_params
from harness.protocols.sip.message import Message
from harness.protocols.sip.uri import Params

HEADER: Final = "Diversion"
MAX_COUNTER: Final = 99
"""Two digits (RFC 5806 section 4)."""


class Why(StrEnum):
    """Registered reasons (RFC 5806 section 4); equipment sends others, too."""

    UNKNOWN = "unknown"
    USER_BUSY = "user-busy"
    NO_ANSWER = "no-answer"
    UNAVAILABLE = "unavailable"
    UNCONDITIONAL = "unconditional"
    TIME_OF_DAY = "time-of-day"
    DO_NOT_DISTURB = "do-not-disturb"
    DEFLECTION = "deflection"
    FOLLOW_ME = "follow-me"
    OUT_OF_SERVICE = "out-of-service"
    AWAY = "away"


_STATUSES: Final[dict[str, int]] = {
    Why.USER_BUSY: 486,
    Why.NO_ANSWER: 408,
    Why.UNCONDITIONAL: 302,
    Why.DEFLECTION: 480,
    Why.UNAVAILABLE: 503,
}
_UNKNOWN_STATUS: Final = 404
_REASONS: Final[dict[int, Why]] = {
    486: Why.USER_BUSY,
    408: Why.NO_ANSWER,
    302: Why.UNCONDITIONAL,
    487: Why.DEFLECTION,
    480: Why.DEFLECTION,
    503: Why.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Diversion:
    """One value of the header."""

    address: NameAddr
    """Who diverted, without this header's parameters."""
    reason: str = Why.UNKNOWN
    """Lower case; one of Why or another token."""
    counter: int = 1
    """For how many diversions the value stands, 1…MAX_COUNTER."""
    limit: int | None = None
    """How many are allowed; None where it is not told."""
    privacy: str = "off"
    """`full`, `name`, `uri`, `off` or another token: what of the diverter is not to be shown."""
    screen: str = ""
    """`yes` or `no`, whether the network checked who diverts; empty where it is not told."""
    other: Params = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Diversion:
        """Parse one value, quoted parameters as well as tokens; raises SipRemoteError."""
        read = NameAddr.parse(text)
        params = dict(read.params)
        return cls(
            NameAddr(read.uri, read.display),
            (_word(params, "reason") or Why.UNKNOWN).lower(),
            _number(params, "counter", text) or 1,
            _number(params, "limit", text),
            (_word(params, "privacy") or "off").lower(),
            _word(params, "screen").lower(),
            params,
        )

    @property
    def is_hidden(self) -> bool:
        """Whether the diverter's number is not to be shown."""
        return self.privacy in ("full", "uri")

    def __str__(self) -> str:
        params: Params = {"reason": _written(self.reason)}
        if self.counter != 1:
            params["counter"] = str(self.counter)
        if self.limit is not None:
            params["limit"] = str(self.limit)
        if self.privacy != "off":
            params["privacy"] = _written(self.privacy)
        if self.screen:
            params["screen"] = _written(self.screen)
        return f"{self.address}{write_params({**params, **self.other})}"


def _word(params: Params, name: str) -> str:
    return unquote(params.pop(name, None) or "")


def _written(word: str) -> str:
    return word if TOKEN.fullmatch(word) else quote(word)


def _number(params: Params, name: str, text: str) -> int | None:
    digits = _word(params, name)
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 2:
        raise SipRemoteError(f"a Diversion whose {name} is not 0…{MAX_COUNTER}: {text[:80]!r}")
    return int(digits)


def diversions_of(message: Message) -> list[Diversion]:
    """What a message tells, the latest diversion first. Raises SipRemoteError."""
    return [Diversion.parse(value) for value in message.values(HEADER)]


def value_of(diversions: Iterable[Diversion]) -> str:
    """The header's value that tells all of them, in their order: the latest first."""
    return ", ".join(map(str, diversions))


def reason_of_status(status: int) -> Why:
    """The reason that RFC 7544 section 5 gives a diversion for the status or `cause` (RFC 4458) that led to it."""
    return _REASONS.get(status, Why.UNKNOWN)


def status_of_reason(reason: str) -> int:
    """The `cause` (RFC 4458) that RFC 7544 section 6 gives a Diversion's reason; 404 for what has none."""
    return _STATUSES.get(reason, _UNKNOWN_STATUS)
