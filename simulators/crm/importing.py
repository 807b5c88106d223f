"""Imports contacts from CSV as it comes: good rows in, bad rows kept with line and reason, a rerun changes nothing.

A row is known by its ``reference``: one that is there already is brought up to date, never made twice. What was taken
before an import was broken off stays, and the file is simply sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import desc, select, update
from sqlalchemy.orm import Session

from harness.errors import DatabaseError
from harness.protocols.times import to_iso
from simulators.crm import contacts
from simulators.crm.audit import Who
from simulators.crm.desk import Desk
from simulators.crm.errors import RefusedError
from simulators.crm.ids import number_of, shown, unknown
from simulators.crm.rows import Bad, Row, Rows
from simulators.crm.tables import BadRow, Contact, Import, Marker

ROWS_AT_ONCE: Final = 250
"""Rows of one transaction, between which others are served."""
MAX_IMPORTS: Final = 4
"""Imports under way at once."""
IMPORTED: Final = "import"
"""By whom markers are set that came with an import."""


class Importer:
    """One CRM's imports. Events: ``import.began``, ``import.ended`` {import, rows, added, changed, unchanged, bad}."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._running = 0

    async def begin(self) -> None:
        """Mark imports that were under way when the CRM stopped."""

        def work(session: Session) -> None:
            broken = update(Import).where(Import.state == "running")
            session.execute(broken.values(state="broken off", why="the CRM stopped", ended_at=self._desk.now()))

        await self._desk.run(work)

    async def take(self, stream: AsyncIterator[bytes], who: Who) -> dict[str, Any]:
        """Import what comes; return the counts.

        Raises RefusedError where MAX_IMPORTS are under way, UnfitError for a first line that names no columns of ours,
        DatabaseError, and what reading the stream raises: the import is broken off then.
        """
        if self._running >= MAX_IMPORTS:
            raise RefusedError(f"{MAX_IMPORTS} imports are under way; send it when one has ended")
        self._running += 1
        try:
            number = await self._desk.run(lambda session: self._made(session, who))
            self._desk.events.tell("import.began", **{"import": shown("I", number)}, user=who.user)
            try:
                await self._rows(number, stream)
            except BaseException as error:
                with suppress(DatabaseError):  # the store is what broke it off; the next start will say so
                    await self._ended(number, "broken off", str(error) or type(error).__name__)
                raise
            return await self._ended(number, "done", "")
        finally:
            self._running -= 1

    async def _rows(self, number: int, stream: AsyncIterator[bytes]) -> None:
        rows, chunk = Rows(), list[Row | Bad]()
        async for data in stream:
            for row in rows.feed(data):
                chunk.append(row)
                if len(chunk) >= ROWS_AT_ONCE:
                    await self._put(number, chunk)
                    chunk = []
        chunk += rows.end()
        await self._put(number, chunk)

    async def _put(self, number: int, chunk: Sequence[Row | Bad]) -> None:
        await self._desk.run(lambda session: _put(session, self._desk.now(), number, chunk))
        await asyncio.sleep(0)  # a store that answers on the loop has let nobody else go on

    def _made(self, session: Session, who: Who) -> int:
        made = Import(began_at=self._desk.now(), state="running", by=who.user)
        session.add(made)
        session.flush()
        self._desk.audit(session, who, "contacts.imported", shown("I", made.number), [])
        return made.number

    async def _ended(self, number: int, state: str, why: str) -> dict[str, Any]:
        def work(session: Session) -> dict[str, Any]:
            found = session.get_one(Import, number)
            found.state, found.why, found.ended_at = state, why[:300], self._desk.now()
            return shown_import(found)

        told = await self._desk.run(work)
        counts = {key: told[key] for key in ("rows", "added", "changed", "unchanged", "bad", "state")}
        self._desk.events.tell("import.ended", **{"import": told["id"]}, **counts)
        return told

    async def listed(self) -> list[dict[str, Any]]:
        """The newest hundred imports, newest first."""
        query = select(Import).order_by(desc(Import.number)).limit(100)
        return await self._desk.run(lambda session: [shown_import(each) for each in session.scalars(query)])

    async def get(self, id_: str) -> dict[str, Any]:
        """One import. Raises UnknownError."""

        def work(session: Session) -> dict[str, Any]:
            return shown_import(_get(session, id_))

        return await self._desk.run(work)

    async def bad(self, id_: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Bad rows of an import below line ``after``, in the order of their lines. Raises UnknownError."""

        def work(session: Session) -> list[dict[str, Any]]:
            found = _get(session, id_)
            rows = session.scalars(
                select(BadRow).where(BadRow.of == found.number, BadRow.line > after).order_by(BadRow.line).limit(limit)
            )
            return [{"line": row.line, "why": row.why} for row in rows]

        return await self._desk.run(work)


def _get(session: Session, id_: str) -> Import:
    found = session.get(Import, number_of(id_))
    if found is None:
        raise unknown(id_)
    return found


def _put(session: Session, at: float, number: int, chunk: Sequence[Row | Bad]) -> None:
    found = session.get_one(Import, number)
    good = [row for row in chunk if isinstance(row, Row)]
    query = select(Contact).where(Contact.reference.in_([row.reference for row in good]))
    known = {contact.reference: contact for contact in session.scalars(query)}
    marked = _marked(session, [contact.number for contact in known.values()])
    bad = [row for row in chunk if isinstance(row, Bad)]
    new: list[tuple[Contact, Row]] = []
    for row in good:
        contact = known.get(row.reference)
        if contact is None:
            contact = known[row.reference] = Contact(made_at=at, reference=row.reference)
            _set(contact, row)
            new.append((contact, row))
            found.added += 1
        elif contact.imported_by == number:
            bad.append(Bad(row.line, f"reference {row.reference} stands on line {contact.imported_line} already"))
            continue
        elif _same(contact, row) and marked.get(contact.number, ()) == row.markers:
            found.unchanged += 1
        else:
            _set(contact, row)
            _mark(session, at, contact.number, row, again=marked.get(contact.number, ()) != row.markers)
            found.changed += 1
        contact.imported_by, contact.imported_line = number, row.line
    session.add_all(contact for contact, _row in new)
    session.flush()
    for contact, row in new:
        _mark(session, at, contact.number, row, again=bool(row.markers))
    session.add_all(BadRow(of=number, line=row.line, why=row.why) for row in bad)
    found.rows += len(chunk)
    found.bad += len(bad)


def _marked(session: Session, numbers: list[int]) -> dict[int, tuple[tuple[str, str], ...]]:
    """The markers that imports have set, of each contact that has any."""
    query = select(Marker).where(Marker.contact.in_(numbers), Marker.by == IMPORTED, Marker.ended_at.is_(None))
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for marker in session.scalars(query.order_by(Marker.number)):
        found[marker.contact] = (*found.get(marker.contact, ()), (marker.kind, marker.text))
    return found


def _mark(session: Session, at: float, contact: int, row: Row, *, again: bool) -> None:
    if not again:
        return
    ends = update(Marker).where(Marker.contact == contact, Marker.by == IMPORTED, Marker.ended_at.is_(None))
    session.execute(ends.values(ended_at=at, ended_by=IMPORTED, ended_why="not in the latest import"))
    session.add_all(Marker(contact=contact, kind=kind, text=text, since=at, by=IMPORTED) for kind, text in row.markers)


def _same(contact: Contact, row: Row) -> bool:
    there = (contact.name, contact.telephone, contact.email, contact.address)
    return there == (row.name, row.telephone, row.email, row.address)


def _set(contact: Contact, row: Row) -> None:
    contact.name, contact.telephone, contact.email, contact.address = row.name, row.telephone, row.email, row.address
    contact.name_key = contacts.name_key(row.name)
    contact.last_name_key = contact.name_key.rpartition(" ")[2]


def shown_import(found: Import) -> dict[str, Any]:
    """An import as it is shown."""
    return {
        "id": shown("I", found.number),
        "state": found.state,
        "why": found.why,
        "by": found.by,
        "began_at": to_iso(found.began_at),
        "ended_at": None if found.ended_at is None else to_iso(found.ended_at),
        "rows": found.rows,
        "added": found.added,
        "changed": found.changed,
        "unchanged": found.unchanged,
        "bad": found.bad,
    }
