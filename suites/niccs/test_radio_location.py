"""Where radios are, at the consoles: a place that a terminal tells is on the map in time, as it was told."""

from __future__ import annotations

import pytest

from harness.errors import DriverError
from harness.protocols.tetra.lip import ShortLocation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

PLACES = (
    ShortLocation(longitude=-4.3096, latitude=55.8622, position_error=1, velocity=28, direction=3),
    ShortLocation(longitude=-4.2518, latitude=55.8642, position_error=2, velocity=60, direction=12),
    ShortLocation(longitude=-1.6178, latitude=-54.9783, elapsed=1),
)
NEAR = 2e-5
"""Degrees that a place may be off: LIP's resolution."""
NOBODY = 4_000_999
"""An ISSI that no radio has."""
FIGURE = {"requirement": "NICCS-INT-003", "figure": "displayed_s"}


@requirement("NICCS-INT-003")
async def test_a_place_that_a_radio_tells_is_displayed_in_time_at_every_console_with_a_map(bench: Bench) -> None:
    """From the moment at which the place is taken to its display: measured at both dispatchers and the supervisor."""
    consoles = [await bench.console(name) for name in ("govan-31", "govan-32", "govan-50")]
    elsewhere, officer, issi = await bench.console("govan-12"), await bench.terminal("officer"), bench.issi("officer")
    first = bench.journal.position
    for number, place in enumerate(PLACES):
        after, taken = bench.journal.position, bench.journal.now()
        await officer.send_location(place, to=bench.issi("gateway-1"))
        for console in consoles:
            shown = await console.expect("map.moved", within=20.0, after=after, issi=issi)
            bench.measured(f"place {number} at {console.name}", shown.time - taken, "s", **FIGURE)
            assert shown.data["lat"] == pytest.approx(place.latitude, abs=NEAR)
            assert shown.data["lon"] == pytest.approx(place.longitude, abs=NEAR)
            assert shown.data["speed_kmh"] == place.speed_kmh
            assert shown.data["error_m"] == place.error_metres
            assert shown.data["fix_age_s"] == place.fix_age_s
            assert shown.data["alias"], "a radio is on the map without a name"
            on_map = await console.place(issi)
            assert (on_map["lat"], on_map["lon"]) == (shown.data["lat"], shown.data["lon"])
            assert 0 <= on_map["age_s"] <= 20.0
    assert [each["issi"] for each in await consoles[0].places()].count(issi) == 1, "old places stay on the map"
    assert bench.journal.find(elsewhere.name, "map.moved", after=first) is None


@requirement("NICCS-INT-003")
async def test_a_radio_that_has_told_nothing_is_not_on_the_map(bench: Bench) -> None:
    """Its place is unknown, and is said to be."""
    console = await bench.console("govan-31")
    with pytest.raises(DriverError, match="has not told where it is"):
        await console.place(NOBODY)
