"""eCall's minimum set of data (EN 15722) as `application/EmergencyCallData.eCall.MSD` carries it (RFC 8147 section 9).

Theory. Up to 140 octets: a version octet; from version 2 on, a length; then `MSDMessage` in unaligned PER. Receivers
see padding after it, as the in-band modem always sends 140 octets. A value that says "not known" has a number of its
own in each field; those are None here. What is odd but readable is a finding; what can't be read is MsdError.

What of the layout is not confirmed is told in `msd_schema`, and by `Msd.confirmed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from harness.errors import MsdError
from harness.protocols.location.msd_schema import (
    STORAGES,
    UNCONFIRMED_VERSIONS,
    VEHICLE_TYPES,
    VERSIONS,
    VIN_ALPHABET,
    compiled,
    people_of,
)

CONTENT_TYPE: Final = "application/EmergencyCallData.eCall.MSD"
MAX_MSD: Final = 140
"""Octets of one message (EN 15722)."""
MAX_ADDITIONAL: Final = 94
"""Octets of additional data."""
MAX_IDENTIFIER: Final = 32
"""Octets of the identifier of additional data."""
MAX_ARCS: Final = 32
_NO_POSITION: Final = 0x7FFF_FFFF
_NO_DIRECTION: Final = 255
_NO_PEOPLE: Final = 255
_MAS_PER_DEGREE: Final = 3_600_000
_MAS_PER_DELTA: Final = 100
_LAT_MAX, _LON_MAX = 90 * _MAS_PER_DEGREE, 180 * _MAS_PER_DEGREE
_DEGREES_PER_STEP: Final = 2


class Place(NamedTuple):
    """A position in thousandths of an arc second, WGS84."""

    latitude_mas: int
    """-324,000,000 (south) to 324,000,000."""
    longitude_mas: int
    """-648,000,000 (west) to 648,000,000."""

    @property
    def latitude(self) -> float:
        """Degrees north."""
        return self.latitude_mas / _MAS_PER_DEGREE

    @property
    def longitude(self) -> float:
        """Degrees east."""
        return self.longitude_mas / _MAS_PER_DEGREE


class Delta(NamedTuple):
    """Where the vehicle was, relative to where it is, in tenths of an arc second."""

    latitude: int
    """-512 to 511."""
    longitude: int
    """-512 to 511."""


class Additional(NamedTuple):
    """Data beyond the minimum set, kept as it came."""

    identifier: str
    """The relative object identifier, ``1.4.1``."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Msd:
    """One minimum set of data."""

    vin: str
    """The vehicle identification number, 17 characters (ISO 3779): personal data, which journals mask under ``vin``."""
    message_id: int = 1
    """From 1, one more with each MSD of the same call; 0 to 255."""
    automatic: bool = False
    """Set off by the vehicle's sensors, not by a person."""
    test_call: bool = False
    position_trusted: bool = False
    """Whether the vehicle holds its own position for good."""
    vehicle_type: str | None = VEHICLE_TYPES[0]
    """One of VEHICLE_TYPES; None for a class beyond those."""
    storages: frozenset[str] = frozenset()
    """Which of STORAGES the vehicle has."""
    not_told: frozenset[str] = frozenset()
    """Which of STORAGES the vehicle left out, which reads as not there."""
    timestamp: int = 0
    """When it happened, seconds since 1970 UTC; 0 where the vehicle does not know."""
    place: Place | None = None
    """Where the vehicle is; None where it does not know."""
    direction: int | None = None
    """Direction of travel, degrees clockwise from north, even, 0 to 358; None where not known."""
    recent_1: Delta | None = None
    """Where it was before ``place``; always there in version 3."""
    recent_2: Delta | None = None
    """Where it was before ``recent_1``, relative to it; always there in version 3."""
    people: int | None = None
    """Passengers or occupants, 0 to 254; None where left out or not known."""
    additional: Additional | None = None
    version: int = 2
    """1, 2 or 3."""
    findings: tuple[str, ...] = ()
    """What is odd about the message that was read."""

    @property
    def confirmed(self) -> bool:
        """Whether a public message has confirmed this version's layout."""
        return self.version not in UNCONFIRMED_VERSIONS

    def encode(self) -> bytes:
        """Return the octets, not padded.

        Raises:
            MsdError: a field out of its range, or more than MAX_MSD octets.
        """
        self._check()
        message: dict[str, Any] = {"msdStructure": self._structure()}
        if self.additional is not None:
            oid = _packed(self.additional.identifier)
            message["optionalAdditionalData"] = {"oid": oid, "data": self.additional.data}
        body = bytes(compiled(self.version).encode("MSDMessage", message))
        head = bytes((self.version,)) + (_length(len(body)) if self.version > 1 else b"")
        if len(head) + len(body) > MAX_MSD:
            raise MsdError(f"MSD of {len(head) + len(body)} octets; {MAX_MSD} is the most")
        return head + body

    def _structure(self) -> dict[str, Any]:
        place = self.place or (_NO_POSITION, _NO_POSITION)
        assert self.vehicle_type is not None
        structure: dict[str, Any] = {
            "messageIdentifier": self.message_id,
            "control": {
                "automaticActivation": self.automatic,
                "testCall": self.test_call,
                "positionCanBeTrusted": self.position_trusted,
                "vehicleType": self.vehicle_type,
            },
            "vehicleIdentificationNumber": {
                "isowmi": self.vin[:3],
                "isovds": self.vin[3:9],
                "isovisModelyear": self.vin[9:10],
                "isovisSeqPlant": self.vin[10:],
            },
            "vehiclePropulsionStorageType": {
                name: name in self.storages
                for name in (STORAGES if self.version > 1 else STORAGES[:-1])
                if name not in self.not_told
            },
            "timestamp": self.timestamp,
            "vehicleLocation": {"positionLatitude": place[0], "positionLongitude": place[1]},
            "vehicleDirection": _NO_DIRECTION if self.direction is None else self.direction // _DEGREES_PER_STEP,
        }
        for number, delta in ((1, self.recent_1), (2, self.recent_2)):
            if delta is not None:
                moved = {"latitudeDelta": delta.latitude, "longitudeDelta": delta.longitude}
                structure[f"recentVehicleLocationN{number}"] = moved
        if self.people is not None:
            structure[people_of(self.version)] = self.people
        return structure

    def _check(self) -> None:
        if self.version not in VERSIONS:
            raise MsdError(f"MSD version {self.version}; {_listed(VERSIONS)} can be written")
        if self.vehicle_type not in VEHICLE_TYPES:
            raise MsdError(f"vehicle type {self.vehicle_type!r}; {_listed(VEHICLE_TYPES)} can be written")
        if len(self.vin) != 17 or not set(self.vin) <= set(VIN_ALPHABET):
            raise MsdError("a VIN has 17 of the characters 0-9 and A-Z without I, O and Q")
        _in("message identifier", self.message_id, 0, 255)
        _in("timestamp", self.timestamp, 0, 0xFFFF_FFFF)
        if self.direction is not None:
            _in("direction", self.direction, 0, 358)
            if self.direction % _DEGREES_PER_STEP:
                raise MsdError(
                    f"direction {self.direction} is not even: it goes in steps of {_DEGREES_PER_STEP} degrees"
                )
        if self.people is not None:
            _in("people", self.people, 0, _NO_PEOPLE - 1)
        if self.place is not None:
            _in("latitude", self.place.latitude_mas, -_LAT_MAX, _LAT_MAX)
            _in("longitude", self.place.longitude_mas, -_LON_MAX, _LON_MAX)
        for delta in (self.recent_1, self.recent_2):
            if delta is None and self.version == 3:
                raise MsdError("version 3 has two recent locations, and one is left out")
            for value in delta or ():
                _in("recent location", value, -512, 511)
        self._check_extras()

    def _check_extras(self) -> None:
        unknown = (self.storages | self.not_told) - set(STORAGES)
        if unknown or self.storages & self.not_told:
            raise MsdError(f"storages are of {_listed(STORAGES)}, each told or left out")
        if self.version == 1 and STORAGES[-1] in self.storages:
            raise MsdError(f"version 1 has no {STORAGES[-1]}")
        if self.additional is not None and len(self.additional.data) > MAX_ADDITIONAL:
            raise MsdError(f"additional data of {len(self.additional.data)} octets; {MAX_ADDITIONAL} is the most")


