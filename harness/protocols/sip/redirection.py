"""Whether a call was diverted on its way here, from whom, and why: History-Info or Diversion, whichever tells.

Where both are there and History-Info tells a diversion it is believed, as its entries can't be in the wrong order;
else Diversion is (RFC 7544 maps one to the other).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.protocols.sip import diversion, history_info, reason
from harness.protocols.sip.diversion import Why
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.history_info import Entry
from harness.protocols.sip.message import Message

_MAPPED: Final = "mp"
"""A target that is another user; the other ways to find one lead to the same user's telephone."""


@dataclass(frozen=True, slots=True)
class Redirection:
    """One call's diversions, taken together."""

    first_called: NameAddr
    """Whom the caller called."""
    last_diverter: NameAddr
    """Who sent it here; the same as `first_called` where there was one diversion."""
    first_reason: str
    """Why the first diversion was made; one of Why or another token."""
    last_reason: str
    """Why the latest one was."""
    count: int
    """How many there were, as far as it is told."""
    header: str
    """`History-Info` or `Diversion`."""
    is_hidden: bool
    """Whether a diverter asked not to be shown."""


def redirection_of(message: Message) -> Redirection | None:
    """How a request was diverted; None where nothing tells that it was. Raises SipRemoteError."""
    return _by_history(message) or _by_diversion(message)


def _by_diversion(message: Message) -> Redirection | None:
    found = diversion.diversions_of(message)
    if not found:
        return None
    latest, first = found[0], found[-1]
    return Redirection(
        first.address,
        latest.address,
        first.reason,
        latest.reason,
        sum(each.counter for each in found),
        diversion.HEADER,
        any(each.is_hidden for each in found),
    )


def _by_history(message: Message) -> Redirection | None:
    entries = history_info.history_of(message)
    steps = [step for at, entry in enumerate(entries) if (step := _step(entry, entries[:at])) is not None]
    if not steps:
        return None
    (_, first_why), (last, last_why) = steps[0], steps[-1]
    hidden = any(origin.is_hidden for origin, _ in steps)
    return Redirection(entries[0].address, last.address, first_why, last_why, len(steps), history_info.HEADER, hidden)


def _step(entry: Entry, earlier: list[Entry]) -> tuple[Entry, Why] | None:
    """Who diverted to ``entry``, and why; None where the request was only sent on, or nobody is told before it."""
    if not earlier:
        return None
    named = next((each for each in earlier if each.index == entry.origin), None) if entry.origin else None
    if entry.how == _MAPPED and named is not None:
        # The reason stands at the contact that was tried for the one who diverts, or at that one itself.
        tried = [each for each in earlier if each.index[: len(named.index)] == named.index]
        told = [status for each in tried if (status := _status(each)) is not None]
        return named, _why(entry.cause or (told[-1] if told else None))
    left = next((each for each in reversed(earlier) if _status(each) is not None and _is_next(entry, each)), None)
    if entry.cause is not None:
        return named or left or earlier[-1], _why(entry.cause)
    if left is None or entry.how or _user(left) == _user(entry):
        return None
    return left, _why(_status(left))


def _is_next(entry: Entry, left: Entry) -> bool:
    """Whether a request that left ``left`` could go to ``entry``: made from it, or from what it was made from."""
    return entry.index[:-1] in (left.index, left.index[:-1])


def _user(entry: Entry) -> str:
    return entry.address.uri.user_text


def _status(entry: Entry) -> int | None:
    """The SIP status for which the request left an entry; None where none is told."""
    return next((each.cause for each in entry.reasons if each.protocol.upper() == reason.SIP), None)


def _why(status: int | None) -> Why:
    return Why.UNKNOWN if status is None else diversion.reason_of_status(status)
