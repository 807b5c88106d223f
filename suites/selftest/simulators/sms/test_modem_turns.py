"""What a network has for its modem comes one message at a time, as on the air, in virtual time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from harness.protocols.gsm.address import Address
from harness.protocols.gsm.parts import split
from harness.protocols.gsm.pdu import Deliver, StatusReport
from harness.transport.context import Context
from simulators.sms.modem import BETWEEN_S, ModemSubscriber
from simulators.sms.network import SmsNetwork
from simulators.sms.settings import SmsSettings

pytestmark = pytest.mark.virtual_time
CITIZEN = Address.of("+447700900123")


@pytest.fixture
async def network() -> Iterator[SmsNetwork]:  # type: ignore[misc]
    """A network without handsets."""
    network = SmsNetwork(Context.create(seed=1), "sms", SmsSettings(retry_s=1), 1_767_225_600.0)
    yield network
    network.stop()


@pytest.fixture
async def handed(network: SmsNetwork, monkeypatch: pytest.MonkeyPatch) -> tuple[ModemSubscriber, list[float]]:
    """A modem, and the moments at which it was handed a message."""
    subscriber = ModemSubscriber(Context.create(seed=1), "sms", SmsSettings(), network)
    at: list[float] = []
    deliver = subscriber.modem.deliver

    def noted(token: int, message: Deliver | StatusReport) -> None:
        at.append(asyncio.get_running_loop().time())
        deliver(token, message)

    monkeypatch.setattr(subscriber.modem, "deliver", noted)
    return subscriber, at


async def test_messages_come_one_by_one(network: SmsNetwork, handed: tuple[ModemSubscriber, list[float]]) -> None:
    subscriber, at = handed
    for content in split("a long text " * 50, 7):
        network.submit(CITIZEN, Address.of(subscriber.number), content)
    await asyncio.sleep(5)
    assert len(at) == 4
    assert min(later - before for before, later in itertools.pairwise(at)) >= BETWEEN_S * 0.999
    assert network.status()["en_route"] == 0
    subscriber.close()


async def test_the_next_one_waits_for_the_acknowledgement_of_the_one_before(
    network: SmsNetwork, handed: tuple[ModemSubscriber, list[float]]
) -> None:
    subscriber, at = handed
    subscriber.modem.machine.receive(b"AT+CSMS=1;+CNMI=2,2\r")
    for content in split("a long text " * 20, 7):
        network.submit(CITIZEN, Address.of(subscriber.number), content)
    await asyncio.sleep(5)
    assert len(at) == 1
    subscriber.modem._take(b"AT+CNMA\r", by_tcp=False)
    await asyncio.sleep(BETWEEN_S * 2)
    assert len(at) == 2
    subscriber.modem._take(b"AT+CNMA\r", by_tcp=False)
    assert network.status()["en_route"] == 0
    subscriber.close()


async def test_what_a_modem_does_not_take_holds_nothing_up(
    network: SmsNetwork, handed: tuple[ModemSubscriber, list[float]]
) -> None:
    subscriber, at = handed
    subscriber.register(registered=False, signal=None)
    for _ in range(3):
        network.submit(CITIZEN, Address.of(subscriber.number), split("x", 7)[0])
    await asyncio.sleep(0.5)
    assert len(at) == 3, "each was tried within one round"
    subscriber.register(registered=True, signal=None)
    await asyncio.sleep(2)
    assert (len(at), network.status()["en_route"]) == (6, 0)
    subscriber.close()
