"""Statuses 0 to 16 from a radio change the unit's state that dispatchers see, and are in its incident's log."""

from __future__ import annotations

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.talking_radio import Ability
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

STATUSES = range(17)


@requirement("NICCS-RAD-021")
@in_each_technology(Ability.STATUS_AT_CONSOLES)
@pytest.mark.waits
async def test_each_status_changes_the_units_state_in_time(bench: Bench) -> None:
    """Each of 0 to 16 is shown with this force's meaning within the figure; those after the assignment are logged."""
    dispatcher, officer = await bench.console("govan-31"), await bench.terminal("officer")
    issi, gateway = bench.issi("officer"), bench.issi("gateway-1")
    incident = await dispatcher.open_incident("Disturbance")
    await dispatcher.assign_unit(issi, incident)
    for number in STATUSES:
        means = bench.testbed.statuses[number].means
        after, began = bench.journal.position, bench.journal.now()
        await officer.send_status(bench.status_value(number), to=gateway)
        shown = await dispatcher.expect("unit.state", within=5.0, after=after, issi=issi)
        assert (shown.data["status"], shown.data["means"]) == (number, means)
        took = {"requirement": "NICCS-RAD-021", "figure": "state_s"}
        bench.measured(f"status {number}", shown.time - began, "s", **took)
        assert (await dispatcher.unit(issi))["status"] == number
    log = [line["text"] for line in (await dispatcher.incident(incident))["log"]]
    due = [f"unit {issi}: status {number}, {bench.testbed.statuses[number].means}" for number in STATUSES]
    assert [line for line in log if "status" in line] == due
    await dispatcher.close_incident(incident)
