"""Failure demand: each contact made because of a failure of the force's own is coded, and counted in a report."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

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


def contacts(rows: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str]]:
    """A report's rows: how many contacts by code and channel."""
    return Counter({(row["code"], row["channel"]): int(row["contacts"]) for row in rows})


@requirement("SVC-015")
async def test_what_is_coded_is_in_the_report_by_code_and_channel_as_json_and_as_csv(bench: Bench) -> None:
    crm = await bench.crm()
    before = await crm.service.failure_demand()
    for number, (channel, code) in enumerate(CODED):
        told = RecordTold(channel, "2026-01-01T10:00:00Z", Person(telephone=f"+44770090012{number}"))
        made = await crm.add_record(told, key=f"contact-{number}")
        if code is not None:
            await crm.code_failure_demand(made.id, code, by="adviser-7")
    report = await crm.service.failure_demand()
    more = {key: report[key] - before[key] for key in ("contacts", "coded", "failure_demand")}
    assert more == {"contacts": 5, "coded": 4, "failure_demand": 3}
    assert report["share_of_coded"] == pytest.approx(report["failure_demand"] / report["coded"], abs=1e-4)
    counted = contacts(report["rows"])
    assert counted - contacts(before["rows"]) == {
        ("no_update", "phone"): 2,
        ("not_attended", "contact_us"): 1,
        ("none", "phone"): 1,
        ("not_coded", "email"): 1,
    }
    rows = list(csv.DictReader(io.StringIO(await crm.service.failure_demand_csv())))
    assert contacts(rows) == counted


@requirement("SVC-015")
async def test_a_code_that_is_not_on_the_forces_list_is_refused_with_the_list(bench: Bench) -> None:
    crm = await bench.crm()
    made = await crm.add_record(RecordTold("phone", "2026-01-01T10:00:00Z"), key="contact")
    with pytest.raises(CrmError, match="'rang_twice' is no code of failure demand: there is none, no_update"):
        await crm.code_failure_demand(made.id, "rang_twice", by="adviser-7")
