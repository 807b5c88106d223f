"""What Contact Us keeps: submissions with their files, receipts, counts, and what still has to be told to others.

Theory. A submission, its receipt and the notes of whom it is still to be told to are one commit, made before the sender
is answered; they are ticked off one by one as others have them. Whoever dies when, what was answered is there, and what
is not ticked off is told again under the same name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import JSON, Float, ForeignKey, Integer, LargeBinary, String, Text, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, Session, mapped_column

from harness.errors import DatabaseError, DatabaseGoneError
from simulators.contact_us.submission import Submission
from simulators.database import Database

MAX_SUBMISSIONS: Final = 200_000
MAX_SET_ASIDE: Final = 10_000
"""Submissions set aside as spam that are kept; the oldest go first, and are counted."""
MAX_FILES_KEPT: Final = 2 * 1024**3
"""Bytes of all files together."""
MAX_TRIES: Final = 5
"""How often a submission is tried to be kept that comes twice at the same moment."""
MAX_RECEIPTS: Final = 10_000
"""Receipts by mail that are kept after they left; the oldest go first."""

WAITING, DONE, REFUSED, NEVER = "waiting", "done", "refused", "never"
"""How far something is told: to be told, told, refused by the other side, not to be told."""
KEPT: Final = "kept"
"""Of an incident: it is in the outbox."""


class _Base(DeclarativeBase):
    pass


class Row(_Base):
    """A submission."""

    __tablename__ = "submission"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    reference: Mapped[str] = mapped_column(String(20), unique=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(20))
    received: Mapped[float] = mapped_column(Float)
    person: Mapped[dict[str, str]] = mapped_column(JSON)
    place: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    notes: Mapped[list[str]] = mapped_column(JSON)
    flags: Mapped[list[str]] = mapped_column(JSON)
    words: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10), index=True)
    crm: Mapped[str] = mapped_column(String(10), index=True)
    record: Mapped[str] = mapped_column(String(64), default="")
    incident: Mapped[str] = mapped_column(String(10), index=True)
    incident_reference: Mapped[str] = mapped_column(String(64), default="")
    why: Mapped[str] = mapped_column(String(500), default="")


class FileRow(_Base):
    """A file that came with one."""

    __tablename__ = "attachment"
    submission: Mapped[int] = mapped_column(ForeignKey("submission.number", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ReceiptRow(_Base):
    """A receipt by mail."""

    __tablename__ = "receipt"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    reference: Mapped[str] = mapped_column(String(20))
    to: Mapped[str] = mapped_column(String(260))
    mail: Mapped[bytes] = mapped_column(LargeBinary)
    made: Mapped[float] = mapped_column(Float)
    state: Mapped[str] = mapped_column(String(10), index=True)
    why: Mapped[str] = mapped_column(String(500), default="")


class CountRow(_Base):
    """How often something happened."""

    __tablename__ = "counted"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True, slots=True)
class New:
    """What is known of a submission that is to be kept."""

    submission: Submission
    reference: str
    received: float
    """Seconds since 1970."""
    flags: list[str]
    words: list[str]
    state: str
    """``taken`` or ``set_aside``."""
    incident: bool
    receipt: tuple[str, bytes] | None
    """To whom, and the mail."""


@dataclass(frozen=True, slots=True)
class Had:
    """A submission that is kept."""

    reference: str
    received: float
    fingerprint: str
    repeated: bool
    """Whether it had been kept before."""


class Store:
    """The store of one Contact Us system."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, store: str | None, *, virtual: bool) -> Store:
        """Open it as `Database.open` does. Raises LocalError."""
        return cls(Database.open(store, _Base.metadata, whose="contact_us", virtual=virtual))

    def close(self) -> None:
        self._database.close()

    # Taking

    async def find_key(self, submission: Submission) -> Had | None:
        """The submission that was kept under the same key, if one was."""
        key = _key(submission)
        return await self._database.run(lambda session: _had(session, key))

    async def take(self, new: New) -> Had:
        """Keep a submission, or give the one that was kept under its key before.

        Raises DatabaseError where no more is kept, and DatabaseGoneError.
        """
        key = _key(new.submission) or new.reference
        for _ in range(MAX_TRIES):
            try:
                return await self._database.run(lambda session: _take(session, new, key))
            except IntegrityError:
                continue  # the same was kept, or counted first, by another at this moment: it is found the next time
        raise DatabaseGoneError("the same submission comes many times at once")

    async def count(self, name: str) -> None:
        """Count something that happened."""
        await self._database.run(lambda session: _add(session, name, 1))

    async def release(self, reference: str) -> bool:
        """Let one that was set aside, or that the CRM refused, be told to the CRM (again); False for any other."""

        def work(session: Session) -> bool:
            row = session.scalar(select(Row).where(Row.reference == reference))
            if row is None or (row.state != "set_aside" and row.crm != REFUSED):
                return False
            row.state, row.crm, row.why = "taken", WAITING, ""
            return True

        return await self._database.run(work)

    # Telling others

    async def to_tell(self, what: str, *, limit: int = 20) -> list[dict[str, Any]]:
        """Submissions whose ``what`` (``crm`` or ``incident``) is to be told, oldest first, with their files' data."""
        column = Row.crm if what == "crm" else Row.incident

        def work(session: Session) -> list[dict[str, Any]]:
            rows = session.scalars(select(Row).where(column == WAITING).order_by(Row.number).limit(limit))
            return [_whole(session, row) for row in rows]

        return await self._database.run(work)

    async def waiting(self, what: str) -> int:
        """How many submissions' ``what`` is to be told."""
        column = Row.crm if what == "crm" else Row.incident

        def work(session: Session) -> int:
            return session.scalar(select(func.count()).select_from(Row).where(column == WAITING)) or 0

        return await self._database.run(work)

    async def told(self, reference: str, **values: str) -> None:
        """Note how far a submission is told: ``crm``, ``record``, ``incident``, ``incident_reference``, ``why``."""
        values = {name: value[:500] for name, value in values.items()}

        def work(session: Session) -> None:
            session.execute(update(Row).where(Row.reference == reference).values(**values))

        await self._database.run(work)

    # Receipts

    async def receipts(self, *, state: str | None = None, limit: int = 200) -> list[dict[str, Any]]:
        """Receipts by mail: those in a state, oldest first; else the newest, newest first."""

        def work(session: Session) -> list[dict[str, Any]]:
            order = ReceiptRow.number.desc() if state is None else ReceiptRow.number
            chosen = select(ReceiptRow).order_by(order).limit(limit)
            if state is not None:
                chosen = chosen.where(ReceiptRow.state == state)
            names = ("number", "reference", "to", "mail", "made", "state", "why")
            return [{name: getattr(row, name) for name in names} for row in session.scalars(chosen)]

        return await self._database.run(work)

    async def receipt_is(self, number: int, state: str, why: str = "") -> None:
        """Note what became of a receipt."""

        def work(session: Session) -> None:
            session.execute(update(ReceiptRow).where(ReceiptRow.number == number).values(state=state, why=why[:500]))

        await self._database.run(work)

    # Looking

    async def listed(self, *, state: str | None = None, flag: str | None = None, limit: int) -> list[dict[str, Any]]:
        """The newest submissions, newest first, without what they say; those in a state, or with a flag, only."""

        def work(session: Session) -> list[dict[str, Any]]:
            chosen = select(Row).order_by(Row.number.desc())
            if state is not None:
                chosen = chosen.where(Row.state == state)
            found = []
            for row in session.scalars(chosen.limit(limit if flag is None else MAX_SUBMISSIONS)).yield_per(200):
                if flag is None or flag in row.flags:
                    found.append(_brief(row))
                if len(found) == limit:
                    break
            return found

        return await self._database.run(work)

    async def one(self, reference: str) -> dict[str, Any] | None:
        """One submission, whole; its files without their content."""

        def work(session: Session) -> dict[str, Any] | None:
            row = session.scalar(select(Row).where(Row.reference == reference))
            return None if row is None else _whole(session, row)

        return await self._database.run(work)

    async def file(self, reference: str, position: int) -> bytes | None:
        """A file's content; ``position`` counts from 1."""

        def work(session: Session) -> bytes | None:
            chosen = select(FileRow.content).join(Row).where(Row.reference == reference, FileRow.position == position)
            return session.scalar(chosen)

        return await self._database.run(work)

    async def figures(self) -> dict[str, Any]:
        """Counts by state, and what waits."""

        def work(session: Session) -> dict[str, Any]:
            def by(column: InstrumentedAttribute[str]) -> dict[str, int]:
                counted = session.execute(select(column, func.count()).group_by(column))
                return {each[0]: each[1] for each in counted}

            states, crm, incidents = by(Row.state), by(Row.crm), by(Row.incident)
            counts = {row.name: row.value for row in session.scalars(select(CountRow).order_by(CountRow.name))}
            return {"submissions": states, "crm": crm, "incidents": incidents, "counts": counts}

        return await self._database.run(work)


