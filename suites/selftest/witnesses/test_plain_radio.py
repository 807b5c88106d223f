"""A radio of plain sockets, written from ED-137's sheet alone, is keyed by our control room's end and heard by it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.drivers.roip_radio import RoipRadio
from harness.measure.correlate import correlation
from harness.protocols.ed137.extension import Ptt
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context
from suites.selftest.witnesses.control_room import warnings

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("plain sockets")]

RADIO = Path(__file__).with_name("plain_radio.py")


async def test_it_is_keyed_says_again_what_was_said_and_finds_nothing_wrong(speech: Callable[[str], Samples]) -> None:
    clip = speech("dispatch")
    process = await asyncio.create_subprocess_exec(sys.executable, str(RADIO), stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        context = Context.create(seed=1)
        radio = await RoipRadio.open(context, "radio", stations=[f"sip:radio@127.0.0.1:{port}"], target="GD-OPS-1")
        connected = await radio.expect("radio.connected", within=0, ptt_id=9, version="radio.02")
        assert (connected.data["period_ms"], connected.data["multiplier"]) == (100, 5)
        await asyncio.sleep(1)
        await radio.jack.record()
        await radio.say(clip, Ptt.PRIORITY)
        await radio.expect("squelch.opened", within=1, quality=6)
        await radio.expect("squelch.closed", within=len(clip) / 8000 + 2)
        heard = await radio.jack.recorded()
        stats = radio.room.stream.stats
        await radio.close()
        said = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert said["wrong"] == []
    assert (said["keyed"], said["types"]) == (1, [3])
    assert said["keep_alives"] >= 10
    assert said["longest_s"] < 0.5, "the room was never silent for as long as loses a session"
    assert correlation(clip, heard.samples) > 0.99
    assert (stats.lost, stats.late, stats.ssrc_changes, stats.malformed) == (0, 0, 0, 0)
    assert warnings([{"kind": e.kind, "source": e.source, "data": dict(e.data)} for e in context.journal]) == []
