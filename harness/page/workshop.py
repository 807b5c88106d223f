"""The workshop: scenarios copied and edited; what is saved stays, right or wrong, and only what is right is played."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from harness.errors import PageError, ScenarioError
from harness.page.contract import Person
from harness.page.library import Library
from harness.page.store import Store
from harness.page.tables import AssignmentRow, CopyRow, PersonRow
from harness.source import MAX_FILE

MAX_COPIES: Final = 1_000
"""Scenarios of the workshop."""
MAX_ASSIGNMENTS: Final = 10_000
CHECKED_AT_ONCE: Final = 2
"""Texts that are checked at the same time; more wait."""
_NAME: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{1,59}")
_ID_LINE: Final = re.compile(r"^id:.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a text."""

    line: int | None
    """From 1; None where it is in an included file, or nowhere in particular."""
    told: str
    there: str
    """The line's text."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A scenario of the workshop as it was last saved."""

    name: str
    source: str
    text: str
    version: int
    changed_at: float
    playable: bool
    """Whether there is a text without errors, which is what is played: the last one."""


class StaleError(PageError):
    """Somebody else has saved the scenario since it was read."""


class Workshop:
    """The copies."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store, self._library = store, library
        self._checking = asyncio.Semaphore(CHECKED_AT_ONCE)

    async def all(self) -> list[Draft]:
        """Everything that is there, by name."""
        wanted = select(CopyRow).order_by(CopyRow.name).limit(MAX_COPIES)
        return await self._store.run(lambda session: [_draft(row) for row in session.scalars(wanted)])

    async def get(self, name: str) -> Draft:
        """Return one. Raises PageError where there is none of that name."""
        return _draft(await self._store.run(lambda session: _row(session, name)))

    async def copy(self, person: Person, source: str, name: str) -> None:
        """Copy a scenario under a new id. Raises PageError where the id can't be had, or there is no such scenario."""
        if not _NAME.fullmatch(name):
            raise PageError(f"found the id {name[:60]!r}; allowed: 2 to 60 capital letters, digits and -")
        if name in self._library.entries:
            raise PageError(f"the id {name} is taken by a scenario of {self._library.folder.name}")
        file = await self._library.find(source)
        text = _ID_LINE.sub(f"id: {name}", file.read_text(encoding="utf-8-sig"), count=1)
        playable = not await self.complaints(name, text)

        def made(session: Session) -> None:
            if (session.scalar(select(func.count()).select_from(CopyRow)) or 0) >= MAX_COPIES:
                raise PageError(f"the workshop has {MAX_COPIES} scenarios, and no more can be")
            session.add(
                CopyRow(
                    name=name,
                    owner_id=person.id,
                    source=source,
                    text=text if playable else None,
                    draft=text,
                    version=1,
                    changed_at=time.time(),
                )
            )

        try:
            await self._store.run(made)
        except IntegrityError as error:
            raise PageError(f"the id {name} is taken by another scenario of the workshop") from error

    async def save(self, name: str, text: str, version: int) -> list[Complaint]:
        """Keep a text, right or wrong, and return what is wrong with it; without errors it is what is played from now.

        Raises StaleError where ``version`` is not the one that is kept, and PageError for what can't be kept.
        """
        if (size := len(text.encode("utf-8", "replace"))) > MAX_FILE:
            raise PageError(f"the scenario has {size} bytes; {MAX_FILE} at most are kept. Shorten it, then save again")
        if "\0" in text or (not text.isascii() and text.encode("utf-8", "ignore").decode() != text):
            raise PageError("the scenario holds characters that are no text: remove them, then save again")
        wrong = await self.complaints(name, text)

        def saved(session: Session) -> None:
            row = _row(session, name)
            if row.version != version:
                raise StaleError(
                    f"somebody saved {name} since you opened it. Your text is below, and is not saved: "
                    "saving it again replaces theirs"
                )
            row.draft, row.version, row.changed_at = text, version + 1, time.time()
            if not wrong:
                row.text = text

        await self._store.run(saved)
        return wrong

    async def complaints(self, name: str, text: str) -> list[Complaint]:
        """Return what is wrong with a text. Raises PageError where it can't be checked now."""
        async with self._checking:
            try:
                scenario = await asyncio.to_thread(self._library.checked, name, text)
            except ScenarioError as error:
                lines = text.split("\n")
                return [_complaint(name, told, lines) for told in str(error).splitlines()]
        if scenario.id == name:
            return []
        return [Complaint(None, f"id: found {scenario.id!r}; meant {name!r}: an id stays as it was given", "")]

    async def assign(self, person: Person, scenario: str, team: str) -> None:
        """Let a team find a scenario among what it is to play. Raises PageError."""
        await self._library.find(scenario)

        def made(session: Session) -> None:
            teams = set(session.scalars(select(PersonRow.team).distinct())) - {""}
            if team not in teams:
                raise PageError(f"found the team {team[:80]!r}; there is {', '.join(sorted(teams)) or 'none'}")
            if (session.scalar(select(func.count()).select_from(AssignmentRow)) or 0) >= MAX_ASSIGNMENTS:
                raise PageError(f"there are {MAX_ASSIGNMENTS} assignments, and no more can be")
            session.add(AssignmentRow(scenario=scenario, team=team, by_id=person.id, at=time.time()))

        await self._store.run(made)

    async def teams(self) -> list[str]:
        """The teams that people are of."""
        wanted = select(PersonRow.team).where(PersonRow.team != "").distinct().order_by(PersonRow.team)
        return await self._store.run(lambda session: list(session.scalars(wanted)))


def _row(session: Session, name: str) -> CopyRow:
    row = session.get(CopyRow, name[:60])
    if row is None:
        raise PageError(f"the workshop has no scenario {name[:60]!r}")
    return row


def _draft(row: CopyRow) -> Draft:
    return Draft(row.name, row.source, row.draft, row.version, row.changed_at, row.text is not None)


def _complaint(name: str, told: str, lines: list[str]) -> Complaint:
    found = re.match(rf"{re.escape(name)}:(\d+): (.*)", told)
    if found is None:
        return Complaint(None, told, "")
    line = int(found[1])
    return Complaint(line, found[2], lines[line - 1].strip()[:120] if line <= len(lines) else "")
