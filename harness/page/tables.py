"""The tables of the page's store; times are seconds since the epoch, UTC."""

from __future__ import annotations

from sqlalchemy import Boolean, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Tables(DeclarativeBase):
    """All of them."""


class PersonRow(Tables):
    """An account."""

    __tablename__ = "people"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    team: Mapped[str] = mapped_column(String(80))
    site: Mapped[str] = mapped_column(String(80), index=True)
    shift: Mapped[str] = mapped_column(String(40))
    password: Mapped[str | None] = mapped_column(String(200))
    """Argon2id with its salt and parameters; None where only a token lets in."""
    disabled: Mapped[bool] = mapped_column(Boolean)


class SessionRow(Tables):
    """A browser that is signed in."""

    __tablename__ = "sessions"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the cookie's value, in hexadecimal."""
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    until: Mapped[float] = mapped_column(Float)


class TokenRow(Tables):
    """A token that lets one person in, once."""

    __tablename__ = "tokens"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    until: Mapped[float] = mapped_column(Float)


class AttemptRow(Tables):
    """One playing of a scenario (`harness.page.contract.Attempt`)."""

    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    scenario: Mapped[str] = mapped_column(String(60), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    build: Mapped[str] = mapped_column(String(200))
    seat: Mapped[str] = mapped_column(String(40))
    ended: Mapped[str] = mapped_column(String(16))
    began_at: Mapped[float] = mapped_column(Float)
    took_s: Mapped[float] = mapped_column(Float)
    percent: Mapped[float] = mapped_column(Float)
    steps: Mapped[str] = mapped_column(Text)
    """JSON, as thrive and detail."""
    thrive: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)


class CopyRow(Tables):
    """A scenario of the workshop: what is played, and what is being written."""

    __tablename__ = "copies"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    """The scenario's id."""
    owner_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    source: Mapped[str] = mapped_column(String(60))
    """The id of what it was copied from."""
    text: Mapped[str | None] = mapped_column(Text)
    """The last text without errors; None where there was none yet."""
    draft: Mapped[str] = mapped_column(Text)
    """The text as it was last saved, right or wrong."""
    version: Mapped[int] = mapped_column(Integer)
    """Goes up each time that it is saved."""
    changed_at: Mapped[float] = mapped_column(Float)


class AssignmentRow(Tables):
    """A scenario that a team is to play."""

    __tablename__ = "assignments"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    scenario: Mapped[str] = mapped_column(String(60))
    team: Mapped[str] = mapped_column(String(80), index=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[float] = mapped_column(Float)


class MarkRow(Tables):
    """What one marker made of the THRIVE factors of one attempt."""

    __tablename__ = "marks"
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    marker_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    factors: Mapped[str] = mapped_column(Text)
    """JSON: whether the marker saw each factor considered, by its name."""
    at: Mapped[float] = mapped_column(Float)


class DrillRow(Tables):
    """A drill in which a team worked on its fallback."""

    __tablename__ = "drills"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    team: Mapped[str] = mapped_column(String(80), index=True)
    held_at: Mapped[float] = mapped_column(Float)
    """The day on which it was, at its beginning."""
    fallback: Mapped[str] = mapped_column(String(16))
    passed: Mapped[bool] = mapped_column(Boolean)
    note: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[float] = mapped_column(Float)
