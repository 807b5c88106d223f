"""Webex in a testbed file: a simulated one, or a real tenant by the names of the variables that hold its tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.testbed.components.base import Binding, BoundComponent, HostPort, Name, Strict
from simulators.webex.settings import Email, WebexSettings

MAX_ACCOUNTS = 1_000


class AccountSettings(Strict):
    """An account that tests act as."""

    email: Email
    token_variable: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")] | None = None
    """The environment's variable, or the keyring's entry, that has a real account's access token."""
    disposable: bool = False
    """Whether tests may disable it and enable it again: an account that nobody works with."""


class GuestIssuerReference(Strict):
    """A real organisation's guest issuer."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    secret_variable: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
    """The environment's variable, or the keyring's entry, that has its secret, in base64."""


class RecordingsKept(Strict):
    """What is agreed of a real organisation's recordings (WBX-017)."""

    region: Annotated[str, Field(min_length=1, max_length=128)]
    """Where they are to lie, as the service names it."""
    kept_days: Annotated[float, Field(gt=0, le=3_650)]
    """For how long."""


class WebhookReceiver(Strict):
    """Where a real Webex reaches this machine."""

    listen: HostPort
    """What is listened on here, ``host:port``, in the clear: a proxy before it has the certificate."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s]{1,500}$")]
    """What the service is told."""


class TeamsWaves(Strict):
    """Files of Teams users that a real organisation's tests bring over, in Microsoft Graph's names (WBX-025)."""

    intact: Path
    """All of whom come over."""
    refused: Path | None = None
    """Whose second user the service refuses."""


class WebexComponent(BoundComponent):
    """The Webex that is tested."""

    role: Literal["webex"]
    simulator: WebexSettings = WebexSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    service: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where a real Webex is asked, without ``/v1``: https://webexapis.com."""
    authority: Path | None = None
    """PEM file of who signed the service's certificate, where that is not an authority of the public web."""
    analytics: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where a real Webex tells of calls that are over: https://analytics-calling-eu.webexapis.com, by region."""
    reports: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Another host of a real Webex's at which its reports lie, and which may have the administrator's token."""
    guest_issuer: GuestIssuerReference | None = None
    """Of a real Webex, where it has one: of a simulated one it is the simulator's first."""
    recordings: RecordingsKept | None = None
    """What is agreed of a real Webex's recordings; of a simulated one it is the simulator's."""
    webhooks: WebhookReceiver | None = None
    """Where a real Webex's webhooks come to; a simulated one reaches this machine by itself."""
    teams: TeamsWaves | None = None
    """Teams users for a real Webex; for a simulated one it is fixtures/migration."""
    switch: Name | None = None
    """The simulated enterprise switch that makes a simulated Webex's calls: an extension is a line of it."""
    accounts: dict[Name, AccountSettings] = Field(min_length=1, max_length=MAX_ACCOUNTS)
    """Whom tests act as. ``administrator`` is one of them."""
    read_only: bool | None = None
    """Whether whatever would change something is refused before it is sent; left out: a real Webex is only read."""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{4,32}$")] = "iccs-test-"
    """What the names of all begin with that tests make, so that it is found after a crash: ``iccs webex sweep``."""

    @model_validator(mode="after")
    def _bound_whole(self) -> WebexComponent:
        if "administrator" not in self.accounts:
            raise ValueError("'accounts' needs an 'administrator'")
        if self.binding is Binding.REAL:
            if self.service is None:
                raise ValueError("a real webex needs 'service', the https://host at which it is asked, without /v1")
            without = [name for name, each in self.accounts.items() if each.token_variable is None]
            if without:
                raise ValueError(f"a real webex's accounts need 'token_variable'; without it: {', '.join(without)}")
            self._leavers_are_nobody_else()
        elif self.service is not None:
            raise ValueError("'service': for a real webex; a simulator has an address of its own")
        if self.binding is Binding.SIMULATED and self.guest_issuer is not None:
            raise ValueError("'guest_issuer': for a real webex; a simulated one has 'guest_issuers' among its settings")
        own = [name for name in ("reports", "recordings", "webhooks", "teams") if getattr(self, name) is not None]
        if self.binding is Binding.SIMULATED and own:
            raise ValueError(f"{', '.join(map(repr, own))}: for a real webex; a simulated one needs none")
        if self.binding is Binding.REAL and self.switch is not None:
            raise ValueError("'switch': for a simulated webex; a real one makes its calls itself")
        self._simulated_accounts_are_there()
        self.only_a_simulator_is_laid_out()
        return self

    def _leavers_are_nobody_else(self) -> None:
        """With a real account that is disabled all its tokens end, those of other accounts of the file, too."""
        for name, each in self.accounts.items():
            same = [other for other, its in self.accounts.items() if its.email.lower() == each.email.lower()]
            if each.disposable and len(same) > 1:
                raise ValueError(
                    f"account {name!r} is 'disposable', and {', '.join(same)} are one person: where it is disabled, "
                    "their tokens end, too; name somebody whom no other account is"
                )

    def _simulated_accounts_are_there(self) -> None:
        if self.binding is not Binding.SIMULATED:
            return
        known = {person.email.lower() for each in self.simulator.organisations for person in each.people}
        known |= {each.email.lower() for each in self.simulator.service_apps}
        for name, each in self.accounts.items():
            if each.email.lower() not in known:
                raise ValueError(f"account {name!r}: the simulated webex has nobody with the email {each.email!r}")

    @property
    def stands_on(self) -> str | None:
        """The switch that makes its calls."""
        return self.switch

    @property
    def only_read(self) -> bool:
        """Whether it is only read."""
        return self.binding is not Binding.SIMULATED if self.read_only is None else self.read_only
