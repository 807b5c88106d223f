"""Emergency calls from a telephone of the enterprise switch: number, place, trunks, and the call back."""

from __future__ import annotations

from typing import Any

import pytest
from switch_in_virtual_time import LINES, SPEECH, exchange, until

pytestmark = pytest.mark.virtual_time

SITE = {
    "lines": [{**LINES[0], "site": "leith", "barred": ["999", "!"]}, *LINES[1:]],
    "trunks": [
        {"name": "pstn", "peers": [{"address": "127.0.0.1:5080"}], "options": None},
        {"name": "reserve", "peers": [{"address": "127.0.0.1:5082"}], "options": None},
    ],
    "sites": [
        {
            "name": "leith",
            "elins": ["+441314960900"],
            "address": {"country": "GB", "A3": "Edinburgh", "RD": "Test Street", "HNO": "1"},
            "latitude": 55.97,
            "longitude": -3.17,
        }
    ],
    "emergency": {"trunks": ["pstn", "reserve"], "alert": ["3102"]},
}


async def test_999_goes_out_with_the_sites_number_and_place_whatever_is_barred() -> None:
    async with exchange(SITE) as there:
        _, came = await there.taker("pstn", 5080)
        front, security = await there.telephones("3101", "3102")
        await (await front.dial("999")).answered(within=5)
        request = came[0].request
        assert request.uri.user_text == "999"
        assert came[0].remote_identity.user == "+441314960900"
        assert request.get("geolocation") is not None
        assert request.get("resource-priority") == "esnet.1"
        assert b"Test Street" in request.body
        assert b"m=audio" in request.body
        await until(lambda: any(e.kind == "telephone.text" and e.source == security.name for e in there.journal))


async def test_the_reserve_trunk_takes_it_where_the_first_fails() -> None:
    async with exchange(SITE) as there:
        _, refused = await there.taker("pstn", 5080, refuses=503)
        _, came = await there.taker("reserve", 5082)
        await (await (await there.telephone("3101")).dial("112")).answered(within=10)
        assert (len(refused), len(came)) == (1, 1)


@pytest.mark.parametrize("routes", [[], [{"pattern": "\\+!", "trunks": ["pstn"]}]])
async def test_a_call_back_to_the_sites_number_reaches_the_telephone_that_called(routes: list[Any]) -> None:
    """Also where the dial plan leads every number out."""
    async with exchange({**SITE, "routes": routes}) as there:
        operator, _ = await there.taker("pstn", 5080)
        front = await there.telephone("3101")
        call = await front.dial("999")
        await call.answered(within=5)
        await call.hang_up()
        host, port = there.simulator.sip_address
        operator.invite(
            f"sip:+441314960900@{host}:{port}",
            offer=SPEECH.format(port=6080).encode(),
            caller="<sip:+441632960999@127.0.0.1>",
        )
        await front.rings()


async def test_an_emergency_call_is_put_through_by_its_urn() -> None:
    async with exchange(SITE) as there:
        _, came = await there.taker("pstn", 5080)
        front = await there.telephone("3101")
        sip = front._agent.invite(
            "urn:service:sos",
            offer=SPEECH.format(port=6090).encode(),
            caller="<sip:3101@127.0.0.1>",
            to=there.simulator.sip_address,
        )
        await sip.answered(within=5)
        assert came[0].request.uri.user_text == "999"
