"""Voicemail of the enterprise switch, and the lamp that tells of it (RFC 3842)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from switch_in_virtual_time import ALIKE, LINES, Exchange, clip, exchange, until

from harness.drivers.telephone import Telephone
from harness.errors import SipLocalError
from harness.measure.correlate import correlation
from harness.protocols.sip import message_summary

pytestmark = pytest.mark.virtual_time

VOICEMAIL = {"voicemail": {"number": "3900", "silence_s": 3}}


async def leave(there: Exchange, caller: Telephone, number: str = "3102", seed: int = 21) -> None:
    """Leave two seconds of speech in a mailbox, and hang up."""
    call = await caller.dial(number)
    await call.answered(within=30)
    await asyncio.sleep(4)  # greeting and beep
    await call.say(clip(seed, 2.0))
    await asyncio.sleep(2.5)
    await call.hang_up()
    await asyncio.sleep(0.5)


async def test_an_unanswered_call_leaves_a_message_and_the_lamp_is_lit_until_it_is_heard() -> None:
    async with exchange(VOICEMAIL) as there:
        front, back = await there.telephones("3101", "3102")
        assert not back.lamp.waiting
        await leave(there, front)
        assert (back.lamp.waiting, back.lamp.voice.new, back.lamp.voice.old) == (True, 1, 0)
        hearing = await back.dial("3900")
        await hearing.answered(within=5)
        await asyncio.sleep(1.5)
        await hearing.record()
        await hearing.send_dtmf("1")
        await asyncio.sleep(5)
        assert correlation(clip(21, 2.0), (await hearing.recorded()).samples) > ALIKE
        assert (back.lamp.waiting, back.lamp.voice.new, back.lamp.voice.old) == (False, 0, 1)
        await hearing.send_dtmf("*3")
        await until(lambda: back.lamp.voice.old == 0)
        await hearing.hang_up()


async def test_a_telephone_that_is_away_is_told_by_a_notify_that_it_did_not_ask_for() -> None:
    async with exchange(VOICEMAIL) as there:
        front = await there.telephone("3101")
        await leave(there, front)
        back = await there.telephone("3102", lamp=False)
        await until(lambda: back.lamp.waiting)
        assert back.lamp.voice.new == 1


async def test_a_mailbox_is_sent_nowhere() -> None:
    async with exchange(VOICEMAIL) as there:
        front = await there.telephone("3101")
        call = await front.dial("3102")
        await call.answered(within=30)
        with pytest.raises(SipLocalError, match="403"):
            await call.transfer("3103")
        await call.say(clip(21, 0.5))
        await call.hang_up()


async def test_another_line_is_not_told_what_waits() -> None:
    async with exchange(VOICEMAIL) as there:
        front, _ = await there.telephones("3101", "3102")
        host, port = there.simulator.sip_address
        with pytest.raises(Exception, match="403"):
            await front._agent.subscribe(
                f"sip:3102@{host}:{port}",
                message_summary.EVENT,
                lambda _told: None,
                accept=message_summary.CONTENT_TYPE,
            )


async def test_silence_leaves_no_message() -> None:
    async with exchange(VOICEMAIL) as there:
        front, back = await there.telephones("3101", "3102")
        call = await front.dial("3102")
        await call.answered(within=30)
        await call.ended(within=30)
        assert there.switch.mailbox("3102").messages == []
        assert not back.lamp.waiting


async def test_a_full_mailbox_takes_no_more() -> None:
    async with exchange({"voicemail": {"number": "3900", "max_messages": 1}}) as there:
        front = await there.telephone("3101")
        await leave(there, front)
        refused = await front.dial("3102")
        await refused.answered(within=30)
        await refused.ended(within=10)
        assert len(there.switch.mailbox("3102").messages) == 1
        assert len(there.told("mailbox.full")) == 1


async def test_a_mailbox_opens_to_its_pin_alone() -> None:
    lines = [LINES[0], {**LINES[1], "voicemail_pin": "2468"}]
    async with exchange({**VOICEMAIL, "lines": lines}) as there:
        _, back = await there.telephones("3101", "3102")
        wrong = await back.dial("3900")
        await wrong.answered(within=5)
        for _ in range(3):
            await asyncio.sleep(2)
            await wrong.send_dtmf("1111#")
        await wrong.ended(within=20)
        assert there.told("mailbox.opened") == []
        right = await back.dial("3900")
        await right.answered(within=5)
        await asyncio.sleep(1)
        await right.send_dtmf("2468#")
        await until(lambda: len(there.told("mailbox.opened")) == 1)


async def test_messages_are_also_put_into_the_folder_as_sound(tmp_path: Path) -> None:
    async with exchange({"voicemail": {"number": "3900", "folder": str(tmp_path)}}) as there:
        await leave(there, await there.telephone("3101"))
        assert (tmp_path / "3102-1.wav").is_file()
