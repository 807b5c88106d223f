"""Opens Webex."""

from __future__ import annotations

import ssl
from typing import Final

from harness.drivers.webex import Account, Webex
from harness.drivers.webex_calls import Receiver
from harness.drivers.webex_guests import GuestIssuer
from harness.drivers.webex_meetings import RecordingsDue
from harness.drivers.webex_sign_in import Person, SigningIn
from harness.endpoints.webex import Integration, token_from
from harness.testbed.components import Binding, WebexComponent
from harness.testbed.opening.base import Opening, host_port
from harness.transport.tls import TlsFiles, client_context

DAY_S: Final = 86_400.0


async def open_webex(opening: Opening, name: str, component: WebexComponent) -> Webex:
    """Open it; tokens are had when an account is first used. Raises DriverError."""
    accounts = {
        alias: Account(each.email, each.token_variable, each.disposable) for alias, each in component.accounts.items()
    }
    if component.binding is Binding.SIMULATED:
        secret = component.simulator.control_token
        simulated = await Webex.open(
            opening.context,
            name,
            service=opening.addresses.url(name, "http"),
            accounts=accounts,
            prefix=component.prefix,
            read_only=component.only_read,
            permit=opening.interlock.dial,
            clock=opening.clock,
            control=opening.addresses.url(name, "control"),
            control_token=secret.get_secret_value() if secret is not None else None,
            tls=_checking(opening, name, component),
            signing_in=_signing_in(component),
            guest_issuer=_guest_issuer(component),
        )
        days = component.simulator.recordings_kept_days
        simulated.recordings_due = RecordingsDue(component.simulator.region, days * DAY_S)
        simulated.receiver = Receiver(("127.0.0.1", 0))
        return simulated
    assert component.service is not None, "the file's reader saw to it"
    webex = await Webex.open(
        opening.context,
        name,
        service=component.service,
        accounts=accounts,
        prefix=component.prefix,
        read_only=component.only_read,
        permit=opening.interlock.dial,
        clock=opening.clock,
        control=None,
        analytics=component.analytics,
        guest_issuer=_guest_issuer(component),
        tls=_checking(opening, name, component),
    )
    webex.tester, webex.reports_at = opening.tester, component.reports
    if (kept := component.recordings) is not None:
        webex.recordings_due = RecordingsDue(kept.region, kept.kept_days * DAY_S)
    if (hooks := component.webhooks) is not None:
        webex.receiver = Receiver(host_port(hooks.listen), hooks.url)
    if (teams := component.teams) is not None:
        webex.waves = (teams.intact, teams.refused)
    return webex


def _guest_issuer(component: WebexComponent) -> GuestIssuer | None:
    """Who signs for guests; a real one's secret is had when it is first needed."""
    real = component.guest_issuer
    if real is not None:
        return GuestIssuer(real.id, lambda: token_from(real.secret_variable))
    for each in component.simulator.guest_issuers:
        return GuestIssuer(each.id, each.secret.get_secret_value)
    return None


def _signing_in(component: WebexComponent) -> SigningIn | None:
    """Who can sign in at a simulated Webex's identity provider, and through which integration."""
    provider, integrations = component.simulator.sign_on, component.simulator.integrations
    if provider is None or not integrations:
        return None
    first = integrations[0]
    people = {
        each.email: Person(
            each.password.get_secret_value(),
            each.totp_secret.get_secret_value() if each.totp_secret is not None else None,
        )
        for each in provider.accounts
    }
    secret = first.client_secret.get_secret_value()
    return SigningIn(Integration(first.client_id, first.redirect_uri, first.scopes, secret), people)


def _checking(opening: Opening, name: str, component: WebexComponent) -> ssl.SSLContext | None:
    """By what the service's certificate is checked: the file's authority, a simulated one's own, or the web's."""
    authority = component.authority
    if authority is None and opening.addresses.has(name, "authority"):
        authority = opening.addresses.file(name, "authority")
    return client_context(TlsFiles(authority=authority)) if authority is not None else None
