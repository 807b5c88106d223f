"""The feeds as the control room keeps them: rows numbered as they come, closed each quarter of an hour, within bounds.

Theory. Two things are listened to: the adviser states that consoles are told (`Positions.settle`), and what the
wallboard's figures count (`Figures`). Each is put into the journal as it is told here, and nothing else makes a row.
An interval is closed once its quarter is over; every thing is counted in the quarter in which it happened, so a closed
one never changes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.errors import LocalError
from harness.journal import Journal
from harness.protocols import times
from harness.protocols.wfm.csv_file import Header, write_intervals, write_states
from harness.protocols.wfm.rows import QUARTER_S, IntervalRow, State, StateRow
from harness.whole_file import write_whole
from simulators.iccs.feeds.tally import Counted, Tally
from simulators.iccs.positions import AdviserState, Position

INTERVALS_KEPT: Final = 50_000
MAX_PAGE: Final = 5_000
SETTLES_S: Final = 0.5
"""After a quarter's end: what happened at its very end has been told by then."""
_STATES: Final = {
    AdviserState.OFFLINE: State.LOGGED_OUT,
    AdviserState.AVAILABLE: State.READY,
    AdviserState.OFFERED: State.READY,
    AdviserState.BUSY: State.IN_CALL,
    AdviserState.WRAP_UP: State.WRAP_UP,
    AdviserState.BREAK: State.BREAK,
}
_ON_A_CALL: Final = (State.IN_CALL, State.WRAP_UP)


class FeedError(LocalError):
    """A feed was asked for what it can't do."""


