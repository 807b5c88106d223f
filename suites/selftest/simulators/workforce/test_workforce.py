"""Workforce management's intake on both databases: 100,000 rows, bad ones among them, twice; gaps; late ones."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import date

import pytest
import pytest_asyncio

from harness.drivers.workforce import Workforce
from harness.errors import DriverError
from harness.protocols import times
from harness.protocols.wfm.csv_file import Header, write_intervals, write_states
from harness.protocols.wfm.rows import IntervalRow, State, StateRow
from harness.transport.context import Context
from simulators.workforce.settings import WorkforceSettings
from simulators.workforce.simulator import WorkforceSimulator

ROWS = 100_000
DAY = 1_767_225_600
LAYOUT = {
    "advisers": [{"id": "A-1", "login": "govan-01", "training": {"emergency": "2020-01-31", "radio": "2090-01-01"}}]
}


@pytest_asyncio.fixture
async def workforce(store: str) -> AsyncIterator[Workforce]:
    context = Context.create(seed=1)
    settings = WorkforceSettings.model_validate({**LAYOUT, "store": store})
    simulator = await WorkforceSimulator.start(context, settings, virtual=False)
    driver = Workforce.open(context, "workforce", url=simulator.http_url)
    try:
        yield driver
    finally:
        await driver.close()
        await simulator.stop()


def states(count: int, *, feed: str = "iccs-1") -> str:
    head = Header("states", feed, DAY, DAY + 900)
    kinds = (State.READY, State.IN_CALL, State.WRAP_UP, State.BREAK)
    return write_states(
        head, (StateRow(n, DAY * 1000 + n, f"govan-{n % 50:02d}", kinds[n % 4]) for n in range(1, count + 1))
    )


async def test_100_000_rows_with_bad_ones_are_had_told_and_safe_to_bring_again(workforce: Workforce) -> None:
    lines = states(ROWS).split("\n")
    for number in (3, 5_000, 77_777):
        lines[number - 1] = "nonsense"
    done = await workforce.take_file("states.csv", "\n".join(lines))
    assert (done["new"], done["bad"]) == (ROWS - 3, 3)
    assert [each["line"] for each in done["findings"]] == [3, 5_000, 77_777]
    again = await workforce.take_file("states.csv", "\n".join(lines))
    assert (again["new"], again["repeated"]) == (0, ROWS - 3)
    whole = await workforce.take_file("states.csv", states(ROWS))
    assert (whole["new"], whole["bad"]) == (3, 0)
    assert await workforce.findings() == [], "what was put right is told no more"
    assert (await workforce.status())["kept"]["states"] == ROWS


async def test_missing_and_corrected_intervals_are_told(workforce: Workforce) -> None:
    rows = [IntervalRow(DAY + 900 * n, "emergency", offered=n) for n in range(96) if n not in (7, 50)]
    await workforce.take_file("day.csv", write_intervals(Header("intervals", "f", DAY, DAY + 86_400), rows))
    gaps = await workforce.gaps(DAY, DAY + 86_400)
    assert gaps["intervals"] == {"emergency": [times.to_iso(DAY + 900 * n) for n in (7, 50)]}
    assert len(gaps["states"]) == 96
    other = [IntervalRow(DAY, "emergency", offered=5), rows[1]]
    done = await workforce.take_file("again.csv", write_intervals(Header("intervals", "f", DAY, DAY + 1800), other))
    assert (done["new"], done["corrected"], done["repeated"]) == (0, 1, 1)
    with pytest.raises(DriverError, match=r"409.*1 whole days|409.*0 whole days"):
        await workforce.forecast("emergency", date(2026, 1, 2))
    with pytest.raises(DriverError, match=r"404.*nothing is known of a queue 'x'; there is emergency"):
        await workforce.forecast("x", date(2026, 1, 2))


async def test_history_is_never_late(workforce: Workforce) -> None:
    ended = (int(time.time()) // 900 - 1) * 900
    row = IntervalRow(ended, "emergency")
    await workforce.take_file("live.csv", write_intervals(Header("intervals", "f", ended, ended + 900), [row]))
    assert (await workforce.gaps(ended, ended + 900))["late"] == {"emergency": []}, "history is never late"


async def test_lapsed_training_is_told_by_skill(workforce: Workforce) -> None:
    [lapsed] = await workforce.advisers(skill="emergency", state="lapsed")
    assert lapsed["id"] == "A-1"
    assert await workforce.advisers(skill="radio", state="lapsed") == []
    await workforce.train("A-1", "emergency", date(2099, 1, 1))
    assert await workforce.advisers(state="lapsed") == []


async def test_a_file_of_something_else_is_refused(workforce: Workforce) -> None:
    with pytest.raises(DriverError, match=r"422.*a file header is due: ICCS-WFM"):
        await workforce.take_file("x.csv", "a,b\n1,2\n")
    assert (await workforce.status())["kept"]["states"] == 0
