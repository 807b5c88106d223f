"""A caller whom the CRM knows: the console shows markers and history in time, audited; with no CRM it says so."""

from __future__ import annotations

from typing import Any

import pytest

from harness.drivers.console import Console
from harness.drivers.crm import Crm
from harness.drivers.trunk import TrunkCall
from harness.endpoints.crm import Person, RecordTold
from harness.evidence.requirements import catalogue
from harness.journal import Event
from harness.protocols import times
from harness.pytest_plugin import requirement
from harness.testbed.adviser_record import moment_of
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("service-centre")
KNOWN, UNKNOWN = "+447700900999", "+441632960999"
SHOWN_S = catalogue()["SVC-014"].figure("shown_s").value


async def known(crm: Crm) -> tuple[str, int]:
    """Whoever calls, as the CRM has her, and the newest entry of her audit: she was looked at before."""
    contact, *_ = await crm.find("telephone", KNOWN, user="tester", reason="acceptance test")
    return contact.id, max(each["number"] for each in await crm.service.audit(contact=contact.id))


async def looks(crm: Crm, contact: str, after: int) -> list[dict[str, Any]]:
    """Who has looked her up since an entry of her audit."""
    entries = await crm.service.audit(contact=contact)
    return [each for each in entries if each["action"] == "contacts.found" and each["number"] > after]


async def answered(bench: Bench, adviser: Console, cli: str | None) -> tuple[TrunkCall, Event]:
    """A call that an adviser has taken, and the event of its answer."""
    after = bench.journal.position
    call = await (await bench.trunk()).dial("999", cli=cli)
    ringing = await adviser.expect("call.ringing", within=2.0, after=after)
    await adviser.answer(call=ringing.data["call"])
    await call.answered(within=2.0)
    return call, await adviser.expect("call.connected", within=2.0, call=ringing.data["call"])


@requirement("SVC-014", "NICCS-INT-007")
async def test_a_known_callers_markers_and_history_are_shown_in_time_and_the_look_is_audited(bench: Bench) -> None:
    crm, adviser = await bench.crm(), await bench.console("govan-01")
    now = times.to_iso(moment_of(bench, bench.journal.now()))
    told = RecordTold("phone", now, Person("Isla Munro", KNOWN), "She called before", ("vulnerable",))
    before = await crm.add_record(told, key="earlier-call")
    id_, seen = await known(crm)
    _call, connected = await answered(bench, adviser, KNOWN)
    shown, contacts = await adviser.caller_shown(connected.data["call"], within=SHOWN_S)
    took = shown.time - connected.time
    bench.measured("known_caller_shown", took, "s", requirement="SVC-014", figure="shown_s")
    bench.measured("crm_flags_shown", took, "s", requirement="NICCS-INT-007", figure="flags_s")
    [contact] = [each for each in contacts if each["name"] == "Isla Munro"]
    assert [marker["kind"] for marker in contact["markers"]] == ["domestic_abuse", "hearing"]
    assert before.id in [each["record"] for each in contact["history"]]
    assert contact["id"] == id_
    [look] = await looks(crm, id_, seen)
    assert (look["user"], look["reason"]) == ("govan-01", "call")
    assert (await crm.service.verify_audit())["intact"] is True
    assert "Isla" not in bench.journal.lines()


@requirement("SVC-014")
async def test_whoever_gets_the_call_next_is_shown_it_too_and_audited_as_themselves(bench: Bench) -> None:
    crm, adviser = await bench.crm(), await bench.console("govan-01")
    other = await bench.console("govan-02")
    id_, seen = await known(crm)
    _call, connected = await answered(bench, adviser, KNOWN)
    await adviser.caller_shown(connected.data["call"], within=SHOWN_S)
    await adviser.transfer("govan-02")
    await other.expect("call.ringing", within=2.0)
    await other.answer()
    taken = await other.expect("call.connected", within=2.0)
    await other.caller_shown(taken.data["call"], within=SHOWN_S)
    assert [each["user"] for each in await looks(crm, id_, seen)] == ["govan-01", "govan-02"]


@requirement("SVC-014")
@pytest.mark.parametrize("cli", [UNKNOWN, None])
async def test_of_a_caller_whom_nobody_knows_or_whose_number_is_withheld_nothing_is_shown(
    bench: Bench, cli: str | None
) -> None:
    adviser = await bench.console("govan-01")
    _call, connected = await answered(bench, adviser, cli)
    call = connected.data["call"]
    if cli is None:
        await adviser.expect("crm.not_asked", within=SHOWN_S, call=call, reason="the caller's number is not known")
        return
    _shown, contacts = await adviser.caller_shown(call, within=SHOWN_S)
    assert contacts == []


@requirement("NICCS-INT-007", "NICCS-RES-008")
@pytest.mark.parametrize("fault", ["down", "silent", "errors"])
async def test_a_crm_that_does_not_answer_leaves_the_call_alone_and_the_console_says_so(
    bench: Bench, fault: str
) -> None:
    """Nor are supervisors left to find out: it is an alarm with severity and impact, until it answers again."""
    crm, adviser, supervisor = await bench.crm(), await bench.console("govan-01"), await bench.supervisor()
    await crm.fail(fault)
    try:
        call, connected = await answered(bench, adviser, KNOWN)
        await adviser.expect("crm.unavailable", within=SHOWN_S + 0.5, call=connected.data["call"])
        [alarm] = [each for each in await supervisor.alarms() if each["what"] == "crm_lost"]
        assert (alarm["fault"], alarm["severity"]) == ("CRM", "major")
        assert "calls are answered" in alarm["impact"]
        await adviser.clear()
        await call.ended(within=2.0)
    finally:
        await crm.recover()
    _call, connected = await answered(bench, adviser, KNOWN)
    _shown, contacts = await adviser.caller_shown(connected.data["call"], within=SHOWN_S)
    assert contacts
    assert "crm_lost" not in [each["what"] for each in await supervisor.alarms()]
