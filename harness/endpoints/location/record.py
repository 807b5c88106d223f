"""What of a caller's location goes into a journal: all of it for a test number, little of it for a person's.

A name, an address and an exact position are personal data. Where the caller's number is one that Ofcom reserves for
tests, they are invented and are kept. Else a journal keeps where it came from, how exact it is, the first half of the
postcode and the position to about a kilometre.
"""

from __future__ import annotations

from typing import Any

from harness.privacy import MASK, is_reserved
from harness.protocols.location.caller import CallerLocation
from harness.protocols.location.shapes import ArcBand, Circle, Ellipse, Point, Shape

COARSE_PLACES = 2
"""Decimal places of a degree that are kept of a person's position: about a kilometre."""


def fields(location: CallerLocation, cli: str) -> dict[str, Any]:
    """Return a location as journal fields: source, latitude, longitude, radius, postcode …, those that are known."""
    known = is_reserved(cli)
    found: dict[str, Any] = {"source": location.source.value}
    if location.area is not None:
        found |= _area(location.area, known)
    if location.subscriber is not None:
        who = location.subscriber
        found |= {
            "name": who.name if known else MASK * 3,
            "address": ", ".join(who.lines) if known else MASK * 3,
            "postcode": who.postcode if known else f"{who.postcode.partition(' ')[0]} {MASK * 3}",
        }
    if location.cell is not None:
        found["cell"] = location.cell.id
    for name, value in (("confidence", location.confidence), ("method", location.method), ("taken", location.time)):
        if value not in (None, ""):
            found[name] = value
    return found


def _area(area: Shape, known: bool) -> dict[str, Any]:
    match area:
        case Point():
            return _point(area, known)
        case Circle(centre, radius):
            return {**_point(centre, known), "radius": radius}
        case Ellipse(centre, semi_major, _, _):
            return {**_point(centre, known), "radius": semi_major}
        case ArcBand(centre, _, outer, start, opening):
            sector = {"radius": outer, "start_angle": start, "opening_angle": opening}
            return {**_point(centre, known), **sector}
    return {**_point(area.corners[0], known), "corners": len(area.corners)}


def _point(point: Point, known: bool) -> dict[str, float]:
    places = 6 if known else COARSE_PLACES
    return {"latitude": round(point.latitude, places), "longitude": round(point.longitude, places)}
