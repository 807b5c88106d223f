"""Vehicles that move report where they are often enough: every gap at the console's map, in time and in way."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from harness.errors import DriverError, ExpectationError
from harness.journal import Event
from harness.measure.reports import Gap, Report, gaps
from harness.protocols.location.shapes import Point, distance
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = [pytest.mark.waits, pytest.mark.testbed("tracking")]

THROUGH_TOWN = [(55.8600, -4.3100), (55.8600, -4.2900), (55.8650, -4.2900), (55.8650, -4.2500), (55.8700, -4.2450)]
"""With corners: between two reports a vehicle goes farther than the straight line."""
WATCHED_S = 150.0
ARRIVES_S = 2.0
"""A report is on the map this soon after it was sent."""


def figure(name: str) -> dict[str, str]:
    return {"requirement": "NICCS-INT-004", "figure": name}


async def watched(bench: Bench, car: str, speed_kmh: float) -> tuple[list[Event], list[Gap]]:
    """Let a car drive and return what came on the console's map of it, and the gaps."""
    console, network = await bench.console("govan-31"), await bench.radio_network()
    issi, after = bench.issi(car), bench.journal.position
    await network.drive(issi, THROUGH_TOWN, speed_kmh=speed_kmh)
    await asyncio.sleep(WATCHED_S)
    await network.park(issi)
    moved = [
        event
        for event in bench.journal
        if (event.source, event.kind) == (console.name, "map.moved")
        and event.seq > after
        and event.data["issi"] == issi
    ]
    reports = [Report(event.time, Point(event.data["lat"], event.data["lon"])) for event in moved]
    return moved, gaps(reports, until=bench.journal.now())


def hold(bench: Bench, car: str, found: list[Gap]) -> None:
    """Hold every gap against both figures."""
    for gap in found:
        bench.measured(f"{car}, time since the report before", gap.seconds, "s", **figure("report_s"))
        bench.measured(f"{car}, way since the report before", gap.metres, "m", **figure("report_m"))


@requirement("NICCS-INT-004")
@pytest.mark.parametrize("speed_kmh", [0.0, 20.0, 112.0])
async def test_a_vehicle_reports_before_the_time_or_the_way_is_over(bench: Bench, speed_kmh: float) -> None:
    """At a stand, in traffic and on the motorway: every gap is within both figures."""
    moved, found = await watched(bench, "car-1", speed_kmh)
    hold(bench, "car-1", found)
    way_m = sum(distance(Point(*one), Point(*two)) for one, two in pairwise(THROUGH_TOWN))
    due = max(min(WATCHED_S * speed_kmh / 3.6, way_m) / 200, WATCHED_S / 30)
    assert len(moved) >= due, f"{len(moved)} reports in {WATCHED_S:g} s: the vehicle was not followed"
    if speed_kmh:
        assert moved[1].data["speed_kmh"] == pytest.approx(speed_kmh, rel=0.03)
        assert moved[1].data["direction_deg"] == 90.0
    if speed_kmh * WATCHED_S / 3.6 > way_m:
        last = moved[-1].data
        assert (last["lat"], last["lon"]) == pytest.approx(THROUGH_TOWN[-1], abs=2e-5)
        assert last["speed_kmh"] == 0.0


@requirement("NICCS-INT-004")
@pytest.mark.parametrize(("speed_kmh", "over"), [(5.0, "time"), (112.0, "way")])
async def test_a_vehicle_that_reports_too_seldom_is_found(bench: Bench, speed_kmh: float, over: str) -> None:
    """A wrong codeplug: slowly, its reports are too far apart in time; fast, in way."""
    _, found = await watched(bench, "car-3", speed_kmh)
    with pytest.raises(ExpectationError, match=f"car-3, {over} since the report before is .* is allowed"):
        hold(bench, "car-3", found)


@requirement("NICCS-INT-003", "NICCS-INT-004")
async def test_a_vehicle_out_of_reach_is_a_gap_and_reports_at_once_when_it_is_back(bench: Bench) -> None:
    """Its site is cut off: no report comes, and the map says how old the place is; back again, one comes at once."""
    console, network, issi = await bench.console("govan-31"), await bench.radio_network(), bench.issi("car-2")
    await network.drive(issi, THROUGH_TOWN, speed_kmh=50.0)
    await console.expect("map.moved", within=ARRIVES_S, issi=issi)
    await network.cut_site("motherwell")
    await network.expect("site.fallback", within=20.0, site="motherwell")
    lost = bench.journal.position
    await asyncio.sleep(90.0)
    assert bench.journal.find(console.name, "map.moved", after=lost, issi=issi) is None
    assert (await console.place(issi))["age_s"] >= 90.0, "the map shows an old place as if it were new"
    await network.restore_site("motherwell")
    back = await network.expect("site.wide_again", within=20.0, after=lost, site="motherwell")
    again = await console.expect("map.moved", within=5.0, after=back.seq, issi=issi)
    sent = await network.expect("place.reported", within=0.0, after=lost, issi=issi)
    assert sent.data["travelled_m"] > 1000
    bench.measured("place after being out of reach", again.time - back.time, "s", limit=1.0 + ARRIVES_S)
    await network.park(issi)


async def test_a_terminal_that_reports_nothing_can_not_be_driven(bench: Bench) -> None:
    """Nothing would ever come of it: the driver says so."""
    network = await bench.radio_network()
    with pytest.raises(DriverError, match="reports no places"):
        await network.drive(bench.issi("gateway-1"), THROUGH_TOWN, speed_kmh=50.0)
    with pytest.raises(DriverError, match="not under way"):
        await network.park(bench.issi("car-1"))
