"""Reviews of Prompts, in virtual time: raised once and in time, also what fell due while the CRM was away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.endpoints.crm import CrmClient, RecordTold, ThriveAssessment
from harness.errors import DatabaseGoneError
from harness.transport.context import Context
from simulators.crm.settings import CrmSettings
from simulators.crm.simulator import CrmSimulator
from simulators.database import Database

pytestmark = pytest.mark.virtual_time
ASSESSED = ThriveAssessment(*("said" for _ in range(7)))
MIN = 60.0


async def prompt(crm: CrmClient, key: str) -> str:
    record = (await crm.add_record(RecordTold("phone", "2026-01-01T00:00:00Z"), key=key)).id
    await crm.assess(record, ASSESSED, by="adviser-7")
    await crm.grade(record, "Prompt", by="adviser-7")
    return record


async def reviewed(crm: CrmClient) -> list[str]:
    return [each["about"] for each in await crm.tasks(kind="supervisor_review")]


async def test_each_prompt_has_its_own_45_minutes() -> None:
    simulator = await CrmSimulator.start(Context.create(seed=1), CrmSettings(), virtual=True)
    async with CrmClient(simulator.url) as crm:
        first = await prompt(crm, "1")
        await asyncio.sleep(10 * MIN)
        second = await prompt(crm, "2")
        await asyncio.sleep(34 * MIN)
        assert await reviewed(crm) == []
        await asyncio.sleep(2 * MIN)
        assert await reviewed(crm) == [first]
        await asyncio.sleep(10 * MIN)
        assert await reviewed(crm) == [first, second]
        await asyncio.sleep(600 * MIN)
        assert await reviewed(crm) == [first, second]
    await simulator.stop()


async def test_a_review_that_was_due_while_the_crm_was_away_is_raised_as_it_comes_back_and_once(
    tmp_path: Path,
) -> None:
    context, settings = Context.create(seed=1), CrmSettings(store=str(tmp_path / "crm.sqlite"))
    simulator = await CrmSimulator.start(context, settings, virtual=True)
    async with CrmClient(simulator.url) as crm:
        due = await prompt(crm, "1")
        await asyncio.sleep(30 * MIN)
        later = await prompt(crm, "2")
    await simulator.stop()
    await asyncio.sleep(20 * MIN)
    simulator = await CrmSimulator.start(context, settings, virtual=True)
    async with CrmClient(simulator.url) as crm:
        await asyncio.sleep(1)
        assert await reviewed(crm) == [due]
        await asyncio.sleep(26 * MIN)
        assert await reviewed(crm) == [due, later]
    await simulator.stop()
    simulator = await CrmSimulator.start(context, settings, virtual=True)
    async with CrmClient(simulator.url) as crm:
        await asyncio.sleep(60 * MIN)
        assert await reviewed(crm) == [due, later]
    await simulator.stop()


async def test_a_store_that_is_away_when_a_review_is_due_delays_it_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator = await CrmSimulator.start(Context.create(seed=1), CrmSettings(), virtual=True)
    async with CrmClient(simulator.url) as crm:
        due = await prompt(crm, "1")

        async def gone(_self: Database, _work: object) -> None:
            raise DatabaseGoneError("the store can't be reached")

        with monkeypatch.context() as away:
            away.setattr(Database, "run", gone)
            await asyncio.sleep(46 * MIN)
        await asyncio.sleep(10)
        assert await reviewed(crm) == [due]
    await simulator.stop()
