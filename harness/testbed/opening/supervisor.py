"""Opens a supervisor's view of an ICCS."""

from __future__ import annotations

from harness.drivers.supervisor import Supervisor
from harness.testbed.components import IccsComponent
from harness.testbed.opening.base import Opening
from harness.testbed.opening.console import control_of


async def open_supervisor(opening: Opening, name: str, _component: IccsComponent) -> Supervisor:
    """Open it. Raises TestbedError where no driver reaches the ICCS."""
    control, token = control_of(opening, name)
    return Supervisor.open(opening.context, name, control=control, token=token)
