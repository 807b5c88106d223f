"""Where the systems that a control room asks are: as the testbed found them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceAt:
    """One system."""

    address: str
    """``http://host:port``."""
    token: str = ""


@dataclass(frozen=True, slots=True)
class ServicesAt:
    """Those that there are."""

    crm: ServiceAt | None = None
    """Where callers are looked up."""
    records: ServiceAt | None = None
    """Where people and vehicles are checked."""
    directory: ServiceAt | None = None
    """Where the directory's feed is."""


NO_SERVICES = ServicesAt()
