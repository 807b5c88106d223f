"""The caller-location interface's own wire format: one JSON object a line, numbered in each direction.

Theory. A line is ``{"seq":1,"type":"query",…}`` and a line feed, in UTF-8. `seq` counts from 1 in each direction; a gap
means that something was lost, and a link that loses things is not one to trust, so both sides close it and begin again.
A member that is not known is left alone, so that a later version can add one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from harness.errors import CallerLocationError
from harness.protocols.location.caller import (
    MAX_LINE,
    MAX_LINES,
    MAX_REFERENCE,
    Answer,
    Bye,
    CallerLocation,
    Cell,
    Hello,
    KeepAlive,
    Message,
    Query,
    Reason,
    Refusal,
    Release,
    Source,
    Status,
    Subscriber,
    Update,
    Welcome,
)
from harness.protocols.location.shapes import ArcBand, Circle, Ellipse, Point, Polygon, Shape

VERSION: Final = 1
"""Of this wire format; `hello` and `welcome` carry it."""
MAX_LINE_OCTETS: Final = 16 * 1024
"""Octets of one line."""
MAX_LOCATIONS: Final = 16
"""Locations of one answer."""
MAX_SEQ: Final = 2**53
_Json = Mapping[str, Any]
_E = TypeVar("_E", Status, Source, Reason)


class JsonLines:
    """One link's codec."""

    def __init__(self) -> None:
        self._sent = self._received = 0
        self._held = b""

    def encode(self, message: Message) -> bytes:
        """Return one line. Raises CallerLocationError when it would be longer than MAX_LINE_OCTETS."""
        body = {"seq": self._sent + 1, **_written(message)}
        try:
            line = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        except ValueError as error:  # not a number, or half a surrogate pair
            raise CallerLocationError(f"a message that can't be written: {error}") from error
        if len(line) > MAX_LINE_OCTETS:
            raise CallerLocationError(f"a line of {len(line)} octets; {MAX_LINE_OCTETS} is the most")
        self._sent += 1
        return line

    def feed(self, octets: bytes) -> list[Message]:
        """Take octets and return the messages that are complete. Raises CallerLocationError for what is none."""
        *lines, self._held = (self._held + octets).split(b"\n")
        messages = [self._read(line) for line in lines if line.strip()]
        if len(self._held) > MAX_LINE_OCTETS:
            raise CallerLocationError(f"more than {MAX_LINE_OCTETS} octets without a line feed")
        return messages

    def _read(self, line: bytes) -> Message:
        if len(line) > MAX_LINE_OCTETS:
            raise CallerLocationError(f"a line of {len(line)} octets; {MAX_LINE_OCTETS} is the most")
        try:
            body = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CallerLocationError(f"not a line of JSON: {line[:40]!r}") from error
        if not isinstance(body, dict):
            raise CallerLocationError(f"not an object: {line[:40]!r}")
        seq = _integer(body, "seq", 1, MAX_SEQ)
        if seq != self._received + 1:
            raise CallerLocationError(f"message {seq} after {self._received}: {self._received + 1} is due")
        reader = _READERS.get(_text(body, "type", MAX_LINE))
        if reader is None:
            raise CallerLocationError(f"type {str(body['type'])[:40]!r}; {', '.join(_READERS)} are known")
        message = reader(body)
        self._received = seq
        return message


def _written(message: Message) -> dict[str, Any]:
    match message:
        case Hello(client, token):
            return {"type": "hello", "version": VERSION, "client": client} | ({"token": token} if token else {})
        case Welcome(service, keep_alive_s):
            return {"type": "welcome", "version": VERSION, "service": service, "keep_alive_s": keep_alive_s}
        case KeepAlive():
            return {"type": "keep_alive"}
        case Query(query, call, cli):
            return {"type": "query", "query": query, "call": call, "cli": cli}
        case Answer(query, call, status, locations):
            each = [location_json(location) for location in locations]
            return {"type": "answer", "query": query, "call": call, "status": status.value, "locations": each}
        case Update(call, location):
            return {"type": "update", "call": call, "location": location_json(location)}
        case Release(call):
            return {"type": "release", "call": call}
        case Refusal(query, reason):
            return {"type": "refusal", "query": query, "reason": reason.value}
        case Bye(reason):
            return {"type": "bye", "reason": reason.value}


