"""101: the menu leads to the queue that the caller chose, and says what is due."""

from __future__ import annotations

import asyncio

import pytest

from harness.measure.verdict import recognised
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip

pytestmark = pytest.mark.waits

LEADS_TO_101 = "+441414960101"
LISTENS = 0.6
"""Share of a menu that is heard out before the key: enough to tell it from the others."""
MENUS = {name: read_clip(f"announcements/{name}") for name in ("ivr-main", "ivr-update", "ivr-invalid", "ivr-silent")}


@requirement("NICCS-TEL-016")
async def test_a_key_in_the_second_menu_leads_to_the_queue_that_it_stands_for(bench: Bench) -> None:
    """The caller hears the first menu, presses 2, hears the second, presses 1, and rings in the traffic queue."""
    adviser, trunk = await bench.console("govan-12"), await bench.trunk()
    caller = await trunk.dial(LEADS_TO_101, cli="+441632960101")
    await caller.answered(within=2.0)
    for menu, key in (("ivr-main", "2"), ("ivr-update", "1")):
        await caller.record()
        await asyncio.sleep(LISTENS * len(MENUS[menu]) / SAMPLE_RATE + 0.5)
        heard, likeness = recognised(MENUS, await caller.recorded())
        assert heard == menu, f"the caller heard {heard} ({likeness:.2f}), due {menu}"
        await caller.send_dtmf(key)
        await asyncio.sleep(0.2)
    shown = await adviser.expect("call.ringing", within=2.0, queue="traffic", cli="+441632960101")
    await adviser.answer(call=shown.data["call"])
    await adviser.expect("call.connected", within=2.0, call=shown.data["call"])
    await adviser.clear()
    await caller.ended(within=2.0)
