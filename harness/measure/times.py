"""Times between events of the journal: call set-up, answer, push-to-talk grant."""

from __future__ import annotations

from harness.errors import LocalError
from harness.journal import Event, Journal


def between(journal: Journal, first: tuple[str, str], then: tuple[str, str], *, after: int = 0) -> float:
    """Return the seconds from the first event ``first`` (source, kind) to the next event ``then``.

    Only events younger than sequence number ``after`` count. Raises LocalError when either did not happen.
    """
    start = _found(journal, first, after)
    end = _found(journal, then, start.seq)
    return end.time - start.time


def _found(journal: Journal, wanted: tuple[str, str], after: int) -> Event:
    event = journal.find(*wanted, after=after)
    if event is None:
        raise LocalError(f"nothing to measure: {wanted[1]} did not happen on {wanted[0]} since event {after}")
    return event


def set_up_time(journal: Journal, trunk: str, *, after: int = 0) -> float:
    """Return the seconds from the caller's INVITE to the control room's ringing (180), as the trunk sees both."""
    return between(journal, (trunk, "call.inviting"), (trunk, "call.ringing"), after=after)


def answer_time(journal: Journal, trunk: str, *, after: int = 0) -> float:
    """Return the seconds from ringing (180) to answer (200), as the trunk sees both."""
    return between(journal, (trunk, "call.ringing"), (trunk, "call.answered"), after=after)


def presentation_time(journal: Journal, trunk: str, console: str, *, after: int = 0) -> float:
    """Return the seconds from the caller's INVITE to the call's showing at a console."""
    return between(journal, (trunk, "call.inviting"), (console, "call.ringing"), after=after)


def console_grant_time(journal: Journal, console: str, *, after: int = 0) -> float:
    """Return the seconds from the press of push-to-talk at a console to the grant it shows."""
    return between(journal, (console, "console.key"), (console, "ptt.granted"), after=after)
