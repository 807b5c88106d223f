"""Hold at the enterprise switch: music for whoever is held, silence for the holder, speech again afterwards."""

from __future__ import annotations

import asyncio

import pytest
from switch_in_virtual_time import ALIKE, OTHER, clip, connected, exchange, speak

from harness.measure.correlate import correlation
from simulators.switch.sounds import tune

pytestmark = pytest.mark.virtual_time


async def test_who_is_held_hears_music_and_not_the_holder_and_both_speak_again_afterwards() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        call, rung = await connected(front, back)
        await rung.hold()
        await asyncio.sleep(0.2)
        assert sorted(str(party.state) for party in there.switch.parties()) == ["held", "remote_held"]
        await call.record()
        await rung.record()
        said = clip(61)
        await call.say(said)
        await rung.say(clip(62))
        await asyncio.sleep(9)
        heard = (await call.recorded()).samples
        assert correlation(tune()[:8_000], heard) > ALIKE
        assert correlation(clip(62), heard) < OTHER
        assert correlation(said, (await rung.recorded()).samples) < OTHER
        await rung.resume()
        await asyncio.sleep(0.2)
        await speak(call, rung)


async def test_the_control_interface_holds_and_resumes() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        call, rung = await connected(front, back)
        party = there.switch.parties("3101")[0].id
        await there.switch.hold(party)
        await asyncio.sleep(0.2)
        await rung.record()
        await asyncio.sleep(9)
        assert correlation(tune()[:8_000], (await rung.recorded()).samples) > ALIKE
        there.switch.resume(party)
        await asyncio.sleep(0.2)
        await speak(call, rung)


async def test_keys_reach_the_other_end() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        call, rung = await connected(front, back)
        await call.send_dtmf("1#")
        await asyncio.sleep(1)
        await call.send_dtmf("9", by_info=True)
        await asyncio.sleep(1)
        digits = [event.data["digit"] for event in there.journal if event.kind == "dtmf.received"]
        assert digits == ["1", "#", "9"]
        assert rung.is_over is False
