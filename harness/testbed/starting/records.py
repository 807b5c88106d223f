"""Starts the records database simulator."""

from __future__ import annotations

from harness.testbed.components.records import RecordsDatabaseComponent
from harness.testbed.starting.base import Starting
from simulators.records_database.simulator import RecordsSimulator


async def start_records(starting: Starting, name: str, component: RecordsDatabaseComponent) -> None:
    """Start it. Raises LocalError."""
    simulator = await RecordsSimulator.start(starting.context, component.simulator, name=name)
    starting.stack.push_async_callback(simulator.stop)
    starting.reached(name, component.role, "http", simulator.url)
