"""What becomes of people's replies by both ways, of advisers' tasks at the CRM, and of records whose risk is high."""

from __future__ import annotations

import asyncio

import pytest
from diary_town import CITIZEN, OTHER, Begin

from harness.endpoints.crm import CrmClient, Person, RecordTold, ThriveAssessment
from simulators.crm.settings import CrmSettings
from simulators.crm.simulator import CrmSimulator

pytestmark = pytest.mark.virtual_time
THRIVE = ThriveAssessment("a", "b", "c", "d", "e", "f", "because")


@pytest.mark.parametrize("said", ["cancel", "CANCEL please", "Cáncel.", "  cancel 1 "])
async def test_cancel_frees_the_slot_makes_a_task_and_is_confirmed(begin: Begin, way: str, said: str) -> None:
    town = await begin(way)
    await town.start()
    booked = await town.book("2026-01-08T10:00")
    await town.event("text.delivered")
    town.reply(said)
    await town.event("appointment.cancelled", by="text")
    assert await town.tasks() == [("appointment_cancelled", booked["id"])]
    await asyncio.sleep(10)
    assert town.got()[-1] == "Cancelled: police appointment 1: Thursday 8 January 2026 at 10:00, Govan police station."
    await town.book("2026-01-08T10:00", OTHER)
    town.reply(said)
    await asyncio.sleep(10)
    assert await town.tasks() == [("appointment_cancelled", booked["id"])], "cancelled twice"


async def test_change_keeps_the_slot_and_asks_an_adviser_once(begin: Begin, way: str) -> None:
    town = await begin(way)
    await town.start()
    booked = await town.book("2026-01-08T10:00")
    for _ in range(2):
        town.reply("change")
        await asyncio.sleep(10)
    assert await town.tasks() == [("appointment_change", booked["id"])]
    await town.book("2026-01-08T10:00", OTHER, due=409)
    assert len(town.got()) == 2


async def test_stop_is_answered_once_and_nothing_goes_until_start(begin: Begin) -> None:
    town = await begin()
    await town.start()
    await town.book("2026-01-08T10:00")
    await asyncio.sleep(10)
    for _ in range(2):
        town.reply("STOP")
        await asyncio.sleep(10)
    second = await town.book("2026-01-09T10:00")
    await asyncio.sleep(10)
    assert [each.split()[0] for each in town.got()] == ["Your", "You"]
    assert await town.tasks() == [("text_unwanted", second["id"])], "nobody was told another way"
    town.reply("start")
    await asyncio.sleep(10)
    assert town.got()[-1] == "You will get our texts again."
    await asyncio.sleep(4 * 86_400)
    assert [each.split()[0] for each in town.got()[3:]] == ["Reminder", "Reminder"]


async def test_a_number_with_two_appointments_is_asked_which(begin: Begin) -> None:
    town = await begin()
    await town.start()
    await town.book("2026-01-08T10:00")
    second = await town.book("2026-01-09T10:00")
    await asyncio.sleep(10)
    town.reply("cancel")
    await asyncio.sleep(10)
    assert town.got()[-1].startswith("You have appointments 1, 2. To cancel or change one reply with its number")
    town.reply("cancel 2")
    await town.event("appointment.cancelled", appointment=second["id"])
    assert (await town.get("/appointments/A-000001"))["state"] == "booked"


async def test_nobody_cancels_an_appointment_that_is_somebody_elses(begin: Begin) -> None:
    town = await begin()
    await town.start()
    await town.book("2026-01-08T10:00")
    await town.book("2026-01-09T10:00", OTHER)
    town.reply("cancel 1", OTHER)
    await asyncio.sleep(10)
    assert (await town.get("/appointments/A-000001"))["state"] == "booked"