def decode(octets: bytes) -> Msd:
    """Read a minimum set of data, padding after it allowed.

    Raises:
        MsdError: too short, too long, another version, or not the unaligned PER of its message.
    """
    if not 2 <= len(octets) <= MAX_MSD:
        raise MsdError(f"an MSD has 2 to {MAX_MSD} octets; {len(octets)} came")
    version = octets[0]
    if version not in VERSIONS:
        raise MsdError(f"MSD version {version}; {_listed(VERSIONS)} can be read")
    findings: list[str] = []
    body = octets[1:]
    if version > 1:
        length, at = _read_length(octets)
        body, rest = octets[at : at + length], octets[at + length :]
        if len(body) < length:
            raise MsdError(f"cut short: {length} octets are announced and {len(body)} came")
        if any(rest):
            findings.append(f"{len(rest)} octets after the message, which are not padding")
    try:
        message = compiled(version).decode("MSDMessage", body)
    except Exception as error:  # the coder's own errors, and what it raises on octets that its authors did not think of
        raise MsdError(f"not an MSD of version {version} in unaligned PER: {error}") from error
    return _read(version, message, findings)


def _read(version: int, message: dict[str, Any], findings: list[str]) -> Msd:
    body = message["msdStructure"]
    control, vin = body["control"], body["vehicleIdentificationNumber"]
    told = body["vehiclePropulsionStorageType"]
    storages = STORAGES if version > 1 else STORAGES[:-1]
    if control["vehicleType"] is None:
        findings.append("a vehicle class beyond L7e, whose number is not confirmed")
    more = message.get("optionalAdditionalData")
    people = body.get(people_of(version))
    step = body["vehicleDirection"]
    if step >= 360 // _DEGREES_PER_STEP and step != _NO_DIRECTION:
        findings.append(f"direction code {step}, which is neither 0-179 nor {_NO_DIRECTION}")
    return Msd(
        version=version,
        message_id=body["messageIdentifier"],
        automatic=control["automaticActivation"],
        test_call=control["testCall"],
        position_trusted=control["positionCanBeTrusted"],
        vehicle_type=control["vehicleType"],
        vin="".join(vin[part] for part in ("isowmi", "isovds", "isovisModelyear", "isovisSeqPlant")),
        storages=frozenset(name for name in storages if told.get(name)),
        not_told=frozenset(name for name in storages if name not in told),
        timestamp=body["timestamp"],
        place=_place(body["vehicleLocation"], findings),
        direction=step * _DEGREES_PER_STEP if step < 360 // _DEGREES_PER_STEP else None,
        recent_1=_delta(body.get("recentVehicleLocationN1")),
        recent_2=_delta(body.get("recentVehicleLocationN2")),
        people=None if people == _NO_PEOPLE else people,
        additional=None if more is None else Additional(_dotted(more["oid"], findings), bytes(more["data"])),
        findings=tuple(findings),
    )


