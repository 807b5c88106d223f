"""The busy hour, twice as much of it, and a spate: how soon 999 is answered, as its callers' network sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from harness.drivers.call_load import LoadedCall, LoadPlan
from harness.drivers.console import Console
from harness.drivers.load_shape import moments
from harness.errors import DriverError, ExpectationError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.components import ConsoleComponent

ID = "NICCS-TEL-002"
HOUR_S = 3600.0
SEED = 1
"""Of when calls come and how long they last: the hour is the same one each time."""


def figure(name: str, requirement: str = ID) -> float:
    """One of a requirement's figures."""
    return float(catalogue()[requirement].figure(name).value)


def plan_of(
    number: str, rng: Random, calls: int, within_s: float, *, parts: Sequence[float] = (1,), after_s: float = 0.0
) -> LoadPlan:
    """So many calls to a number within a time that begins after another; ``parts`` as `moments` takes them."""
    talk_s = figure(f"talk_{number}_s")
    come = moments(rng, calls, within_s, parts=parts, mean_hold_s=talk_s)
    return LoadPlan(
        number=number,
        calls=calls,
        per_second=calls / within_s,
        hold_s=talk_s,
        answer_within_s=figure("patience_s"),
        speech=False,
        moments=tuple(replace(each, at_s=each.at_s + after_s) for each in come),
    )


async def busy_hour(bench: Bench, requirement: str, *, times: float = 1) -> None:
    """Judge the busy hour's calls, or so many times as many, the third quarter of it the busiest."""
    rng = Random(SEED)
    even = (100 - figure("busiest_quarter")) / 3
    parts = (even, even, figure("busiest_quarter"), even)
    hours = [
        plan_of(number, rng, round(times * figure(f"hour_{number}s")), HOUR_S, parts=parts) for number in ("999", "101")
    ]
    calls, others = await placed(bench, *hours)
    bench.measured("101 calls placed", len(others), "calls")
    bench.measured("101 calls answered", answered(others), "calls")
    judge(bench, calls, requirement)


async def placed(bench: Bench, urgent: LoadPlan, other: LoadPlan) -> tuple[list[LoadedCall], list[LoadedCall]]:
    """What came of calls to 999 and to 101 at one time."""
    emergency, non_emergency = await bench.call_load("callers-999"), await bench.call_load("callers-101")
    return await asyncio.gather(emergency.place(urgent), non_emergency.place(other))


def answered(calls: Sequence[LoadedCall]) -> int:
    """How many were."""
    return sum(call.answer_s is not None for call in calls)


def judge(bench: Bench, calls: Sequence[LoadedCall], requirement: str = ID) -> None:
    """Report the share answered in time and the mean, both, and raise where either is not kept.

    A call that was never answered counts against the share; the mean is over those that were. ``requirement``: that
    for which the busy hour's figures are to hold.
    """
    waits = [call.answer_s for call in calls if call.answer_s is not None]
    bench.measured("999 calls placed", len(calls), "calls")
    bench.measured("999 calls answered", len(waits), "calls")
    bench.measured("longest time to answer", max(waits, default=0.0), "s")
    share = 100 * sum(wait <= figure("answer_s") for wait in waits) / len(calls)
    problems = []
    for name, value, unit, due, at_least in (
        (f"share of 999 calls answered within {figure('answer_s'):g} s", share, "%", "answered_share", True),
        ("mean time to answer", sum(waits) / max(1, len(waits)), "s", "mean_answer_s", False),
    ):
        try:
            bench.measured(name, value, unit, requirement=requirement, limit=figure(due), at_least=at_least)
        except ExpectationError as error:
            problems.append(str(error))
    if problems:
        raise ExpectationError("; ".join(problems))
    assert waits, "no call was answered"


@requirement(ID)
@pytest.mark.testbed("busy-hour", auto_advisers=True)
async def test_in_the_busy_hour_999_is_answered_in_time_while_101_comes_as_well(bench: Bench) -> None:
    """An hour of calls, the third quarter of it the busiest, at the staffing of the testbed; in virtual time."""
    await busy_hour(bench, ID)


@requirement("NFR-005")
@pytest.mark.testbed("load-peaks", auto_advisers=True)
async def test_with_twice_the_busy_hours_calls_999_is_answered_in_time(bench: Bench) -> None:
    """An hour, at the staffing of the testbed; in virtual time."""
    await busy_hour(bench, "NFR-005", times=figure("load_factor", "NFR-005"))


@requirement("NFR-007")
@pytest.mark.testbed("load-peaks", auto_advisers=True)
async def test_a_spate_of_101_calls_leaves_999_as_it_was(bench: Bench) -> None:
    """Twenty minutes of 999 at the busiest quarter's rate, and from the fifth on the spate of 101; in virtual time."""
    rng = Random(SEED)
    rate = figure("hour_999s") * figure("busiest_quarter") / 100 / (HOUR_S / 4)
    begins_s, lasts_s = 300.0, 60 * figure("spate_min", "NFR-007")
    urgent = round(rate * 4 * begins_s)
    spate = round(figure("load_factor", "NFR-007") * figure("hour_101s") * lasts_s / HOUR_S)

    calls, others = await placed(
        bench,
        plan_of("999", rng, urgent, 4 * begins_s),
        plan_of("101", rng, spate, lasts_s, after_s=begins_s),
    )
    bench.measured("101 calls placed in the spate", len(others), "calls")
    bench.measured("101 calls answered", answered(others), "calls")
    assert len(others) == spate, "the spate did not come"
    judge(bench, calls, "NFR-007")


@requirement(ID)
@pytest.mark.waits
async def test_in_a_rush_999_is_answered_in_time_by_those_at_the_consoles(bench: Bench) -> None:
    """The short form, in real time: as many calls as the figure says at once, answered at every console.

    One at which 999 does not ring, a dispatcher's, is at work as well, and gets none.
    """
    calls, lasts_s, talk_s = int(figure("short_999s")), figure("short_s"), figure("short_talk_s")
    consoles = [name for name, each in bench.testbed.components.items() if isinstance(each, ConsoleComponent)]
    takers = [await bench.console(name) for name in consoles]
    bench.measured("consoles at work", len(takers), "consoles")
    load = await bench.call_load()
    plan = LoadPlan(
        number="999",
        calls=calls,
        per_second=calls / lasts_s,
        hold_s=talk_s,
        answer_within_s=figure("patience_s"),
        record=False,
        moments=moments(Random(SEED), calls, lasts_s, parts=(1,), mean_hold_s=talk_s),
    )
    work = [asyncio.create_task(answers(taker, figure("short_reaction_s"))) for taker in takers]
    try:
        placed = await load.place(plan)
    finally:
        for each in work:
            each.cancel()
        ended = await asyncio.gather(*work, return_exceptions=True)
    for each in ended:
        if not isinstance(each, asyncio.CancelledError):
            raise AssertionError("a call taker stopped working") from each
    judge(bench, placed)


async def answers(taker: Console, reaction_s: float) -> None:
    """Take one 999 call after the other, each until its caller hangs up."""
    after = 0
    while True:
        rings = await taker.expect("call.ringing", within=HOUR_S, after=after, queue="emergency")
        after = rings.seq
        await asyncio.sleep(reaction_s)
        try:
            call = await taker.answer(queue="emergency")
        except DriverError:  # another console was faster
            continue
        await taker.expect("call.cleared", within=HOUR_S, after=rings.seq, call=call)
