"""Starts the simulator of control lines."""

from __future__ import annotations

from harness.testbed.components import KeyedRadioComponent
from harness.testbed.starting.base import Starting
from simulators.keying.simulator import KeyedRadioSimulator


async def start_keyed_radio(starting: Starting, name: str, component: KeyedRadioComponent) -> None:
    """Start it. Raises LocalError."""
    radio = await KeyedRadioSimulator.start(starting.context, component.simulator, name=name)
    starting.stack.push_async_callback(radio.stop)
    host, port = radio.address
    starting.reached(name, component.role, "lines", f"rfc2217://{host}:{port}")
    starting.reached(name, component.role, "http", radio.control_url)
