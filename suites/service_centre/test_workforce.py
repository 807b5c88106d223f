"""Workforce management on the ACD's own feeds: a day's forecast against what came, and adherence against the ACD."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np
import pytest

from harness.drivers.call_load import LoadedCall, LoadPlan, Moment
from harness.drivers.console import Console
from harness.drivers.workforce import WorkforceSystem
from harness.errors import DriverError
from harness.evidence.requirements import catalogue
from harness.protocols import times
from harness.protocols.wfm.csv_file import Header, write_intervals
from harness.protocols.wfm.rows import QUARTER_S, IntervalRow
from harness.pytest_plugin import requirement
from harness.testbed.adviser_record import agreement_on, moment_of
from harness.testbed.bench import Bench
from harness.workforce.shape import WEEKDAYS, quarter_shares

FORECAST, ADHERENCE = "SVC-012", "SVC-013"
SEED = 12
DAY = date(2026, 1, 1)
"""The day of a run in virtual time."""
WEEKS = 26
A_DAY = 800
"""Calls that the day would have if it were a mean one: about what one site of three has."""
TREND = 0.001
"""Share by which each day has more than the one before."""
TALK_S = 300.0
DAY_S = 86_400


def due(day: date) -> list[float]:
    """The calls that are to be expected of each quarter of a day, as the world of this suite is."""
    level = A_DAY * (1 + TREND * (day - DAY).days) * WEEKDAYS[day.weekday()]
    return [level * share for share in quarter_shares()]


def history() -> str:
    """A file of half a year: in each quarter as many calls as chance gives, by Poisson."""
    rng = np.random.default_rng(SEED)
    rows = []
    first = DAY - timedelta(weeks=WEEKS)
    start = (first - date(1970, 1, 1)).days * DAY_S
    for back in range(7 * WEEKS):
        for quarter, mean in enumerate(due(first + timedelta(days=back))):
            calls = int(rng.poisson(mean))
            at = start + back * DAY_S + quarter * QUARTER_S
            rows.append(IntervalRow(at, "emergency", calls, calls, calls, 0, 0, calls, 0, round(calls * 330_000)))
    return write_intervals(Header("intervals", "archive", start, start + 7 * WEEKS * DAY_S), rows)


def day_of_calls(rng: Random, began: float) -> tuple[Moment, ...]:
    """The day's calls: as many in each quarter as are due, what is left over carried on; when in it, by chance.

    Chance in the counts is left out here, as no forecast can know it: `by_chance` tells how much it would be.
    """
    moments, owed = [], 0.0
    for quarter, mean in enumerate(due(DAY)):
        owed += mean
        for _ in range(int(owed)):
            at = QUARTER_S * quarter + rng.uniform(2, QUARTER_S - 2) - began
            # All of them are over by midnight, so that what is handled can be held against what was answered.
            rest = DAY_S - 120 - at - began
            moments.append(Moment(max(0.0, at), max(1.0, min(1_200.0, rest, rng.expovariate(1 / TALK_S)))))
        owed -= int(owed)
    return tuple(sorted(moments, key=lambda each: each.at_s))


def placed_in_quarters(bench: Bench, calls: list[LoadedCall]) -> dict[str, int]:
    """How many calls the callers' side placed in each quarter."""
    found: dict[str, int] = {}
    for call in calls:
        start = int(moment_of(bench, call.placed_at)) // QUARTER_S * QUARTER_S
        found[times.to_iso(start)] = found.get(times.to_iso(start), 0) + 1
    return found


@requirement(FORECAST)
@pytest.mark.waits
@pytest.mark.testbed("workforce", auto_advisers=True)
async def test_a_day_s_forecast_is_as_near_to_what_came_as_the_figure_says(bench: Bench) -> None:
    """Half a year of history by file, then a day of calls through the real queues; each quarter is held against it."""
    workforce = await bench.workforce()
    taken = await workforce.take_file("archive.csv", history())
    assert (taken["new"], taken["bad"]) == (7 * WEEKS * 96, 0)
    assert (await workforce.take_file("archive.csv", history()))["new"] == 0, "a file that comes twice counts once"
    load = await bench.call_load()
    moments = day_of_calls(Random(SEED), bench.journal.now())
    plan = LoadPlan(
        number="999",
        calls=len(moments),
        per_second=1,
        hold_s=TALK_S,
        answer_within_s=120,
        speech=False,
        moments=moments,
    )
    calls = await load.place(plan)
    await bench.time_passes(DAY_S + 5 - bench.journal.now())
    await workforce.pull()
    midnight = times.from_iso(f"{DAY}T00:00:00Z")
    rows = await workforce.intervals("emergency", midnight, midnight + DAY_S)
    bench.measured("calls placed", len(calls), "calls")
    seen = {row["interval_start"]: row["offered"] for row in rows if row["offered"]}
    assert seen == placed_in_quarters(bench, calls), "the intervals are not what the callers' network saw"
    answered = sum(call.answered_at is not None for call in calls)
    assert sum(row["answered"] for row in rows) == answered
    assert sum(row["handled"] for row in rows) == answered
    found = await workforce.accuracy("emergency", DAY)
    assert found["missing"] == [], f"intervals are missing: {found['missing']}"
    assert found["actual"] == len(calls)
    bench.measured("error that chance alone would give (WAPE)", found["by_chance"], "%")
    bench.measured("mean error of an interval (MAPE)", found["mape"], "%")
    bench.measured("15-minute forecast error (WAPE)", found["wape"], "%", requirement=FORECAST, figure="error_share")


