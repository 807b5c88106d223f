"""Statuses 0 to 16 from a radio change the unit's state that dispatchers see, and are in its incident's log."""

from __future__ import annotations

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.mcptt import McpttRadio
from harness.drivers.radio import RadioTerminal
from harness.drivers.talking_radio import Ability, TalkingRadio, Technology
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.desk_party import DeskParty

STATUSES = range(17)


CALL_SIGNS = {Technology.TETRA: "G03", Technology.MCPTT: "G11"}
"""What command and control calls the officer's unit."""
AT_SCENE = 5


async def send_status(bench: Bench, officer: TalkingRadio, number: int) -> None:
    """Have an officer send a status as a radio of that technology does: to the gateway, or to the talkgroup in use."""
    if isinstance(officer, McpttRadio):
        await officer.send_status(bench.status_value(number))
        return
    assert isinstance(officer, RadioTerminal)
    await officer.send_status(bench.status_value(number), to=bench.issi("gateway-1"))


@requirement("NICCS-RAD-021")
@in_each_technology(Ability.STATUS_AT_CONSOLES)
@pytest.mark.waits
async def test_each_status_changes_the_units_state_in_time(bench: Bench, desks: DeskParty) -> None:
    """Each of 0 to 16 is shown with this force's meaning within the figure; those after the assignment are logged."""
    dispatcher, officer = await desks.dispatcher(), await desks.radio(desks.talkgroups[0])
    unit = bench.console_id(officer.name)
    incident = await dispatcher.open_incident("Disturbance")
    await dispatcher.assign_unit(unit, incident)
    for number in STATUSES:
        means = bench.testbed.statuses[number].means
        after, began = bench.journal.position, bench.journal.now()
        await send_status(bench, officer, number)
        shown = await dispatcher.expect("unit.state", within=5.0, after=after, **desks.named(officer))
        assert (shown.data["status"], shown.data["means"]) == (number, means)
        took = {"requirement": "NICCS-RAD-021", "figure": "state_s"}
        bench.measured(f"status {number}", shown.time - began, "s", **took)
        assert (await dispatcher.unit(unit))["status"] == number
    log = [line["text"] for line in (await dispatcher.incident(incident))["log"]]
    due = [f"unit {unit}: status {number}, {bench.testbed.statuses[number].means}" for number in STATUSES]
    assert [line for line in log if "status" in line] == due
    await dispatcher.close_incident(incident)


@requirement("NICCS-RAD-021")
@in_each_technology(Ability.STATUS_AT_CONSOLES)
async def test_a_status_is_the_units_state_at_command_and_control_in_time(bench: Bench, desks: DeskParty) -> None:
    """And what command and control's operator sets is shown at the console as that unit's."""
    dispatcher, officer = await desks.dispatcher(), await desks.radio(desks.talkgroups[0])
    system, call_sign = await bench.command_control(), CALL_SIGNS[desks.technology]
    await dispatcher.expect("command_control.link", within=5.0, up=True)
    after, began = bench.journal.position, bench.journal.now()
    await send_status(bench, officer, AT_SCENE)
    means = bench.testbed.statuses[AT_SCENE].means
    told = await bench.journal.expect(system.name, "unit.state", within=5.0, after=after, state=means)
    bench.measured("at command and control", told.time - began, "s", requirement="NICCS-RAD-021", figure="state_s")
    held = await system.unit(call_sign)
    assert (held["state"], held["source"]) == (means, "radio")
    await system.set_unit_state(call_sign, "Assigned")
    await dispatcher.expect("unit.told", within=5.0, after=after, unit=call_sign, **desks.named(officer))
    unit = await dispatcher.unit(bench.console_id(officer.name))
    assert (unit["status"], unit["call_sign"], unit["told"]) == (AT_SCENE, call_sign, "Assigned")
