"""A call moves from somebody's desktop to their mobile and back: it stays the same call, and nothing much is missed."""

from __future__ import annotations

import pytest

from harness.drivers.telephone import Telephone
from harness.drivers.telephone_call import TelephoneCall
from harness.drivers.webex import Webex
from harness.errors import SipLocalError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.continuity import gaps_since, speak_on
from harness.testbed.conversation import converse

pytestmark = pytest.mark.testbed("webex-calling")

OTHER = "01632960123"
RESUMES_S = catalogue()["WBX-010"].figure("resumes_s").value
"""For a move no figure is agreed: what is agreed for a transfer holds."""


async def moved(bench: Bench, webex: Webex, citizen: TelephoneCall, at: TelephoneCall, to: Telephone) -> TelephoneCall:
    """Move a call to another telephone of the line; the far end speaks on meanwhile."""
    before = await webex.expect_call("connected", by="operator", within=2)
    speech, act = await speak_on(citizen, {}, read_clip("caller-999")), bench.journal.now()
    taken = await to.dial(OTHER, replaces=at)
    await taken.answered(within=RESUMES_S)
    await speech.listens_too(to.name, taken)
    await at.ended(within=2)
    for gap in (await gaps_since(speech, act, bench.journal)).values():
        bench.measured(f"speech back at {to.name}", gap.seconds, "s", limit=RESUMES_S, requirement="WBX-023")
    after = await webex.expect_call("connected", by="operator", within=2)
    assert after["callSessionId"] == before["callSessionId"], "it is another call"
    assert not citizen.is_over
    await converse(taken, citizen, read_clip("call-taker"))
    return taken


@pytest.mark.robot_too
@requirement("WBX-023")
async def test_a_call_is_kept_that_moves_to_the_mobile_and_back(bench: Bench) -> None:
    webex = await bench.webex()
    desktop, mobile = await bench.telephone("operator-phone"), await bench.telephone("operator-mobile")
    citizen = await bench.telephone("citizen")
    call = await desktop.dial(OTHER)
    rung = await citizen.rings()
    await rung.answer()
    await call.answered(within=5)
    at_mobile = await moved(bench, webex, rung, call, mobile)
    back = await moved(bench, webex, rung, at_mobile, desktop)
    await back.hang_up()
    await rung.ended(within=2)


async def test_who_dials_anew_has_another_call_and_one_that_is_over_is_not_moved(bench: Bench) -> None:
    """Otherwise nothing would show that a call that was dropped and dialled again is told from one that was kept."""
    webex = await bench.webex()
    desktop, mobile = await bench.telephone("operator-phone"), await bench.telephone("operator-mobile")
    citizen = await bench.telephone("citizen")
    sessions = []
    for telephone in (desktop, mobile):
        call = await telephone.dial(OTHER)
        rung = await citizen.rings()
        await rung.answer()
        await call.answered(within=5)
        sessions.append((await webex.expect_call("connected", by="operator", within=2))["callSessionId"])
        await rung.hang_up()
        await call.ended(within=2)
        with pytest.raises(SipLocalError, match="no dialog"):
            await mobile.dial(OTHER, replaces=call)
    assert sessions[0] != sessions[1]
