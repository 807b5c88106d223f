"""Takes the feeds in, by file and by REST: good rows are kept, bad lines told, and what comes twice counts once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from harness.errors import LocalError, WfmFeedError
from harness.protocols import times
from harness.protocols.wfm.csv_file import BadLine, Header, Read, read_header, read_intervals, read_states
from harness.protocols.wfm.rows import IntervalRow, State, StateRow
from harness.transport.https import http_client
from simulators.database import Database
from simulators.events import Events
from simulators.workforce import store
from simulators.workforce.store import BATCH, Taken

MAX_FILE: Final = 32 * 1024 * 1024
"""Bytes of a file."""
ANSWERS_WITHIN_S: Final = 10.0
PAGE: Final = 1000
MAX_PAGES: Final = 1_000
"""Pages of one feed that are had at once; what is more is had the next time."""
FILES_A_LOOK: Final = 1_000
R = TypeVar("R")


class SourceError(LocalError):
    """A feed can't be had now, or is not one."""


@dataclass(frozen=True, slots=True)
class Source:
    """An ICCS whose feeds are had by REST."""

    url: str
    """Its control interface, ``http://host:port``."""
    token: str | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a file, or of what was pulled."""

    file: str
    kind: str
    taken: Taken = field(default_factory=Taken)
    bad: int = 0
    told: list[BadLine] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """Return it as the interface shows it."""
        return {
            "file": self.file,
            "kind": self.kind,
            "new": self.taken.new,
            "repeated": self.taken.repeated,
            "corrected": self.taken.corrected,
            "bad": self.bad,
            "findings": [{"line": each.line, "found": each.found} for each in self.told],
        }


class Clock:
    """The moment, and what counts as late."""

    def __init__(self, epoch: float, run_time: Callable[[], float], late_after_s: float) -> None:
        """``run_time`` returns the run's time, ``epoch`` is its moment 0."""
        self._epoch, self._run_time = epoch, run_time
        self.late_after_s = late_after_s
        self.began = self.now()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._epoch + self._run_time()


