"""Failure demand: each contact made because of a failure of the force's own is coded, and counted in a report."""

from __future__ import annotations

import csv
import io

import pytest

from harness.endpoints.crm import Person, RecordTold
from harness.errors import CrmError
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("service-centre")
CODED = (
    ("phone", "no_update"),
    ("phone", "no_update"),
    ("contact_us", "not_attended"),
    ("phone", "none"),
    ("email", None),
)


@requirement("SVC-015")
async def test_what_is_coded_is_in_the_report_by_code_and_channel_as_json_and_as_csv(bench: Bench) -> None:
    crm = await bench.crm()
    for number, (channel, code) in enumerate(CODED):
        told = RecordTold(channel, "2026-01-01T10:00:00Z", Person(telephone=f"+44770090012{number}"))
        made = await crm.add_record(told, key=f"contact-{number}")
        if code is not None:
            await crm.code_failure_demand(made.id, code, by="adviser-7")
    report = await crm.service.failure_demand()
    assert {key: report[key] for key in ("contacts", "coded", "failure_demand", "share_of_coded")} == {
        "contacts": 5,
        "coded": 4,
        "failure_demand": 3,
        "share_of_coded": 0.75,
    }
    counted = {(row["code"], row["channel"]): row["contacts"] for row in report["rows"]}
    assert counted == {
        ("no_update", "phone"): 2,
        ("not_attended", "contact_us"): 1,
        ("none", "phone"): 1,
        ("not_coded", "email"): 1,
    }
    rows = list(csv.DictReader(io.StringIO(await crm.service.failure_demand_csv())))
    assert {(row["code"], row["channel"]): int(row["contacts"]) for row in rows} == counted


@requirement("SVC-015")
async def test_a_code_that_is_not_on_the_forces_list_is_refused_with_the_list(bench: Bench) -> None:
    crm = await bench.crm()
    made = await crm.add_record(RecordTold("phone", "2026-01-01T10:00:00Z"), key="contact")
    with pytest.raises(CrmError, match="'rang_twice' is no code of failure demand: there is none, no_update"):
        await crm.code_failure_demand(made.id, "rang_twice", by="adviser-7")
