"""999 calls through the emergency network: who gets them, by which way, where the caller is, and what is kept."""

from __future__ import annotations

import asyncio

import pytest

from harness.drivers.console import Console
from harness.drivers.phone_call import PhoneCall
from harness.evidence.requirements import catalogue
from harness.journal import Event
from harness.measure.verdict import recognised
from harness.protocols.location.aml_sms import Aml
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

SITES = ("govan-12", "motherwell-01", "hamilton-01")
SAID = ("emergency-busy", "ivr-main", "ivr-update", "queue-full", "callback-offer")
MOBILE = "+447700900123"


def figure(requirement_id: str, name: str) -> float:
    """One of a requirement's figures."""
    return float(catalogue()[requirement_id].figure(name).value)


async def connecting(bench: Bench, phone: str = "mobile", authority: str | None = None) -> PhoneCall:
    """A caller dials 999; the operator at the desk answers and connects to the control room."""
    operator, caller = await bench.emergency_operator(), await bench.caller_phone(phone)
    call = await caller.dial("999")
    await operator.expect("call.waiting", within=5.0)
    await operator.answer()
    await call.answered(within=5.0)
    await operator.connect(authority)
    return call


async def taken(console: Console, *, cli: str = MOBILE, within: float = 2.0) -> Event:
    """The 999 call of a number that rings at a console, answered there; as it was shown when it rang."""
    rings = await console.expect("call.ringing", within=within, queue="emergency", cli=cli)
    await console.answer(call=rings.data["call"])
    await console.expect("call.connected", within=2.0, call=rings.data["call"])
    return rings


@requirement("NICCS-TEL-004")
@pytest.mark.parametrize("free", SITES)
async def test_the_first_available_adviser_gets_the_call_wherever_that_is(bench: Bench, free: str) -> None:
    """At each of three sites the adviser has a call and one more waits: whoever is free first has it, at any site."""
    trunk, supervisor = await bench.trunk(), await bench.supervisor()
    consoles = {name: await bench.console(name) for name in SITES}
    for number, console in enumerate(consoles.values()):
        await trunk.dial("999", cli=f"+44770090020{number}")
        await taken(console, cli=f"+44770090020{number}")
    caller = await trunk.dial("999", cli="+447700900209")
    await supervisor.wait_for("emergency", "waiting", 1, within=2.0)
    await consoles[free].clear()
    rings = await taken(consoles[free], cli="+447700900209")
    await caller.answered(within=2.0)
    had = (await supervisor.record(rings.data["record"]))["positions"]
    assert had == [consoles[free].position], f"the call was had by {had}; {free} was the first to be free"


@requirement("NICCS-TEL-005")
async def test_with_all_busy_a_999_caller_hears_the_emergency_announcement(bench: Bench) -> None:
    """The one adviser at work has a call; the next 999 caller hears the emergency announcement, then is answered."""
    adviser, trunk = await bench.console("govan-12"), await bench.trunk()
    await trunk.dial("999", cli="+447700900201")
    await taken(adviser, cli="+447700900201")
    call = await connecting(bench)
    clips = {name: read_clip(f"announcements/{name}") for name in SAID}
    await call.record()
    await asyncio.sleep(1.5 * len(clips["emergency-busy"]) / SAMPLE_RATE)
    heard, likeness = recognised(clips, await call.recorded())
    assert heard == "emergency-busy", f"the caller heard {heard} ({likeness:.2f}), due the emergency announcement"
    await adviser.clear()
    await taken(adviser)


@requirement("NICCS-TEL-007")
async def test_a_handsets_position_is_shown_and_the_cells_is_kept(bench: Bench) -> None:
    """In the call the handset's position comes: it is shown, near enough, and the mast's stays in the record."""
    adviser, location, supervisor = (
        await bench.console("govan-12"),
        await bench.location_service(),
        await bench.supervisor(),
    )
    await connecting(bench)
    rings = await taken(adviser)
    cell = await adviser.expect("location.shown", within=5.0, call=rings.data["call"], source="cell")
    radius = figure("NICCS-TEL-007", "aml_radius_m")
    await location.send_aml(MOBILE, Aml(55.8651, -4.2499, radius, confidence=90))
    shown = await adviser.expect("location.shown", within=5.0, call=rings.data["call"], source="AML")
    bench.measured("radius", shown.data["radius"], "m", requirement="NICCS-TEL-007", figure="aml_radius_m")
    kept = (await supervisor.record(rings.data["record"]))["locations"]
    assert [each["source"] for each in kept[:2]] == ["cell", "AML"], f"the record keeps {kept}; cell and AML are due"
    assert kept[0]["latitude"] == cell.data["latitude"], "the mast's position was written over"


