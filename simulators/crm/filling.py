"""Fills a CRM's store at its start: the contacts that its settings name, and people made up from a seed."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from simulators.crm import contacts
from simulators.crm.desk import Desk
from simulators.crm.settings import ContactSettings
from simulators.crm.tables import Contact, Marker
from simulators.people import Person, people

MADE_UP: Final = "made-up:"
AT_ONCE: Final = 1_000
SETTINGS: Final = "settings"
"""By whom markers are set that the settings name."""


async def fill(desk: Desk) -> None:
    """Put in what is not there yet. Raises DatabaseError."""
    settings = desk.settings

    def named(session: Session) -> None:
        for each in settings.contacts:
            if session.scalar(select(Contact.number).where(Contact.reference == each.reference)) is None:
                _put(session, desk.now(), each)

    await desk.run(named)
    there = select(func.count()).where(Contact.reference.startswith(MADE_UP))
    count = await desk.run(lambda session: session.scalar(there) or 0)
    made = islice(people(settings.people_seed), count, None)
    while count < settings.people:
        some = list(islice(made, min(AT_ONCE, settings.people - count)))
        rows = [_row(person, desk.now(), count + index) for index, person in enumerate(some)]
        await desk.run(partial(_insert, rows=rows))
        count += len(some)


def _insert(session: Session, rows: list[dict[str, Any]]) -> None:
    session.execute(insert(Contact), rows)


def _row(person: Person, at: float, index: int) -> dict[str, Any]:
    key = contacts.name_key(person.name)
    return {
        "reference": f"{MADE_UP}{index + 1:07d}",
        "name": person.name,
        "name_key": key,
        "last_name_key": key.rpartition(" ")[2],
        "telephone": person.telephone,
        "email": person.email,
        "address": person.address,
        "made_at": at,
    }


def _put(session: Session, at: float, told: ContactSettings) -> None:
    email = contacts.email_key(told.email) if told.email else None
    contact = contacts.made(
        session, at, name=told.name, telephone=told.telephone, email=email, address=told.address or ""
    )
    contact.reference = told.reference
    session.add_all(
        Marker(contact=contact.number, kind=each.kind, text=each.text, since=at, by=SETTINGS) for each in told.markers
    )
