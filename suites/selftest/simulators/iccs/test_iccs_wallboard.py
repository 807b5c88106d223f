"""The wallboard's figures are what happened: held against what callers saw, and against plain arithmetic."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from control_room_in_virtual_time import Room, control_room
from hypothesis import given
from hypothesis import strategies as st
from telephone_lines import line

from harness.errors import DriverError
from simulators.iccs.figures import Figures
from simulators.iccs.records import Bands
from simulators.iccs.settings import QueueSettings

pytestmark = pytest.mark.virtual_time
CALLS = 40
PATIENCE_S = 25.0


async def one_caller(room: Room, name: str, number: str, patience_s: float, talks_s: float) -> tuple[str, float]:
    """Call, wait as long as patience lasts, talk; return what became of it and the wait, as the caller saw it."""
    caller = await line(room, name)
    talk = await caller.dial(number, cli="+447700900001")
    await talk.sip.ringing(within=1.0)
    began = room.journal.now()
    try:
        async with asyncio.timeout(patience_s):
            await talk.answered(within=600.0)
    except TimeoutError:
        await talk.hang_up()
        return "abandoned", room.journal.now() - began
    waited = room.journal.now() - began
    await asyncio.sleep(talks_s)
    await talk.hang_up()
    return "answered", waited


async def test_a_busy_hour_s_figures_are_what_the_callers_saw() -> None:
    rng = random.Random(7)
    layout: dict[str, Any] = {
        "queues": {
            "emergency": {"numbers": ["999"], "presentation": "longest_idle", "service_level": {"within_s": 10}},
            "general": {"numbers": ["101"], "presentation": "longest_idle", "service_level": {"within_s": 10}},
        },
        "auto_advisers": {"positions": ["govan-*"], "reaction_s": {"least": 0.5, "most": 1.5}, "other_s": 600},
        "positions": [{"site": "govan", "first": 1, "last": 3}],
    }
    async with control_room(layout, auto_advisers=True) as room:

        async def later(number: int) -> tuple[str, str, float]:
            await asyncio.sleep(rng.uniform(0, 120))
            queue, dialled = rng.choice([("emergency", "999"), ("general", "101")])
            patience = rng.expovariate(1 / PATIENCE_S) + 0.5
            outcome, waited = await one_caller(room, f"line-{number}", dialled, patience, rng.uniform(5, 20))
            return queue, outcome, waited

        seen = await asyncio.gather(*(later(number) for number in range(CALLS)))
        await asyncio.sleep(1.0)
        board = (await room.supervisor().wallboard())["queues"]
        records = await room.supervisor().records()
    bands = Bands((10, 60))
    for queue in ("emergency", "general"):
        figures = board[queue]
        mine = [(outcome, waited) for its, outcome, waited in seen if its == queue]
        answered = sorted(waited for outcome, waited in mine if outcome == "answered")
        gave_up = [waited for outcome, waited in mine if outcome == "abandoned"]
        assert len(answered) > 3
        assert figures["offered"] == len(mine)
        assert (figures["answered"], figures["abandoned"], figures["waiting"]) == (len(answered), len(gave_up), 0)
        for shown, waits in (("answered_by_band", answered), ("abandoned_by_band", gave_up)):
            due = [bands.of(wait) for wait in waits]
            assert figures[shown] == {name: due.count(name) for name in bands.names}
        assert figures["mean_answer_s"] == pytest.approx(sum(answered) / len(answered), abs=0.05)
        assert figures["longest_answer_s"] == pytest.approx(answered[-1], abs=0.05)
        judged = len(answered) + sum(wait > 10 for wait in gave_up)
        share = 100 * sum(wait <= 10 for wait in answered) / judged
        assert figures["service_level"]["share"] == pytest.approx(share, abs=0.01)
        outcomes = [record["outcome"] for record in records if record["queue"] == queue]
        assert outcomes.count("answered") == len(answered)
        assert outcomes.count("abandoned") == len(gave_up)
    assert sum(board[queue]["abandoned"] for queue in ("emergency", "general")) > 3


async def test_what_waits_and_who_is_free_is_shown_as_it_is_now_by_state_and_site() -> None:
    layout = {
        "queues": {"general": {"numbers": ["101"], "wrap_up_s": 60}},
        "positions": [{"site": "govan", "first": 1, "last": 2}, {"id": "bilston-1"}],
    }
    async with control_room(layout) as room:
        one, two = await room.console("govan-01"), await room.console("bilston-1")
        supervisor = room.supervisor()
        first = await (await line(room, "first")).dial("101")
        await first.sip.ringing(within=1.0)
        await asyncio.sleep(7.0)
        await (await line(room, "second")).dial("101")
        await asyncio.sleep(3.0)
        shown = await supervisor.wait_for("general", "waiting", 2, within=1.0)
        assert shown["longest_wait_s"] == pytest.approx(10.0, abs=0.5)
        await one.answer()
        await first.answered(within=1.0)
        await two.go("break")
        board = await supervisor.wallboard()
        assert board["queues"]["general"]["longest_wait_s"] == pytest.approx(3.0, abs=0.5)
        assert {name: number for name, number in board["advisers"].items() if number} == {
            "offline": 1,
            "busy": 1,
            "break": 1,
        }
        assert board["sites"]["govan"]["busy"] == board["sites"]["bilston"]["break"] == 1
        await first.hang_up()
        await one.expect("adviser.state", within=1.0, state="wrap_up")
        assert (await supervisor.wallboard())["advisers"]["wrap_up"] == 1


async def test_a_figure_that_does_not_come_is_told_with_what_it_is() -> None:
    async with control_room() as room:
        supervisor = room.supervisor()
        with pytest.raises(DriverError, match="waiting of emergency is 0 after 1 s, due 3"):
            await supervisor.wait_for("emergency", "waiting", 3, within=1.0)
        with pytest.raises(DriverError, match="emergency has no figure 'waitng'; it has offered, "):
            await supervisor.wait_for("emergency", "waitng", 3, within=1.0)
        with pytest.raises(
            DriverError, match="the wallboard has no queue 'x'; it has emergency, non_emergency, critical"
        ):
            await supervisor.queue("x")
        with pytest.raises(DriverError, match="refused with 404: there is no call record 'R-9'"):
            await supervisor.record("R-9")


WAITS = st.lists(st.tuples(st.booleans(), st.floats(0, 300).map(lambda each: round(each, 3))), max_size=60)


@given(WAITS, st.floats(0.5, 100).map(lambda each: round(each, 1)))
def test_figures_are_what_plain_arithmetic_makes_of_the_waits(waits: list[tuple[bool, float]], within: float) -> None:
    bands = Bands((10, 60))
    settings = QueueSettings.model_validate({"service_level": {"within_s": within}})
    figures = Figures({"general": settings}, bands)
    for is_answered, wait in waits:
        figures.came("general")
        (figures.answered if is_answered else figures.abandoned)("general", wait)
    shown = figures.shown()["general"]
    answered, gave_up = [w for a, w in waits if a], [w for a, w in waits if not a]
    assert (shown["offered"], shown["answered"], shown["abandoned"]) == (len(waits), len(answered), len(gave_up))
    assert sum(shown["answered_by_band"].values()) == len(answered)
    assert sum(shown["abandoned_by_band"].values()) == len(gave_up)
    if answered:
        p90 = shown["p90_answer_s"]
        assert sum(wait <= p90 for wait in answered) >= 0.9 * len(answered)
        assert sum(wait < p90 for wait in answered) < 0.9 * len(answered)
    judged = len(answered) + sum(wait > within for wait in gave_up)
    share = shown["service_level"]["share"]
    assert (share is None) == (judged == 0)
    if judged:
        assert share == pytest.approx(100 * sum(wait <= within for wait in answered) / judged, abs=0.006)
