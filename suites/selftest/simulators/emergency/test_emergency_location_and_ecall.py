"""Locations in the call (RFC 6442) and eCalls (RFC 8147), passed on from the caller's telephone to the control room."""

from __future__ import annotations

import asyncio

import pytest
from network_in_virtual_time import MOBILE, Town, town

from harness.drivers.phone_call import PhoneCall
from harness.protocols.location import conveyance, ecall_control, msd
from harness.protocols.location.ecall_control import Control, Request
from harness.protocols.location.msd import Msd, Place
from harness.protocols.location.pidf import Location, Presence
from harness.protocols.location.shapes import Circle, Point
from harness.protocols.sip.body import Part as BodyPart
from harness.protocols.sip.body import find, multipart
from harness.protocols.sip.emergency_call import Line, Trigger

pytestmark = pytest.mark.virtual_time
WHERE = Presence("pres:caller@example.org", (Location(Circle(Point(55.8642, -4.2518), 20.0), method="GPS"),))
CRASH = Msd("WM9VDSVDSYA123456", automatic=True, place=Place(201_111_120, -15_306_480), timestamp=1_767_225_600)


async def test_a_location_in_the_call_is_passed_on_as_it_came() -> None:
    async with town() as there:
        await there.speaks(await there.phone(), location=WHERE)
        request = (await there.room.call()).sip.request
        geolocation = request.get("geolocation")
        assert geolocation is not None
        told = conveyance.location_of(request.get("content-type") or "", request.body, geolocation)
        assert told.locations[0].shape == WHERE.locations[0].shape
        assert request.get("geolocation-routing") == "no"
        await there.driver.expect("call.connected", within=2.0)


async def test_a_location_is_kept_back_where_the_network_does_not_pass_it_on() -> None:
    async with town({"pass_location": False}) as there:
        await there.speaks(await there.phone(), location=WHERE)
        request = (await there.room.call()).sip.request
        assert request.get("geolocation") is None
        assert request.content_type == "application/sdp"


async def ecall(there: Town, dialled: str = "urn:service:sos.ecall.automatic") -> PhoneCall:
    """A vehicle's call, answered."""
    call = await (await there.phone()).dial(dialled, vehicle=CRASH, location=WHERE)
    await call.answered(within=3.0)
    return call


async def test_an_ecall_is_connected_at_once_with_its_data() -> None:
    async with town() as there:
        await ecall(there)
        room = await there.room.call(within=5.0)
        assert (room.mark.line, room.mark.ecall) == (Line.VEHICLE, Trigger.AUTOMATIC)
        octets = find(room.sip.request, msd.CONTENT_TYPE.lower())
        assert octets is not None
        assert msd.decode(octets).vin == CRASH.vin
        purposes = [value.rpartition("purpose=")[2].partition(";")[0] for value in room.sip.request.values("call-info")]
        assert purposes == ["EmergencyCallData.eCall.MSD", "iccs-emergency"]
        assert there.told("call.announcement") == []


async def test_the_vehicle_is_told_that_its_data_were_read() -> None:
    async with town() as there:
        await ecall(there)
        assert (await there.phones[0].expect("ecall.ack", within=1.0)).data["received"] is True


async def test_data_that_can_not_be_read_are_passed_on_and_told_as_such() -> None:
    async with town() as there:
        phone = await there.phone()
        host, port = there.network.caller_address
        fields = {"content-id": "<bad@vehicle>", "content-disposition": "by-reference;handling=optional"}
        media = await there.media.open_port("vehicle")
        from harness.protocols import sdp  # noqa: PLC0415

        offer = sdp.offer(*media.address)
        content = multipart([BodyPart("application/sdp", offer), BodyPart(msd.CONTENT_TYPE, b"\xff\xff", fields)])
        call = phone._agent.invite(f"sip:112@{host}:{port}", offer=offer, content=content)
        await call.answered(within=5.0)
        assert there.told("ecall.data")[0].data["received"] is False
        room = await there.room.call(within=5.0)
        assert (room.mark.ecall, find(room.sip.request, msd.CONTENT_TYPE.lower())) == (Trigger.MANUAL, b"\xff\xff")


async def test_the_control_room_asks_for_new_data_and_gets_them() -> None:
    async with town() as there:
        call = await ecall(there)
        room = await there.room.call(within=5.0)
        await there.driver.expect("call.connected", within=2.0)
        block = ecall_control.build(Control(requests=(Request(datatype=ecall_control.MSD_TYPE),)))
        fields = {"content-id": "<ask@room>", "content-disposition": "by-reference"}
        content, kind = multipart([BodyPart(ecall_control.CONTENT_TYPE, block, fields)])
        headers = [
            ("Info-Package", ecall_control.INFO_PACKAGE),
            ("Call-Info", "<cid:ask@room>;purpose=EmergencyCallData.Control"),
        ]
        await room.sip.send("INFO", headers=headers, content=content, content_type=kind)
        asked = await there.phones[0].expect("ecall.asked", within=1.0)
        assert asked.data["action"] == ecall_control.SEND_DATA
        await call.send_vehicle_data(Msd(CRASH.vin, message_id=2, automatic=True))
        await asyncio.sleep(0.5)
        octets = find(room.others[-1], msd.CONTENT_TYPE.lower())
        assert octets is not None
        assert msd.decode(octets).message_id == 2


@pytest.mark.parametrize(
    ("dialled", "trigger"),
    [("urn:service:sos.ecall.manual", Trigger.MANUAL), ("112", Trigger.AUTOMATIC)],
)
async def test_what_set_an_ecall_off_is_told_by_its_name_or_its_data(dialled: str, trigger: Trigger) -> None:
    async with town() as there:
        await ecall(there, dialled)
        assert (await there.room.call(within=5.0)).mark.ecall is trigger


async def test_a_vehicle_that_hangs_up_is_not_held() -> None:
    async with town({"landlines": [MOBILE]}) as there:
        call = await ecall(there)
        room = await there.room.call(within=5.0)
        await there.driver.expect("call.connected", within=2.0)
        await call.hang_up()
        await room.sip.ended(within=1.0)
