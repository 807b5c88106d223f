"""Starts the Contact Us simulator, in front of the CRM and the command and control that were started."""

from __future__ import annotations

from harness.testbed.components import CommandControlComponent, ContactUsComponent, CrmComponent
from harness.testbed.starting.base import Starting
from simulators.contact_us.crm_queue import CrmAt
from simulators.contact_us.incidents import CommandControlAt
from simulators.contact_us.simulator import ContactUsSimulator


async def start_contact_us(starting: Starting, name: str, component: ContactUsComponent) -> None:
    """Start it. Raises LocalError."""
    simulator = await ContactUsSimulator.start(
        starting.context,
        component.simulator,
        name=name,
        virtual=starting.virtual,
        crm=_crm(starting),
        command_control=_command_control(starting),
        permit=starting.interlock.mail,
    )
    starting.stack.push_async_callback(simulator.stop)
    host, port = simulator.smtp_address
    starting.reached(name, component.role, "form", f"{simulator.http_url}/contact")
    starting.reached(name, component.role, "intake", simulator.http_url)
    starting.reached(name, component.role, "smtp", f"smtp://{host}:{port}")
    starting.reached(name, component.role, "http", simulator.control_url)


def _command_control(starting: Starting) -> CommandControlAt | None:
    """Where incidents are told: at the simulated system that was started, never at a real one."""
    for name, each in starting.testbed.components.items():
        if isinstance(each, CommandControlComponent) and starting.addresses.has(name, "command_control"):
            told = each.simulator
            token = told.token.get_secret_value() if told.token is not None else ""
            return CommandControlAt(starting.addresses.url(name, "command_control"), told.shape, token)
    return None


def _crm(starting: Starting) -> CrmAt | None:
    """Where records are kept: at the simulated CRM that was started, never at a real one."""
    for name, each in starting.testbed.components.items():
        if isinstance(each, CrmComponent) and starting.addresses.has(name, "crm"):
            token = each.simulator.token
            secret = token.get_secret_value() if token is not None else ""
            return CrmAt(starting.addresses.url(name, "crm"), secret)
    return None
