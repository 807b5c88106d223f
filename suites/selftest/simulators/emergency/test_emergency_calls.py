"""A 999 call through the network: answered, connected, handed over, cleared, and what the control room sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from network_in_virtual_time import LANDLINE, MOBILE, town

from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip import identity
from harness.protocols.sip.emergency_call import Caller, Line, Operator, Route, What
from harness.testbed.conversation import converse

pytestmark = pytest.mark.virtual_time


async def test_a_caller_is_asked_connected_and_handed_over(speech: Callable[[str], Samples]) -> None:
    async with town() as there:
        phone = await there.phone()
        call = await phone.dial("999")
        await call.answered(within=2.0)
        await call.record()
        await asyncio.sleep(3.0)
        asked = (await call.recorded()).samples
        assert correlation(speech("operator-service"), asked) > 0.8
        await call.say(speech("caller-999"))
        room = await there.room.call()
        assert room.mark.event is What.CONNECT
        connected = await there.driver.expect("call.connected", within=10.0)
        heard = await room.hears(4.5)
        assert correlation(speech("operator-handover"), heard) > 0.8
        await there.driver.expect("operator.left", within=6.0)
        left = there.told("operator.left")[0].time - connected.time
        assert 8.5 < left < 9.2  # the hand-over's 3.8 s, and the 5 s that the operator stays
        await call.hang_up()
        await room.sip.ended(within=1.0)
        record = await there.record()
        assert (record["outcome"], record["cleared_by"], record["cli"]) == ("answered", "caller", MOBILE)
        assert record["offered"] < record["operator_answered"] < record["answered"] < record["operator_left"]
        assert [attempt["result"] for attempt in record["attempts"]] == ["answered"]
