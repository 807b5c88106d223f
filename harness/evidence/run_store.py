"""Keeps every acceptance run: what it was, how each test ended, what was measured, and the hash of each evidence file.

SQLite in a file, or PostgreSQL by URL. What is kept of a run is written in one transaction.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from harness.errors import LocalError
from harness.evidence.attached import attachments_of
from harness.evidence.collect import MEASURE
from harness.evidence.results import TestOutcome, Verdict
from harness.evidence.run_tables import FileRow, MeasureRow, PlayRow, ResultRow, RunRow, RunTables
from simulators.database import Database

MAX_SHOWN: Final = 1_000
"""Runs that are listed, and runs of one commit that are compared as one."""
MAX_FILES: Final = 200_000
"""Evidence files of one run; with more, the run is not kept."""
MEASURES_BYTES: Final = 4 * 1024 * 1024
"""A table of measures larger than this is none of ours."""
MAX_NESTED: Final = 40
"""How deep steps are nested in which attachments are looked for."""
NOT_RUN: Final = "not run"
_CHILDREN: Final = (ResultRow, PlayRow, MeasureRow, FileRow)


class RunStoreError(LocalError):
    """There is no such run, or it can't be kept."""


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is known of a run as it begins."""

    id: str
    commit: str
    dirty: bool
    testbed: str
    stage: str
    bindings: Mapping[str, str]
    suites: tuple[str, ...]
    seed: int
    began: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One value."""

    test: str
    name: str
    value: float
    unit: str
    requirement: str
    limit: float | None = None
    """What it was held against; the store does not keep that."""


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file that a run left."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run as the store has it."""

    row: RunRow
    results: tuple[ResultRow, ...]
    measures: tuple[MeasureRow, ...]
    files: tuple[FileRow, ...]


@dataclass(frozen=True, slots=True)
class Play:
    """How a test that played a scenario ended, in a run."""

    testbed: str
    began: float
    """Of the run, seconds since the epoch."""
    scenario: str
    verdict: str
    """A `harness.evidence.results.Verdict`."""
    binding: str


