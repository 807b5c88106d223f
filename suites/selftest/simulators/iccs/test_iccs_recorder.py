"""The recorder of the ICCS simulator in virtual time: every leg, found, masked, played, exported, held and weeded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from control_room_in_virtual_time import OFFICER, Room, control_room

from harness.drivers.console import Console
from harness.drivers.trunk import TrunkCall
from harness.endpoints.media import Recording
from harness.errors import DriverError
from harness.measure.correlate import correlation
from harness.testbed.clips import read_clip
from simulators.iccs.recorder import desk as desks
from simulators.iccs.recorder import legs
from simulators.iccs.recorder import recorder as recorders
from simulators.iccs.recorder import store as stores
from simulators.iccs.recorder.desk import RecordingsDesk
from simulators.iccs.recorder.legs import About, Leg
from simulators.iccs.recorder.recorder import Recorder, Wanted
from simulators.iccs.recorder.store import HoldError, Store

pytestmark = pytest.mark.virtual_time
CLI = "+447700900123"
LAYOUT: dict[str, Any] = {
    "positions": [
        {"id": "desk-1", "role": "dispatcher", "talkgroups": ["GD-OPS-1"]},
        {"id": "taker", "role": "call_taker"},
        {"id": "chief", "role": "supervisor", "may": ["replay", "numbers", "export", "hold"]},
        {"id": "junior", "role": "supervisor", "may": ["replay"]},
    ],
    "recordings_kept_s": 600,
}
LIKE = 0.8


async def in_call(room: Room) -> tuple[Console, TrunkCall]:
    """A call taker and a caller who talk with each other."""
    taker, trunk = await room.console("taker"), await room.caller()
    call = await trunk.dial("999", cli=CLI)
    await taker.expect("call.ringing", within=2.0)
    await taker.answer()
    await call.answered(within=2.0)
    await asyncio.sleep(0.5)
    return taker, call


async def both_spoke(room: Room) -> tuple[Console, TrunkCall]:
    """As `in_call`, once each has said something, and the call is over."""
    taker, call = await in_call(room)
    await call.say(read_clip("caller-999"))
    await asyncio.sleep(8)
    await taker.headset.say(read_clip("call-taker"))
    await asyncio.sleep(8)
    await call.hang_up()
    await asyncio.sleep(1)
    return taker, call


def likeness(clip: str, speech: Any) -> float:
    return correlation(read_clip(clip), speech)


async def test_both_sides_of_a_call_are_recorded_word_for_word() -> None:
    async with control_room(LAYOUT) as room:
        await both_spoke(room)
        chief = await room.console("chief")
        found = {leg["kind"]: leg for leg in await chief.find_recordings()}
        assert set(found) == {"telephone_in", "telephone_out"}
        assert likeness("caller-999", await chief.play_recording(found["telephone_in"]["leg"])) > LIKE
        assert likeness("call-taker", await chief.play_recording(found["telephone_out"]["leg"])) > LIKE
        assert {leg["record"] for leg in found.values()} == {"R-000001"}
        assert found["telephone_out"]["position"] == "taker"
        assert all(leg["ended"] is not None for leg in found.values())


async def test_a_call_of_minutes_is_recorded_from_its_first_word_to_its_last() -> None:
    async with control_room(LAYOUT) as room:
        _, call = await in_call(room)
        clip = read_clip("caller-999")
        await call.say(clip)
        await asyncio.sleep(400)  # longer than the media service keeps of a port
        await call.say(clip)
        await asyncio.sleep(len(clip) / 8_000 + 0.5)
        await call.hang_up()
        await asyncio.sleep(1)
        chief = await room.console("chief")
        (leg,) = await chief.find_recordings(kind="telephone_in")
        speech = await chief.play_recording(leg["leg"])
        half = 200 * 8_000
        assert likeness("caller-999", speech[:half]) > LIKE
        assert likeness("caller-999", speech[half:]) > LIKE
        assert leg["seconds"] == pytest.approx(leg["ended"] - leg["began"], abs=0.2), "nothing is left out"


async def test_what_comes_from_a_talkgroup_and_goes_to_it_is_recorded_by_who_spoke() -> None:
    async with control_room(LAYOUT, radio=True) as room:
        desk, officer = await room.console("desk-1"), await room.terminal("officer")
        await officer.say(read_clip("officer-reply"))
        await asyncio.sleep(1)
        await desk.key("GD-OPS-1")
        await desk.expect("ptt.granted", within=2.0)
        await desk.headset.say(read_clip("dispatch"))
        await asyncio.sleep(len(read_clip("dispatch")) / 8_000 + 0.3)
        await desk.unkey()
        await asyncio.sleep(1)
        chief = await room.console("chief")
        (came,) = await chief.find_recordings(kind="radio_rx", talkgroup="GD-OPS-1", issi=OFFICER)
        (went,) = await chief.find_recordings(kind="radio_tx", position="desk-1")
        assert likeness("officer-reply", await chief.play_recording(came["leg"])) > LIKE
        assert likeness("dispatch", await chief.play_recording(went["leg"])) > LIKE


async def test_numbers_are_shown_and_searched_by_right_alone() -> None:
    async with control_room(LAYOUT) as room:
        await both_spoke(room)
        chief, junior = await room.console("chief"), await room.console("junior")
        assert {leg["cli"] for leg in await chief.find_recordings(number="07700 900123")} == {CLI}
        assert await chief.find_recordings(number="07700 900124") == []
        assert {leg["cli"] for leg in await junior.find_recordings()} == {"*" * 11 + "23"}
        with pytest.raises(DriverError, match="409: junior has no right to numbers"):
            await junior.find_recordings(number="07700 900123")


async def test_who_has_no_right_replays_what_it_heard_itself_and_no_more() -> None:
    async with control_room(LAYOUT) as room:
        taker, _ = await both_spoke(room)
        other = await room.console("desk-1")
        own = await taker.instant_replay()
        assert {leg["kind"] for leg in own} == {"telephone_in", "telephone_out"}
        assert likeness("caller-999", await taker.play_recording(own[-1]["leg"])) > LIKE
        assert await other.instant_replay() == []
        with pytest.raises(DriverError, match="409: desk-1 has no right to replay"):
            await other.play_recording(own[0]["leg"])
        with pytest.raises(DriverError, match="409: desk-1 has no right to replay"):
            await other.find_recordings()
        with pytest.raises(DriverError, match="409: taker has no right to export"):
            await taker.export_recording(own[0]["leg"], why="to keep it")
        await asyncio.sleep(1_900)
        assert await taker.instant_replay() == [], "half an hour is over"


async def test_an_incident_has_the_legs_of_its_call_and_of_its_units() -> None:
    async with control_room(LAYOUT, radio=True) as room:
        taker, call = await in_call(room)
        desk, officer = await room.console("desk-1"), await room.terminal("officer")
        incident = await taker.open_incident("Break-in")
        await desk.assign_unit(OFFICER, incident)
        await officer.say(read_clip("officer-reply"))
        await call.hang_up()
        await asyncio.sleep(1)
        chief = await room.console("chief")
        found = await chief.find_recordings(incident=incident)
        assert {leg["kind"] for leg in found} == {"telephone_in", "telephone_out", "radio_rx"}
        with pytest.raises(DriverError, match="404: "):
            await chief.find_recordings(incident="INC-999999")


async def test_playing_and_exporting_stand_in_the_audit_with_who_and_why_and_the_hash() -> None:
    async with control_room(LAYOUT) as room:
        await both_spoke(room)
        chief = await room.console("chief")
        leg = (await chief.find_recordings())[0]["leg"]
        await chief.play_recording(leg)
        export = await chief.export_recording(leg, why="complaint 7")
        assert export.manifest["exported_by"] == "chief"
        entries = await room.supervisor().audit(position="chief")
        told = {each["act"]: each for each in entries}
        assert told["play recording"]["target"] == leg
        assert told["export recording"]["why"] == "complaint 7"
        assert told["export recording"]["sha256"] == export.verify()
        export.manifest["sha256"] = "0" * 64
        with pytest.raises(DriverError, match="the manifest names another"):
            export.verify()


async def test_a_recorder_that_fails_is_alarmed_and_the_standby_has_everything() -> None:
    async with control_room(LAYOUT) as room:
        chief = await room.console("chief")
        supervisor = room.supervisor()
        _, call = await in_call(room)
        await supervisor.fail_recorder("main")
        raised = await chief.expect("alarm.raised", within=1.0, what="recorder_failed")
        assert (raised.data["fault"], raised.data["severity"]) == ("main", "critical")
        await call.say(read_clip("caller-999"))
        await asyncio.sleep(8)
        await call.hang_up()
        await asyncio.sleep(1)
        (leg,) = await chief.find_recordings(kind="telephone_in")
        assert likeness("caller-999", await chief.play_recording(leg["leg"])) > LIKE
        await supervisor.fail_recorder("main", failed=False)
        await chief.expect("alarm.ended", within=1.0)
        shown = await supervisor.recorders()
        assert shown["main"] == shown["standby"], "the main one has caught up"
        for unit in ("main", "standby"):
            await supervisor.fail_recorder(unit)
        with pytest.raises(DriverError, match="409: no recorder works"):
            await chief.find_recordings()
        with pytest.raises(DriverError, match="404: there is no recorder 'third'"):
            await supervisor.fail_recorder("third")


async def test_what_is_due_is_weeded_and_what_is_held_stays() -> None:
    async with control_room(LAYOUT) as room:
        await both_spoke(room)
        chief = await room.console("chief")
        supervisor = room.supervisor()
        (kept,) = await chief.find_recordings(kind="telephone_in")
        (gone,) = await chief.find_recordings(kind="telephone_out")
        assert (await chief.hold_recording(kept["leg"], why="complaint 7"))["held"] == "complaint 7"
        assert await supervisor.weed_recordings() == []
        await asyncio.sleep(700)
        assert await supervisor.weed_recordings() == [gone["leg"]]
        with pytest.raises(DriverError, match="404: there is no recording"):
            await chief.play_recording(gone["leg"])
        await chief.release_recording(kept["leg"])
        assert await supervisor.weed_recordings() == [kept["leg"]]


async def test_weeding_is_done_without_being_asked() -> None:
    async with control_room(LAYOUT) as room:
        await both_spoke(room)
        await asyncio.sleep(3_700)
        assert (await room.supervisor().recorders())["main"]["legs"] == 0


Break = Callable[[pytest.MonkeyPatch], None]


def deaf_to_positions(patch: pytest.MonkeyPatch) -> None:
    right = Recorder._wanted

    def wanted(self: Recorder) -> Wanted:
        return {about: port for about, port in right(self).items() if about.kind != "telephone_out"}

    patch.setattr(Recorder, "_wanted", wanted)


def keeps_no_standby(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Recorder, "_keep", lambda self, leg, grown: self.stores["main"].keep(leg, grown))


def another_hash(patch: pytest.MonkeyPatch) -> None:
    right = legs.exported

    def exported(leg: Leg, told: dict[str, Any]) -> tuple[bytes, str]:
        return right(leg, told)[0], "0" * 64

    patch.setattr(desks, "exported", exported)


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (deaf_to_positions, test_both_sides_of_a_call_are_recorded_word_for_word),
        (
            lambda patch: patch.setattr(recorders, "PIECE_S", 10_000.0),
            test_a_call_of_minutes_is_recorded_from_its_first_word_to_its_last,
        ),
        (
            lambda patch: patch.setattr(RecordingsDesk, "own", lambda _self, _position: []),
            test_who_has_no_right_replays_what_it_heard_itself_and_no_more,
        ),
        (
            lambda patch: patch.setattr(RecordingsDesk, "_records_of", lambda _self, _incident: set()),
            test_an_incident_has_the_legs_of_its_call_and_of_its_units,
        ),
        (
            lambda patch: patch.setattr(legs, "masked", lambda number: number),
            test_numbers_are_shown_and_searched_by_right_alone,
        ),
        (another_hash, test_playing_and_exporting_stand_in_the_audit_with_who_and_why_and_the_hash),
        (keeps_no_standby, test_a_recorder_that_fails_is_alarmed_and_the_standby_has_everything),
        (
            lambda patch: patch.setattr(Store, "hold", lambda _self, _leg, _why: None),
            test_what_is_due_is_weeded_and_what_is_held_stays,
        ),
    ],
)
async def test_a_recorder_that_is_broken_on_purpose_is_found_out(
    broken: Break, test: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the tests above can fail, as the suites of NICCS-REC-001 to 006 do, which look at the same."""
    broken(monkeypatch)
    with pytest.raises((AssertionError, DriverError, ValueError)):
        await test()


