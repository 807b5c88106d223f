"""The CRM's tables.

Times are seconds since 1970. A contact that was merged stays as it was and names whom it was merged into, so that
undoing a merge moves nothing. Entries of the audit are never changed or taken away: the store itself refuses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.dialects.postgresql import VARCHAR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

LAYOUT: Final = 1
_Number: Final = BigInteger().with_variant(Integer, "sqlite")
_Key: Final = String(256).with_variant(VARCHAR(256, collation="C"), "postgresql")
"""Compared by code points everywhere: beginnings are found by the index."""


class Tables(DeclarativeBase):
    """All of them."""


class Contact(Tables):
    """Somebody who has been in contact, or may be."""

    __tablename__ = "crm_contacts"
    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    reference: Mapped[str | None] = mapped_column(String(64), unique=True)
    """What the system it was imported from calls it."""
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(_Key, index=True)
    last_name_key: Mapped[str] = mapped_column(_Key, index=True)
    telephone: Mapped[str | None] = mapped_column(String(32), index=True)
    email: Mapped[str | None] = mapped_column(String(254), index=True)
    address: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[float] = mapped_column(Double)
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("crm_contacts.number"), index=True)
    imported_by: Mapped[int | None] = mapped_column(_Number)
    """The import that told of it last, and on which line."""
    imported_line: Mapped[int | None] = mapped_column(_Number)


class Marker(Tables):
    """What is to be known of a contact: a vulnerability, a need, a warning."""

    __tablename__ = "crm_markers"
    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    contact: Mapped[int] = mapped_column(ForeignKey("crm_contacts.number"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    since: Mapped[float] = mapped_column(Double)
    by: Mapped[str] = mapped_column("set_by", String(64))
    ended_at: Mapped[float | None] = mapped_column(Double)
    ended_by: Mapped[str | None] = mapped_column(String(64))
    ended_why: Mapped[str | None] = mapped_column(String(200))


class Record(Tables):
    """One contact made: a call, a form, a mail, a text."""

    __tablename__ = "crm_records"
    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    contact: Mapped[int] = mapped_column(ForeignKey("crm_contacts.number"), index=True)
    channel: Mapped[str] = mapped_column(String(40), index=True)
    received: Mapped[float] = mapped_column(Double, index=True)
    made_at: Mapped[float] = mapped_column(Double)
    person: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As it was told with the record, whatever the contact says."""
    text: Mapped[str] = mapped_column(Text)
    flags: Mapped[list[str]] = mapped_column(JSON)
    reference: Mapped[str | None] = mapped_column(String(128))
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    owner: Mapped[str | None] = mapped_column(String(64))
    grade: Mapped[str | None] = mapped_column(String(20))
    graded_at: Mapped[float | None] = mapped_column(Double)
    attended_at: Mapped[float | None] = mapped_column(Double)
    review_due: Mapped[float | None] = mapped_column(Double, index=True)
    """When a supervisor is to look at it; None once that is raised, or not needed."""
    failure_demand: Mapped[str | None] = mapped_column(String(40), index=True)
    failure_note: Mapped[str] = mapped_column(String(200), default="")


class Note(Tables):
    """A line that was added to a record."""

    __tablename__ = "crm_notes"
    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    record: Mapped[int] = mapped_column(ForeignKey("crm_records.number"), index=True)
    at: Mapped[float] = mapped_column(Double)
    by: Mapped[str] = mapped_column("noted_by", String(64))
    text: Mapped[str] = mapped_column(Text)


class Assessment(Tables):
    """A THRIVE assessment of a record; a later one does not take an earlier one away."""

    __tablename__ = "crm_assessments"
    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    record: Mapped[int] = mapped_column(ForeignKey("crm_records.number"), index=True)
    at: Mapped[float] = mapped_column(Double)
    by: Mapped[str] = mapped_column("assessed_by", String(64))
    threat: Mapped[str] = mapped_column(Text)
    harm: Mapped[str] = mapped_column(Text)
    risk: Mapped[str] = mapped_column(Text)
    investigation: Mapped[str] = mapped_column(Text)
    vulnerability: Mapped[str] = mapped_column(Text)
    engagement: Mapped[str] = mapped_column(Text)
    rationale: Mapped[str] = mapped_column(Text)


class Decision(Tables):
    """What was decided of a record on the ground of an assessment: a grade, another grade, a transfer."""

    __tablename__ = "crm_decisions"
    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    record: Mapped[int] = mapped_column(ForeignKey("crm_records.number"), index=True)
    at: Mapped[float] = mapped_column(Double)
    by: Mapped[str] = mapped_column("decided_by", String(64))
    kind: Mapped[str] = mapped_column(String(20))
    """``graded``, ``regraded`` or ``transferred``."""
    was: Mapped[str | None] = mapped_column(String(64))
    now: Mapped[str] = mapped_column("became", String(64))
    rationale: Mapped[str] = mapped_column(Text)
    assessment: Mapped[int] = mapped_column(ForeignKey("crm_assessments.number"))


