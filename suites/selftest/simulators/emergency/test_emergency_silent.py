"""Callers who say nothing: Silent Solution for mobiles (NICCS-TEL-008), connection for landlines, taps and noises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from network_in_virtual_time import LANDLINE, Town, tap, tone, town

from harness.drivers.phone_call import PhoneCall
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.sip.emergency_call import Silent
from simulators.emergency.hearing import loudest_dbov

pytestmark = pytest.mark.virtual_time


async def announced(there: Town) -> tuple[PhoneCall, float]:
    """A silent mobile caller in the announcement, and the run time at which that began."""
    call = await (await there.phone()).dial()
    await call.answered(within=2.0)
    begun = await there.driver.expect("call.announcement", within=30.0)
    return call, begun.time


async def test_a_silent_mobile_hears_the_announcement_after_two_questions(speech: Callable[[str], Samples]) -> None:
    async with town() as there:
        call = await (await there.phone()).dial()
        await call.answered(within=2.0)
        await call.record()
        begun = await there.driver.expect("call.announcement", within=30.0)
        await asyncio.sleep(20.5)
        heard = (await call.recorded()).samples
        for clip in ("operator-service", "operator-prompt", "silent-solution"):
            assert correlation(speech(clip), heard) > 0.8, clip
        answered = there.told("call.operator")[0].time
        questions = (len(speech("operator-service")) + len(speech("operator-prompt"))) / SAMPLE_RATE
        assert begun.time - answered == pytest.approx(questions + 12.0, abs=0.1)


@pytest.mark.parametrize("by", ["rtp", "info"])
async def test_55_within_the_announcement_connects_at_once_flagged_silent(by: Any) -> None:
    async with town() as there:
        call, begun = await announced(there)
        await asyncio.sleep(12.0)
        await call.press("55", by=by)
        room = await there.room.call(within=3.0)
        assert room.mark.silent is Silent.PRESSED_55
        connecting = there.told("call.connecting")[0].time
        assert connecting - begun < 14.5
        assert there.told("silent.heard")[0].data["heard"] == "55"


async def test_without_55_the_call_ends_with_the_announcement_and_nobody_is_rung() -> None:
    async with town() as there:
        call, begun = await announced(there)
        await asyncio.sleep(3.0)
        await call.press("5")
        await asyncio.sleep(1.0)
        await call.press("6")
        await asyncio.sleep(1.0)
        await call.press("5")
        await call.ended(within=30.0)
        assert there.journal.now() - begun == pytest.approx(20.0, abs=0.2)
        record = await there.record()
        assert (record["outcome"], record["attempts"], record["keys"]) == ("silent-no-55", [], "565")
        assert there.room.calls == []


async def test_55_after_the_announcement_is_too_late() -> None:
    async with town({"silent": {"announcement_s": 5}}) as there:
        call, _ = await announced(there)
        await asyncio.sleep(4.99)
        await call.press("5")
        await call.ended(within=2.0)
        assert (await there.record())["outcome"] == "silent-no-55"


async def test_55_pressed_before_the_announcement_does_not_count_within_it() -> None:
    async with town() as there:
        call = await (await there.phone()).dial()
        await call.answered(within=2.0)
        await asyncio.sleep(3.0)
        await call.press("55")
        await there.driver.expect("call.announcement", within=30.0)
        await call.ended(within=21.0)
        assert (await there.record())["outcome"] == "silent-no-55"


@pytest.mark.parametrize("accepted", [False, True])
async def test_a_tap_counts_where_the_force_has_it_so(accepted: bool) -> None:
    async with town({"silent": {"accept_noise": accepted}}) as there:
        call, _ = await announced(there)
        await asyncio.sleep(7.0)
        await call.say(tap())
        await asyncio.sleep(1.0)
        if accepted:
            assert (await there.room.call()).mark.silent is Silent.NOISE
        else:
            assert there.room.calls == []
            await call.ended(within=13.0)


async def test_line_noise_is_no_tap() -> None:
    async with town({"silent": {"accept_noise": True, "noise_dbov": -40}}) as there:
        call, _ = await announced(there)
        rng = np.random.default_rng(1)
        await call.say((rng.normal(0.0, 32768 * 10 ** (-55 / 20), 10 * SAMPLE_RATE)).astype(np.int16))
        await call.ended(within=21.0)
        assert there.room.calls == []


@pytest.mark.parametrize("answer", ["tap", "cough", "key"])
async def test_a_tap_a_cough_or_a_key_answers_the_operators_question(answer: str) -> None:
    async with town() as there:
        call = await (await there.phone()).dial()
        await call.answered(within=2.0)
        await asyncio.sleep(2.4 + 6.0 + 2.8 + 1.0)  # question, silence, "tap or cough", and a moment
        await {"tap": lambda: call.say(tap()), "cough": lambda: call.say(tone(0.3)), "key": lambda: call.press("1")}[
            answer
        ]()
        assert (await there.room.call(within=6.0)).mark.silent is Silent.NOISE
        assert there.told("call.announcement") == []


async def test_a_short_word_is_an_answer_and_no_noise() -> None:
    async with town() as there:
        call = await (await there.phone()).dial()
        await call.answered(within=2.0)
        await asyncio.sleep(3.5)
        await call.say(tone(0.4))
        assert (await there.room.call(within=6.0)).mark.silent is None


async def test_a_silent_landline_is_connected_without_the_announcement() -> None:
    async with town() as there:
        await (await (await there.phone(LANDLINE)).dial()).answered(within=2.0)
        assert (await there.room.call(within=30.0)).mark.silent is Silent.UNRESOLVED
        assert there.told("call.announcement") == []


async def test_a_caller_who_gives_up_in_the_announcement_is_abandoned() -> None:
    async with town() as there:
        call, _ = await announced(there)
        await asyncio.sleep(2.0)
        await call.hang_up()
        await there.driver.expect("call.ended", within=1.0)
        record = await there.record()
        assert (record["outcome"], record["abandoned"]) == ("abandoned", "announcement")
        assert (await there.driver.status())["operators"]["busy"] == 0


def test_the_loudest_hundredth_of_a_second_is_what_counts() -> None:
    quiet = np.zeros(8000, np.int16)
    assert loudest_dbov(quiet) == -96.0
    assert loudest_dbov(np.zeros(0, np.int16)) == -96.0
    loud = quiet.copy()
    loud[4000:4080] = tone(0.01, dbov=-10.0)
    assert loudest_dbov(loud) == pytest.approx(-13.0, abs=0.5)
    assert loudest_dbov(tone(1.0, dbov=-30.0)) == pytest.approx(-33.0, abs=0.5)