def leg(number: int, seconds: float = 1.0, ended: bool = True) -> Leg:
    """One of so many seconds."""
    made = Leg(f"L-{number:06d}", About("radio_rx"), float(number), float(number) + seconds if ended else None)
    made.add(Recording(float(number), read_clip("dispatch")[: round(8_000 * seconds)]))
    return made


def test_a_full_store_lets_the_oldest_go_that_is_over_and_not_held() -> None:
    store = Store(24_000, 50)
    made = [leg(0, ended=False), *(leg(number) for number in range(1, 6))]
    store.keep(made[0], made[0].size)
    store.keep(made[1], made[1].size)
    store.hold(made[1], "a complaint")
    for each in made[2:]:
        store.keep(each, each.size)
    assert [each.id for each in store] == ["L-000000", "L-000001", "L-000005"]
    assert store.size == 24_000


def test_a_store_has_so_many_legs() -> None:
    store = Store(1_000_000, 2)
    for number in range(4):
        store.keep(leg(number), 8_000)
    assert [each.id for each in store] == ["L-000002", "L-000003"]


def test_holds_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "MAX_HOLDS", 1)
    store = Store(24_000, 50)
    store.hold(leg(1), "one")
    store.hold(leg(1), "again")
    with pytest.raises(HoldError, match="1 recordings are held already"):
        store.hold(leg(2), "two")
