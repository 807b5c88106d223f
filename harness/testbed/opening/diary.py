"""Opens the SMS Diary: a simulator's interface, or a real one by its vendor's adapter."""

from __future__ import annotations

from harness.drivers.diary import SimulatedDiary, SmsDiary, load_adapter
from harness.errors import DriverError
from harness.testbed.components import Binding, SmsDiaryComponent
from harness.testbed.opening.base import Opening


async def open_sms_diary(opening: Opening, name: str, component: SmsDiaryComponent) -> SmsDiary:
    """Open it. Raises DriverError: no such adapter is installed, or nobody answers.

    A real Diary sends texts itself: its adapter lets it have only numbers that the safety interlock allows.
    """
    if component.binding is Binding.REAL:
        if component.url is None or component.adapter is None:
            raise DriverError(f"{name}: a real Diary has 'url' and 'adapter'")
        token = component.token.get_secret_value() if component.token is not None else None
        return await load_adapter(component.adapter)(
            opening.context, name, component.url, token, opening.interlock.text
        )
    token = component.simulator.token.get_secret_value() if component.simulator.token is not None else None
    return await SimulatedDiary.open(opening.context, name, control=opening.addresses.url(name, "http"), token=token)
