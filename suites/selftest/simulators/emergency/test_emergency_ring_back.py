"""Ring-backs: a control room dials a caller's number on the trunk, and that telephone rings (TEL-015, TEL-018)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from network_in_virtual_time import LANDLINE, MOBILE, Town, town

from harness.endpoints.call_media import CallMedia
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.errors import SipLocalError
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import Samples
from harness.protocols.rtp.text import shown
from harness.protocols.sip.emergency_call import Mark, What

pytestmark = pytest.mark.virtual_time
OURS = "+441414960100"


class Call:
    """A control room's call to a caller."""

    def __init__(self, sip: OutgoingCall, media: CallMedia) -> None:
        self.sip, self.media = sip, media

    async def answered(self) -> None:
        """Wait for the caller to answer."""
        await self.sip.answered(within=10.0)
        self.media.take_answer(self.sip.remote_sdp)
        await self.media.join()


async def rings(
    there: Town, number: str = MOBILE, *, text: bool = False, headers: tuple[tuple[str, str], ...] = ()
) -> Call:
    """Dial a number on the trunk, as a control room does."""
    media = await CallMedia.open(there.media, f"ring-back {there.journal.position}", host="127.0.0.1", text=text)
    host, port = there.network.trunk_address
    sip = there.room.agent.invite(
        f"sip:{number}@{host}:{port}",
        offer=media.offer(),
        caller=f"<sip:{OURS}@127.0.0.1>",
        headers=[("P-Asserted-Identity", f"<sip:{OURS}@127.0.0.1>"), ("Priority", "psap-callback"), *headers],
    )
    return Call(sip, media)


@pytest.mark.parametrize("dialled", [MOBILE, "07700900123"])
async def test_the_callers_telephone_rings_and_both_speak(speech: Callable[[str], Samples], dialled: str) -> None:
    async with town() as there:
        phone = await there.phone()
        call = await rings(there, dialled)
        await call.sip.ringing(within=1.0)
        rung = await phone.expect("phone.rings", within=1.0)
        assert rung.data["cli"] == OURS
        answer = await phone.pick_up()
        await call.answered()
        await answer.record()
        await call.media.port.record()
        await call.media.port.play(speech("call-taker"))
        await answer.say(speech("caller-999"))
        await asyncio.sleep(5.0)
        assert correlation(speech("call-taker"), (await answer.recorded()).samples) > 0.8
        assert correlation(speech("caller-999"), (await call.media.port.recorded()).samples) > 0.8
        await answer.press("7")
        await asyncio.sleep(0.5)
        assert there.journal.find(call.media.port.name, "dtmf.received", digit="7") is not None
        call.sip.hang_up()
        await answer.ended(within=1.0)
        record = await there.record()
        assert (record["kind"], record["outcome"], record["cleared_by"]) == ("ring-back", "answered", "control-room")


async def test_a_telephone_that_never_registered_is_found_by_its_last_call() -> None:
    async with town() as there:
        agent = await UserAgent.open(there.context, "softphone", user="softphone")
        there.stack.push_async_callback(agent.close)
        port = await there.media.open_port("softphone media")
        from harness.protocols import sdp  # noqa: PLC0415

        host, number = there.network.caller_address
        sip = agent.invite(f"sip:999@{host}:{number}", offer=sdp.offer(*port.address), caller=f"<sip:{MOBILE}@here>")
        await sip.ringing(within=1.0)
        sip.hang_up()
        rung: list[Any] = []
        agent.on_invite = rung.append
        await rings(there)
        await asyncio.sleep(0.1)
        assert len(rung) == 1


async def test_a_ring_back_belongs_to_the_call_that_it_answers() -> None:
    async with town() as there:
        phone = await there.phone()
        call = await there.speaks(phone)
        room = await there.room.call()
        await there.driver.expect("call.connected", within=10.0)
        await call.hang_up()
        await room.sip.ended(within=1.0)
        mark = Mark(room.mark.call, event=What.RING_BACK)
        back = await rings(there, headers=(mark.header(),))
        await phone.pick_up()
        await back.answered()
        record = await there.record("em-2")
        assert record["ring_back_of"] == "em-1"
        assert record["uuid"] == (await there.record())["uuid"]


