"""Meetings: joined by telephone, speech mixed; a lobby that lets nobody past; recordings with notice and retention."""

from __future__ import annotations

import asyncio
import io
import wave

import numpy as np
import pytest

from harness.drivers.telephone_call import TelephoneCall
from harness.errors import SipLocalError, WebexRefusedError
from harness.evidence.requirements import catalogue
from harness.measure.correlate import correlation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

pytestmark = pytest.mark.testbed("webex-calling")

MEDIA_S = catalogue()["WBX-013"].figure("media_s").value
CITIZEN = "+441632960123"
LIKE, UNLIKE = 0.8, 0.3
KEPT_S = 432.0
"""As the testbed file has it, in days."""


@requirement("WBX-013")
async def test_whoever_joins_a_meeting_hears_and_is_heard_in_time(bench: Bench) -> None:
    webex = await bench.webex()
    phones = [await bench.telephone(name) for name in ("operator-phone", "colleague-phone", "third-phone")]
    meeting = await webex.make_meeting("briefing", by="operator", invite=["colleague", "administrator"])
    number = meeting["telephony"]["callInNumbers"][0]["callInNumber"]
    calls: list[TelephoneCall] = []
    for phone in phones:
        began = bench.journal.now()
        call = await phone.dial(number)
        await call.answered(within=MEDIA_S)
        await webex.expect_participant(meeting["id"], "joined", number=phone.number, by="operator", within=MEDIA_S)
        await asyncio.sleep(1)
        if calls:
            heard = await converse(call, calls[0], read_clip("caller-999"))
            since = bench.journal.now() - began
            bench.measured(
                "meeting_media",
                since - len(read_clip("caller-999")) / 8000 - 1,
                "s",
                requirement="WBX-013",
                figure="media_s",
            )
            assert heard.correlation > LIKE
        calls.append(call)
    await calls[1].record()
    await converse(calls[0], calls[2], read_clip("call-taker"))
    assert correlation(read_clip("call-taker"), (await calls[1].recorded()).samples) > LIKE, "all hear it"
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


@requirement("WBX-017")
async def test_a_recording_is_announced_holds_what_was_said_and_goes_when_its_time_is_over(bench: Bench) -> None:
    webex = await bench.webex()
    host, other = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
    meeting = await webex.make_meeting("recorded", by="operator", invite=["colleague"])
    calls = [await phone.dial(meeting["meetingNumber"]) for phone in (host, other)]
    for call in calls:
        await call.answered(within=MEDIA_S)
    await asyncio.sleep(1)
    for call in calls:
        await call.record()
    await webex.record_meeting(meeting["id"], on=True, by="operator")
    await asyncio.sleep(1)
    tone = np.sin(2 * np.pi * 1400 * np.arange(3200) / 8000)
    for call in calls:
        assert correlation((tone * 8000).astype(np.int16), (await call.recorded()).samples) > LIKE, "nobody was told"
    await converse(calls[0], calls[1], read_clip("caller-999"))
    await converse(calls[1], calls[0], read_clip("call-taker"))
    with pytest.raises(WebexRefusedError):
        await webex.record_meeting(meeting["id"], on=False, by="colleague")
    await webex.record_meeting(meeting["id"], on=False, by="operator")
    [made] = await webex.recordings(meeting["id"], by="operator")
    assert (made["storageRegion"], await webex.recordings(meeting["id"], by="partner")) == ("UK", [])
    client = await webex.account("operator")
    with wave.open(io.BytesIO(await client.fetch_bytes(made["downloadUrl"]))) as file:
        kept = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    for clip in ("caller-999", "call-taker"):
        assert correlation(read_clip(clip), kept) > LIKE, f"{clip} is missing from the recording"
    for call in calls:
        await call.hang_up()
    began = bench.journal.now()
    left = (np.datetime64(made["retentionUntil"][:-1]) - np.datetime64(made["createTime"][:-1])) / np.timedelta64(
        1, "s"
    )
    assert left == KEPT_S
    await asyncio.sleep(left - 60)
    assert len(await webex.recordings(meeting["id"], by="operator")) == 1
    await asyncio.sleep(120)
    assert await webex.recordings(meeting["id"], by="operator") == []
    assert bench.journal.now() - began > left
