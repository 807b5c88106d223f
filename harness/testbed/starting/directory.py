"""Starts the directory simulator."""

from __future__ import annotations

from harness.testbed.components.directory import DirectoryComponent
from harness.testbed.starting.base import Starting
from simulators.directory.simulator import DirectorySimulator


async def start_directory(starting: Starting, name: str, component: DirectoryComponent) -> None:
    """Start it. Raises LocalError."""
    simulator = await DirectorySimulator.start(starting.context, component.simulator, name=name)
    starting.stack.push_async_callback(simulator.stop)
    starting.reached(name, component.role, "http", simulator.url)
