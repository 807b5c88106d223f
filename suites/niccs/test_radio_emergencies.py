"""An officer's emergency at the consoles: who, where and on which group; acknowledged, or the supervisor alarmed."""

from __future__ import annotations

import asyncio

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.console import Console
from harness.drivers.mcptt import McpttRadio
from harness.drivers.radio import RadioTerminal
from harness.drivers.talking_radio import Ability, TalkingRadio, Technology
from harness.evidence.requirements import catalogue
from harness.journal import Event
from harness.protocols.tetra.lip import ShortLocation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.desk_party import DeskParty
from harness.testbed.since import Since

PLACE = ShortLocation(longitude=-4.3096, latitude=55.8622)
NEAR = 0.0005
"""Degrees that a place may be off: the resolution of LIP and of TS 23.032 is finer."""
ALARM_SLACK_S = 0.5
"""How much later than its time a supervisor alarm may show: a way over the control interface."""
CALL_ENDS_S = {Technology.TETRA: 10.0, Technology.MCPTT: 40.0}
"""A group call that nobody talks in is released within this time: on MCPTT T4 is 30 s (TS 24.380)."""
ONCE_S = 1.0
"""What belongs to one emergency has come by then."""


async def press(bench: Bench, officer: TalkingRadio) -> int:
    """Have an officer press the emergency key, as a terminal of that technology takes it; the press's number."""
    after = bench.journal.position
    if isinstance(officer, RadioTerminal):
        await officer.raise_emergency(location=PLACE)
        return after
    if isinstance(officer, McpttRadio):
        await officer.move_to(PLACE)
    await officer.emergency()
    return after


async def raised(bench: Bench, officer: TalkingRadio, *consoles: Console) -> tuple[str, int]:
    """Let the officer press the emergency key; return the emergency's name and the journal position before it."""
    after = await press(bench, officer)
    shown = [await console.expect("emergency.shown", within=2.0, after=after) for console in consoles]
    assert len({event.data["emergency"] for event in shown}) == 1, "consoles show different emergencies"
    return str(shown[0].data["emergency"]), after


def seconds(bench: Bench, officer: TalkingRadio, after: int, seen: Event) -> float:
    """Return how long after the press of the emergency key something was seen."""
    kind = "emergency.pressed" if isinstance(officer, RadioTerminal) else "ptt.pressed"
    pressed = bench.journal.find(officer.name, kind, after=after)
    assert pressed is not None
    return seen.time - pressed.time


@requirement("NICCS-RAD-007")
@in_each_technology(Ability.EMERGENCY_AT_CONSOLES)
@pytest.mark.waits  # each on a network of its own: an officer has one open emergency
async def test_an_emergency_is_shown_with_who_and_group_at_every_console_of_the_talkgroup(
    bench: Bench, desks: DeskParty
) -> None:
    """Id and group are in time at both consoles that monitor the talkgroup, and not at one that does not."""
    consoles = [await desks.dispatcher(), await desks.dispatcher(1)]
    elsewhere = await bench.console("govan-12")
    talkgroup = desks.talkgroups[0]
    officer = await desks.radio(talkgroup)
    emergency, after = await raised(bench, officer, *consoles)
    for console in consoles:
        shown = await console.expect("emergency.shown", within=1.0, after=after, emergency=emergency)
        assert shown.data["talkgroup"] == talkgroup
        assert shown.data.items() >= desks.named(officer).items()
        assert shown.data["alias"], "an emergency is shown without a name"
        waited = seconds(bench, officer, after, shown)
        bench.measured(f"emergency at {console.name}", waited, "s", requirement="NICCS-RAD-007", figure="shown_s")
    await asyncio.sleep(ONCE_S)
    shown_once = [event for event in bench.journal if event.seq > after and event.kind == "emergency.shown"]
    assert len(shown_once) == len(consoles), "call, status and place of one emergency are shown as several"
    assert bench.journal.find(elsewhere.name, "emergency.shown", after=after) is None


@requirement("NICCS-RAD-007")
@in_each_technology(Ability.PLACE_AT_CONSOLES)
@pytest.mark.waits
async def test_where_an_emergency_is_is_shown_at_every_console_of_the_talkgroup(bench: Bench, desks: DeskParty) -> None:
    """The place is in time at both consoles, with the emergency or after it."""
    consoles = [await desks.dispatcher(), await desks.dispatcher(1)]
    officer = await desks.radio(desks.talkgroups[0])
    emergency, after = await raised(bench, officer, *consoles)
    for console in consoles:
        place = await console.expect("emergency.shown", within=1.0, after=after, emergency=emergency)
        if place.data["lat"] is None:
            place = await console.expect("emergency.located", within=2.0, after=after, emergency=emergency)
        assert place.data["lat"] == pytest.approx(PLACE.latitude, abs=NEAR)
        assert place.data["lon"] == pytest.approx(PLACE.longitude, abs=NEAR)
        waited = seconds(bench, officer, after, place)
        bench.measured(f"place at {console.name}", waited, "s", requirement="NICCS-RAD-007", figure="shown_s")


