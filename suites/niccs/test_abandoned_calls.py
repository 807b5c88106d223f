"""Callers who give up: each is kept with how long the wait was, and a 999 caller is offered to be rung back."""

from __future__ import annotations

import asyncio

import pytest

from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.since import Since


@requirement("NICCS-TEL-018")
async def test_a_999_caller_who_gives_up_is_kept_by_wait_band_and_offered_to_be_rung_back(bench: Bench) -> None:
    """The record has the wait and its band, and the number is on the list of those to ring back."""
    adviser, trunk, supervisor = await bench.console("govan-12"), await bench.trunk(), await bench.supervisor()
    caller = await trunk.dial("999", cli="+447700900123")
    await adviser.expect("call.ringing", within=1.0, cli="+447700900123")
    await caller.hang_up()
    shown = await adviser.expect("call.abandoned", within=2.0, band="under 10 s", ring_back=True)
    record = await supervisor.record(shown.data["record"])
    assert (record["outcome"], record["band"], record["cli"]) == ("abandoned", "under 10 s", "+447700900123")
    assert shown.data["record"] in [each["record"] for each in await supervisor.ring_backs()]


WAITS = {"under 10 s": 5.0, "10 to 59 s": 30.0, "60 s and more": 75.0}
"""A wait in each band of the testbed, as its ICCS names them; seconds."""


@requirement("NICCS-TEL-018")
@pytest.mark.testbed("queues")
@pytest.mark.parametrize(("number", "queue"), [("999", "emergency"), ("101", "non_emergency")])
async def test_each_who_gives_up_is_counted_in_the_band_of_the_wait(bench: Bench, number: str, queue: str) -> None:
    """One gives up in each band: records and wallboard have it, and only 999 callers are listed to be rung back."""
    trunk, supervisor = await bench.trunk(), await bench.supervisor()
    since = await Since.now(supervisor)
    for place, (band, wait_s) in enumerate(WAITS.items()):
        caller = await trunk.dial(number, cli=f"+44770090012{place}")
        await asyncio.sleep(wait_s)
        await caller.hang_up()
        await since.wait_for(queue, "abandoned", place + 1, within=2.0)
        record, *_ = await since.records()
        assert record["cli"] == f"+44770090012{place}"
        assert (record["outcome"], record["band"]) == ("abandoned", band)
        assert record["wait_s"] == pytest.approx(wait_s, abs=1.0)
    counted = since.more(queue, await supervisor.queue(queue), "abandoned_by_band")
    assert counted == dict.fromkeys(WAITS, 1), f"the wallboard counts {counted} more, due one in each band"
    listed = [each["cli"] for each in await since.ring_backs()]
    due = [f"+44770090012{place}" for place in reversed(range(len(WAITS)))] if number == "999" else []
    assert listed == due, "999 callers with a number are to be rung back, and nobody else"


@requirement("NICCS-TEL-018")
@pytest.mark.testbed("queues")
async def test_a_caller_whose_number_is_withheld_is_logged_but_can_not_be_rung_back(bench: Bench) -> None:
    """Without a number there is a record with its band, and no offer to ring back that nobody could take up."""
    trunk, supervisor = await bench.trunk(), await bench.supervisor()
    since = await Since.now(supervisor)
    caller = await trunk.dial("999")
    await asyncio.sleep(30.0)
    await caller.hang_up()
    await since.wait_for("emergency", "abandoned", 1, within=2.0)
    (record,) = await since.records()
    assert (record["outcome"], record["band"], record["cli"]) == ("abandoned", "10 to 59 s", None)
    assert await since.ring_backs() == []


@requirement("NICCS-TEL-018")
@pytest.mark.testbed("queues")
async def test_the_offer_to_ring_back_is_taken_up_and_goes(bench: Bench) -> None:
    """The adviser who comes on duty rings the caller who gave up, on the same record; then nobody is left to ring."""
    phone, supervisor = await bench.scripted_phone("caller"), await bench.supervisor()
    since = await Since.now(supervisor)
    call = await phone.dial("999", caller=f"<sip:+447700900123@{phone.address[0]}>")
    await asyncio.sleep(30.0)
    call.hang_up()
    await since.wait_for("emergency", "abandoned", 1, within=2.0)
    (due,) = await since.ring_backs()
    adviser = await bench.console("govan-01")
    ringing = await adviser.redial(due["record"])
    await phone.called(within=2.0)
    await adviser.expect("call.connected", within=2.0, call=ringing, record=due["record"])
    assert await since.ring_backs() == []
