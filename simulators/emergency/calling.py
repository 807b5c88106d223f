"""What a caller's INVITE says: who calls, from what, for which service, how it is written, and what is passed on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from harness.errors import MsdError, NumberError
from harness.protocols import uk_numbers
from harness.protocols.location import geolocation, msd, pidf
from harness.protocols.sip import identity
from harness.protocols.sip.body import Part, parts_of
from harness.protocols.sip.emergency_call import Line, Text, Trigger
from harness.protocols.sip.message import Request
from harness.protocols.sip.text_relay import text_relay_of
from harness.protocols.uk_numbers import Kind

EMERGENCY_URN: Final = "urn:service:sos"
_SERVICES: Final = ("police", "fire", "ambulance")
_PASSED: Final = frozenset({pidf.CONTENT_TYPE.lower(), msd.CONTENT_TYPE.lower()})
"""Bodies beside the session description that are passed on to the control room."""


@dataclass(frozen=True, slots=True)
class Calling:
    """One caller, as the network sees it."""

    number: str
    """E.164; empty where the network has none."""
    withheld: bool
    line: Line
    dialled: str
    service: str = ""
    """``police``, ``fire``, ``ambulance`` where the caller named it (RFC 5031); empty where not."""
    text: Text | None = None
    writes: bool = False
    """Whether a stream of real-time text is offered."""
    ecall: Trigger | None = None
    parts: tuple[Part, ...] = ()
    """Location and MSD, to be passed on."""
    geolocation: str = ""
    """The Geolocation value, where the location is among `parts`."""
    routing: str | None = None
    """The Geolocation-Routing value."""

    @property
    def msd(self) -> Part | None:
        """The eCall's minimum set of data."""
        return next((part for part in self.parts if part.content_type == msd.CONTENT_TYPE.lower()), None)


def is_emergency(dialled: str) -> bool:
    """Whether what was dialled is answered by the emergency operators."""
    return dialled in uk_numbers.EMERGENCY_CODES or is_emergency_urn(dialled)


def is_emergency_urn(dialled: str) -> bool:
    """Whether it is the emergency services by name (RFC 5031): ``urn:service:sos`` and what is under it."""
    lowered = dialled.lower()
    return lowered == EMERGENCY_URN or lowered.startswith(EMERGENCY_URN + ".")


def dialled_of(request: Request) -> str:
    """What an INVITE dials: a number, a name, or a URN in lower case. Raises SipRemoteError."""
    if request.uri_text[:4].lower() == "urn:":
        return request.uri_text.lower()
    return request.uri.user_text.partition(";")[0]


def number_of(request: Request) -> str:
    """The number that a request comes from, E.164; empty where there is none. Raises SipRemoteError."""
    told = identity.caller_of(request, trusted=True).number
    if not told:
        told = next((identity.number_of(each.uri) for each in identity.preferred_of(request)), "")
    return e164(told)


def e164(text: str) -> str:
    """A number in its international form; empty for a short code, an extension, and what is no number."""
    try:
        return uk_numbers.parse(text).e164
    except NumberError:
        return ""


def calling_of(
    request: Request, *, landlines: Collection[str] = (), mobiles: Collection[str] = (), pass_location: bool = True
) -> Calling:
    """Read a caller's INVITE. Raises SipRemoteError or SdpError where it can't be read."""
    dialled = dialled_of(request)
    number = number_of(request)
    relay = text_relay_of(request)
    parts = tuple(part for part in parts_of(request) if part.content_type in _PASSED and part.content_id)
    if not pass_location:
        parts = tuple(part for part in parts if part.content_type != pidf.CONTENT_TYPE)
    told = (request.get("geolocation") or "") if _has_location(parts) else ""
    ecall = _ecall(dialled, parts)
    line = Line.VEHICLE if ecall is not None else line_of(number, landlines, mobiles)
    return Calling(
        number=number,
        withheld=identity.caller_of(request, trusted=True).is_withheld,
        line=line,
        dialled=dialled,
        service=_service(dialled),
        text=Text.RELAY if relay is not None and (relay.is_emergency or relay.text is not None) else None,
        writes=relay is not None and relay.text is not None,
        ecall=ecall,
        parts=parts,
        geolocation=told,
        routing=request.get("geolocation-routing") if told else None,
    )


def line_of(number: str, landlines: Collection[str] = (), mobiles: Collection[str] = ()) -> Line:
    """What a number is a line of: listed, else by its range."""
    if number in landlines:
        return Line.LANDLINE
    if number in mobiles:
        return Line.MOBILE
    kind = uk_numbers.parse(number).kind if number else None
    return {Kind.MOBILE: Line.MOBILE, Kind.GEOGRAPHIC: Line.LANDLINE}.get(kind, Line.OTHER) if kind else Line.OTHER


def _has_location(parts: tuple[Part, ...]) -> bool:
    return any(part.content_type == pidf.CONTENT_TYPE for part in parts)


def _service(dialled: str) -> str:
    named = dialled.removeprefix(EMERGENCY_URN + ".").partition(".")[0] if is_emergency_urn(dialled) else ""
    return named if named in _SERVICES else ""


def _ecall(dialled: str, parts: tuple[Part, ...]) -> Trigger | None:
    if dialled.startswith(f"{EMERGENCY_URN}.ecall."):
        return Trigger.AUTOMATIC if dialled.endswith(".automatic") else Trigger.MANUAL
    for part in parts:
        if part.content_type == msd.CONTENT_TYPE.lower():
            try:
                return Trigger.AUTOMATIC if msd.decode(part.body).automatic else Trigger.MANUAL
            except MsdError:
                return Trigger.MANUAL
    return None


def passed_headers(calling: Calling) -> list[tuple[str, str]]:
    """The headers that point at the parts that are passed on."""
    headers: list[tuple[str, str]] = []
    if calling.geolocation:
        headers.append(("Geolocation", calling.geolocation))
        allowed = geolocation.routing_value(calling.routing is not None and calling.routing.strip().lower() == "yes")
        headers.append(("Geolocation-Routing", allowed))
    if calling.msd is not None:
        headers.append(("Call-Info", f"<cid:{calling.msd.content_id}>;purpose=EmergencyCallData.eCall.MSD"))
    return headers
