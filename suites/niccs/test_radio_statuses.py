"""Statuses 0 to 16 from radio to radio, on TETRA and MCPTT. What dispatchers see of them is `test_unit_status.py`'s."""

from __future__ import annotations

import pytest

from harness.drivers.mcptt import McpttRadio
from harness.drivers.radio import RadioTerminal
from harness.drivers.talking_radio import Ability
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.radio_party import RadioParty

STATUSES = range(17)


@requirement("NICCS-RAD-021")
@pytest.mark.waits
async def test_each_status_is_received_in_time(bench: Bench, radios: RadioParty) -> None:
    """On MCPTT it goes to the talkgroup (MCData's enhanced status), and all of it receive it; on TETRA to one radio."""
    radios.needs(Ability.STATUS)
    sender, receivers = await radios.talker(), [await radios.listener()]
    if isinstance(sender, McpttRadio):
        receivers.append(await radios.third())
    for number in STATUSES:
        value, after, began = bench.status_value(number), bench.journal.position, bench.journal.now()
        if isinstance(sender, McpttRadio):
            await sender.send_status(value, to=radios.talkgroup)
        else:
            assert isinstance(sender, RadioTerminal)
            await sender.send_status(value, to=bench.issi(receivers[0].name))
        for receiver in receivers:
            shown = await receiver.expect("status.received", within=5.0, after=after, value=value)
            name = f"status {number} at {receiver.name}"
            bench.measured(name, shown.time - began, "s", requirement="NICCS-RAD-021", figure="state_s")
