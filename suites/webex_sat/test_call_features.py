"""What is done to calls, and how they sound: hold, park, transfer, hunt groups, voicemail, quality, encryption."""

from __future__ import annotations

import asyncio

import pytest

from harness.drivers.telephone_call import TelephoneCall
from harness.drivers.webex import Webex
from harness.evidence.requirements import catalogue
from harness.measure.emodel import quality
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.continuity import Speech, gaps_since, speak_on
from harness.testbed.conversation import converse

pytestmark = pytest.mark.testbed("webex-calling")

FIGURES = catalogue()
RESUMES_S = FIGURES["WBX-010"].figure("resumes_s").value
NOTIFIED_S = FIGURES["WBX-012"].figure("notified_s").value
COMPLETE_S = FIGURES["WBX-024"].figure("complete_min").value * 60
CALLER, CALLED = "2001", "2002"
ROUNDED = 1.0
"""What the API's figures may differ by, in their own unit: it tells milliseconds and hundredths."""


async def call_of(bench: Bench) -> tuple[TelephoneCall, TelephoneCall]:
    """A call from the operator's telephone to the colleague's, answered."""
    caller, called = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
    call = await caller.dial(CALLED)
    rung = await called.rings()
    await rung.answer()
    await call.answered(within=5)
    return call, rung


async def session_of(webex: Webex, account: str) -> str:
    return str((await webex.expect_call("connected", by=account, within=2))["callSessionId"])


@requirement("WBX-006", "WBX-007", "WBX-008", "WBX-009", "WBX-024")
async def test_a_calls_quality_is_within_its_figures_by_rtp_and_the_report_says_the_same(bench: Bench) -> None:
    webex = await bench.webex()
    call, rung = await call_of(bench)
    session = await session_of(webex, "operator")
    there = await converse(call, rung, read_clip("caller-999"))
    back = await converse(rung, call, read_clip("call-taker"))
    await call.hang_up()
    await rung.ended(within=2)
    delay = max(there.latency.ms, back.latency.ms)
    bench.measured("one_way_delay", delay, "ms", requirement="WBX-006", figure="delay_ms")
    heard = {"Callum Ross": await call.stats(), "Isla Munro": await rung.stats()}
    told = {each["Name"]: each for each in await webex.call_quality(session, within=COMPLETE_S, count=2)}
    assert set(told) == set(heard)
    for name, stats in heard.items():
        lost = 100 * stats.lost / (stats.packets_received + stats.lost)
        mos = quality(stats.codec, delay_ms=delay, loss=lost / 100).mos
        bench.measured(f"jitter {name}", stats.jitter_ms, "ms", requirement="WBX-007", figure="jitter_ms")
        bench.measured(f"loss {name}", lost, "%", requirement="WBX-008", figure="loss_share")
        bench.measured(f"MOS {name}", mos, "", requirement="WBX-009", figure="mos", at_least=True)
        row = told[name]
        assert float(row["Jitter"]) == pytest.approx(stats.jitter_ms, abs=ROUNDED)
        assert float(row["Packet Loss"]) == pytest.approx(lost, abs=ROUNDED / 100)
        assert int(row["Packets Received"]) == stats.packets_received
        assert float(row["MOS"]) >= FIGURES["WBX-009"].figure("mos").value


async def test_a_call_that_was_bad_is_told_as_bad_by_both(bench: Bench) -> None:
    """Otherwise nothing would show that either of them looks."""
    webex, switch = await bench.webex(), await bench.enterprise_switch("switch")
    call, rung = await call_of(bench)
    session = await session_of(webex, "operator")
    await switch.impair(CALLED, loss=0.2)
    await call.say(read_clip("caller-999"))
    await call.said()
    await call.hang_up()
    await rung.ended(within=2)
    stats = await rung.stats()
    lost = 100 * stats.lost / (stats.packets_received + stats.lost)
    assert lost > FIGURES["WBX-008"].figure("loss_share").value
    told = {each["Name"]: each for each in await webex.call_quality(session, within=COMPLETE_S, count=2)}
    assert float(told["Isla Munro"]["Packet Loss"]) == pytest.approx(lost, abs=ROUNDED)
    assert float(told["Isla Munro"]["MOS"]) < FIGURES["WBX-009"].figure("mos").value


async def resumed(bench: Bench, speech: Speech, what: str, act: float) -> None:
    """Of what was said on from run time ``act`` nothing is missing for longer than agreed."""
    for gap in (await gaps_since(speech, act, bench.journal)).values():
        bench.measured(f"speech back after {what}", gap.seconds, "s", requirement="WBX-010", figure="resumes_s")


@requirement("WBX-010")
async def test_speech_is_back_in_time_after_hold_park_and_transfer(bench: Bench) -> None:
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
    act = bench.journal.now()
    await webex.retrieve(slot, by="administrator")
    taken = await desk.rings()
    await taken.answered(within=RESUMES_S)
    await resumed(bench, await speak_on(rung, {"desk": taken}, clip), "park", act)
    theirs = (await webex.expect_call("connected", by="administrator", within=2))["callId"]
    await webex.transfer(theirs, CALLER, by="administrator")
    last = await operator.rings()
    act = bench.journal.now()
    await last.answer()
    await resumed(bench, await speak_on(rung, {"operator": last}, clip), "transfer", act)
    await last.hang_up()
    await rung.ended(within=2)


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
    rang = []
    for number in agents:
        ringing = await by_number[number].rings(within=15)
        rang.append(number)
        await ringing.ended(within=15)
    overflow = plan["callPolicies"]["noAnswer"]
    assert overflow["forwardEnabled"] and rang == agents
    last = await by_number[overflow["destination"]].rings(within=15)
    await last.answer()
    await call.answered(within=5)
    await call.hang_up()
    await last.ended(within=2)


@requirement("WBX-012")
async def test_a_voice_message_is_notified_in_time_by_lamp_and_by_rest(bench: Bench) -> None:
    webex, caller = await bench.webex(), await bench.telephone("operator-phone")
    called = await bench.telephone("colleague-phone")
    call = await caller.dial(CALLED)
    await call.answered(within=60)
    await asyncio.sleep(3)
    await call.say(read_clip("caller-999"))
    await call.said()
    left = bench.journal.now()
    await call.hang_up()
    await called.expect("lamp.changed", within=NOTIFIED_S, waiting=True)
    message = await webex.expect_voice_message(by="colleague", within=NOTIFIED_S)
    took = bench.journal.now() - left
    bench.measured("voice_message_notified", took, "s", requirement="WBX-012", figure="notified_s")
    assert message["callingParty"]["number"] == CALLER
    client = await webex.account("colleague")
    await client.ask("POST", "/telephony/voiceMessages/markAsRead", {"messageId": message["id"]})
    assert (await client.ask("GET", "/telephony/voiceMessages/summary"))["oldMessages"] == 1
    await client.ask("DELETE", f"/telephony/voiceMessages/{message['id']}")
    assert (await client.ask("GET", "/telephony/voiceMessages"))["items"] == []