def location_json(location: CallerLocation) -> dict[str, Any]:
    """Return a location as JSON holds it, here and in journals: what is not known is left out."""
    shown: dict[str, Any] = {"source": location.source.value}
    if location.area is not None:
        shown["area"] = area_json(location.area)
    if location.subscriber is not None:
        who = location.subscriber
        shown["subscriber"] = {"name": who.name, "lines": list(who.lines), "postcode": who.postcode}
    if location.cell is not None:
        cell: dict[str, Any] = {"id": location.cell.id, "site": location.cell.site}
        shown["cell"] = cell | ({} if location.cell.azimuth is None else {"azimuth": location.cell.azimuth})
    if location.confidence is not None:
        shown["confidence"] = location.confidence
    if location.method:
        shown["method"] = location.method
    if location.time is not None:
        shown["time"] = location.time
    return shown


def area_json(area: Shape) -> dict[str, Any]:
    """Return a shape as JSON holds it: ``shape`` and its measures, metres and degrees."""
    match area:
        case Point(latitude, longitude, altitude):
            place = {"latitude": latitude, "longitude": longitude}
            return {"shape": "point", **place} | ({} if altitude is None else {"altitude": altitude})
        case Circle(centre, radius):
            return {**area_json(centre), "shape": "circle", "radius": radius}
        case Ellipse(centre, semi_major, semi_minor, orientation):
            axes = {"semi_major": semi_major, "semi_minor": semi_minor, "orientation": orientation}
            return {**area_json(centre), "shape": "ellipse", **axes}
        case ArcBand(centre, inner, outer, start, opening):
            radii = {"inner_radius": inner, "outer_radius": outer, "start_angle": start, "opening_angle": opening}
            return {**area_json(centre), "shape": "arc_band", **radii}
        case Polygon(corners):
            return {"shape": "polygon", "corners": [[corner.latitude, corner.longitude] for corner in corners]}


# -- reading ---------------------------------------------------------------------------------------------------------


def _hello(body: _Json) -> Message:
    _version(body)
    return Hello(_text(body, "client"), _text(body, "token", default=""))


def _welcome(body: _Json) -> Message:
    _version(body)
    return Welcome(_text(body, "service"), _number(body, "keep_alive_s", 0, 3600))


def _version(body: _Json) -> None:
    if body.get("version") != VERSION:
        raise CallerLocationError(f"version {str(body.get('version'))[:20]}; {VERSION} is spoken")


def _query(body: _Json) -> Message:
    return Query(_integer(body, "query", 1, MAX_SEQ), _text(body, "call"), _text(body, "cli", default=""))


def _answer(body: _Json) -> Message:
    locations = body.get("locations", [])
    if not isinstance(locations, list) or len(locations) > MAX_LOCATIONS:
        raise CallerLocationError(f"locations are a list of up to {MAX_LOCATIONS}")
    return Answer(
        _integer(body, "query", 1, MAX_SEQ),
        _text(body, "call"),
        _choice(body, "status", Status),
        tuple(map(_location, locations)),
    )


def _location(body: Any) -> CallerLocation:
    if not isinstance(body, dict):
        raise CallerLocationError("a location is an object")
    area, who, cell = (_object(body, name) for name in ("area", "subscriber", "cell"))
    return CallerLocation(
        source=_choice(body, "source", Source),
        area=None if area is None else _area(area),
        subscriber=None if who is None else _subscriber(who),
        cell=None if cell is None else _cell(cell),
        confidence=_integer(body, "confidence", 0, 100) if "confidence" in body else None,
        method=_text(body, "method", 8, default=""),
        time=_integer(body, "time", 0, MAX_SEQ) if "time" in body else None,
    )


