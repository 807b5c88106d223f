"""Starts the CRM simulator."""

from __future__ import annotations

from harness.testbed.components import CrmComponent
from harness.testbed.starting.base import Starting
from simulators.crm.simulator import CrmSimulator


async def start_crm(starting: Starting, name: str, component: CrmComponent) -> None:
    """Start it. Raises LocalError."""
    simulator = await CrmSimulator.start(starting.context, component.simulator, name=name, virtual=starting.virtual)
    starting.stack.push_async_callback(simulator.stop)
    starting.reached(name, component.role, "crm", simulator.url)
    starting.reached(name, component.role, "http", simulator.control_url)
