"""The network's control interface, its settings, its bounds, and what bad input gets."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from network_in_virtual_time import ANNOUNCEMENTS, MOBILE, QUICK, anything, town
from pydantic import ValidationError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from harness.drivers.emergency_network import EmergencyNetwork as Driver
from harness.endpoints.media import open_media
from harness.errors import DriverError, LocalError, SipLocalError, TransportError
from harness.protocols.sip.parse import parse
from harness.transport.context import Context
from harness.transport.tap import NullTap
from harness.transport.udp import open_udp
from simulators import events as events_module
from simulators.emergency import exchange
from simulators.emergency.records import CallRecord, Outcome, RecordError, Records
from simulators.emergency.routes import RouteError, address_of
from simulators.emergency.settings import EmergencySettings
from simulators.emergency.simulator import EmergencyNetwork

virtual = pytest.mark.virtual_time


@virtual
async def test_the_interface_describes_itself() -> None:
    async with town() as there, there.http() as http:
        described = (await http.get(f"{there.network.control_url}/openapi.json")).json()
        paths = described["paths"]
        assert "/v1/desks/{name}/answer" in paths
        assert "/v1/authorities/{authority}/routes/{name}" in paths
        assert "/v1/spates" in paths and "/v1/records/{id_}" in paths


@virtual
async def test_with_a_token_nothing_is_told_without_it() -> None:
    async with town({"token": "open-sesame"}) as there, there.http() as http:
        assert (await http.get("/status")).status_code == 401
        assert (await http.get(f"{there.network.control_url}/openapi.json")).status_code == 404
        assert (await http.get("/status", headers={"Authorization": "Bearer open-sesame"})).status_code == 200


@virtual
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("GET", "/calls/em-9", None, 404),
        ("GET", "/records/em-9", None, 404),
        ("GET", "/records?last=0", None, 422),
        ("GET", "/desks/x", None, 404),
        ("POST", "/desks/operator-1/answer", {"call": "em-1"}, 409),
        ("POST", "/desks/operator-1/answer", {"call": 7}, 422),
        ("POST", "/desks/operator-1/connect", {"route": "a b"}, 422),
        ("POST", "/desks/operator-1/connect", {"silent": "loud"}, 422),
        ("POST", "/desks/operator-1/type", {"text": "x" * 501}, 422),
        ("POST", "/desks/operator-1/agency-call", {"authority": "police", "route": "critical"}, 404),
        ("PUT", "/operators", {"automatic": 501}, 422),
        ("PUT", "/operators", {"answer_s": {"least": 5, "most": 1}}, 422),
        ("PUT", "/operators", {"nonsense": 1}, 422),
        ("PUT", "/faults/earthquake", {}, 422),
        ("PUT", "/faults/slow_answer", {"seconds": 0}, 422),
        ("PUT", "/authorities/x/routes/primary", {}, 404),
        ("PUT", "/authorities/police/routes/x", {}, 404),
        ("PUT", "/authorities/police/routes/primary", {"to": "nowhere"}, 404),
        ("PUT", "/authorities/police/routes/primary", {"to": "host:0"}, 404),
        ("PUT", "/authorities/police/routes/primary", {"number": "9 9 9"}, 422),
        ("POST", "/spates", {"calls": 5}, 422),
        ("DELETE", "/spates/spate-1", None, 404),
    ],
)
async def test_what_makes_no_sense_is_told_and_changes_nothing(
    method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    async with town() as there, there.http() as http:
        before = (await http.get("/status")).json()
        assert (await http.request(method, path, json=body)).status_code == status
        assert (await http.get("/status")).json() == before


@virtual
async def test_a_call_is_ended_by_a_tester_on_every_side() -> None:
    async with town() as there:
        call = await there.speaks(await there.phone())
        room = await there.room.call()
        await there.driver.expect("call.connected", within=10.0)
        assert [each["call"] for each in await there.driver.calls()] == ["em-1"]
        await there.driver.end_call("em-1")
        await call.ended(within=1.0)
        await room.sip.ended(within=1.0)
        assert (await there.record())["outcome"] == "control"
        with pytest.raises(DriverError, match="there is no call 'em-1'"):
            await there.driver.end_call("em-1")
        with pytest.raises(DriverError, match="409: slow_answer is a fault of all calls"):
            await there.speaks(there.phones[0])
            await there.driver.fail("slow_answer", call="em-2")


@virtual
async def test_records_are_read_by_number() -> None:
    async with town() as there:
        await (await there.phone()).dial()
        await (await there.phone("", name="nobody")).dial()
        await asyncio.sleep(1.0)
        assert len(await there.driver.records()) == 2
        assert [record["id"] for record in await there.driver.records(cli=MOBILE)] == ["em-1"]


@virtual
async def test_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "EVENTS_A_STREAM", 5)
    async with town() as there:
        stream = there.network.plant.events.open()
        for _ in range(7):
            there.network.plant.events.tell("test.event")
        assert stream.get_nowait() is None
        assert there.simulators.journal.find("emergency", "events.cut_off") is not None


@virtual
async def test_streams_of_events_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    async with town() as there:
        monkeypatch.setattr(events_module, "MAX_STREAMS", 1)
        with pytest.raises(DriverError, match="no events from"):
            await Driver.open(there.context, "second", control=there.network.control_url, permit=anything)


@virtual
async def test_events_are_json_and_what_a_client_says_is_not_looked_at() -> None:
    async with town() as there:
        url = f"{there.network.control_url.replace('http', 'ws')}/v1/events"
        async with connect(url, proxy=None) as socket:
            await socket.send("nonsense")
            await (await there.phone()).dial()
            event = json.loads(await socket.recv())
            assert (event["kind"], event["data"]["call"]) == ("call.waiting", "em-1")
            with pytest.raises(ConnectionClosed):
                await socket.send("x" * 100_000)
                await socket.recv()
                await socket.recv()
                await socket.recv()


# Bounds


@virtual
async def test_calls_at_once_have_a_bound_and_the_next_one_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_CALLS", 2)
    async with town({"operators": {"automatic": 0}}) as there:
        phones = [await there.phone(f"+44770090000{index}", name=f"caller-{index}") for index in range(3)]
        calls = [await phone.dial() for phone in phones]
        with pytest.raises(SipLocalError, match="503"):
            await calls[2].ringing(within=1.0)
        await calls[0].hang_up()
        await asyncio.sleep(0.5)
        again = await phones[2].dial()
        await again.ringing(within=1.0)


def record(number: int, *, ended: bool = True, preserved: bool = False) -> CallRecord:
    found = CallRecord(
        f"em-{number}", uuid.UUID(int=number), "emergency", MOBILE, False, "mobile", "999", float(number)
    )
    if ended:
        found.ended, found.outcome = number + 1.0, Outcome.ANSWERED
    found.preserved = preserved
    return found


def test_the_oldest_record_makes_room_and_preserved_ones_and_open_calls_do_not() -> None:
    records = Records(limit=3, preserved=1)
    for each in (record(1, preserved=True), record(2, ended=False), record(3), record(4), record(5)):
        records.add(each)
    assert [each.id for each in records] == ["em-1", "em-2", "em-4", "em-5"]
    with pytest.raises(RecordError, match="no record of a call 'em-3'"):
        records.get("em-3")


def test_preserved_records_have_a_bound_too() -> None:
    records = Records(limit=2, preserved=2)
    for number in range(1, 20):
        records.add(record(number, preserved=True))
    assert len(records) <= 4
    assert records.get("em-19").preserved


def test_a_record_is_found_by_its_calls_identity_and_by_its_number() -> None:
    records = Records()
    for number in (1, 2):
        records.add(record(number))
    back = record(3)
    back.kind, back.uuid = "ring-back", uuid.UUID(int=1)
    records.add(back)
    found, latest = records.of(uuid.UUID(int=1)), records.latest_of(MOBILE)
    assert found is not None and found.id == "em-1"
    assert latest is not None and latest.id == "em-2"
    assert records.of(uuid.UUID(int=9)) is None


@virtual
async def test_keys_beyond_the_bound_are_dropped_and_told() -> None:
    async with town() as there:
        call = await there.speaks(await there.phone())
        await there.driver.expect("operator.left", within=40.0)
        for _ in range(60):
            await call.press("1234", by="info")
        await asyncio.sleep(1.0)
        dropped = [event for event in there.simulators.journal if event.kind == "call.key_dropped"]
        assert dropped
        assert not call.is_over


# Bad input


@virtual
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ("From: <sip:%FF\r\n", "", 400),
        ("P-Asserted-Identity: <<\r\n", "", 400),
        ("Privacy: a b c\r\n", "", 400),
        ("Content-Type: multipart/mixed;boundary=x\r\n", "no boundary", 400),
        ("Content-Type: application/sdp\r\n", "v=1 nonsense", 400),
        ("Content-Type: text/plain\r\n", "hello", 415),
        ("Require: magic\r\n", "", 420),
    ],
)
async def test_an_invite_that_can_not_be_read_is_refused_and_the_next_call_works(
    headers: str, body: str, status: int
) -> None:
    async with town() as there:
        got: list[bytes] = []
        port = await open_udp(("127.0.0.1", 0), lambda data, _: got.append(data), tap=NullTap())
        sender = "" if headers.startswith("From:") else f"From: <sip:{MOBILE}@here>;tag=a\r\n"
        invite = (
            f"INVITE sip:999@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port.local[1]};branch=z9hG4bKa\r\n"
            f"{sender}To: <sip:999@here>\r\nCall-ID: bad@here\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:a@127.0.0.1:{port.local[1]}>\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        port.send(invite.encode(), there.network.caller_address)
        await asyncio.sleep(0.4)
        port.close()
        statuses = [getattr(parse(data), "status", 0) for data in got]
        assert status in statuses, statuses
        await there.speaks(await there.phone())
        await there.driver.expect("call.connected", within=20.0)


@virtual
async def test_datagrams_of_nonsense_cost_a_warning_and_no_more() -> None:
    async with town() as there:
        port = await open_udp(("127.0.0.1", 0), lambda _data, _source: None, tap=NullTap())
        for address in (there.network.caller_address, there.network.trunk_address):
            for data in (
                b"\0" * 60_000,
                b"INVITE",
                b"\xff" * 100,
                b"SIP/2.0 200 OK\r\n\r\n",
                b"MESSAGE sip:999@x SIP/2.0\r\n",
            ):
                port.send(data, address)
        await asyncio.sleep(0.1)
        port.close()
        await there.speaks(await there.phone())
        await there.driver.expect("call.connected", within=20.0)


# Settings


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"authorities": []}, "at least 1 item"),
        ({"authorities": [{"name": "police"}, {"name": "police"}]}, "authority 'police' stands there twice"),
        ({"authorities": [{"name": "police", "buddy": "police"}]}, "another authority is due"),
        ({"authorities": [{"name": "police", "buddy": "north"}]}, "the buddy of 'police' is 'north'"),
        ({"authorities": [{"name": "police", "routes": [{}] * 4}]}, "at most 3 items"),
        ({"authorities": [{"name": "Police Scotland"}]}, "String should match pattern"),
        ({"operators": {"desks": ["a", "a"]}}, "desk 'a' stands there twice"),
        ({"operators": {"answer_s": {"least": 2, "most": 1}}}, "'most' lies before 'least'"),
        ({"landlines": [MOBILE], "mobiles": [MOBILE]}, "is a landline and a mobile"),
        ({"hold_s": -1}, "greater than or equal to 0"),
        ({"abandoned": "keep"}, "'clear' or 'deliver'"),
        ({"resource_priority": "esnet"}, "String should match pattern"),
        ({"colour": "blue"}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_can_not_be_are_told(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        EmergencySettings.model_validate(settings)


@pytest.mark.parametrize("text", ["host:", "host:0", "host:65536", "host:x", ":5060"])
def test_what_is_no_address_of_a_control_room_is_told(text: str) -> None:
    with pytest.raises(RouteError, match="neither host:port nor a component's name"):
        address_of(text, lambda _name: None)


def test_a_route_leads_to_an_address_or_to_a_component() -> None:
    assert address_of("192.0.2.1:5060", lambda _name: None) == ("192.0.2.1", 5060)
    assert address_of("iccs", {"iccs": ("127.0.0.1", 5)}.get) == ("127.0.0.1", 5)
    assert address_of("iccs", lambda _name: None) is None


async def start(settings: dict[str, Any]) -> EmergencyNetwork:
    context = Context.create(seed=1)
    media = await open_media(context, in_process=True)
    return await EmergencyNetwork.start(
        context,
        media,
        EmergencySettings.model_validate(settings),
        announcements=ANNOUNCEMENTS,
        permit_dial=anything,
        permit_locate=anything,
    )


@virtual
async def test_it_listens_beyond_loopback_with_a_token_only() -> None:
    with pytest.raises(LocalError, match=r"on 0\.0\.0\.0 needs 'token'"):
        await start({"host": "0.0.0.0"})


@virtual
async def test_a_port_that_is_taken_is_told_and_nothing_stays_up() -> None:
    taken = await open_udp(("127.0.0.1", 15060), lambda _data, _source: None, tap=NullTap())
    with pytest.raises(TransportError, match="15060"):
        await start({"sip_port": 15060})
    with pytest.raises(TransportError, match="15060"):
        await start({"trunk_port": 15060})
    taken.close()
    network = await start({"sip_port": 15060, "trunk_port": 15070})
    assert (network.caller_address[1], network.trunk_address[1]) == (15060, 15070)
    await network.stop()


@virtual
async def test_stopping_ends_every_call_and_leaves_nothing() -> None:
    async with town({"operators": {**QUICK, "automatic": 1}}) as there:
        call = await there.speaks(await there.phone())
        waiting = await (await there.phone("+447700900200", name="waiting")).dial()
        room = await there.room.call()
        await there.driver.expect("call.connected", within=10.0)
        await there.network.stop()
        await asyncio.sleep(1.0)
        assert call.is_over and waiting.is_over and room.sip.is_over
        assert there.network.plant.tasks == {}
        assert there.network.plant.legs == {}
