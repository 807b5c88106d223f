"""The service-desk pilot: calls wait for the desk in a queue, are in Webex's records, and each has a ticket."""

from __future__ import annotations

import asyncio

import pytest

from harness.endpoints.crm import Person, RecordTold
from harness.errors import DriverError, ExpectationError
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

pytestmark = pytest.mark.testbed("webex-calling")

DESK = "Pilot desk"
RECORDED_S = 900.0
"""Records are there 5 minutes after a call; they are looked for once a minute."""
CALLER = "+441632960123"


@requirement("WBX-022")
async def test_a_call_waits_for_the_desk_is_in_the_records_and_has_a_ticket_of_the_same_call(bench: Bench) -> None:
    webex, crm = await bench.webex(), await bench.crm()
    desk, user = await bench.telephone("operator-phone"), await bench.telephone("third-phone")
    await bench.telephone("colleague-phone")
    queue = await webex.call_queue(DESK)
    for agent in ("operator", "colleague"):
        await webex.join_queue(DESK, agent, joined=False)
    call = await user.dial(queue["extension"])
    await call.answered(within=2)
    await call.record()
    await asyncio.sleep(5)
    assert (await call.recorded()).samples.any(), "who waits hears nothing"
    with pytest.raises(ExpectationError):
        await webex.expect_call("alerting", by="operator", within=1)
    await webex.join_queue(DESK, "operator", joined=True)
    rung = await desk.rings(within=5)
    assert rung.number == "2000"
    await rung.answer()
    await asyncio.sleep(1)
    await converse(call, rung, read_clip("caller-999"))
    seen = await webex.expect_call("connected", by="operator", within=2)
    # The ticket is made by who took the call, and told again it is not made twice: its key is the call's.
    told = RecordTold("phone", "2026-01-01T09:00:00Z", Person("Ailsa Reid", CALLER), "The headset is mute", ("desk",))
    ticket = await crm.add_record(told, key=seen["callSessionId"])
    again = await crm.add_record(told, key=seen["callSessionId"])
    assert (again.id, again.created) == (ticket.id, False)
    await call.hang_up()
    await rung.ended(within=2)
    records = await webex.call_records(seen["callSessionId"], within=RECORDED_S, count=2)
    assert {(each["Direction"], each["User"], each["Queue type"]) for each in records} == {
        ("ORIGINATING", "Ailsa Reid", "Call Queue"),
        ("TERMINATING", "Callum Ross", "Call Queue"),
    }
    waited = [each for each in records if each["Direction"] == "ORIGINATING"]
    assert waited[0]["Dialed digits"] == queue["extension"]
    kept = await crm.service.record(ticket.id, user="desk", reason="audit")
    assert (kept["contact"], kept["text"]) == (ticket.contact, "The headset is mute")


async def test_a_call_that_nobody_takes_overflows_as_the_queue_says(bench: Bench) -> None:
    """Otherwise nothing would show that waiting ends."""
    webex, user = await bench.webex(), await bench.telephone("third-phone")
    overflow = await bench.telephone("desk-phone")
    queue = await webex.call_queue(DESK)
    settings = queue["queueSettings"]["overflow"]
    assert (settings["action"], settings["transferNumber"]) == ("TRANSFER_TO_PHONE_NUMBER", overflow.number)
    call = await user.dial(queue["extension"])
    await call.answered(within=2)
    with pytest.raises(DriverError, match="did not ring"):
        await overflow.rings(within=settings["overflowAfterWaitTime"] - 5)
    last = await overflow.rings(within=10)
    await last.answer()
    await asyncio.sleep(1)
    await call.hang_up()
    await last.ended(within=2)
