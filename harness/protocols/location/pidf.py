"""PIDF-LO, the location object that SIP carries: RFC 4119 as RFC 5139 (civic) and RFC 5491 (shapes, use) have it.

Theory. A presence document (RFC 3863) of one entity holds `geopriv` elements, each in a `tuple` (a service), a `device`
or a `person` (RFC 4479). A geopriv has one location: a shape, an address, or both, of which the address then says more
of the same place. Where there are several, the first is the one to use (RFC 5491 section 3). A receiver uses what it
can read, so what can't be read is a finding; PidfError is for a document without any location that can be used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace

from harness.errors import PidfError
from harness.protocols import safe_xml
from harness.protocols.location.shapes import (
    CIVIC_NAMES,
    ArcBand,
    Circle,
    CivicAddress,
    Ellipse,
    Point,
    Polygon,
    Shape,
)
from harness.protocols.times import from_iso, to_iso

CONTENT_TYPE: Final = "application/pidf+xml"
MAX_LOCATIONS: Final = 32
"""Location objects of one document."""
METHODS: Final = ("Manual", "GPS", "A-GPS", "Cell", "802.11", "DHCP", "Wiremap", "Derived", "Triangulation")
"""Some of IANA's method tokens; any token is written and read."""

_PIDF = "urn:ietf:params:xml:ns:pidf"
_GP = f"{_PIDF}:geopriv10"
_BP = f"{_GP}:basicPolicy"
_CA = f"{_GP}:civicAddr"
_GML = "http://www.opengis.net/gml"
_GS = "http://www.opengis.net/pidflo/1.0"
_DM = f"{_PIDF}:data-model"
for _prefix, _space in (
    ("pidf", _PIDF),
    ("gp", _GP),
    ("bp", _BP),
    ("ca", _CA),
    ("gml", _GML),
    ("gs", _GS),
    ("dm", _DM),
):
    register_namespace(_prefix, _space)
_FLAT, _HIGH = "urn:ogc:def:crs:EPSG::4326", "urn:ogc:def:crs:EPSG::4979"
_METRES, _DEGREES, _RADIANS = (f"urn:ogc:def:uom:EPSG::{number}" for number in (9001, 9102, 9101))
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(?:[eE][+-]?\d{1,2})?", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z_][\w.-]{0,63}", re.ASCII)
_HOLDERS: Final = {"tuple": f"{{{_PIDF}}}tuple", "device": f"{{{_DM}}}device", "person": f"{{{_DM}}}person"}


