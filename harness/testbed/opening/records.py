"""Opens a records database as its auditor sees it."""

from __future__ import annotations

from harness.drivers.records_database import RecordsDatabase
from harness.testbed.components.records import RecordsDatabaseComponent
from harness.testbed.opening.base import Opening


async def open_records_database(opening: Opening, name: str, component: RecordsDatabaseComponent) -> RecordsDatabase:
    """Open it. Raises NotPlayedError: a real one's audit is its keeper's, and there is no driver for it."""
    opening.only_simulated(name, "only a simulator's audit can be read")
    token = component.simulator.token
    return await RecordsDatabase.open(
        opening.context,
        name,
        control=opening.addresses.url(name, "http"),
        token=token.get_secret_value() if token is not None else None,
    )
