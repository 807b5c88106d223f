"""A terminal whose line is opened while a group call is up: its talkers are still named with their talkgroup."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.testbed.bench import open_bench
from harness.testbed.load import load_testbed

TESTBED = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "simulated.yaml"
TALKGROUP = "GD-OPS-1"

pytestmark = pytest.mark.virtual_time


async def test_a_call_that_was_up_before_is_the_selected_talkgroups() -> None:
    """The network announced the call before the line was opened, and does not announce it again."""
    testbed = load_testbed(TESTBED)
    async with open_bench(testbed, today=date(2026, 1, 1), addresses=None, virtual=True, seed=3) as bench:
        dispatcher = await bench.console("govan-31")
        await dispatcher.key(TALKGROUP)
        await dispatcher.expect("ptt.granted", within=2.0)
        await dispatcher.unkey()
        await dispatcher.expect("ptt.released", within=2.0)

        officer = await bench.terminal("officer")
        after = bench.journal.position
        await dispatcher.key(TALKGROUP)
        talker = await officer.expect("talker.shown", within=2.0, after=after, talkgroup=TALKGROUP)
        assert talker.data["issi"] == bench.issi("gateway-1")
        await dispatcher.unkey()
        await officer.expect("talker.ended", within=2.0, after=after, talkgroup=TALKGROUP)


async def test_the_end_of_a_call_that_was_up_before_does_not_end_the_key() -> None:
    """A terminal that dials leaves the call that it is in, whose release nobody had been told to wait for."""
    testbed = load_testbed(TESTBED)
    async with open_bench(testbed, today=date(2026, 1, 1), addresses=None, virtual=True, seed=3) as bench:
        officer = await bench.terminal("officer")
        await officer.key()
        await officer.unkey()
        await officer.reopen()
        after = bench.journal.position
        await officer.key()
        await officer.expect("radio.released", within=0, after=after, cc=1)
        await officer.expect("ptt.granted", within=0, after=after)
        await officer.unkey()
