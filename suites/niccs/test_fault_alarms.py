"""What fails is alarmed to supervisors in time, with severity and impact, once; the alarm ends with the fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from harness.drivers.call_load import LoadPlan
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

FIGURE = {"requirement": "NICCS-RES-008", "figure": "alarm_s"}
LATEST_S = 120.0
"""An alarm that comes later is not waited for; the figure is judged by what was measured."""
STANDS_S = 60.0
"""How long a fault goes on, so that one that is noticed again and again is seen to be one alarm."""
FLOOD = 30
"""Calls, and incidents, that meet what has failed."""
SEVERITIES = {"critical", "major", "minor"}


async def _command_control(bench: Bench, *, fails: bool) -> None:
    service = await bench.command_control()
    await (service.fail("silent") if fails else service.recover())


async def _location(bench: Bench, *, fails: bool) -> None:
    service = await bench.location_service()
    await (service.fail("down") if fails else service.recover())


async def _directory(bench: Bench, *, fails: bool) -> None:
    service = await bench.phone_book()
    await (service.fail("errors") if fails else service.recover())


async def _recorder(bench: Bench, *, fails: bool) -> None:
    await (await bench.supervisor()).fail_recorder("main", failed=fails)


@requirement("NICCS-RES-008")
@pytest.mark.waits
@pytest.mark.parametrize(
    ("what", "cause"),
    [
        ("command_control_lost", _command_control),
        ("location_lost", _location),
        ("directory_stale", _directory),
        ("recorder_failed", _recorder),
    ],
)
async def test_a_fault_is_alarmed_in_time_with_severity_and_impact_and_once(
    bench: Bench, what: str, cause: Callable[..., Awaitable[None]]
) -> None:
    """The alarm stands while the fault goes on, is there once, and ends when it is over."""
    chief, supervisor = await bench.console("govan-50"), await bench.supervisor()
    await supervisor.directory_read(within=LATEST_S)
    await supervisor.all_told(within=LATEST_S)
    after, began = bench.journal.position, bench.journal.now()
    await cause(bench, fails=True)
    try:
        alarm = await chief.expect("alarm.raised", within=LATEST_S, after=after, what=what)
        bench.measured(f"alarm: {what}", alarm.time - began, "s", **FIGURE)
        assert alarm.data["severity"] in SEVERITIES
        assert alarm.data["impact"], "what it costs is not told"
        assert alarm.data["fault"], "what failed is not told"
        await asyncio.sleep(STANDS_S)
        standing = [each for each in await supervisor.alarms() if each["what"] == what]
        assert [each["alarm"] for each in standing] == [alarm.data["alarm"]]
    finally:
        before = bench.journal.position
        await cause(bench, fails=False)
    await chief.expect("alarm.ended", within=LATEST_S, after=before, alarm=alarm.data["alarm"])
    assert what not in {each["what"] for each in await supervisor.alarms()}


@requirement("NFR-014")
@pytest.mark.waits
async def test_a_flood_of_failures_is_one_alarm_for_each_cause(bench: Bench) -> None:
    """Three services fail at once, and calls and incidents meet each of them again and again: three alarms stand."""
    causes = {
        "command_control_lost": _command_control,
        "location_lost": _location,
        "directory_stale": _directory,
    }
    chief, taker, supervisor = (
        await bench.console("govan-50"),
        await bench.console("govan-12"),
        await bench.supervisor(),
    )
    await supervisor.directory_read(within=LATEST_S)
    await supervisor.all_told(within=LATEST_S)
    after = bench.journal.position
    await asyncio.gather(*(cause(bench, fails=True) for cause in causes.values()))
    load = await bench.call_load()
    plan = LoadPlan(
        number="999",
        calls=FLOOD,
        per_second=FLOOD / STANDS_S,
        hold_s=1.0,
        answer_within_s=1.0,
        record=False,
        speech=False,
    )
    placing = asyncio.create_task(load.place(plan))
    for number in range(FLOOD):
        await taker.close_incident(await taker.open_incident(f"Alarm flood {number}"))
        await asyncio.sleep(STANDS_S / FLOOD)
    await placing
    for what in causes:
        await chief.expect("alarm.raised", within=LATEST_S, after=after, what=what)
    raised = [
        each.data for each in bench.journal.since(after) if (each.source, each.kind) == (chief.name, "alarm.raised")
    ]
    faults = [each["what"] for each in raised if "fault" in each]
    bench.measured("failures met", 2 * FLOOD, "calls and incidents")
    bench.measured("alarms raised for them", len(faults), "alarms", limit=len(causes), requirement="NFR-014")
    assert sorted(faults) == sorted(causes), "each cause is to be seen, and nothing else"
    standing = sorted(each["what"] for each in await supervisor.alarms() if each["what"] in causes)
    assert standing == sorted(causes)
    before = bench.journal.position
    await asyncio.gather(*(cause(bench, fails=False) for cause in causes.values()))
    for what in causes:
        await chief.expect("alarm.ended", within=LATEST_S, after=before, what=what)