class RunStore:
    """The store."""

    def __init__(self, database: Database) -> None:
        """Use `RunStore.open`."""
        self._database = database

    @classmethod
    def open(cls, store: str) -> RunStore:
        """Open ``store``: a file's path, or ``postgresql://user:password@host/name``. Raises LocalError."""
        return cls(Database.open(store, RunTables.metadata, whose="runs"))

    def close(self) -> None:
        """Give the connections up."""
        self._database.close()

    def begin(self, start: RunStart) -> None:
        """Keep that a run has begun. Raises DatabaseError."""
        row = RunRow(
            id=start.id,
            state="running",
            commit=start.commit,
            dirty=start.dirty,
            testbed=start.testbed[:200],
            stage=start.stage,
            bindings=json.dumps(dict(start.bindings)),
            suites=json.dumps(list(start.suites)),
            seed=start.seed,
            began=start.began,
        )
        self._database.transact(lambda session: session.merge(row))

    def end(
        self,
        run: str,
        *,
        state: str,
        code: int | None,
        ended: float,
        tests: Iterable[TestOutcome],
        cut_short: Iterable[str] = (),
        measures: Iterable[Measured] = (),
        files: Iterable[EvidenceFile] = (),
    ) -> None:
        """Keep what a run came to; ``cut_short`` names tests that began and did not end: they are "not run".

        Raises RunStoreError where the run was never begun, or has ended, and DatabaseError.
        """
        ended_tests = list(tests)
        rows = [
            ResultRow(
                run_id=run,
                name=test.name,
                verdict=test.verdict.value,
                binding=test.binding[:16],
                requirements=json.dumps(list(test.requirements)),
                defect=test.defect.label if test.defect is not None else "",
                seconds=test.seconds,
            )
            for test in ended_tests
        ]
        plays = [
            PlayRow(run_id=run, scenario=test.scenario[:64], verdict=test.verdict.value, binding=test.binding[:16])
            for test in ended_tests
            if test.scenario
        ]
        rows += [
            ResultRow(run_id=run, name=name, verdict=NOT_RUN, binding="", requirements="[]", defect="", seconds=0.0)
            for name in cut_short
        ]
        values = [{"run_id": run, **asdict(each)} for each in measures]
        for value in values:
            del value["limit"]
        left = [{"run_id": run, **asdict(each)} for each in files]

        def kept(session: Session) -> None:
            ending = update(RunRow).where(RunRow.id == run, RunRow.state == "running")
            done = cast(Any, session.execute(ending.values(state=state, exit=code, ended=ended)))
            if done.rowcount != 1:
                raise RunStoreError(f"the run {run} is not under way in this store")
            session.add_all([*rows, *plays])
            session.add_all([MeasureRow(**each) for each in values])
            session.add_all([FileRow(**each) for each in left])

        self._database.transact(kept)

    def runs(self) -> list[tuple[RunRow, int]]:
        """Return the last MAX_SHOWN runs, newest first, each with the number of its tests."""

        def read(session: Session) -> list[tuple[RunRow, int]]:
            counted = func.count(ResultRow.id)
            query = select(RunRow, counted).outerjoin(ResultRow).group_by(RunRow.id)
            return [
                (row, int(count))
                for row, count in session.execute(query.order_by(RunRow.began.desc()).limit(MAX_SHOWN))
            ]

        return self._database.transact(read)

    def named(self, name: str) -> list[str]:
        """Return the ids of the runs that a name means: one by the beginning of its id, or all of a commit.

        Raises RunStoreError where it means none, or several by id.
        """

        def read(session: Session) -> tuple[list[str], list[str]]:
            by_id = select(RunRow.id).where(RunRow.id.startswith(name, autoescape=True)).limit(MAX_SHOWN)
            there = select(RunRow.id).where(RunRow.commit.startswith(name, autoescape=True), RunRow.state == "ended")
            return list(session.scalars(by_id)), list(session.scalars(there.limit(MAX_SHOWN)))

        by_id, by_commit = self._database.transact(read) if len(name) >= 4 else ([], [])
        if name in by_id:
            return [name]
        if len(by_id) > 1:
            raise RunStoreError(f"{name!r} begins the ids of {len(by_id)} runs: {', '.join(sorted(by_id)[:5])}")
        if not (by_id or by_commit):
            raise RunStoreError(f"no run or commit begins with {name!r} (4 characters at least); see iccs runs list")
        return by_id or by_commit

    def run(self, name: str) -> KeptRun:
        """Return one run with all that is kept of it. Raises RunStoreError."""
        found = self.named(name)
        if len(found) != 1:
            raise RunStoreError(f"{name!r} is a commit with {len(found)} runs: {', '.join(sorted(found)[:5])}")

        def read(session: Session) -> KeptRun:
            row = session.get_one(RunRow, found[0])
            return KeptRun(
                row,
                tuple(session.scalars(select(ResultRow).where(ResultRow.run_id == row.id).order_by(ResultRow.id))),
                tuple(session.scalars(select(MeasureRow).where(MeasureRow.run_id == row.id).order_by(MeasureRow.id))),
                tuple(session.scalars(select(FileRow).where(FileRow.run_id == row.id).order_by(FileRow.path))),
            )

        return self._database.transact(read)

    def plays(self, stage: str) -> list[Play]:
        """Return how scenarios were played in the last MAX_SHOWN runs of a stage that are over."""

        def read(session: Session) -> list[Play]:
            there = select(RunRow.id).where(RunRow.stage == stage, RunRow.state != "running")
            latest = there.order_by(RunRow.began.desc()).limit(MAX_SHOWN)
            query = select(RunRow, PlayRow).join(PlayRow).where(RunRow.id.in_(latest))
            return [
                Play(row.testbed, row.began, play.scenario, play.verdict, play.binding)
                for row, play in session.execute(query)
            ]

        return self._database.transact(read)

    def hold(self, name: str, why: str | None) -> str:
        """Keep a run from being pruned, with the reason, or no longer (None); return its id. Raises RunStoreError."""
        run = self.run(name).row.id
        self._database.transact(
            lambda session: session.execute(update(RunRow).where(RunRow.id == run).values(hold=why))
        )
        return run

    def prune(self, before: float, *, dry: bool) -> tuple[list[str], int]:
        """Drop the runs that began before a time, and return their ids and how many a hold kept.

        One that is under way stays. ``dry`` drops nothing.
        """

        def pruned(session: Session) -> tuple[list[str], int]:
            old = select(RunRow).where(RunRow.began < before, or_(RunRow.state != "running", RunRow.hold.is_not(None)))
            rows = list(session.scalars(old))
            going = [row.id for row in rows if row.hold is None]
            for run in [] if dry else going:
                for table in _CHILDREN:
                    session.execute(delete(table).where(table.run_id == run))
                session.execute(delete(RunRow).where(RunRow.id == run))
            return going, len(rows) - len(going)

        return self._database.transact(pruned)


