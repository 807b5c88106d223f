"""A telephone that describes an address at which it is not (behind a NAT, in several networks) is heard and hears."""

from __future__ import annotations

import asyncio

import pytest
from control_room_in_virtual_time import control_room
from telephone_lines import HEARD, Talk, line

from harness.measure.correlate import find
from harness.testbed.clips import read_clip

pytestmark = pytest.mark.virtual_time


@pytest.mark.parametrize("described", ["192.0.2.7", "2001:db8::7"])
async def test_a_caller_who_describes_another_address_talks_with_the_position(described: str) -> None:
    says, answers = read_clip("caller-999"), read_clip("call-taker")
    async with control_room() as room:
        taker = await room.console("govan-01")
        telephone = await line(room, "caller")
        talk: Talk = await telephone.dial("999", cli="+447700900001", described_at=described)
        await talk.sip.ringing(within=1.0)
        await taker.answer()
        await talk.answered(within=1.0)
        await taker.headset.record()
        await talk.say(says)
        await asyncio.sleep(len(says) / 8000 + 0.5)
        assert find(says, (await taker.headset.recorded()).samples).peak > HEARD
        await talk.record()
        await taker.say(answers)
        await asyncio.sleep(len(answers) / 8000 + 0.5)
        assert find(answers, (await talk.recorded()).samples).peak > HEARD