@requirement(ADHERENCE)
@pytest.mark.waits
@pytest.mark.testbed("workforce")
async def test_what_workforce_management_has_of_advisers_is_what_their_consoles_showed(bench: Bench) -> None:
    """Three advisers through nine minutes: calls, writing up, a break each. Each second is compared."""
    workforce = await bench.workforce()
    consoles = {f"A-00{number}": await bench.console(f"govan-0{number}") for number in (1, 2, 3)}
    began = bench.journal.now()
    breaks = {name: began + 120 + 100 * index for index, name in enumerate(consoles)}
    work = [asyncio.create_task(works(bench, console, breaks[name])) for name, console in consoles.items()]
    rng = Random(SEED)
    moments = tuple(Moment(rng.uniform(0, 420), min(60.0, rng.expovariate(1 / 25))) for _ in range(20))
    load = await bench.call_load()
    plan = LoadPlan(number="999", calls=20, per_second=1, hold_s=25, answer_within_s=100, speech=False, moments=moments)
    try:
        calls = await load.place(plan)
        assert sum(call.answered_at is not None for call in calls) > 12
        await asyncio.sleep(max(0.0, began + 540 - bench.journal.now()))
    finally:
        for each in work:
            each.cancel()
        ended = await asyncio.gather(*work, return_exceptions=True)
    for each in ended:
        if not isinstance(each, asyncio.CancelledError):
            raise AssertionError("an adviser stopped working") from each
    until = bench.journal.now()
    await workforce.pull()
    limit = catalogue()[ADHERENCE].figure("match_share").value
    worst = 100.0
    for name, console in consoles.items():
        share = await agreement_on(bench, workforce, name, console.name, began, until, before="ready")
        bench.measured(f"agreement on {name}", share, "%")
        worst = min(worst, share)
    bench.measured(
        "least agreement with the ACD", worst, "%", requirement=ADHERENCE, figure="match_share", at_least=True
    )
    assert limit <= worst
    await kept_to_schedule(bench, workforce, breaks, began, until)


async def kept_to_schedule(
    bench: Bench, workforce: WorkforceSystem, breaks: dict[str, float], began: float, until: float
) -> None:
    """Schedule what each did, one with a break too late: adherence tells them apart."""
    day = datetime.fromtimestamp(moment_of(bench, began), UTC).date()
    for name, at in breaks.items():
        planned = at + (150 if name == "A-002" else 0)
        times_ = (began, planned, planned + 90, until)
        first, pause, back, last = (moment_of(bench, each) for each in times_)
        await workforce.schedule(name, day, [(first, pause, "work"), (pause, back, "break"), (back, last, "work")])
    found = await workforce.adherence(moment_of(bench, began), moment_of(bench, until))
    share = {each["adviser"]: each["adherence"] for each in found["advisers"]}
    # A break begins once the call in hand is over, so that a little is lost; one at another time costs 90 s twice.
    assert share["A-001"] > 85 and share["A-003"] > 85, share
    assert share["A-002"] < 80, share
    bench.measured("adherence of all", found["all"]["adherence"], "%")


async def works(bench: Bench, console: Console, pause_at: float) -> None:
    """Take one call after the other, until its caller hangs up; from ``pause_at`` on 90 s of break."""
    breaks = asyncio.create_task(rests(bench, console, pause_at))
    after = 0
    try:
        while True:
            rings = await console.expect("call.ringing", within=600, after=after, queue="emergency")
            after = rings.seq
            await asyncio.sleep(1.0)
            try:
                call = await console.answer(queue="emergency")
            except DriverError:  # its caller gave up, or it went to another
                continue
            await console.expect("call.cleared", within=600, after=rings.seq, call=call)
    finally:
        breaks.cancel()
        await asyncio.gather(breaks, return_exceptions=True)


async def rests(bench: Bench, console: Console, at: float) -> None:
    """Go on break and come back."""
    await asyncio.sleep(at - bench.journal.now())
    await console.go("break")
    await asyncio.sleep(90)
    await console.go("available")
