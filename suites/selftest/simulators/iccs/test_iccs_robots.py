"""Advisers that answer by themselves: the reaction, the time that a call takes, and one seed giving one run."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from control_room_in_virtual_time import control_room
from telephone_lines import line

from harness.errors import LocalError

pytestmark = pytest.mark.virtual_time


def layout(**advisers: Any) -> dict[str, Any]:
    """101 served by these advisers."""
    return {"queues": {"general": {"numbers": ["101"], "wrap_up_s": 5}}, "auto_advisers": advisers}


async def test_they_react_talk_for_as_long_as_is_said_clear_and_write_up() -> None:
    spec = layout(
        positions=["govan-01"], reaction_s={"least": 1, "most": 1}, handling_s={"general": 30}, spread="fixed"
    )
    async with control_room(spec, auto_advisers=True) as room:
        caller = await line(room)
        first, second = await caller.dial("101"), await caller.dial("101")
        began = room.journal.now()
        await first.answered(within=2.0)
        assert room.journal.now() - began == pytest.approx(1.0, abs=0.1)
        await first.sip.ended(within=31.0)
        assert room.journal.now() - began == pytest.approx(31.0, abs=0.2)
        await second.answered(within=6.0)
        assert room.journal.now() - began == pytest.approx(36.0, abs=0.3), "not while the first is being written up"


async def times(count: int) -> list[float]:
    spec = layout(positions=["govan-*"], other_s=20)
    async with control_room(spec, auto_advisers=True) as room:
        caller = await line(room)
        for _ in range(count):
            await caller.dial("101")
        await asyncio.sleep(200.0)
        return [event.time for event in room.simulators.journal if event.kind == "call.cleared"]


async def test_of_one_seed_their_ways_are_the_same_and_spread_about_the_mean() -> None:
    once, again = await times(12), await times(12)
    assert len(once) == 12
    assert [round(each, 3) for each in once] == [round(each, 3) for each in again]
    gaps = [after - before for before, after in pairwise(once)]
    assert max(gaps) > 2 * min(gaps)


@pytest.mark.parametrize("always", [True, False])
async def test_they_answer_whoever_starts_the_simulator_only_where_the_settings_say_so(always: bool) -> None:
    spec = layout(positions=["govan-01"], reaction_s={"least": 1, "most": 1}, always=always)
    async with control_room(spec) as room:
        call = await (await line(room)).dial("101")
        await asyncio.sleep(3.0)
        assert [event.kind for event in room.simulators.journal if event.kind == "call.connected"] == (
            ["call.connected"] if always else []
        )
        call.sip.hang_up()


async def test_advisers_that_the_settings_do_not_describe_can_not_be_let_answer() -> None:
    with pytest.raises(LocalError, match="the settings describe no 'auto_advisers'"):
        async with control_room(auto_advisers=True):
            pass
