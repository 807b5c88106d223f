"""Opens the simulated enterprise switch, for what only whoever runs it can do."""

from __future__ import annotations

from harness.drivers.enterprise_switch import EnterpriseSwitch
from harness.errors import TestbedError
from harness.testbed.components import Binding, EnterpriseSwitchComponent
from harness.testbed.opening.base import Opening


async def open_switch(opening: Opening, name: str, component: EnterpriseSwitchComponent) -> EnterpriseSwitch:
    """Open it. Raises TestbedError for a real one."""
    if component.binding is not Binding.SIMULATED:
        raise TestbedError(f"{name} is a real switch: its trunks and sites are not made to fail from here")
    secret = component.simulator.control_token
    token = secret.get_secret_value() if secret is not None else None
    return EnterpriseSwitch(opening.context, name, opening.addresses.url(name, "http"), token)
