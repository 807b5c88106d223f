"""The SMS Diary by modem and by SMPP: one appointment a slot, texts in time, and replies that free slots."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest

from harness.drivers.diary import SmsDiary
from harness.endpoints.crm import Person, RecordTold, ThriveAssessment
from harness.errors import DriverError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = [pytest.mark.testbed("back-office"), pytest.mark.parametrize("way", ["diary-modem", "diary-smpp"])]
CITIZEN, OTHER = "+447700900123", "+447700900124"
OFFICER = "pc-214"
NUMBERS = {"diary-modem": "+447700900000", "diary-smpp": "+447700900001"}
CLIENTS = 32
TEXT_S = catalogue()["SVC-009"].figure("text_s").value


async def slot(diary: SmsDiary, days: int = 3) -> str:
    """The first free slot that many days from now."""
    day = (datetime.fromisoformat((await diary.status())["now"]) + timedelta(days=days)).date().isoformat()
    return str((await diary.free_slots(OFFICER, day))[0]["start"])


@requirement("SVC-008")
async def test_of_many_who_want_one_slot_at_once_one_has_it(bench: Bench, way: str) -> None:
    """Each of 32 asks for the slot at the same moment; one is booked, the others are told that it is taken."""
    diary = await bench.sms_diary(way)
    start = await slot(diary)

    async def want(number: int) -> str:
        try:
            return str((await diary.book(OFFICER, start, f"+4477009002{number:02d}"))["state"])
        except DriverError as error:
            assert "409" in str(error) and "is taken" in str(error), error
            return "taken"

    told = Counter(await asyncio.gather(*(want(number) for number in range(CLIENTS))))
    assert told == {"booked": 1, "taken": CLIENTS - 1}
    bench.measured("appointments_of_one_slot", float(told["booked"]), "appointments", limit=1, requirement="SVC-008")
    assert start not in [each["start"] for each in await diary.free_slots(OFFICER, start[:10])]


@requirement("SVC-008")
async def test_a_request_that_is_sent_twice_books_once(bench: Bench, way: str) -> None:
    diary, network = await bench.sms_diary(way), await bench.sms_network()
    start = await slot(diary)
    first = await diary.book(OFFICER, start, CITIZEN, key="the-same")
    again = await diary.book(OFFICER, start, CITIZEN, key="the-same")
    assert again["id"] == first["id"]
    await diary.expect("text.delivered", within=TEXT_S, appointment=first["id"])
    assert len(await network.got(CITIZEN)) == 1


@requirement("SVC-009")
async def test_a_booking_is_confirmed_by_text_in_time_and_reminded_of_a_day_before(bench: Bench, way: str) -> None:
    diary, network = await bench.sms_diary(way), await bench.sms_network()
    start = await slot(diary)
    began = bench.journal.now()
    booked = await diary.book(OFFICER, start, CITIZEN)
    text = await network.await_text(CITIZEN, within=TEXT_S)
    took = bench.journal.now() - began
    bench.measured("confirmation_text", took, "s", requirement="SVC-009", figure="text_s")
    assert "Sunday 4 January 2026 at 00:00, Govan police station" in text["text"]
    reminder = await diary.expect("text.sent", within=4 * 86_400.0, text_kind="reminder", appointment=booked["id"])
    now = datetime.fromisoformat((await diary.status())["now"]) - timedelta(seconds=bench.journal.now() - reminder.time)
    before = (datetime.fromisoformat(start) - now).total_seconds() / 3_600
    agreed = catalogue()["SVC-009"].figure("reminder_h").value
    off = abs(before - agreed) * 3_600
    bench.measured("reminder_off_its_time", off, "s", limit=TEXT_S, requirement="SVC-009")
    shown = await network.await_text(CITIZEN, within=TEXT_S, after=text["seq"])
    assert shown["text"].startswith("Reminder of your police appointment")


@requirement("SVC-010")
@pytest.mark.parametrize("said", ["cancel", "CANCEL please"])
async def test_cancel_by_text_frees_the_slot_and_an_adviser_has_a_task(bench: Bench, way: str, said: str) -> None:
    diary, network, crm = await bench.sms_diary(way), await bench.sms_network(), await bench.crm()
    start = await slot(diary)
    booked = await diary.book(OFFICER, start, CITIZEN)
    await diary.expect("text.delivered", within=TEXT_S, appointment=booked["id"])
    await network.send(CITIZEN, NUMBERS[way], said)
    await diary.expect("appointment.cancelled", within=TEXT_S, appointment=booked["id"], by="text")
    assert start in [each["start"] for each in await diary.free_slots(OFFICER, start[:10])]
    assert (await diary.book(OFFICER, start, OTHER))["state"] == "booked"
    told = await diary.expect("task.told", within=10.0)
    [task] = await crm.service.tasks(kind="appointment_cancelled", about=booked["id"])
    assert task["id"] == told.data["crm"]
    await network.await_text(CITIZEN, f"Cancelled: police appointment {booked['number']}: Sunday 4 January 2026 at "
                             "00:00, Govan police station.", within=TEXT_S)  # fmt: skip


@requirement("SVC-010")
async def test_what_is_not_certainly_cancel_frees_nothing(bench: Bench, way: str) -> None:
    diary, network = await bench.sms_diary(way), await bench.sms_network()
    booked = await diary.book(OFFICER, await slot(diary), CITIZEN)
    await diary.expect("text.delivered", within=TEXT_S, appointment=booked["id"])
    for said in ("don't cancel", "cancel or change?"):
        after = bench.journal.position
        await network.send(CITIZEN, NUMBERS[way], said)
        await diary.expect("reply.received", within=TEXT_S, after=after, understood="unclear")
    assert (await diary.appointment(booked["id"]))["state"] == "booked"
    assert [each["kind"] for each in await diary.tasks(about=CITIZEN)] == ["reply_unclear"]


@requirement("SVC-008")
@pytest.mark.parametrize("grade", ["Immediate", "Prompt"])
async def test_nobody_is_booked_while_the_records_risk_is_high(bench: Bench, way: str, grade: str) -> None:
    """Only what can wait has an appointment; Standard, of the same record later, has."""
    diary, crm = await bench.sms_diary(way), await bench.crm()
    record = (await crm.add_record(RecordTold("phone", "2026-01-01T00:00:00Z", Person(telephone=CITIZEN)), key="r")).id
    await crm.service.assess(record, ThriveAssessment("a", "b", "c", "d", "e", "f", "because"), by="govan-01")
    await crm.grade(record, grade, by="govan-01")
    start = await slot(diary)
    with pytest.raises(DriverError, match=f"{record} is graded {grade}: nobody is to wait for an appointment"):
        await diary.book(OFFICER, start, CITIZEN, record=record)
    await crm.grade(record, "Standard", by="govan-01", rationale="He has left and the lock is changed")
    assert (await diary.book(OFFICER, start, CITIZEN, record=record))["state"] == "booked"
