"""Emergencies, alarms, several talkgroups, speakers and folders of the ICCS simulator in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from control_room_in_virtual_time import GATEWAY, OFFICER, SERGEANT, Room, control_room

from harness.drivers.console import Console
from harness.errors import DriverError, LocalError
from harness.protocols.tetra.lip import ShortLocation
from simulators.iccs.radio_console import emergencies
from simulators.iccs.settings.radio import MAX_DEPTH, FolderSettings, RadioSettings

pytestmark = pytest.mark.virtual_time
LAYOUT: dict[str, Any] = {
    "positions": [
        {"id": "desk-1", "role": "dispatcher", "talkgroups": ["GD-OPS-1"]},
        {"id": "desk-2", "role": "dispatcher", "talkgroups": ["GD-OPS-1", "GD-OPS-2"]},
        {"id": "desk-3", "role": "dispatcher", "talkgroups": ["GD-OPS-2"]},
        {"id": "chief", "role": "supervisor"},
    ],
    "radio": {
        "aliases": {OFFICER: "GB 214"},
        "unacknowledged_s": 2,
        "stuck_s": 5,
        "folders": [
            {"name": "Mutual aid", "folders": [{"name": "Scotland", "talkgroups": ["GD-OPS-2"]}]},
            {"name": "Glasgow", "talkgroups": ["GD-OPS-1"]},
        ],
    },
}
PLACE = ShortLocation(longitude=-4.25, latitude=55.86)


async def emergency(room: Room, desk: Console, *, location: ShortLocation | None = None) -> str:
    """Let the officer raise an emergency; return its name once the desk shows it."""
    await (await room.terminal("officer")).raise_emergency(location=location)
    return str((await desk.expect("emergency.shown", within=1.0)).data["emergency"])


async def test_an_emergency_is_acknowledged_once_and_by_who_monitors_its_talkgroup() -> None:
    async with control_room(LAYOUT, radio=True) as room:
        desk, other = await room.console("desk-1"), await room.console("desk-3")
        name = await emergency(room, desk)
        with pytest.raises(DriverError, match="409: desk-3 does not monitor GD-OPS-1"):
            await other.acknowledge_emergency(name)
        with pytest.raises(DriverError, match=f"409: {name} is not acknowledged: nobody has seen to it yet"):
            await desk.clear_emergency(name)
        shown = await desk.acknowledge_emergency(name)
        assert (shown["alias"], shown["acknowledged_by"]) == ("GB 214", "desk-1")
        with pytest.raises(DriverError, match=f"409: {name} is acknowledged by desk-1 already"):
            await (await room.console("desk-2")).acknowledge_emergency(name)
        with pytest.raises(DriverError, match="404: no emergency 'E-9999' is open"):
            await desk.acknowledge_emergency("E-9999")


async def test_an_emergency_that_ends_before_it_is_acknowledged_stays_until_it_is() -> None:
    async with control_room(LAYOUT, radio=True) as room:
        desk, supervisor = await room.console("desk-1"), room.supervisor()
        officer = await room.terminal("officer")
        await officer.raise_emergency()
        name = (await desk.expect("emergency.shown", within=1.0)).data["emergency"]
        await officer.unkey()
        await officer.expect("call.ended", within=10.0)
        await asyncio.sleep(0.5)
        assert [each["emergency"] for each in await supervisor.emergencies()] == [name]
        await desk.acknowledge_emergency(name)
        await desk.expect("emergency.cleared", within=0.5, emergency=name)
        assert await supervisor.emergencies() == []


async def test_a_status_alone_raises_an_emergency_which_a_console_clears() -> None:
    async with control_room(LAYOUT, radio=True) as room:
        desk, officer = await room.console("desk-1"), await room.terminal("officer")
        await officer.send_location(PLACE, to=GATEWAY)
        await officer.send_status(0, to=GATEWAY)
        shown = await desk.expect("emergency.shown", within=1.0, issi=OFFICER, talkgroup="GD-OPS-1")
        assert shown.data["lat"] == pytest.approx(PLACE.latitude, abs=0.001), "a place told before is not shown"
        await officer.send_status(0, to=GATEWAY)
        await officer.send_status(32773, to=GATEWAY)
        await asyncio.sleep(1.0)
        assert len(room.told("desk-1", "emergency.shown")) == 1
        await desk.acknowledge_emergency(shown.data["emergency"])
        await desk.clear_emergency(shown.data["emergency"])
        await desk.expect("emergency.cleared", within=0.5)
        await officer.send_status(0, to=GATEWAY)
        again = await desk.expect("emergency.shown", within=1.0, after=shown.seq)
        assert again.data["emergency"] != shown.data["emergency"]


async def test_who_sits_down_later_is_shown_what_is_open() -> None:
    async with control_room(LAYOUT, radio=True) as room:
        desk = await room.console("desk-1")
        name = await emergency(room, desk)
        late = await room.console("desk-2")
        await late.expect("emergency.shown", within=0.5, emergency=name)
        await asyncio.sleep(2.5)
        chief = await room.console("chief")
        await chief.expect("emergency.shown", within=0.5, emergency=name)
        await chief.expect("alarm.raised", within=0.5, emergency=name, what="emergency_unacknowledged")
        assert room.told("desk-2", "alarm.raised") == []


async def test_open_emergencies_are_bounded_and_the_one_that_is_seen_to_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(emergencies, "MAX_EMERGENCIES", 2)
    async with control_room(LAYOUT, radio=True) as room:
        desk = await room.console("desk-1")

        def pressed(issi: int) -> None:
            room.simulators.journal.record("gateway-1", "status.received", issi=issi, to=1001, value=0)

        pressed(1)
        pressed(2)
        await desk.expect("emergency.shown", within=0.5, issi=2)
        await desk.acknowledge_emergency("E-0002")
        pressed(3)
        await desk.expect("emergency.dropped", within=0.5, issi=2)
        pressed(4)
        await desk.expect("emergency.dropped", within=0.5, issi=1)
        assert [each["issi"] for each in await room.supervisor().emergencies()] == [3, 4]


async def test_a_supervisor_clears_an_alarm_once() -> None:
    async with control_room(LAYOUT, radio=True) as room:
        desk, chief, supervisor = await room.console("desk-1"), await room.console("chief"), room.supervisor()
        await desk.key("GD-OPS-1")
        await desk.expect("ptt.timed_out", within=6.0, talkgroups=["GD-OPS-1"])
        alarm = str((await chief.expect("alarm.raised", within=0.5, what="stuck_ptt")).data["alarm"])
        await supervisor.clear_alarm(alarm)
        await chief.expect("alarm.ended", within=0.5, alarm=alarm)
        with pytest.raises(DriverError, match=f"404: no alarm '{alarm}' stands"):
            await supervisor.clear_alarm(alarm)


async def test_a_transmission_that_ends_in_time_alarms_nobody() -> None:
    async with control_room(LAYOUT, radio=True) as room:
        desk, officer = await room.console("desk-1"), await room.terminal("officer")
        for key, unkey in ((officer.key, officer.unkey), (lambda: desk.key("GD-OPS-1"), desk.unkey)):
            await key()
            await asyncio.sleep(4.5)
            await unkey()
            await asyncio.sleep(2.0)
        assert await room.supervisor().alarms() == []
        assert room.told("desk-1", "ptt.timed_out") == room.told("desk-1", "talker.stuck") == []


async def test_a_radio_whose_key_sticks_is_told_and_the_alarm_ends_with_its_transmission() -> None:
    async with control_room(LAYOUT, radio=True, max_talk_s=8.0) as room:
        desk, sergeant = await room.console("desk-1"), await room.terminal("sergeant")
        chief = await room.console("chief")
        await sergeant.key()
        stuck = await desk.expect("talker.stuck", within=6.0, issi=SERGEANT, alias=str(SERGEANT))
        assert stuck.data["after_s"] == 5
        await chief.expect("alarm.raised", within=0.5, what="stuck_talker", issi=SERGEANT)
        await chief.expect("alarm.ended", within=4.0, what="stuck_talker")
        assert len(room.told("desk-1", "talker.stuck")) == 1


async def test_several_talkgroups_are_keyed_as_far_as_they_can_be() -> None:
    async with control_room(LAYOUT, radio=True) as room:
        desk, other = await room.console("desk-2"), await room.console("desk-1")
        await desk.key_groups("GD-OPS-1", "GD-OPS-2", "GD-OPS-1")
        refused = await desk.expect("ptt.refused", within=0.5, talkgroup="GD-OPS-2")
        assert refused.data["reason"] == "talkgroup GD-OPS-2 has no gateway in service"
        await desk.expect("ptt.granted", within=1.0, talkgroup="GD-OPS-1")
        with pytest.raises(DriverError, match="409: desk-2 keys GD-OPS-1 already"):
            await desk.key_groups("GD-OPS-1")
        with pytest.raises(DriverError, match="409: talkgroup GD-OPS-1 is keyed by desk-2"):
            await other.key_groups("GD-OPS-1")
        await desk.unkey()
        await desk.expect("ptt.released", within=0.5, talkgroup="GD-OPS-1")
        assert room.iccs.positions.get("desk-2").keyed_groups == []


async def test_what_a_position_does_not_monitor_it_can_not_select_and_volumes_have_bounds() -> None:
    async with control_room(LAYOUT) as room:
        desk, chief = await room.console("desk-1"), await room.console("chief")
        with pytest.raises(DriverError, match="409: desk-1 does not monitor GD-OPS-2; it monitors GD-OPS-1"):
            await desk.select("GD-OPS-2")
        with pytest.raises(DriverError, match="422"):
            await desk.set_volume(headset_db=13.0)
        with pytest.raises(DriverError, match="chief has no loudspeaker: it monitors no talkgroup"):
            await chief.loudspeaker()
        await desk.unselect("GD-OPS-1")
        await desk.set_volume(loudspeaker_db=-3.5)
        shown = room.iccs.positions.get("desk-1").shown()
        assert (shown["selected"], shown["headset_db"], shown["loudspeaker_db"]) == ([], 0.0, -3.5)


async def test_touches_are_counted_from_choice_to_choice() -> None:
    async with control_room(LAYOUT) as room:
        desk = await room.console("desk-1")
        with pytest.raises(DriverError, match="409: no folder 'Nowhere' in the top page; there is Mutual aid, Glasgow"):
            await desk.open_folder("Nowhere")
        with pytest.raises(DriverError, match="409: desk-1 shows the top page"):
            await desk.folder_back()
        assert (await desk.open_folder("Glasgow"))["talkgroups"] == ["GD-OPS-1"]
        with pytest.raises(DriverError, match="409: no talkgroup 'GD-OPS-2' in Glasgow; there is GD-OPS-1"):
            await desk.choose_talkgroup("GD-OPS-2")
        assert (await desk.shown_folder())["touches"] == 1
        assert await desk.find_talkgroup("GD-OPS-2", "Mutual aid", "Scotland") == 4, "going back is a touch"
        await desk.expect("talkgroup.chosen", within=0.5, talkgroup="GD-OPS-2", touches=5)
        assert await desk.find_talkgroup("GD-OPS-2", "Mutual aid", "Scotland") == 3
        assert "GD-OPS-2" in room.iccs.positions.get("desk-1").shown()["talkgroups"]
        with pytest.raises(DriverError, match="GD-OPS-2 is not in Glasgow"):
            await desk.find_talkgroup("GD-OPS-2", "Glasgow")


async def test_folders_are_checked_before_anything_starts() -> None:
    with pytest.raises(LocalError, match="folders name talkgroups that there are not: NOWHERE"):
        async with control_room({"radio": {"folders": [{"name": "One", "talkgroups": ["NOWHERE"]}]}}):
            pass
    with pytest.raises(ValueError, match="folder 'One' is listed twice"):
        RadioSettings.model_validate({"folders": [{"name": "One"}, {"name": "One"}]})
    folder = FolderSettings(name="deepest")
    for _ in range(MAX_DEPTH):
        folder = FolderSettings(name="deep", folders=(folder,))
    with pytest.raises(ValueError, match=f"{MAX_DEPTH + 1} folders, {MAX_DEPTH + 1} deep"):
        RadioSettings(folders=(folder,))
    assert RadioSettings().shown_as(None) == "unknown"
