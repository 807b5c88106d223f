"""Texts of the Diary: when they go, across the clocks' changes too; gateways, stores and ends that come between."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from diary_town import CITIZEN, OTHER, Begin, Town
from sqlalchemy import select

from harness.errors import InterlockError
from simulators.diary import texts
from simulators.diary.desk import Desk
from simulators.diary.tables import Text, TextState
from simulators.sms.smsc import Fault

pytestmark = pytest.mark.virtual_time
DAY = 86_400.0


async def sent_at(town: Town, kind: str, within: float) -> float:
    """Calendar time at which a text of a kind left."""
    event = await town.event("text.sent", within=within, text_kind=kind)
    return float(town.diary.now() - town.context.journal.now() + event.time)


async def test_a_booking_is_confirmed_and_reminded_of_and_both_are_reported(begin: Begin, way: str) -> None:
    town = await begin(way)
    await town.start()
    booked = await town.book("2026-01-08T10:00")
    await town.event("text.delivered", text_kind="confirmation")
    await town.event("text.delivered", within=3 * DAY, text_kind="reminder")
    assert town.got() == [
        "Your police appointment 1: Thursday 8 January 2026 at 10:00, Govan police station. "
        "Reply CANCEL or CHANGE, or STOP for no more texts.",
        "Reminder of your police appointment 1: Thursday 8 January 2026 at 10:00, Govan police station. "
        "Reply CANCEL or CHANGE.",
    ]
    shown = await town.get(f"/appointments/{booked['id']}")
    assert [(each["kind"], each["state"]) for each in shown["texts"]] == [
        ("confirmation", "delivered"),
        ("reminder", "delivered"),
    ]
    assert await town.tasks() == []


@pytest.mark.parametrize(
    ("now", "start", "reminded", "said"),
    [
        # Just after the clocks went forward: a day before, on the clock as it then was.
        ("2026-03-27T12:00Z", "2026-03-29T02:00", "2026-03-28T01:00Z", "Sunday 29 March 2026 at 02:00,"),
        ("2026-03-27T12:00Z", "2026-03-29T10:00", "2026-03-28T09:00Z", "Sunday 29 March 2026 at 10:00,"),
        # The hour that is there twice: two appointments an hour apart, told apart.
        ("2026-10-23T12:00Z", "2026-10-25T01:30+01:00", "2026-10-24T00:30Z", "Sunday 25 October 2026 at 01:30 BST,"),
        ("2026-10-23T12:00Z", "2026-10-25T01:30+00:00", "2026-10-24T01:30Z", "Sunday 25 October 2026 at 01:30 GMT,"),
        ("2026-10-23T12:00Z", "2026-10-25T10:00", "2026-10-24T10:00Z", "Sunday 25 October 2026 at 10:00,"),
    ],
)
async def test_a_reminder_goes_a_day_before_by_elapsed_time_and_tells_local_time(
    begin: Begin, now: str, start: str, reminded: str, said: str
) -> None:
    town = await begin("modem")
    await town.start(now)
    await town.book(start)
    assert await sent_at(town, "reminder", 3 * DAY) == pytest.approx(
        datetime.fromisoformat(reminded).timestamp(), abs=5
    )
    await asyncio.sleep(10)
    assert all(said in each for each in town.got())
    assert len(town.got()) == 2


async def test_both_of_the_hour_that_is_there_twice_can_be_booked_and_neither_of_the_one_that_is_not(
    begin: Begin,
) -> None:
    town = await begin()
    await town.start("2026-10-23T12:00Z")
    await town.book("2026-10-25T01:30+01:00")
    await town.book("2026-10-25T01:30+00:00", OTHER)
    refused = await town.book("2026-10-25T01:30", due=422)
    assert "is there twice" in refused["detail"]
    await town.stop()
    await town.start("2026-03-27T12:00Z")
    refused = await town.book("2026-03-29T01:30", due=422)
    assert "the clocks go forward" in refused["detail"]


async def test_an_appointment_within_a_day_is_confirmed_and_not_reminded_of(begin: Begin) -> None:
    town = await begin()
    await town.start()
    await town.book("2026-01-06T09:00")
    await asyncio.sleep(DAY)
    assert await town.texts() == [("confirmation", "delivered")]


async def test_what_was_moved_or_cancelled_is_not_reminded_of_at_the_old_time(begin: Begin) -> None:
    town = await begin()
    await town.start()
    first, second = await town.book("2026-01-08T10:00"), await town.book("2026-01-09T10:00", OTHER)
    await asyncio.sleep(10)
    body, key = {"start": "2026-01-10T10:00"}, {"Idempotency-Key": "m"}
    assert (await town.http.post(f"/appointments/{first['id']}/move", json=body, headers=key)).status_code == 200
    assert (await town.http.post(f"/appointments/{second['id']}/cancel")).status_code == 200
    await asyncio.sleep(7 * DAY)
    kinds = [text.split()[0] for text in town.got()]
    assert kinds == ["Your", "Moved.", "Reminder"]
    assert "Saturday 10 January 2026" in town.got()[2]
    assert [text.split()[0] for text in town.got(OTHER)] == ["Your", "Cancelled:"]
    assert (await town.texts("withdrawn")) == [("reminder", "withdrawn"), ("reminder", "withdrawn")]


async def test_texts_wait_for_a_gateway_that_is_lost_and_go_once_each_when_it_is_back(begin: Begin, way: str) -> None:
    town = await begin(way)
    await town.start(texts={"reopen_s": 30})
    await town.event("gateway.up")
    after = town.context.journal.position
    if way == "smpp":
        town.network.centre.unbind_all()
    else:
        town.network.modem.modem.close()
    await town.event("gateway.lost", after=after)
    await town.book("2026-01-08T10:00")
    await asyncio.sleep(5)
    assert await town.texts() == [("confirmation", "waiting"), ("reminder", "waiting")]
    if way == "modem":
        town.network.serial_url = await town.network.modem.modem.offer(baud=115200, virtual=True)
    await town.event("gateway.up", within=120, after=after)
    await town.event("text.delivered", within=120, text_kind="confirmation")
    assert len(town.got()) == 1


async def test_a_confirmation_that_has_not_gone_within_its_time_is_told_as_late(begin: Begin) -> None:
    town = await begin("modem")
    town.network.modem.congested = True
    await town.start(texts={"attempts": 20})
    before = town.context.journal.now()
    await town.book("2026-01-08T10:00")
    late = await town.event("text.late", within=120)
    assert late.time - before == pytest.approx(60, abs=1)
    assert (await town.get("/status"))["late"] == 1
    town.network.modem.congested = False
    await town.event("text.delivered", within=600, text_kind="confirmation")


async def test_a_text_that_is_refused_again_and_again_is_an_advisers(begin: Begin) -> None:
    town = await begin("modem")
    town.network.modem.congested = True
    await town.start(texts={"attempts": 3})
    booked = await town.book("2026-01-08T10:00")
    failed = await town.event("text.failed", within=120)
    assert "refused 3 times" in failed.data["why"]
    assert await town.tasks() == [("text_failed", booked["id"])]
    assert town.got() == []


async def test_a_text_that_is_reported_undeliverable_is_an_advisers(begin: Begin, way: str) -> None:
    town = await begin(way)
    await town.start()
    booked = await town.book("2026-01-08T10:00", "+441632999999")
    await town.event("text.failed")
    assert await town.tasks() == [("text_failed", booked["id"])]


async def test_a_text_of_which_no_report_comes_is_an_advisers(begin: Begin) -> None:
    town = await begin()
    town.network.handsets.set(CITIZEN, on=False, full=False)
    await town.start(texts={"report_s": 3_600})
    booked = await town.book("2026-01-08T10:00")
    await town.event("text.unreported", within=3_700)
    assert await town.tasks() == [("text_unreported", booked["id"])]
    town.network.handsets.set(CITIZEN, on=True, full=False)
    await town.event("text.delivered", text_kind="confirmation")


@pytest.mark.parametrize("fault", ["silent", "lost"])
async def test_a_text_that_the_centre_did_not_answer_is_told_as_uncertain_and_not_sent_again(
    begin: Begin, fault: str
) -> None:
    """``silent``: the centre took it and says nothing; ``lost``: it did not. The Diary can't know which."""
    town = await begin("smpp")
    await town.start()
    await town.event("gateway.up")
    town.network.centre.set_fault(Fault(fault), count=1)
    booked = await town.book("2026-01-08T10:00")
    await town.event("text.uncertain")
    await asyncio.sleep(600)
    assert await town.tasks() == [("text_uncertain", booked["id"])]
    assert len(town.got()) <= 1


