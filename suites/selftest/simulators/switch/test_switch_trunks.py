"""The enterprise switch's trunks: watched by OPTIONS, failed over after 503 and silence, and called from outside."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from switch_in_virtual_time import SPEECH, exchange, until

from harness.errors import SipLocalError

pytestmark = pytest.mark.virtual_time


def layout(options: dict[str, Any] | None = None, **trunk: Any) -> dict[str, Any]:
    peers = [{"address": "127.0.0.1:5080"}, {"address": "127.0.0.1:5082", "priority": 2}]
    return {
        "trunks": [{"name": "pstn", "peers": peers, "options": options, **trunk}],
        "routes": [{"pattern": "9.!", "trunks": ["pstn"], "strip_pre_dot": True}],
    }


WATCHED = {"interval_s": 5, "interval_down_s": 2, "answer_s": 1, "down_after": 2}


async def test_a_peer_that_does_not_answer_options_is_down_and_the_next_has_the_call() -> None:
    async with exchange(layout(WATCHED)) as there:
        second, came = await there.taker("second", 5082)
        await until(lambda: [peer["state"] for peer in there.switch.trunks()[0]["peers"]] == ["down", "up"], within=30)
        front = await there.telephone("3101")
        began = there.journal.now()
        await (await front.dial("901632960123")).answered(within=2)
        assert there.journal.now() - began < 1, "the dead peer must not be tried"
        assert len(came) == 1
        first, first_came = await there.taker("first", 5080)
        await until(lambda: there.switch.trunks()[0]["peers"][0]["state"] == "up", within=10)
        await (await front.dial("901632960124")).answered(within=2)
        assert len(first_came) == 1
        assert first.address != second.address


async def test_after_503_the_next_peer_has_the_call_and_the_first_is_passed_over() -> None:
    async with exchange(layout()) as there:
        _, refused = await there.taker("first", 5080, refuses=503)
        _, came = await there.taker("second", 5082)
        front = await there.telephone("3101")
        await (await front.dial("901632960123")).answered(within=5)
        assert (len(refused), len(came)) == (1, 1)
        await (await front.dial("901632960124")).answered(within=5)
        assert (len(refused), len(came)) == (1, 2)
        await asyncio.sleep(31)
        await (await front.dial("901632960125")).answered(within=5)
        assert (len(refused), len(came)) == (2, 3)


async def test_after_silence_the_next_peer_has_the_call() -> None:
    async with exchange(layout(first_answer_s=2)) as there:
        _, came = await there.taker("second", 5082)
        began = there.journal.now()
        call = await (await there.telephone("3101")).dial("901632960123")
        await call.answered(within=10)
        assert there.journal.now() - began == pytest.approx(2, abs=0.5)
        assert len(came) == 1


async def test_a_busy_number_is_busy_and_the_next_peer_is_not_tried() -> None:
    async with exchange(layout()) as there:
        await there.taker("first", 5080, refuses=486)
        _, came = await there.taker("second", 5082)
        with pytest.raises(SipLocalError, match="486"):
            await (await (await there.telephone("3101")).dial("901632960123")).answered(within=5)
        assert came == []


async def test_a_caller_is_told_503_where_no_peer_serves() -> None:
    async with exchange(layout()) as there:
        await there.taker("first", 5080, refuses=503)
        await there.taker("second", 5082, refuses=503)
        with pytest.raises(SipLocalError, match="503"):
            await (await (await there.telephone("3101")).dial("901632960123")).answered(within=5)


async def test_a_call_from_a_trunk_reaches_the_line_by_its_external_number_and_needs_no_password() -> None:
    async with exchange(layout()) as there:
        front = await there.telephone("3101")
        peer, _ = await there.taker("first", 5080)
        host, port = there.simulator.sip_address
        sip = peer.invite(
            f"sip:+441314960101@{host}:{port}",
            offer=SPEECH.format(port=6080).encode(),
            caller="<sip:+441632960123@127.0.0.1>",
        )
        rung = await front.rings()
        assert rung.number == "+441632960123"
        await rung.answer()
        await sip.answered(within=5)


async def test_what_comes_by_a_trunk_does_not_leave_by_it_again() -> None:
    async with exchange(layout()) as there:
        peer, came = await there.taker("first", 5080)
        host, port = there.simulator.sip_address
        sip = peer.invite(f"sip:901632960123@{host}:{port}", offer=b"", caller="<sip:+441632960124@127.0.0.1>")
        with pytest.raises(SipLocalError, match="403"):
            await sip.answered(within=5)
        assert came == []


async def test_a_trunk_that_a_test_lets_fail_is_out_of_service_both_ways_until_it_is_mended() -> None:
    async with exchange(layout()) as there:
        peer, came = await there.taker("first", 5080)
        front = await there.telephone("3101")
        host, port = there.simulator.sip_address
        await there.switch.fail_trunk("pstn", "refusing")
        assert (await peer.options(f"sip:{host}:{port}")).status == 503
        with pytest.raises(SipLocalError, match="503"):
            await (await front.dial("901632960123")).answered(within=5)
        assert came == []
        await there.switch.fail_trunk("pstn", None)
        await (await front.dial("901632960123")).answered(within=5)
        assert (await peer.options(f"sip:{host}:{port}")).status == 200


async def test_a_delayed_offer_is_answered_in_the_ack() -> None:
    async with exchange(layout(offer="delayed")) as there:
        _, came = await there.taker("first", 5080)
        await (await (await there.telephone("3101")).dial("901632960123")).answered(within=5)
        assert not came[0].offered
        await until(lambda: b"m=audio" in came[0].remote_sdp, within=2)