@dataclass(frozen=True, slots=True)
class Location:
    """One location object."""

    shape: Shape | None = None
    civic: CivicAddress | None = None
    method: str = ""
    """How it was found: ``Cell``, ``GPS``, ``Manual``; empty where it is not told."""
    holder: str = "device"
    """``tuple``, ``device`` or ``person``: what is there."""
    id: str = "caller"
    """Of the holder, an XML name."""
    time: float | None = None
    """When it was found, seconds since 1970 UTC."""
    retransmission_allowed: bool | None = None
    """None where it is not told, which reads as no (RFC 4119 section 2.2.2)."""
    retention_expiry: float | None = None
    """Until when it may be kept, seconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Presence:
    """A document: whose presence it is and where that is."""

    entity: str
    """The URI of the one who is there, ``pres:…``, ``sip:…`` or ``tel:…``."""
    locations: tuple[Location, ...]
    """The first is the one to use."""
    findings: tuple[str, ...] = ()
    """What could not be read."""


def build(presence: Presence) -> bytes:
    """Return the document.

    Raises:
        PidfError: no location, one that is empty, or a value that XML can't hold.
    """
    if not 1 <= len(presence.locations) <= MAX_LOCATIONS:
        raise PidfError(f"{len(presence.locations)} locations; 1 to {MAX_LOCATIONS} are due")
    root = Element(f"{{{_PIDF}}}presence", entity=_sound(presence.entity))
    for location in presence.locations:
        _build_location(root, location)
    octets = safe_xml.write(root)
    if len(octets) > safe_xml.MAX_XML:
        raise PidfError(f"a document of {len(octets)} octets; {safe_xml.MAX_XML} is the most")
    return octets


def _build_location(root: Element, location: Location) -> None:
    if location.shape is None and location.civic is None:
        raise PidfError("a location has a shape, an address or both")
    if location.holder not in _HOLDERS or _ID.fullmatch(location.id) is None:
        raise PidfError(
            f"holder {location.holder!r} with id {location.id[:20]!r}; {', '.join(_HOLDERS)} and a name are due"
        )
    holder = SubElement(root, _HOLDERS[location.holder], id=location.id)
    at = SubElement(holder, f"{{{_PIDF}}}status") if location.holder == "tuple" else holder
    geopriv = SubElement(at, f"{{{_GP}}}geopriv")
    info = SubElement(geopriv, f"{{{_GP}}}location-info")
    if location.shape is not None:
        _build_shape(info, location.shape)
    if location.civic is not None:
        civic = SubElement(info, f"{{{_CA}}}civicAddress")
        for name, value in location.civic:
            SubElement(civic, f"{{{_CA}}}{name}").text = _sound(value)
    rules = SubElement(geopriv, f"{{{_GP}}}usage-rules")
    if location.retransmission_allowed is not None:
        allowed = SubElement(rules, f"{{{_BP}}}retransmission-allowed")
        allowed.text = "true" if location.retransmission_allowed else "false"
    if location.retention_expiry is not None:
        SubElement(rules, f"{{{_BP}}}retention-expiry").text = _iso(location.retention_expiry)
    if location.method:
        SubElement(geopriv, f"{{{_GP}}}method").text = _sound(location.method)
    if location.time is not None:
        space = _PIDF if location.holder == "tuple" else _DM
        SubElement(holder, f"{{{space}}}timestamp").text = _iso(location.time)


def _build_shape(info: Element, shape: Shape) -> None:
    match shape:
        case Point():
            point = SubElement(info, f"{{{_GML}}}Point", srsName=_crs(shape))
            _pos(point, shape)
        case Circle(centre, radius):
            circle = _shape(info, "Circle", centre)
            _measure(circle, "radius", radius, _METRES)
        case Ellipse(centre, semi_major, semi_minor, orientation):
            ellipse = _shape(info, "Ellipse", centre)
            _measure(ellipse, "semiMajorAxis", semi_major, _METRES)
            _measure(ellipse, "semiMinorAxis", semi_minor, _METRES)
            _measure(ellipse, "orientation", orientation, _DEGREES)
        case ArcBand(centre, inner, outer, start, opening):
            band = _shape(info, "ArcBand", centre)
            _measure(band, "innerRadius", inner, _METRES)
            _measure(band, "outerRadius", outer, _METRES)
            _measure(band, "startAngle", start, _DEGREES)
            _measure(band, "openingAngle", opening, _DEGREES)
        case Polygon(corners):
            polygon = SubElement(info, f"{{{_GML}}}Polygon", srsName=_crs(corners[0]))
            ring = SubElement(SubElement(polygon, f"{{{_GML}}}exterior"), f"{{{_GML}}}LinearRing")
            for corner in (*corners, corners[0]):
                _pos(ring, corner)


def _shape(info: Element, name: str, centre: Point) -> Element:
    element = SubElement(info, f"{{{_GS}}}{name}", srsName=_crs(centre))
    _pos(element, centre)
    return element


def _crs(point: Point) -> str:
    return _FLAT if point.altitude is None else _HIGH


def _pos(parent: Element, point: Point) -> None:
    values = [point.latitude, point.longitude] + ([] if point.altitude is None else [point.altitude])
    SubElement(parent, f"{{{_GML}}}pos").text = " ".join(map(_number, values))


def _measure(parent: Element, name: str, value: float, unit: str) -> None:
    SubElement(parent, f"{{{_GS}}}{name}", uom=unit).text = _number(value)


def _number(value: float) -> str:
    """A number to nine places, which is a tenth of a millimetre, without an exponent."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _iso(seconds: float) -> str:
    try:
        return to_iso(seconds)
    except ValueError as error:
        raise PidfError(str(error)) from error


