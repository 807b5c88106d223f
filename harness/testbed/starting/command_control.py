"""Starts the command-and-control simulator."""

from __future__ import annotations

from harness.testbed.components import CommandControlComponent
from harness.testbed.starting.base import Starting
from simulators.command_control.simulator import CommandControlSimulator


async def start_command_control(starting: Starting, name: str, component: CommandControlComponent) -> None:
    """Start it. Raises LocalError."""
    simulator = await CommandControlSimulator.start(starting.context, component.simulator, name=name)
    starting.stack.push_async_callback(simulator.stop)
    starting.reached(name, component.role, "command_control", simulator.link_url)
    starting.reached(name, component.role, "http", simulator.control_url)
