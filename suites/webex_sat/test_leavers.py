"""A leaver's account is disabled: what they held serves no more in time, and what they wrote stays for the others."""

from __future__ import annotations

import pytest

from harness.errors import WebexRefusedError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("webex")
BLOCKED_S = catalogue()["WBX-002"].figure("blocked_min").value * 60


@requirement("WBX-002")
async def test_a_leaver_is_blocked_in_time_and_what_they_said_is_still_read(bench: Bench) -> None:
    webex = await bench.webex()
    room = await webex.make_room("leavers")
    await webex.invite(room, "leaver")
    await webex.invite(room, "operator")
    said = await webex.say(room, "Handover at six", by="leaver")
    seen = await webex.expect_message(said, by="operator", within=10.0)
    await webex.disable("leaver")
    try:
        took = await webex.expect_blocked("leaver", within=BLOCKED_S)
        bench.measured("leaver_blocked", took / 60, "min", requirement="WBX-002", figure="blocked_min")
        with pytest.raises(WebexRefusedError) as refused:
            await webex.say(room, "Still here", by="leaver")
        assert refused.value.status == 401
        assert (await webex.expect_message(said, by="operator", within=10.0))["id"] == seen["id"]
        listed = [each["id"] async for each in (await webex.account("operator")).listed(f"/messages?roomId={room}")]
        assert listed == [said], "a blocked account said something"
    finally:
        await webex.enable("leaver")
    if webex.is_simulated:  # at a real one somebody has to sign in first
        assert (await (await webex.account("leaver")).ask("GET", "/people/me"))["id"] == seen["personId"]
