"""Places through the MCPTT server: reported as configured and when asked; refused, unknown, unreadable."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from mcptt_in_virtual_time import Network, network

from harness.endpoints.mcptt import McpttTerminal
from harness.errors import McpttLocalError
from harness.protocols.location.shapes import Point, moved
from harness.protocols.mcptt.info import McpttInfo
from harness.protocols.mcptt.location import LOCATION_TYPE, Place, Triggers, write_location
from harness.protocols.sip import body

pytestmark = pytest.mark.virtual_time

ONE, TWO = "sip:officer-1@mcptt.example", "sip:officer-2@mcptt.example"
HERE = Place(55.8622, -4.3096)


async def registered(there: Network, *, place: Place | None = HERE) -> McpttTerminal:
    """One who knows where it is before it registers."""
    terminal = await there.terminal("officer-1")
    terminal.locator.place = place
    await terminal.register()
    await asyncio.sleep(0.1)
    return terminal


def reports(there: Network) -> list[tuple[float, list[str]]]:
    """When the server got reports, and by which triggers."""
    return [(round(event.time, 1), event.data["triggers"]) for event in there.told("mcptt", "location.reported")]


async def test_a_terminal_is_told_as_it_registers_and_reports_when_due() -> None:
    layout = {"location": {"periodic_s": 30, "at_log_on": True, "when_configured": True}}
    async with network(layout) as there:
        terminal = await registered(there)
        assert terminal.locator.triggers == Triggers(30, None, True, True)
        first = reports(there)
        assert sorted(name for each in first for name in each[1]) == ["configured", "log-on"]
        await asyncio.sleep(61.0)
        assert [each[1] for each in reports(there)[len(first) :]] == [["periodic"], ["periodic"]]
        later = [each[0] for each in reports(there)[len(first) :]]
        assert later[1] - later[0] == pytest.approx(30.0, abs=0.1)
        shown = there.server.status()["places"]["officer-1"]
        assert (shown["lat"], shown["lon"]) == pytest.approx((HERE.latitude, HERE.longitude), abs=3e-5)


async def test_a_report_comes_after_so_much_way_and_not_before_the_least_time() -> None:
    async with network({"location": {"distance_m": 200, "minimum_s": 10}}) as there:
        terminal = await registered(there)
        at = Point(HERE.latitude, HERE.longitude)
        for _ in range(30):
            await asyncio.sleep(1.0)
            at = moved(at, 50.0, 90.0)
            await terminal.locator.moved(Place(at.latitude, at.longitude))
        times = [each[0] for each in reports(there)]
        assert all(each[1] == ["distance"] for each in reports(there))
        # The first fix is told; 200 m are gone every 4 s, and reports are 10 s apart at least.
        assert [round(two - one) for one, two in pairwise(times)] == [10, 10]


async def test_who_is_told_all_places_is_told_each_report_once_and_others_none() -> None:
    users = [{"name": "officer-1"}, {"name": "officer-2"}, {"name": "dispatcher", "is_told_places": True}]
    async with network({"users": users}) as there:
        await there.terminal("officer-2", registers=True)
        dispatcher = await there.terminal("dispatcher", registers=True)
        one = await registered(there)
        await one.locator.report()
        told = await there.expect("dispatcher", "location.told", user="officer-1")
        assert (told.data["lat"], told.data["lon"]) == pytest.approx((HERE.latitude, HERE.longitude), abs=3e-5)
        await dispatcher.locator.ask(ONE)  # the answer is one report, whoever it is for
        await asyncio.sleep(1.0)
        assert len(there.told("dispatcher", "location.told")) == 2
        assert there.told("officer-2", "location.told") == []


async def test_one_who_does_not_know_where_it_is_tells_nothing_by_itself() -> None:
    layout = {"location": {"periodic_s": 5, "at_log_on": True, "when_configured": True}}
    async with network(layout) as there:
        terminal = await there.terminal("officer-1")
        await terminal.register()
        await asyncio.sleep(12.0)
        assert reports(there) == []
        with pytest.raises(McpttLocalError, match="does not know where it is"):
            await terminal.locator.report()


async def test_another_asks_and_is_told_and_a_place_that_is_not_known_is_said_to_be() -> None:
    async with network() as there:
        asked = await registered(there)
        asker = await there.terminal("officer-2", registers=True)
        await asker.locator.ask(ONE)
        told = await there.expect("officer-2", "location.told", user="officer-1")
        assert (told.data["lat"], told.data["lon"]) == pytest.approx((HERE.latitude, HERE.longitude), abs=3e-5)
        asked.locator.place = None
        await asker.locator.ask(ONE)
        await there.expect("officer-2", "location.unknown", user="officer-1")
        before = there.context.journal.position
        asked.locator.place = HERE
        await asked.locator.report()
        await asyncio.sleep(0.2)
        assert there.context.journal.find("officer-2", "location.told", after=before) is None, "told without asking"


async def test_an_emergency_is_told_as_one_and_at_once() -> None:
    async with network({"location": {"minimum_s": 60, "distance_m": 1}}) as there:
        terminal = await registered(there)
        await terminal.locator.moved(HERE)
        await terminal.locator.report(emergency=True)
        assert [event.data["emergency"] for event in there.told("mcptt", "location.reported")] == [False, True]


async def test_who_may_not_ask_a_stranger_and_one_who_is_not_there_are_refused() -> None:
    users = [{"name": "officer-1"}, {"name": "officer-2", "may_locate": False}, {"name": "officer-3"}]
    async with network({"users": users}) as there:
        await registered(there)
        without_right = await there.terminal("officer-2")
        with pytest.raises(McpttLocalError, match="refuses the message: 403"):
            await without_right.locator.ask(ONE)
        await there.expect("mcptt", "location.refused", user="officer-1", asker="officer-2")
        third = await there.terminal("officer-3")
        with pytest.raises(McpttLocalError, match="480"):
            await third.locator.ask(TWO)
        with pytest.raises(McpttLocalError, match="404"):
            await third.locator.ask("sip:nobody@mcptt.example")
        stranger = await there.terminal("nobody")
        stranger.locator.place = HERE
        with pytest.raises(McpttLocalError, match="403"):
            await stranger.locator.report()
        assert not there.told("officer-1", "location.reported")


@pytest.mark.parametrize(
    ("part", "status"),
    [
        (body.Part(LOCATION_TYPE, b"<location-info/>"), 400),
        (body.Part(LOCATION_TYPE, write_location(Triggers(periodic_s=1))), 403),
        (body.Part("text/plain", b"hello"), 415),
    ],
)
async def test_what_is_no_report_is_refused_and_harms_nothing(part: body.Part, status: int) -> None:
    async with network() as there:
        terminal = await registered(there)
        with pytest.raises(McpttLocalError, match=f"refuses the message: {status}"):
            await terminal._station.message("sip:mcptt@mcptt.example", McpttInfo(), part)
        await terminal.locator.report()
        assert len(reports(there)) == 1


async def test_what_the_server_sends_that_is_none_is_refused_by_the_terminal() -> None:
    async with network() as there:
        await registered(there)
        there.server._desk.send("officer-1", McpttInfo(), body.Part(LOCATION_TYPE, b"<location-info/>"))
        await there.expect("officer-1", "location.unreadable")
        await there.expect("mcptt", "message.not_taken", user="officer-1")
        assert not there.server._desk.send("officer-3", McpttInfo())


async def test_one_who_registers_again_is_configured_again() -> None:
    async with network({"location": {"periodic_s": 30}}) as there:
        terminal = await registered(there)
        await terminal.close()
        await asyncio.sleep(0.5)
        again = await there.terminal("officer-1", registers=True)
        await there.expect("officer-1", "location.configured")
        await asyncio.sleep(0.1)
        assert again.locator.triggers.periodic_s == 30
        assert len(there.told("officer-1", "location.configured")) == 2
