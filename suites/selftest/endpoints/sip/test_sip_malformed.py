"""What is made to be malformed is: an endpoint refuses each of it, and no call comes of any."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.protocols.sip.malformed import malformed
from harness.transport.context import Context

pytestmark = pytest.mark.virtual_time
MANY = 2_000


async def test_each_of_many_is_refused_and_counted_and_no_call_comes_of_any() -> None:
    context, came = Context.create(seed=1), list[IncomingCall]()
    agent = await UserAgent.open(context, "switch", local=("127.0.0.1", 0), user="switch", on_invite=came.append)
    odd = 0

    def count() -> None:
        nonlocal odd
        odd += 1

    agent.endpoint.notes.on_odd = count
    loop, rng = asyncio.get_running_loop(), Random(1)
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    try:
        for _ in range(MANY):
            transport.sendto(malformed(rng), agent.address)
            await asyncio.sleep(0.001)
        await asyncio.sleep(1.0)
        assert (came, odd) == ([], MANY)
        assert agent.endpoint.notes.refused == MANY
    finally:
        transport.close()
        await agent.close()
