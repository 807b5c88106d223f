"""Opens the simulated enterprise switch, for what only whoever runs it can do."""

from __future__ import annotations

from harness.drivers.enterprise_switch import EnterpriseSwitch
from harness.testbed.components import EnterpriseSwitchComponent
from harness.testbed.opening.base import Opening


async def open_switch(opening: Opening, name: str, component: EnterpriseSwitchComponent) -> EnterpriseSwitch:
    """Open it. Raises NotPlayedError for a real one."""
    opening.only_simulated(name, "only a simulated switch makes calls bad and mixers hang")
    secret = component.simulator.control_token
    token = secret.get_secret_value() if secret is not None else None
    return EnterpriseSwitch(opening.context, name, opening.addresses.url(name, "http"), token)
