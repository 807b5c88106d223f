"""What a handset tells of its position by itself (AML): when, how, where to, and in what form."""

from __future__ import annotations

from dataclasses import dataclass
from ssl import SSLContext
from typing import Literal

from harness.protocols.location import aml_sms
from harness.protocols.location.aml_https import AmlForm
from harness.protocols.location.aml_sms import Aml

AmlWay = Literal["none", "text", "https"]
_CONFIDENCE = 90
"""Percent; what handsets tell in their examples."""


@dataclass(frozen=True, slots=True)
class AmlPlan:
    """Whether, when and how a handset sends its position by itself, once it has dialled an emergency number."""

    way: AmlWay = "none"
    """``text``: by a text message to the network; ``https``: by a form to the location service."""
    delay_s: float = 18.0
    """From dialling to sending: what handsets need on average (NICCS-TEL-007)."""
    latitude: float = 0.0
    longitude: float = 0.0
    radius_m: float = 20.0

    def text(self) -> str:
        """The text message. Raises AmlError for what can't be written."""
        aml = Aml(self.latitude, self.longitude, self.radius_m, confidence=_CONFIDENCE, method=aml_sms.Method.GNSS)
        return aml_sms.build(aml)

    def form(self, number: str, dialled: str) -> AmlForm:
        """The form of a handset with that number, which dialled that."""
        return AmlForm(
            number=number,
            emergency_number=dialled,
            source="CALL",
            latitude=self.latitude,
            longitude=self.longitude,
            accuracy_m=self.radius_m,
            confidence=_CONFIDENCE,
            method=aml_sms.Method.GNSS,
        )


@dataclass(frozen=True, slots=True)
class AmlIntake:
    """Where a handset posts its position."""

    url: str
    """``http://host:port`` or ``https://…``."""
    key: bytes | None = None
    """Signs what is posted, where the service asks for it."""
    tls: SSLContext | None = None
    """Verifies an https service; None: as the system does."""
