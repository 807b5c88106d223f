"""What the Diary keeps: appointments, the time they take, texts, numbers that want none, tasks, and keys of requests.

That nobody is booked twice is a rule of the tables and not only of the code: an appointment takes each five minutes of
its diary by a row of `Taken`, whose primary key is the diary and the time.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

LAYOUT: Final = 1
"""Version of these tables."""
MAX_APPOINTMENTS: Final = 1_000_000
MAX_TEXTS: Final = 10_000_000
MAX_TASKS: Final = 1_000_000
MAX_REFERENCE: Final = 80


class Tables(DeclarativeBase):
    """The Diary's tables."""


class Appointment(Tables):
    """An appointment, live or not."""

    __tablename__ = "diary_appointments"
    __table_args__ = (Index("diary_appointments_by_number", "telephone", "starts"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    diary: Mapped[str] = mapped_column(String(40))
    starts: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970."""
    minutes: Mapped[int]
    telephone: Mapped[str] = mapped_column(String(21))
    """E.164."""
    name: Mapped[str] = mapped_column(String(100))
    about: Mapped[str] = mapped_column(String(500))
    record: Mapped[str | None] = mapped_column(String(40))
    """The CRM's."""
    live: Mapped[bool]
    """Booked and not cancelled."""
    moved: Mapped[int] = mapped_column(default=0)
    """How often it was moved."""
    made: Mapped[float]


class Taken(Tables):
    """Five minutes of a diary, taken by one appointment."""

    __tablename__ = "diary_taken"
    diary: Mapped[str] = mapped_column(String(40), primary_key=True)
    quantum: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    """Seconds since 1970, over QUANTUM_S."""
    appointment: Mapped[int] = mapped_column(ForeignKey(Appointment.id), index=True)


class TextState(StrEnum):
    """Where a text is on its way."""

    WAITING = "waiting"
    SENDING = "sending"
    """With the gateway; found so after a crash it is UNCERTAIN, and is not sent again."""
    SENT = "sent"
    """The network took it."""
    DELIVERED = "delivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    """It may have gone, and may not."""
    UNREPORTED = "unreported"
    """Sent, and no report came."""
    WITHDRAWN = "withdrawn"
    """No longer to be sent: cancelled, moved, or its number wants none."""
    EXPIRED = "expired"
    """Not sent before what it tells of was over."""


class Text(Tables):
    """One text, sent once or not at all."""

    __tablename__ = "diary_texts"
    __table_args__ = (
        Index("diary_texts_waiting", "state", "due"),
        Index("diary_texts_by_number", "telephone", "state"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    """What it is for: no second text is ever made for the same."""
    appointment: Mapped[int | None] = mapped_column(ForeignKey(Appointment.id), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    telephone: Mapped[str] = mapped_column(String(21))
    body: Mapped[str] = mapped_column(String(1_000))
    due: Mapped[float]
    planned: Mapped[float]
    """When it was to go at first; ``due`` is later where it was refused."""
    expires: Mapped[float | None]
    state: Mapped[str] = mapped_column(String(12))
    late: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    session: Mapped[int | None]
    """In which the gateway's reference holds: one of the Diary's starts."""
    reference: Mapped[str | None] = mapped_column(String(MAX_REFERENCE))
    settled: Mapped[float | None]
    """When its state last changed."""
    why: Mapped[str] = mapped_column(String(300), default="")


class Number(Tables):
    """What is known of a telephone number."""

    __tablename__ = "diary_numbers"
    telephone: Mapped[str] = mapped_column(String(21), primary_key=True)
    stopped: Mapped[bool] = mapped_column(default=False)
    helped: Mapped[bool] = mapped_column(default=False)
    """Whether a reply that was not understood was answered with help, since one was understood."""
    replies: Mapped[int] = mapped_column(default=0)


class Task(Tables):
    """Something for an adviser to do."""

    __tablename__ = "diary_tasks"
    __table_args__ = (Index("diary_tasks_open", "done", "crm"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(String(1_000))
    due: Mapped[float]
    done: Mapped[bool] = mapped_column(default=False)
    crm: Mapped[str | None] = mapped_column(String(40))
    """Its id at the CRM, once that has it."""
    refused: Mapped[str | None] = mapped_column(String(300))
    """Why the CRM won't have it."""


class Submit(Tables):
    """A request that was carried out, by its Idempotency-Key."""

    __tablename__ = "diary_submits"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what was asked."""
    appointment: Mapped[int] = mapped_column(ForeignKey(Appointment.id))
    made: Mapped[float]