async def test_an_abandoned_caller_is_rung_back_and_named_by_the_number_alone() -> None:
    async with town({"operators": {"automatic": 0}}) as there:
        phone = await there.phone()
        call = await phone.dial()
        await call.ringing(within=1.0)
        await call.hang_up()
        await there.driver.expect("call.ended", within=1.0)
        await rings(there)
        await phone.expect("phone.rings", within=1.0)
        assert (await there.record("em-2"))["ring_back_of"] == "em-1"


@pytest.mark.parametrize("status", [486, 480, 603])
async def test_what_the_telephone_says_comes_through(status: int) -> None:
    async with town() as there:
        phone = await there.phone()
        call = await rings(there)
        await phone.expect("phone.rings", within=1.0)
        phone.refuse(status)
        with pytest.raises(SipLocalError, match=str(status)):
            await call.sip.answered(within=1.0)
        assert (await there.record())["outcome"] == "no-answer"


async def test_a_number_that_nobody_has_gets_404_and_one_that_went_away_480() -> None:
    async with town() as there:
        for number in ("+447700900999", "999", "govan"):
            with pytest.raises(SipLocalError, match="404"):
                await (await rings(there, number)).sip.answered(within=1.0)
        phone = await there.phone(LANDLINE)
        await phone.close()
        await asyncio.sleep(1.0)
        with pytest.raises(SipLocalError, match="480"):
            await (await rings(there, LANDLINE)).sip.answered(within=1.0)


async def test_a_caller_who_is_on_the_line_is_engaged() -> None:
    async with town() as there:
        await there.speaks(await there.phone())
        with pytest.raises(SipLocalError, match="486"):
            await (await rings(there)).sip.answered(within=1.0)


async def test_a_landline_whose_circuit_is_kept_is_engaged() -> None:
    async with town() as there:
        call = await there.speaks(await there.phone(LANDLINE))
        await there.driver.expect("operator.left", within=40.0)
        await call.hang_up()
        await there.driver.expect("caller.held", within=1.0)
        with pytest.raises(SipLocalError, match="486"):
            await (await rings(there, LANDLINE)).sip.answered(within=1.0)


async def test_a_control_room_that_gives_up_stops_the_ringing() -> None:
    async with town() as there:
        phone = await there.phone()
        call = await rings(there)
        await phone.expect("phone.rings", within=1.0)
        call.sip.hang_up()
        await there.driver.expect("ring_back.ended", within=1.0)
        await asyncio.sleep(0.5)
        assert there.network.plant.legs == {}
        await phone.dial()  # it is free again


async def test_a_relay_user_is_rung_back_with_text() -> None:
    async with town() as there:
        phone = await there.phone()
        call = await rings(there, "1800207700900123", text=True)
        answer = await phone.pick_up()
        await call.answered()
        assert call.media.text is not None
        await call.media.text.write("This is the police.")
        await answer.reads("the police.", within=3.0)
        await answer.write("thank you")
        await asyncio.sleep(1.0)
        assert shown(call.media.text.received()) == "thank you"


async def test_a_ring_back_without_a_common_codec_is_refused() -> None:
    odd = (
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        b"m=audio 40000 RTP/AVP 97\r\na=rtpmap:97 iLBC/8000\r\n"
    )
    async with town() as there:
        phone = await there.phone()
        host, port = there.network.trunk_address
        sip = there.room.agent.invite(f"sip:{MOBILE}@{host}:{port}", offer=odd)
        with pytest.raises(SipLocalError, match="488"):
            await sip.answered(within=1.0)
        assert there.journal.find(phone.name, "phone.rings") is None
