"""Calls of Webex accounts: dialled, rung and ended on the wire, and told alike by what each party's account sees."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from harness.evidence.requirements import catalogue
from harness.measure.correlate import correlation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("webex")
RINGBACK_S = catalogue()["WBX-003"].figure("ringback_s").value
NOISE = (6000 * np.random.default_rng(3).standard_normal(16_000)).clip(-20_000, 20_000).astype(np.int16)
"""Two seconds of what is like nothing else, 8 kHz."""
CALLER, CALLED = "2001", "2002"


@requirement("WBX-003")
async def test_a_colleague_who_is_dialled_rings_and_the_caller_hears_so_in_time(bench: Bench) -> None:
    webex = await bench.webex()
    caller, called = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
    began = bench.journal.now()
    call = await caller.dial(CALLED)
    await call.ringing(within=RINGBACK_S)
    bench.measured("internal_ringback", bench.journal.now() - began, "s", requirement="WBX-003", figure="ringback_s")
    rung = await called.rings()
    # What the telephones had on the wire is what both accounts are told.
    seen = await webex.expect_call("alerting", by="colleague", within=RINGBACK_S)
    assert (seen["personality"], seen["remoteParty"]["number"]) == ("terminator", CALLER)
    own = await webex.expect_call("connecting", by="operator", within=RINGBACK_S)
    assert own["callSessionId"] == seen["callSessionId"]
    assert (rung.number, own["remoteParty"]["callType"]) == (CALLER, "organization")
    await rung.answer()
    await call.answered(within=5)
    await webex.expect_call("connected", by="operator", within=2)
    await call.hang_up()
    await rung.ended(within=2)


async def test_a_call_dialled_by_rest_is_a_call_on_the_wire_and_what_is_done_to_it_is_seen_there(bench: Bench) -> None:
    webex = await bench.webex()
    caller, called = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
    call = await webex.dial(CALLED, by="operator")
    own = await caller.rings()
    await called.rings()
    theirs = await webex.expect_call("alerting", by="colleague", within=2)
    await webex.handle(theirs["callId"], "answer", by="colleague")
    # The telephone is asked anew, so that it answers by itself.
    answered = await called.rings()
    await answered.answered(within=5)
    connected = await webex.expect_call("connected", by="colleague", within=2)
    assert connected["callId"] == theirs["callId"]
    await answered.record()
    await own.say(NOISE)
    await asyncio.sleep(len(NOISE) / 8000 + 0.6)
    assert correlation(NOISE, (await answered.recorded()).samples) > 0.9
    await webex.handle(call, "hold", by="operator")
    await webex.expect_call("remoteHeld", by="colleague", within=2)
    await webex.handle(call, "resume", by="operator")
    await webex.expect_call("connected", by="colleague", within=2)
    await webex.handle(call, "hangup", by="operator")
    await answered.ended(within=2)
    await own.ended(within=2)
    [placed] = (await (await webex.account("operator")).ask("GET", "/telephony/calls/history"))["items"][:1]
    assert (placed["type"], placed["number"]) == ("placed", CALLED)
    [received] = (await (await webex.account("colleague")).ask("GET", "/telephony/calls/history"))["items"][:1]
    assert (received["type"], received["number"]) == ("received", CALLER)