async def test_what_was_queued_goes_after_a_restart_and_what_was_with_the_gateway_is_uncertain(
    begin: Begin, tmp_path: Path
) -> None:
    """The end comes between the mark and the sending, which is the worst moment: it may have gone, and is not sent."""
    town = await begin("smpp")
    store = str(tmp_path / "diary.sqlite")
    await town.start(store=store)
    booked = await town.book("2026-01-08T10:00")
    await town.event("text.delivered")

    def mark(desk: Desk) -> None:
        reminder = desk.session.scalars(select(Text).where(Text.kind == "reminder")).one()
        texts.move(desk, reminder, TextState.SENDING)

    await town.diary.do(mark)
    await town.book("2026-01-09T10:00", OTHER)
    await town.stop()
    await town.start("2026-01-07T10:30Z", store=store)
    await town.event("text.uncertain", text_kind="reminder")
    await town.event("text.delivered", within=86_400, text_kind="reminder", to=OTHER)
    assert [each.split()[0] for each in town.got()] == ["Your"]
    assert [each.split()[0] for each in town.got(OTHER)] == ["Your", "Reminder"]
    assert await town.tasks() == [("text_uncertain", booked["id"])]


async def test_a_report_that_comes_after_a_restart_is_of_the_one_text_that_it_can_be_of(
    begin: Begin, tmp_path: Path
) -> None:
    town = await begin("smpp")
    store = str(tmp_path / "diary.sqlite")
    town.network.handsets.set(CITIZEN, on=False, full=False)
    await town.start(store=store)
    await town.book("2026-01-08T10:00")
    await town.event("text.sent")
    await town.stop()
    await town.start(store=store)
    await town.event("gateway.up")
    town.network.handsets.set(CITIZEN, on=True, full=False)
    await asyncio.sleep(120)
    assert ("confirmation", "delivered") in await town.texts()
    assert len(town.got()) == 1


