"""Calls with one radio, placed at a console: they connect, both are heard, and both sides are recorded."""

from __future__ import annotations

import asyncio

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.private_caller import PrivateCaller
from harness.drivers.talking_radio import Ability
from harness.measure.correlate import correlation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import LEAST_CORRELATION, Microphone, converse
from harness.testbed.desk_party import DeskParty

SOON_S = 5.0


@requirement("NICCS-RAD-020")
@in_each_technology(Ability.CALLS_FROM_CONSOLES)
@pytest.mark.waits
async def test_a_private_call_connects_and_is_recorded(bench: Bench, desks: DeskParty) -> None:
    """The officer answers; each hears the other; the recording has on each channel what that one said."""
    dispatcher, officer = await desks.dispatcher(), await desks.radio(desks.talkgroups[0])
    assert isinstance(officer, PrivateCaller)
    said = {"radio": read_clip("officer-reply"), "position": read_clip("dispatch")}
    call = await dispatcher.call_radio(bench.console_id(officer.name))
    assert await officer.answer(within=SOON_S) == desks.calls_as
    await dispatcher.expect("radio_call.connected", within=SOON_S, radio_call=call)
    await converse(Microphone(officer), dispatcher.headset, said["radio"])
    await converse(dispatcher, officer, said["position"])
    await dispatcher.clear_radio_call()
    ended = await dispatcher.expect("radio_call.ended", within=SOON_S, radio_call=call)
    await officer.expect("call.ended", within=SOON_S)
    recording = await dispatcher.recording(str(ended.data["recording"]))
    for who, clip in said.items():
        likeness = correlation(clip, recording[who])
        assert likeness > LEAST_CORRELATION, f"what the {who} said is not in the recording: likeness {likeness:.2f}"
        other = next(each for each in said if each != who)
        assert correlation(clip, recording[other]) < LEAST_CORRELATION, f"the {other}'s channel has the {who}'s speech"


@requirement("NICCS-RAD-020")
@in_each_technology(Ability.CALLS_FROM_CONSOLES)
@pytest.mark.waits
async def test_an_officer_who_hangs_up_ends_the_call_at_the_console_which_is_free_again(
    bench: Bench, desks: DeskParty
) -> None:
    """And a radio that is not there fails the next call with the network's reason."""
    dispatcher, officer = await desks.dispatcher(), await desks.radio(desks.talkgroups[0])
    assert isinstance(officer, PrivateCaller)
    radio = bench.console_id(officer.name)
    await dispatcher.call_radio(radio)
    await officer.answer(within=SOON_S)
    connected = await dispatcher.expect("radio_call.connected", within=SOON_S)
    await asyncio.sleep(1.0)
    await officer.hang_up()
    await dispatcher.expect("radio_call.ended", within=SOON_S, radio_call=connected.data["radio_call"])
    after = bench.journal.position
    call = await dispatcher.call_radio(f"sip:nobody@{radio.partition('@')[2]}" if isinstance(radio, str) else 4_000_999)
    await dispatcher.expect("radio_call.failed", within=SOON_S, after=after, radio_call=call)
