"""Broken signalling, much of it: calls go on and come in as before, and supervisors are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from harness.measure import times
from harness.protocols.rtp.g711 import Samples
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.conversation import converse

PER_SECOND = 200.0
LASTS_S = 7.0
ALARMED_WITHIN_S = 30.0
OVER_WITHIN_S = 60.0


@requirement("NFR-011")
@pytest.mark.waits
async def test_a_flood_of_malformed_sip_disturbs_no_call_and_is_alarmed(
    bench: Bench, speech: Callable[[str], Samples]
) -> None:
    """A call is up and another comes while a stranger sends datagrams that are no SIP, or lack what SIP must have."""
    taker, second = await bench.console("govan-12"), await bench.console("govan-13")
    chief = await bench.console("govan-50")
    trunk, stranger = await bench.trunk(), await bench.scripted_phone()
    call = await trunk.dial("999", cli="+447700900123")
    await taker.expect("call.ringing", within=2.0, queue="emergency")
    await taker.answer(queue="emergency")
    await call.answered(within=2.0)
    after, began = bench.journal.position, bench.journal.now()
    flood = asyncio.create_task(stranger.flood(round(PER_SECOND * LASTS_S), PER_SECOND))
    alarm = await chief.expect("alarm.raised", within=ALARMED_WITHIN_S, after=after, what="signalling_flooded")
    bench.measured("alarm: signalling flooded", alarm.time - began, "s", limit=ALARMED_WITHIN_S, requirement="NFR-011")
    assert alarm.data["severity"] and alarm.data["impact"]
    heard = await converse(call, taker.headset, speech("caller-999"))
    bench.measured("mouth to ear while flooded", heard.latency.ms, "ms", limit=300.0, requirement="NFR-011")
    position = bench.journal.position
    other = await (await bench.trunk()).dial("999", cli="+447700900124")
    await second.expect("call.ringing", within=5.0, after=position, queue="emergency", cli="+447700900124")
    presented = times.presentation_time(bench.journal, trunk.name, second.name, after=position)
    bench.measured("presentation while flooded", presented, "s", limit=1.0, requirement="NFR-011")
    await second.answer(queue="emergency")
    await other.answered(within=2.0)
    await flood
    raised = [
        each
        for each in bench.journal.since(after)
        if (each.source, each.kind, each.data.get("what")) == (chief.name, "alarm.raised", "signalling_flooded")
    ]
    assert len(raised) == 1, "a flood is one alarm"
    await chief.expect("alarm.ended", within=OVER_WITHIN_S, after=after, alarm=alarm.data["alarm"])
    await call.hang_up()
    await other.hang_up()
