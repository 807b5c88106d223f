"""The busy hour: how soon 999 calls are answered, as their callers' network sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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


def figure(name: str) -> float:
    """One of the requirement's figures."""
    return float(catalogue()[ID].figure(name).value)


def judge(bench: Bench, calls: Sequence[LoadedCall]) -> None:
    """Report the share answered in time and the mean, both, and raise where either is not kept.

    A call that was never answered counts against the share; the mean is over those that were.
    """
    waits = [call.answer_s for call in calls if call.answer_s is not None]
    bench.measured("999 calls placed", len(calls), "calls")
    bench.measured("999 calls answered", len(waits), "calls")
    bench.measured("longest time to answer", max(waits, default=0.0), "s")
    share = 100 * sum(wait <= figure("answer_s") for wait in waits) / len(calls)
    problems = []
    for name, value, unit, limit, at_least in (
        (f"share of 999 calls answered within {figure('answer_s'):g} s", share, "%", "answered_share", True),
        ("mean time to answer", sum(waits) / max(1, len(waits)), "s", "mean_answer_s", False),
    ):
        try:
            bench.measured(name, value, unit, requirement=ID, figure=limit, at_least=at_least)
        except ExpectationError as error:
            problems.append(str(error))
    if problems:
        raise ExpectationError("; ".join(problems))
    assert waits, "no call was answered"


@requirement(ID)
@pytest.mark.testbed("busy-hour", auto_advisers=True)
async def test_in_the_busy_hour_999_is_answered_in_time_while_101_comes_as_well(bench: Bench) -> None:
    """An hour of calls, the third quarter of it the busiest, at the staffing of the testbed; in virtual time."""
    rng = Random(SEED)
    even = (100 - figure("busiest_quarter")) / 3
    parts = (even, even, figure("busiest_quarter"), even)

    def plan(number: str) -> LoadPlan:
        calls, talk_s = int(figure(f"hour_{number}s")), figure(f"talk_{number}_s")
        return LoadPlan(
            number=number,
            calls=calls,
            per_second=calls / HOUR_S,
            hold_s=talk_s,
            answer_within_s=figure("patience_s"),
            speech=False,
            moments=moments(rng, calls, HOUR_S, parts=parts, mean_hold_s=talk_s),
        )

    emergency, other = await bench.call_load("callers-999"), await bench.call_load("callers-101")
    calls, others = await asyncio.gather(emergency.place(plan("999")), other.place(plan("101")))
    bench.measured("101 calls placed", len(others), "calls")
    bench.measured("101 calls answered", sum(call.answer_s is not None for call in others), "calls")
    judge(bench, calls)


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
