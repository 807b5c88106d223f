"""Airwave and ESN joined: an officer on TETRA and one on MCPTT hear each other, an emergency goes first on both."""

from __future__ import annotations

import asyncio

import pytest

from harness.measure.correlate import correlation
from harness.measure.latency import mouth_to_ear
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip

pytestmark = pytest.mark.testbed("bridged")

TALKGROUP = "GD-OPS-1"
EMERGENCY = 15
TAIL_S = 0.6
"""After the last word, until it is out of every buffer."""
LEAST_LIKENESS = 0.6


@requirement("NICCS-RAD-004")
@pytest.mark.parametrize("talker", ["officer", "handset-8"])
async def test_speech_goes_from_one_network_to_the_other_in_time(bench: Bench, talker: str) -> None:
    """Mouth to ear through both networks and the gateway between them; held against the same figure as one network."""
    officer, handset = await bench.terminal("officer"), await bench.mcptt_terminal("handset-8")
    says, hears = (officer, handset) if talker == "officer" else (handset, officer)
    clip = read_clip("dispatch")
    await says.key()
    await hears.expect("talker.shown", within=1.0)
    await hears.record()
    began = await says.speak(clip)
    await asyncio.sleep(len(clip) / SAMPLE_RATE + TAIL_S)
    heard = await hears.recorded()
    await says.unkey()
    assert correlation(clip, heard.samples) > LEAST_LIKENESS
    ms = mouth_to_ear(clip, began, heard).ms
    bench.measured(f"mouth_to_ear {talker} bridged", ms, "ms", requirement="NICCS-RAD-004", figure="mouth_to_ear_ms")


@requirement("NICCS-RAD-008")
async def test_an_emergency_on_either_network_takes_the_floor_of_both(bench: Bench) -> None:
    officer, handset = await bench.terminal("officer"), await bench.mcptt_terminal("handset-8")
    sergeant, other = await bench.terminal("sergeant"), await bench.mcptt_terminal("handset-9")
    await officer.key()
    await other.expect("talker.shown", within=1.0)
    after = bench.journal.position
    await handset.key(priority=EMERGENCY)
    await officer.expect("ptt.pre_empted", within=1.0, after=after)
    await sergeant.expect("talker.shown", within=1.0, after=after)
    await handset.unkey()
    await sergeant.expect("talker.ended", within=1.0, after=after)
    after = bench.journal.position
    await handset.key()
    await sergeant.expect("talker.shown", within=1.0, after=after)
    after = bench.journal.position
    await officer.emergency()
    await handset.expect("ptt.pre_empted", within=1.0, after=after)
    await other.expect("talker.shown", within=1.0, after=after, emergency=True)
    await officer.unkey()
