"""Where an MCPTT user is: configuration, request and report as documents (3GPP TS 24.379 clause 13 and annex F.3).

Coordinates are TS 23.032's: 24 bits each, latitude as sign and magnitude, longitude in two's complement. Read
liberally, as mcptt-info is. Unconfirmed: that a coordinate is asked for as ``GeographicalCordinate``; what is asked
for is not read, a report tells coordinates. Cells and areas are neither asked for nor read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from harness.errors import McpttError, McpttLocalError
from harness.protocols import safe_xml

NAMESPACE: Final = "urn:3gpp:ns:mcpttLocationInfo:1.0"
LOCATION_TYPE: Final = "application/vnd.3gpp.mcptt-location-info+xml"
MAX_ID: Final = 64
"""Characters of a trigger's or a request's name."""
MAX_TRIGGERS: Final = 32
MAX_S: Final = 86_400
MAX_M: Final = 100_000
PERIODIC, DISTANCE, LOG_ON, CONFIGURED = "periodic", "distance", "log-on", "configured"
"""The names by which we tell triggers."""
_HALF: Final = 1 << 23
_EVENTS: Final = {"InitialLogOn": LOG_ON, "LocationConfigurationReceived": CONFIGURED}


@dataclass(frozen=True, slots=True)
class Place:
    """A point of WGS 84, degrees."""

    latitude: float
    """-90 to 90, north positive; told to 1.1e-5."""
    longitude: float
    """-180 to 180, east positive; told to 2.2e-5."""

    def coded(self) -> tuple[int, int]:
        """Latitude and longitude in 24 bits each. Raises McpttLocalError out of range."""
        if not -90 <= self.latitude <= 90 or not -180 <= self.longitude <= 180:
            raise McpttLocalError(f"{self.latitude:g}, {self.longitude:g} is no place")
        size = min(_HALF - 1, int(abs(self.latitude) * _HALF / 90))
        east = int((self.longitude + 180) * 2 * _HALF / 360) - _HALF
        return (size | _HALF if self.latitude < 0 else size), min(_HALF - 1, east) % (2 * _HALF)

    @classmethod
    def of(cls, latitude: int, longitude: int) -> Place:
        """The middle of what 24 bits each stand for."""
        size = (latitude & (_HALF - 1)) + 0.5
        east = (longitude - 2 * _HALF if longitude & _HALF else longitude) + 0.5
        return cls(round((-size if latitude & _HALF else size) * 90 / _HALF, 7), round(east * 180 / _HALF, 7))


@dataclass(frozen=True, slots=True)
class Triggers:
    """A configuration: when a terminal is to tell where it is, beside what is asked for. None: not then."""

    periodic_s: int | None = None
    distance_m: int | None = None
    """After so much way."""
    at_log_on: bool = False
    when_configured: bool = False
    minimum_s: int = 0
    """Least time between reports; an emergency does not wait."""
    names: tuple[tuple[str, str], ...] = ()
    """(PERIODIC and the like, the server's TriggerId), where they are not the same."""

    def name(self, trigger: str) -> str:
        """The server's name of a trigger."""
        return dict(self.names).get(trigger, trigger)


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """Asks for a report at once."""

    id: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Tells where a user is."""

    place: Place | None
    """None where it is not known, or told otherwise than by coordinates."""
    triggers: tuple[str, ...] = ()
    id: str = ""
    """Of the request that it answers."""
    emergency: bool = False


Location = Triggers | PlaceRequest | Report


def write_location(said: Location) -> bytes:
    """The document. Raises McpttLocalError for a value that it can't have."""
    root = Element("location-info", {"xmlns": NAMESPACE})
    match said:
        case Triggers():
            _configuration(root, said)
        case PlaceRequest():
            SubElement(root, "Request", {"RequestId": _name(said.id)})
        case Report():
            _report(root, said)
    return safe_xml.write(root)


def _configuration(root: Element, said: Triggers) -> None:
    configuration = SubElement(root, "Configuration", {"ConfigScope": "Full"})
    for name in ("NonEmergencyLocationInformation", "EmergencyLocationInformation"):
        wanted = SubElement(configuration, name)
        SubElement(wanted, "GeographicalCordinate")
        minimum = said.minimum_s if name.startswith("Non") else 0
        if not 0 <= minimum <= MAX_S:
            raise McpttLocalError(f"{minimum} s between reports; 0 to {MAX_S} are due")
        if minimum:
            SubElement(wanted, "minimumIntervalLength").text = str(minimum)
    criteria = SubElement(configuration, "TriggeringCriteria")
    for element, trigger, value, most in (
        ("PeriodicReport", PERIODIC, said.periodic_s, MAX_S),
        ("TravelledDistance", DISTANCE, said.distance_m, MAX_M),
    ):
        if value is not None:
            if not 0 < value <= most:
                raise McpttLocalError(f"{element} of {value}; 1 to {most} are due")
            SubElement(criteria, element, {"TriggerId": _name(said.name(trigger))}).text = str(value)
    wanted_events = {LOG_ON: said.at_log_on, CONFIGURED: said.when_configured}
    if any(wanted_events.values()):
        events = SubElement(criteria, "McpttSignallingEvent")
        for element, trigger in _EVENTS.items():
            if wanted_events[trigger]:
                SubElement(events, element, {"TriggerId": _name(said.name(trigger))})


def _report(root: Element, said: Report) -> None:
    attributes = {"ReportType": "Emergency" if said.emergency else "NonEmergency"}
    if said.id:
        attributes["ReportID"] = _name(said.id)
    report = SubElement(root, "Report", attributes)
    for trigger in said.triggers:
        SubElement(report, "TriggerId").text = _name(trigger)
    current = SubElement(report, "CurrentLocation")
    if said.place is not None:
        latitude, longitude = said.place.coded()
        point = SubElement(current, "CurrentCoordinate")
        for name, value in (("longitude", longitude), ("latitude", latitude)):
            SubElement(SubElement(point, name, {"type": "Normal"}), "threebytes").text = str(value)


def _name(text: str) -> str:
    if len(text) > MAX_ID or not text.isprintable():
        raise McpttLocalError(f"a name of {len(text)} characters: {text[:40]!r}")
    return text


def read_location(octets: bytes) -> Location:
    """Read a document. Raises McpttError where it is none, or a value in it can't be."""
    root = safe_xml.parse(octets, McpttError)
    if safe_xml.local(root) != "location-info":
        raise McpttError(f"the root is {safe_xml.local(root)!r}, not location-info")
    for child in root:
        match safe_xml.local(child):
            case "Configuration":
                return _read_configuration(child)
            case "Request":
                return PlaceRequest(_short(child.get("RequestId") or child.get("RequestID") or ""))
            case "Report":
                return _read_report(child)
    raise McpttError("no Configuration, Request or Report in location-info")


def _read_configuration(configuration: Element) -> Triggers:
    named = {safe_xml.local(child): child for child in configuration}
    numbers: dict[str, int] = {}
    names: list[tuple[str, str]] = []
    flags: set[str] = set()
    kinds = {"PeriodicReport": (PERIODIC, MAX_S), "TravelledDistance": (DISTANCE, MAX_M)}
    criteria = named.get("TriggeringCriteria")
    for each in criteria.iter() if criteria is not None else ():
        element = safe_xml.local(each)
        if element in kinds:
            trigger, most = kinds[element]
            numbers[trigger] = _number(each, 1, most)
        elif element in _EVENTS:
            trigger = _EVENTS[element]
            flags.add(trigger)
        else:
            continue
        name = _short(each.get("TriggerId") or "")
        if name and name != trigger:
            names.append((trigger, name))
    least = _find(named.get("NonEmergencyLocationInformation"), "minimumintervallength")
    if least is None:
        least = _find(configuration, "minimumintervallength")
    return Triggers(
        numbers.get(PERIODIC),
        numbers.get(DISTANCE),
        LOG_ON in flags,
        CONFIGURED in flags,
        0 if least is None else _number(least, 0, MAX_S),
        tuple(names[:MAX_TRIGGERS]),
    )


def _read_report(report: Element) -> Report:
    triggers = [safe_xml.text(each) for each in report if safe_xml.local(each) == "TriggerId"]
    if len(triggers) > MAX_TRIGGERS:
        raise McpttError(f"a report of {len(triggers)} triggers; {MAX_TRIGGERS} are read")
    point = _find(report, "currentcoordinate")
    place = None
    if point is not None:
        coded = []
        for name in ("latitude", "longitude"):
            value = _find(point, name)
            if value is None:
                raise McpttError(f"a coordinate without {name}")
            coded.append(_number(value, 0, 0xFFFFFF))
        place = Place.of(*coded)
    emergency = (report.get("ReportType") or "").strip().lower() == "emergency"
    return Report(place, tuple(_short(each) for each in triggers), _short(report.get("ReportID") or ""), emergency)


def _find(parent: Element | None, name: str) -> Element | None:
    """The first element within of a name, whatever its case."""
    if parent is None:
        return None
    return next((each for each in parent.iter() if safe_xml.local(each).lower() == name), None)


def _number(element: Element, least: int, most: int) -> int:
    text = "".join(element.itertext()).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
        raise McpttError(f"{safe_xml.local(element)} is {text[:20]!r}; {least} to {most} are due")
    return int(text)


def _short(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_ID or not text.isprintable():
        raise McpttError(f"a name of {len(text)} characters: {text[:40]!r}")
    return text
