"""A records check tasked by a dispatcher: accepted and returned in the incident's log here and at command and control.

Every test runs with the system in STORM's place and with what comes after it.
"""

from __future__ import annotations

import re

import pytest

from harness.drivers.console import Console
from harness.errors import DriverError
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.since import Since

pytestmark = [
    pytest.mark.waits,
    pytest.mark.parametrize(
        "system", ["storm", pytest.param("next_generation", marks=pytest.mark.testbed("next-generation"))]
    ),
]
MARK, PERSON, WHY = "QI00 TST", "Ailsa Exemplar", "stopped by a patrol in Govan Road"
RETURNED_S = 10.0
GIVEN_UP_S = 40.0


async def opened(bench: Bench) -> tuple[Console, str]:
    """A dispatcher with an incident that command and control has."""
    dispatcher = await bench.console("govan-31")
    incident = await dispatcher.open_incident("Vehicle stop")
    await dispatcher.expect("incident.registered", within=5.0, incident=incident)
    return dispatcher, incident


async def logs(bench: Bench, dispatcher: Console, incident: str) -> tuple[list[str], list[str]]:
    """The lines on records checks: here, and at command and control."""
    await (await bench.supervisor()).all_told(within=10.0)
    here = await dispatcher.incident(incident)
    there = await (await bench.command_control()).incident(here["shared_as"])
    mine, theirs = ([line["text"] for line in each["log"] if "records check" in line["text"]] for each in (here, there))
    return mine, theirs


@requirement("NICCS-INT-008")
@pytest.mark.parametrize(
    ("subject", "outcome", "due"),
    [
        ({"registration": "qi00tst"}, "trace", "QI00 TST: blue hatchback; no insurance held"),
        ({"name": PERSON, "born": "1971-01-01"}, "no_trace", "no trace"),
    ],
)
async def test_a_check_is_accepted_and_returned_in_the_log(
    bench: Bench, system: str, subject: dict[str, str], outcome: str, due: str
) -> None:
    """Two lines, in this order, in both logs; who, when and why in both audits; of whom, in no journal."""
    database, since = await bench.records_database(), await Since.now(await bench.supervisor())
    dispatcher, incident = await opened(bench)
    began = bench.journal.now()
    check = await dispatcher.check_records(incident, reason=WHY, **subject)  # type: ignore[arg-type]
    returned = await dispatcher.expect("records_check.returned", within=RETURNED_S, check=check, incident=incident)
    assert returned.data["outcome"] == outcome
    bench.measured("records check", returned.time - began, "s", limit=RETURNED_S)
    here, there = await logs(bench, dispatcher, incident)
    assert here == there
    accepted, answered = here
    assert re.match(rf"records check {check} of \w+ .*: accepted as RD-\d+; {WHY}$", accepted)
    assert answered.startswith(f"records check {check} returned: ")
    assert due in answered
    [theirs] = await database.audit()
    assert (theirs["by"], theirs["incident"], theirs["reason"], theirs["subject"]) == (
        "govan-31",
        incident,
        WHY,
        subject,
    )
    [ours] = await since.audit(act="records_check")
    assert (ours["position"], ours["outcome"], ours["why"]) == ("govan-31", "done", WHY)
    assert check in ours["target"]
    assert began <= ours["time"] <= bench.journal.now()
    assert not any(value in bench.journal.lines() for value in subject.values()), "who was checked is in a journal"


@requirement("NICCS-INT-008")
async def test_a_check_needs_a_right_and_a_reason_and_refusals_are_in_the_audit(bench: Bench, system: str) -> None:
    """A call taker has no right to it; without a reason nobody gets as far; nothing is asked of the database."""
    database, since = await bench.records_database(), await Since.now(await bench.supervisor())
    dispatcher, incident = await opened(bench)
    taker = await bench.console("govan-12")
    with pytest.raises(DriverError, match="govan-12 has no right to check_records"):
        await taker.check_records(incident, registration=MARK, reason=WHY)
    with pytest.raises(DriverError, match="422"):
        await dispatcher.check_records(incident, registration=MARK, reason="")
    with pytest.raises(DriverError, match="404: there is no incident"):
        await dispatcher.check_records("INC-999999", registration=MARK, reason=WHY)
    refused = await since.audit(act="records_check", outcome="refused")
    assert [each["position"] for each in refused] == ["govan-12", "govan-31"]
    assert await database.audit() == []


@requirement("NICCS-INT-008")
async def test_a_check_whose_acceptance_was_lost_is_made_once(bench: Bench, system: str) -> None:
    """It is sent again with its key: the database has one check, asked for twice."""
    database = await bench.records_database()
    dispatcher, incident = await opened(bench)
    await database.fail("loses_answers")
    check = await dispatcher.check_records(incident, registration=MARK, reason=WHY)
    await dispatcher.expect("records_check.returned", within=RETURNED_S, check=check)
    [kept] = await database.audit()
    assert kept["asked"] == 2
    assert len((await logs(bench, dispatcher, incident))[1]) == 2


@requirement("NICCS-INT-008")
async def test_a_database_that_fails_is_said_to_and_stops_nothing(bench: Bench, system: str) -> None:
    """Out of order: refused at once, with the reason. Silent: given up, which the log tells. Then it works again."""
    database = await bench.records_database()
    dispatcher, incident = await opened(bench)
    await database.fail("errors")
    with pytest.raises(DriverError, match="refused with 503: out of order"):
        await dispatcher.check_records(incident, registration=MARK, reason=WHY)
    await database.fail("silent")
    check = await dispatcher.check_records(incident, registration=MARK, reason=WHY)
    failed = await dispatcher.expect("records_check.failed", within=GIVEN_UP_S, check=check)
    assert failed.data["reason"] == "not returned within 30 s"
    await database.recover()
    again = await dispatcher.check_records(incident, registration=MARK, reason=WHY)
    await dispatcher.expect("records_check.returned", within=RETURNED_S, check=again)
    _, there = await logs(bench, dispatcher, incident)
    assert [line.split(":")[0].split(" of ")[0] for line in there] == [
        f"records check {check}",
        f"records check {check} failed",
        f"records check {again}",
        f"records check {again} returned",
    ]
