"""What of a caller's location goes into a journal: all of it for a test number, little of it for a person's.

A name, an address and an exact position are personal data. Where the caller's number is one that Ofcom reserves for
tests, they are invented and are kept. Else a journal keeps where it came from, how exact it is, the first half of the
postcode and the position to about a kilometre.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.privacy import MASK, is_reserved
from harness.protocols.location.caller import CallerLocation
from harness.protocols.location.shapes import ArcBand, Circle, Ellipse, Point, Shape

COARSE_PLACES = 2
"""Decimal places of a degree that are kept of a person's position: about a kilometre."""


def fields(location: CallerLocation, cli: str) -> dict[str, Any]:
    """Return a location as journal fields: source, latitude, longitude, radius, postcode …, those that are known."""
    return told(location) if is_reserved(cli) else coarse(told(location))


def told(location: CallerLocation) -> dict[str, Any]:
    """Return all that is known of a location, for whoever is to find the caller; no journal may have it as it is."""
    found: dict[str, Any] = {"source": location.source.value}
    if location.area is not None:
        found |= _area(location.area)
    if location.subscriber is not None:
        who = location.subscriber
        found |= {"name": who.name, "address": ", ".join(who.lines), "postcode": who.postcode}
    if location.cell is not None:
        found["cell"] = location.cell.id
    for name, value in (("confidence", location.confidence), ("method", location.method), ("taken", location.time)):
        if value not in (None, ""):
            found[name] = value
    return found


def coarse(told_fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a told location a journal may keep where the number is a person's."""
    kept = dict(told_fields)
    for name in ("name", "address", "text"):
        if kept.get(name):
            kept[name] = MASK * 3
    if kept.get("postcode"):
        kept["postcode"] = f"{str(kept['postcode']).partition(' ')[0]} {MASK * 3}"
    for name in ("latitude", "longitude"):
        if isinstance(kept.get(name), int | float):
            kept[name] = round(kept[name], COARSE_PLACES)
    return kept


def _area(area: Shape) -> dict[str, Any]:
    match area:
        case Point():
            return _point(area)
        case Circle(centre, radius):
            return {**_point(centre), "radius": radius}
        case Ellipse(centre, semi_major, _, _):
            return {**_point(centre), "radius": semi_major}
        case ArcBand(centre, _, outer, start, opening):
            return {**_point(centre), "radius": outer, "start_angle": start, "opening_angle": opening}
    return {**_point(area.corners[0]), "corners": len(area.corners)}


def _point(point: Point) -> dict[str, float]:
    return {"latitude": round(point.latitude, 6), "longitude": round(point.longitude, 6)}
