"""Where radios are, at the consoles: a place that a radio tells is on the map in time, as it was told."""

from __future__ import annotations

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.mcptt import McpttRadio
from harness.drivers.radio import RadioTerminal
from harness.drivers.talking_radio import Ability, TalkingRadio, Technology
from harness.errors import DriverError
from harness.protocols.tetra.lip import ShortLocation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.desk_party import DeskParty

PLACES = (
    ShortLocation(longitude=-4.3096, latitude=55.8622, position_error=1, velocity=28, direction=3),
    ShortLocation(longitude=-4.2518, latitude=55.8642, position_error=2, velocity=60, direction=12),
    ShortLocation(longitude=-1.6178, latitude=-54.9783, elapsed=1),
)
NEAR = 3e-5
"""Degrees that a place may be off: the resolution of LIP and of TS 23.032."""
NOBODY = 4_000_999
"""An ISSI that no radio has."""
FIGURE = {"requirement": "NICCS-INT-003", "figure": "displayed_s"}


async def tell(bench: Bench, officer: TalkingRadio, place: ShortLocation) -> None:
    """Have a radio tell where it is: a terminal to the gateway, a handset to its server."""
    if isinstance(officer, McpttRadio):
        await officer.send_location(place)
        return
    assert isinstance(officer, RadioTerminal)
    await officer.send_location(place, to=bench.issi("gateway-1"))


def told_beside(technology: Technology, place: ShortLocation) -> dict[str, object]:
    """What is told beside the coordinates: by LIP its error, speed and age; a handset's report has none of them."""
    if technology is Technology.MCPTT:
        return {"speed_kmh": None, "error_m": None, "fix_age_s": None}
    return {"speed_kmh": place.speed_kmh, "error_m": place.error_metres, "fix_age_s": place.fix_age_s}


@requirement("NICCS-INT-003")
@in_each_technology(Ability.PLACE_AT_CONSOLES)
async def test_a_place_that_a_radio_tells_is_displayed_in_time_at_every_console_with_a_map(
    bench: Bench, desks: DeskParty
) -> None:
    """From the moment at which the place is taken to its display: measured at both dispatchers and the supervisor."""
    consoles = [await desks.dispatcher(), await desks.dispatcher(1), await bench.console("govan-50")]
    elsewhere, officer = await bench.console("govan-12"), await desks.radio(desks.talkgroups[0])
    radio, named = bench.console_id(officer.name), desks.named(officer)
    first = bench.journal.position
    for number, place in enumerate(PLACES):
        after, taken = bench.journal.position, bench.journal.now()
        await tell(bench, officer, place)
        for console in consoles:
            shown = await console.expect("map.moved", within=20.0, after=after, **named)
            bench.measured(f"place {number} at {console.name}", shown.time - taken, "s", **FIGURE)
            assert shown.data["lat"] == pytest.approx(place.latitude, abs=NEAR)
            assert shown.data["lon"] == pytest.approx(place.longitude, abs=NEAR)
            assert shown.data.items() >= told_beside(desks.technology, place).items()
            assert shown.data["alias"], "a radio is on the map without a name"
            on_map = await console.place(radio)
            assert (on_map["lat"], on_map["lon"]) == (shown.data["lat"], shown.data["lon"])
            assert 0 <= on_map["age_s"] <= 20.0
    on_map = [each for each in await consoles[0].places() if each.items() >= named.items()]
    assert len(on_map) == 1, "old places stay on the map"
    assert bench.journal.find(elsewhere.name, "map.moved", after=first) is None


@requirement("NICCS-INT-003")
@in_each_technology(Ability.PLACE_AT_CONSOLES)
async def test_a_radio_that_has_told_nothing_is_not_on_the_map(bench: Bench, desks: DeskParty) -> None:
    """Its place is unknown, and is said to be."""
    console, officer = await desks.dispatcher(), await desks.radio(desks.talkgroups[0])
    known = bench.console_id(officer.name)
    nobody = NOBODY if isinstance(known, int) else f"sip:nobody@{known.rpartition('@')[2]}"
    with pytest.raises(DriverError, match="has not told where it is"):
        await console.place(nobody)