def _sound(text: str) -> str:
    """Return ``text`` when XML 1.0 can hold it (section 2.2)."""
    if not safe_xml.can_hold(text):
        raise PidfError("a control character or half a surrogate pair, which XML can't hold")
    return text


def parse(octets: bytes) -> Presence:
    """Read a document.

    Raises:
        PidfError: not XML, not a presence document, or without a location that can be used.
    """
    root = safe_xml.parse(octets, PidfError)
    if root.tag != f"{{{_PIDF}}}presence":
        raise PidfError(f"the document is {str(root.tag)[:80]!r} and not a presence of {_PIDF}")
    findings: list[str] = []
    locations: list[Location] = []
    for kind, holder in _holders(root):
        for geopriv in holder.iter(f"{{{_GP}}}geopriv"):
            if len(locations) >= MAX_LOCATIONS:
                raise PidfError(f"more than {MAX_LOCATIONS} locations")
            location = _read_geopriv(kind, holder, geopriv, findings)
            if location is not None:
                locations.append(location)
    if not locations:
        raise PidfError("; ".join(["no location that can be used", *findings[:5]]))
    return Presence(root.get("entity", ""), tuple(locations), tuple(findings))


def _holders(root: Element) -> Iterator[tuple[str, Element]]:
    kinds = {tag: kind for kind, tag in _HOLDERS.items()}
    return ((kinds[str(child.tag)], child) for child in root if child.tag in kinds)


def _read_geopriv(kind: str, holder: Element, geopriv: Element, findings: list[str]) -> Location | None:
    info = geopriv.find(f"{{{_GP}}}location-info")
    if info is None:
        findings.append("a geopriv without a location-info")
        return None
    shapes = [shape for child in info if (shape := _read_shape(child, findings)) is not None]
    civics = [civic for child in info if (civic := _read_civic(child, findings)) is not None]
    if len(shapes) > 1:
        findings.append(f"{len(shapes)} shapes in one location-info; the first is taken (RFC 5491 section 3)")
    if not shapes and not civics:
        if not len(info):
            findings.append("an empty location-info")
        return None
    rules = geopriv.find(f"{{{_GP}}}usage-rules")
    stamps = (holder.find(f"{{{space}}}timestamp") for space in (_PIDF, _DM))
    stamp = next((each for each in stamps if each is not None), None)
    return Location(
        shape=shapes[0] if shapes else None,
        civic=civics[0] if civics else None,
        method=safe_xml.text(geopriv.find(f"{{{_GP}}}method")),
        holder=kind,
        id=holder.get("id", ""),
        time=_read_time(stamp, findings),
        retransmission_allowed=_read_flag(rules, findings),
        retention_expiry=_read_time(_rule(rules, "retention-expiry"), findings),
    )


def _rule(rules: Element | None, name: str) -> Element | None:
    """One usage rule: of the basic policy's namespace, or of geopriv's own, as RFC 4119's examples write it."""
    if rules is None:
        return None
    found = rules.find(f"{{{_BP}}}{name}")
    return rules.find(f"{{{_GP}}}{name}") if found is None else found


def _read_flag(rules: Element | None, findings: list[str]) -> bool | None:
    told = safe_xml.text(_rule(rules, "retransmission-allowed"))
    if told in ("true", "1", "yes"):  # RFC 4119's own examples write yes
        return True
    if told and told not in ("false", "0", "no"):
        findings.append(f"retransmission-allowed is {told[:20]!r}")
    return None if not told else False


