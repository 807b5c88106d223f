"""Where a caller may be: shapes of an uncertain position (RFC 5491 section 5), and civic addresses (RFC 5139).

Coordinates are WGS84 degrees, north and east positive; lengths are metres; angles are degrees clockwise from north.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

CIVIC_NAMES: Final = (
    *("country", "A1", "A2", "A3", "A4", "A5", "A6", "PRM", "PRD", "RD", "STS", "POD", "POM", "RDSEC", "RDBR"),
    *("RDSUBBR", "HNO", "HNS", "LMK", "LOC", "FLR", "NAM", "PC", "BLD", "UNIT", "ROOM", "SEAT", "PLC", "PCN"),
    *("POBOX", "ADDCODE"),
)
"""RFC 5139 section 3, in the order of its schema."""
MAX_CIVIC_VALUE: Final = 256
"""Characters of one part of an address."""
MAX_RADIUS_M: Final = 4e7
"""The earth's girth: no radius is longer."""
MAX_CORNERS: Final = 256
_METRES_PER_DEGREE: Final = 111_320.0


@dataclass(frozen=True, slots=True)
class Point:
    """A position with no uncertainty told."""

    latitude: float
    """-90 to 90."""
    longitude: float
    """-180 to 180."""
    altitude: float | None = None
    """Metres above the WGS84 ellipsoid."""

    def __post_init__(self) -> None:
        _check("latitude", self.latitude, -90, 90)
        _check("longitude", self.longitude, -180, 180)
        if self.altitude is not None:
            _check("altitude", self.altitude, -1e6, 1e9)


@dataclass(frozen=True, slots=True)
class Circle:
    """Somewhere within a radius: a cell without sectors, a handset's fix."""

    centre: Point
    radius: float
    """Metres, more than 0."""

    def __post_init__(self) -> None:
        _check("radius", self.radius, 0, MAX_RADIUS_M)


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Somewhere within an ellipse."""

    centre: Point
    semi_major: float
    semi_minor: float
    orientation: float
    """Of the major axis, 0 to less than 360."""

    def __post_init__(self) -> None:
        _check("semi-major axis", self.semi_major, 0, MAX_RADIUS_M)
        _check("semi-minor axis", self.semi_minor, 0, self.semi_major)
        _check("orientation", self.orientation, 0, 360)


@dataclass(frozen=True, slots=True)
class ArcBand:
    """Somewhere between two distances from a mast, in a sector: a cell with timing advance."""

    centre: Point
    """The mast."""
    inner_radius: float
    outer_radius: float
    start_angle: float
    """Where the sector begins, 0 to 360."""
    opening_angle: float
    """How wide it is, 0 to 360."""

    def __post_init__(self) -> None:
        _check("outer radius", self.outer_radius, 0, MAX_RADIUS_M)
        _check("inner radius", self.inner_radius, 0, self.outer_radius)
        _check("start angle", self.start_angle, 0, 360)
        _check("opening angle", self.opening_angle, 0, 360)

    def contains(self, point: Point) -> bool:
        """Whether a position lies in the band; exact enough for what a mast reaches (tens of kilometres)."""
        away = distance(self.centre, point)
        if not self.inner_radius <= away <= self.outer_radius:
            return False
        return (bearing(self.centre, point) - self.start_angle) % 360 <= self.opening_angle


@dataclass(frozen=True, slots=True)
class Polygon:
    """Somewhere within corners, the last joined to the first."""

    corners: tuple[Point, ...]

    def __post_init__(self) -> None:
        if not 3 <= len(self.corners) <= MAX_CORNERS:
            raise ValueError(f"a polygon of {len(self.corners)} corners; 3 to {MAX_CORNERS} are due")


Shape = Point | Circle | Ellipse | ArcBand | Polygon


@dataclass(frozen=True, slots=True)
class CivicAddress:
    """An address in parts, by RFC 5139's names: ``RD`` street, ``HNO`` house number, ``A3`` town, ``PC`` postcode …"""

    parts: Mapping[str, str]

    def __post_init__(self) -> None:
        for name, value in self.parts.items():
            if name not in CIVIC_NAMES:
                raise ValueError(f"{name[:20]!r} is no part of a civic address (RFC 5139)")
            if len(value) > MAX_CIVIC_VALUE:
                raise ValueError(f"{name} has {len(value)} characters; {MAX_CIVIC_VALUE} is the most")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Its parts in the order of the schema."""
        return ((name, self.parts[name]) for name in CIVIC_NAMES if name in self.parts)


def distance(one: Point, other: Point) -> float:
    """Metres between two positions, on a sphere."""
    lat_1, lat_2 = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    root = math.sin((lat_2 - lat_1) / 2) ** 2 + math.cos(lat_1) * math.cos(lat_2) * math.sin(east / 2) ** 2
    return 2 * _METRES_PER_DEGREE * math.degrees(math.asin(min(1.0, math.sqrt(root))))


def bearing(one: Point, other: Point) -> float:
    """Degrees clockwise from north in which ``other`` lies from ``one``, 0 to less than 360."""
    lat_1, lat_2 = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    y = math.sin(east) * math.cos(lat_2)
    x = math.cos(lat_1) * math.sin(lat_2) - math.sin(lat_1) * math.cos(lat_2) * math.cos(east)
    return math.degrees(math.atan2(y, x)) % 360


def moved(start: Point, metres: float, angle: float) -> Point:
    """Return the position ``metres`` from ``start`` in direction ``angle``; for distances of up to a few hundred km."""
    north = metres * math.cos(math.radians(angle)) / _METRES_PER_DEGREE
    east = metres * math.sin(math.radians(angle)) / _METRES_PER_DEGREE / math.cos(math.radians(start.latitude))
    return Point(round(start.latitude + north, 6), round(start.longitude + east, 6))


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} {value} is not {least:g} to {most:g}")
