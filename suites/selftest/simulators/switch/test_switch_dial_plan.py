"""The enterprise switch's dial plan: external numbers, routes, bars, forwards and the codes that telephones dial."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError
from switch_in_virtual_time import LINES, connected, exchange

from harness.errors import SipLocalError
from simulators.switch.settings import SwitchSettings

pytestmark = pytest.mark.virtual_time

TRUNK = {"name": "pstn", "peers": [{"address": "127.0.0.1:5080"}], "options": None}
OUT = {"trunks": [TRUNK], "routes": [{"pattern": "9.!", "trunks": ["pstn"], "strip_pre_dot": True}]}


async def test_a_route_cuts_the_access_digit_and_the_trunk_is_told_the_external_number() -> None:
    async with exchange(OUT) as there:
        _, came = await there.taker("pstn", 5080)
        call = await (await there.telephone("3101")).dial("901632960123")
        await call.answered(within=5)
        assert came[0].request.uri.user_text == "01632960123"
        assert came[0].remote_identity.user == "+441314960101"


async def test_an_external_number_reaches_its_line_within_the_switch() -> None:
    async with exchange() as there:
        front, back = await there.telephones("3101", "3102")
        await connected(front, back, "01314960102")


async def test_a_barred_number_is_refused_and_nothing_leaves() -> None:
    lines = [{**LINES[0], "barred": ["901632!"]}]
    async with exchange({**OUT, "lines": lines}) as there:
        _, came = await there.taker("pstn", 5080)
        front = await there.telephone("3101")
        with pytest.raises(SipLocalError, match="403"):
            await (await front.dial("901632960123")).answered(within=5)
        assert came == []
        await (await front.dial("901414960123")).answered(within=5)


async def test_all_calls_are_forwarded_by_a_code_and_its_counterpart_ends_that() -> None:
    async with exchange() as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        code = await back.dial("*21*3103#")
        await code.answered(within=5)
        await code.ended(within=5)
        assert there.switch.line("3102").forwards["all"] == "3103"
        await front.dial("3102")
        rung = await third.rings()
        assert "3102" in str(rung.sip.request.get("diversion"))
        cancel = await back.dial("#21#")
        await cancel.ended(within=5)
        await front.dial("3102")
        await back.rings()


async def test_a_busy_line_is_forwarded_where_it_says() -> None:
    lines = [*LINES[:1], {**LINES[1], "max_calls": 1, "forward": {"busy": "3104"}}, *LINES[2:]]
    async with exchange({"lines": lines}) as there:
        front, back, third, fourth = await there.telephones("3101", "3102", "3103", "3104")
        await connected(front, back)
        await connected(third, fourth, "3102")


async def test_forwards_in_a_circle_are_refused() -> None:
    lines = [LINES[2], {**LINES[0], "forward": {"all": "3102"}}, {**LINES[1], "forward": {"all": "3101"}}]
    async with exchange({"lines": lines}) as there:
        third = await there.telephone("3103")
        with pytest.raises(SipLocalError, match="482"):
            await (await third.dial("3101")).answered(within=5)


async def test_a_line_that_is_not_to_be_disturbed_is_busy() -> None:
    async with exchange() as there:
        front, _ = await there.telephones("3101", "3102")
        there.switch.set_line("3102", do_not_disturb=True)
        with pytest.raises(SipLocalError, match="486"):
            await (await front.dial("3102")).answered(within=5)


async def test_an_intercom_call_is_answered_by_the_telephone_itself() -> None:
    async with exchange() as there:
        front, _ = await there.telephones("3101", "3102")
        await (await front.dial("*803102")).answered(within=2)


async def test_a_telephone_sends_a_call_elsewhere() -> None:
    async with exchange() as there:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call = await front.dial("3102")
        (await back.rings()).deflect("3103")
        await (await third.rings()).answer()
        await call.answered(within=5)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ({"lines": [*LINES, LINES[0]]}, "3101 is given twice"),
        ({"routes": [{"pattern": "9.!", "trunks": ["nowhere"]}]}, "no trunk 'nowhere'"),
        ({"hunt_groups": [{"number": "3200", "members": ["3999"]}]}, "no line '3999'"),
        ({"session_expires_s": 30}, "90 at least"),
    ],
)
def test_settings_that_do_not_fit_are_refused_with_the_reason(layout: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        SwitchSettings.model_validate({"lines": LINES, **layout})