def _read_time(element: Element | None, findings: list[str]) -> float | None:
    told = safe_xml.text(element)
    if not told:
        return None
    try:
        return from_iso(told)
    except ValueError as error:
        findings.append(f"time {told[:40]!r}: {error}")
        return None


def _read_civic(element: Element, findings: list[str]) -> CivicAddress | None:
    if element.tag != f"{{{_CA}}}civicAddress":
        return None
    parts: dict[str, str] = {}
    for child in element:
        name, value = safe_xml.local(child), safe_xml.text(child)
        if child.tag == f"{{{_CA}}}{name}" and name in CIVIC_NAMES and name not in parts:
            if value:
                parts[name] = value
        else:
            findings.append(f"address part {name[:20]!r} is twice there or not of RFC 5139")
    try:
        return CivicAddress(parts) if parts else None
    except ValueError as error:
        findings.append(str(error))
        return None


def _read_shape(element: Element, findings: list[str]) -> Shape | None:
    space, _, name = str(element.tag).removeprefix("{").rpartition("}")
    if space not in (_GML, _GS):
        if element.tag != f"{{{_CA}}}civicAddress":
            findings.append(f"{str(element.tag)[:80]!r} is no location that is read")
        return None
    try:
        return _shape_of(name, element)
    except ValueError as error:
        findings.append(f"{name}: {error}")
        return None


def _shape_of(name: str, element: Element) -> Shape:
    match name:
        case "Point":
            return _point(element)
        case "Circle":
            return Circle(_point(element), _metres(element, "radius"))
        case "Ellipse":
            major, minor = _metres(element, "semiMajorAxis"), _metres(element, "semiMinorAxis")
            return Ellipse(_point(element), major, minor, _angle(element, "orientation"))
        case "ArcBand":
            inner, outer = _metres(element, "innerRadius"), _metres(element, "outerRadius")
            return ArcBand(
                _point(element), inner, outer, _angle(element, "startAngle"), _angle(element, "openingAngle")
            )
        case "Polygon":
            corners = tuple(_corners(element))
            closed = len(corners) > 1 and corners[0] == corners[-1]
            return Polygon(corners[:-1] if closed else corners)
    raise ValueError("a shape that is not read")


def _point(element: Element) -> Point:
    return _position(safe_xml.text(element.find(f"{{{_GML}}}pos")), element.get("srsName", _FLAT))


def _position(text: str, crs: str) -> Point:
    if crs not in (_FLAT, _HIGH):
        raise ValueError(f"reference system {crs[:60]!r}; WGS84 in two or three dimensions is due (EPSG 4326, 4979)")
    values = [_float(each) for each in text.split()]
    if len(values) != (2 if crs == _FLAT else 3):
        raise ValueError(f"{len(values)} coordinates in {crs[-4:]}")
    return Point(*values)


def _corners(element: Element) -> Iterable[Point]:
    crs = element.get("srsName", _FLAT)
    each = [safe_xml.text(pos) for pos in element.iter(f"{{{_GML}}}pos")]
    if not each:
        size = 2 if crs == _FLAT else 3
        run = safe_xml.text(element.find(f".//{{{_GML}}}posList")).split()
        each = [" ".join(run[at : at + size]) for at in range(0, len(run), size)]
    return [_position(text, crs) for text in each]


def _metres(element: Element, name: str) -> float:
    return _measured(element, name, {_METRES: 1.0, "": 1.0})


def _angle(element: Element, name: str) -> float:
    return _measured(element, name, {_DEGREES: 1.0, "": 1.0, _RADIANS: 57.295_779_513_082_32})


def _measured(element: Element, name: str, units: dict[str, float]) -> float:
    child = element.find(f"{{{_GS}}}{name}")
    if child is None:
        raise ValueError(f"there is no {name}")
    unit = child.get("uom", "")
    if unit not in units:
        raise ValueError(f"{name} is in {unit[:60]!r}")
    return _float(safe_xml.text(child)) * units[unit]


def _float(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{text[:20]!r} is no number")
    return float(text)
