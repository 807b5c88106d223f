"""The directory at the consoles: an edit is at every position within the figure, whatever becomes of its source."""

from __future__ import annotations

import pytest

from harness.drivers.console import Console
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = [pytest.mark.waits, pytest.mark.testbed("phone-book")]

POSITIONS = ("govan-12", "govan-13", "govan-31", "govan-50")
LATEST_S = 300.0
"""The figure: what comes later is not waited for."""
FIGURE = {"requirement": "NICCS-INT-009", "figure": "sync_min"}


async def seated(bench: Bench) -> list[Console]:
    """Call takers, dispatchers and the supervisor, each with the directory before them."""
    consoles = [await bench.console(name) for name in POSITIONS]
    await (await bench.supervisor()).directory_read(within=LATEST_S)
    return consoles


async def synced(bench: Bench, consoles: list[Console], began: float, after: int, **wanted: object) -> None:
    """Wait until each console is told, and hold each against the figure."""
    for console in consoles:
        told = await console.expect("directory.changed", within=LATEST_S, after=after, **wanted)
        bench.measured(f"directory at {console.name}", (told.time - began) / 60, "min", **FIGURE)


@requirement("NICCS-INT-009")
async def test_an_edit_of_the_directory_is_at_every_position_in_time(bench: Bench) -> None:
    """An entry that is new, then has another number, then is gone: each console is told, and shows it so."""
    consoles, book = await seated(bench), await bench.phone_book()
    after, began = bench.journal.position, bench.journal.now()
    await book.put("ferry", name="Harbour master", number="01632960201", organisation="Testbed Ferries")
    await synced(bench, consoles, began, after, added=["ferry"], changed=[], removed=[])
    for console in consoles:
        [entry] = await console.directory("harbour")
        assert (entry["id"], entry["number"], entry["organisation"]) == ("ferry", "01632960201", "Testbed Ferries")
    after, began = bench.journal.position, bench.journal.now()
    await book.put("ferry", name="Harbour master", number="01632960202")
    await synced(bench, consoles, began, after, added=[], changed=["ferry"], removed=[])
    for console in consoles:
        assert [entry["number"] for entry in await console.directory("harbour")] == ["01632960202"]
    after, began = bench.journal.position, bench.journal.now()
    await book.remove("ferry")
    await synced(bench, consoles, began, after, added=[], changed=[], removed=["ferry"])
    for console in consoles:
        assert await console.directory("harbour") == []


@requirement("NICCS-INT-009")
@pytest.mark.parametrize("fault", ["errors", "silent", "broken"])
async def test_a_directory_that_can_not_be_read_stays_as_it_was_and_says_so(bench: Bench, fault: str) -> None:
    """Consoles keep the entries and show that they may be old; once it is back, what was edited meanwhile comes."""
    consoles, book = await seated(bench), await bench.phone_book()
    before = await consoles[0].directory()
    assert len(before) == 2
    after = bench.journal.position
    await book.fail(fault)
    await book.put("ferry", name="Harbour master", number="01632960201")
    for console in consoles:
        await console.expect("directory.stale", within=LATEST_S, after=after, source="feed")
        assert await console.directory() == before
    assert "feed" in (await (await bench.supervisor()).directory())["stale"]
    after, began = bench.journal.position, bench.journal.now()
    await book.recover()
    await synced(bench, consoles, began, after, added=["ferry"])
    for console in consoles:
        await console.expect("directory.fresh", within=1.0, after=after, source="feed")
    assert (await (await bench.supervisor()).directory())["stale"] == {}


@requirement("NICCS-INT-009")
async def test_a_position_that_logs_in_later_has_the_edit_at_once(bench: Bench) -> None:
    """It need not be told: it shows what the others show."""
    first, book = await bench.console(POSITIONS[0]), await bench.phone_book()
    after = bench.journal.position
    await book.put("ferry", name="Harbour master", number="01632960201")
    await first.expect("directory.changed", within=LATEST_S, after=after)
    late = await bench.console(POSITIONS[2])
    assert [entry["id"] for entry in await late.directory("harbour")] == ["ferry"]
    assert bench.journal.find(late.name, "directory.changed", after=after) is None
