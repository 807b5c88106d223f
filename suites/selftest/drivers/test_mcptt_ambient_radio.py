"""Ambient listening by handsets as drivers have them: opened, heard without a key, closed, refused by the interlock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from mcptt_town import mcptt_town

from harness.errors import DriverError, InterlockError
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

pytestmark = pytest.mark.virtual_time

ALIKE = 0.9
LAYOUT = {"users": [{"name": "one", "may_listen": True}, {"name": "two"}], "groups": [{"name": "GD-OPS-1"}]}


async def test_what_is_said_near_a_handset_is_heard_and_its_user_is_shown_nothing(
    speech: Callable[[str], Samples],
) -> None:
    says = speech("officer-reply")
    async with mcptt_town(LAYOUT, ("one", "two")) as town:
        one, two = town.radios
        before = town.context.journal.position
        ear = await one.listen_to("two")
        await ear.record()
        await two.speak_unkeyed(says)
        await asyncio.sleep(len(says) / SAMPLE_RATE + 0.5)
        assert correlation(says, (await ear.recorded()).samples) > ALIKE
        await one.end_listening("two")
        shown = [each for each in town.context.journal.since(before) if each.source == "two"]
        assert [each.kind for each in shown if "call_id" not in each.data] == []  # those are SIP's
        await one.expect("ambience.ended", within=0, after=before, user="two")
        with pytest.raises(DriverError, match="does not listen to"):
            await one.end_listening("two")


async def test_who_talks_on_the_group_is_heard_by_both(speech: Callable[[str], Samples]) -> None:
    says = speech("officer-reply")
    async with mcptt_town(LAYOUT, ("one", "two")) as town:
        one, two = town.radios
        for radio in (one, two):
            await radio.select("GD-OPS-1")
        ear = await one.listen_to("two")
        await two.key()
        await asyncio.gather(one.record(), ear.record())
        await two.speak(says)
        await asyncio.sleep(len(says) / SAMPLE_RATE + 0.5)
        for heard in (await one.recorded(), await ear.recorded()):
            assert correlation(says, heard.samples) > ALIKE


async def test_nothing_leaves_where_the_testbed_does_not_allow_it_and_refusals_have_the_servers_reason() -> None:
    async with mcptt_town(LAYOUT, ("one", "two")) as town:
        one, two = town.radios
        with pytest.raises(DriverError, match="user not authorised to make ambient listening calls"):
            await two.listen_to("one")
        town.refused.add("control")
        with pytest.raises(InterlockError, match="control two"):
            await one.listen_to("two")
        assert town.server.status()["private_calls"] == []
