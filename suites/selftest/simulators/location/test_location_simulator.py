"""The simulated caller-location service in virtual time: answers, handsets, AML intake, its bounds, and its faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import mean
from typing import Any
from urllib.parse import urlencode

import pytest

from harness.drivers.location import LocationService
from harness.errors import CallerLocationLocalError, DriverError, InterlockError, LocalError, NotPlayedError
from harness.protocols.location.aml_https import MAX_BODY, AmlForm, build
from harness.protocols.location.aml_sms import Aml, Method
from harness.protocols.location.caller import Source, Status
from harness.protocols.location.link import DETECTED_WITHIN_S
from harness.protocols.location.shapes import Circle, Point, distance
from harness.transport.context import Context
from harness.transport.https import http_client
from simulators.guard import MAX_BODY as MAX_CONTROL_BODY
from simulators.location.service import e164
from simulators.location.settings import LocationSettings
from simulators.location.simulator import LocationSimulator

pytestmark = pytest.mark.virtual_time

MOBILE, STILL, LANDLINE = "+447700900123", "+447700900124", "+441414960123"
LAYOUT: dict[str, Any] = {
    "landlines": [
        {"number": LANDLINE, "name": "Ailsa Exemplar", "lines": ["12 Testbed Street", "Govan"], "postcode": "G51 0CV"}
    ],
    "mobiles": [
        {"number": MOBILE, "latitude": 55.8642, "longitude": -4.2518},
        {"number": STILL, "latitude": 55.9533, "longitude": -3.1883, "aml": False},
    ],
}
AML = Aml(55.86, -4.25, 12.0, 1767225600, 90, Method.GNSS, imei="004401230000001", mcc="001", mnc="01")


class Bench:
    """A simulator, the driver on it, and both journals."""

    def __init__(self, theirs: Context, ours: Context, simulator: LocationSimulator, driver: LocationService) -> None:
        self.theirs, self.ours = theirs, ours
        self.simulator, self.driver = simulator, driver
        self.http = http_client(simulator.http_url, timeout=60)


@asynccontextmanager
async def running(seed: int = 1, token: str = "", **layout: Any) -> AsyncIterator[Bench]:
    """A simulator in virtual time and a driver that is linked to it."""
    theirs, ours = Context.create(seed=seed), Context.create(seed=seed + 1)
    settings = LocationSettings.model_validate({**LAYOUT, **layout, **({"token": token} if token else {})})
    simulator = await LocationSimulator.start(theirs, settings, virtual=True)
    driver = LocationService.open(
        ours,
        "location",
        link=simulator.link_address,
        aml=simulator.http_url,
        control=simulator.http_url,
        token=token,
        aml_key=settings.intake.hmac_key.get_secret_value().encode() if settings.intake.hmac_key else None,
        permit=lambda _what, _number: None,
    )
    bench = Bench(theirs, ours, simulator, driver)
    try:
        await driver.linked()
        yield bench
    finally:
        await bench.http.aclose()
        await driver.close()
        await simulator.stop()


async def test_a_landline_is_its_subscriber_s_address() -> None:
    async with running() as bench:
        began = bench.ours.journal.now()
        known = await bench.driver.locate("1", LANDLINE)
        assert bench.ours.journal.now() - began < 2, "NICCS-TEL-006"
        (location,) = known.locations
        assert location.source is Source.SUBSCRIBER
        assert location.subscriber is not None
        assert (location.subscriber.name, location.subscriber.postcode) == ("Ailsa Exemplar", "G51 0CV")
        shown = await bench.driver.expect("location.received", within=0, source="subscriber")
        assert shown.data["postcode"] == "G51 0CV"


async def test_a_mobile_is_its_cell_first_and_its_handset_s_position_later() -> None:
    async with running() as bench:
        known = await bench.driver.locate("1", MOBILE)
        assert [location.source for location in known.locations] == [Source.CELL]
        pushed = await bench.driver.expect("location.received", within=28, source="AML")
        assert pushed.data["radius"] <= 30, "NICCS-TEL-007"
        kept = bench.driver.known("1")
        assert [location.source for location in kept.locations] == [Source.CELL, Source.AML]
        assert kept.best is not None
        assert isinstance(kept.best.area, Circle)
        assert distance(kept.best.area.centre, Point(55.8642, -4.2518)) <= kept.best.area.radius + 1
        taken = bench.theirs.journal.find("location", "aml.taken")
        assert taken is not None
        assert (taken.data["imsi"], taken.data["imei"], taken.data["findings"]) == ("•••", "•••", [])


async def test_handsets_take_eighteen_seconds_on_average() -> None:
    layout = {"answer_s": {"least": 0, "most": 0}, "intake": {"rate": 1000, "burst": 1000}}
    async with running(**layout) as bench:
        for number in range(300):
            bench.driver.client.ask(f"call-{number}", f"+447700900{number + 200:03d}")
        began = bench.ours.journal.now()
        await asyncio.sleep(30)
        delays = [
            event.time - began
            for event in bench.ours.journal
            if event.kind == "location.received" and event.data["source"] == "AML"
        ]
        assert len(delays) == 300
        assert mean(delays) == pytest.approx(18, abs=1)
        assert min(delays) >= 8
        assert max(delays) <= 28.1


async def test_a_handset_that_does_not_send_leaves_the_cell() -> None:
    async with running() as bench:
        await bench.driver.locate("1", STILL)
        await asyncio.sleep(60)
        assert [location.source for location in bench.driver.known("1").locations] == [Source.CELL]


@pytest.mark.parametrize(
    ("cli", "status"), [("", Status.WITHHELD), ("anonymous", Status.WITHHELD), ("+447911123456", Status.UNKNOWN)]
)
async def test_a_caller_who_can_not_be_found_is_told_so(cli: str, status: Status) -> None:
    async with running() as bench:
        assert (await bench.driver.locate("1", cli)).status is status


async def test_a_national_number_is_the_same_number() -> None:
    async with running() as bench:
        assert (await bench.driver.locate("1", "0141 496 0123")).status is Status.FOUND
    assert [e164(number) for number in ("0044141", "0141", "+44141", "2001", "Withheld")] == [
        "+44141",
        "+44141",
        "+44141",
        "2001",
        "",
    ]


# -- AML from outside ------------------------------------------------------------------------------------------------


async def test_a_text_and_a_form_reach_the_call_that_they_belong_to() -> None:
    async with running() as bench:
        await bench.driver.locate("text", STILL)
        await bench.driver.locate("form", LANDLINE)
        assert await bench.driver.send_aml(STILL, AML) == 200
        await bench.driver.expect("location.received", within=1, call="text", source="AML")
        form = AmlForm(number=LANDLINE, latitude=55.87, longitude=-4.26, accuracy_m=9, method=Method.WIFI)
        assert await bench.driver.post_aml(form) == 200
        got = await bench.driver.expect("location.received", within=1, call="form", source="AML")
        assert (got.data["latitude"], got.data["radius"], got.data["method"]) == (55.87, 9.0, "W")


async def test_a_position_that_comes_before_the_question_is_in_the_answer() -> None:
    async with running() as bench:
        await bench.driver.send_aml(STILL, AML)
        known = await bench.driver.locate("1", STILL)
        assert [location.source for location in known.locations] == [Source.CELL, Source.AML]
        await asyncio.sleep(1801)
        later = await bench.driver.locate("2", STILL)
        assert [location.source for location in later.locations] == [Source.CELL]


async def test_a_text_with_a_wrong_length_is_used_and_told() -> None:
    async with running() as bench:
        await bench.driver.locate("1", STILL)
        assert await bench.driver.send_text(STILL, 'A"ML=1;lt=+55.86;lg=-4.25;rd=12;pm=G;ml=1') == 200
        await bench.driver.expect("location.received", within=1, source="AML")
        taken = bench.theirs.journal.find("location", "aml.taken")
        assert taken is not None
        assert "length" in taken.data["findings"]


@pytest.mark.parametrize("text", ["hello", 'A"ML=2;lo=1', 'A"ML=1;lt=+00.00000;lg=+000.00000;rd=N;lc=0;pm=N'])
async def test_a_text_without_a_position_is_taken_and_shown_to_nobody(text: str) -> None:
    async with running() as bench:
        await bench.driver.locate("1", STILL)
        assert await bench.driver.send_text(STILL, text) == 202
        await asyncio.sleep(1)
        assert len(bench.driver.known("1").locations) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff" * 50,
        b"x" * (MAX_BODY + 1),
        b"v=1",
        b"device_number=%2B447700900123",
        b"device_number=%2B447700900123&location_latitude=north&location_longitude=1",
        b"location_latitude=1&location_longitude=1",
        b"a=1&" * 500,
        urlencode({"device_number": MOBILE, "location_latitude": "1", "location_longitude": "1"}).encode(),
    ],
    ids=range(9),
)
async def test_the_endpoint_answers_2xx_whatever_a_handset_posts(body: bytes) -> None:
    async with running() as bench:
        usable = body.startswith(b"device_number") and body.endswith(b"location_latitude=1&location_longitude=1")
        for type_ in ("application/x-www-form-urlencoded", "application/json", "text/plain"):
            response = await bench.http.post("/aml", content=body, headers={"Content-Type": type_})
            assert response.status_code == (200 if usable else 202)
        chunked = await bench.http.post("/aml", content=_pieces(body))
        assert chunked.status_code == (200 if usable else 202)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), 7000):
        yield body[at : at + 7000]


async def test_a_handset_that_never_finishes_is_answered_and_dropped() -> None:
    async with running() as bench:
        host, _, port = bench.simulator.http_url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /aml HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nv=1")
        began = bench.ours.journal.now()
        assert (await reader.readline()).startswith(b"HTTP/1.1 202")
        assert bench.ours.journal.now() - began == pytest.approx(10, abs=0.5)
        unread = bench.theirs.journal.find("location", "aml.unread")
        assert unread is not None
        assert unread.data["reason"] == "not there within 10 s"
        writer.close()


async def test_a_flood_is_answered_counted_and_does_not_fill_the_journal() -> None:
    async with running(intake={"rate": 10, "burst": 20}) as bench:
        body = build(AmlForm(number=STILL, latitude=1, longitude=1))
        for _ in range(200):
            assert (await bench.http.post("/aml", content=body)).status_code in (200, 202)
        await asyncio.sleep(2)
        taken = [event for event in bench.theirs.journal if event.kind == "aml.taken"]
        dropped = [event for event in bench.theirs.journal if event.kind == "aml.dropped"]
        assert 20 <= len(taken) < 40
        assert sum(event.data["count"] for event in dropped) == 200 - len(taken)
        assert len(dropped) < 5


async def test_with_a_key_only_signed_forms_are_used() -> None:
    async with running(intake={"hmac_key": "AML"}) as bench:
        form = AmlForm(number=STILL, latitude=55.8, longitude=-4.2)
        assert await bench.driver.post_aml(form) == 200
        assert (await bench.http.post("/aml", content=build(form))).status_code == 202
        assert (await bench.http.post("/aml", content=build(form, key=b"other"))).status_code == 202


# -- faults ----------------------------------------------------------------------------------------------------------


async def test_down_is_known_at_once_and_over_when_it_is_up_again() -> None:
    async with running() as bench:
        await bench.driver.fail("down", for_s=20)
        await bench.driver.down(within=0.5)
        with pytest.raises(CallerLocationLocalError, match="ask the caller"):
            await bench.driver.locate("1", LANDLINE)
        await bench.driver.linked(within=40)
        await bench.driver.expect("location.answered", within=2, call="1", status="found")


async def test_silent_is_known_within_the_stated_time() -> None:
    async with running() as bench:
        began = bench.ours.journal.now()
        await bench.driver.fail("silent")
        await bench.driver.down(within=60)
        assert bench.ours.journal.now() - began <= DETECTED_WITHIN_S + 0.1
        await bench.driver.recover()
        await bench.driver.linked(within=20)


async def test_garbled_is_known_and_named() -> None:
    async with running() as bench:
        await bench.driver.fail("garbled")
        down = await bench.driver.expect("location.link_down", within=5)
        assert "not a line of JSON" in down.data["cause"]
        await bench.driver.recover()
        await bench.driver.linked(within=20)


async def test_slow_is_slow() -> None:
    async with running() as bench:
        await bench.driver.fail("slow", seconds=4)
        with pytest.raises(CallerLocationLocalError, match="no answer within 2 s"):
            await bench.driver.locate("1", LANDLINE)
        await bench.driver.expect("location.answered", within=4.5, call="1")


async def test_wrong_is_another_caller_s() -> None:
    async with running() as bench:
        await bench.driver.fail("wrong")
        landline = await bench.driver.locate("1", LANDLINE)
        assert landline.locations
        assert landline.locations[0].subscriber is not None
        assert landline.locations[0].subscriber.name != "Ailsa Exemplar"
        mobile = await bench.driver.locate("2", STILL)
        await bench.driver.recover()
        right = await bench.driver.locate("3", STILL)
        assert mobile.locations[0].area != right.locations[0].area


async def test_unknown_knows_nobody_and_no_updates_come_where_none_are_to() -> None:
    async with running() as bench:
        await bench.driver.fail("unknown")
        assert (await bench.driver.locate("1", LANDLINE)).status is Status.UNKNOWN
        await bench.driver.fail("no_updates")
        await bench.driver.locate("2", STILL)
        await bench.driver.send_aml(STILL, AML)
        await asyncio.sleep(5)
        assert len(bench.driver.known("2").locations) == 1


async def test_the_status_tells_what_is_wrong_and_what_goes_on() -> None:
    async with running() as bench:
        await bench.driver.locate("1", MOBILE)
        await bench.driver.fail("no_updates")
        told = (await bench.http.get("/v1/status")).json()
        host, port = bench.simulator.link_address
        assert told == {
            "link": f"{host}:{port}",
            "fault": "no_updates",
            "calls": 1,
            "handsets_sending": 1,
            "positions_kept": 0,
            "landlines": 301,
        }
        bench.driver.release("1")
        await asyncio.sleep(0.1)
        assert (await bench.http.get("/v1/status")).json()["calls"] == 0


@pytest.mark.parametrize(
    ("method", "path", "content", "code"),
    [
        ("PUT", "/v1/fault", b'{"fault":"on fire"}', 422),
        ("PUT", "/v1/fault", b'{"fault":"slow","seconds":-1}', 422),
        ("PUT", "/v1/fault", b"\xff", 400),
        ("POST", "/v1/sms", b'{"from":"abc","text":"x"}', 422),
        ("POST", "/v1/sms", b"x" * (MAX_CONTROL_BODY + 1), 413),
        ("GET", "/aml", b"", 405),
        ("POST", "/v1/other", b"", 404),
    ],
)
async def test_what_the_control_interface_can_not_take_is_refused(
    method: str, path: str, content: bytes, code: int
) -> None:
    async with running() as bench:
        response = await bench.http.request(method, path, content=content, headers={"Content-Type": "application/json"})
        assert response.status_code == code


async def test_with_a_token_control_and_links_need_it_and_handsets_do_not() -> None:
    async with running(token="s3cret") as bench:
        assert (await bench.driver.locate("1", LANDLINE)).status is Status.FOUND
        assert (await bench.http.get("/v1/status")).status_code == 401
        assert (await bench.http.put("/v1/fault", json={"fault": "down"})).status_code == 401
        assert (await bench.http.get("/openapi.json")).status_code == 404
        assert (await bench.http.post("/aml", content=b"v=1")).status_code == 202
        await bench.driver.fail("down")
        stranger = LocationService.open(
            bench.ours, "stranger", link=bench.simulator.link_address, permit=lambda _w, _n: None
        )
        await bench.driver.recover()
        down = await stranger.expect("location.link_down", within=20, cause=lambda cause: "unauthorised" in cause)
        assert "s3cret" not in down.told()
        await stranger.close()
        assert "s3cret" not in bench.ours.journal.lines() + bench.theirs.journal.lines()


async def test_beyond_loopback_a_token_is_needed() -> None:
    with pytest.raises(LocalError, match="needs 'token': only loopback goes without"):
        await LocationSimulator.start(Context.create(), LocationSettings(host="0.0.0.0"), virtual=True)


async def test_a_codec_that_is_not_installed_is_told_and_nothing_stays_up() -> None:
    with pytest.raises(LocalError, match="no caller-location codec 'eisec' is installed"):
        await LocationSimulator.start(Context.create(), LocationSettings(codec="eisec"), virtual=True)


async def _journal(seed: int) -> str:
    async with running(seed=seed) as bench:
        await bench.driver.locate("1", MOBILE)
        await bench.driver.fail("silent", for_s=10)
        await asyncio.sleep(40)
        return bench.ours.journal.lines() + bench.theirs.journal.lines()


async def test_one_seed_gives_one_journal_and_another_another() -> None:
    # Ports are counted on through a loop's life, so one is left out of what is compared.
    def without_ports(text: str) -> str:
        return "".join("" if "at 127.0.0.1" in line else line for line in text.splitlines(keepends=True))

    async def once(seed: int) -> str:
        return without_ports(await _journal(seed))

    def told(text: str) -> list[str]:
        return [line.partition('"kind"')[2] for line in text.splitlines()]

    assert told(await once(5)) == told(await once(5))
    assert told(await once(5)) != told(await once(6))


# -- the driver on a real service --------------------------------------------------------------------------------------


async def test_nothing_leaves_that_the_interlock_refuses() -> None:
    async with running() as bench:

        def permit(what: str, number: str) -> None:
            raise InterlockError(f"{what} of {number} is not allowed")

        careful = LocationService.open(
            bench.ours,
            "careful",
            link=bench.simulator.link_address,
            aml=bench.simulator.http_url,
            control=bench.simulator.http_url,
            permit=permit,
        )
        await careful.linked()
        mark = bench.theirs.journal.position
        with pytest.raises(InterlockError, match=r"query of \+441414960123"):
            await careful.locate("1", LANDLINE)
        for act in (
            careful.send_aml(STILL, AML),
            careful.post_aml(AmlForm(number=STILL)),
            careful.send_text(STILL, "x"),
        ):
            with pytest.raises(InterlockError, match="AML of"):
                await act
        await asyncio.sleep(10)
        assert [event.kind for event in bench.theirs.journal.since(mark)] == []
        await careful.close()


async def test_a_real_service_has_no_switches_and_may_have_no_intake() -> None:
    async with running() as bench:
        real = LocationService.open(bench.ours, "real", link=bench.simulator.link_address, permit=lambda _w, _n: None)
        with pytest.raises(NotPlayedError, match="real is real: it is not made to fail from here"):
            await real.fail("down")
        with pytest.raises(NotPlayedError, match="real is real and has no 'aml'"):
            await real.post_aml(AmlForm(number=STILL))
        with pytest.raises(DriverError, match="call 'x' was not asked about"):
            real.known("x")
        await real.close()