class GoneError(FeedError):
    """Rows are asked for that are kept no more, or were another run's: begin at the beginning."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a feed, and where the next ones begin."""

    feed: str
    since: float
    """Seconds since 1970 at which the feed begins."""
    until: float
    """Until when, at least, all is told by the rows up to the end of this page, where no ``more`` follow."""
    rows: list[dict[str, Any]]
    next: str
    more: bool

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface does."""
        return {
            "feed": self.feed,
            "since": times.to_iso(self.since),
            "until": times.to_iso(self.until),
            "rows": self.rows,
            "next": self.next,
            "more": self.more,
        }


@dataclass(slots=True)
class _Doing:
    """What an adviser does now."""

    state: State = State.LOGGED_OUT
    since_ms: int = 0
    queue: str = ""


class Feeds:
    """Both feeds of one control room."""

    def __init__(
        self, journal: Journal, epoch: float, queues: Iterable[str], folder: Path | None, *, states_kept: int
    ) -> None:
        """``epoch``: seconds since 1970 of run time 0; ``folder``: where files go, where they do.

        ``states_kept``: newest rows of states in memory; who asks for older ones is told that they are gone.
        """
        self._journal = journal
        self._epoch = epoch
        self._folder = folder
        self._since = epoch + journal.now()
        self.feed = f"iccs-{round(self._since * 1000)}"
        self._tally = Tally(queues)
        self._doing: dict[str, _Doing] = {}
        self._states: deque[StateRow] = deque(maxlen=states_kept)
        self._count = 0
        self._intervals: deque[IntervalRow] = deque(maxlen=INTERVALS_KEPT)
        self._closed = 0
        self._open = int(self._since) // QUARTER_S * QUARTER_S
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to close intervals. Raises LocalError where the folder for files is not to be had."""
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LocalError(f"the folder for feeds, {self._folder}: {error.strerror or error}") from error
        self._set()

    def stop(self) -> None:
        """Close no more."""
        if self._timer is not None:
            self._timer.cancel()

    @property
    def _now(self) -> float:
        return self._epoch + self._journal.now()

    def _ms(self) -> int:
        return round(self._now * 1000)

    # What is told

    def settled(self, position: Position) -> None:
        """An adviser's state has changed."""
        state = _STATES[position.told_state]
        doing = self._doing.setdefault(position.id, _Doing())
        if state is doing.state:
            return
        at = self._ms()
        if doing.state in _ON_A_CALL and doing.queue:
            self._worked(at, doing)
        queue = ""
        if state is State.IN_CALL:
            call = position.call or next((call for each in position.held for call in each.calls), None)
            queue = (call.queue or "") if call is not None else ""
        elif state is State.WRAP_UP:
            queue = doing.queue
        if doing.state is State.LOGGED_OUT:
            self._add(at, position.id, State.LOGIN)
        self._add(at, position.id, state, queue)
        # Of a call that is passed between states without one of its own, the queue stays known for the writing up.
        self._doing[position.id] = _Doing(state, at, queue)

    def _worked(self, at: int, doing: _Doing) -> None:
        ms = at - doing.since_ms
        self._tally.count(at, doing.queue, Counted.WORKED, ms=ms)
        self._journal.record("iccs", Counted.WORKED.value, queue=doing.queue, state=doing.state.value, ms=ms)

    def _add(self, at: int, agent: str, state: State, queue: str = "") -> None:
        self._count += 1
        self._states.append(StateRow(self._count, at, agent, state, queue))

    def counted(self, what: Counted, queue: str, wait_s: float = 0.0, *, within: bool = False) -> None:
        """The wallboard's figures have counted something."""
        ms = round(wait_s * 1000)
        self._tally.count(self._ms(), queue, what, ms=ms, within=within)
        self._journal.record("iccs", what.value, queue=queue, wait_ms=ms)

    # Intervals

    def _set(self) -> None:
        delay = self._open + QUARTER_S + SETTLES_S - self._now
        self._timer = asyncio.get_running_loop().call_later(max(0.0, delay), self._close)

    def _close(self) -> None:
        while self._open + QUARTER_S <= self._now:
            start, self._open = self._open, self._open + QUARTER_S
            rows = self._tally.close(start)
            self._intervals.extend(rows)
            self._closed += len(rows)
            self._journal.record("iccs", "interval.closed", start=times.to_iso(start), rows=len(rows))
            if self._folder is not None:
                try:
                    self.write(start)
                except OSError as error:
                    self._journal.warn("iccs", "interval.not_written", start=times.to_iso(start), reason=str(error))
        self._set()

    def write(self, start: int) -> list[str]:
        """Write both files of a closed interval, and return their names; again writes the same bytes.

        Raises GoneError for one that is not closed, or is kept no more, FeedError where there is no folder, and OSError
        where the disk refuses.
        """
        rows = [row for row in self._intervals if row.start == start]
        first_ms = self._states[0].at_ms if self._count > len(self._states) else 0
        if not rows or first_ms > start * 1000:
            raise GoneError(f"no closed interval begins at {times.to_iso(start)}, or it is kept no more")
        if self._folder is None:
            raise FeedError("the settings name no folder for feeds ('feeds_folder')")
        since, until = max(self._since, start), start + QUARTER_S
        states = [row for row in self._states if start * 1000 <= row.at_ms < until * 1000]
        stamp = times.to_compact(start)
        names = [f"intervals-{stamp}.csv", f"states-{stamp}.csv"]
        write_whole(self._folder / names[0], write_intervals(Header("intervals", self.feed, since, until), rows))
        write_whole(self._folder / names[1], write_states(Header("states", self.feed, since, until), states))
        return names

    # Pages

    def states(self, after: str | None, limit: int) -> Page:
        """Return rows of states after a cursor. Raises GoneError."""
        done = self._cursor(after, self._count, self._count - len(self._states))
        first = self._count - len(self._states)
        rows = [self._states[at] for at in range(done - first, min(len(self._states), done - first + limit))]
        shown = [
            {
                "number": row.number,
                "at": times.to_iso(row.at_ms / 1000),
                "agent": row.agent,
                "state": row.state.value,
                "queue": row.queue,
            }
            for row in rows
        ]
        reached = done + len(rows)
        return Page(self.feed, self._since, self._now, shown, f"{self.feed}.{reached}", reached < self._count)

    def intervals(self, after: str | None, limit: int) -> Page:
        """Return closed intervals after a cursor. Raises GoneError."""
        first = self._closed - len(self._intervals)
        done = self._cursor(after, self._closed, first)
        rows = [self._intervals[at] for at in range(done - first, min(len(self._intervals), done - first + limit))]
        shown = [
            {
                "interval_start": times.to_iso(row.start),
                "queue": row.queue,
                "offered": row.offered,
                "answered": row.answered,
                "within_target": row.within,
                "abandoned": row.abandoned,
                "left": row.left,
                "handled": row.handled,
                "answer_ms": row.answer_ms,
                "mean_answer_s": row.mean_answer_s,
                "handle_ms": row.handle_ms,
                "mean_handle_s": row.mean_handle_s,
            }
            for row in rows
        ]
        reached = done + len(rows)
        return Page(self.feed, self._since, self._open, shown, f"{self.feed}.{reached}", reached < self._closed)

    def _cursor(self, after: str | None, newest: int, oldest: int) -> int:
        """How many rows a cursor has seen."""
        if after is None:
            if oldest:
                raise GoneError(f"the first {oldest} rows are kept no more: ask after {self.feed}.{oldest}")
            return 0
        feed, _, number = after.rpartition(".")
        if feed != self.feed or not (number.isascii() and number.isdigit()) or int(number) > newest:
            raise GoneError(f"{after!r} is no cursor of this feed, which is {self.feed}: begin at the beginning")
        if int(number) < oldest:
            raise GoneError(f"rows after {after} are kept no more: ask after {self.feed}.{oldest}")
        return int(number)
