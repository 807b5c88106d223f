"""What is done to calls, and how they sound: hold, park, transfer, hunt groups, voicemail, quality, encryption."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from harness.drivers.telephone_call import TelephoneCall
from harness.drivers.webex import Webex
from harness.errors import ExpectationError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.call_figures import TalkedCall, keeps, reported, says_the_same, talk_through
from harness.testbed.clips import read_clip
from harness.testbed.continuity import Speech, gaps_since, speak_on

pytestmark = pytest.mark.testbed("webex-calling")

FIGURES = catalogue()
RESUMES_S = FIGURES["WBX-010"].figure("resumes_s").value
COMPLETE_S = 60 * FIGURES["WBX-024"].figure("complete_min").value
NOTIFIED_S = FIGURES["WBX-012"].figure("notified_s").value
CALLER, CALLED = "2001", "2002"
ALONE_S = 3.0
"""So long, less than its turn is, an agent of a hunt group rings before it is looked whether the next one does."""


async def call_of(bench: Bench) -> tuple[TelephoneCall, TelephoneCall]:
    """A call from the operator's telephone to the colleague's, answered."""
    caller, called = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
    call = await caller.dial(CALLED)
    rung = await called.rings()
    await rung.answer()
    await call.answered(within=5)
    return call, rung


async def two_talk(bench: Bench) -> tuple[Webex, TalkedCall]:
    """A call of the two, in which each said something."""
    webex = await bench.webex()
    call, rung = await call_of(bench)
    return webex, await talk_through(bench, webex, {"operator": call, "colleague": rung})


@pytest.mark.robot_too
@requirement("WBX-006", "WBX-007", "WBX-008", "WBX-009", "WBX-024")
async def test_a_calls_quality_is_within_its_figures_by_rtp_and_the_report_says_the_same(bench: Bench) -> None:
    webex, call = await two_talk(bench)
    for judges, figure in (("006", "delay_ms"), ("007", "jitter_ms"), ("008", "loss_share"), ("009", "mos")):
        keeps(bench, call, f"WBX-{judges}", figure)
    says_the_same(call, await reported(bench, webex, call, "WBX-024", "complete_min"))


async def test_a_call_that_was_bad_is_told_as_bad_by_both(bench: Bench) -> None:
    """Otherwise nothing would show that either of them looks."""
    webex, switch = await bench.webex(), await bench.enterprise_switch("switch")
    call, rung = await call_of(bench)
    await switch.impair(CALLED, loss=0.05)
    talked = await talk_through(bench, webex, {"operator": call, "colleague": rung})
    heard = talked.heard["Isla Munro"]
    assert heard.loss_share > FIGURES["WBX-008"].figure("loss_share").value
    assert heard.mos < FIGURES["WBX-009"].figure("mos").value
    says_the_same(talked, await webex.call_quality(talked.session, within=COMPLETE_S, count=2))


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"lost": 5}, "Packet Loss of Isla Munro"), ({"packets_received": 1}, "Packets Received of Isla Munro")],
)
async def test_a_report_that_differs_from_the_telephones_is_found_out(
    bench: Bench, changed: dict[str, int], told: str
) -> None:
    webex, call = await two_talk(bench)
    rows = await webex.call_quality(call.session, within=COMPLETE_S, count=2)
    party = call.heard["Isla Munro"]
    others = {**call.heard, "Isla Munro": replace(party, stats=replace(party.stats, **changed))}
    with pytest.raises(ExpectationError, match=told):
        says_the_same(replace(call, heard=others), rows)
    with pytest.raises(ExpectationError, match="the call was of"):
        says_the_same(replace(call, heard={"Nobody": party}), rows)


async def resumed(bench: Bench, speech: Speech, what: str, act: float) -> None:
    """Of what was said on from run time ``act`` nothing is missing for longer than agreed."""
    for gap in (await gaps_since(speech, act, bench.journal)).values():
        bench.measured(f"speech back after {what}", gap.seconds, "s", requirement="WBX-010", figure="resumes_s")


@pytest.mark.robot_too
@requirement("WBX-010")
async def test_speech_is_back_in_time_after_hold_park_and_transfer(bench: Bench) -> None:
    """The colleague speaks on all the time: what a telephone that comes later has not heard yet is missing there."""
    webex, clip = await bench.webex(), read_clip("caller-999")
    operator, desk = await bench.telephone("operator-phone"), await bench.telephone("third-phone")
    call, rung = await call_of(bench)
    own = (await webex.expect_call("connected", by="operator", within=2))["callId"]
    await webex.handle(own, "hold", by="operator")
    await webex.expect_call("remoteHeld", by="colleague", within=2)
    speech = await speak_on(rung, {"operator": call}, clip)
    await asyncio.sleep(1)
    act = bench.journal.now()
    await webex.handle(own, "resume", by="operator")
    await resumed(bench, speech, "hold", act)
    slot = await webex.park(own, by="operator")
    await call.ended(within=2)
    speech, act = await speak_on(rung, {}, clip), bench.journal.now()
    await webex.retrieve(slot, by="administrator")
    taken = await desk.rings()
    await taken.answered(within=RESUMES_S)
    await speech.listens_too("desk", taken)
    await resumed(bench, speech, "park", act)
    theirs = (await webex.expect_call("connected", by="administrator", within=2))["callId"]
    await webex.transfer(theirs, CALLER, by="administrator")
    last = await operator.rings()
    speech, act = await speak_on(rung, {}, clip), bench.journal.now()
    await last.answer()
    await speech.listens_too("operator", last)
    await resumed(bench, speech, "transfer", act)
    await last.hang_up()
    await rung.ended(within=2)


@pytest.mark.robot_too
@requirement("WBX-011")
async def test_a_hunt_groups_calls_go_round_and_overflow_as_its_plan_says(bench: Bench) -> None:
    webex = await bench.webex()
    plan = await webex.hunt_group("Service desk")
    phones = {name: await bench.telephone(name) for name in ("operator-phone", "colleague-phone", "desk-phone")}
    by_number = {each.number: each for each in phones.values()}
    agents = [each["extension"] for each in plan["agents"]]
    assert (plan["callPolicies"]["policy"], agents) == ("REGULAR", [CALLER, CALLED])
    caller = await bench.telephone("third-phone")
    call = await caller.dial(plan["extension"])
    overflow = plan["callPolicies"]["noAnswer"]
    assert overflow["forwardEnabled"]
    order = [*agents, overflow["destination"]]
    for number, later in pairwise(order):
        ringing = await by_number[number].rings(within=15)
        await asyncio.sleep(ALONE_S)
        assert not by_number[later].has_rung, f"{later} rings while {number} has its turn"
        await ringing.ended(within=15)
    last = await by_number[order[-1]].rings(within=15)
    await last.answer()
    await call.answered(within=5)
    await call.hang_up()
    await last.ended(within=2)


async def message_left(bench: Bench) -> tuple[float, int]:
    """The operator leaves the colleague a voice message; return when that was done, run time, and the last event."""
    caller = await bench.telephone("operator-phone")
    call = await caller.dial(CALLED)
    await call.answered(within=60)
    await asyncio.sleep(3)
    await call.say(read_clip("caller-999"))
    await call.said()
    left = bench.journal.now(), bench.journal.position
    await call.hang_up()
    return left


@pytest.mark.robot_too
@requirement("WBX-012")
async def test_a_voice_message_is_notified_in_time_by_lamp_and_by_rest(bench: Bench) -> None:
    webex, called = await bench.webex(), await bench.telephone("colleague-phone")
    before = await webex.voice_messages(by="colleague")
    left, last = await message_left(bench)
    await called.expect("lamp.changed", within=NOTIFIED_S, after=last, waiting=True)
    message = await webex.expect_voice_message(by="colleague", within=NOTIFIED_S, beside=before)
    took = bench.journal.now() - left
    bench.measured("voice_message_notified", took, "s", requirement="WBX-012", figure="notified_s")
    assert message["callingParty"]["number"] == CALLER


async def test_a_voice_message_that_was_heard_is_old_and_one_that_is_deleted_is_gone(bench: Bench) -> None:
    webex = await bench.webex()
    await bench.telephone("colleague-phone")
    client, before = await webex.account("colleague"), await webex.voice_messages(by="colleague")
    old = (await client.ask("GET", "/telephony/voiceMessages/summary"))["oldMessages"]
    await message_left(bench)
    message = await webex.expect_voice_message(by="colleague", within=NOTIFIED_S, beside=before)
    await client.ask("POST", "/telephony/voiceMessages/markAsRead", {"messageId": message["id"]})
    assert (await client.ask("GET", "/telephony/voiceMessages/summary"))["oldMessages"] == old + 1
    await client.ask("DELETE", f"/telephony/voiceMessages/{message['id']}")
    assert await webex.voice_messages(by="colleague") == before
