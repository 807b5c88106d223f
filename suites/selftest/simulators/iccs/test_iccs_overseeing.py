"""Supervisors who listen in, layouts and talkgroup plans at the ICCS, where things go otherwise than planned."""

from __future__ import annotations

from typing import Any

import pytest
from control_room_in_virtual_time import LAYOUT, Room, control_room

from harness.drivers.console import Console
from harness.errors import DriverError
from simulators.iccs.listening import MAX_MONITORED
from simulators.iccs.overseeing import OVERSEERS_A_POSITION
from simulators.iccs.settings import IccsSettings

pytestmark = pytest.mark.virtual_time
CHIEFS = 6
ROOM: dict[str, Any] = {
    **LAYOUT,
    "positions": [
        *LAYOUT["positions"],
        {"site": "chief", "first": 1, "last": CHIEFS, "role": "supervisor", "may": ["oversee", "plan"]},
    ],
}


async def two(room: Room) -> tuple[Console, Console]:
    """A supervisor and an adviser."""
    return await room.console("chief-01"), await room.console("govan-01")


@pytest.mark.parametrize(
    ("position", "told"),
    [
        ("chief-01", "can't listen in at itself"),
        ("govan-02", "nobody is logged in at govan-02"),
        ("nowhere-1", "404: there is no position 'nowhere-1'"),
        ("chief-02", "chief-02 listens in at govan-01 itself"),
    ],
)
async def test_where_nobody_can_listen_in_is_told(position: str, told: str) -> None:
    async with control_room(ROOM) as room:
        chief, _ = await two(room)
        await (await room.console("chief-02")).monitor("govan-01")
        with pytest.raises(DriverError, match=told):
            await chief.monitor(position)


async def test_one_that_is_listened_to_listens_in_nowhere() -> None:
    async with control_room(ROOM) as room:
        chief, _ = await two(room)
        second = await room.console("chief-02")
        await second.monitor("chief-01")
        with pytest.raises(DriverError, match="chief-02 listens in at chief-01"):
            await chief.monitor("govan-01")


async def test_so_many_listen_in_at_one_position_and_no_more() -> None:
    async with control_room(ROOM) as room:
        await room.console("govan-01")
        for number in range(1, OVERSEERS_A_POSITION + 1):
            await (await room.console(f"chief-0{number}")).monitor("govan-01")
        late = await room.console(f"chief-0{OVERSEERS_A_POSITION + 1}")
        with pytest.raises(DriverError, match=f"{OVERSEERS_A_POSITION} supervisors listen in at govan-01 already"):
            await late.monitor("govan-01")


async def test_it_ends_when_either_goes_and_begins_elsewhere_when_asked() -> None:
    async with control_room(ROOM) as room, room.http() as http:
        chief, adviser = await two(room)
        other = await room.console("govan-02")
        await chief.monitor("govan-01")
        await chief.monitor("govan-02")
        ended = await adviser.expect("oversight.ended", within=1.0)
        assert ended.data["reason"] == "the supervisor listens elsewhere"
        await http.post("/v1/positions/govan-02/logout")
        ended = await chief.expect("oversight.ended", within=1.0, of="govan-02")
        assert ended.data["reason"] == "govan-02 logged out"
        assert (await http.get("/v1/positions/chief-01")).json()["oversees"] is None
        with pytest.raises(DriverError, match="listens in nowhere"):
            await chief.end_oversight()
        await chief.monitor("govan-01")
        await http.post("/v1/positions/chief-01/logout")
        await adviser.expect("oversight.ended", within=1.0, reason="chief-01 logged out")
        assert other is not None


async def test_a_supervisor_who_listens_in_is_offered_no_call() -> None:
    async with control_room({**ROOM, "queues": {"emergency": {"numbers": ["999"]}}}) as room:
        chief, adviser = await two(room)
        await chief.monitor("govan-01")
        await chief.expect("adviser.state", within=1.0, state="busy")
        with pytest.raises(DriverError, match="409"):
            await chief.barge("govan-01")
        await (await room.caller()).dial("999", cli="+447700900123")
        await adviser.expect("call.ringing", within=1.0)
        assert room.told("chief-01", "call.ringing") == []
        await chief.end_oversight()
        await chief.expect("adviser.state", within=1.0, state="available")


@pytest.mark.parametrize("tells", [True, False])
async def test_monitoring_is_told_where_the_settings_have_it_so_and_a_whisper_always(tells: bool) -> None:
    async with control_room({**ROOM, "tells_of_monitoring": tells}) as room:
        chief, adviser = await two(room)
        await chief.monitor("govan-01")
        await chief.whisper("govan-01")
        await adviser.expect("oversight.began", within=1.0, how="whisper")
        told = [event.data["how"] for event in room.told("govan-01", "oversight.began")]
        assert told == (["monitor", "whisper"] if tells else ["whisper"])


async def test_a_layout_is_the_settings_where_they_have_one() -> None:
    layouts = {"call_taker": {"panels": ["call", "map"]}}
    async with control_room({**ROOM, "layouts": layouts}) as room:
        chief, adviser = await two(room)
        assert await adviser.layout() == {"role": "call_taker", "panels": ["call", "map"]}
        assert (await chief.layout())["panels"][0] == "alarms"
    with pytest.raises(ValueError, match="panels"):
        IccsSettings.model_validate({"layouts": {"call_taker": {"panels": ["kitchen"]}}})


@pytest.mark.parametrize(
    ("talkgroups", "told"),
    [
        (["GD-OPS-9"], "there is no talkgroup GD-OPS-9; there is GD-OPS-1, GD-OPS-2"),
        (["x"] * (MAX_MONITORED + 1), "422"),
        ([], "desk-1 keys GD-OPS-1 at this moment"),
    ],
    ids=["unknown", "too-many", "keyed"],
)
async def test_a_plan_that_cant_be_is_refused_and_nothing_changes(talkgroups: list[str], told: str) -> None:
    async with control_room(ROOM, radio=True) as room, room.http() as http:
        chief, _ = await two(room)
        await room.console("chief-02")
        desk = await room.console("desk-1")
        await desk.key("GD-OPS-1")
        await desk.expect("ptt.granted", within=2.0)
        with pytest.raises(DriverError, match=told):
            await chief.change_plan("desk-1", talkgroups, approver="chief-02", why="a test")
        assert (await http.get("/v1/positions/desk-1")).json()["talkgroups"] == ["GD-OPS-1"]
        await desk.unkey()


async def test_a_plan_leaves_what_somebody_chose_and_opens_a_loudspeaker_where_there_was_none() -> None:
    async with control_room(ROOM, radio=True) as room, room.http() as http:
        chief, _ = await two(room)
        await room.console("chief-02")
        assert (await http.get("/v1/positions/govan-01")).json()["loudspeaker"] is None
        shown = await chief.change_plan("govan-01", ["GD-OPS-2", "GD-OPS-1"], approver="chief-02", why="a test")
        assert shown["talkgroups"] == ["GD-OPS-2", "GD-OPS-1"]
        assert shown["loudspeaker"].startswith("rtp://")
        shown = await chief.change_plan("govan-02", ["GD-OPS-1"], approver="chief-02", why="nobody sits there")
        assert (shown["talkgroups"], shown["loudspeaker"]) == (["GD-OPS-1"], None)
