"""Contacts in the store: found by telephone, mail or name, shown with markers and history."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, desc, select
from sqlalchemy.orm import Session

from harness.errors import NumberError
from harness.protocols import uk_numbers
from harness.protocols.times import to_iso
from simulators.crm.errors import UnfitError
from simulators.crm.ids import number_of, shown, unknown
from simulators.crm.tables import Contact, Marker, Record

MAX_FOUND: Final = 20
"""Contacts that one search shows."""
HISTORY_SHOWN: Final = 10
"""Records that are shown with a contact, the newest."""
KEY_LENGTH: Final = 256
_LAST: Final = chr(0x10FFFF)


def name_key(name: str) -> str:
    """A name as it is looked for: whatever its case, accents' form and blanks."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())[:KEY_LENGTH]


def telephone_key(text: str) -> str | None:
    """A telephone number as it is looked for, E.164 where it has such a form; None for what is none."""
    try:
        # A + in a query that nobody encoded comes as a blank.
        return uk_numbers.parse(f"+{text[1:]}" if text.startswith(" ") else text).digits
    except NumberError:
        return None


def email_key(text: str) -> str | None:
    """A mail address as it is looked for; None for what is none."""
    local, at, domain = text.strip().rpartition("@")
    fits = at and local and "." in domain and not any(each.isspace() or each == "@" for each in local + domain)
    return text.strip().lower() if fits else None


def made(
    session: Session, at: float, *, name: str, telephone: str | None, email: str | None, address: str = ""
) -> Contact:
    """Make a contact of what is already as it is looked for."""
    contact = Contact(
        name=name,
        name_key=name_key(name),
        last_name_key=name_key(name).rpartition(" ")[2],
        telephone=telephone,
        email=email,
        address=address,
        made_at=at,
    )
    session.add(contact)
    session.flush()
    return contact


def get(session: Session, id_: str) -> Contact:
    """One contact, merged or not. Raises UnknownError."""
    found = session.get(Contact, number_of(id_))
    if found is None:
        raise unknown(id_)
    return found


def survivor(session: Session, contact: Contact) -> Contact:
    """The contact that this one was merged into, or this one."""
    while contact.merged_into is not None:
        contact = session.get_one(Contact, contact.merged_into)
    return contact


def everyone(session: Session, contact: Contact) -> list[Contact]:
    """A contact and all that were merged into it, itself first."""
    found = [contact]
    layer = [contact.number]
    while layer:
        merged = session.scalars(select(Contact).where(Contact.merged_into.in_(layer)).order_by(Contact.number)).all()
        found += merged
        layer = [each.number for each in merged]
    return found


def find(session: Session, *, telephone: str | None, email: str | None, name: str | None) -> list[Contact]:
    """The contacts that fit all that is given, at most MAX_FOUND; a merged one's survivor stands for it.

    Raises UnfitError where nothing is given to look for, or what is given is no number or mail address.
    """
    query = select(Contact).order_by(Contact.number)
    wanted: list[ColumnElement[bool]] = []
    if telephone is not None:
        wanted.append(Contact.telephone == _read("telephone number", telephone, telephone_key(telephone)))
    if email is not None:
        wanted.append(Contact.email == _read("mail address", email, email_key(email)))
    if name is not None:
        key = _read("name", name, name_key(name) or None)
        whole = Contact.name_key.between(key, key + _LAST)
        wanted.append(whole | Contact.last_name_key.between(key, key + _LAST))
    if not wanted:
        raise UnfitError("nothing to look for: 'telephone', 'email' or 'name' is needed")
    found: dict[int, Contact] = {}
    for contact in session.scalars(query.where(*wanted).limit(2 * MAX_FOUND)):
        stands = survivor(session, contact)
        found.setdefault(stands.number, stands)
    return list(found.values())[:MAX_FOUND]


def _read(what: str, text: str, key: str | None) -> str:
    if key is None:
        raise UnfitError(f"{text[:40]!r} is no {what}")
    return key


def shown_contact(session: Session, contact: Contact, *, history: int = HISTORY_SHOWN) -> dict[str, Any]:
    """A contact with its markers and the newest of its history, those of contacts merged into it among them."""
    all_ = everyone(session, contact)
    numbers = [each.number for each in all_]
    markers = session.scalars(
        select(Marker).where(Marker.contact.in_(numbers), Marker.ended_at.is_(None)).order_by(Marker.number)
    ).all()
    records = records_of(session, numbers, before=None, limit=history)
    return {
        "id": shown("C", contact.number),
        "name": contact.name,
        "telephone": contact.telephone,
        "telephones": list(dict.fromkeys(each.telephone for each in all_ if each.telephone)),
        "email": contact.email,
        "emails": list(dict.fromkeys(each.email for each in all_ if each.email)),
        "address": contact.address,
        "reference": contact.reference,
        "merged": [shown("C", number) for number in numbers[1:]],
        "markers": [shown_marker(each) for each in markers],
        "history": [line(each) for each in records],
    }


def shown_marker(marker: Marker) -> dict[str, Any]:
    """A marker as it is shown."""
    return {
        "number": marker.number,
        "kind": marker.kind,
        "text": marker.text,
        "since": to_iso(marker.since),
        "by": marker.by,
    }


def records_of(session: Session, numbers: Sequence[int], *, before: int | None, limit: int) -> Sequence[Record]:
    """Records of contacts, newest first; of those numbered below ``before`` only."""
    query = select(Record).where(Record.contact.in_(numbers)).order_by(desc(Record.number)).limit(limit)
    if before is not None:
        query = query.where(Record.number < before)
    return session.scalars(query).all()


def line(record: Record) -> dict[str, Any]:
    """A record as a contact's history shows it: no word of its text."""
    return {
        "id": shown("R", record.number),
        "channel": record.channel,
        "received": to_iso(record.received),
        "flags": record.flags,
        "grade": record.grade,
        "owner": record.owner,
        "failure_demand": record.failure_demand,
    }