async def lifted_again(bench: Bench, share: float) -> None:
    """A receiver is put down and lifted after a share of the time: no new call, and the caller is heard again."""
    adviser, landline = await bench.console("govan-12"), await bench.caller_phone("landline")
    supervisor = await bench.supervisor()
    call = await connecting(bench, "landline")
    rings = await taken(adviser, cli="+441414960123")
    await call.hang_up()
    await adviser.expect("call.caller_held", within=2.0, call=rings.data["call"])
    await asyncio.sleep(share * figure("NICCS-TEL-009", "hold_s"))
    again = await landline.lift()
    await again.answered(within=5.0)
    await adviser.expect("call.caller_restored", within=2.0, call=rings.data["call"])
    await converse(again, adviser.headset, read_clip("caller-999"))
    record = await supervisor.record(rings.data["record"])
    assert record["calls"] == [rings.data["call"]], f"the record has the calls {record['calls']}; one is due"
    assert len(await supervisor.records(cli="+441414960123")) == 1, "the call stands on more than one record"


@requirement("NICCS-TEL-009")
async def test_a_landline_that_is_lifted_again_at_once_is_the_same_call_and_record(bench: Bench) -> None:
    """Lifted after a twentieth of the time for which the circuit is kept."""
    await lifted_again(bench, 0.05)


@requirement("NICCS-TEL-009")
@pytest.mark.virtual_time
async def test_a_landline_that_is_lifted_again_just_in_time_is_the_same_call_and_record(bench: Bench) -> None:
    """Lifted shortly before the circuit would be released; in virtual time, as the wait is long."""
    await lifted_again(bench, 0.95)


@requirement("NICCS-TEL-009")
@pytest.mark.virtual_time
async def test_a_landline_that_is_not_lifted_again_is_cleared(bench: Bench) -> None:
    """The circuit is kept for its time and no longer: the call taker's call is cleared then."""
    adviser, hold_s = await bench.console("govan-12"), figure("NICCS-TEL-009", "hold_s")
    call = await connecting(bench, "landline")
    rings = await taken(adviser, cli="+441414960123")
    await call.hang_up()
    held = await adviser.expect("call.caller_held", within=2.0, call=rings.data["call"])
    over = await adviser.expect("call.cleared", within=hold_s + 5.0, call=rings.data["call"])
    assert over.time - held.time == pytest.approx(hold_s, abs=1.0), f"the circuit is to be kept for {hold_s:g} s"


@requirement("NICCS-TEL-010")
async def test_with_the_location_service_down_voice_goes_on_and_the_adviser_is_prompted(bench: Bench) -> None:
    """The service is gone before the call: it is answered and heard both ways, and the adviser enters the place."""
    adviser, location, supervisor = (
        await bench.console("govan-12"),
        await bench.location_service(),
        await bench.supervisor(),
    )
    await location.linked()
    await location.fail("down", for_s=60.0)
    await adviser.expect("location.service", within=5.0, up=False)
    call = await connecting(bench)
    rings = await taken(adviser)
    await adviser.expect("location.prompt", within=2.0, call=rings.data["call"])
    await converse(call, adviser.headset, read_clip("caller-999"))
    await converse(adviser.headset, call, read_clip("call-taker"))
    await adviser.enter_location("12 Testbed Street, Govan")
    await adviser.expect("location.shown", within=2.0, call=rings.data["call"], source="manual")
    kept = (await supervisor.record(rings.data["record"]))["locations"]
    assert [each["source"] for each in kept] == ["manual"]


@requirement("NICCS-TEL-011")
@pytest.mark.parametrize(("cut", "due"), [(("primary",), "secondary"), (("primary", "secondary"), "tertiary")])
async def test_a_call_takes_the_next_route_when_one_fails(bench: Bench, cut: tuple[str, ...], due: str) -> None:
    """Routes are cut; the call comes by the next one, is told so, and both sides hear each other."""
    adviser, network = await bench.console("govan-12"), await bench.emergency_network()
    try:
        for route in cut:
            await network.set_route("police", route, cut=True)
        call = await connecting(bench)
        rings = await taken(adviser, within=10.0)
        assert rings.data["route"] == due, f"the call came by the {rings.data['route']} route; {due} is due"
        await converse(call, adviser.headset, read_clip("caller-999"))
    finally:
        for route in cut:
            await network.set_route("police", route, cut=False)
