"""Meetings: joined by telephone, speech mixed; a lobby that lets nobody past; recordings with notice and retention."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from harness.drivers.telephone_call import TelephoneCall
from harness.drivers.webex import Webex
from harness.errors import ExpectationError, SipLocalError, WebexRefusedError
from harness.evidence.requirements import catalogue
from harness.measure.correlate import correlation
from harness.measure.words import how_like
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse
from harness.testbed.meeting_media import joins
from harness.testbed.meeting_recordings import as_agreed, begin, goes_in_time, holds

pytestmark = pytest.mark.testbed("webex-calling")

MEDIA_S = catalogue()["WBX-013"].figure("media_s").value
CITIZEN = "+441632960123"
LIKE, UNLIKE = 0.8, 0.3


@requirement("WBX-013")
async def test_whoever_joins_a_meeting_hears_and_is_heard_in_time(bench: Bench) -> None:
    webex = await bench.webex()
    phones = [await bench.telephone(name) for name in ("operator-phone", "colleague-phone", "third-phone")]
    meeting = await webex.make_meeting("briefing", by="operator", invite=["colleague", "administrator"])
    calls: list[TelephoneCall] = []
    for phone in phones:
        calls.append(await joins(bench, webex, meeting, phone, calls[0] if calls else None, by="operator"))
    await calls[1].record()
    await converse(calls[0], calls[2], read_clip("call-taker"))
    heard = (await calls[1].recorded()).samples
    assert how_like(read_clip("call-taker"), heard, rate=SAMPLE_RATE) > LIKE, "all hear it"
    for call in calls:
        await call.hang_up()
    await webex.expect_participant(meeting["id"], "end", number="2001", by="operator", within=2)
    client = await webex.account()
    told = (await client.ask("GET", "/meeting/qualities", query={"meetingId": meeting["id"]}))["items"]
    assert {each["webexUserName"] for each in told} == {"Callum Ross", "Isla Munro", "Ailsa Reid"}
    assert all(each["audioIn"][0]["packetLoss"] == [0.0] for each in told)


@requirement("WBX-015")
async def test_a_guest_waits_in_the_lobby_hears_nothing_and_is_in_once_admitted(bench: Bench) -> None:
    webex = await bench.webex()
    host, guest = await bench.telephone("operator-phone"), await bench.telephone("third-phone")
    meeting = await webex.make_meeting("closed", by="operator")
    inside = await host.dial(meeting["meetingNumber"])
    await inside.answered(within=MEDIA_S)
    outside = await guest.dial(meeting["meetingNumber"])
    await outside.answered(within=MEDIA_S)
    waits = await webex.expect_participant(meeting["id"], "lobby", number="2000", by="operator", within=2)
    for mouth, ear in ((inside, outside), (outside, inside)):
        await ear.record()
        await mouth.say(read_clip("caller-999"))
        await mouth.said()
        heard = (await ear.recorded()).samples
        assert correlation(read_clip("caller-999"), heard) < UNLIKE, "past the lobby something was heard"
    for account in ("colleague", "partner"):
        with pytest.raises(WebexRefusedError) as refused:
            await webex.admit(waits["id"], by=account)
        assert refused.value.status == 404, "only the host lets anybody in"
    await webex.admit(waits["id"], by="operator")
    await webex.expect_participant(meeting["id"], "joined", number="2000", by="operator", within=2)
    await asyncio.sleep(1)
    await converse(inside, outside, read_clip("call-taker"))
    await webex.expel(waits["id"], by="operator")
    await outside.ended(within=2)
    await webex.tidy()
    await inside.ended(within=2)
    again = await guest.dial(meeting["meetingNumber"])
    with pytest.raises(SipLocalError, match="404"):
        await again.answered(within=5)


async def was_recorded(bench: Bench, webex: Webex) -> dict[str, Any]:
    """A meeting that was recorded, and is no more."""
    host = await bench.telephone("operator-phone")
    meeting = await webex.make_meeting("recorded", by="operator")
    call = await host.dial(meeting["meetingNumber"])
    await call.answered(within=MEDIA_S)
    await begin(webex, meeting["id"], [call], by="operator")
    await webex.record_meeting(meeting["id"], on=False, by="operator")
    return meeting


@pytest.mark.parametrize(("told_s", "why"), [(-300, "is kept past its time"), (300, "went before its time")])
async def test_a_recording_that_goes_at_another_time_than_it_tells_is_found_out(
    bench: Bench, told_s: int, why: str
) -> None:
    webex = await bench.webex()
    meeting = await was_recorded(bench, webex)
    made = await webex.expect_recording(meeting["id"], by="operator")
    until = datetime.fromisoformat(made["retentionUntil"]) + timedelta(seconds=told_s)
    with pytest.raises(ExpectationError, match=why):
        await goes_in_time(bench, webex, meeting["id"], made | {"retentionUntil": until.isoformat()}, by="operator")


@pytest.mark.robot_too
@requirement("WBX-017")
async def test_a_recording_is_announced_and_lies_in_its_region_for_its_time(bench: Bench) -> None:
    webex = await bench.webex()
    host, other = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
    meeting = await webex.make_meeting("recorded", by="operator", invite=["colleague"])
    calls = [await phone.dial(meeting["meetingNumber"]) for phone in (host, other)]
    for call in calls:
        await call.answered(within=MEDIA_S)
    await asyncio.sleep(1)
    await begin(webex, meeting["id"], calls, by="operator")
    await converse(calls[0], calls[1], read_clip("caller-999"))
    await converse(calls[1], calls[0], read_clip("call-taker"))
    with pytest.raises(WebexRefusedError):
        await webex.record_meeting(meeting["id"], on=False, by="colleague")
    await webex.record_meeting(meeting["id"], on=False, by="operator")
    made = await webex.expect_recording(meeting["id"], by="operator")
    as_agreed(webex, made)
    assert await webex.recordings(meeting["id"], by="partner") == []
    await holds(webex, made, ["caller-999", "call-taker"], by="operator")
    for call in calls:
        await call.hang_up()


@pytest.mark.robot_too
@requirement("WBX-017")
async def test_a_recording_goes_when_its_time_is_over(bench: Bench) -> None:
    webex = await bench.webex()
    meeting = await was_recorded(bench, webex)
    made = await webex.expect_recording(meeting["id"], by="operator")
    await goes_in_time(bench, webex, meeting["id"], made, by="operator")
