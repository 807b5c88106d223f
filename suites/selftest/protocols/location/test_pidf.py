"""PIDF-LO: documents that others wrote, every shape there and back, and XML that is meant to hurt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PidfError
from harness.protocols.location.pidf import MAX_LOCATIONS, Location, Presence, build, parse
from harness.protocols.location.shapes import (
    CIVIC_NAMES,
    ArcBand,
    Circle,
    CivicAddress,
    Ellipse,
    Point,
    Polygon,
    Shape,
    bearing,
    distance,
    moved,
)
from harness.protocols.safe_xml import MAX_XML
from harness.protocols.times import LATEST

SPACES = (
    'xmlns="urn:ietf:params:xml:ns:pidf" xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10" '
    'xmlns:gbp="urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy" xmlns:gml="http://www.opengis.net/gml" '
    'xmlns:cl="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr" xmlns:gs="http://www.opengis.net/pidflo/1.0" '
    'xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"'
)
RFC_6442 = f"""<?xml version="1.0" encoding="UTF-8"?>
<presence {SPACES} entity="pres:alice@atlanta.example.com">
  <dm:device id="target123-1">
    <gp:geopriv>
      <gp:location-info>
        <gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>32.86726 -97.16054</gml:pos></gml:Point>
        <cl:civicAddress><cl:country>US</cl:country><cl:A1>Texas</cl:A1><cl:A3>Colleyville</cl:A3></cl:civicAddress>
      </gp:location-info>
      <gp:usage-rules>
        <gbp:retransmission-allowed>false</gbp:retransmission-allowed>
        <gbp:retention-expiry>2010-11-14T20:00:00Z</gbp:retention-expiry>
      </gp:usage-rules>
      <gp:method>802.11</gp:method>
    </gp:geopriv>
    <dm:deviceID>mac:1234567890ab</dm:deviceID>
    <dm:timestamp>2010-11-04T20:57:29Z</dm:timestamp>
  </dm:device>
</presence>
"""
"""Composed as RFC 6442's examples are."""


def document(info: str, *, after: str = "", holder: str = "dm:device") -> bytes:
    """A presence document with one location-info."""
    inner = f"<gp:geopriv><gp:location-info>{info}</gp:location-info>{after}</gp:geopriv>"
    if holder == "tuple":
        inner = f"<status>{inner}</status>"
    return f'<presence {SPACES} entity="pres:a@b"><{holder} id="x">{inner}</{holder}></presence>'.encode()


def test_a_document_of_the_rfc_s_kind_reads_as_it_says() -> None:
    presence = parse(RFC_6442.encode())
    assert presence.entity == "pres:alice@atlanta.example.com"
    assert presence.locations == (
        Location(
            shape=Point(32.86726, -97.16054),
            civic=CivicAddress({"country": "US", "A1": "Texas", "A3": "Colleyville"}),
            method="802.11",
            holder="device",
            id="target123-1",
            time=1288904249.0,
            retransmission_allowed=False,
            retention_expiry=1289764800.0,
        ),
    )
    assert presence.findings == ()


@pytest.mark.parametrize(
    ("info", "shape"),
    [
        (  # as a public location server's tests have it
            '<gs:ArcBand srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>42.5463 -73.2512</gml:pos>'
            '<gs:innerRadius uom="urn:ogc:def:uom:EPSG::9001">1661.55</gs:innerRadius>'
            '<gs:outerRadius uom="urn:ogc:def:uom:EPSG::9001">2215.4</gs:outerRadius>'
            '<gs:startAngle uom="urn:ogc:def:uom:EPSG::9102">266</gs:startAngle>'
            '<gs:openingAngle uom="urn:ogc:def:uom:EPSG::9102">120</gs:openingAngle></gs:ArcBand>',
            ArcBand(Point(42.5463, -73.2512), 1661.55, 2215.4, 266, 120),
        ),
        (  # as handsets of the GSMA's RCS send it
            '<gs:Circle srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>48.731964 -3.45829</gml:pos>'
            '<gs:radius uom="urn:ogc:def:uom:EPSG::9001">10</gs:radius></gs:Circle>',
            Circle(Point(48.731964, -3.45829), 10),
        ),
        (
            '<gml:Point srsName="urn:ogc:def:crs:EPSG::4979"><gml:pos>1 2 3</gml:pos></gml:Point>',
            Point(1, 2, 3),
        ),
        (
            '<gml:Polygon srsName="urn:ogc:def:crs:EPSG::4326"><gml:exterior><gml:LinearRing>'
            "<gml:posList>1 2 3 4 5 6 1 2</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>",
            Polygon((Point(1, 2), Point(3, 4), Point(5, 6))),
        ),
    ],
)
def test_shapes_that_others_wrote_are_read(info: str, shape: Shape) -> None:
    assert parse(document(info)).locations[0].shape == shape