def _key(submission: Submission) -> str:
    """A key of bounded length; those of one channel are none of another's."""
    if not submission.key:
        return ""
    return hashlib.sha256(f"{submission.channel}\n{submission.key}".encode()).hexdigest()


def _had(session: Session, key: str) -> Had | None:
    row = session.scalar(select(Row).where(Row.key == key)) if key else None
    return None if row is None else Had(row.reference, row.received, row.fingerprint, True)


def _take(session: Session, new: New, key: str) -> Had:
    had = _had(session, key)
    if had is not None:
        return had
    told = new.submission
    size = sum(len(each.content) for each in told.attachments)
    if (session.scalar(select(func.count()).select_from(Row)) or 0) >= MAX_SUBMISSIONS:
        raise DatabaseError(f"{MAX_SUBMISSIONS:,} submissions are kept, and no more")
    if _add(session, "file_bytes", size) > MAX_FILES_KEPT:
        raise DatabaseError(f"{MAX_FILES_KEPT // 2**20} MB of files are kept, and no more")
    row = Row(
        reference=new.reference,
        key=key,
        fingerprint=told.fingerprint(),
        channel=told.channel.value,
        kind=told.kind.value,
        received=new.received,
        person=told.person.given(),
        place=told.place,
        text=told.text,
        notes=list(told.notes),
        flags=new.flags,
        words=new.words,
        state=new.state,
        crm=WAITING if new.state == "taken" else NEVER,
        incident=WAITING if new.incident else NEVER,
    )
    session.add(row)
    session.flush()
    session.add_all(
        FileRow(
            submission=row.number,
            position=position,
            name=each.name,
            media_type=each.media_type,
            size=len(each.content),
            sha256=each.sha256,
            content=each.content,
        )
        for position, each in enumerate(told.attachments, 1)
    )
    if new.receipt is not None:
        to, mail = new.receipt
        session.add(ReceiptRow(reference=new.reference, to=to, mail=mail, made=new.received, state=WAITING))
        _drop_receipts(session)
    if new.state == "set_aside":
        _drop_set_aside(session)
    return Had(new.reference, new.received, row.fingerprint, False)