def _place(location: dict[str, int], findings: list[str]) -> Place | None:
    latitude, longitude = location["positionLatitude"], location["positionLongitude"]
    if _NO_POSITION in (latitude, longitude):
        return None
    if abs(latitude) > _LAT_MAX or abs(longitude) > _LON_MAX:
        findings.append(f"position {latitude}, {longitude} thousandths of an arc second, which is not on the earth")
        return None
    return Place(latitude, longitude)


def _delta(moved: dict[str, int] | None) -> Delta | None:
    return None if moved is None else Delta(moved["latitudeDelta"], moved["longitudeDelta"])


def _length(octets: int) -> bytes:
    """A length in unaligned PER (X.691 section 11.9): one octet below 128, two up to 16383."""
    return bytes((octets,)) if octets < 128 else (0x8000 | octets).to_bytes(2, "big")


def _read_length(octets: bytes) -> tuple[int, int]:
    """The message's length, and where it begins."""
    if octets[1] < 0x80:
        return octets[1], 2
    if octets[1] >= 0xC0 or len(octets) < 3:
        raise MsdError(f"length octet {octets[1]:#04x} announces more than {MAX_MSD} octets")
    return int.from_bytes(octets[1:3], "big") & 0x3FFF, 3


def _dotted(octets: bytes, findings: list[str]) -> str:
    """A relative object identifier's arcs (X.690 section 8.20), with dots between."""
    arcs, value = [], 0
    for octet in octets[:MAX_IDENTIFIER]:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(str(value))
            value = 0
    if value or not arcs or len(octets) > MAX_IDENTIFIER:
        findings.append(f"the additional data's identifier {octets[:MAX_IDENTIFIER].hex()} is no object identifier")
    return ".".join(arcs)


def _packed(identifier: str) -> bytes:
    arcs = identifier.split(".")
    if len(arcs) > MAX_ARCS or not all(arc.isascii() and arc.isdigit() and len(arc) <= 9 for arc in arcs):
        raise MsdError(f"{identifier[:60]!r} is no object identifier: up to {MAX_ARCS} numbers with dots between")
    packed = b""
    for arc in map(int, arcs):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        packed += bytes(reversed(groups))
    if len(packed) > MAX_IDENTIFIER:
        raise MsdError(f"an identifier of {len(packed)} octets; {MAX_IDENTIFIER} is the most")
    return packed


def _in(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise MsdError(f"{name} {value} is not {least} to {most}")


def _listed(values: tuple[object, ...]) -> str:
    return ", ".join(map(str, values))
