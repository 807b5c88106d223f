"""Opens Webex."""

from __future__ import annotations

import ssl

from harness.drivers.webex import Account, Webex
from harness.testbed.components import Binding, WebexComponent
from harness.testbed.opening.base import Opening
from harness.transport.tls import TlsFiles, client_context


async def open_webex(opening: Opening, name: str, component: WebexComponent) -> Webex:
    """Open it; tokens are had when an account is first used. Raises DriverError."""
    accounts = {
        alias: Account(each.email, each.token_variable, each.disposable) for alias, each in component.accounts.items()
    }
    if component.binding is Binding.SIMULATED:
        secret = component.simulator.control_token
        return await Webex.open(
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
        )
    assert component.service is not None, "the file's reader saw to it"
    return await Webex.open(
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
        tls=_checking(opening, name, component),
    )


def _checking(opening: Opening, name: str, component: WebexComponent) -> ssl.SSLContext | None:
    """By what the service's certificate is checked: the file's authority, a simulated one's own, or the web's."""
    authority = component.authority
    if authority is None and opening.addresses.has(name, "authority"):
        authority = opening.addresses.file(name, "authority")
    return client_context(TlsFiles(authority=authority)) if authority is not None else None
