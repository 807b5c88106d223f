"""The tables of the workforce management simulator. Moments in milliseconds, intervals in seconds since 1970."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Tables(DeclarativeBase):
    """All of them."""


class StateTable(Tables):
    """Agents' states as they changed."""

    __tablename__ = "states"
    __table_args__ = (Index("states_by_agent", "agent", "at_ms"),)
    feed: Mapped[str] = mapped_column(String(100), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    agent: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    queue: Mapped[str] = mapped_column(String(64))


class CoverageTable(Tables):
    """From when until when a feed has told all states."""

    __tablename__ = "coverage"
    feed: Mapped[str] = mapped_column(String(100), primary_key=True)
    since_ms: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    until_ms: Mapped[int] = mapped_column(BigInteger)


class IntervalTable(Tables):
    """What queues saw."""

    __tablename__ = "intervals"
    queue: Mapped[str] = mapped_column(String(64), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    offered: Mapped[int]
    answered: Mapped[int]
    within: Mapped[int]
    abandoned: Mapped[int]
    left: Mapped[int]
    handled: Mapped[int]
    answer_ms: Mapped[int] = mapped_column(BigInteger)
    handle_ms: Mapped[int] = mapped_column(BigInteger)
    late_s: Mapped[int]
    """By how much it came too late; 0: in time."""


class FindingTable(Tables):
    """What could not be used of a feed."""

    __tablename__ = "findings"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    file: Mapped[str] = mapped_column(String(100))
    line: Mapped[int]
    found: Mapped[str] = mapped_column(String(2_000))


class TrainingTable(Tables):
    """Until when an adviser's training for a skill holds."""

    __tablename__ = "training"
    adviser: Mapped[str] = mapped_column(String(64), primary_key=True)
    skill: Mapped[str] = mapped_column(String(64), primary_key=True)
    lapses: Mapped[str] = mapped_column(String(10))
    """The last day on which it holds, yyyy-MM-dd."""


class ShiftTable(Tables):
    """What an adviser is scheduled to do."""

    __tablename__ = "shifts"
    adviser: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    start_ms: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    activity: Mapped[str] = mapped_column(String(16))
