"""Calls of two from radio to radio, on TETRA and MCPTT, half and full duplex: both are heard, and nobody else hears."""

from __future__ import annotations

import asyncio

import pytest

from harness.drivers.private_caller import PrivateCaller
from harness.drivers.talking_radio import Ability
from harness.measure.correlate import correlation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import Microphone, converse
from harness.testbed.radio_party import RadioParty

ANSWERED_S = 10.0
STRANGE = 0.3
"""Likeness from which what somebody hears may be what was said."""


@requirement("NICCS-RAD-020")
@pytest.mark.waits
@pytest.mark.parametrize("duplex", [pytest.param(False, id="in turn"), pytest.param(True, id="at once")])
async def test_one_radio_calls_another_alone(bench: Bench, radios: RadioParty, duplex: bool) -> None:
    """The called answers and is heard, and hears the caller; a third radio hears nothing of it; the called hangs up.

    The recording is the control room's: `test_radio_calls.py`.
    """
    radios.needs(Ability.PRIVATE_CALLS)
    caller, called, third = await radios.talker(), await radios.listener(), await radios.third()
    assert isinstance(caller, PrivateCaller)
    assert isinstance(called, PrivateCaller)
    says, replies = read_clip("dispatch"), read_clip("officer-reply")
    after = bench.journal.position
    await asyncio.gather(called.answer(within=ANSWERED_S), caller.call(bench.radio_id(called.name), duplex=duplex))
    await called.expect("call.connected", within=1.0, after=after)
    await third.record()
    await converse(Microphone(caller), called, says)
    if not duplex:
        await caller.unkey_private()
        await called.key_private()
    await converse(Microphone(called), caller, replies)
    heard = (await third.recorded()).samples
    assert max(correlation(clip, heard) for clip in (says, replies)) < STRANGE, f"{third.name} hears the call of two"
    await called.hang_up()
    await caller.expect("call.ended", within=1.0, after=after)
    assert not [event for event in bench.journal if event.seq > after and event.source == third.name]
