"""Technical alarms of the ICCS simulator: a fault is one alarm, with what it costs, until it is over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from control_room_in_virtual_time import Room, control_room
from telephone_lines import line

from simulators.iccs import fault_alarms

pytestmark = pytest.mark.virtual_time
WATCH = {"every_s": 10, "lost_every_s": 2, "answer_s": 1, "lost_after": 2, "back_after": 1}
TRUNKS: dict[str, Any] = {
    "trunks": [
        {"name": "primary", "peer": "127.0.0.1:6101", "watch": WATCH},
        {"name": "secondary", "peer": "127.0.0.1:6102", "watch": WATCH | {"lost_after": 4}},
    ]
}


async def standing(room: Room) -> dict[str, tuple[str, str]]:
    """Severity and impact of each alarm that stands, by what failed."""
    return {each["fault"]: (each["severity"], each["impact"]) for each in await room.supervisor().alarms()}


async def test_a_lost_trunk_is_major_while_there_is_another_and_critical_when_there_is_none() -> None:
    async with control_room(TRUNKS) as room:
        await asyncio.sleep(15)
        assert await standing(room) == {"primary": ("major", "calls by it fail; there is secondary")}
        await asyncio.sleep(30)
        assert (await standing(room))["secondary"] == ("critical", "calls by it fail; there is no other trunk")
        await line(room, "first", port=6101)
        await line(room, "second", port=6102)
        await asyncio.sleep(5)
        assert await standing(room) == {}


async def test_a_gateway_whose_line_is_gone_names_the_talkgroup_that_is_mute() -> None:
    async with control_room(radio=True) as room:
        await asyncio.sleep(5)
        assert await standing(room) == {}
        await room.radio.stop()
        await asyncio.sleep(5)
        assert await standing(room) == {"gateway-1": ("critical", "nobody at a console hears GD-OPS-1 or talks there")}


async def test_one_fault_is_one_alarm_and_one_that_was_taken_away_comes_back_with_the_next_fault_only() -> None:
    async with control_room() as room:
        faults, supervisor = room.iccs._building.shared.faults, room.supervisor()
        for _ in range(3):
            faults.failed("crm_lost", "CRM", "major", "not shown")
        [alarm] = await supervisor.alarms()
        await supervisor.clear_alarm(alarm["alarm"])
        faults.failed("crm_lost", "CRM", "major", "not shown")
        assert await supervisor.alarms() == []
        faults.well("crm_lost", "CRM")
        faults.well("crm_lost", "CRM")
        faults.failed("crm_lost", "CRM", "major", "not shown")
        [again] = await supervisor.alarms()
        assert again["alarm"] != alarm["alarm"]


async def test_faults_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_alarms, "MAX_FAULTS", 2)
    async with control_room() as room:
        faults = room.iccs._building.shared.faults
        for number in range(4):
            faults.failed("trunk_lost", f"trunk-{number}", "minor", "none")
        assert set(await standing(room)) == {"trunk-0", "trunk-1"}
