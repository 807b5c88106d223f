"""The watch on a trunk by OPTIONS, in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from virtual_sip import Peer, network, virtually

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.flow import Hop
from harness.endpoints.sip.keepalive import KeepAlive
from harness.endpoints.sip.transports import Listen
from harness.errors import InterlockError, SipLocalError
from harness.transport.context import Context


def changes(context: Context) -> list[tuple[str, float]]:
    return [
        (event.kind, round(event.time, 1))
        for event in context.journal
        if event.kind in ("keepalive.up", "keepalive.down")
    ]


def test_a_peer_goes_down_after_so_many_failures_and_up_after_so_many_answers() -> None:
    async def work(context: Context) -> None:
        trunk, peer = await UserAgent.open(context, "trunk"), await UserAgent.open(context, "peer")
        port, seen = peer.address[1], []
        watch = KeepAlive(
            trunk,
            peer.uri,
            interval=10,
            interval_down=20,
            answer_within=2,
            down_after=2,
            up_after=3,
            on_change=lambda watch: seen.append(watch.is_up),
        )
        assert watch.is_up is None
        watch.start()
        watch.start()
        await asyncio.sleep(19)
        assert watch.is_up is None, "two answers are not three"
        await asyncio.sleep(6)
        assert (watch.is_up, watch.status, watch.answered_in) == (True, 200, pytest.approx(0.001, abs=0.0005))
        peer.endpoint.close()
        await asyncio.sleep(11)
        assert watch.is_up is True, "one failure is not two"
        await asyncio.sleep(9)
        assert (watch.is_up, watch.status, watch.answered_in) == (False, 0, None)
        again = await UserAgent.open(context, "again", local=("127.0.0.1", port))
        await asyncio.sleep(100)
        assert seen == [True, False, True]
        assert [kind for kind, _ in changes(context)] == ["keepalive.up", "keepalive.down", "keepalive.up"]
        down, up = changes(context)[1][1], changes(context)[2][1]
        assert (down, up) == (42, 100), "asked at 30 and 40, then at 60, 80 and 100"
        await watch.stop()
        await watch.stop()
        count = len(context.journal)
        await asyncio.sleep(100)
        assert len(context.journal) == count
        await again.close()
        await trunk.close()

    assert virtually(work) == virtually(work)


@pytest.mark.parametrize(
    ("status", "up"), [(200, True), (404, True), (405, True), (483, True), (500, True), (503, False), (408, False)]
)
def test_any_answer_shows_that_it_is_there_but_for_those_that_say_that_it_serves_nobody(status: int, up: bool) -> None:
    async def work(context: Context) -> None:
        trunk, peer = await UserAgent.open(context, "trunk"), await Peer.open(context)
        watch = KeepAlive(trunk, "sip:peer.example", to=peer.port.local, interval=5, down_after=1)
        watch.start()
        await asyncio.sleep(0.1)
        peer.answer(peer.requests("OPTIONS")[0], trunk, status)
        await asyncio.sleep(0.1)
        assert (watch.is_up, watch.status) == (up, status)
        await watch.stop()
        await trunk.close()
        peer.port.close()

    virtually(work)


def test_a_network_that_loses_some_does_not_take_a_trunk_down() -> None:
    async def work(context: Context) -> None:
        trunk, peer = await UserAgent.open(context, "trunk"), await UserAgent.open(context, "peer")
        network(loss=0.3)
        watch = KeepAlive(trunk, peer.uri, interval=10)
        watch.start()
        await asyncio.sleep(3_000)
        assert changes(context) == [("keepalive.up", changes(context)[0][1])]
        network()
        await watch.stop()
        await trunk.close()
        await peer.close()

    virtually(work)


def test_a_connection_that_can_t_be_made_is_down_at_once_and_the_interlock_is_asked() -> None:
    async def work(context: Context) -> None:
        trunk = await UserAgent.open(context, "trunk", listen=[Listen("TCP")])
        watch = KeepAlive(trunk, "sip:peer.example", to=Hop("TCP", "127.0.0.1", 9), down_after=1)
        watch.start()
        await asyncio.sleep(1)
        assert watch.is_up is False
        failed = context.journal.find("trunk", "keepalive.failed")
        assert failed is not None and "can't connect" in failed.data["reason"]
        await watch.stop()

        def refuse(uri: str) -> None:
            raise InterlockError(uri)

        trunk.routes.permit = refuse
        with pytest.raises(InterlockError):
            watch.start()
        for wrong in ({"interval": 0}, {"answer_within": -1}, {"down_after": 0}, {"up_after": 0}, {"interval_down": 0}):
            with pytest.raises(SipLocalError):
                KeepAlive(trunk, "sip:peer.example", **wrong)  # type: ignore[arg-type]
        await trunk.close()

    virtually(work)