def as_outcome(row: ResultRow) -> TestOutcome:
    """Return a kept result as `harness.evidence.results` judges it; one that was cut short counts as skipped."""
    verdict = Verdict.SKIPPED if row.verdict == NOT_RUN else Verdict(row.verdict)
    return TestOutcome(row.name, verdict, tuple(json.loads(row.requirements)), row.binding, seconds=row.seconds)


def measures_of(results: Path, tests: Iterable[TestOutcome]) -> Iterator[Measured]:
    """Yield what the tests measured, from the tables attached to their results; what is no table is passed by."""
    for test in tests:
        for row in tables_of(results, test, f"{MEASURE}s"):
            yield from _measured(row, test.name)


def tables_of(results: Path, test: TestOutcome, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a test's tables of a name, as they were attached to its result; what is none is passed by."""
    for source, each, kind in _sources(results, test):
        if each.startswith(name) and kind == "application/json":
            yield from _rows(results / source)


def files_of(results: Path, test: TestOutcome) -> list[str]:
    """Return the names of a test's files in the results' folder: its result and what is attached to it."""
    return [test.file, *(source for source, _, _ in _sources(results, test))]


def _sources(results: Path, test: TestOutcome) -> list[tuple[str, str, str]]:
    """Attachments: file, name, media type; none where the result can't be read."""
    try:
        data = json.loads((results / test.file).read_text(encoding="utf-8"))
        return [
            (Path(str(each["source"])).name, str(each.get("name", "")), str(each.get("type", "")))
            for each in attachments_of(data)
        ]
    except (OSError, ValueError, KeyError, RecursionError):
        return []


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        if path.stat().st_size > MEASURES_BYTES:
            return
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    yield from (row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict))


def _measured(row: Mapping[str, Any], test: str) -> Iterator[Measured]:
    value = row.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        told = str(row.get("name") or ""), float(value), str(row.get("unit") or "")[:40]
        limit = row.get("limit")
        held = float(limit) if isinstance(limit, int | float) and not isinstance(limit, bool) else None
        yield Measured(test, *told, str(row.get("requirement") or "")[:40], held)


def evidence_files(out: Path, folders: Iterable[str]) -> list[EvidenceFile]:
    """Return the files in these folders of ``out`` with their SHA-256, sorted. Raises RunStoreError."""
    found: list[EvidenceFile] = []
    for path in sorted(each for folder in folders for each in (out / folder).rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if len(found) >= MAX_FILES:
            raise RunStoreError(f"{out}: more than {MAX_FILES} evidence files")
        try:
            with path.open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
            found.append(EvidenceFile(path.relative_to(out).as_posix(), path.stat().st_size, digest))
        except OSError as error:
            raise RunStoreError(f"{path}: can't be read for its hash: {error}") from error
    return found
