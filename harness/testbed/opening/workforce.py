"""Opens workforce management: a simulator's interface, or a real system's through an installed adapter."""

from __future__ import annotations

from harness import installed
from harness.drivers.workforce import ENTRY_POINTS, Workforce, WorkforceSystem
from harness.errors import DriverError
from harness.testbed.components import Binding, WorkforceComponent
from harness.testbed.opening.base import Opening


async def open_workforce(opening: Opening, name: str, component: WorkforceComponent) -> WorkforceSystem:
    """Open it. Raises DriverError where no adapter of that name is installed, or it can't be loaded."""
    if component.binding is Binding.SIMULATED:
        token = component.simulator.token
        secret = token.get_secret_value() if token is not None else None
        return Workforce.open(opening.context, name, url=opening.addresses.url(name, "http"), token=secret)
    adapter = installed.load(ENTRY_POINTS, component.adapter, "workforce adapter", DriverError)
    secret = component.token.get_secret_value() if component.token is not None else None
    system: WorkforceSystem = adapter(opening.context, name, url=component.url, token=secret)
    return system