async def test_what_is_not_understood_is_answered_once_and_then_an_advisers(begin: Begin) -> None:
    town = await begin()
    await town.start()
    await town.book("2026-01-08T10:00")
    await asyncio.sleep(10)
    for said in ("don't cancel", "I can't make it", "hello?"):
        town.reply(said)
        await asyncio.sleep(10)
    assert [each.split()[0] for each in town.got()] == ["Your", "Sorry,"]
    assert await town.tasks() == [("reply_unclear", CITIZEN)]
    [task] = (await town.get("/tasks"))["tasks"]
    assert "I can't make it" in task["text"]
    assert all("make it" not in event.line() for event in town.context.journal if event.source == "diary")


async def test_a_stranger_is_not_answered_and_is_one_task_however_much_they_write(begin: Begin) -> None:
    town = await begin()
    await town.start()
    await town.event("gateway.up")
    for number in range(20):
        town.reply(f"win a prize {number}", OTHER)
    await asyncio.sleep(30)
    assert town.got(OTHER) == []
    assert await town.tasks() == [("reply_unclear", OTHER)]


async def test_tasks_wait_for_a_crm_that_is_away_and_are_told_once_each(begin: Begin) -> None:
    town = await begin()
    crm = await CrmSimulator.start(town.context, CrmSettings(), virtual=True)
    port = int(crm.url.rpartition(":")[2])
    await crm.stop()
    await town.start(crm=CrmClient(crm.url))
    booked = await town.book("2026-01-08T10:00")
    await asyncio.sleep(10)
    town.reply("cancel")
    await town.event("crm.lost")
    assert await town.tasks() == [("appointment_cancelled", booked["id"])]
    crm = await CrmSimulator.start(town.context, CrmSettings(port=port), virtual=True)
    try:
        told = await town.event("task.told")
        async with CrmClient(crm.url) as client:
            there = await client.tasks()
        assert [(each["id"], each["kind"], each["about"]) for each in there] == [
            (told.data["crm"], "appointment_cancelled", booked["id"])
        ]
        await town.event("crm.up")
    finally:
        await crm.stop()


@pytest.mark.parametrize(("grade", "due"), [("Immediate", 409), ("Prompt", 409), ("Standard", 201), ("Other", 201)])
async def test_nobody_waits_for_an_appointment_while_the_records_risk_is_high(
    begin: Begin, grade: str, due: int
) -> None:
    town = await begin()
    crm = await CrmSimulator.start(town.context, CrmSettings(), virtual=True)
    try:
        await town.start(crm=CrmClient(crm.url))
        async with CrmClient(crm.url) as client:
            told = RecordTold("phone", "2026-01-05T09:00:00Z", Person(telephone=CITIZEN))
            record = (await client.add_record(told, key="r")).id
            await town.book("2026-01-09T11:00", record=record)
            await client.assess(record, THRIVE, by="govan-01")
            await client.grade(record, grade, by="govan-01")
        answer = await town.book("2026-01-08T10:00", due=due, record=record)
        if due == 409:
            assert answer["detail"] == f"{record} is graded {grade}: nobody is to wait for an appointment"
            move = {"start": "2026-01-10T10:00"}
            moved = await town.http.post("/appointments/A-000001/move", json=move, headers={"Idempotency-Key": "m"})
            assert moved.status_code == 409
        await town.book("2026-01-08T12:00", due=409, record="R-999999")
    finally:
        await crm.stop()


async def test_a_record_that_can_not_be_looked_at_is_not_booked_for(begin: Begin) -> None:
    town = await begin()
    crm = await CrmSimulator.start(town.context, CrmSettings(), virtual=True)
    await crm.stop()
    await town.start(crm=CrmClient(crm.url))
    refused = await town.book("2026-01-08T10:00", due=503, record="R-000001")
    assert "the CRM can't be asked" in refused["detail"]
    await town.stop()
    await town.start()
    refused = await town.book("2026-01-08T10:00", due=409, record="R-000001")
    assert "there is no CRM" in refused["detail"]
    await town.book("2026-01-08T10:00")
