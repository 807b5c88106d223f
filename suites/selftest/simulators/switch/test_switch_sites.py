"""Survivable sites of the enterprise switch: telephones go to their gateway when the centre is out of reach."""

from __future__ import annotations

import asyncio

import pytest
from switch_in_virtual_time import LINES, Exchange, connected, exchange, speak, until

from harness.drivers.telephone import Telephone
from harness.errors import SipLocalError

pytestmark = pytest.mark.virtual_time

SITE = {
    "lines": [{**LINES[0], "site": "leith"}, {**LINES[1], "site": "leith"}, *LINES[2:]],
    "sites": [
        {
            "name": "leith",
            "survivable": {
                "trunks": [{"name": "leith-pstn", "peers": [{"address": "127.0.0.1:5080"}], "options": None}]
            },
        }
    ],
    "emergency": {"trunks": []},
}


async def _cut_off(there: Exchange) -> tuple[Telephone, Telephone]:
    homes = [there.simulator.sip_address, there.simulator.survivable_addresses()["leith"]]
    front, back = [await there.telephone(number, homes=homes, expires=20, lamp=False) for number in ("3101", "3102")]
    assert front.home == homes[0]
    await there.switch.cut_site("leith", cut=True)
    await until(lambda: front.home == homes[1] and back.home == homes[1], within=40)
    return front, back


async def test_telephones_of_a_site_that_is_cut_off_call_each_other_by_the_gateway() -> None:
    async with exchange(SITE) as there:
        front, back = await _cut_off(there)
        call, rung = await connected(front, back)
        await speak(call, rung)
        assert there.told("call.arrived")[-1].source.startswith("switch leith")


async def test_a_site_that_is_cut_off_calls_out_and_999_by_its_own_trunk() -> None:
    async with exchange(SITE) as there:
        _, came = await there.taker("leith-pstn", 5080)
        front, _ = await _cut_off(there)
        await (await front.dial("01632960123")).answered(within=5)
        await (await front.dial("999")).answered(within=5)
        assert [call.request.uri.user_text for call in came] == ["01632960123", "999"]


async def test_the_centre_does_not_reach_who_is_cut_off() -> None:
    async with exchange(SITE) as there:
        third = await there.telephone("3103")
        await _cut_off(there)
        await asyncio.sleep(30)
        with pytest.raises(SipLocalError):
            await (await third.dial("3101")).answered(within=40)


async def test_telephones_go_home_when_the_wire_is_mended() -> None:
    async with exchange(SITE) as there:
        third = await there.telephone("3103")
        front, _ = await _cut_off(there)
        await there.switch.cut_site("leith", cut=False)
        await until(lambda: front.home == there.simulator.sip_address, within=40)
        call, rung = await connected(third, front, "3101")
        await speak(call, rung)
