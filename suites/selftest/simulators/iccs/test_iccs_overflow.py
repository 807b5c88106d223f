"""Calls that a queue can't hold: too many, or for too long; they go to another queue, or are told and cleared."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from control_room_in_virtual_time import control_room
from pydantic import ValidationError
from telephone_lines import HEARD, likeness, line, seconds

from simulators.iccs.settings import IccsSettings

pytestmark = pytest.mark.virtual_time


def layout(**overflow: Any) -> dict[str, Any]:
    """101 with an overflow, and a queue that helps out."""
    return {"queues": {"help": {"roles": ["dispatcher"]}, "general": {"numbers": ["101"], "overflow": overflow}}}


async def test_a_call_that_waits_too_long_goes_to_the_other_queue_with_the_time_it_has_waited() -> None:
    async with control_room(layout(after_s=30, to="help")) as room:
        first, helper = await room.console("govan-01"), await room.console("desk-1")
        talk = await (await line(room)).dial("101", cli="+447700900001")
        rang = await first.expect("call.ringing", within=1.0, queue="general")
        gone = await first.expect("call.withdrawn", within=31.0)
        assert gone.time - rang.time == pytest.approx(30.0, abs=0.1)
        await helper.expect("call.ringing", within=1.0, queue="help", call=rang.data["call"])
        await asyncio.sleep(10.0)
        await helper.answer(queue="help")
        await talk.answered(within=1.0)
        board = (await room.supervisor().wallboard())["queues"]
        assert (board["general"]["offered"], board["general"]["overflowed"], board["general"]["answered"]) == (1, 1, 0)
        assert (board["help"]["offered"], board["help"]["answered"]) == (1, 1)
        assert board["help"]["longest_answer_s"] == pytest.approx(40.0, abs=0.2)
        assert sum(each["offered"] for each in board.values()) == 2
        (record,) = await room.supervisor().records()
        assert (record["queue"], record["outcome"]) == ("help", "answered")


async def test_beyond_so_many_waiting_a_caller_is_told_that_the_queue_is_full_and_cleared() -> None:
    async with control_room(layout(longer_than=2, say="queue-full")) as room:
        lines = [await line(room, f"line-{number}") for number in range(3)]
        kept = [await each.dial("101") for each in lines[:2]]
        await asyncio.gather(*(talk.sip.ringing(within=1.0) for talk in kept))
        await asyncio.sleep(0.2)
        sent_away = await lines[2].dial("101", cli="+447700900003")
        await sent_away.sip.ringing(within=1.0)
        await asyncio.sleep(0.1)
        await sent_away.join()
        assert likeness("queue-full", await sent_away.hears(seconds("queue-full"))) > HEARD
        await sent_away.sip.ended(within=2.0)
        assert not any(talk.sip.is_over for talk in kept)
        (record,) = await room.supervisor().records(cli="+447700900003")
        assert record["outcome"] == "sent away"
        figures = await room.supervisor().queue("general")
        assert (figures["offered"], figures["waiting"], figures["overflowed"], figures["abandoned"]) == (3, 2, 1, 0)


async def test_a_call_that_was_answered_in_time_does_not_overflow() -> None:
    async with control_room(layout(after_s=30, to="help")) as room:
        taker = await room.console("govan-01")
        talk = await (await line(room)).dial("101")
        await talk.sip.ringing(within=1.0)
        await taker.answer(queue="general")
        await talk.answered(within=1.0)
        await asyncio.sleep(60.0)
        assert not talk.sip.is_over
        assert (await room.supervisor().queue("general"))["overflowed"] == 0


@pytest.mark.parametrize(
    ("overflow", "message"),
    [
        ({"to": "help"}, "an overflow needs 'after_s' or 'longer_than'"),
        ({"after_s": 1, "to": "help", "say": "queue-full"}, "leave out 'to'"),
        ({"after_s": 1, "to": "nowhere"}, "there is no queue 'nowhere'; there is help, general"),
    ],
)
def test_an_overflow_that_makes_no_sense_is_refused(overflow: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        IccsSettings.model_validate(layout(**overflow))
