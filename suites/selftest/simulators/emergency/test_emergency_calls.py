"""A 999 call through the network: answered, connected, handed over, cleared, and what the control room sees of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

import pytest
from network_in_virtual_time import LANDLINE, MOBILE, QUICK, RoomCall, level, town

from harness.endpoints.media import Recording
from harness.endpoints.sip.agent import UserAgent
from harness.errors import SipLocalError
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip import identity
from harness.protocols.sip.emergency_call import PACKAGE, Ask, Caller, Line, Operator, Route, What
from harness.testbed.conversation import converse
from harness.transport.virtual_loop import VirtualLoop

pytestmark = pytest.mark.virtual_time


async def test_a_caller_is_asked_connected_and_handed_over(speech: Callable[[str], Samples]) -> None:
    async with town() as there:
        phone = await there.phone()
        call = await phone.dial("999")
        await call.answered(within=2.0)
        await call.record()
        await asyncio.sleep(3.0)
        asked = (await call.recorded()).samples
        assert correlation(speech("operator-service"), asked) > 0.8
        await call.say(speech("caller-999"))
        room = await there.room.call()
        assert room.mark.event is What.CONNECT
        connected = await there.driver.expect("call.connected", within=10.0)
        heard = await room.hears(4.5)
        assert correlation(speech("operator-handover"), heard) > 0.8
        await there.driver.expect("operator.left", within=6.0)
        left = there.told("operator.left")[0].time - connected.time
        assert 8.5 < left < 9.2  # the hand-over's 3.8 s, and the 5 s that the operator stays
        await call.hang_up()
        await room.sip.ended(within=1.0)
        record = await there.record()
        assert (record["outcome"], record["cleared_by"], record["cli"]) == ("answered", "caller", MOBILE)
        assert record["offered"] < record["operator_answered"] < record["answered"] < record["operator_left"]
        assert [attempt["result"] for attempt in record["attempts"]] == ["answered"]


async def test_caller_operator_and_control_room_hear_each_other_until_the_operator_leaves(
    speech: Callable[[str], Samples],
) -> None:
    async with town({"operators": {"automatic": 0}}) as there:
        operator, phone = await there.operator(), await there.phone()
        call = await phone.dial("112")
        waiting = await operator.expect("call.waiting", within=1.0)
        assert (waiting.data["cli"], waiting.data["line"], waiting.data["dialled"]) == (MOBILE, "mobile", "112")
        await operator.answer()
        await call.answered(within=1.0)
        await converse(call, operator, speech("caller-999"))
        await converse(operator, call, speech("operator-service"))
        await operator.connect()
        await operator.expect("call.connected", within=2.0)
        room = await there.room.call()
        mouth = room.media.port
        await operator.record()
        await call.record()
        await mouth.play(speech("call-taker"))
        await asyncio.sleep(5.0)
        assert correlation(speech("call-taker"), (await operator.recorded()).samples) > 0.8
        assert correlation(speech("call-taker"), (await call.recorded()).samples) > 0.8
        await operator.leave()
        await operator.record()
        await converse(call, Heard(room), speech("caller-999"))
        assert level((await operator.recorded()).samples) < -60
        assert room.mark.event is What.OPERATOR_LEFT
        assert room.mark.operator is Operator.LEFT


class Heard:
    """A control room as an ear."""

    def __init__(self, room: RoomCall) -> None:
        self._port = room.media.port

    async def record(self) -> None:
        """Begin to keep what is heard."""
        await self._port.record()

    async def recorded(self) -> Recording:
        """What was heard."""
        return await self._port.recorded()


@pytest.mark.parametrize("withheld", [False, True])
async def test_the_control_room_gets_the_number_even_where_it_is_withheld(withheld: bool) -> None:
    async with town() as there:
        phone = await there.phone(LANDLINE)
        await there.speaks(phone, withheld=withheld)
        request = (await there.room.call()).sip.request
        caller = identity.caller_of(request, trusted=True)
        assert (caller.number, caller.is_vouched_for, caller.is_withheld) == (LANDLINE, True, withheld)
        assert request.uri.user_text == "999"
        assert (request.get("priority"), request.get("resource-priority")) == ("emergency", "esnet.1")
        assert (request.get("privacy") == "id") is withheld
        assert (request.get("from") or "").startswith('"Anonymous"' if withheld else f"<sip:{LANDLINE}@")


async def test_a_caller_without_a_number_is_told_as_such() -> None:
    async with town() as there:
        await there.speaks(await there.phone(""))
        room = await there.room.call()
        caller = identity.caller_of(room.sip.request, trusted=True)
        assert (caller.number, caller.is_withheld) == ("", False)
        assert (room.sip.request.get("from") or "").startswith("<sip:unavailable@unknown.invalid>")
        assert room.sip.request.get("p-asserted-identity") is None
        assert room.mark.line is Line.OTHER


async def test_the_mark_tells_how_the_call_comes() -> None:
    async with town() as there:
        await there.speaks(await there.phone())
        room = await there.room.call()
        mark = room.mark
        assert (mark.authority, mark.route, mark.attempt) == ("police", Route.PRIMARY, 1)
        assert (mark.line, mark.caller, mark.operator) == (Line.MOBILE, Caller.ON, Operator.ON)
        assert str(mark.call) == (await there.record())["uuid"]
        assert PACKAGE in room.sip.request.values("recv-info")


async def test_a_control_room_that_does_not_know_marks_is_sent_no_info() -> None:
    async with town(knows_marks=False) as there:
        call = await there.speaks(await there.phone(LANDLINE))
        room = await there.room.call()
        await there.driver.expect("operator.left", within=40.0)
        await call.hang_up()
        await there.driver.expect("caller.held", within=1.0)
        await asyncio.sleep(1.0)
        assert room.events == [What.CONNECT]
        await room.sip.ended(within=46.0)


async def test_the_control_room_clears_and_the_caller_is_cleared() -> None:
    async with town() as there:
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        await there.driver.expect("call.connected", within=20.0)
        room.sip.hang_up()
        await call.ended(within=1.0)
        assert (await there.record())["cleared_by"] == "control-room"


async def test_the_control_room_sends_the_operator_away_and_calls_one_back() -> None:
    async with town({"operators": {**QUICK, "stay_s": None}}) as there:
        await there.speaks(await there.phone())
        room = await there.room.call()
        await there.driver.expect("call.connected", within=20.0)
        await asyncio.sleep(60.0)
        assert room.events == [What.CONNECT], "an operator who stays until told leaves by itself"
        assert await room.ask(Ask.OPERATOR_LEAVE) == 200
        await asyncio.sleep(0.1)
        assert room.events[-1] is What.OPERATOR_LEFT
        assert await room.ask(Ask.OPERATOR_RETURN) == 200
        await asyncio.sleep(0.1)
        assert (room.events[-1], room.mark.operator) == (What.OPERATOR_JOINED, Operator.ON)
        await there.driver.set_operators(automatic=1)
        assert await room.ask(Ask.OPERATOR_LEAVE) == 200
        await asyncio.sleep(0.1)
        await there.driver.set_operators(automatic=0)
        assert await room.ask(Ask.OPERATOR_RETURN) == 480


async def test_what_is_asked_of_another_call_or_means_nothing_is_refused() -> None:
    async with town() as there:
        await there.speaks(await there.phone())
        room = await there.room.call()
        await there.driver.expect("call.connected", within=20.0)
        assert await room.ask(Ask.NUISANCE, call=uuid.UUID(int=7)) == 400
        assert await room.ask(Ask.HOLD_LINE) == 403  # a mobile has no circuit to hold
        package = [("Info-Package", PACKAGE)]
        assert (await room.sip.send("INFO", headers=package)).status == 400
        wrong = [*package, ("Call-Info", "<sip:x@y>;purpose=iccs-emergency;ask=nuisance")]
        assert (await room.sip.send("INFO", headers=wrong)).status == 400
        assert (await room.sip.send("INFO", headers=[("Info-Package", "weather")])).status == 469
        assert (await there.record())["nuisance"] == ""


async def test_keys_reach_the_other_side_however_they_are_sent() -> None:
    async with town() as there:
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        await there.driver.expect("call.connected", within=20.0)
        await call.press("19*")
        await call.press("#5", by="info")
        await asyncio.sleep(1.0)
        source = room.media.port.name
        seen = [
            event.data["digit"] for event in there.journal if (event.source, event.kind) == (source, "dtmf.received")
        ]
        assert "".join(seen) == "19*#5"
        await room.media.port.send_dtmf("7D")
        await asyncio.sleep(0.5)
        back = [
            event.data["digit"] for event in there.journal if (event.source, event.kind) == (call.name, "dtmf.received")
        ]
        assert "".join(back) == "7D"
        assert (await there.record())["keys"] == "19*#5"


async def test_early_media_is_heard_before_the_answer(speech: Callable[[str], Samples]) -> None:
    async with town() as there:
        there.room.does = "ring"
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        await asyncio.sleep(0.5)
        await call.record()
        await asyncio.sleep(3.0)
        assert level((await call.recorded()).samples) > -40, "no ringing tone is heard"
        await room.early()
        await asyncio.sleep(0.2)
        await call.record()
        await room.media.port.play(speech("dispatch"))
        await asyncio.sleep(5.0)
        assert correlation(speech("dispatch"), (await call.recorded()).samples) > 0.8
        room.sip.answer(room.sip.local_sdp)
        await there.driver.expect("operator.left", within=10.0)
        await converse(call, Heard(room), speech("caller-999"))


async def test_a_route_can_leave_the_offer_to_the_control_room(speech: Callable[[str], Samples]) -> None:
    routes = [{"to": "room", "delayed_offer": True}]
    async with town({"authorities": [{"name": "police", "routes": routes}]}) as there:
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        assert room.sip.request.body == b""
        await there.driver.expect("operator.left", within=40.0)
        await converse(call, Heard(room), speech("caller-999"))


async def test_the_control_room_holds_and_resumes(speech: Callable[[str], Samples]) -> None:
    async with town() as there:
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        await there.driver.expect("operator.left", within=40.0)
        room.media.session.hold()
        answer = await room.sip.session.offer(room.media.session.offer(), within=2.0)
        assert b"a=recvonly" in answer
        room.media.session.take_answer(answer)
        await room.media.join()
        await call.say(speech("caller-999"))
        assert level(await room.hears(4.0)) < -90
        room.media.session.resume()
        room.media.session.take_answer(await room.sip.session.offer(room.media.session.offer(), within=2.0))
        await room.media.join()
        await converse(call, Heard(room), speech("caller-999"))


async def test_what_is_not_the_emergency_service_is_not_answered_by_it() -> None:
    async with town() as there:
        phone = await there.phone()
        for number, status in (("101", 404), ("9999", 404), ("urn:service:sosx", 404), ("urn:service:counseling", 404)):
            call = await phone.dial(number)
            with pytest.raises(SipLocalError, match=str(status)):
                await call.answered(within=1.0)
        assert there.told("call.waiting") == []


@pytest.mark.parametrize("dialled", ["999", "112", "18000", "urn:service:sos", "URN:service:SOS.police"])
async def test_every_way_to_dial_leads_to_an_operator(dialled: str) -> None:
    async with town() as there:
        await there.speaks(await there.phone(), dialled)
        assert there.told("call.waiting")[0].data["dialled"] == dialled.lower()


async def test_a_named_service_goes_to_its_authority() -> None:
    authorities = [{"name": "police", "routes": [{"to": "room"}]}]
    authorities += [{"name": "west-fire", "service": "fire", "routes": [{"to": "fire", "number": "998"}]}]
    async with town({"authorities": authorities}, rooms=("room", "fire")) as there:
        await there.speaks(await there.phone(), "urn:service:sos.fire")
        call = await there.rooms["fire"].call()
        assert (call.mark.authority, call.sip.request.uri.user_text) == ("west-fire", "998")
        assert there.room.calls == []


async def test_callers_reach_it_over_tcp_too(speech: Callable[[str], Samples]) -> None:
    async with town() as there:
        call = await there.speaks(await there.phone(transport="tcp"))
        assert call.sip.request.via.transport == "TCP"
        await there.driver.expect("call.connected", within=20.0)


async def test_a_caller_with_no_codec_in_common_is_refused_and_the_next_one_is_served() -> None:
    odd = (
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        b"m=audio 40000 RTP/AVP 97\r\na=rtpmap:97 iLBC/8000\r\n"
    )
    async with town() as there:
        agent = await UserAgent.open(there.context, "odd", user="odd")
        there.stack.push_async_callback(agent.close)
        host, port = there.network.caller_address
        call = agent.invite(f"sip:999@{host}:{port}", offer=odd)
        with pytest.raises(SipLocalError, match="488"):
            await call.answered(within=5.0)
        assert (await there.record())["outcome"] == "failed"
        await (await (await there.phone()).dial()).answered(within=2.0)


async def _lines() -> str:
    async with town(seed=5) as there:
        call = await there.speaks(await there.phone())
        await asyncio.sleep(40.0)
        await call.hang_up()
        await asyncio.sleep(1.0)
        return there.journal.lines() + there.simulators.journal.lines()


def test_one_seed_gives_one_journal() -> None:
    def run() -> str:
        loop = VirtualLoop(5)
        try:
            return loop.run_until_complete(_lines())
        finally:
            loop.close()

    first = run()
    assert "operator.left" in first
    assert run() == first
