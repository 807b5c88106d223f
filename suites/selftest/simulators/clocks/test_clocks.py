"""Simulated clocks told by SNTP and read by our driver: set wrong, silent, refusing, forged, unsure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from harness.drivers.clocks import NodeClocks
from harness.endpoints.control_link import ControlClient
from harness.endpoints.sntp import ask_clock
from harness.endpoints.sntp.question import ANSWERS_WITHIN_S
from harness.errors import DriverError, LocalError, NotPlayedError, SntpLocalError
from harness.measure.clocks import skews
from harness.protocols import sntp
from harness.protocols.sntp import Packet, Sample
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.udp import UdpPort, open_udp
from simulators.calendar import clock_of
from simulators.clocks.room import ClockRoom

pytestmark = pytest.mark.virtual_time
Answer = Callable[[Packet], list[bytes]]


@pytest_asyncio.fixture
async def context() -> Context:
    return Context.create(seed=1)


@pytest_asyncio.fixture
async def clocks(context: Context) -> AsyncIterator[NodeClocks]:
    right = clock_of(context.journal, virtual=True)
    room = await ClockRoom.start(context, right)
    nodes = {name: ("127.0.0.1", (await room.add(name)).port) for name in ("iccs", "radio", "storm")}
    driver = NodeClocks(context, right, nodes, ControlClient("clocks", room.control_url, None))
    yield driver
    await driver.close()
    await room.stop()


async def served(context: Context, answer: Answer) -> UdpPort:
    """A server that says what it is told to."""

    def asked(data: bytes, source: Address) -> None:
        for each in answer(sntp.decode(data)):
            port.send(each, source)

    port = await open_udp(("127.0.0.1", 0), asked, tap=context.tap)
    return port


async def test_a_clock_set_wrong_is_read_as_wrong_as_it_is(clocks: NodeClocks) -> None:
    for wrong_ms in (0.0, 250.0, -250.0, 86_400_000.0):
        await clocks.set_skew("radio", wrong_ms)
        found = await clocks.read_all()
        for name, due in (("radio", wrong_ms), ("iccs", 0.0), ("storm", 0.0)):
            assert abs(found[name].offset_s * 1000 - due) <= found[name].uncertainty_s * 1000 + 0.01
            assert found[name].uncertainty_s < 0.005


async def test_clocks_are_held_against_the_one_that_is_named(clocks: NodeClocks) -> None:
    """A reference that is wrong itself makes all others wrong the other way."""
    await clocks.set_skew("storm", 100.0)
    found = skews(await clocks.read_all(), reference="storm")
    assert [each.node for each in found] in (["iccs", "radio"], ["radio", "iccs"])
    assert all(abs(each.skew_ms + 100.0) <= each.uncertainty_ms for each in found)
    assert found[0].told().endswith("behind")
    with pytest.raises(LocalError, match="'nobody' was not read"):
        skews(await clocks.read_all(), reference="nobody")


async def test_a_node_that_there_is_not_is_named(clocks: NodeClocks) -> None:
    with pytest.raises(DriverError, match="nobody tells no time; these do: iccs, radio, storm"):
        await clocks.read("nobody")
    with pytest.raises(DriverError, match="no node 'nobody'"):
        await clocks.set_skew("nobody", 1.0)
    with pytest.raises(DriverError, match="422"):
        await clocks.set_skew("iccs", 1e12)


async def test_a_clock_that_says_nothing_is_said_to(context: Context) -> None:
    port = await served(context, lambda _asked: [])
    driver = NodeClocks(context, lambda: 0.0, {"mute": port.local}, None)
    began = context.journal.now()
    with pytest.raises(DriverError, match="mute: no time from"):
        await driver.read("mute")
    assert context.journal.now() - began < 2 * ANSWERS_WITHIN_S, "a silent clock is asked again and again"
    assert context.journal.find("mute", "clock.silent") is not None
    with pytest.raises(NotPlayedError, match="only simulated clocks can be set"):
        await driver.set_skew("mute", 1.0)
    port.close()


async def test_what_is_wrong_with_an_answer_is_told(context: Context) -> None:
    port = await served(context, lambda asked: [Packet(4, origin=asked.transmit, reference_id=b"DENY").encode()])
    with pytest.raises(SntpLocalError, match="what came: the server refuses to tell its time: kiss-o'-death DENY"):
        await ask_clock(context, port.local, lambda: 0.0)
    port.close()


async def test_forged_and_broken_answers_do_not_end_the_wait(context: Context) -> None:
    """Rubbish and an answer to another question come first: the right one counts, whoever is quicker."""
    now = clock_of(context.journal, virtual=True)

    def answer(asked: Packet) -> list[bytes]:
        right = sntp.answer(asked, received=now(), sent=now(), stratum=2, reference_id=b"TEST")
        forged = Packet(4, stratum=2, origin=asked.transmit ^ 1, receive=1, transmit=1)
        return [b"\x24", forged.encode(), right.encode()]

    port = await served(context, answer)
    found = await ask_clock(context, port.local, now)
    assert abs(found.offset_s) <= found.uncertainty_s
    port.close()


async def test_the_responder_answers_questions_only(context: Context, clocks: NodeClocks) -> None:
    """An answer, a broadcast and a cut packet get nothing back: two responders can't be set on each other."""
    address = clocks._nodes["iccs"]
    came: list[bytes] = []
    port = await open_udp(("127.0.0.1", 0), lambda data, _source: came.append(data), tap=context.tap)
    for data in (Packet(4).encode(), Packet(5).encode(), Packet(3).encode()[:47], b""):
        port.send(data, address)
    await asyncio.sleep(1)
    assert came == []
    port.send(Packet(3, version=3, transmit=7).encode(), address)
    await asyncio.sleep(1)
    [told] = came
    assert (sntp.decode(told).version, sntp.decode(told).origin) == (3, 7)
    assert len(told) == sntp.LENGTH
    port.close()


def test_what_is_not_known_counts_against_a_clock() -> None:
    read = {"unsure": Sample(0.09, 0.04, 0.02, 3, True), "wrong": Sample(-0.25, 0.002, 0.001, 3, True)}
    wrong, unsure = skews(read)
    assert (wrong.node, round(wrong.least_ms), round(wrong.worst_ms)) == ("wrong", 249, 251)
    assert (round(unsure.least_ms), round(unsure.worst_ms)) == (70, 110)
    assert wrong.told() == "wrong 250.0 ± 1.0 ms behind"
