"""The tables of the run store; times are seconds since the epoch, UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class RunTables(DeclarativeBase):
    """All of them."""


class RunRow(RunTables):
    """One acceptance run."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    """``running``, ``ended``, ``interrupted``, or ``killed``."""
    commit: Mapped[str] = mapped_column(String(64), index=True)
    """Empty where the harness is in no git repository."""
    dirty: Mapped[bool] = mapped_column(Boolean)
    """True where files differed from the commit."""
    testbed: Mapped[str] = mapped_column(String(200))
    stage: Mapped[str] = mapped_column(String(20))
    bindings: Mapped[str] = mapped_column(Text)
    """JSON: ``simulated``, ``real`` or ``manual`` by component; suites is a JSON list."""
    suites: Mapped[str] = mapped_column(Text)
    seed: Mapped[int] = mapped_column(Integer)
    began: Mapped[float] = mapped_column(Float, index=True)
    ended: Mapped[float | None] = mapped_column(Float)
    exit: Mapped[int | None] = mapped_column(Integer)
    hold: Mapped[str | None] = mapped_column(Text)
    """Why it must be kept; None where it may be pruned."""


class ResultRow(RunTables):
    """How one test of a run ended."""

    __tablename__ = "run_results"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(String(20))
    """A `harness.evidence.results.Verdict`, or ``not run`` for a test that began and was cut short."""
    binding: Mapped[str] = mapped_column(String(16))
    requirements: Mapped[str] = mapped_column(Text)
    """JSON list."""
    defect: Mapped[str] = mapped_column(String(60))
    seconds: Mapped[float] = mapped_column(Float)


class MeasureRow(RunTables):
    """One value that a test measured."""

    __tablename__ = "run_measures"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    test: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    value: Mapped[float] = mapped_column(Float)
    unit: Mapped[str] = mapped_column(String(40))
    requirement: Mapped[str] = mapped_column(String(40))


class PlayRow(RunTables):
    """How a test that plays a scenario ended, in a run; a store from before there were any gets the table."""

    __tablename__ = "run_plays"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    scenario: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(20))
    binding: Mapped[str] = mapped_column(String(16))


class FileRow(RunTables):
    """A file of evidence that a run left."""

    __tablename__ = "run_files"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    path: Mapped[str] = mapped_column(Text)
    """Within the run's folder."""
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
