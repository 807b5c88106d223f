"""Opens the emergency trunk."""

from __future__ import annotations

from harness.drivers.trunk import EmergencyTrunk
from harness.testbed.components import TrunkComponent
from harness.testbed.opening.base import Opening, host_port


async def open_trunk(opening: Opening, name: str, component: TrunkComponent) -> EmergencyTrunk:
    """Open it towards its ICCS."""
    return await EmergencyTrunk.open(
        opening.context,
        opening.media,
        name,
        local=host_port(component.local),
        target=opening.sip(component.to),
        leads_to=component.to,
        permit=opening.interlock.dial,
    )
