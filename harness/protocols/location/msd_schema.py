"""The ASN.1 of eCall's minimum set of data, written here from public facts, and what of it is not confirmed.

EN 15722 is sold, and its notation is not copied: names, ranges and order below are facts that public encoders and
test messages show.

- **Version 2** (EN 15722:2015) is confirmed by two messages that are public with their meaning written out beside
  them; the tests read and write both.
- **Version 3** (EN 15722:2020) differs by its presence bits: the two recent locations are always there, and passengers
  are called occupants. One public encoder shows that; no public message has been found. UNCONFIRMED_VERSIONS.
- **Version 1** (EN 15722:2011) has no length before the message and no `otherStorage`. One public encoder shows that;
  no public message has been found. UNCONFIRMED_VERSIONS.
- Additional data is a relative object identifier and octets. In unaligned PER both are a length and octets, so it is
  described as two octet strings; what an identifier means is not looked at.
"""

from __future__ import annotations

import functools
from typing import Any, Final

VERSIONS: Final = (1, 2, 3)
UNCONFIRMED_VERSIONS: Final = frozenset({1, 3})
"""Versions whose layout no public message has confirmed."""

VEHICLE_TYPES: Final = (
    "passengerVehicleClassM1",
    "busesAndCoachesClassM2",
    "busesAndCoachesClassM3",
    "lightCommercialVehiclesClassN1",
    "heavyDutyVehiclesClassN2",
    "heavyDutyVehiclesClassN3",
    "motorcyclesClassL1e",
    "motorcyclesClassL2e",
    "motorcyclesClassL3e",
    "motorcyclesClassL4e",
    "motorcyclesClassL5e",
    "motorcyclesClassL6e",
    "motorcyclesClassL7e",
)
"""Vehicle classes, numbered from 1. Version 3 adds more as extensions; how those are numbered is not confirmed, so they
are read as a class that is not known."""

STORAGES: Final = (
    "gasolineTankPresent",
    "dieselTankPresent",
    "compressedNaturalGas",
    "liquidPropaneGas",
    "electricEnergyStorage",
    "hydrogenStorage",
    "otherStorage",
)
"""What the vehicle drives with; version 1 lacks the last. Each is optional here: the public messages state even what is
false, other encoders leave that out, and both read the same."""

VIN_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
"""ISO 3779: no I, O, Q."""

_COMMON: Final = """
ControlType ::= SEQUENCE {
    automaticActivation BOOLEAN,
    testCall BOOLEAN,
    positionCanBeTrusted BOOLEAN,
    vehicleType VehicleType
}
VehicleType ::= ENUMERATED {%(types)s, ...}
VIN ::= SEQUENCE {
    isowmi VinText (SIZE (3)),
    isovds VinText (SIZE (6)),
    isovisModelyear VinText (SIZE (1)),
    isovisSeqPlant VinText (SIZE (7))
}
VinText ::= PrintableString (FROM ("A".."H" | "J".."N" | "P" | "R".."Z" | "0".."9"))
VehicleLocation ::= SEQUENCE {
    positionLatitude INTEGER (-2147483648..2147483647),
    positionLongitude INTEGER (-2147483648..2147483647)
}
VehicleLocationDelta ::= SEQUENCE {
    latitudeDelta INTEGER (-512..511),
    longitudeDelta INTEGER (-512..511)
}
AdditionalData ::= SEQUENCE {
    oid OCTET STRING,
    data OCTET STRING
}
MSDMessage ::= SEQUENCE {
    msdStructure MSDStructure,
    optionalAdditionalData AdditionalData OPTIONAL,
    ...
}
VehiclePropulsionStorageType ::= SEQUENCE {%(storages)s, ...}
MSDStructure ::= SEQUENCE {
    messageIdentifier INTEGER (0..255),
    control ControlType,
    vehicleIdentificationNumber VIN,
    vehiclePropulsionStorageType VehiclePropulsionStorageType,
    timestamp INTEGER (0..4294967295),
    vehicleLocation VehicleLocation,
    vehicleDirection INTEGER (0..255),
    recentVehicleLocationN1 VehicleLocationDelta %(recent)s,
    recentVehicleLocationN2 VehicleLocationDelta %(recent)s,
    %(people)s INTEGER (0..255) OPTIONAL,
    ...
}
"""


def people_of(version: int) -> str:
    """What a version calls the people in the vehicle."""
    return "numberOfOccupants" if version == 3 else "numberOfPassengers"


@functools.cache
def compiled(version: int) -> Any:
    """The unaligned-PER coder of one version's `MSDMessage`, made when it is first asked for (a tenth of a second)."""
    import asn1tools  # noqa: PLC0415 - it costs every command that reads no MSD a tenth of a second

    storages = STORAGES if version > 1 else STORAGES[:-1]
    body = _COMMON % {
        "types": ", ".join(f"{name} ({number})" for number, name in enumerate(VEHICLE_TYPES, 1)),
        "storages": ", ".join(f"{name} BOOLEAN OPTIONAL" for name in storages),
        "recent": "" if version == 3 else "OPTIONAL",
        "people": people_of(version),
    }
    # The outer SEQUENCE is a version octet and, from version 2, a length octet: `msd` writes those itself.
    return asn1tools.compile_string(f"Msd DEFINITIONS AUTOMATIC TAGS ::= BEGIN {body} END", "uper")
