"""Opens a radio network's control interface."""

from __future__ import annotations

from harness.drivers.radio_network import RadioNetworkControl
from harness.testbed.components import RadioNetworkComponent
from harness.testbed.opening.base import Opening


async def open_radio_network(opening: Opening, name: str, component: RadioNetworkComponent) -> RadioNetworkControl:
    """Open it. Raises NotPlayedError where the network is not simulated: only a simulator has one."""
    opening.only_simulated(name, "only a simulator tells what its terminals and sites do")
    token = component.simulator.control_token
    return await RadioNetworkControl.open(
        opening.context,
        name,
        control=opening.addresses.url(name, "http"),
        token=token.get_secret_value() if token is not None else None,
    )
