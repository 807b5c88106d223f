"""THRIVE at the CRM: what an assessment needs, which grades there are, when a rationale is due, when somebody looks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.drivers.crm import Crm
from harness.endpoints.crm import Person, RecordTold
from harness.errors import CrmError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("back-office")
ADVISER = "adviser-7"
FACTORS = {
    "threat": "He stands in the garden and shouts",
    "harm": "None yet",
    "risk": "Likely to force the door",
    "investigation": "Nothing to secure",
    "vulnerability": "She is alone with a child",
    "engagement": "Stays on the line",
    "rationale": "A threat to two people, one of them a child",
}
TOLD = RecordTold("phone", "2026-01-01T10:00:00Z", Person("Isla Munro", "+447700900999"), "A man shouts outside")


EARLY_S, LATE_S, LOOKS_EVERY_S = 0.5, 6.0, 0.5
"""How much sooner or later than agreed a review may be raised, and between two looks."""


async def reviews(crm: Crm, record: str) -> list[dict[str, Any]]:
    """A supervisor's tasks to review a record."""
    return await crm.service.tasks(kind="supervisor_review", about=record)


async def recorded(bench: Bench, key: str = "call-1") -> tuple[Crm, str]:
    """A record of a call, not assessed yet."""
    crm = await bench.crm()
    return crm, (await crm.add_record(TOLD, key=key)).id


async def assessed(bench: Bench, key: str = "call-1") -> tuple[Crm, str]:
    """A record of a call, assessed."""
    crm, record = await recorded(bench, key)
    await crm.assess(record, FACTORS, by=ADVISER)
    return crm, record


@requirement("SVC-005")
async def test_an_assessment_that_lacks_a_factor_or_the_rationale_is_refused_by_name(bench: Bench) -> None:
    crm, record = await recorded(bench)
    for lacks in FACTORS:
        left = {name: text for name, text in FACTORS.items() if name != lacks}
        for given in (left, left | {lacks: " \n"}):
            with pytest.raises(CrmError, match=f"rationale: {lacks} is missing or blank"):
                await crm.assess(record, given, by=ADVISER)
    assert (await crm.service.record(record, user=ADVISER, reason="test"))["thrive"] == []


@requirement("SVC-005")
async def test_an_assessment_with_all_six_factors_and_a_rationale_is_kept_as_it_was_written(bench: Bench) -> None:
    crm, record = await assessed(bench)
    [kept] = (await crm.service.record(record, user=ADVISER, reason="test"))["thrive"]
    assert {name: kept[name] for name in FACTORS} == FACTORS
    assert kept["by"] == ADVISER


@requirement("SVC-006")
async def test_each_of_the_four_grades_can_be_given(bench: Bench) -> None:
    for grade in ("Immediate", "Prompt", "Standard", "Other"):
        crm, record = await assessed(bench, f"call-{grade}")
        await crm.grade(record, grade, by=ADVISER)
        assert (await crm.service.record(record, user=ADVISER, reason="test"))["grade"] == grade


@requirement("SVC-006")
async def test_no_other_grade_can_be_given(bench: Bench) -> None:
    crm, record = await assessed(bench)
    for grade in ("Emergency", "immediate", "Priority", "Scheduled", "Grade 1", "1", ""):
        with pytest.raises(CrmError, match="is no grade: there is Immediate, Prompt, Standard, Other"):
            await crm.grade(record, grade, by=ADVISER)
    assert (await crm.service.record(record, user=ADVISER, reason="test"))["grade"] is None


@requirement("SVC-005")
async def test_a_record_that_nobody_assessed_is_not_graded(bench: Bench) -> None:
    crm, record = await recorded(bench)
    with pytest.raises(CrmError, match="has no THRIVE assessment"):
        await crm.grade(record, "Prompt", by=ADVISER)


@requirement("SVC-007")
@pytest.mark.waits
async def test_a_prompt_that_nobody_attends_is_a_supervisors_to_review_after_45_minutes_and_no_sooner(
    bench: Bench,
) -> None:
    due = catalogue()["SVC-007"].figure("review_min").value
    bench.has_time_for(due * 60)
    crm, record = await assessed(bench)
    await crm.grade(record, "Prompt", by=ADVISER)
    began = bench.journal.now()
    await asyncio.sleep(due * 60 - EARLY_S)
    assert await reviews(crm, record) == [], "it was raised too soon"
    while not await reviews(crm, record) and bench.journal.now() - began < due * 60 + LATE_S:  # noqa: ASYNC110
        await asyncio.sleep(LOOKS_EVERY_S)
    took = (bench.journal.now() - began) / 60
    [_task] = await reviews(crm, record)
    bench.measured("review_raised", took, "min", limit=due + LATE_S / 60, requirement="SVC-007")


@requirement("SVC-007")
@pytest.mark.waits
async def test_a_prompt_that_is_attended_or_graded_otherwise_needs_no_review(bench: Bench) -> None:
    bench.has_time_for(54 * 60)
    crm, attended = await assessed(bench, "call-1")
    _, regraded = await assessed(bench, "call-2")
    for record in (attended, regraded):
        await crm.grade(record, "Prompt", by=ADVISER)
    await bench.time_passes(44 * 60)
    await crm.attend(attended, by="unit-12")
    await crm.grade(regraded, "Standard", by=ADVISER, rationale="He has gone: no threat now")
    await bench.time_passes(10 * 60)
    assert [task for record in (attended, regraded) for task in await reviews(crm, record)] == []


@requirement("SVC-011")
async def test_a_regrade_or_transfer_without_a_rationale_is_refused_and_changes_nothing(bench: Bench) -> None:
    crm, record = await assessed(bench)
    await crm.grade(record, "Prompt", by=ADVISER)
    for rationale in ("", " \n"):
        with pytest.raises(CrmError, match="needs a THRIVE rationale"):
            await crm.grade(record, "Standard", by=ADVISER, rationale=rationale)
        with pytest.raises(CrmError, match="needs a THRIVE rationale"):
            await crm.transfer(record, "Force North", by=ADVISER, rationale=rationale)
    kept = await crm.service.record(record, user=ADVISER, reason="test")
    assert (kept["grade"], kept["owner"], len(kept["decisions"])) == ("Prompt", None, 1)


@requirement("SVC-011")
async def test_a_record_that_nobody_assessed_is_not_transferred(bench: Bench) -> None:
    crm, record = await recorded(bench)
    with pytest.raises(CrmError, match="has no THRIVE assessment"):
        await crm.transfer(record, "Force North", by=ADVISER, rationale="It is theirs")


@requirement("SVC-011")
async def test_a_regrade_and_a_transfer_keep_their_rationale_with_the_record(bench: Bench) -> None:
    crm, record = await assessed(bench)
    await crm.grade(record, "Prompt", by=ADVISER)
    await crm.grade(record, "Immediate", by=ADVISER, rationale="He is at the door now: the threat is immediate")
    await crm.transfer(record, "Force North", by=ADVISER, rationale="The address is theirs; the risk is unchanged")
    kept = await crm.service.record(record, user=ADVISER, reason="test")
    assert [(each["kind"], each["was"], each["now"], each["rationale"]) for each in kept["decisions"]] == [
        ("graded", None, "Prompt", FACTORS["rationale"]),
        ("regraded", "Prompt", "Immediate", "He is at the door now: the threat is immediate"),
        ("transferred", None, "Force North", "The address is theirs; the risk is unchanged"),
    ]
