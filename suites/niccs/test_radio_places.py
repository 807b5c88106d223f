"""Where radios are, from radio to radio: told or asked for; a handset that moves tells it by itself.

What the consoles show of it is `test_radio_location.py`'s and `test_vehicle_reports.py`'s.
"""

from __future__ import annotations

import asyncio

import pytest

from fixtures.radio import swapped
from harness.drivers.mcptt import McpttRadio
from harness.drivers.radio import RadioTerminal
from harness.drivers.talking_radio import Ability, TalkingRadio, Technology
from harness.journal import Event
from harness.measure.reports import Report, gaps
from harness.protocols.location.shapes import Point, moved
from harness.protocols.tetra.lip import ShortLocation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.radio_party import RadioParty

PLACES = (
    ShortLocation(longitude=-4.3096, latitude=55.8622),
    ShortLocation(longitude=-4.2518, latitude=55.8642),
    ShortLocation(longitude=-1.6178, latitude=-54.9783),
)
NEAR = 3e-5
"""Degrees that a place may be off: the resolution of LIP and of TS 23.032."""
START, EAST = Point(55.8600, -4.3100), 90.0
WATCHED_S = 120


async def told(bench: Bench, radio: TalkingRadio, other: TalkingRadio, place: ShortLocation) -> Event:
    """Have a radio be somewhere and the other one know; returns what that one shows."""
    after = bench.journal.position
    if isinstance(radio, McpttRadio):
        assert isinstance(other, McpttRadio)
        await radio.send_location(place)
        return await other.ask_location(str(bench.radio_id(radio.name)))
    assert isinstance(radio, RadioTerminal)
    await radio.send_location(place, to=bench.issi(other.name))
    return await other.expect("location.received", within=20.0, after=after, issi=bench.issi(radio.name))


@requirement("NICCS-INT-003")
async def test_another_radio_knows_in_time_where_one_is(bench: Bench, radios: RadioParty) -> None:
    """From the moment at which the place is taken."""
    radios.needs(Ability.POSITION)
    radio, other = await radios.talker(), await radios.listener()
    for number, place in enumerate(PLACES):
        taken = bench.journal.now()
        known = await told(bench, radio, other, place)
        waited, name = known.time - taken, f"place {number} {radios.technology}"
        bench.measured(name, waited, "s", requirement="NICCS-INT-003", figure="displayed_s")
        assert (known.data["lat"], known.data["lon"]) == pytest.approx((place.latitude, place.longitude), abs=NEAR)


@requirement("NICCS-INT-004")
@pytest.mark.waits
@pytest.mark.parametrize("radio_technology", [pytest.param(Technology.MCPTT, marks=swapped(Technology.MCPTT))])
@pytest.mark.parametrize("speed_kmh", [0.0, 20.0, 112.0])
async def test_a_handset_that_moves_reports_before_the_time_or_the_way_is_over(
    bench: Bench, radios: RadioParty, speed_kmh: float
) -> None:
    """A fix a second, as a receiver has: every gap between its reports is within both figures."""
    radio = await radios.talker()
    assert isinstance(radio, McpttRadio)
    at, after = START, bench.journal.position
    await radio.send_location(at)
    for _ in range(WATCHED_S):
        await asyncio.sleep(1.0)
        at = moved(at, speed_kmh / 3.6, EAST)
        await radio.move_to(at)
    sent = [event for event in bench.journal if event.seq > after and event.kind == "location.sent"]
    reports = [
        Report(each.time, Point(each.data["lat"], each.data["lon"])) for each in sent if each.source == radio.name
    ]
    assert len(reports) > WATCHED_S / 30
    for gap in gaps(reports, until=bench.journal.now()):
        bench.measured("time since the report before", gap.seconds, "s", requirement="NICCS-INT-004", figure="report_s")
        bench.measured("way since the report before", gap.metres, "m", requirement="NICCS-INT-004", figure="report_m")