def test_usage_rules_are_read_as_rfc_4119_s_own_examples_write_them() -> None:
    rules = (
        "<gp:usage-rules><gp:retransmission-allowed>yes</gp:retransmission-allowed>"
        "<gp:retention-expiry>2003-06-23T04:57:29Z</gp:retention-expiry></gp:usage-rules>"
    )
    civic = "<cl:civicAddress><cl:country>GB</cl:country></cl:civicAddress>"
    location = parse(document(civic, after=rules, holder="tuple")).locations[0]
    assert (location.retransmission_allowed, location.retention_expiry, location.holder) == (
        True,
        1056344249.0,
        "tuple",
    )


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ("", "an empty location-info"),
        ("<x/>", "is no location that is read"),
        ("<gs:Sphere/>", "Sphere: a shape that is not read"),
        ("<gml:Point><gml:pos>1</gml:pos></gml:Point>", "Point: 1 coordinates in 4326"),
        ("<gml:Point><gml:pos>91 0</gml:pos></gml:Point>", "Point: latitude 91.0 is not -90 to 90"),
        ("<gml:Point><gml:pos>nan 0</gml:pos></gml:Point>", "Point: 'nan' is no number"),
        ('<gml:Point srsName="epsg:4326"><gml:pos>1 2</gml:pos></gml:Point>', "Point: reference system 'epsg:4326'"),
        ("<gs:Circle><gml:pos>1 2</gml:pos></gs:Circle>", "Circle: there is no radius"),
        ('<gs:Circle><gml:pos>1 2</gml:pos><gs:radius uom="feet">1</gs:radius></gs:Circle>', "radius is in 'feet'"),
        ("<gml:Polygon/>", "Polygon: a polygon of 0 corners"),
        ("<cl:civicAddress><cl:PLANET>x</cl:PLANET></cl:civicAddress>", "address part 'PLANET'"),
    ],
)
def test_a_location_that_can_not_be_used_is_told(info: str, told: str) -> None:
    with pytest.raises(PidfError) as error:
        parse(document(info))
    assert told in str(error.value)


def test_what_can_not_be_read_does_not_hide_what_can() -> None:
    presence = parse(document("<gs:Sphere/><gml:Point><gml:pos>1 2</gml:pos></gml:Point>"))
    assert presence.locations[0].shape == Point(1, 2)
    assert presence.findings == ("Sphere: a shape that is not read",)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"hello",
        b"<presence/>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
        b"<a>" * 100 + b"</a>" * 100,
        b"<a>" + b"<b/>" * 3000 + b"</a>",
        b"<a>" + b" " * MAX_XML + b"</a>",
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        document("<gml:Point><gml:pos>1 2</gml:pos></gml:Point>")
        .replace(b"<dm:device", b"<dm:other")
        .replace(b"</dm:device", b"</dm:other"),
        document(
            "<gml:Point><gml:pos>1 2</gml:pos></gml:Point></gp:location-info></gp:geopriv>"
            "<gp:geopriv><gp:location-info>" * (MAX_LOCATIONS + 1)
        ),
    ],
    ids=range(11),
)
def test_xml_that_is_wrong_or_meant_to_hurt_is_told(octets: bytes) -> None:
    with pytest.raises(PidfError):
        parse(octets)


