"""Emergency incident data objects (EIDO, NENA-STA-021.1b-2022) as JSON: what is read of them and what is written.

It stands in for the United Kingdom's MAIT 1.0, whose schema is not public: no conformance to MAIT is claimed.
"""

from harness.protocols.eido.model import (
    Agency,
    Agent,
    Call,
    Callback,
    Dispatch,
    Eido,
    Incident,
    Location,
    Note,
    Person,
    Reference,
    Unit,
)
from harness.protocols.eido.read import MAX_BYTES, MAX_COMPONENTS, read

__all__ = [
    "MAX_BYTES",
    "MAX_COMPONENTS",
    "Agency",
    "Agent",
    "Call",
    "Callback",
    "Dispatch",
    "Eido",
    "Incident",
    "Location",
    "Note",
    "Person",
    "Reference",
    "Unit",
    "read",
]
