"""A caller-location service in a testbed file: what may stand there, what may leave, and the bench on it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from harness.drivers.location import LocationService
from harness.errors import InterlockError, NotPlayedError, TestbedError
from harness.protocols.location.aml_https import AmlForm
from harness.protocols.location.caller import Source
from harness.testbed.addresses import Addresses
from harness.testbed.bench import Bench, open_bench
from harness.testbed.child import simulators
from harness.testbed.components import TlsSettings
from harness.testbed.interlock import Interlock
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.transport.context import Context
from simulators.location.settings import LocationSettings
from simulators.location.simulator import LocationSimulator

SIMULATED = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "simulated.yaml"
DAY = date(2026, 3, 10)


def layout(**component: Any) -> Testbed:
    """A testbed with one caller-location service and two numbers that may be located."""
    return Testbed.model_validate(
        {
            "name": "bench",
            "safety": {"locate": ["+447700900123", "+44141496*"]},
            "components": {"location": {"role": "caller_location", **component}},
        }
    )


REAL = {"binding": "real", "link": "192.0.2.1:9100"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{role: caller_location, binding: real}", "a real caller_location needs 'link'"),
        ("{role: caller_location, link: '192.0.2.1:1'}", "'link': for a real service; a simulator's stand under"),
        ("{role: caller_location, token: secret, codec: x}", "'codec', 'token': for a real service"),
        ("{role: caller_location, binding: real, link: '192.0.2.1:1', simulator: {}}", "'simulator' lays out"),
        ("{role: caller_location, binding: real, link: nowhere}", "found 'nowhere'"),
        ("{role: caller_location, binding: real, link: '192.0.2.1:1', aml: 'ftp://x'}", "found 'ftp://x'"),
        ("{role: caller_location, binding: real, link: '192.0.2.1:1', tls: {key: x}}", "'certificate' and 'key' go"),
        ("{role: caller_location, simulator: {landlines: [{number: '0141'}]}}", "location.simulator.landlines.0"),
        ("{role: caller_location, simulator: {speed: 1}}", "found the unknown key 'speed'; allowed: host, link_port"),
        ("{role: caller_location, simulator: {token: [1]}}", "a value that is not shown"),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "testbed.yaml"
    path.write_text(f"name: x\ncomponents:\n  location: {text}\n")
    with pytest.raises(TestbedError) as caught:
        load_testbed(path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert told in str(caught.value)


def test_a_pattern_that_would_locate_everybody_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "testbed.yaml"
    path.write_text("name: x\nsafety: {locate: ['+44*']}\ncomponents: {location: {role: caller_location}}\n")
    with pytest.raises(TestbedError, match="allows too much"):
        load_testbed(path)


def test_on_a_real_service_only_listed_numbers_are_located() -> None:
    lock = Interlock(layout(**REAL), DAY)
    lock.locate("query", "+447700900123")
    lock.locate("AML", "+441414960001")
    for number in ("+447700900124", "", "+44141", "0141 496 0001"):
        with pytest.raises(InterlockError, match=r"'bench' is not simulated, and safety\.locate names \+447700900123"):
            lock.locate("query", number)
    with pytest.raises(InterlockError, match="query of a withheld number"):
        lock.locate("query", "")
    Interlock(layout(), DAY).locate("query", "+447911123456")


@asynccontextmanager
async def bench_on(simulator: LocationSimulator, **component: Any) -> AsyncIterator[Bench]:
    """A bench whose service is real, as far as it can tell."""
    host, port = simulator.link_address
    real = layout(binding="real", link=f"{host}:{port}", **component)
    async with open_bench(real, today=DAY, addresses=Addresses(), virtual=False) as bench:
        yield bench


@pytest.mark.real_wire
async def test_on_a_real_service_nothing_leaves_that_is_not_listed() -> None:
    context = Context.create()
    simulator = await LocationSimulator.start(context, LocationSettings(), virtual=False)
    try:
        async with bench_on(simulator, aml=simulator.http_url) as bench:
            service = await bench.location_service()
            assert service is await bench.location_service("location")
            await service.linked()
            mark = context.journal.position
            with pytest.raises(InterlockError):
                await service.locate("1", "+447700900999")
            with pytest.raises(InterlockError):
                await service.post_aml(AmlForm(number="+447700900999", latitude=1, longitude=1))
            known = await service.locate("2", "+447700900123")
            assert [location.source for location in known.locations] == [Source.CELL]
            assert await service.post_aml(AmlForm(number="+447700900123", latitude=55.8, longitude=-4.2)) == 200
            await service.expect("location.received", within=5, source="AML")
            with pytest.raises(NotPlayedError, match="it is not made to fail from here"):
                await service.fail("down")
            asked = [(event.kind, event.data.get("cli")) for event in context.journal.since(mark)]
            assert {cli for _, cli in asked} == {"+447700900123"}
    finally:
        await simulator.stop()


@pytest.mark.real_wire
async def test_the_simulated_bench_in_real_time() -> None:
    with simulators(SIMULATED, origin=monotonic()) as addresses:
        async with open_bench(load_testbed(SIMULATED), today=DAY, addresses=addresses, virtual=False) as bench:
            service = await bench.location_service()
            await service.linked()
            known = await service.locate("1", "+441414960123")
            assert known.best is not None
            assert known.best.subscriber is not None
            assert known.best.subscriber.postcode == "G51 0CV"
            await service.fail("down")
            await service.down(within=1)
            await service.recover()
            await service.linked()


@pytest.mark.virtual_time
async def test_the_simulated_bench_in_virtual_time() -> None:
    async with open_bench(load_testbed(SIMULATED), today=DAY, addresses=None, virtual=True, seed=3) as bench:
        service = await bench.location_service()
        await service.linked()
        assert (await service.locate("1", "+447700900123")).locations[0].source is Source.CELL
        got = await service.expect("location.received", within=28, source="AML")
        bench.measured("aml_radius", got.data["radius"], "m", requirement="NICCS-TEL-007", figure="aml_radius_m")


def test_files_for_tls_that_can_not_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="'tls': "):
        TlsSettings(ca=tmp_path / "none.pem").context()
    (tmp_path / "bad.pem").write_text("noise")
    with pytest.raises(TestbedError, match="'tls': "):
        TlsSettings(ca=tmp_path / "bad.pem").context()
    assert isinstance(TlsSettings().context(), ssl.SSLContext)


@pytest.mark.virtual_time
async def test_a_service_that_is_not_there_does_not_hold_a_bench_up() -> None:
    context = Context.create()
    began = asyncio.get_running_loop().time()
    service = LocationService.open(context, "location", link=("127.0.0.1", 9), permit=lambda _w, _n: None)
    assert asyncio.get_running_loop().time() == began
    await service.close()
