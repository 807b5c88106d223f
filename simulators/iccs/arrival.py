"""What an INVITE tells of a call: who, how urgent, where the caller is, and how the 999 network marks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.endpoints.sip.flow import Flow
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import MsdError, PidfError, SdpError, SipRemoteError
from harness.protocols.location import ecall_control, msd, pidf
from harness.protocols.location.conveyance import location_of
from harness.protocols.location.shapes import ArcBand, Circle, Ellipse, Point, Polygon
from harness.protocols.sip import emergency_call, identity, priority
from harness.protocols.sip.body import parts_of
from harness.protocols.sip.emergency_call import Caller, Mark
from harness.protocols.sip.message import Message, Request
from harness.protocols.sip.text_relay import EMERGENCY_BY_TEXT, text_relay_of

RELAY, SILENT, CRITICAL, BUDDY, ECALL, NUISANCE, SPATE, GONE = (
    "relay",
    "silent",
    "critical",
    "buddy",
    "ecall",
    "nuisance",
    "spate",
    "caller_gone",
)
"""Flags that a position is shown."""


@dataclass(slots=True)
class Arrival:
    """One call as it came."""

    dialled: str
    """The user part of the Request-URI."""
    cli: str | None
    """The caller's number, also where it is withheld from called persons; None where the network told none."""
    mark: Mark | None = None
    """What the 999 network tells of it."""
    flags: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    """What else a position is shown, by name."""
    network: dict[str, Any] = field(default_factory=dict)
    """What the record keeps of the call's own data."""
    contact: tuple[str, int] | None = None
    """Where the network takes calls back."""
    has_text: bool = False
    """Whether it brings a stream of real-time text."""
    location: dict[str, Any] | None = None
    """What came with the call (RFC 6442), as fields that a position is shown."""
    ecall: dict[str, Any] | None = None
    """The vehicle's minimum set of data, as fields that a position is shown."""
    findings: list[str] = field(default_factory=list)
    """What could not be read, and did not keep the call from coming through."""


def read(sip: IncomingCall) -> Arrival:
    """Read an INVITE. Raises SipRemoteError where who calls, or whom, can't be read."""
    request = sip.request
    caller = identity.caller_of(request, trusted=True)
    arrival = Arrival(request.uri.user_text, caller.number or None)
    if caller.is_withheld:
        arrival.notes["withheld"] = True
    if caller.presented and caller.presented != caller.number:
        arrival.notes["presented"] = caller.presented
    arrival.network = {
        "call_id": sip.id,
        "from": request.get("from"),
        "identity": request.lines("p-asserted-identity"),
        "request_uri": request.uri_text,
        "peer": f"{sip.hop.peer[0]}:{sip.hop.peer[1]}" if isinstance(sip.hop, Flow) else None,
        "user_agent": request.get("user-agent"),
    }
    arrival.contact = _contact(request)
    for part in (_mark, _text, _location, _msd, _priority):
        try:
            part(request, arrival)
        except (SipRemoteError, SdpError, PidfError, MsdError) as error:
            arrival.findings.append(str(error))
    return arrival


def _contact(request: Request) -> tuple[str, int] | None:
    try:
        uri = request.name_addrs("contact")[0].uri
    except (SipRemoteError, IndexError):
        return None
    return (uri.host.strip("[]"), uri.port or 5060) if uri.scheme in ("sip", "sips") else None


def _mark(request: Request, arrival: Arrival) -> None:
    mark = arrival.mark = emergency_call.mark_of(request)
    if mark is not None:
        arrival.flags += flags_of(mark)
        arrival.notes |= notes_of(mark)


def flags_of(mark: Mark) -> list[str]:
    """The flags that a mark stands for."""
    told = {
        SILENT: mark.silent is not None,
        CRITICAL: mark.critical,
        BUDDY: bool(mark.buddy),
        RELAY: mark.text is not None,
        ECALL: mark.ecall is not None,
        NUISANCE: mark.nuisance is not None,
        SPATE: mark.spate,
        GONE: mark.caller is Caller.GONE,
    }
    return [flag for flag, is_told in told.items() if is_told]


