"""Opens a load of calls."""

from __future__ import annotations

from harness.drivers.call_load import CallLoad
from harness.testbed.components.call_load import CallLoadComponent
from harness.testbed.opening.base import Opening, host_port


async def open_call_load(opening: Opening, name: str, component: CallLoadComponent) -> CallLoad:
    """Open it towards the component that it calls."""
    return await CallLoad.open(
        opening.context,
        opening.media,
        name,
        local=host_port(component.local),
        target=opening.sip(component.to),
        permit=opening.interlock.dial,
    )
