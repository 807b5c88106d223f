"""Opens those who attend a meeting."""

from __future__ import annotations

from harness.drivers.attendees import Attendees
from harness.testbed.components.attendees import AttendeesComponent
from harness.testbed.opening.base import Opening, host_port


async def open_attendees(opening: Opening, name: str, component: AttendeesComponent) -> Attendees:
    """Open them towards the component that they call."""
    return await Attendees.open(
        opening.context,
        opening.media,
        name,
        local=host_port(component.local),
        target=opening.sip(component.to),
        permit=opening.interlock.dial,
    )
