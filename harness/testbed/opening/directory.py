"""Opens a directory as whoever keeps it edits it."""

from __future__ import annotations

from harness.drivers.directory import Directory
from harness.testbed.components.directory import DirectoryComponent
from harness.testbed.opening.base import Opening


async def open_directory(opening: Opening, name: str, component: DirectoryComponent) -> Directory:
    """Open it. Raises NotPlayedError: a real one is edited by its keeper, and there is no driver for it."""
    opening.only_simulated(name, "only a simulated directory can be edited from here")
    token = component.simulator.token
    return await Directory.open(
        opening.context,
        name,
        control=opening.addresses.url(name, "http"),
        token=token.get_secret_value() if token is not None else None,
    )
