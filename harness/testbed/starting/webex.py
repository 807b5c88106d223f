"""Starts the simulated Webex."""

from __future__ import annotations

from harness.testbed.addresses import TOKEN
from harness.testbed.components import WebexComponent
from harness.testbed.starting.base import Starting
from simulators.webex import WebexSimulator


async def start_webex(starting: Starting, name: str, component: WebexComponent) -> None:
    """Start it. Raises LocalError."""
    simulator = await WebexSimulator.start(starting.context, component.simulator, name=name, virtual=starting.virtual)
    starting.stack.push_async_callback(simulator.stop)
    starting.reached(name, component.role, "http", simulator.url)
    starting.reached(name, component.role, "control", simulator.control_url)
    starting.reached(name, component.role, TOKEN, simulator.token)
