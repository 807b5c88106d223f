"""Starts the caller-location simulator."""

from __future__ import annotations

from harness.testbed.components import CallerLocationComponent
from harness.testbed.starting.base import Starting
from simulators.location.simulator import LocationSimulator


async def start_location(starting: Starting, name: str, component: CallerLocationComponent) -> None:
    """Start it. Raises LocalError."""
    location = await LocationSimulator.start(starting.context, component.simulator, name=name, virtual=starting.virtual)
    starting.stack.push_async_callback(location.stop)
    host, port = location.link_address
    scheme = "tcp" if component.simulator.certificate is None else "tls"
    starting.reached(name, component.role, "location", f"{scheme}://{host}:{port}")
    starting.reached(name, component.role, "http", location.http_url)
