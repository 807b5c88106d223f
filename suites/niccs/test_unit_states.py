"""Unit states between the radio and command and control: what an officer's radio says is there, and what it says here.

Every test runs with the system in STORM's place and with what comes after it.
"""

from __future__ import annotations

import pytest

from harness.journal import Event
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = [
    pytest.mark.waits,
    pytest.mark.parametrize(
        "system", ["storm", pytest.param("next_generation", marks=pytest.mark.testbed("next-generation"))]
    ),
]
CALL_SIGN = "G01"
"""What command and control calls the officer's unit."""
STATUSES = (4, 5, 6)
TOLD_S = 5.0
REPLAYED_S = 30.0
"""What waits is told within this once the link is back."""


async def told_of(bench: Bench, system: str, number: int, *, after: int) -> Event:
    """The event of a state that command and control was told."""
    means = bench.testbed.statuses[number].means
    return await bench.journal.expect(system, "unit.state", within=REPLAYED_S, after=after, state=means)


async def test_a_status_sent_by_radio_is_the_units_state_at_command_and_control(bench: Bench, system: str) -> None:
    """Each status is the unit's state there, by radio, as dispatchers see it here."""
    dispatcher, officer = await bench.console("govan-31"), await bench.terminal("officer")
    storm, issi = await bench.command_control(), bench.issi("officer")
    if system == "next_generation":  # the other one is the run's testbed's, whichever that is
        assert (await storm.status())["shape"] == system
    assert (await storm.unit(CALL_SIGN))["issi"] == issi
    for number in STATUSES:
        after, began = bench.journal.position, bench.journal.now()
        await officer.send_status(bench.status_value(number), to=bench.issi("gateway-1"))
        await dispatcher.expect("unit.state", within=TOLD_S, after=after, issi=issi, status=number)
        told = await told_of(bench, storm.name, number, after=after)
        bench.measured(f"status {number} at command and control", told.time - began, "s", limit=TOLD_S)
        held = await storm.unit(CALL_SIGN)
        assert (held["state"], held["source"]) == (bench.testbed.statuses[number].means, "radio")


@requirement("NICCS-INT-006")
@pytest.mark.parametrize("fault", ["down", "loses_answers"])
async def test_states_that_came_while_the_link_was_lost_are_told_in_order_and_once(
    bench: Bench, system: str, fault: str
) -> None:
    """The radio goes on and dispatchers see it; once the link is back the unit has gone through each state, once."""
    dispatcher, officer = await bench.console("govan-31"), await bench.terminal("officer")
    storm, issi = await bench.command_control(), bench.issi("officer")
    await dispatcher.expect("command_control.link", within=TOLD_S, up=True)
    after = bench.journal.position
    sent = [*STATUSES, *STATUSES[:2]]
    await storm.fail(fault)
    try:
        for number in sent:
            step = bench.journal.position
            await officer.send_status(bench.status_value(number), to=bench.issi("gateway-1"))
            await dispatcher.expect("unit.state", within=TOLD_S, after=step, issi=issi, status=number)
        await dispatcher.expect("command_control.link", within=10.0, after=after, up=False)
        waiting = (await (await bench.supervisor()).reconciliation())["command_control"]["waiting"]
        assert waiting > 0, "nothing waits: the link was not lost"
        assert fault == "loses_answers" or waiting == len(sent)
    finally:
        await storm.recover()
    await (await bench.supervisor()).all_told(within=REPLAYED_S)
    last = bench.testbed.statuses[sent[-1]].means
    assert (await storm.unit(CALL_SIGN))["state"] == last
    came = [event for event in bench.journal if event.seq > after and event.source == storm.name]
    states = [str(event.data["state"]) for event in came if event.kind == "unit.state"]
    assert states == [bench.testbed.statuses[number].means for number in sent], "lost, doubled or out of order"


async def test_a_state_set_at_command_and_control_is_shown_at_every_console(bench: Bench, system: str) -> None:
    """Consoles show it with the call sign, whether the unit has a radio or not; a call taker's does as well."""
    consoles = [await bench.console("govan-31"), await bench.console("govan-12")]
    storm, issi = await bench.command_control(), bench.issi("officer")
    await consoles[0].expect("command_control.link", within=TOLD_S, up=True)
    for call_sign, radio in ((CALL_SIGN, issi), ("G02", None)):
        after = bench.journal.position
        await storm.set_unit_state(call_sign, "Assigned")
        shown = [
            await console.expect("unit.told", within=TOLD_S, after=after, unit=call_sign, state="Assigned")
            for console in consoles
        ]
        assert [event.data["issi"] for event in shown] == [radio, radio]
    unit = await consoles[0].unit(issi)
    assert (unit["call_sign"], unit["told"]) == (CALL_SIGN, "Assigned")


async def test_a_unit_that_command_and_control_does_not_know_is_said_to_be_refused(bench: Bench, system: str) -> None:
    """Its state is put aside with the reason, and what comes after it is told."""
    dispatcher, officer = await bench.console("govan-31"), await bench.terminal("officer")
    stranger, storm = await bench.terminal("sergeant"), await bench.command_control()
    gateway, after = bench.issi("gateway-1"), bench.journal.position
    await stranger.send_status(bench.status_value(5), to=gateway)
    about = f"issi:{bench.issi('sergeant')}"
    refused = await dispatcher.expect("command_control.refused", within=TOLD_S, after=after, about=about)
    assert "no unit" in str(refused.data["reason"])
    await officer.send_status(bench.status_value(5), to=gateway)
    await told_of(bench, storm.name, 5, after=after)
