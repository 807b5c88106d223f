"""What a caller-location simulator is told at its start: addresses, whom it knows, how long things take."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from harness.protocols.location.caller import MAX_LINE, MAX_LINES
from harness.protocols.location.link import KEEP_ALIVE_S
from simulators.settings import E164, Span, Strict

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Line = Annotated[str, Field(min_length=1, max_length=MAX_LINE)]
MAX_LISTED = 2_000
"""Subscribers, and handsets, that a file may list."""


class LandlineSettings(Strict):
    """A landline whose subscriber a test relies on."""

    number: E164
    name: Line
    lines: tuple[Line, ...] = Field(min_length=1, max_length=MAX_LINES)
    """The address, from house to town."""
    postcode: Annotated[str, Field(max_length=10)] = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class MobileSettings(Strict):
    """A mobile whose place a test relies on: where the handset really is."""

    number: E164
    latitude: Latitude
    longitude: Longitude
    aml: bool = True
    """Whether the handset sends its position by itself."""


class HandsetSettings(Strict):
    """How handsets send their positions."""

    send: bool = True
    """Whether a mobile that is asked about sends an AML text by itself."""
    delay_s: Span = Span(least=8, most=28)
    """From the question to the text: in the middle most often (a triangle), so that the mean is the middle: 18 s."""
    radius_m: Span = Span(least=5, most=30)
    """Radius that the handset tells; evenly between the bounds."""


class IntakeSettings(Strict):
    """What takes AML in."""

    rate: float = Field(default=50, gt=0, le=10_000)
    """Messages a second that are looked at; what is beyond is answered 2xx and dropped."""
    burst: int = Field(default=100, ge=1, le=10_000)
    """Messages at once before that rate counts."""
    hmac_key: SecretStr | None = None
    """With a key, a posted form that is not signed with it is answered 2xx and dropped."""


class LocationSettings(Strict):
    """A caller-location service as the testbed file describes it."""

    host: str = "127.0.0.1"
    link_port: int = Field(default=0, ge=0, le=65535)
    """TCP port of the caller-location interface; 0 takes any free one."""
    http_port: int = Field(default=0, ge=0, le=65535)
    """TCP port of AML intake and control; 0 takes any free one."""
    token: SecretStr | None = None
    """What control rooms greet with and the control interface asks for; needed where ``host`` is not loopback."""
    certificate: Path | None = None
    """PEM file: with it and ``key``, both interfaces speak TLS."""
    key: Path | None = None
    codec: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "iccs"
    """The wire format of the caller-location interface: our own, or an installed package's."""
    keep_alive_s: float = Field(default=KEEP_ALIVE_S, ge=0.1, le=30)
    """How often each side of a link speaks; a link that is silent three times as long is down."""
    seed: int = 1
    """Of the invented subscribers, masts and handsets: one seed gives the same ones."""
    subscribers: int = Field(default=300, ge=0, le=3_000)
    """Landlines that are invented beside those listed, over Ofcom's reserved numbers."""
    landlines: tuple[LandlineSettings, ...] = Field(default=(), max_length=MAX_LISTED)
    mobiles: tuple[MobileSettings, ...] = Field(default=(), max_length=MAX_LISTED)
    """Other mobiles of Ofcom's reserved range are given places by the seed."""
    answer_s: Span = Span(least=0.05, most=0.4)
    """From a question to its answer; evenly between the bounds."""
    handsets: HandsetSettings = HandsetSettings()
    intake: IntakeSettings = IntakeSettings()

    @model_validator(mode="after")
    def _fit(self) -> LocationSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("'certificate' and 'key' go together")
        numbers = [*(landline.number for landline in self.landlines), *(mobile.number for mobile in self.mobiles)]
        for number, times in Counter(numbers).items():
            if times > 1:
                raise ValueError(f"{number} is listed twice")
        return self
