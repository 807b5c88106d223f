"""ESN by MCPTT: how long a permit, a call and a late join take, what is heard, and who gives way to an emergency."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

TALKGROUP = "GD-OPS-1"
PRESSES = 20
"""The fewest from which a 95th percentile is more than the worst but one: TS 22.179 asks it of 95 % of requests."""
CALLS = 5
EMERGENCY = 15
LEAST_LIKENESS = 0.6


@requirement("NICCS-RAD-002")
async def test_a_permit_comes_in_time(bench: Bench) -> None:
    """KPI1, MCPTT access time: of 20 presses in a call that is up, 95 % are permitted within the figure."""
    talker, listener = await bench.mcptt_terminal("handset-8"), await bench.mcptt_terminal("handset-9")
    waits = []
    for _ in range(PRESSES):
        after = bench.journal.position
        await talker.key()
        granted = await talker.expect("ptt.granted", within=1.0, after=after)
        waits.append(granted.data["grant_ms"])
        await listener.expect("talker.shown", within=1.0, after=after, talkgroup=TALKGROUP, user="officer-8")
        await talker.unkey()
        await listener.expect("talker.ended", within=1.0, after=after)
    percentile = float(np.percentile(waits, 95, method="higher"))
    bench.measured("mcptt_access p95", percentile, "ms", requirement="NICCS-RAD-002", figure="kpi1_ms")


@requirement("NICCS-RAD-003")
async def test_a_call_is_set_up_with_the_floor_in_time(bench: Bench) -> None:
    """KPI2, end-to-end access time: from asking for the call until the caller may speak in it."""
    await bench.mcptt_terminal("handset-9")
    talker = await bench.mcptt_terminal("handset-8")
    for number in range(CALLS):
        await talker.leave(TALKGROUP)
        began = bench.journal.now()
        await talker.select(TALKGROUP)
        await talker.key()
        took = 1000 * (bench.journal.now() - began)
        bench.measured(f"mcptt_call {number + 1}", took, "ms", requirement="NICCS-RAD-003", figure="kpi2_ms")
        await talker.unkey()


@requirement("NICCS-RAD-004")
@pytest.mark.waits
async def test_speech_is_heard_in_time_and_by_the_talkgroup(bench: Bench) -> None:
    """Mouth to ear from one handset to another, found from the waveforms."""
    talker, listener = await bench.mcptt_terminal("handset-8"), await bench.mcptt_terminal("handset-9")
    heard = await converse(talker, listener, read_clip("dispatch"))
    bench.measured("mouth_to_ear mcptt", heard.latency.ms, "ms", requirement="NICCS-RAD-004", figure="mouth_to_ear_ms")


@requirement("NICCS-RAD-005")
@pytest.mark.waits
async def test_one_who_joins_late_hears_the_talker_in_time(bench: Bench) -> None:
    """KPI4, late call entry: from joining until the talker is shown, and what is heard from then on is the talker."""
    talker, late = await bench.mcptt_terminal("handset-8"), await bench.mcptt_terminal("handset-10")
    await bench.mcptt_terminal("handset-9")
    await late.leave(TALKGROUP)
    says = np.tile(read_clip("dispatch"), 2)
    await talker.key(say=says)
    await asyncio.sleep(1.0)
    after, began = bench.journal.position, bench.journal.now()
    await late.select(TALKGROUP)
    shown = await late.expect("talker.shown", within=2.0, after=after, user="officer-8")
    took = 1000 * (shown.time - began)
    bench.measured("mcptt_late_entry", took, "ms", requirement="NICCS-RAD-005", figure="kpi4_ms")
    await late.record()
    await asyncio.sleep(3.0)
    heard = await late.recorded()
    assert len(heard.samples) > SAMPLE_RATE
    assert correlation(heard.samples[:SAMPLE_RATE], says) > LEAST_LIKENESS
    await talker.unkey()


@requirement("NICCS-RAD-008")
async def test_an_emergency_takes_the_floor_from_whoever_talks(bench: Bench) -> None:
    """The talker is told that it is pre-empted, the third handset who talks now, and that it is an emergency."""
    talker, officer = await bench.mcptt_terminal("handset-8"), await bench.mcptt_terminal("handset-9")
    other = await bench.mcptt_terminal("handset-10")
    await talker.key()
    after = bench.journal.position
    await officer.key(priority=EMERGENCY)
    await talker.expect("ptt.pre_empted", within=1.0, after=after)
    await other.expect("talker.shown", within=1.0, after=after, user="officer-9", emergency=True)
    await officer.unkey()
