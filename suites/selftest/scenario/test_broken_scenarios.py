"""The project's scenarios fail where what they judge is broken: by the simulators' own faults and settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.drivers.behaviour import Behaviour
from harness.errors import ExpectationError
from harness.pytest_plugin import PROJECT
from harness.scenario.load import load_with_lines
from harness.scenario.player import replay
from harness.testbed.bench import Bench

SCENARIOS = PROJECT / "fixtures" / "scenarios"


def sooner(folder: Path, name: str, **times: int) -> Path:
    """A copy of a scenario in which variables have these values: nobody waits an hour for what is judged before."""
    text = (SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8")
    for variable, value in times.items():
        text, found = re.subn(rf"\b{variable}: \d+", f"{variable}: {value}", text)
        assert found == 1, variable
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


async def fails(bench: Bench, path: Path, told: str) -> None:
    """Play a scenario and see it fail with these words (a pattern)."""
    scenario, lines = load_with_lines(path)
    with pytest.raises(ExpectationError, match=told):
        await replay(scenario, bench, lines)


@pytest.mark.testbed("service-centre")
async def test_a_repeat_caller_of_whom_the_crm_tells_nothing_in_time(bench: Bench) -> None:
    await (await bench.crm()).fail("slow", seconds=3.0)
    await fails(bench, SCENARIOS / "11-repeat-caller.yaml", r"expect crm\.shown")


HOUR = {"graded_at": 30, "told_at": 40, "traced_at": 50, "regraded_at": 60, "booked_at": 70, "text_due_at": 140}


@pytest.mark.testbed("service-centre")
async def test_a_missing_teenager_of_whom_command_and_control_is_told_nothing(bench: Bench, tmp_path: Path) -> None:
    await (await bench.command_control()).fail("down")
    await fails(bench, sooner(tmp_path, "07-missing-teenager", **HOUR), r"(?s)c2: has log .*INC-000001")


@pytest.mark.testbed("service-centre")
async def test_an_appointment_of_which_no_text_comes(bench: Bench, tmp_path: Path) -> None:
    await (await bench.sms_network()).fail("lost")
    await fails(bench, sooner(tmp_path, "07-missing-teenager", **HOUR), r"mobile: gets [^\n]*\n.* was to get a text")


@pytest.mark.testbed("major-incident")
async def test_a_major_incident_whose_units_are_not_reached(bench: Bench) -> None:
    await (await bench.radio_network()).cut_site("clydeside")
    await fails(bench, SCENARIOS / "08-major-incident.yaml", r"share dgna.unit dispatcher is 40.000 %; .*NICCS-RAD-013")


@pytest.mark.testbed("major-incident")
async def test_a_major_incident_of_which_command_and_control_has_not_all_facts(bench: Bench) -> None:
    await (await bench.command_control()).fail("errors")
    await fails(bench, SCENARIOS / "08-major-incident.yaml", r"supervisor: sees all told")


@pytest.mark.testbed("surge")
async def test_a_surge_in_which_a_caller_is_called_back_and_not_reached(bench: Bench) -> None:
    (await bench.scripted_phone("caller-1")).behave(Behaviour(never_answer=True))
    await fails(bench, SCENARIOS / "06-101-surge.yaml", r"expect call\.connected on adviser")


@pytest.mark.testbed("surge")
async def test_a_surge_that_999_does_not_hold(bench: Bench, tmp_path: Path) -> None:
    """The same step, where 40 call 999 at once and not one after the other; the rest of the surge is left out."""
    path = sooner(tmp_path, "06-101-surge")
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    kept = lines[: lines.index("timeline:\n") + 1] + [line for line in lines if line.startswith("  - emergencies: ")]
    path.write_text("".join(kept).replace("over: 1500 s", "over: 0 s, at_once: 40"), encoding="utf-8")
    await fails(bench, path, r"answered within 10 s, emergencies is .* at least 90 % is due \(NICCS-TEL-002\)")


SOON = {"told_at": 20, "owned_at": 30, "confirmed_at": 700}


@pytest.mark.testbed("evacuation")
async def test_an_evacuation_after_which_nobody_serves_the_queue(bench: Bench, tmp_path: Path) -> None:
    """Whoever was to take Bilston's calls is on a break, and takes only what is passed to them."""
    await (await bench.console("govan-01")).go("break")
    await fails(bench, sooner(tmp_path, "04-evacuation", **SOON), r"expect call\.ringing on govan")


@pytest.mark.testbed("evacuation")
async def test_an_evacuation_after_which_no_officer_hears_the_new_owner(bench: Bench, tmp_path: Path) -> None:
    await (await bench.radio_network()).cut_site("lothian")
    await fails(bench, sooner(tmp_path, "04-evacuation", **SOON), r"expect voice\.heard on officer")
