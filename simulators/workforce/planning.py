"""What workforce management makes of what it has: forecasts, their error, staffing, adherence, lapsed training."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any, Final, Literal

from sqlalchemy.orm import Session

from harness.errors import LocalError, StaffingError
from harness.protocols import times
from harness.protocols.wfm.rows import QUARTER_S
from harness.workforce.adherence import Kept, kept, seconds_in
from harness.workforce.forecast import INTERVALS, MAX_DAYS, Day, Expected, accuracy, forecast
from harness.workforce.staffing import Demand, needed, rostered
from simulators.workforce import store
from simulators.workforce.calendar import Days
from simulators.workforce.settings import AdviserSettings, TargetSettings, WorkforceSettings

MAX_WINDOW_S: Final = 31 * 86_400
MAX_SHOWN: Final = 3_000


class UnknownError(LocalError):
    """There is no such queue or adviser."""


class Planning:
    """All that is reckoned; each method is one transaction's work."""

    def __init__(self, settings: WorkforceSettings, days: Days) -> None:
        self._settings = settings
        self.days = days
        self._advisers = {each.id: each for each in settings.advisers}

    def adviser(self, id_: str) -> AdviserSettings:
        """Return one adviser. Raises UnknownError."""
        if id_ not in self._advisers:
            raise UnknownError(f"there is no adviser {id_!r}")
        return self._advisers[id_]

    def _target(self, queue: str) -> TargetSettings:
        return self._settings.targets.get(queue, TargetSettings())

    @staticmethod
    def _known(session: Session, queue: str) -> None:
        known = store.queues(session)
        if queue not in known:
            raise UnknownError(f"nothing is known of a queue {queue!r}; there is {', '.join(known) or 'none yet'}")

    # Forecasts

    def _history(self, session: Session, queue: str, before: int) -> list[Day]:
        """The whole days of a queue that end at ``before`` or earlier."""
        found: defaultdict[int, list[tuple[int, int, int, float]]] = defaultdict(list)
        since = before - MAX_DAYS * 86_400
        for row in store.intervals(session, queue, since, before, MAX_DAYS * INTERVALS):
            day, quarter = self.days.place(row.start)
            found[day].append((quarter, row.offered, row.handled, row.handle_ms / 1000))
        days = []
        for number, rows in found.items():
            start, end = self.days.bounds(date(1970, 1, 1) + timedelta(days=number))
            if len(rows) != (end - start) // QUARTER_S:
                continue
            calls, handled, seconds = [0] * INTERVALS, [0] * INTERVALS, [0.0] * INTERVALS
            for quarter, offered, ended, lasted in rows:
                calls[quarter] += offered
                handled[quarter] += ended
                seconds[quarter] += lasted
            days.append(Day(number, tuple(calls), tuple(handled), tuple(seconds)))
        return days

    def expected(self, session: Session, queue: str, day: date) -> dict[int, Expected]:
        """Return what is expected of each interval of a day, by its start, from the days before it alone.

        Raises UnknownError, StaffingError.
        """
        self._known(session, queue)
        start, end = self.days.bounds(day)
        number = (day - date(1970, 1, 1)).days
        found = forecast(self._history(session, queue, start), number)
        return {at: found[self.days.place(at)[1]] for at in range(start, end, QUARTER_S)}

    def forecast(self, session: Session, queue: str, day: date) -> dict[str, Any]:
        """Return a day's forecast as the interface shows it. Raises as `expected`."""
        found = self.expected(session, queue, day)
        rows = [
            {"interval_start": times.to_iso(at), "calls": round(each.calls, 3), "handling_s": round(each.handling_s, 3)}
            for at, each in found.items()
        ]
        total = round(sum(each.calls for each in found.values()), 3)
        return {"queue": queue, "day": day.isoformat(), "calls": total, "intervals": rows}

    def accuracy(self, session: Session, queue: str, day: date) -> dict[str, Any]:
        """Return how far a day's forecast was off; shares in per cent. Raises as `expected`.

        Intervals that are missing are told: an error that leaves them out is no error of the day.
        """
        found = self.expected(session, queue, day)
        start, end = self.days.bounds(day)
        actual = {row.start: row.offered for row in store.intervals(session, queue, start, end, MAX_SHOWN)}
        result = accuracy({at: each.calls for at, each in found.items()}, actual)
        gaps = store.missing(session, queue, start, end)
        return {
            "queue": queue,
            "day": day.isoformat(),
            "wape": _per_cent(result.wape),
            "mape": _per_cent(result.mape),
            "by_chance": _per_cent(result.by_chance),
            "expected": round(result.expected, 3),
            "actual": result.actual,
            "missing": [times.to_iso(at) for at in gaps],
        }

    def staffing(self, session: Session, queue: str, day: date) -> dict[str, Any]:
        """Return how many are needed in each interval of a day. Raises as `expected`."""
        target = self._target(queue)
        rows = []
        for at, each in self.expected(session, queue, day).items():
            demand = Demand(
                calls=each.calls,
                period_s=QUARTER_S,
                handling_s=max(1.0, each.handling_s),
                within_s=target.within_s,
                share=target.share / 100,
                patience_s=target.patience_s,
            )
            done = needed(demand)
            rows.append(
                {
                    "interval_start": times.to_iso(at),
                    "calls": round(each.calls, 3),
                    "erlangs": round(demand.erlangs, 3),
                    "agents": done.agents,
                    "rostered": rostered(done.agents, target.shrinkage / 100),
                    "in_time": round(100 * done.in_time, 2),
                    "mean_answer_s": round(done.mean_answer_s, 3),
                    "abandoned": round(100 * done.abandoned, 3),
                    "occupancy": round(100 * done.occupancy, 2),
                }
            )
        formula = "Erlang C" if target.patience_s is None else "Erlang A"
        return {"queue": queue, "day": day.isoformat(), "formula": formula, "intervals": rows}

    # Adherence

    @staticmethod
    def window(since: float, until: float) -> tuple[int, int]:
        """Return two moments in milliseconds. Raises StaffingError where they are out of order or too far apart."""
        if not 0 <= since < until <= times.LATEST:
            raise StaffingError("'since' and 'until' are from 1970 to 9999, 'until' the later one")
        if until - since > MAX_WINDOW_S:
            raise StaffingError(f"{MAX_WINDOW_S // 86_400} days are shown at once, and no more")
        return round(since * 1000), round(until * 1000)

    def states(self, session: Session, id_: str, since: float, until: float) -> dict[str, Any]:
        """Return what an adviser did. Raises UnknownError, StaffingError."""
        who = self.adviser(id_)
        first, last = self.window(since, until)
        spans = store.states(session, who.login or who.id, first, last)
        shown = [
            {"start": times.to_iso(span.start_ms / 1000), "end": times.to_iso(span.end_ms / 1000), "state": span.what}
            for span in spans
        ]
        return {"adviser": id_, "states": shown, "seconds": seconds_in(spans)}

    def adherence(self, session: Session, since: float, until: float) -> dict[str, Any]:
        """Return how every adviser kept to the schedule, and all together; shares in per cent. Raises StaffingError."""
        first, last = self.window(since, until)
        each = []
        whole: list[Kept] = []
        for who in self._settings.advisers:
            spans = store.states(session, who.login or who.id, first, last)
            done = kept(store.scheduled(session, who.id, first, last), spans)
            whole.append(done)
            each.append({"adviser": who.id, **_kept(done), "seconds": seconds_in(spans)})
        total = Kept(*(sum(getattr(done, name) for done in whole) for name in Kept.__slots__))
        gaps = store.not_covered(session, int(since), int(until))
        return {"advisers": each, "all": _kept(total), "missing": [times.to_iso(at) for at in gaps[:MAX_SHOWN]]}

    # Training

    def advisers(
        self, session: Session, skill: str | None, state: Literal["lapsed", "current"] | None, today: date
    ) -> list[dict[str, Any]]:
        """Return advisers with their skills; of one skill, or one state, where that is asked for."""
        trained: defaultdict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        for adviser, what, lapses in store.training(session):
            told = "lapsed" if lapses < today.isoformat() else "current"
            if skill in {None, what} and state in {None, told}:
                trained[adviser][what] = {"lapses": lapses, "state": told}
        asked = skill is not None or state is not None
        return [
            {"id": each.id, "login": each.login or each.id, "training": trained[each.id]}
            for each in self._settings.advisers
            if not asked or trained[each.id]
        ]


def _per_cent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 3)


def _kept(done: Kept) -> dict[str, Any]:
    return {
        "scheduled_s": done.scheduled_ms / 1000,
        "kept_s": done.kept_ms / 1000,
        "unscheduled_s": done.unscheduled_ms / 1000,
        "adherence": _per_cent(done.share),
    }
