"""Opens a scripted telephone."""

from __future__ import annotations

from harness.drivers.scripted_phone import ScriptedPhone
from harness.testbed.components.scripted_phone import ScriptedPhoneComponent
from harness.testbed.opening.base import Opening, host_port


async def open_scripted_phone(opening: Opening, name: str, component: ScriptedPhoneComponent) -> ScriptedPhone:
    """Open it towards the component that it calls."""
    return await ScriptedPhone.open(
        opening.context,
        opening.media,
        name,
        local=host_port(component.local),
        target=opening.sip(component.to),
        user=component.user,
        permit=opening.interlock.dial,
        permit_flood=lambda: opening.interlock.flood(component.to),
    )
