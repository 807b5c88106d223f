"""What a simulated Webex is told at its start: where it listens, its organisations, their people, its limits."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from simulators.identity.settings import IdentitySettings
from simulators.settings import E164, Strict

Line = Annotated[str, Field(min_length=1, max_length=128)]
Email = Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,189}$")]
Extension = Annotated[str, Field(pattern=r"^[0-9]{2,10}$")]
MAX_NAMED: Final = 1_000
LICENCES: Final = ("Messaging", "Meeting - Webex Enterprise Edition", "Webex Calling - Professional")
"""What an organisation has licences of where its settings name none."""


class PersonSettings(Strict):
    """Somebody who has an account from the start."""

    email: Email
    name: Line
    role: Literal["administrator", "read_only_administrator", "user", "bot"] = "user"
    number: E164 | None = None
    """The telephone number of work."""
    extension: Extension | None = None
    location: Line | None = None
    """The name of one of the organisation's locations."""


class LocationSettings(Strict):
    """A place at which an organisation is."""

    name: Line
    time_zone: Line = "Europe/London"
    address: Line = "1 Example Street"
    city: Line = "Glasgow"
    postcode: Line = "ZZ1 1AA"


class WorkspaceSettings(Strict):
    """A room with what stands in it."""

    name: Line
    location: Line | None = None
    capacity: Annotated[int, Field(ge=1, le=1_000)] | None = None
    devices: tuple[Line, ...] = Field(default=(), max_length=16)
    """Products, as Webex names them: ``Cisco Room Kit``."""
    extension: Extension | None = None
    """The line at which they call: it is registered at the switch like a telephone's."""


class OrganisationSettings(Strict):
    """One tenant."""

    name: Line
    people: tuple[PersonSettings, ...] = Field(min_length=1, max_length=MAX_NAMED)
    """The first administrator among them is who the run's token is for."""
    locations: tuple[LocationSettings, ...] = Field(default=(), max_length=MAX_NAMED)
    workspaces: tuple[WorkspaceSettings, ...] = Field(default=(), max_length=MAX_NAMED)
    licences: dict[Line, Annotated[int, Field(ge=0, le=1_000_000)]] = Field(
        default_factory=lambda: dict.fromkeys(LICENCES, 500), max_length=100
    )
    """How many of each."""

    @model_validator(mode="after")
    def _places_are_there(self) -> OrganisationSettings:
        places = {each.name for each in self.locations}
        at = [(each.name, each.location) for each in self.people]
        at += [(each.name, each.location) for each in self.workspaces]
        for name, place in at:
            if place is not None and place not in places:
                raise ValueError(f"{name!r} is at {place!r}, and the organisation is at {sorted(places)}")
        return self


class IntegrationSettings(Strict):
    """An application that acts for people who let it (OAuth 2.0)."""

    client_id: Line
    client_secret: SecretStr
    redirect_uri: Annotated[str, Field(pattern=r"^https?://[^\s]{1,500}$")]
    scopes: tuple[str, ...] = Field(default=("spark:all", "spark:kms"), min_length=1, max_length=64)


class ServiceAppSettings(Strict):
    """An application that acts for the first organisation by itself, and makes guests."""

    email: Email
    name: Line


class GuestIssuerSettings(Strict):
    """An application of the older kind that makes guests of the first organisation by tokens that it signs."""

    id: Line
    secret: SecretStr
    """Base64, as the developers' page shows it; what it stands for signs."""

    @field_validator("secret")
    @classmethod
    def _can_be_read(cls, value: SecretStr) -> SecretStr:
        try:
            base64.b64decode(value.get_secret_value(), validate=True)
        except ValueError:
            raise ValueError("a guest issuer's secret is base64") from None
        return value


