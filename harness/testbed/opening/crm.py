"""Opens the CRM."""

from __future__ import annotations

from harness.drivers.crm import Crm
from harness.testbed.components import Binding, CrmComponent
from harness.testbed.opening.base import Opening


async def open_crm(opening: Opening, name: str, component: CrmComponent) -> Crm:
    """Open it. Raises DriverError, CrmError for an adapter that is not installed."""
    if component.binding is Binding.SIMULATED:
        secret = component.simulator.token
        token = secret.get_secret_value() if secret is not None else ""
        service, control = opening.addresses.url(name, "crm"), opening.addresses.url(name, "http")
        return await Crm.open(opening.context, name, service=service, token=token, control=control)
    assert component.service is not None, "the file's reader saw to it"
    token = component.token.get_secret_value() if component.token is not None else ""
    crm = await Crm.open(
        opening.context, name, service=component.service, token=token, adapter=component.adapter, control=None
    )
    crm.tester = opening.tester
    return crm
