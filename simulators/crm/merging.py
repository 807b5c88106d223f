"""What is changed of contacts by hand: markers, and merging two that are one; all of it stays to be read."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from harness.protocols.times import to_iso
from simulators.crm.contacts import everyone
from simulators.crm.errors import RefusedError, UnknownError
from simulators.crm.ids import number_of, shown, unknown
from simulators.crm.tables import Contact, Marker, Merge

MAX_MARKERS: Final = 32
"""Markers that one contact has at once."""
MAX_MERGED: Final = 100
"""Contacts that are one."""


def mark(session: Session, at: float, contact: Contact, *, kind: str, text: str, by: str) -> Marker:
    """Set a marker. Raises RefusedError where there are MAX_MARKERS."""
    query = select(func.count()).where(Marker.contact == contact.number, Marker.ended_at.is_(None))
    if (session.scalar(query) or 0) >= MAX_MARKERS:
        raise RefusedError(f"{shown('C', contact.number)} has {MAX_MARKERS} markers; end one first")
    marker = Marker(contact=contact.number, kind=kind, text=text, since=at, by=by)
    session.add(marker)
    session.flush()
    return marker


def unmark(session: Session, at: float, contact: Contact, number: int, *, by: str, why: str) -> Marker:
    """End a marker of a contact, or of one merged into it. Raises UnknownError where it has no such marker."""
    marker = session.get(Marker, number)
    if marker is None or marker.contact not in [each.number for each in everyone(session, contact)]:
        raise UnknownError(f"{shown('C', contact.number)} has no marker {number}")
    if marker.ended_at is not None:
        raise RefusedError(f"marker {number} was ended by {marker.ended_by}")
    marker.ended_at, marker.ended_by, marker.ended_why = at, by, why
    return marker


def merge(session: Session, at: float, into: Contact, other: Contact, *, by: str, why: str) -> int:
    """Let ``other`` be found as ``into``; return the merge's number.

    Raises RefusedError where they are the same, one was merged already, or MAX_MERGED are one.
    """
    if into.number == other.number:
        raise RefusedError("a contact is not merged into itself")
    for each in (into, other):
        if each.merged_into is not None:
            stands = shown("C", each.merged_into)
            raise RefusedError(f"{shown('C', each.number)} was merged into {stands}: merge that one, or undo it first")
    if len(everyone(session, into)) + len(everyone(session, other)) > MAX_MERGED:
        raise RefusedError(f"{MAX_MERGED} contacts at most are one")
    other.merged_into = into.number
    made = Merge(other=other.number, into=into.number, at=at, by=by, why=why)
    session.add(made)
    session.flush()
    return made.number


def undo(session: Session, at: float, id_: str, *, by: str, why: str) -> Merge:
    """Undo a merge. Raises UnknownError, and RefusedError where that was done."""
    found = session.get(Merge, number_of(id_))
    if found is None:
        raise unknown(id_)
    if found.undone_at is not None:
        raise RefusedError(f"{id_} was undone by {found.undone_by}")
    session.get_one(Contact, found.other).merged_into = None
    found.undone_at, found.undone_by, found.undone_why = at, by, why
    return found


def trail(session: Session, contact: int) -> list[dict[str, Any]]:
    """Every merge that a contact was part of, oldest first."""
    query = select(Merge).where(or_(Merge.other == contact, Merge.into == contact)).order_by(Merge.number)
    return [
        {
            "merge": shown("M", each.number),
            "into": shown("C", each.into),
            "other": shown("C", each.other),
            "at": to_iso(each.at),
            "by": each.by,
            "reason": each.why,
            "undone_at": None if each.undone_at is None else to_iso(each.undone_at),
            "undone_by": each.undone_by,
            "undone_reason": each.undone_why,
        }
        for each in session.scalars(query)
    ]