class Intake:
    """All ways in."""

    def __init__(self, database: Database, events: Events, source: Source | None, clock: Clock) -> None:
        self._database = database
        self._events = events
        self._clock = clock
        self._source = source
        self._http: httpx.AsyncClient | None = None
        if source is not None:
            self._http = http_client(f"{source.url}/v1/workforce", timeout=ANSWERS_WITHIN_S, token=source.token)
        self._after: dict[str, str] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def close(self) -> None:
        """Ask no more."""
        if self._http is not None:
            await self._http.aclose()

    # Files

    async def take_file(self, name: str, text: str) -> Outcome:
        """Take a file of either feed. Raises WfmFeedError where it is none at all, and DatabaseError."""
        header = read_header(text[:2000].split("\n", 1)[0])
        async with self._one_at_a_time:
            if header.kind == "states":
                states = read_states(text)
                return await self._file(name, states, await self._states(header, states.rows))
            read = read_intervals(text)
            return await self._file(name, read, await self.take_intervals(read.rows))

    async def _file(self, name: str, read: Read[Any], taken: Taken) -> Outcome:
        if read.header.kind == "states" and not read.bad:
            await self._cover(read.header)
        await self._database.run(lambda session: store.find(session, name, read.told))
        outcome = Outcome(name, read.header.kind, taken, read.bad, read.told)
        self._events.tell(
            "feed.taken",
            file=name,
            feed=read.header.kind,
            new=taken.new,
            repeated=taken.repeated,
            corrected=taken.corrected,
            bad=read.bad,
        )
        return outcome

    async def look(self, folder: Path) -> list[Outcome]:
        """Take every file of a folder that is new or has changed, in the order of their names."""
        outcomes: list[Outcome] = []
        try:
            files = _files(folder)
        except OSError as error:
            raise SourceError(f"the folder {folder} can't be read: {error.strerror or error}") from error
        for path in files:
            try:
                about = path.stat()
                known = (about.st_size, about.st_mtime_ns)
                if self._seen.get(path.name) == known:
                    continue
                if about.st_size > MAX_FILE:
                    raise WfmFeedError(f"{about.st_size} bytes; a file has {MAX_FILE} at most")
                outcomes.append(await self.take_file(path.name, path.read_text(encoding="utf-8-sig")))
            except (OSError, UnicodeDecodeError, WfmFeedError) as error:
                bad = BadLine(0, str(error))
                await self._database.run(partial(store.find, file=path.name, bad=[bad]))
                self._events.tell("feed.unusable", file=path.name, reason=str(error))
                outcomes.append(Outcome(path.name, "unknown", bad=1, told=[bad]))
            self._seen[path.name] = known
            if len(outcomes) >= FILES_A_LOOK:
                break
        return outcomes

    # REST

    async def pull(self) -> list[Outcome]:
        """Have what is new of both feeds. Raises SourceError."""
        if self._http is None:
            return []
        async with self._one_at_a_time:
            return [await self._pull("states"), await self._pull("intervals")]

    async def _pull(self, kind: str) -> Outcome:
        outcome = Outcome(f"rest:{kind}", kind)
        for _ in range(MAX_PAGES):
            page = await self._page(kind)
            try:
                header = Header("states", page["feed"], times.from_iso(page["since"]), times.from_iso(page["until"]))
                if kind == "states":
                    taken = await self._states(header, [_state(row) for row in page["rows"]])
                    if not page["more"]:
                        await self._cover(header)
                else:
                    taken = await self.take_intervals([_interval(row) for row in page["rows"]])
                outcome.taken.add(taken)
                self._after[kind] = str(page["next"])
                if not page["more"]:
                    break
            except (KeyError, TypeError, ValueError, WfmFeedError) as error:
                raise SourceError(f"{kind}: a page that can't be read: {type(error).__name__} {error}") from error
        if outcome.taken.new:
            taken = outcome.taken
            self._events.tell("feed.taken", file=outcome.file, feed=kind, new=taken.new, repeated=taken.repeated)
        return outcome

    async def _page(self, kind: str) -> dict[str, Any]:
        assert self._http is not None
        for _ in range(2):
            params = {"limit": str(PAGE)} | ({"after": self._after[kind]} if kind in self._after else {})
            try:
                answer = await self._http.get(f"/{kind}", params=params)
                if answer.status_code == httpx.codes.GONE and self._after.pop(kind, None) is not None:
                    self._events.tell(
                        "feed.begun_again", feed=kind
                    )  # the switch started anew: what comes twice counts once
                    continue
                said = answer.json()
            except (httpx.HTTPError, ValueError) as error:
                raise SourceError(f"{kind}: no answer: {type(error).__name__} {error}") from error
            if answer.is_error or not isinstance(said, dict):
                raise SourceError(f"{kind}: refused with {answer.status_code}: {str(said)[:200]}")
            return said
        raise SourceError(f"{kind}: the feed has gone twice over")

    # Both

    async def _states(self, header: Header, rows: Sequence[StateRow]) -> Taken:
        return await self._in_batches(rows, partial(store.take_states, feed=header.feed))

    async def _cover(self, header: Header) -> None:
        since, until = round(header.since * 1000), round(header.until * 1000)
        await self._database.run(lambda session: store.cover(session, header.feed, since, until))

    async def take_intervals(self, rows: Sequence[IntervalRow]) -> Taken:
        """Keep rows of intervals, by whichever way they came."""
        due = self._clock.now() - self._clock.late_after_s
        return await self._in_batches(rows, partial(store.take_intervals, due=due, began=self._clock.began))

    async def _in_batches(self, rows: Sequence[R], take: Callable[..., Taken]) -> Taken:
        """Let ``take(session, rows=…)`` have some rows at a time, each lot in a transaction of its own."""
        taken = Taken()
        for at in range(0, len(rows), BATCH):
            taken.add(await self._database.run(partial(take, rows=rows[at : at + BATCH])))
            await asyncio.sleep(0)
        return taken


def _files(folder: Path) -> list[Path]:
    """The feeds' files of a folder by name; those that are being written begin with a dot."""
    return sorted(path for path in folder.iterdir() if path.suffix == ".csv" and not path.name.startswith("."))


def _state(row: dict[str, Any]) -> StateRow:
    at_ms = round(times.from_iso(row["at"]) * 1000)
    return StateRow(int(row["number"]), at_ms, row["agent"], State(row["state"]), row["queue"])


def _interval(row: dict[str, Any]) -> IntervalRow:
    names = ("offered", "answered", "within_target", "abandoned", "left", "handled", "answer_ms", "handle_ms")
    return IntervalRow(int(times.from_iso(row["interval_start"])), row["queue"], *(int(row[name]) for name in names))
