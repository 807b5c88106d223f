"""101's menus: each key leads where it should, and a caller with a wrong key, or none, comes to a person."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from control_room_in_virtual_time import Room, control_room
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from telephone_lines import HEARD, Talk, likeness, line, seconds

from simulators.iccs.ivr import MAX_STEPS, At, Go, Listen, Say, Walk
from simulators.iccs.settings import IccsSettings
from simulators.iccs.settings.ivr import IvrSettings

pytestmark = pytest.mark.virtual_time
IVR: dict[str, Any] = {
    "numbers": {"101": "main"},
    "menus": {
        "main": {
            "announcement": "ivr-main",
            "keys": {
                "1": {"queue": "reports"},
                "2": {"menu": "update"},
                "3": {"say": "ivr-closed"},
                "0": {"queue": "operator"},
                "*": {"repeat": True},
            },
            "invalid": "ivr-invalid",
            "silent": "ivr-silent",
            "attempts": 3,
            "otherwise": {"queue": "operator"},
        },
        "update": {
            "announcement": "ivr-update",
            "keys": {"1": {"queue": "traffic"}, "9": {"menu": "main"}},
            "barge_in": False,
            "attempts": 1,
            "otherwise": {"queue": "operator"},
        },
    },
}
LAYOUT: dict[str, Any] = {"queues": {"emergency": ["999"], "reports": [], "traffic": [], "operator": []}, "ivr": IVR}


async def into_the_menu(room: Room) -> Talk:
    """A caller whom the menu has answered."""
    caller = await line(room)
    talk = await caller.dial("101", cli="+447700900101")
    await talk.answered(within=1.0)
    return talk


@pytest.mark.parametrize(("key", "queue"), [("1", "reports"), ("0", "operator")])
async def test_a_key_that_is_pressed_while_the_menu_is_said_leads_to_its_queue_and_cuts_the_menu(
    key: str, queue: str
) -> None:
    async with control_room(LAYOUT) as room:
        taker = await room.console("govan-01")
        talk = await into_the_menu(room)
        await asyncio.sleep(2.0)
        assert room.told("govan-01", "call.ringing") == []
        await talk.press(key)
        shown = await taker.expect("call.ringing", within=1.0, queue=queue, cli="+447700900101")
        heard = await talk.hears(seconds("ivr-main"))
        assert likeness("ivr-main", heard) < 0.5
        assert likeness("ringing-tone", heard) > HEARD
        record = await room.supervisor().record(shown.data["record"])
        through = next(each for each in record["entries"] if each["what"] == "through the menu")
        assert (through["keys"], through["queue"]) == (key, queue)


async def test_a_menu_leads_to_another_in_which_no_key_counts_before_it_was_said() -> None:
    async with control_room(LAYOUT) as room:
        taker = await room.console("govan-01")
        talk = await into_the_menu(room)
        await talk.press("2")
        await talk.record()
        await asyncio.sleep(1.0)
        await talk.press("1")  # too early: this menu is heard out
        await asyncio.sleep(seconds("ivr-update"))
        assert likeness("ivr-update", await talk.recorded()) > HEARD
        assert room.told("govan-01", "call.ringing") == []
        await talk.press("1")
        await taker.expect("call.ringing", within=1.0, queue="traffic")


async def test_a_menu_leads_back_and_is_said_again() -> None:
    async with control_room(LAYOUT) as room:
        taker = await room.console("govan-01")
        talk = await into_the_menu(room)
        await talk.press("2")
        await asyncio.sleep(seconds("ivr-update") + 1.0)
        await talk.press("9")
        assert likeness("ivr-main", await talk.hears(seconds("ivr-main") + 1.0)) > HEARD
        await talk.press("*")
        assert likeness("ivr-main", await talk.hears(seconds("ivr-main") + 1.0)) > HEARD
        await talk.press("1")
        await taker.expect("call.ringing", within=1.0, queue="reports")


async def test_a_key_that_leads_nowhere_is_told_so_and_the_third_leads_to_the_operator() -> None:
    async with control_room(LAYOUT) as room:
        taker = await room.console("govan-01")
        talk = await into_the_menu(room)
        for _ in range(2):
            await asyncio.sleep(1.0)
            await talk.press("7")
            heard = await talk.hears(seconds("ivr-invalid") + seconds("ivr-main") + 1.0)
            assert min(likeness("ivr-invalid", heard), likeness("ivr-main", heard)) > HEARD
        assert room.told("govan-01", "call.ringing") == []
        await talk.press("7")
        await taker.expect("call.ringing", within=1.0, queue="operator")


async def test_a_caller_who_presses_nothing_is_told_so_twice_and_comes_to_the_operator() -> None:
    async with control_room(LAYOUT) as room:
        taker = await room.console("govan-01")
        began = room.journal.now()
        talk = await into_the_menu(room)
        await asyncio.sleep(seconds("ivr-main") + 4.0)
        assert likeness("ivr-silent", await talk.hears(seconds("ivr-silent") + 2.0)) > HEARD
        shown = await taker.expect("call.ringing", within=60.0, queue="operator")
        due = 3 * (seconds("ivr-main") + 5.0) + 2 * seconds("ivr-silent")
        assert shown.time - began == pytest.approx(due, abs=1.0)


async def test_a_choice_that_nobody_serves_is_told_and_the_call_is_cleared() -> None:
    async with control_room(LAYOUT) as room:
        talk = await into_the_menu(room)
        await talk.press("3")
        assert likeness("ivr-closed", await talk.hears(seconds("ivr-closed") + 0.2)) > HEARD
        await talk.sip.ended(within=1.0)
        (record,) = await room.supervisor().records(cli="+447700900101")
        assert (record["outcome"], record["queue"]) == ("sent away", None)


async def test_a_caller_who_gives_up_in_the_menu_is_in_no_queue_s_figures() -> None:
    async with control_room(LAYOUT) as room:
        talk = await into_the_menu(room)
        await asyncio.sleep(3.0)
        await talk.hang_up()
        await asyncio.sleep(0.5)
        board = await room.supervisor().wallboard()
        assert {name: each["offered"] for name, each in board["queues"].items()} == dict.fromkeys(board["queues"], 0)
        (record,) = await room.supervisor().records()
        assert record["outcome"] == "gave up in the menu"


async def test_a_key_in_info_counts_and_the_same_one_by_rtp_is_not_counted_twice() -> None:
    async with control_room(LAYOUT) as room:
        taker = await room.console("govan-01")
        talk = await into_the_menu(room)
        response = await talk.sip.send(
            "INFO", content=b"Signal=7\r\nDuration=160\r\n", content_type="application/dtmf-relay", within=1.0
        )
        assert response.status == 200
        await talk.press("7")
        await asyncio.sleep(1.0)
        assert [event.data["digit"] for event in room.simulators.journal if event.kind == "ivr.key"] == ["7"]
        assert room.told(taker.name, "call.ringing") == []


# The walk alone

WALKS = st.lists(st.sampled_from([*"0123456789*#", "said", "silence"]), max_size=400)


@given(WALKS)
def test_whatever_a_caller_does_each_step_is_said_heard_or_leads_out(steps: list[str]) -> None:
    walk = Walk(IvrSettings.model_validate(IVR), "main")
    actions = walk.start()
    for step in steps:
        if walk.at is At.GONE:
            break
        actions = walk.said() if step == "said" else walk.silence() if step == "silence" else walk.key(step)
        assert all(isinstance(each, Say | Listen | Go) for each in actions)
    for _ in range(3 * MAX_STEPS):
        if walk.at is At.GONE:
            break
        actions = [*walk.said(), *walk.silence()]
    last = actions[-1]
    assert isinstance(last, Go), "a caller who presses no more comes out"
    assert last.queue in ("reports", "traffic", "operator") or last.say == "ivr-closed"


def test_a_caller_who_goes_round_in_circles_by_keys_comes_out_after_a_bounded_number_of_menus() -> None:
    walk = Walk(IvrSettings.model_validate(IVR), "main")
    said = len(walk.start())
    while walk.at is not At.GONE:
        said += 1
        assert said <= MAX_STEPS + 1
        actions = walk.key("*")
    assert actions == [Go("operator", None, "*" * len(actions[0].keys))]


@pytest.mark.parametrize(
    ("ivr", "message"),
    [
        ({"numbers": {"101": "nowhere"}}, "there is no menu 'nowhere'; there is none"),
        (
            {"menus": {"a": {"announcement": "x", "keys": {"1": {}}, "otherwise": {"queue": "q"}}}},
            "a key leads to one of",
        ),
        (
            {"menus": {"a": {"announcement": "x", "keys": {"1": {"menu": "b"}}, "otherwise": {"queue": "q"}}}},
            "there is no menu 'b'; there is a",
        ),
        (
            {
                "menus": {
                    name: {"announcement": "x", "keys": {"1": {"queue": "q"}}, "otherwise": {"menu": other}}
                    for name, other in (("a", "b"), ("b", "a"))
                }
            },
            "'otherwise' leads in a circle: a, b, a",
        ),
        (
            {"menus": {"a": {"announcement": "x", "keys": {"1": {"queue": "q"}}, "otherwise": {"repeat": True}}}},
            "the call would never leave the menu",
        ),
        (
            {"menus": {"a": {"announcement": "x", "keys": {"1": {"queue": "q"}}, "otherwise": {"queue": "q"}}}},
            "there is no queue 'q'",
        ),
    ],
)
def test_menus_that_lead_nowhere_are_refused_with_what_is_wrong(ivr: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        IccsSettings.model_validate({"ivr": ivr})
