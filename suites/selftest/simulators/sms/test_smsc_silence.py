"""What the service centre does with a client that says nothing, over the virtual network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from harness.protocols.smpp import pdu as pdus
from harness.protocols.smpp.codes import Command
from harness.protocols.smpp.pdu import Pdu, PduStream
from harness.transport.context import Context
from harness.transport.stream import StreamConnection, connect_stream
from simulators.sms.network import SmsNetwork
from simulators.sms.settings import SmsSettings
from simulators.sms.smsc import ENQUIRE_S, IDLE_S, SmppCentre

pytestmark = pytest.mark.virtual_time
SETTINGS = SmsSettings.model_validate(
    {"accounts": [{"system_id": "x", "password": "secret", "numbers": ["+447700900001"]}]}
)


class Client:
    """One end of a connection, which answers enquire_link or does not."""

    def __init__(self, *, answers: bool) -> None:
        self.answers = answers
        self.got: list[Command] = []
        self.lost_at: float | None = None
        self._stream = PduStream()

    def opened(self, connection: StreamConnection) -> None:
        bind = {"system_id": "x", "password": "secret", "interface_version": 0x34}
        connection.send(Pdu(Command.BIND_TRANSCEIVER, 1, fields=bind).write())

    def received(self, connection: StreamConnection, data: bytes) -> None:
        self._stream.push(data)
        while (unit := self._stream.take()) is not None:
            read = pdus.read(unit)
            self.got.append(Command(read.command))
            if read.command == Command.ENQUIRE_LINK and self.answers:
                connection.send(read.answer().write())

    def lost(self, connection: StreamConnection, why: str) -> None:
        self.lost_at = asyncio.get_running_loop().time()


@pytest.fixture
async def centre() -> AsyncIterator[SmppCentre]:
    """A service centre with one account."""
    context = Context.create(seed=1)
    centre = SmppCentre(context, "sms", SETTINGS, SmsNetwork(context, "sms", SETTINGS, 1_767_225_600.0))
    await centre.start("127.0.0.1", 0)
    yield centre
    centre.stop()


async def test_a_client_that_only_listens_is_asked_and_kept(centre: SmppCentre) -> None:
    # SMPP 3.4 section 4.11: either side may ask, and section 7.2 has a timer for both.
    client = Client(answers=True)
    connection = await connect_stream(centre.address, client, tap=centre.context.tap)
    await asyncio.sleep(IDLE_S * 4)
    assert client.got[0] is Command.BIND_TRANSCEIVER_RESP
    assert client.got[1:] == [Command.ENQUIRE_LINK] * int(IDLE_S * 4 / ENQUIRE_S - 0.5)
    assert client.lost_at is None
    connection.close()


async def test_one_that_does_not_answer_is_left(centre: SmppCentre) -> None:
    client = Client(answers=False)
    began = asyncio.get_running_loop().time()
    await connect_stream(centre.address, client, tap=centre.context.tap)
    await asyncio.sleep(IDLE_S + 1)
    assert client.got.count(Command.ENQUIRE_LINK) == int(IDLE_S / ENQUIRE_S) - 1
    assert client.got[-1] is Command.UNBIND
    assert client.lost_at is not None
    assert client.lost_at - began == pytest.approx(IDLE_S, abs=0.5)
