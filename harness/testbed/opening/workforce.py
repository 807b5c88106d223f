"""Opens workforce management: a simulator's interface, or a real system's through an installed adapter."""

from __future__ import annotations

from importlib.metadata import entry_points

from harness.drivers.workforce import ENTRY_POINTS, Workforce, WorkforceSystem
from harness.errors import DriverError
from harness.testbed.components import Binding, WorkforceComponent
from harness.testbed.opening.base import Opening


async def open_workforce(opening: Opening, name: str, component: WorkforceComponent) -> WorkforceSystem:
    """Open it. Raises DriverError where no adapter of that name is installed."""
    if component.binding is Binding.SIMULATED:
        token = component.simulator.token
        secret = token.get_secret_value() if token is not None else None
        return Workforce.open(opening.context, name, url=opening.addresses.url(name, "http"), token=secret)
    installed = {each.name: each for each in entry_points(group=ENTRY_POINTS)}
    if component.adapter not in installed:
        raise DriverError(
            f"{name}: no adapter {component.adapter!r} for {ENTRY_POINTS} is installed; there is {', '.join(installed)}"
        )
    secret = component.token.get_secret_value() if component.token is not None else None
    adapter = installed[component.adapter].load()
    system: WorkforceSystem = adapter(opening.context, name, url=component.url, token=secret)
    return system
