"""A core node is killed: calls that are up go on as if nothing were, and new ones are soon answered (NICCS-RES-001)."""

from __future__ import annotations

import asyncio

import pytest

from harness.drivers.console import Console
from harness.drivers.trunk import TrunkCall
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.continuity import gaps_since, speak_on
from harness.testbed.conversation import converse

pytestmark = pytest.mark.testbed("core-nodes")

ID = "NICCS-RES-001"
NEW_CALL_S = catalogue()[ID].figure("new_call_s").value
GAP_S = 0.1
"""What may be missing of speech: less than a word. No figure is agreed. [p]"""
LATEST_S = 60.0
"""A new call that is not answered by then never will be; the figure is judged by what was measured."""


async def answered(bench: Bench, console: Console, cli: str) -> TrunkCall:
    """A 999 call from ``cli`` that this console has taken."""
    after = bench.journal.position
    call = await (await bench.trunk()).dial("999", cli=cli)
    await console.expect("call.ringing", within=5, after=after)
    await console.answer(queue="emergency")
    await call.answered(within=5)
    await console.expect("call.connected", within=5, after=after)
    return call


@requirement(ID)
async def test_live_calls_outlive_the_core_node_and_a_new_one_is_answered_in_time(bench: Bench) -> None:
    trunk = await bench.trunk()
    first, second, third = [await bench.console(f"govan-0{each}") for each in (1, 2, 3)]
    speaking, listening = await answered(bench, first, "+447700900101"), await answered(bench, second, "+447700900102")
    held = await answered(bench, third, "+447700900103")
    await third.hold()
    nodes = await bench.core_nodes()
    node = await nodes.serving_node()
    clip = read_clip("caller-999")
    inwards = await speak_on(speaking, {"first console": first.headset}, clip)
    outwards = await speak_on(second.headset, {"second caller": listening}, clip)
    await asyncio.sleep(1)
    killed, after = bench.journal.now(), bench.journal.position
    await nodes.kill_core_node(node)
    fresh = await trunk.dial("999", cli="+447700900104")
    await third.log_in_again(within=LATEST_S)
    await third.expect("call.ringing", within=LATEST_S, after=after)
    await third.answer(queue="emergency")
    await fresh.answered(within=LATEST_S)
    bench.measured("new_call", bench.journal.now() - killed, "s", requirement=ID, figure="new_call_s")
    for speech in (inwards, outwards):
        for name, gap in (await gaps_since(speech, killed, bench.journal)).items():
            bench.measured(f"gap at the {name}", gap.seconds, "s", limit=GAP_S, requirement=ID)
    await converse(fresh, third.headset, clip)
    # Those who were up are still up, and what is done to their calls still does what it should.
    for console in (first, second):
        await console.log_in_again(within=NEW_CALL_S)
    for call in (speaking, listening, held):
        assert bench.journal.find(trunk.name, "call.ended", after=after, call_id=call.id) is None, "a call was dropped"
    await converse(listening, second.headset, clip)
    before = bench.journal.position
    await speaking.hang_up()
    await first.expect("call.cleared", within=5, after=before)
    await second.clear()
    await listening.ended(within=5)
    await third.clear()
    await fresh.ended(within=5)
    await third.resume()
    await converse(held, third.headset, clip)
    assert await nodes.serving_node() != node
