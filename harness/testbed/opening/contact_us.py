"""Opens Contact Us as the public and, where it is simulated, its staff see it."""

from __future__ import annotations

from harness.drivers.contact_us import ContactUs
from harness.endpoints.contact_us import Address, load_adapter
from harness.testbed.components import Binding, ContactUsComponent
from harness.testbed.opening.base import Opening


async def open_contact_us(opening: Opening, name: str, component: ContactUsComponent) -> ContactUs:
    """Open it. Raises DriverError, and LocalError for an adapter that is not installed."""
    settings = component.simulator
    if component.binding is Binding.SIMULATED:
        intake_token = settings.intake_token
        at = Address(
            opening.addresses.url(name, "intake"),
            intake_token.get_secret_value() if intake_token is not None else "",
            opening.addresses.host_port(name, "smtp"),
            settings.mailbox,
        )
        control: str | None = opening.addresses.url(name, "http")
        token = settings.token.get_secret_value() if settings.token is not None else None
    else:
        at = Address(component.address or "", component.token.get_secret_value() if component.token is not None else "")
        control = token = None
    adapter = load_adapter(component.adapter, at)
    return await ContactUs.open(
        opening.context, name, adapter, control=control, token=token, permit=lambda: opening.interlock.submit(name)
    )
