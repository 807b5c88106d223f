"""Opens a supervisor's view of an ICCS."""

from __future__ import annotations

from harness.drivers.supervisor import Supervisor
from harness.testbed.components import IccsComponent
from harness.testbed.opening.base import Opening
from harness.testbed.opening.console import control_of


async def open_supervisor(opening: Opening, name: str, component: IccsComponent) -> Supervisor:
    """Open it. Raises NotPlayedError where the ICCS offers no control interface."""
    if component.control is None:
        opening.only_simulated(name, "has no 'control': its wallboard, records and alarms are not seen from here")
    control, token = control_of(opening, name)
    return Supervisor.open(opening.context, name, control=control, token=token)
