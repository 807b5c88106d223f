"""What fails is alarmed to supervisors in time, with severity and impact, once; the alarm ends with the fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

FIGURE = {"requirement": "NICCS-RES-008", "figure": "alarm_s"}
LATEST_S = 120.0
"""An alarm that comes later is not waited for; the figure is judged by what was measured."""
STANDS_S = 60.0
"""How long a fault goes on, so that one that is noticed again and again is seen to be one alarm."""
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
    alarm = await chief.expect("alarm.raised", within=LATEST_S, after=after, what=what)
    bench.measured(f"alarm: {what}", alarm.time - began, "s", **FIGURE)
    assert alarm.data["severity"] in SEVERITIES
    assert alarm.data["impact"], "what it costs is not told"
    assert alarm.data["fault"], "what failed is not told"
    await asyncio.sleep(STANDS_S)
    standing = [each for each in await supervisor.alarms() if each["what"] == what]
    assert [each["alarm"] for each in standing] == [alarm.data["alarm"]]
    before = bench.journal.position
    await cause(bench, fails=False)
    await chief.expect("alarm.ended", within=LATEST_S, after=before, alarm=alarm.data["alarm"])
    assert what not in {each["what"] for each in await supervisor.alarms()}
