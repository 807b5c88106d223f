"""Callers who write: text relay (18000, TEL-019), emergencySMS, and handsets' positions by text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from network_in_virtual_time import MOBILE, OTHER_MOBILE, QUICK, Town, anything, town

from harness.drivers.caller import CallerPhone
from harness.drivers.handset_position import AmlIntake, AmlPlan
from harness.errors import InterlockError, SipLocalError
from harness.measure.correlate import correlation
from harness.protocols import emergency_sms
from harness.protocols.rtp.g711 import Samples
from harness.protocols.rtp.text import LINE, shown
from harness.protocols.sip.emergency_call import Text
from harness.transport.context import Context
from simulators.location.settings import LocationSettings
from simulators.location.simulator import LocationSimulator

pytestmark = pytest.mark.virtual_time


async def test_a_relay_call_brings_what_was_typed_before_and_both_sides_write() -> None:
    async with town() as there:
        call = await (await there.phone()).dial("18000", text=True)
        await call.answered(within=2.0)
        await call.write("help, intruder at the back door. ")
        room = await there.room.call(within=10.0)
        assert room.mark.text is Text.RELAY
        assert b"m=text" in room.sip.request.body
        await there.driver.expect("call.connected", within=2.0)
        await asyncio.sleep(2.0)
        assert room.media.text is not None
        assert shown(room.media.text.received()) == "help, intruder at the back door. "
        await call.write("he has a knifee\b")
        await room.media.text.write("Police. Where are you?")
        await call.reads("Police. Where are you?", within=3.0)
        await asyncio.sleep(1.0)
        assert shown(room.media.text.received()) == "help, intruder at the back door. he has a knife"
        await call.hang_up()
        await room.sip.ended(within=1.0)
        assert (await there.record())["text"] == "relay"


async def test_a_control_room_without_text_gets_the_relay_assistants_voice(speech: Callable[[str], Samples]) -> None:
    async with town() as there:
        there.room.text = False
        call = await (await there.phone()).dial("18000", text=True)
        await call.answered(within=2.0)
        await call.write("help")
        room = await there.room.call(within=10.0)
        await there.driver.expect("call.connected", within=2.0)
        assert b"m=text 0" in room.sip.local_sdp
        assert correlation(speech("operator-text"), await room.hears(3.5)) > 0.8
        await call.write(" me")
        await asyncio.sleep(1.0)
        assert "".join(event.data["text"] for event in there.told("call.text", by="caller")) == "help me"


async def test_a_relay_assistant_by_hand_reads_and_writes_to_both() -> None:
    async with town({"operators": {"automatic": 0}}) as there:
        operator = await there.operator()
        call = await (await there.phone()).dial("18000", text=True)
        await operator.expect("call.waiting", within=1.0, text="relay")
        await operator.answer()
        await call.answered(within=1.0)
        await call.write("help")
        await operator.expect("call.text", within=2.0, by="caller")
        await operator.write("Emergency, which service?")
        await call.reads("which service?", within=3.0)
        await operator.connect()
        await operator.expect("call.connected", within=2.0)
        await operator.write(" Connected.")
        await asyncio.sleep(1.5)
        text = there.room.calls[0].media.text
        assert text is not None
        assert shown(text.received()) == "help Connected."


async def test_a_caller_with_text_alone_is_served() -> None:
    offer = (
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        b"m=text 39998 RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\n"
    )
    async with town() as there:
        phone = await there.phone()
        host, port = there.network.caller_address
        call = phone._agent.invite(f"sip:18000@{host}:{port}", offer=offer)
        await call.answered(within=5.0)
        room = await there.room.call(within=10.0)
        await there.driver.expect("call.connected", within=2.0)
        assert b"m=text" in room.sip.request.body


# emergencySMS


async def registered(there: Town, number: str = MOBILE) -> CallerPhone:
    """A mobile that has registered for emergencySMS."""
    phone = await there.phone(number)
    assert await phone.send_text("register") == 202
    assert await phone.text(within=2.0) == emergency_sms.TERMS
    await phone.send_text("Yes.")
    assert await phone.text(within=2.0, containing="success") == emergency_sms.REGISTERED
    return phone


async def test_a_mobile_registers_then_texts_and_the_control_room_answers_line_by_line() -> None:
    async with town() as there:
        phone = await registered(there)
        await phone.send_text("Police, 12 Testbed Street, man with a knife")
        room = await there.room.call(within=10.0)
        assert (room.mark.text, room.sip.remote_identity.user) == (Text.SMS, MOBILE)
        await there.driver.expect("call.connected", within=2.0)
        await asyncio.sleep(1.5)
        text = room.media.text
        assert text is not None
        assert text.received() == f"Police, 12 Testbed Street, man with a knife{LINE}"
        after = there.journal.position
        await text.write("Police. Is anybody hurt?")
        await asyncio.sleep(2.0)
        assert len(phone.texts) == 2, "half a line went out"
        await text.write("\r\n")
        assert await phone.text(within=2.0, after=after) == "Police. Is anybody hurt?"
        await phone.send_text("no")
        await asyncio.sleep(1.5)
        assert text.received().endswith(f"no{LINE}")
        room.sip.hang_up()
        await there.driver.expect("call.ended", within=1.0)
        assert there.network._exchange.sms.service.state(MOBILE) is emergency_sms.State.REGISTERED
        assert (await there.record())["text"] == "sms"


async def test_a_line_that_was_not_ended_goes_out_when_the_control_room_clears() -> None:
    async with town({"sms_registered": [MOBILE]}) as there:
        phone = await there.phone()
        await phone.send_text("help")
        room = await there.room.call(within=10.0)
        await there.driver.expect("call.connected", within=2.0)
        assert room.media.text is not None
        await room.media.text.write(f"Units are{LINE}On their way")
        await asyncio.sleep(2.0)
        room.sip.hang_up()
        await phone.text(within=2.0, containing="On their way")
        assert phone.texts == ["Units are", "On their way"]


async def test_a_mobile_that_is_not_registered_is_told_so() -> None:
    async with town() as there:
        phone = await there.phone()
        await phone.send_text("help me")
        assert await phone.text(within=2.0) == emergency_sms.NOT_REGISTERED
        await phone.send_text("register")
        await phone.text(within=2.0, containing="reply yes")
        await asyncio.sleep(emergency_sms.OFFER_LIFE + 1)
        await phone.send_text("yes")
        await asyncio.sleep(2.0)
        assert phone.texts[-1] == emergency_sms.NOT_REGISTERED
        assert there.room.calls == []


async def test_two_mobiles_are_two_emergencies() -> None:
    async with town({"sms_registered": [MOBILE, OTHER_MOBILE]}) as there:
        one, other = await there.phone(), await there.phone(OTHER_MOBILE, name="other")
        await one.send_text("fire")
        await other.send_text("flood")
        await one.send_text("at the harbour")
        await there.room.call(2)
        await asyncio.sleep(5.0)
        read = {
            call.sip.remote_identity.user: call.media.text.received() for call in there.room.calls if call.media.text
        }
        assert read == {MOBILE: f"fire{LINE}at the harbour{LINE}", OTHER_MOBILE: f"flood{LINE}"}


@pytest.mark.parametrize(
    ("number", "body", "kind", "status"),
    [
        ("101", b"register", "text/plain", 404),
        ("999", b"register", "text/html", 415),
        ("999", b"\xff\xfe", "text/plain", 400),
        ("999", b"x" * 2_000, "text/plain", 413),
    ],
)
async def test_a_text_that_is_none_is_refused(number: str, body: bytes, kind: str, status: int) -> None:
    async with town() as there:
        phone = await there.phone()
        host, port = there.network.caller_address
        answer = await phone._agent.request("MESSAGE", f"sip:{number}@{host}:{port}", body=body, content_type=kind)
        assert answer.status == status


async def test_a_text_of_a_telephone_without_a_number_is_refused() -> None:
    async with town() as there:
        assert await (await there.phone("")).send_text("register") == 403


async def test_a_text_that_can_not_be_delivered_is_told() -> None:
    async with town({"sms_registered": [MOBILE]}) as there:
        phone = await there.phone()
        await phone.send_text("help")
        room = await there.room.call(within=10.0)
        await there.driver.expect("call.connected", within=2.0)
        await phone.close()
        assert room.media.text is not None
        await room.media.text.write(f"Hello?{LINE}")
        await there.driver.expect("sms.undelivered", within=10.0, cli=MOBILE)


# Positions


@pytest.mark.parametrize("way", ["text", "https"])
async def test_a_handset_sends_its_position_after_its_delay(way: Any) -> None:
    async with town_with_location() as (there, location):
        plan = AmlPlan(way, delay_s=18.0, latitude=55.8642, longitude=-4.2518, radius_m=12)
        phone = await there.phone(aml=plan, aml_intake=AmlIntake(location.http_url))
        dialled = there.journal.now()
        await there.speaks(phone)
        sent = await phone.expect("aml.sent", within=25.0)
        assert sent.time - dialled == pytest.approx(18.0, abs=0.5)
        await asyncio.sleep(0.5)
        taken = [event for event in location._context.journal if event.kind == "aml.taken"]
        assert len(taken) == 1
        if way == "text":
            assert there.told("aml.handed_on")[0].data["status"] == 200


@asynccontextmanager
async def town_with_location() -> AsyncIterator[tuple[Town, LocationSimulator]]:
    """A town with a caller-location service."""
    location = await LocationSimulator.start(Context.create(seed=9), LocationSettings(), virtual=True)
    try:
        async with town({"operators": QUICK}, location=location.http_url) as there:
            yield there, location
    finally:
        await location.stop()


async def test_without_a_location_service_a_position_is_dropped_and_told() -> None:
    async with town() as there:
        await (await there.phone(aml=AmlPlan("text", delay_s=1.0))).dial()
        await there.driver.expect("aml.dropped", within=3.0)
        await (await there.phone(OTHER_MOBILE, name="other", aml=AmlPlan("https", delay_s=1.0))).dial()
        failed = await there.phones[1].expect("aml.failed", within=3.0)
        assert "no location service takes positions by HTTPS" in failed.data["reason"]


async def test_a_position_that_the_interlock_refuses_does_not_leave() -> None:
    def refuse(what: str, number: str) -> None:
        raise InterlockError(f"no {what} of {number}")

    async with town() as there:
        phone = await there.phone(aml=AmlPlan("text", delay_s=1.0), permit_locate=refuse)
        await phone.dial()
        await phone.expect("aml.failed", within=3.0)
        assert [event for event in there.journal if event.data.get("method") == "MESSAGE"] == []


async def test_what_the_interlock_refuses_to_dial_or_text_does_not_leave() -> None:
    asked: list[str] = []

    def refuse(target: str) -> None:
        asked.append(target)
        if not target.endswith(f":{there.network.caller_address[1]}") or "@" in target:
            raise InterlockError(f"not {target}")

    async with town() as there:
        phone = await there.phone(permit=refuse)
        with pytest.raises(InterlockError, match="not sip:999@"):
            await phone.dial()
        with pytest.raises(InterlockError, match="not sip:999@"):
            await phone.send_text("register")
        with pytest.raises(InterlockError, match="not urn:service:sos"):
            await phone.dial("urn:service:sos")
        sent = {
            event.data["method"] for event in there.journal if event.source == "caller" and event.kind == "sip.sent"
        }
        assert sent == {"REGISTER"}
        assert there.told("call.waiting") == []


async def test_a_network_that_is_not_there_is_told() -> None:
    async with town() as there:
        with pytest.raises(SipLocalError):
            await CallerPhone.open(
                there.context,
                there.media,
                "lost",
                network=("127.0.0.1", 9),
                number=MOBILE,
                permit=anything,
                permit_locate=anything,
            )
