"""An emergency network in a testbed file: what may stand there, what may leave, and the bench on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.endpoints.media import open_media
from harness.errors import DriverError, InterlockError, NotPlayedError, TestbedError
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import Samples
from harness.testbed.addresses import Addresses
from harness.testbed.bench import Bench, open_bench
from harness.testbed.clips import AUDIO
from harness.testbed.conversation import converse
from harness.testbed.interlock import Interlock
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.testbed.simulation import Simulation
from harness.transport.context import Context
from simulators.emergency.announcements import Announcements
from simulators.emergency.settings import EmergencySettings
from simulators.emergency.simulator import EmergencyNetwork

FILES = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds"
SIMULATED, TWO_ROOMS = FILES / "simulated.yaml", FILES / "emergency-network.yaml"
DAY = date(2026, 3, 10)
PERMIT = {
    "what": "emergency_call",
    "target": "999",
    "valid_from": DAY,
    "valid_until": DAY,
    "approved_by": "Duty manager",
}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("net: {role: emergency_network, binding: real}", "a real emergency_network needs 'sip'"),
        (
            "net: {role: emergency_network, sip: '192.0.2.1:5060'}",
            "'sip', 'control' and 'control_token' are for a real",
        ),
        ("net: {role: emergency_network, binding: real, sip: 'x:1', simulator: {}}", "'simulator' lays out"),
        (
            "net: {role: emergency_network}",
            "found 'iccs'; allowed: a component with role 'iccs' (none is there), or host",
        ),
        (
            "net: {role: emergency_network, simulator: {authorities: [{name: a, routes: [{to: '192.0.2.1:5060'}]}]}}",
            "components.net.simulator.authorities.0.routes.0.to: found '192.0.2.1:5060'; allowed: a component",
        ),
        (
            "net: {role: emergency_network, simulator: {authorities: [{name: a, routes: [{}], critical: {to: b}}]}}",
            "components.net.simulator.authorities.0.critical.to: found 'b'",
        ),
        (
            "net: {role: emergency_network, simulator: "
            "{location: 'http://192.0.2.1', authorities: [{name: a, routes: [{}]}]}}",
            "components.net.simulator.location: found 'http://192.0.2.1'; allowed: a component with role 'caller_loc",
        ),
        (
            "net: {role: emergency_network, simulator: {hold: 1}}",
            "found the unknown key 'hold'; allowed: host, sip_port",
        ),
        (
            "a: {role: caller_phone}",
            "components.a.of: found 'emergency'; allowed: a component with role 'emergency_net",
        ),
        ("a: {role: caller_phone, number: '0141 496 0123'}", "components.a.number: found '0141 496 0123'"),
        ("a: {role: caller_phone, aml: {latitude: 55, longitude: -4}}", "'aml' needs 'number'"),
        (
            "a: {role: caller_phone, number: '+447700900123', aml: {way: https, latitude: 55, longitude: -4}}",
            "'aml.way' https needs 'location'",
        ),
        ("a: {role: emergency_operator, desk: operator-1}", "components.a.of: found 'emergency'"),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "testbed.yaml"
    path.write_text(f"name: x\ncomponents:\n  {text}\n")
    with pytest.raises(TestbedError) as caught:
        load_testbed(path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{role: emergency_operator, desk: operator-9, of: emergency}", "desk: found 'operator-9'; allowed: a desk of"),
        ("{role: caller_phone, of: emergency, location: iccs}", "location: found 'iccs'; allowed: a component with"),
    ],
)
def test_what_a_component_names_is_looked_up(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "testbed.yaml"
    path.write_text(
        f"name: x\ncomponents:\n  iccs: {{role: iccs}}\n  emergency: {{role: emergency_network}}\n  a: {line}\n"
    )
    with pytest.raises(TestbedError) as caught:
        load_testbed(path)
    assert str(caught.value).startswith(f"{path}:5: components.a.")
    assert told in str(caught.value)


@asynccontextmanager
async def on(path: Path) -> AsyncIterator[Bench]:
    """A bench in virtual time."""
    async with open_bench(load_testbed(path), today=DAY, addresses=None, virtual=True, seed=5) as bench:
        yield bench


@pytest.mark.virtual_time
async def test_from_the_caller_s_telephone_to_a_position(speech: Callable[[str], Samples]) -> None:
    async with on(SIMULATED) as bench:
        network, call_taker = await bench.emergency_network(), await bench.console("govan-12")
        mobile = await bench.caller_phone("mobile")
        assert mobile is await bench.caller_phone("mobile")
        call = await mobile.dial()
        await call.answered(within=3.0)
        await asyncio.sleep(3.0)
        await call.say(speech("caller-999"))
        await call_taker.expect("call.ringing", within=20.0, queue="emergency", cli=mobile.number)
        await call_taker.headset.record()
        await call_taker.answer(queue="emergency")
        connected = await network.expect("call.connected", within=3.0)
        await asyncio.sleep(5.0)
        assert correlation(speech("operator-handover"), (await call_taker.headset.recorded()).samples) > 0.8
        await network.expect("operator.left", within=10.0)
        await converse(call, call_taker.headset, speech("caller-999"))
        await converse(call_taker, call, speech("call-taker"))
        await call.press("7")
        await call_taker.expect("call.dtmf", within=2.0, digit="7")
        await call_taker.clear()
        await call.ended(within=2.0)
        record = await network.record(str(connected.data["call"]))
        assert (record["outcome"], record["cleared_by"]) == ("answered", "control-room")


@pytest.mark.virtual_time
async def test_a_control_room_that_does_not_answer_is_passed_by_to_its_buddy_and_its_critical_number() -> None:
    async with on(TWO_ROOMS) as bench:
        west, east = await bench.console("west-01"), await bench.console("east-01")
        network = await bench.emergency_network()
        call = await (await bench.caller_phone("landline")).dial("112")
        await call.answered(within=3.0)
        await west.expect("call.ringing", within=30.0, queue="emergency")
        await east.expect("call.ringing", within=60.0, queue="emergency", cli="+441414960123")
        await west.expect("call.ringing", within=60.0, queue="critical")
        await west.answer(queue="critical")
        connected = await network.expect("call.connected", within=3.0)
        assert (connected.data["authority"], connected.data["route"]) == ("police-west", "critical")


@pytest.mark.virtual_time
async def test_a_telephone_without_a_number_calls_all_the_same() -> None:
    async with on(TWO_ROOMS) as bench:
        network = await bench.emergency_network()
        await (await bench.caller_phone("no-number")).dial()
        assert (await network.expect("call.waiting", within=2.0)).data["cli"] is None


def real(**more: Any) -> Testbed:
    """A testbed whose control room is real, as far as the interlock can tell: nobody is at its address."""
    return Testbed.model_validate(
        {
            "name": "bench",
            "components": {
                "iccs": {"role": "iccs", "binding": "real", "sip": "127.0.0.1:9"},
                "emergency": {"role": "emergency_network"},
                "operator": {"role": "emergency_operator", "desk": "operator-1"},
                "mobile": {"role": "caller_phone", "number": "+447700900123"},
            },
            **more,
        }
    )


@pytest.mark.real_wire
async def test_towards_a_real_control_room_nothing_is_dialled_without_a_permit() -> None:
    testbed = real()
    context = Context.create()
    simulation = await Simulation.start(context, testbed, Interlock(testbed, DAY), virtual=False)
    try:
        async with open_bench(testbed, today=DAY, addresses=simulation.addresses, virtual=False) as bench:
            mobile, operator = await bench.caller_phone(), await bench.emergency_operator()
            network = await bench.emergency_network()
            mark = bench.journal.position
            for dialled in ("999", "112", "18000", "urn:service:sos.police"):
                with pytest.raises(InterlockError, match="needs a dated permit"):
                    await mobile.dial(dialled)
            with pytest.raises(InterlockError, match="needs a dated permit"):
                await mobile.send_text("register")
            with pytest.raises(InterlockError, match="needs a dated permit"):
                await operator.call_control_room("police", route="primary")
            with pytest.raises(InterlockError, match="needs a dated permit"):
                await network.start_spate(2, 1)
            assert [event for event in bench.journal.since(mark) if event.kind == "sip.sent"] == []
            assert await network.calls() == []
        told = [event for event in context.journal if event.kind == "sip.sent" and event.data.get("method") == "INVITE"]
        assert told == []
    finally:
        await simulation.stop()
        context.close()


@pytest.mark.real_wire
async def test_with_a_permit_the_real_control_room_is_called() -> None:
    testbed = real(safety={"permits": [PERMIT]})
    context = Context.create()
    simulation = await Simulation.start(context, testbed, Interlock(testbed, DAY), virtual=False)
    try:
        async with open_bench(testbed, today=DAY, addresses=simulation.addresses, virtual=False) as bench:
            operator, mobile = await bench.emergency_operator(), await bench.caller_phone()
            call = await mobile.dial("999")
            await operator.expect("call.waiting", within=3.0)
            await operator.answer()
            await call.answered(within=3.0)
            await operator.connect("police", route="primary")
            await operator.expect("call.connecting", within=3.0, route="primary")
            with pytest.raises(InterlockError, match="emergency_call to 112 needs a dated permit"):
                await (await bench.caller_phone()).dial("112")
    finally:
        await simulation.stop()
        context.close()


@pytest.mark.real_wire
async def test_a_real_network_is_called_and_only_what_its_control_interface_is_needed_for_is_refused() -> None:
    """The simulator stands for the real network; the testbed knows of its callers' side alone."""
    context = Context.create()
    media = await open_media(context, in_process=True)
    network = await EmergencyNetwork.start(
        context,
        media,
        EmergencySettings.model_validate({"authorities": [{"name": "police", "routes": [{}]}]}),
        announcements=Announcements.load(AUDIO),
        permit_dial=lambda _target: None,
        permit_locate=lambda _what, _number: None,
    )
    host, port = network.caller_address
    testbed = Testbed.model_validate(
        {
            "name": "bench",
            "safety": {"permits": [PERMIT]},
            "components": {
                "emergency": {"role": "emergency_network", "binding": "real", "sip": f"{host}:{port}"},
                "operator": {"role": "emergency_operator", "desk": "operator-1"},
                "mobile": {"role": "caller_phone", "number": "+447700900123", "transport": "tcp"},
            },
        }
    )
    try:
        async with open_bench(testbed, today=DAY, addresses=Addresses(), virtual=False) as bench:
            mobile = await bench.caller_phone()
            with pytest.raises(InterlockError):
                await mobile.dial("112")
            call = await mobile.dial("999")
            await call.answered(within=5.0)
            for opening in (bench.emergency_network(), bench.emergency_operator()):
                with pytest.raises(NotPlayedError, match="emergency is real and has no 'control'"):
                    await opening
            with pytest.raises(DriverError, match="does not ring"):
                mobile.refuse()
    finally:
        await network.stop()
        await media.close()
        context.close()
