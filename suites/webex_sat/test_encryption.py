"""Whether speech and signalling are encrypted, as the capture shows: not what the telephones say of themselves."""

from __future__ import annotations

import asyncio

import pytest

from harness.drivers.telephone import Telephone
from harness.drivers.telephone_call import TelephoneCall
from harness.errors import ExpectationError
from harness.measure.correlate import correlation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.wire_secrecy import PAYLOAD, is_secret, on_the_wire

pytestmark = pytest.mark.testbed("webex-calling")

SAID = "caller-999"
LIKE = 0.8
"""Correlation of what was said with what is read in the clear."""


async def talk(caller: Telephone, called: Telephone) -> TelephoneCall:
    """One call with a clip said into it, and over."""
    call = await caller.dial(called.number)
    rung = await called.rings()
    await rung.answer()
    await call.answered(within=5)
    await call.say(read_clip(SAID))
    await call.said()
    await asyncio.sleep(0.2)
    await call.hang_up()
    await rung.ended(within=2)
    return call


@pytest.mark.robot_too
@requirement("WBX-021")
async def test_speech_is_srtp_and_signalling_tls_in_the_capture(bench: Bench) -> None:
    desk, secure = await bench.telephone("desk-phone"), await bench.telephone("secure-phone")
    await talk(desk, secure)
    is_secret(bench, desk, secure, read_clip(SAID))


async def test_a_call_in_the_clear_is_found_out_by_the_same_look(bench: Bench) -> None:
    """Otherwise the look would prove nothing."""
    operator, colleague = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
    call = await talk(operator, colleague)
    found = on_the_wire(bench, operator, colleague)
    assert found.lengths == {PAYLOAD} and not call.is_secured
    assert correlation(read_clip(SAID), found.speech) > LIKE
    with pytest.raises(ExpectationError) as told:
        is_secret(bench, operator, colleague, read_clip(SAID))
    for finding in ("payloads of [160] octets", "hears the call", "messages crossed in the clear", "no INVITE"):
        assert finding in str(told.value)
