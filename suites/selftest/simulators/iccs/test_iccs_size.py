"""An ICCS that has had many calls holds no more than one that has had a few, but for the records that it keeps."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter

import pytest
from control_room_in_virtual_time import control_room

from harness.drivers.call_load import CallLoad, LoadPlan
from harness.journal import Event
from harness.protocols.wfm.rows import StateRow
from simulators.iccs.recorder.legs import About, Leg

pytestmark = pytest.mark.virtual_time
LAYOUT = {
    "queues": {"emergency": {"numbers": ["999"], "presentation": "longest_idle"}},
    "auto_advisers": {"positions": ["govan-*"], "reaction_s": {"least": 0.1, "most": 0.1}, "other_s": 600},
    "positions": [{"site": "govan", "first": 1, "last": 30}],
    "records_kept": 20,
}
LINGERS_S = 60.0
"""After which SIP's transactions are gone."""


def ours() -> Counter[str]:
    """How many objects of our own classes there are, but for events of the journal, and timers, dropped late."""
    gc.collect()
    kinds = Counter(type(each) for each in gc.get_objects())
    return Counter({str(kind): count for kind, count in kinds.items() if _is_ours(kind)})


def _is_ours(kind: type) -> bool:
    module = str(kind.__module__)
    return (
        module.startswith(("harness.", "simulators."))
        and kind not in (Event, StateRow, Leg, About)  # each has a bound of its own
        and module != "harness.transport.virtual_loop"
    )


@pytest.mark.parametrize("speech", [False, True])
async def test_calls_that_are_over_leave_nothing_behind(speech: bool) -> None:
    async with control_room(LAYOUT, auto_advisers=True) as room:
        load = await CallLoad.open(
            room.context, room.media, "load", target=room.iccs.sip_address, permit=lambda _target: None
        )
        room.at_the_end(load.close)

        async def some(calls: int) -> None:
            plan = LoadPlan(number="999", calls=calls, per_second=20, hold_s=0.5, speech=speech, record=False)
            assert all(call.answered_at is not None for call in await load.place(plan))
            await asyncio.sleep(LINGERS_S)

        await some(40)
        before = ours()
        await some(200 if not speech else 60)
        assert ours() - before == Counter()
