"""Where a 999 caller is: shown with the call, made finer by the handset, and asked for where nobody can tell."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

import pytest

from harness.evidence.requirements import catalogue
from harness.journal import Event
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse
from harness.testbed.emergency_call import in_hand

pytestmark = pytest.mark.waits

EARTH_M = 6_371_000
AML_LATEST = 3
"""AML's figure is a mean of all handsets': one may take so many times as long."""
HANDED_OVER_S = 15.0
"""The operator has spoken the hand-over and left within this."""


def metres(shown: Event, latitude: float, longitude: float) -> float:
    """How far what is shown lies from a place (haversine)."""
    north = radians(shown.data["latitude"] - latitude)
    east = radians(shown.data["longitude"] - longitude)
    part = sin(north / 2) ** 2 + cos(radians(latitude)) * cos(radians(shown.data["latitude"])) * sin(east / 2) ** 2
    return 2 * EARTH_M * asin(sqrt(part))


@requirement("NICCS-TEL-006")
async def test_a_landlines_address_is_shown_in_time(bench: Bench) -> None:
    """The postal address of the line, within the figure of the answer."""
    adviser, landline = await bench.console("govan-12"), await bench.caller_phone("landline")
    call, answered = await in_hand(landline, adviser)
    shown = await adviser.expect("location.shown", within=10.0, cli=landline.number)
    took = max(0.0, shown.time - answered.time)
    bench.measured("location landline", took, "s", requirement="NICCS-TEL-006", figure="location_s")
    assert "G51 0CV" in str(dict(shown.data)), f"the line's postcode is not among what is shown: {dict(shown.data)}"
    await call.hang_up()
    await adviser.clear()


@requirement("NICCS-TEL-006", "NICCS-TEL-007")
async def test_a_mobiles_cell_is_shown_in_time_and_kept_when_the_handset_tells_more(bench: Bench) -> None:
    """The cell fix comes with the call; the handset's own position follows, finer, and the record has both."""
    adviser, mobile = await bench.console("govan-12"), await bench.caller_phone("aml-mobile")
    supervisor = await bench.supervisor()
    dialled = bench.journal.now()
    call, answered = await in_hand(mobile, adviser)
    cell = await adviser.expect("location.shown", within=10.0, cli=mobile.number, source="cell")
    took = max(0.0, cell.time - answered.time)
    bench.measured("location cell", took, "s", requirement="NICCS-TEL-006", figure="location_s")

    figures = catalogue()["NICCS-TEL-007"]
    mean_s = figures.figure("aml_mean_s").value
    handset = await adviser.expect("location.shown", within=AML_LATEST * mean_s, cli=mobile.number, source="AML")
    bench.measured("aml_arrival", handset.time - dialled, "s", limit=AML_LATEST * mean_s)
    bench.measured("aml_radius", handset.data["radius"], "m", requirement="NICCS-TEL-007", figure="aml_radius_m")
    away = metres(handset, 55.8583, -4.2590)
    bench.measured("aml_error", away, "m", requirement="NICCS-TEL-007", figure="aml_radius_m")
    assert handset.data["radius"] < cell.data["radius"], "the handset's position is no finer than the cell"

    record = await supervisor.record(cell.data["record"])
    assert [each["source"] for each in record["locations"]] == ["cell", "AML"], "the cell fix is to stay on the record"
    await call.hang_up()
    await adviser.expect("call.cleared", within=5.0)


@requirement("NICCS-TEL-010")
async def test_without_the_location_service_the_call_is_unharmed_and_the_adviser_is_told_to_ask(bench: Bench) -> None:
    """The service fails, 999 rings, both hear each other, the adviser is prompted at once and writes the place down."""
    adviser, landline = await bench.console("govan-12"), await bench.caller_phone("landline")
    service, supervisor = await bench.location_service(), await bench.supervisor()
    await service.fail("down")
    try:
        down = await adviser.expect("location.service", within=10.0, up=False)
        call, answered = await in_hand(landline, adviser)
        prompt = await adviser.expect("location.prompt", within=5.0, call=answered.data["call"])
        took = prompt.time - answered.time
        bench.measured("location_prompt", took, "s", requirement="NICCS-TEL-010", figure="prompt_s")
        await adviser.expect("call.operator_left", within=HANDED_OVER_S)
        await converse(call, adviser.headset, read_clip("caller-999"))
        await converse(adviser.headset, call, read_clip("call-taker"))
        await adviser.enter_location("12 Testbed Street, Govan")
        shown = await adviser.expect("location.shown", within=2.0, source="manual")
        record = await supervisor.record(shown.data["record"])
        assert record["locations"][-1]["source"] == "manual"
        await call.hang_up()
        await adviser.clear()
    finally:
        await service.recover()
    await adviser.expect("location.service", within=30.0, up=True, after=down.seq)
