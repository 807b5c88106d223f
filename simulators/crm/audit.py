"""The access audit: who looked at or changed whose data, when and why; each entry sealed with the one before it.

Theory. An entry's hash is SHA-256 over its fields and the hash of the entry before. Who changes an old entry, or takes
one out, would have to change all after it; who takes the last ones away is found out by whoever noted a later number
and its hash. The store itself refuses to change or take away an entry, so that this is not the first line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import desc, select
from sqlalchemy.orm import Session

from harness.protocols.times import to_iso
from simulators.crm.ids import shown
from simulators.crm.tables import AuditEntry

START: Final = "0" * 64
"""What stands before the first entry."""
VERIFIED_AT_ONCE: Final = 1_000
"""Entries that are read in one transaction."""


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who asks, and why."""

    user: str
    reason: str


def note(session: Session, at: float, who: Who, action: str, about: str, contacts: Iterable[int]) -> int:
    """Add an entry; return its number."""
    last = session.scalars(select(AuditEntry).order_by(desc(AuditEntry.number)).limit(1)).first()
    entry = AuditEntry(
        number=1 if last is None else last.number + 1,
        at=at,
        user=who.user,
        reason=who.reason,
        action=action,
        about=about[:300],
        contacts="".join(f" {number}" for number in contacts) + " ",
        previous=START if last is None else last.hash,
    )
    entry.hash = sealed(entry)
    session.add(entry)
    session.flush()
    return entry.number


def sealed(entry: AuditEntry) -> str:
    """The hash that an entry must have."""
    fields = [entry.number, entry.at, entry.user, entry.reason, entry.action, entry.about, entry.contacts]
    return hashlib.sha256(json.dumps([*fields, entry.previous], separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verified:
    """How far the chain was followed."""

    number: int = 0
    hash: str = START
    wrong: int | None = None
    """The first entry that does not fit."""
    why: str = ""
    over: bool = False


def follow(session: Session, so_far: Verified) -> Verified:
    """Follow the chain by VERIFIED_AT_ONCE entries more."""
    number, previous = so_far.number, so_far.hash
    entries = session.scalars(
        select(AuditEntry).where(AuditEntry.number > number).order_by(AuditEntry.number).limit(VERIFIED_AT_ONCE)
    ).all()
    for entry in entries:
        if entry.number != number + 1:
            return Verified(number, previous, number + 1, f"entry {number + 1} is not there", over=True)
        if entry.previous != previous:
            return Verified(number, previous, entry.number, "it does not hold the hash of the one before", over=True)
        if entry.hash != sealed(entry):
            return Verified(number, previous, entry.number, "its hash is not that of its fields", over=True)
        number, previous = entry.number, entry.hash
    return Verified(number, previous, over=len(entries) < VERIFIED_AT_ONCE)


def read(session: Session, *, contact: int | None, user: str | None, after: int, limit: int) -> list[dict[str, Any]]:
    """Entries after a number, oldest first; of one contact or user only, where named."""
    query = select(AuditEntry).where(AuditEntry.number > after).order_by(AuditEntry.number).limit(limit)
    if contact is not None:
        query = query.where(AuditEntry.contacts.contains(f" {contact} "))
    if user is not None:
        query = query.where(AuditEntry.user == user)
    return [_shown(entry) for entry in session.scalars(query)]


def _shown(entry: AuditEntry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": to_iso(entry.at),
        "user": entry.user,
        "reason": entry.reason,
        "action": entry.action,
        "about": entry.about,
        "contacts": [shown("C", int(number)) for number in entry.contacts.split()],
        "hash": entry.hash,
    }
