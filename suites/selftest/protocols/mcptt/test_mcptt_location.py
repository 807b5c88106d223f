"""location-info: what is written is read, places to the bit, strangers' spellings too, nonsense is named."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import McpttError, McpttLocalError
from harness.protocols.mcptt.location import (
    CONFIGURED,
    DISTANCE,
    LOG_ON,
    NAMESPACE,
    PERIODIC,
    Location,
    Place,
    PlaceRequest,
    Report,
    Triggers,
    read_location,
    write_location,
)

names = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40)
places = st.builds(Place.of, st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF))
said = st.one_of(
    st.builds(
        Triggers,
        st.none() | st.integers(1, 86_400),
        st.none() | st.integers(1, 100_000),
        st.booleans(),
        st.booleans(),
        st.integers(0, 86_400),
    ),
    st.builds(PlaceRequest, names),
    st.builds(Report, st.none() | places, st.lists(names.filter(bool), max_size=4).map(tuple), names, st.booleans()),
)


@given(said)
def test_what_is_written_is_read(location: Location) -> None:
    assert read_location(write_location(location)) == location


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF))
def test_a_place_of_24_bits_each_is_coded_as_these(latitude: int, longitude: int) -> None:
    assert Place.of(latitude, longitude).coded() == (latitude, longitude)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_place_is_told_as_near_as_its_bits(latitude: float, longitude: float) -> None:
    told = Place.of(*Place(latitude, longitude).coded())
    assert told.latitude == pytest.approx(latitude, abs=6e-6)
    assert told.longitude == pytest.approx(longitude, abs=1.2e-5)


@pytest.mark.parametrize(
    ("place", "coded"),
    [
        # TS 23.032 section 6.1: N <= 2^23 / 90 |X| < N + 1, its sign before; N <= 2^24 / 360 X < N + 1.
        (Place(45.0, 90.0), (0x400000, 0x400000)),
        (Place(-45.0, -90.0), (0xC00000, 0xC00000)),
        (Place(90.0, 180.0), (0x7FFFFF, 0x7FFFFF)),
        (Place(0.0, -180.0), (0, 0x800000)),
    ],
)
def test_places_are_coded_as_the_standard_says(place: Place, coded: tuple[int, int]) -> None:
    assert place.coded() == coded


@pytest.mark.parametrize("place", [Place(90.1, 0), Place(0, -180.1), Place(float("nan"), 0)])
def test_what_is_no_place_is_refused(place: Place) -> None:
    with pytest.raises(McpttLocalError, match="no place"):
        place.coded()


def test_another_implementations_configuration_is_read() -> None:
    """With a prefix, names of triggers of its own, the other spelling, and criteria that we do not know."""
    document = f"""<l:location-info xmlns:l="{NAMESPACE}"><l:Configuration ConfigScope="Full">
      <l:NonEmergencyLocationInformation><l:ServingEcgi/><l:GeographicalCoordinate/>
      <l:MinimumIntervalLength>10</l:MinimumIntervalLength></l:NonEmergencyLocationInformation>
      <l:TriggeringCriteria><l:CellChange><l:AnyCellChange TriggerId="c"/></l:CellChange>
      <l:PeriodicReport TriggerId="p1"> 30 </l:PeriodicReport>
      <l:TravelledDistance TriggerId="d1">200</l:TravelledDistance>
      <l:McpttSignallingEvent><l:InitialLogOn TriggerId="l1"/>
      <l:LocationConfigurationReceived TriggerId="configured"/></l:McpttSignallingEvent></l:TriggeringCriteria>
    </l:Configuration></l:location-info>""".encode()
    triggers = read_location(document)
    assert triggers == Triggers(30, 200, True, True, 10, ((PERIODIC, "p1"), (DISTANCE, "d1"), (LOG_ON, "l1")))
    assert isinstance(triggers, Triggers)
    assert [triggers.name(each) for each in (PERIODIC, CONFIGURED)] == ["p1", CONFIGURED]


def test_an_older_report_with_bare_numbers_is_read_and_one_by_cells_has_no_place() -> None:
    document = b"""<location-info><Report ReportID="7" ReportType="Emergency"><TriggerId>1</TriggerId><CurrentLocation>
      <CurrentCoordinate><longitude>4194304</longitude><latitude>4194304</latitude></CurrentCoordinate>
    </CurrentLocation></Report></location-info>"""
    report = read_location(document)
    assert isinstance(report, Report)
    assert report.place is not None
    assert (report.place.coded(), report.triggers, report.id, report.emergency) == (
        (4194304, 4194304),
        ("1",),
        "7",
        True,
    )
    cells = b"<location-info><Report><CurrentLocation><CurrentServingEcgi/></CurrentLocation></Report></location-info>"
    assert read_location(cells) == Report(None)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (b"<other/>", "not location-info"),
        (b"<location-info/>", "no Configuration, Request or Report"),
        (
            b"<location-info><Report><CurrentCoordinate><latitude>1</latitude></CurrentCoordinate></Report></location-info>",
            "without longitude",
        ),
        (
            b"<location-info><Report><CurrentCoordinate><latitude>16777216</latitude></CurrentCoordinate></Report>"
            b"</location-info>",
            "0 to 16777215 are due",
        ),
        (
            b"<location-info><Configuration><TriggeringCriteria><PeriodicReport>0</PeriodicReport></TriggeringCriteria>"
            b"</Configuration></location-info>",
            "1 to 86400 are due",
        ),
        (b"<location-info><Report>" + b"<TriggerId>1</TriggerId>" * 33 + b"</Report></location-info>", "33 triggers"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><location-info/>', "document type"),
    ],
)
def test_what_is_no_location_is_named(document: bytes, named: str) -> None:
    with pytest.raises(McpttError, match=named):
        read_location(document)


@pytest.mark.parametrize(
    "location", [Triggers(periodic_s=0), Triggers(distance_m=200_000), Triggers(minimum_s=-1), PlaceRequest("x" * 65)]
)
def test_what_can_not_be_told_is_refused(location: Location) -> None:
    with pytest.raises(McpttLocalError):
        write_location(location)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(octets: bytes) -> None:
    with contextlib.suppress(McpttError):
        read_location(octets)
