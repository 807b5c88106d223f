"""Calls to and from the public network: numbers, another trunk, 999 with site and call back, and a site cut off."""

from __future__ import annotations

import pytest

from harness.drivers.telephone import Telephone
from harness.drivers.telephone_call import TelephoneCall
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

pytestmark = pytest.mark.testbed("webex-calling")

ALTERNATE_S = catalogue()["WBX-019"].figure("alternate_s").value
CITIZEN, OPERATOR = "01632960123", "+441414960001"
RECORDED_S = 900.0
"""Records are there 5 minutes after a call; they are looked for once a minute."""


async def taken(telephone: Telephone, call: TelephoneCall, number: str) -> TelephoneCall:
    """Who is called answers, having been shown this number, and each hears the other."""
    rung = await telephone.rings()
    assert rung.number == number
    await rung.answer()
    await call.answered(within=5)
    await converse(call, rung, read_clip("caller-999"))
    await converse(rung, call, read_clip("call-taker"))
    return rung


@pytest.mark.robot_too
@requirement("WBX-004")
async def test_calls_to_and_from_the_public_network_show_the_right_numbers_and_are_recorded_so(bench: Bench) -> None:
    webex = await bench.webex()
    operator, citizen = await bench.telephone("operator-phone"), await bench.telephone("citizen")
    out = await operator.dial(CITIZEN)
    rung = await taken(citizen, out, OPERATOR)
    session = (await webex.expect_call("connected", by="operator", within=2))["callSessionId"]
    await rung.hang_up()
    await out.ended(within=2)
    back = await citizen.dial("01414960001")
    answered = await taken(operator, back, "+441632960123")
    returned = (await webex.expect_call("connected", by="operator", within=2))["callSessionId"]
    await answered.hang_up()
    await back.ended(within=2)
    [placed] = await webex.call_records(session, within=RECORDED_S)
    assert (placed["Direction"], placed["Called number"], placed["Outbound trunk"]) == (
        "ORIGINATING",
        CITIZEN,
        "carrier-a",
    )
    [received] = await webex.call_records(returned, within=RECORDED_S)
    assert (received["Direction"], received["Calling number"], received["Inbound trunk"]) == (
        "TERMINATING",
        "+441632960123",
        "carrier-a",
    )
    assert (placed["Answered"], received["Call outcome"], received["User"]) == ("true", "Success", "Callum Ross")


@requirement("WBX-005")
async def test_999_from_a_softphone_reaches_the_operator_with_the_site_and_can_be_called_back(bench: Bench) -> None:
    webex = await bench.webex()
    softphone, operator = await bench.telephone("operator-phone"), await bench.telephone("operator-999-a")
    callback = await webex.callback_number("operator")
    call = await softphone.dial("999")
    rung = await taken(operator, call, callback)
    seen = await webex.expect_call("connected", by="operator", within=2)
    assert seen["remoteParty"]["callType"] == "emergency"
    await rung.hang_up()
    await call.ended(within=2)
    again = await operator.dial(callback)
    rings = await softphone.rings()
    await rings.answer()
    await again.answered(within=5)
    await again.hang_up()
    await rings.ended(within=2)
    [record] = await webex.call_records(seen["callSessionId"], within=RECORDED_S)
    assert (record["Call type"], record["Location"]) == ("SIP_EMERGENCY", "Govan")


@requirement("WBX-019")
@pytest.mark.parametrize("fault", ["silent", "refusing"])
async def test_a_new_call_takes_the_other_trunk_in_time_where_the_first_fails(bench: Bench, fault: str) -> None:
    """The fault is at the carrier: the force's switch learns of it by the call alone."""
    carrier, webex = await bench.switch_faults("carrier-a"), await bench.webex()
    operator, citizen = await bench.telephone("operator-phone"), await bench.telephone("citizen-b")
    await carrier.fail_trunk("force", "silent" if fault == "silent" else "refusing")
    try:
        began = bench.journal.now()
        call = await operator.dial(CITIZEN)
        await call.ringing(within=ALTERNATE_S)
        took = bench.journal.now() - began
        bench.measured(f"alternate_trunk {fault}", took, "s", requirement="WBX-019", figure="alternate_s")
        rung = await taken(citizen, call, OPERATOR)
        session = (await webex.expect_call("connected", by="operator", within=2))["callSessionId"]
        await rung.hang_up()
        await call.ended(within=2)
    finally:
        await carrier.mend_trunk("force")
    [record] = await webex.call_records(session, within=RECORDED_S)
    assert record["Outbound trunk"] == "carrier-b"


@pytest.mark.robot_too
@requirement("WBX-020")
async def test_a_site_that_is_cut_off_calls_within_itself_the_world_and_999_and_comes_back(bench: Bench) -> None:
    switch, webex = await bench.switch_faults("switch"), await bench.webex()
    operator, colleague = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
    emergency, citizen = await bench.telephone("operator-999-b"), await bench.telephone("citizen-b")
    callback = await webex.callback_number("operator")
    centre, cut = operator.home, bench.journal.position
    try:
        await switch.cut_site("govan")
        await webex.fail("down")
        for telephone in (operator, colleague):
            await telephone.expect("telephone.home", within=30, after=cut)
        assert operator.home != centre
        for telephone, number, shown in ((colleague, "2002", "2001"), (citizen, CITIZEN, OPERATOR)):
            call = await operator.dial(number)
            await (await taken(telephone, call, shown)).hang_up()
            await call.ended(within=2)
        call = await operator.dial("999")
        await (await taken(emergency, call, callback)).hang_up()
        await call.ended(within=2)
    finally:
        await webex.recover()
        mended = bench.journal.position
        await switch.mend_site("govan")
    await operator.expect("telephone.home", within=30, after=mended)
    assert operator.home == centre
    call = await operator.dial("2003")
    await call.hang_up()
