"""An officer's emergency at the consoles: who, where and on which group; acknowledged, or the supervisor alarmed."""

from __future__ import annotations

import pytest

from harness.drivers.console import Console
from harness.evidence.requirements import catalogue
from harness.journal import Event
from harness.protocols.tetra.lip import ShortLocation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

TALKGROUP = "GD-OPS-1"
PLACE = ShortLocation(longitude=-4.3096, latitude=55.8622)
NEAR = 0.0005
"""Degrees that a place may be off: LIP's resolution is finer."""
ALARM_SLACK_S = 0.5
"""How much later than its time a supervisor alarm may show: a way over the control interface."""
CALL_ENDS_S = 10.0
"""A group call that nobody talks in is released within this time."""


async def raised(bench: Bench, *consoles: Console) -> tuple[str, int]:
    """Let the officer press the emergency key; return the emergency's name and the journal position before it."""
    officer = await bench.terminal("officer")
    after = bench.journal.position
    await officer.raise_emergency(location=PLACE)
    shown = [await console.expect("emergency.shown", within=2.0, after=after) for console in consoles]
    assert len({event.data["emergency"] for event in shown}) == 1, "consoles show different emergencies"
    return str(shown[0].data["emergency"]), after


def seconds(bench: Bench, after: int, seen: Event) -> float:
    """Return how long after the press of the emergency key something was seen."""
    pressed = bench.journal.find("officer", "emergency.pressed", after=after)
    assert pressed is not None
    return seen.time - pressed.time


@requirement("NICCS-RAD-007")
@pytest.mark.waits  # each on a network of its own: an officer has one open emergency
async def test_an_emergency_is_shown_with_who_where_and_group_at_every_console_of_the_talkgroup(bench: Bench) -> None:
    """Id, group and place are in time at both consoles that monitor the talkgroup, and not at one that does not."""
    consoles = [await bench.console("govan-31"), await bench.console("govan-32")]
    elsewhere = await bench.console("govan-12")
    emergency, after = await raised(bench, *consoles)
    issi = bench.issi("officer")
    for console in consoles:
        shown = await console.expect("emergency.shown", within=1.0, after=after, emergency=emergency)
        assert (shown.data["issi"], shown.data["talkgroup"]) == (issi, TALKGROUP)
        assert shown.data["alias"], "an emergency is shown without a name"
        place = shown
        if shown.data["lat"] is None:
            place = await console.expect("emergency.located", within=2.0, after=after, emergency=emergency)
        assert place.data["lat"] == pytest.approx(PLACE.latitude, abs=NEAR)
        assert place.data["lon"] == pytest.approx(PLACE.longitude, abs=NEAR)
        waited = seconds(bench, after, place)
        bench.measured(f"emergency at {console.name}", waited, "s", requirement="NICCS-RAD-007", figure="shown_s")
    shown_once = [event for event in bench.journal if event.seq > after and event.kind == "emergency.shown"]
    assert len(shown_once) == len(consoles), "call, status and place of one emergency are shown as several"
    assert bench.journal.find(elsewhere.name, "emergency.shown", after=after) is None


@requirement("NICCS-RAD-007")
@pytest.mark.waits  # each on a network of its own: an officer has one open emergency
async def test_an_emergency_in_a_call_that_is_up_is_shown_as_well(bench: Bench) -> None:
    """An officer takes the floor from a dispatcher who talks: the console is told who, and that its floor is gone."""
    dispatcher, officer = await bench.console("govan-31"), await bench.terminal("officer")
    await dispatcher.key(TALKGROUP)
    await dispatcher.expect("ptt.granted", within=2.0, talkgroup=TALKGROUP)
    await officer.expect("talker.shown", within=2.0)
    _, after = await raised(bench, dispatcher)
    await dispatcher.expect("ptt.lost", within=2.0, after=after, talkgroup=TALKGROUP)
    shown = await dispatcher.expect("emergency.shown", within=1.0, after=after, issi=bench.issi("officer"))
    waited = seconds(bench, after, shown)
    bench.measured("emergency in a call", waited, "s", requirement="NICCS-RAD-007", figure="shown_s")


@requirement("NICCS-RAD-009")
@pytest.mark.waits
async def test_an_emergency_that_nobody_acknowledges_alarms_the_supervisor(bench: Bench) -> None:
    """The alarm shows at the supervisor when the time is over and not before, and ends with the acknowledgement."""
    dispatcher, supervisor = await bench.console("govan-31"), await bench.console("govan-50")
    wallboard = await bench.supervisor()
    limit = catalogue()["NICCS-RAD-009"].figure("unacknowledged_s").value
    emergency, after = await raised(bench, dispatcher)
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
@pytest.mark.waits
async def test_an_acknowledgement_is_shown_at_all_consoles_and_ends_the_matter_with_the_call(bench: Bench) -> None:
    """All consoles show by whom; no supervisor is alarmed; once the officer's call is over the emergency is cleared."""
    consoles = [await bench.console("govan-31"), await bench.console("govan-32"), await bench.console("govan-50")]
    officer, wallboard = await bench.terminal("officer"), await bench.supervisor()
    emergency, after = await raised(bench, *consoles)
    began = bench.journal.now()
    await consoles[0].acknowledge_emergency(emergency)
    for console in consoles:
        told = await console.expect("emergency.acknowledged", within=2.0, after=after, emergency=emergency)
        assert told.data["acknowledged_by"] == "govan-31"
        waited = told.time - began
        bench.measured(f"acknowledged at {console.name}", waited, "s", requirement="NICCS-RAD-010", figure="shown_s")
    await officer.unkey()
    for console in consoles:
        await console.expect("emergency.cleared", within=CALL_ENDS_S, after=after, emergency=emergency)
    assert await wallboard.emergencies() == []
    assert bench.journal.find("govan-50", "alarm.raised", after=after) is None