class Task(Tables):
    """Something that an adviser or a supervisor is to do."""

    __tablename__ = "crm_tasks"
    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(String(128))
    text: Mapped[str] = mapped_column(Text)
    due: Mapped[float | None] = mapped_column(Double)
    made_at: Mapped[float] = mapped_column(Double)
    done_at: Mapped[float | None] = mapped_column(Double)
    done_by: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (Index("crm_tasks_by_state", "done_at", "number"),)


class Told(Tables):
    """A request with an Idempotency-Key that was acted on: told again, it is answered as it was."""

    __tablename__ = "crm_told"
    what: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(_Key, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the body."""
    answer: Mapped[int] = mapped_column(_Number)
    """The number of the record or task that was made."""


class Merge(Tables):
    """Two contacts found to be one; undone or not, it stays to be read."""

    __tablename__ = "crm_merges"
    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    other: Mapped[int] = mapped_column(ForeignKey("crm_contacts.number"), index=True)
    into: Mapped[int] = mapped_column("merged_into", ForeignKey("crm_contacts.number"), index=True)
    at: Mapped[float] = mapped_column(Double)
    by: Mapped[str] = mapped_column("merged_by", String(64))
    why: Mapped[str] = mapped_column(String(200))
    undone_at: Mapped[float | None] = mapped_column(Double)
    undone_by: Mapped[str | None] = mapped_column(String(64))
    undone_why: Mapped[str | None] = mapped_column(String(200))


class AuditEntry(Tables):
    """Who looked at, or changed, whose data, when and why. Each holds the hash of the one before it."""

    __tablename__ = "crm_audit"
    number: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=False)
    """1, 2, … without a gap."""
    at: Mapped[float] = mapped_column(Double)
    user: Mapped[str] = mapped_column("by_user", String(64), index=True)
    reason: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(String(300))
    """By what was looked for, or what was changed."""
    contacts: Mapped[str] = mapped_column(Text)
    """Whose data it was: contacts' numbers with a space before and after each."""
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class Import(Tables):
    """An import of contacts, over or under way."""

    __tablename__ = "crm_imports"
    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    began_at: Mapped[float] = mapped_column(Double)
    ended_at: Mapped[float | None] = mapped_column(Double)
    state: Mapped[str] = mapped_column(String(20))
    """``running``, ``done``, or ``broken off``."""
    by: Mapped[str] = mapped_column("imported_by", String(64))
    rows: Mapped[int] = mapped_column("rows_read", _Number, default=0)
    added: Mapped[int] = mapped_column(_Number, default=0)
    changed: Mapped[int] = mapped_column(_Number, default=0)
    unchanged: Mapped[int] = mapped_column(_Number, default=0)
    bad: Mapped[int] = mapped_column(_Number, default=0)
    why: Mapped[str] = mapped_column(String(300), default="")
    """Of one that was broken off."""


class BadRow(Tables):
    """A row of an import that could not be taken."""

    __tablename__ = "crm_bad_rows"
    number: Mapped[int] = mapped_column(_Number, primary_key=True)
    of: Mapped[int] = mapped_column("of_import", ForeignKey("crm_imports.number"))
    line: Mapped[int] = mapped_column(_Number)
    why: Mapped[str] = mapped_column(String(300))
    __table_args__ = (UniqueConstraint("of_import", "line", name="crm_bad_rows_once"),)


_REFUSES: Final = "entries of the audit are neither changed nor taken away"
_ddl: Final[Callable[[str], DDL]] = DDL
"""SQLAlchemy leaves it untyped."""
for _act in ("UPDATE", "DELETE"):
    event.listen(
        AuditEntry.__table__,
        "after_create",
        _ddl(
            f"CREATE TRIGGER crm_audit_no_{_act.lower()} BEFORE {_act} ON crm_audit "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSES}'); END"
        ).execute_if(dialect="sqlite"),
    )
event.listen(
    AuditEntry.__table__,
    "after_create",
    _ddl(
        "CREATE OR REPLACE FUNCTION crm_audit_stays() RETURNS trigger AS $$ "
        f"BEGIN RAISE EXCEPTION '{_REFUSES}'; END $$ LANGUAGE plpgsql"
    ).execute_if(dialect="postgresql"),
)
event.listen(
    AuditEntry.__table__,
    "after_create",
    _ddl(
        "CREATE TRIGGER crm_audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON crm_audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION crm_audit_stays()"
    ).execute_if(dialect="postgresql"),
)
