"""Callers who give up: kept by wait band, and those of 999 offered to be rung back (NICCS-TEL-018)."""

from __future__ import annotations

import asyncio

import pytest
from control_room_in_virtual_time import Room, control_room
from hypothesis import given
from hypothesis import strategies as st
from telephone_lines import Line, line

from harness.errors import DriverError, InterlockError
from simulators.iccs.records import Bands

pytestmark = pytest.mark.virtual_time
NUMBERS = {"emergency": "999", "non_emergency": "101"}


async def gives_up(room: Room, queue: str, after_s: float, cli: str | None) -> Line:
    """A caller who has given up after so long."""
    caller = await line(room, f"caller-{len(room.iccs.records()) + 1}")
    talk = await caller.dial(NUMBERS[queue], cli=cli)
    await talk.sip.ringing(within=1.0)
    await asyncio.sleep(after_s)
    await talk.hang_up()
    await asyncio.sleep(0.5)
    return caller


@pytest.mark.parametrize(
    ("after_s", "band"), [(2.0, "under 10 s"), (15.0, "10 to 59 s"), (59.5, "10 to 59 s"), (75.0, "60 s and more")]
)
async def test_a_caller_who_gives_up_is_kept_with_the_wait_in_its_band(after_s: float, band: str) -> None:
    async with control_room() as room:
        taker = await room.console("govan-01")
        await gives_up(room, "non_emergency", after_s, "+447700900001")
        shown = await taker.expect("call.abandoned", within=1.0)
        assert (shown.data["band"], shown.data["ring_back"]) == (band, False)
        (record,) = await room.supervisor().records(outcome="abandoned")
        assert (record["band"], record["queue"], record["answered"]) == (band, "non_emergency", None)
        assert record["wait_s"] == pytest.approx(after_s, abs=0.1)
        figures = await room.supervisor().queue("non_emergency")
        assert figures["abandoned_by_band"] == {name: int(name == band) for name in figures["abandoned_by_band"]}
        assert await room.supervisor().ring_backs() == []


async def test_a_999_caller_who_gave_up_is_offered_and_rung_back_under_the_same_record() -> None:
    async with control_room() as room:
        taker, supervisor = await room.console("govan-01"), room.supervisor()
        caller = await gives_up(room, "emergency", 4.0, "+447700900001")
        shown = await taker.expect("call.abandoned", within=1.0, ring_back=True)
        (due,) = await supervisor.ring_backs()
        assert due["record"] == shown.data["record"]
        call = await taker.redial(due["record"])
        connected = await taker.expect("call.connected", within=2.0, call=call)
        assert connected.data["record"] == due["record"]
        (rung,) = caller.rung
        assert rung.request.get("priority") == "psap-callback"
        assert await supervisor.ring_backs() == []
        assert (await supervisor.record(due["record"]))["rung_back"] is True


async def test_a_withheld_number_can_not_be_rung_back_and_is_not_offered() -> None:
    async with control_room() as room:
        taker, supervisor = await room.console("govan-01"), room.supervisor()
        await gives_up(room, "emergency", 4.0, None)
        shown = await taker.expect("call.abandoned", within=1.0, ring_back=False)
        assert await supervisor.ring_backs() == []
        with pytest.raises(DriverError, match="the number of R-000001 is not known"):
            await taker.redial(shown.data["record"])


async def test_ringing_back_asks_the_interlock_with_the_caller_s_number() -> None:
    def refuse(target: str) -> None:
        raise InterlockError(f"dialling {target} is not allowed")

    async with control_room() as room:
        caller = await gives_up(room, "emergency", 4.0, "+447700900001")
        taker = await room.console("govan-01", permit_dial=refuse)
        with pytest.raises(InterlockError, match=r"\+447700900001 is not allowed"):
            await taker.redial("R-000001")
        with pytest.raises(DriverError, match="there was no call here yet"):
            await taker.redial()
        assert caller.rung == []


@given(
    st.lists(
        st.floats(0.1, 1000, allow_nan=False).map(lambda each: round(each, 1)), min_size=1, max_size=10, unique=True
    ),
    st.floats(0, 2000, allow_nan=False),
)
def test_every_wait_is_in_the_one_band_that_begins_at_or_before_it(begins: list[float], wait: float) -> None:
    begins.sort()
    bands = Bands(tuple(begins))
    assert len(bands.names) == len(begins) + 1
    number = bands.names.index(bands.of(wait))
    assert number == 0 or begins[number - 1] <= wait
    assert number == len(begins) or wait < begins[number]
