"""What callers hear while they wait: the announcement due, music, their place; judged by correlation with the clips."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from control_room_in_virtual_time import control_room
from telephone_lines import HEARD, announcement, likeness, line, seconds

from harness.drivers.call_load import CallLoad, LoadPlan
from harness.errors import LocalError
from harness.measure.verdict import Due, judge, recognised

pytestmark = pytest.mark.virtual_time
ALL = ("emergency-busy", "ivr-main", "ivr-update", "ivr-invalid", "ivr-closed", "queue-full", "callback-offer")


def queues(**waiting: Any) -> dict[str, Any]:
    """Emergency calls whose callers hear this while they wait, and a menu by which 101 comes to a queue."""
    return {"queues": {"emergency": {"numbers": ["999"], "waiting": waiting}, "non_emergency": ["101"]}}


async def test_when_all_are_busy_a_999_caller_hears_so_as_early_media_and_is_not_charged_as_answered() -> None:
    async with control_room(queues(busy="emergency-busy")) as room:
        caller = await line(room)
        talk = await caller.dial("999", cli="+447700900001")
        await talk.sip.ringing(within=1.0)
        await asyncio.sleep(0.2)
        await talk.join()
        heard = await talk.hears(seconds("emergency-busy") + 1.0)
        assert likeness("emergency-busy", heard) > HEARD
        best, _ = recognised({name: announcement(name) for name in ALL}, heard)
        assert best == "emergency-busy"
        assert talk.sip.status == 183
        (record,) = await room.supervisor().records()
        assert (record["outcome"], record["answered"]) == ("open", None)


async def test_with_an_adviser_free_the_announcement_is_not_said() -> None:
    async with control_room(queues(busy="emergency-busy")) as room:
        taker = await room.console("govan-01")
        talk = await (await line(room)).dial("999")
        await taker.expect("call.ringing", within=1.0)
        await asyncio.sleep(8.0)
        assert [event for event in room.simulators.journal if event.kind == "call.told"] == []
        await taker.answer()
        await talk.answered(within=1.0)


async def test_an_adviser_who_answers_cuts_the_announcement_and_is_heard_at_once() -> None:
    async with control_room(queues(busy="emergency-busy")) as room:
        taker = await room.console("govan-01")
        first = await (await line(room, "one")).dial("999")
        await first.sip.ringing(within=1.0)
        await taker.answer()
        await first.answered(within=1.0)
        second = await (await line(room, "two")).dial("999")
        await asyncio.sleep(2.0)
        await taker.clear()
        await taker.answer()
        await second.answered(within=1.0)
        await asyncio.sleep(0.2)
        await second.record()
        await taker.say(announcement("ivr-main"))  # any words
        await asyncio.sleep(seconds("ivr-main") + 1.0)
        heard = await second.recorded()
        assert likeness("ivr-main", heard) > HEARD
        assert likeness("emergency-busy", heard) < 0.5


async def test_the_announcement_comes_again_with_music_between() -> None:
    every = 15.0
    layout = queues(busy="emergency-busy", busy_every_s=every, early=False, music="hold-music")
    async with control_room(layout) as room:
        talk = await (await line(room)).dial("999")
        await talk.answered(within=1.0)
        await talk.record()
        await asyncio.sleep(seconds("emergency-busy") + every - 1.0)
        first = await talk.recorded()
        assert min(likeness("emergency-busy", first), likeness("hold-music", first)) > HEARD
        assert likeness("emergency-busy", await talk.hears(seconds("emergency-busy") + 2.0)) > HEARD
        said = [event for event in room.simulators.journal if event.kind == "call.told"]
        assert said[1].time - said[0].time == pytest.approx(seconds("emergency-busy") + every, abs=0.2)


async def test_a_caller_is_told_the_place_in_the_queue_and_the_wait() -> None:
    waiting = {"busy": "emergency-busy", "early": False, "position_every_s": 12.0, "handling_s": 240.0}
    async with control_room(queues(**waiting)) as room:
        await (await line(room, "one")).dial("999")
        await asyncio.sleep(0.5)
        talk = await (await line(room, "two")).dial("999", cli="+447700900002")
        await talk.answered(within=2.0)
        await asyncio.sleep(11.0)
        heard = await talk.hears(8.0)
        for piece in ("queue-position", "number-2", "queue-position-end", "queue-wait", "number-8", "queue-minutes"):
            assert likeness(piece, heard) > HEARD, piece  # two are waiting, each taken to last four minutes
        assert likeness("number-5", heard) < HEARD


async def test_the_network_is_told_every_so_often_that_a_call_is_queued() -> None:
    layout = queues(queued_every_s=5.0)
    async with control_room(layout) as room:
        talk = await (await line(room)).dial("999")
        await talk.sip.ringing(within=1.0)
        await asyncio.sleep(21.0)
        came = [event for event in room.told("line", "sip.received") if event.data.get("status") == 182]
        assert len(came) == 4
        await talk.hang_up()


async def test_an_announcement_that_is_missing_keeps_the_switch_from_starting() -> None:
    with pytest.raises(LocalError, match="there is no announcement 'no-such-words' in "):
        async with control_room(queues(busy="no-such-words")):
            pass


MENU = {
    "numbers": {"101": "main"},
    "menus": {
        "main": {
            "announcement": "ivr-main",
            "keys": {"1": {"queue": "emergency"}, "2": {"menu": "update"}},
            "otherwise": {"queue": "emergency"},
        },
        "update": {
            "announcement": "ivr-update",
            "keys": {"1": {"queue": "emergency"}},
            "otherwise": {"queue": "emergency"},
        },
    },
}


async def test_two_hundred_calls_at_once_into_the_menu_are_each_judged_by_the_announcement_due() -> None:
    """Every tenth presses 2 and is due the second menu: held against the first one's, exactly those are found out."""
    async with control_room({"queues": {"emergency": ["999"]}, "ivr": MENU}) as room:
        host, port = room.iccs.sip_address
        load = await CallLoad.open(room.context, room.media, "load", target=(host, port), permit=lambda _uri: None)
        room.at_the_end(load.close)
        hold = seconds("ivr-main") + 0.5
        many = LoadPlan(number="101", calls=180, per_second=200, hold_s=hold)
        others = LoadPlan(number="101", calls=20, per_second=200, hold_s=hold, press="2", press_after_s=0.5)
        together = await asyncio.gather(load.place(many), load.place(others))
        calls = [call for each in together for call in each]
        up = max(sum(a.answered_at <= b.answered_at < a.answered_at + hold for a in calls) for b in calls)
        assert up == 200, "all were up at once"
        due = Due(codec="PCMA", first_audio_s=1.0, loss=0.0, mos=4.0, reference=announcement("ivr-main"))
        verdicts = [judge(call.stats, since=call.answered_at, due=due, heard=call.heard) for call in calls]
        wrong = [number for number, verdict in enumerate(verdicts) if not verdict.passed]
        assert wrong == list(range(180, 200))
        assert all("the words heard are not those due" in verdicts[number].findings[0] for number in wrong)
        references = {name: announcement(name) for name in ALL}
        assert {recognised(references, call.heard)[0] for call in calls[180:]} == {"ivr-update"}