def _subscriber(body: _Json) -> Subscriber:
    lines = body.get("lines")
    if not isinstance(lines, list) or len(lines) > MAX_LINES:
        raise CallerLocationError(f"lines are a list of up to {MAX_LINES}")
    if not all(isinstance(line, str) and len(line) <= MAX_LINE for line in lines):
        raise CallerLocationError(f"a line is a text of up to {MAX_LINE} characters")
    return Subscriber(_text(body, "name", MAX_LINE), tuple(lines), _text(body, "postcode", 10, default=""))


def _cell(body: _Json) -> Cell:
    azimuth = _integer(body, "azimuth", 0, 359) if "azimuth" in body else None
    return Cell(_text(body, "id"), _text(body, "site", MAX_LINE, default=""), azimuth)


def _area(body: _Json) -> Shape:
    shape = _text(body, "shape", MAX_LINE)
    try:
        if shape == "polygon":
            return Polygon(tuple(_corner(corner) for corner in body.get("corners", ())))
        centre = Point(
            _number(body, "latitude", -90, 90),
            _number(body, "longitude", -180, 180),
            _number(body, "altitude", -1e6, 1e9) if "altitude" in body else None,
        )
        match shape:
            case "point":
                return centre
            case "circle":
                return Circle(centre, _measure(body, "radius"))
            case "ellipse":
                axes = _measure(body, "semi_major"), _measure(body, "semi_minor")
                return Ellipse(centre, *axes, _number(body, "orientation", 0, 360))
            case "arc_band":
                radii = _measure(body, "inner_radius"), _measure(body, "outer_radius")
                angles = _number(body, "start_angle", 0, 360), _number(body, "opening_angle", 0, 360)
                return ArcBand(centre, *radii, *angles)
    except (ValueError, TypeError) as error:
        raise CallerLocationError(f"{shape[:20]}: {error}") from error
    raise CallerLocationError(f"shape {shape[:20]!r}; point, circle, ellipse, arc_band and polygon are known")


def _corner(value: Any) -> Point:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("a corner is latitude and longitude")
    corner = {"latitude": value[0], "longitude": value[1]}
    return Point(_number(corner, "latitude", -90, 90), _number(corner, "longitude", -180, 180))


def _measure(body: _Json, name: str) -> float:
    return _number(body, name, 0, 4e7)


def _object(body: _Json, name: str) -> _Json | None:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise CallerLocationError(f"{name} is an object")
    return value


def _text(body: _Json, name: str, most: int = MAX_REFERENCE, *, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or len(value) > most:
        raise CallerLocationError(f"{name} is a text of up to {most} characters")
    return value


def _number(body: _Json, name: str, least: float, most: float) -> float:
    value = body.get(name)
    fits = isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
    if not fits or not math.isfinite(float(value or 0)):
        raise CallerLocationError(f"{name} is a number from {least:g} to {most:g}")
    return float(value or 0)


def _integer(body: _Json, name: str, least: int, most: int) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise CallerLocationError(f"{name} is a whole number from {least} to {most}")
    return value


def _choice(body: _Json, name: str, kind: type[_E]) -> _E:
    try:
        return kind(_text(body, name, MAX_LINE))
    except ValueError as error:
        raise CallerLocationError(f"{name} is one of {', '.join(kind)}") from error


_READERS: Final[dict[str, Callable[[_Json], Message]]] = {
    "hello": _hello,
    "welcome": _welcome,
    "keep_alive": lambda _: KeepAlive(),
    "query": _query,
    "answer": _answer,
    "update": lambda body: Update(_text(body, "call"), _location(body.get("location"))),
    "release": lambda body: Release(_text(body, "call")),
    "refusal": lambda body: Refusal(_integer(body, "query", 0, MAX_SEQ), _choice(body, "reason", Reason)),
    "bye": lambda body: Bye(_choice(body, "reason", Reason)),
}
