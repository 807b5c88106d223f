"""Opens the terminal of command and control."""

from __future__ import annotations

from harness.drivers.command_control import CommandControl
from harness.testbed.components import CommandControlComponent
from harness.testbed.opening.base import Opening


async def open_command_control(opening: Opening, name: str, component: CommandControlComponent) -> CommandControl:
    """Open it. Raises NotPlayedError for a real system's: its terminal is its vendor's, and has no driver yet."""
    opening.only_simulated(name, "only a simulator's terminal can be driven yet")
    token = component.simulator.token
    return await CommandControl.open(
        opening.context,
        name,
        control=opening.addresses.url(name, "http"),
        token=token.get_secret_value() if token is not None else None,
    )