def _drop_set_aside(session: Session) -> None:
    old = session.scalars(
        select(Row).where(Row.state == "set_aside").order_by(Row.number.desc()).offset(MAX_SET_ASIDE)
    ).all()
    for row in old:
        files = session.scalar(select(func.sum(FileRow.size)).where(FileRow.submission == row.number)) or 0
        _add(session, "file_bytes", -files)
        _add(session, "spam_dropped", 1)
        session.execute(delete(FileRow).where(FileRow.submission == row.number))
        session.delete(row)


def _drop_receipts(session: Session) -> None:
    newest = session.scalar(
        select(ReceiptRow.number)
        .where(ReceiptRow.state != WAITING)
        .order_by(ReceiptRow.number.desc())
        .offset(MAX_RECEIPTS)
        .limit(1)
    )
    if newest is not None:
        session.execute(delete(ReceiptRow).where(ReceiptRow.state != WAITING, ReceiptRow.number <= newest))


def _add(session: Session, name: str, more: int) -> int:
    row = session.get(CountRow, name)
    if row is None:
        row = CountRow(name=name, value=0)
        session.add(row)
    row.value += more
    return row.value


_BRIEF: Final[Sequence[str]] = (
    *("reference", "channel", "kind", "received", "flags", "state", "crm", "record", "incident"),
    *("incident_reference", "why"),
)


def _brief(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _BRIEF}


def _whole(session: Session, row: Row) -> dict[str, Any]:
    files = session.execute(
        select(FileRow.name, FileRow.media_type, FileRow.size, FileRow.sha256)
        .where(FileRow.submission == row.number)
        .order_by(FileRow.position)
    )
    names = ("name", "media_type", "size", "sha256")
    whole = {name: getattr(row, name) for name in ("person", "place", "text", "notes", "words")}
    return {**_brief(row), **whole, "attachments": [dict(zip(names, file, strict=True)) for file in files]}