@requirement("NICCS-RAD-007")
@in_each_technology(Ability.EMERGENCY_AT_CONSOLES)
@pytest.mark.waits  # each on a network of its own: an officer has one open emergency
async def test_an_emergency_in_a_call_that_is_up_is_shown_as_well(bench: Bench, desks: DeskParty) -> None:
    """An officer takes the floor from a dispatcher who talks: the console is told who, and that its floor is gone."""
    talkgroup = desks.talkgroups[0]
    dispatcher, officer = await desks.dispatcher(), await desks.radio(talkgroup)
    await dispatcher.key(talkgroup)
    await dispatcher.expect("ptt.granted", within=2.0, talkgroup=talkgroup)
    await officer.expect(officer.talk_shown, within=2.0)
    _, after = await raised(bench, officer, dispatcher)
    await dispatcher.expect("ptt.lost", within=2.0, after=after, talkgroup=talkgroup)
    shown = await dispatcher.expect("emergency.shown", within=1.0, after=after, **desks.named(officer))
    waited = seconds(bench, officer, after, shown)
    bench.measured("emergency in a call", waited, "s", requirement="NICCS-RAD-007", figure="shown_s")


@requirement("NICCS-RAD-009")
@in_each_technology(Ability.EMERGENCY_AT_CONSOLES)
@pytest.mark.waits
async def test_an_emergency_that_nobody_acknowledges_alarms_the_supervisor(bench: Bench, desks: DeskParty) -> None:
    """The alarm shows at the supervisor when the time is over and not before, and ends with the acknowledgement."""
    dispatcher, supervisor = await desks.dispatcher(), await bench.console("govan-50")
    wallboard, officer = await Since.now(await bench.supervisor()), await desks.radio(desks.talkgroups[0])
    limit = catalogue()["NICCS-RAD-009"].figure("unacknowledged_s").value
    emergency, after = await raised(bench, officer, dispatcher)
    shown = await dispatcher.expect("emergency.shown", within=1.0, after=after)
    alarm = await supervisor.expect("alarm.raised", within=limit + 2.0, after=after, emergency=emergency)
    waited = alarm.time - shown.time
    assert waited >= limit - ALARM_SLACK_S, f"the supervisor was alarmed after {waited:.2f} s already"
    bench.measured("supervisor alarm after the time for it", waited - limit, "s", limit=ALARM_SLACK_S)
    assert alarm.data["what"] == "emergency_unacknowledged"
    assert [each["emergency"] for each in await wallboard.alarms()] == [emergency]
    await dispatcher.acknowledge_emergency(emergency)
    await supervisor.expect("alarm.ended", within=1.0, after=after, alarm=alarm.data["alarm"])
    assert await wallboard.alarms() == []


@requirement("NICCS-RAD-010")
@in_each_technology(Ability.EMERGENCY_AT_CONSOLES)
@pytest.mark.waits
async def test_an_acknowledgement_is_shown_at_all_consoles_and_ends_the_matter_with_the_call(
    bench: Bench, desks: DeskParty
) -> None:
    """All consoles show by whom; no supervisor is alarmed; once the officer's call is over the emergency is cleared."""
    consoles = [await desks.dispatcher(), await desks.dispatcher(1), await bench.console("govan-50")]
    officer, wallboard = await desks.radio(desks.talkgroups[0]), await bench.supervisor()
    emergency, after = await raised(bench, officer, *consoles)
    began = bench.journal.now()
    await consoles[0].acknowledge_emergency(emergency)
    for console in consoles:
        told = await console.expect("emergency.acknowledged", within=2.0, after=after, emergency=emergency)
        assert told.data["acknowledged_by"] == consoles[0].position
        waited = told.time - began
        bench.measured(f"acknowledged at {console.name}", waited, "s", requirement="NICCS-RAD-010", figure="shown_s")
    await officer.unkey()
    ends = CALL_ENDS_S[desks.technology]
    for console in consoles:
        await console.expect("emergency.cleared", within=ends, after=after, emergency=emergency)
    assert emergency not in [each["emergency"] for each in await wallboard.emergencies()]
    assert bench.journal.find("govan-50", "alarm.raised", after=after, emergency=emergency) is None
