"""Texts between a console and a radio: each shows what the other one wrote, and the console that it was delivered."""

from __future__ import annotations

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.mcptt import McpttRadio
from harness.drivers.radio import RadioTerminal
from harness.drivers.talking_radio import Ability, TalkingRadio
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.desk_party import DeskParty

SOON_S = 2.0


async def reply(bench: Bench, officer: TalkingRadio, desks: DeskParty, text: str) -> None:
    """Have an officer write to the control room: to the gateway's ISSI, or to its user."""
    if isinstance(officer, McpttRadio):
        await officer.send_text(text, to=str(desks.calls_as))
        return
    assert isinstance(officer, RadioTerminal)
    await officer.send_text(text, to=bench.issi("gateway-1"))


@requirement("NICCS-RAD-022")
@in_each_technology(Ability.TEXTS)
@pytest.mark.waits
async def test_a_consoles_text_is_delivered_in_time_and_a_radios_is_shown(bench: Bench, desks: DeskParty) -> None:
    """The console is told of the delivery in a receipt's time; what the officer writes is shown at both consoles."""
    dispatcher, other = await desks.dispatcher(), await desks.dispatcher(1)
    officer = await desks.radio(desks.talkgroups[0])
    after, began = bench.journal.position, bench.journal.now()
    await dispatcher.send_text(bench.console_id(officer.name), "Go to the rear entrance")
    sent = await dispatcher.expect("sds.sent", within=10.0, after=after, delivered=True, **desks.named(officer))
    bench.measured("receipt", sent.time - began, "s", requirement="NICCS-RAD-022", figure="receipt_s")
    await officer.expect("sds.received", within=SOON_S, after=after, text="Go to the rear entrance")
    await reply(bench, officer, desks, "At the rear entrance")
    for console in (dispatcher, other):
        shown = {"text": "At the rear entrance", **desks.named(officer)}
        await console.expect("sds.shown", within=SOON_S, after=after, **shown)
