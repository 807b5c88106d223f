"""Starts the workforce management simulator, on the feeds of the ICCS that was started."""

from __future__ import annotations

from harness.testbed.components import IccsComponent, WorkforceComponent
from harness.testbed.starting.base import Starting
from simulators.workforce.intake import Source
from simulators.workforce.simulator import WorkforceSimulator


async def start_workforce(starting: Starting, name: str, component: WorkforceComponent) -> None:
    """Start it; without its ICCS it has no feed. Raises LocalError."""
    source = None
    started = {entry.name for entry in starting.addresses if entry.kind == "http"}
    iccs = starting.testbed.components.get(component.iccs or "")
    if component.iccs in started and isinstance(iccs, IccsComponent):
        token = iccs.simulator.control_token
        secret = token.get_secret_value() if token is not None else None
        source = Source(starting.addresses.url(component.iccs, "http"), secret)
    simulator = await WorkforceSimulator.start(
        starting.context, component.simulator, name=name, source=source, virtual=starting.virtual
    )
    starting.stack.push_async_callback(simulator.stop)
    starting.reached(name, component.role, "http", simulator.http_url)