async def test_what_an_appointment_is_over_for_is_not_sent_any_more(begin: Begin, tmp_path: Path) -> None:
    town = await begin()
    store = str(tmp_path / "diary.sqlite")
    await town.start(store=store)
    await town.book("2026-01-08T10:00")
    await town.event("text.delivered")
    await town.stop()
    await town.start("2026-01-08T10:01Z", store=store)
    await town.event("text.expired", text_kind="reminder")
    await asyncio.sleep(60)
    assert len(town.got()) == 1


async def test_a_number_that_the_interlock_does_not_allow_is_sent_nothing_and_an_adviser_told(begin: Begin) -> None:
    def permit(number: str) -> None:
        if number == OTHER:
            raise InterlockError(f"a text to {number} is not allowed")

    town = await begin()
    await town.start(permit=permit)
    booked = await town.book("2026-01-08T10:00", OTHER)
    await town.book("2026-01-08T11:00")
    await town.event("text.failed", to=OTHER)
    await town.event("text.delivered", to=CITIZEN)
    assert town.got(OTHER) == []
    assert await town.tasks() == [("text_failed", booked["id"])]


def test_which_state_follows_which_is_a_table_that_ends() -> None:
    assert set(texts.MOVES) == set(TextState)
    reached, todo = {TextState.WAITING}, [TextState.WAITING]
    while todo:
        new = texts.MOVES[todo.pop()] - reached
        reached |= new
        todo += new
    assert reached == set(TextState)
    assert TextState.SENDING not in texts.MOVES[TextState.UNCERTAIN] | texts.MOVES[TextState.SENT]