def _force() -> tuple[OrganisationSettings, ...]:
    people = (
        PersonSettings(email="admin@force.example", name="Ailsa Reid", role="administrator", extension="2000"),
        PersonSettings(
            email="operator@force.example",
            name="Callum Ross",
            extension="2001",
            number="+441414960001",
            location="Govan",
        ),
        PersonSettings(email="officer@force.example", name="Isla Munro", extension="2002", location="Govan"),
        PersonSettings(email="desk@force.example", name="Rory Blair", extension="2003", location="Govan"),
        PersonSettings(email="bot@webex.bot.example", name="Duty Bot", role="bot"),
    )
    partner = PersonSettings(email="admin@partner.example", name="Morag Lennox", role="administrator")
    govan = LocationSettings(name="Govan")
    briefing = WorkspaceSettings(
        name="Briefing room", location="Govan", capacity=12, devices=("Cisco Room Kit",), extension="2010"
    )
    command = WorkspaceSettings(name="Command room", location="Govan", devices=("Cisco Board",), extension="2011")
    return (
        OrganisationSettings(name="Force", people=people, locations=(govan,), workspaces=(briefing, command)),
        OrganisationSettings(name="Partner", people=(partner,)),
    )


class CertificateSettings(Strict):
    """The certificate of an API that is asked by https, as PEM files."""

    certificate: Path
    key: Path | None = None
    """None where it is in the same file."""


class WebexSettings(Strict):
    """How the simulator is laid out."""

    host: str = "127.0.0.1"
    """Loopback or not: its own API asks everybody for a token. The control interface asks beyond loopback."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where the API is; 0: any that is free."""
    tls: Literal["off", "generated"] | CertificateSettings = "off"
    """``generated``: a certificate of an authority made for the run, whose PEM file is told with the addresses."""
    control_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where its events, figures and faults are, and where tokens are had for any account."""
    control_token: SecretStr | None = None
    """What the control interface asks for; needed beyond loopback."""
    organisations: tuple[OrganisationSettings, ...] = Field(default_factory=_force, min_length=1, max_length=16)
    """The first is the one that is tested."""
    integrations: tuple[IntegrationSettings, ...] = Field(default=(), max_length=64)
    service_apps: tuple[ServiceAppSettings, ...] = Field(default=(), max_length=16)
    guest_issuers: tuple[GuestIssuerSettings, ...] = Field(default=(), max_length=16)
    sign_on: IdentitySettings | None = None
    """The identity provider at which people sign in; left out: there is none, and ``authorize`` asks for nothing."""
    token_lives_s: Annotated[float, Field(gt=0, le=31_536_000)] = 43_200.0
    """Seconds for which an access token serves: 12 hours, as Webex gives a personal one."""
    cursor_lives_s: Annotated[float, Field(gt=0, le=86_400)] = 900.0
    """Seconds for which a page's ``next`` can be followed; how long Webex's own serve is not published. [p]"""
    requests_per_s: Annotated[float, Field(gt=0, le=100_000)] = 500.0
    """Requests that one token may make; more are answered 429. Webex's own limits are not published. [p]"""
    burst: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    """Requests that may come at once before the rate is looked at. [p]"""
    records_after_s: Annotated[float, Field(ge=0, le=3_600)] = 300.0
    """Seconds after a call's end at which its detailed record can be had: developer.webex.com says 5 minutes."""
    quality_after_s: Annotated[float, Field(ge=0, le=3_600)] = 300.0
    """Seconds after a call's end at which what its media were can be had. [p]"""
    share_after_s: Annotated[float, Field(ge=0, le=3_600)] = 0.5
    """Seconds from a share's start until the others see it. [p]"""
    region: Line = "UK"
    """Where recordings are kept, as they tell it."""
    recordings_kept_days: Annotated[float, Field(gt=0, le=3_650)] = 30.0
    """Days after which a recording is taken away by itself."""
    webhooks_to: tuple[str, ...] = Field(default=(), max_length=100)
    """Hosts beyond loopback that webhooks may be sent to; others are made, and never sent."""

    @model_validator(mode="after")
    def _once_each(self) -> WebexSettings:
        emails = [person.email.lower() for each in self.organisations for person in each.people]
        emails += [each.email.lower() for each in self.service_apps]
        if twice := sorted({each for each in emails if emails.count(each) > 1}):
            raise ValueError(f"an account's email is its own, and {twice[0]!r} is given twice")
        if not any(each.role == "administrator" for each in self.organisations[0].people):
            raise ValueError("the first organisation needs an administrator among its 'people': whose token is printed")
        clients = [each.client_id for each in self.integrations]
        if len(set(clients)) != len(clients):
            raise ValueError("two integrations have the same client_id")
        return self
