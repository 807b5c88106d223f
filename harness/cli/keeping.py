"""Keeps an acceptance run in the run store: as it begins, as it ends, and what a run that was killed had reached."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from harness.cli.places import PROJECT
from harness.errors import LocalError
from harness.evidence.defects import Register
from harness.evidence.requirements import catalogue
from harness.evidence.results import Summary, read_results, summarise
from harness.evidence.run_store import RunStart, RunStore, RunStoreError, evidence_files, measures_of

STORE: Final = "runs.sqlite"
"""The store where none is named: a file in the run's folder, beside what each run replaces."""
RUN_ID: Final = "run-id"
GIT_S: Final = 10.0
"""Seconds git may take to tell the commit."""
EVIDENCE: Final = ("allure-results", "run", "logs", "certificate")
"""Folders whose files are hashed."""


class BusyError(LocalError):
    """Another run writes to the folder."""


class FolderLock:
    """Holds a folder for one run; the system lets go of it when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Take it. Raises BusyError where another run has it, and OSError for a folder that can't be made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise BusyError(
                f"another run writes to {folder}, or a dossier is made there: wait for its end, or name another"
                " folder with --out"
            ) from None

    def release(self) -> None:
        """Let go of it."""
        os.close(self._handle)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder while a report or dossier is made of what is in it; one that is not there has nothing to hold.

    Raises BusyError where a run, or another report or dossier, has it.
    """
    lock = FolderLock(folder) if folder.is_dir() else None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def commit() -> tuple[str, bool]:
    """Return the harness's commit, and whether files differ from it; empty where git does not tell."""
    told = []
    for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no")):
        try:
            ran = subprocess.run(  # noqa: S603 - our own command; git is where the tester has it
                ["git", "-C", str(PROJECT), *words],  # noqa: S607
                capture_output=True,
                text=True,
                errors="replace",
                timeout=GIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return "", False
        if ran.returncode != 0:
            return "", False
        told.append(ran.stdout.strip())
    return told[0][:64], bool(told[1])


class Keeping:
    """One run's place in the store."""

    def __init__(self, store: str, out: Path, register: Register) -> None:
        """``out`` is the run's folder, locked by this process."""
        self._store_at = store
        self._out = out
        self._register = register
        self.run = ""
        """The run's id, once it has begun."""

    def keep_killed(self) -> str:
        """Keep what the run before had reached when it was killed; return its id, or nothing where none was.

        Raises LocalError where the store can't be used.
        """
        told = self._out / "run" / RUN_ID
        try:
            run = told.read_text(encoding="utf-8").strip()[:40]
        except (OSError, UnicodeDecodeError):
            return ""
        store = RunStore.open(self._store_at)
        try:
            if not run or run not in {row.id for row, _ in store.runs() if row.state == "running"}:
                return ""
            results = self._out / "allure-results"
            tests, unreadable = read_results(results) if results.is_dir() else ([], [])
            summary = summarise(tests, catalogue(), unreadable, register=self._register)
            self._end(store, run, summary, "killed", None, told.stat().st_mtime)
        finally:
            store.close()
        return run

    def begin(self, *, testbed: str, stage: str, bindings: Mapping[str, str], suites: Iterable[str], seed: int) -> None:
        """Keep that the run has begun. Raises LocalError."""
        now = time.time()
        self.run = f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        digest, dirty = commit()
        store = RunStore.open(self._store_at)
        try:
            store.begin(RunStart(self.run, digest, dirty, testbed, stage, bindings, tuple(suites), seed, now))
        finally:
            store.close()
        try:
            (self._out / "run" / RUN_ID).write_text(self.run + "\n", encoding="utf-8")
        except OSError as error:
            raise RunStoreError(f"{self._out}: can't be written: {error}") from error

    def end(self, summary: Summary, *, interrupted: bool, code: int) -> None:
        """Keep what it came to. Raises LocalError."""
        store = RunStore.open(self._store_at)
        try:
            self._end(store, self.run, summary, "interrupted" if interrupted else "ended", code, time.time())
        finally:
            store.close()

    def _end(self, store: RunStore, run: str, summary: Summary, state: str, code: int | None, ended: float) -> None:
        store.end(
            run,
            state=state,
            code=code,
            ended=ended,
            tests=summary.tests,
            cut_short=_cut_short(self._out / "logs" / "progress.jsonl"),
            measures=measures_of(self._out / "allure-results", summary.tests),
            files=evidence_files(self._out, EVIDENCE),
        )


def _cut_short(progress: Path) -> list[str]:
    """Return the tests that began and did not end, by what the runners told."""
    running: dict[str, None] = {}
    try:
        with progress.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    event = json.loads(line)
                    name = str(event["test"]) if event["event"] in ("started", "ended") else ""
                except (ValueError, KeyError, TypeError):
                    continue
                if name and event["event"] == "started":
                    running[name] = None
                elif name:
                    running.pop(name, None)
    except OSError:
        return []
    return list(running)
