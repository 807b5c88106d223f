"""An MCPTT handset's places in the driver: an emergency tells where it is, and nothing leaves that is not allowed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from mcptt_town import Town, mcptt_town

from harness.errors import DriverError, InterlockError
from harness.protocols.mcptt.location import Place

pytestmark = pytest.mark.virtual_time

HERE = Place(55.8622, -4.3096)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    layout = {
        "users": [{"name": "one"}, {"name": "two", "may_locate": False}],
        "groups": [{"name": "GD-OPS-1"}],
        "location": {"distance_m": 100},
    }
    async with mcptt_town(layout, ("one", "two")) as made:
        for radio in made.radios:
            await radio.select("GD-OPS-1")
        yield made


async def test_an_emergency_takes_the_floor_and_tells_where_it_is(town: Town) -> None:
    one, two = town.radios
    await one.move_to(HERE)
    before = town.context.journal.position
    await one.emergency()
    sent = await one.expect("location.sent", within=0.5, after=before, emergency=True)
    assert (sent.data["lat"], sent.data["lon"]) == (HERE.latitude, HERE.longitude)
    await two.expect("talker.shown", within=0.5, user="one", emergency=True)
    await town.context.journal.expect("mcptt", "location.reported", within=0.5, user="one", emergency=True)


async def test_an_emergency_without_a_place_takes_the_floor_all_the_same(town: Town) -> None:
    one, _ = town.radios
    await one.emergency()
    assert town.server.status()["places"] == {}


async def test_moving_less_than_the_way_that_is_configured_tells_nothing(town: Town) -> None:
    one, _ = town.radios
    await one.move_to(HERE)
    before = town.context.journal.position
    await one.move_to(Place(HERE.latitude + 0.0005, HERE.longitude))  # 56 m
    assert town.context.journal.find("one", "location.sent", after=before) is None
    await one.move_to(Place(HERE.latitude + 0.001, HERE.longitude))
    await one.expect("location.sent", within=0, after=before)


async def test_what_the_server_refuses_is_told_with_the_status(town: Town) -> None:
    _, two = town.radios
    with pytest.raises(DriverError, match="403"):
        await two.ask_location("one")


@pytest.mark.parametrize("what", ["tell", "move", "ask", "emergency"])
async def test_what_the_interlock_refuses_never_leaves(town: Town, what: str) -> None:
    one, _ = town.radios
    if what == "emergency":
        await one.move_to(HERE)
    town.refused = {"key"} if what == "emergency" else {"message"}
    before = len([event for event in town.context.journal if event.kind == "sip.sent"])
    acts = {"tell": one.send_location, "move": one.move_to}
    with pytest.raises(InterlockError):
        if what == "emergency":
            await one.emergency()
        else:
            await (one.ask_location("two") if what == "ask" else acts[what](HERE))
    assert len([event for event in town.context.journal if event.kind == "sip.sent"]) == before
