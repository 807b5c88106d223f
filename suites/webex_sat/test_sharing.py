"""What a room device shows in a meeting is seen by another one in time, and by nobody who is not in it."""

from __future__ import annotations

import pytest

from harness.drivers.telephone_call import TelephoneCall
from harness.drivers.webex import Webex
from harness.errors import ExpectationError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("webex-calling")

VISIBLE_S = catalogue()["WBX-016"].figure("visible_s").value
SHOWS, SEES = "Briefing room", "Command room"


async def two_rooms_meet(bench: Bench, webex: Webex) -> tuple[TelephoneCall, TelephoneCall]:
    """Both rooms' devices are in a meeting."""
    meeting = await webex.make_meeting("shown", by="operator", rooms=[SHOWS, SEES])
    calls = []
    for name, number in (("briefing-room", "2010"), ("command-room", "2011")):
        call = await (await bench.telephone(name)).dial(meeting["meetingNumber"])
        await call.answered(within=10)
        await webex.expect_participant(meeting["id"], "joined", number=number, by="operator", within=10)
        calls.append(call)
    return calls[0], calls[1]


@pytest.mark.robot_too
@requirement("WBX-016")
async def test_a_share_is_seen_in_time_until_it_ends_or_whoever_shares_leaves(bench: Bench) -> None:
    webex = await bench.webex()
    shows, sees = await two_rooms_meet(bench, webex)
    await webex.share(SHOWS)
    took = await webex.expect_shared(SEES, within=VISIBLE_S)
    bench.measured("share_visible", took, "s", requirement="WBX-016", figure="visible_s")
    await webex.share(SHOWS, on=False)
    await webex.expect_share_over(SEES, within=VISIBLE_S)
    await webex.share(SHOWS)
    await webex.expect_shared(SEES, within=VISIBLE_S)
    await shows.hang_up()
    await webex.expect_share_over(SEES, within=VISIBLE_S)
    await sees.hang_up()


async def test_a_share_that_is_late_and_one_that_is_sent_to_nobody_are_told(bench: Bench) -> None:
    """Otherwise nothing would show that anybody looks."""
    webex = await bench.webex()
    calls = await two_rooms_meet(bench, webex)
    await webex.delay_shares(VISIBLE_S + 1)
    await webex.share(SHOWS)
    with pytest.raises(ExpectationError, match=f"within {VISIBLE_S:g} s, and is Off"):
        await webex.expect_shared(SEES, within=VISIBLE_S)
    assert await webex.expect_shared(SEES, within=2) > 0
    for call in calls:
        await call.hang_up()
    await webex.share(SHOWS)
    with pytest.raises(ExpectationError):
        await webex.expect_shared(SEES, within=VISIBLE_S + 2)