@pytest.mark.parametrize(
    "presence",
    [
        Presence("pres:a@b", ()),
        Presence("pres:a@b", (Location(),)),
        Presence("pres:\0", (Location(shape=Point(1, 2)),)),
        Presence("pres:a@b", (Location(shape=Point(1, 2), id="not a name"),)),
        Presence("pres:a@b", (Location(shape=Point(1, 2), holder="planet"),)),
        Presence("pres:a@b", (Location(shape=Point(1, 2), time=1e12),)),
        Presence("pres:a@b", (Location(civic=CivicAddress({"RD": "\udc80"})),)),
        Presence("pres:a@b", (Location(shape=Point(1, 2)),) * (MAX_LOCATIONS + 1)),
    ],
)
def test_what_can_not_be_held_is_not_written(presence: Presence) -> None:
    with pytest.raises(PidfError):
        build(presence)


lengths = st.floats(0, 40_000).map(lambda value: round(value, 3))
angles = st.floats(0, 360).map(lambda value: round(value, 3))
points = st.builds(
    Point,
    st.floats(-90, 90).map(lambda value: round(value, 7) + 0.0),
    st.floats(-180, 180).map(lambda value: round(value, 7) + 0.0),
    st.none() | st.floats(-500, 9_000).map(lambda value: round(value, 2) + 0.0),
)
flat = points.map(lambda point: Point(point.latitude, point.longitude))
bands = st.tuples(points, lengths, lengths, angles, angles).map(
    lambda each: ArcBand(each[0], min(each[1:3]), max(each[1:3]), each[3], each[4])
)
ellipses = st.tuples(points, lengths, lengths, angles).map(
    lambda each: Ellipse(each[0], max(each[1:3]), min(each[1:3]), each[3])
)
polygons = st.lists(flat, min_size=3, max_size=8, unique=True).map(lambda corners: Polygon(tuple(corners)))
shapes = points | st.builds(Circle, points, lengths) | bands | ellipses | polygons
words = st.text(
    st.characters(min_codepoint=33, exclude_categories=["Cs", "Cn", "Co", "Z", "C"]), min_size=1, max_size=20
)
civics = st.dictionaries(st.sampled_from(CIVIC_NAMES), words, min_size=1, max_size=8).map(CivicAddress)
moments = st.none() | st.integers(0, LATEST).map(float)
locations = st.builds(
    Location,
    shape=shapes,
    civic=st.none() | civics,
    method=st.sampled_from(["", "Cell", "GPS"]),
    holder=st.sampled_from(["tuple", "device", "person"]),
    time=moments,
    retransmission_allowed=st.none() | st.booleans(),
    retention_expiry=moments,
)


@given(st.lists(locations, min_size=1, max_size=3))
def test_what_is_written_is_read(each: list[Location]) -> None:
    presence = Presence("pres:+447700900123@example.com", tuple(each))
    assert parse(build(presence)) == presence


@given(st.binary(max_size=200))
def test_whatever_the_octets_nothing_but_the_named_error_comes(octets: bytes) -> None:
    written = build(Presence("pres:a@b", (Location(shape=Circle(Point(55.8, -4.2), 30)),)))
    for each in (octets, written.replace(b"30", octets), written.replace(b"Circle", octets), written + octets):
        try:
            parse(each)
        except PidfError:
            continue


@given(flat, st.floats(1, 50_000), st.floats(0, 359.9))
def test_a_position_that_was_moved_is_as_far_and_as_turned_as_told(start: Point, metres: float, angle: float) -> None:
    start = Point(max(-70, min(70, start.latitude)), max(-170, min(170, start.longitude)))
    there = moved(start, metres, angle)
    assert distance(start, there) == pytest.approx(metres, rel=0.02, abs=0.5)
    if metres > 100:
        off = (bearing(start, there) - angle + 180) % 360 - 180
        assert abs(off) < 2


def test_a_band_contains_what_lies_in_it_and_nothing_else() -> None:
    mast = Point(55.86, -4.25)
    band = ArcBand(mast, 500, 1000, 330, 60)
    assert band.contains(moved(mast, 750, 0))
    assert band.contains(moved(mast, 750, 345))
    assert not band.contains(moved(mast, 750, 180))
    assert not band.contains(moved(mast, 400, 0))
    assert not band.contains(moved(mast, 1100, 0))
