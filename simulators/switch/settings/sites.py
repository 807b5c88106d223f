"""Sites: what an emergency call from each tells, and what a site does when it is cut off from the centre."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from harness.protocols.location.shapes import CIVIC_NAMES, MAX_CIVIC_VALUE
from simulators.settings import E164, Strict
from simulators.switch.settings.base import Extension, Label, Seconds
from simulators.switch.settings.trunks import TrunkSettings

MAX_SITES = 64
MAX_ELINS = 32


class SurvivableSettings(Strict):
    """A gateway at the site that takes over when the centre can't be reached."""

    sip_port: int = Field(default=0, ge=0, le=65535)
    """UDP and TCP port; 0 takes any free one."""
    trunks: tuple[TrunkSettings, ...] = Field(min_length=1, max_length=8)
    """The site's own ways out, in the order in which they are tried."""
    emergency_only: bool = False
    """Whether nothing but emergency calls and calls within the site are put through."""


class SiteSettings(Strict):
    """One site."""

    name: Label
    elins: tuple[E164, ...] = Field(default=(), max_length=MAX_ELINS)
    """Numbers that stand for the site on emergency calls; a call back to one reaches the telephone that called."""
    address: dict[str, str] = Field(default_factory=dict)
    """Where it is, in parts of RFC 5139: ``country``, ``A3``, ``RD``, ``HNO``, ``PC`` …"""
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    emergency_trunks: tuple[Label, ...] = Field(default=(), max_length=8)
    """Trunks of emergency calls from here; the switch's own order where left out."""
    survivable: SurvivableSettings | None = None

    @field_validator("address")
    @classmethod
    def _known_parts(cls, address: dict[str, str]) -> dict[str, str]:
        for name, value in address.items():
            if name not in CIVIC_NAMES or not 0 < len(value) <= MAX_CIVIC_VALUE or not value.isprintable():
                raise ValueError(f"{name!r} is no part of an address; there are {', '.join(CIVIC_NAMES)}")
        return address

    @model_validator(mode="after")
    def _both_or_none(self) -> SiteSettings:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("'latitude' and 'longitude' go together")
        return self


class EmergencySettings(Strict):
    """Emergency calls."""

    numbers: tuple[Extension, ...] = Field(default=("999", "112"), min_length=1, max_length=16)
    """What is dialled; ``urn:service:sos`` and its kind always work."""
    sent_as: Extension | None = None
    """What trunks are told was called; as it was dialled where left out."""
    trunks: tuple[Label, ...] = Field(default=(), max_length=16)
    """In the order in which they are tried."""
    callback_s: Seconds = 3600.0
    """Seconds for which a call to an ELIN reaches the telephone that made the emergency call."""
    location: bool = True
    """Whether the site's place goes with the call (Geolocation, PIDF-LO)."""
    alert: tuple[Extension, ...] = Field(default=(), max_length=16)
    """Lines that are rung, so that somebody on site knows of the call."""