def notes_of(mark: Mark) -> dict[str, Any]:
    """What a position is shown of a mark besides its flags."""
    told: dict[str, Any] = {"reference": str(mark.call)}
    for name in ("line", "caller", "operator", "silent", "text", "ecall", "route", "attempt"):
        value = getattr(mark, name)
        if value:
            told["ecall_trigger" if name == "ecall" else name] = str(value) if isinstance(value, str) else value
    if mark.buddy:  # delivered to us in place of whoever did not answer
        told["in_place_of"] = mark.authority
    return told


def _text(request: Request, arrival: Arrival) -> None:
    relay = text_relay_of(request)
    if relay is None:
        return
    arrival.has_text = relay.text is not None
    if RELAY not in arrival.flags and (arrival.has_text or relay.prefix == EMERGENCY_BY_TEXT):
        arrival.flags.append(RELAY)


def _location(request: Request, arrival: Arrival) -> None:
    geolocation = request.get("geolocation")
    if geolocation is None:
        return
    presence = location_of(request.get("content-type") or "", request.body, geolocation)
    arrival.findings += presence.findings
    found = next((each for each in presence.locations if each.shape is not None or each.civic is not None), None)
    if found is None:
        raise PidfError("the location object says nothing of where the caller is")
    arrival.location = _shown(found)


def _shown(location: pidf.Location) -> dict[str, Any]:
    told: dict[str, Any] = {"source": "PIDF-LO"}
    match location.shape:
        case Point() as point:
            told |= _at(point)
        case Circle(centre, radius):
            told |= {**_at(centre), "radius": radius}
        case Ellipse(centre, semi_major):
            told |= {**_at(centre), "radius": semi_major}
        case ArcBand(centre, _, outer):
            told |= {**_at(centre), "radius": outer}
        case Polygon(corners):
            told |= {**_at(corners[0]), "corners": len(corners)}
    if location.civic is not None:
        told["address"] = ", ".join(value for _, value in location.civic)
    if location.method:
        told["method"] = location.method
    if location.time is not None:
        told["taken"] = location.time
    return told


def _at(point: Point) -> dict[str, float]:
    return {"latitude": round(point.latitude, 6), "longitude": round(point.longitude, 6)}


def _msd(request: Request, arrival: Arrival) -> None:
    part = next((each for each in parts_of(request) if each.content_type == msd.CONTENT_TYPE.lower()), None)
    if part is not None:
        arrival.ecall = msd_shown(part.body)
        if ECALL not in arrival.flags:
            arrival.flags.append(ECALL)


def msd_shown(octets: bytes) -> dict[str, Any]:
    """Return what a position is shown of an eCall's minimum set of data. Raises MsdError."""
    data = msd.decode(octets)
    told: dict[str, Any] = {
        "trigger": "automatic" if data.automatic else "manual",
        "test_call": data.test_call,
        "vehicle": data.vehicle_type,
        "vin": data.vin,
        "storages": sorted(data.storages),
        "message": data.message_id,
        "position_trusted": data.position_trusted,
        "confirmed": data.confirmed,
    }
    if data.place is not None:
        told |= {"latitude": round(data.place.latitude, 6), "longitude": round(data.place.longitude, 6)}
    known = {"direction": data.direction, "people": data.people, "taken": data.timestamp or None}
    return told | {name: value for name, value in known.items() if value is not None}


def _priority(request: Request, arrival: Arrival) -> None:
    granted = priority.granted(request, ("esnet", "q735"))
    if granted is not None:
        arrival.network["priority"] = str(granted)


def is_msd_info(request: Request) -> bool:
    """Whether an INFO brings a new MSD (RFC 8147 section 9)."""
    package = (request.get("info-package") or "").partition(";")[0].strip()
    return package == ecall_control.INFO_PACKAGE


def mark_in(message: Message | None) -> Mark | None:
    """The mark of a message that ended a call or came within it; None where it has none, or one that can't be read."""
    if message is None:
        return None
    try:
        return emergency_call.mark_of(message)
    except SipRemoteError:
        return None
