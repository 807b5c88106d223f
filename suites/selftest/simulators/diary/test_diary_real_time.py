"""The Diary on real wires and by the real clock: a pseudo-terminal's modem and SMPP on loopback, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from diary_town import OTHER, Begin

from fixtures.postgresql import PostgresqlServer, postgresql_server

pytestmark = pytest.mark.real_wire


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as running:
        yield running


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_booked_told_reminded_and_cancelled_by_text(
    begin: Begin, way: str, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The calendar is set so that the reminder of tomorrow's appointment is due in a few seconds."""
    store = str(tmp_path / "diary.sqlite")
    if database == "postgresql":
        store = request.getfixturevalue("server").database(f"real_{way}")
    town = await begin(way, virtual=False)
    await town.start("2026-03-28T08:59:56Z", store=store)
    await town.event("gateway.up", within=10)
    began = town.context.journal.now()
    booked = await town.book("2026-03-29T10:00")
    told = await town.event("text.delivered", within=10, text_kind="confirmation")
    assert told.time - began < 3.5, "the confirmation went with the reminder"
    reminded = await town.event("text.sent", within=15, text_kind="reminder")
    assert 2.0 < reminded.time - began < 8.0
    await town.event("text.delivered", within=10, text_kind="reminder")
    town.reply("Cancel please")
    await town.event("appointment.cancelled", within=10, by="text")
    await town.event("text.delivered", within=15, text_kind="cancelled")
    assert await town.tasks() == [("appointment_cancelled", booked["id"])]
    assert [each.split()[0] for each in town.got()] == ["Your", "Reminder", "Cancelled:"]
    assert "Sunday 29 March 2026 at 10:00," in town.got()[1]


async def test_a_database_that_goes_away_is_told_and_nothing_is_lost_or_doubled(
    begin: Begin, server: PostgresqlServer
) -> None:
    town = await begin("smpp", virtual=False)
    await town.start(store=server.database("gone"))
    await town.event("gateway.up", within=10)
    await town.book("2026-01-08T10:00")
    await town.event("text.delivered", within=10)
    server.stop()
    try:
        refused = await town.book("2026-01-09T10:00", OTHER, due=503, key="again")
        assert "can't be reached" in refused["detail"]
        town.reply("cancel")
        await town.event("store.gone", within=10)
    finally:
        server.start()
    await town.event("appointment.cancelled", within=15, by="text")
    await town.book("2026-01-09T10:00", OTHER, key="again")
    await town.book("2026-01-09T10:00", OTHER, due=200, key="again")
    await town.event("text.delivered", within=15, text_kind="confirmation", to=OTHER)
    await town.event("text.delivered", within=15, text_kind="cancelled")
    assert len(town.got(OTHER)) == 1
    assert [each.split()[0] for each in town.got()] == ["Your", "Cancelled:"]


async def test_a_text_that_is_with_the_gateway_at_the_end_is_still_heard_of(begin: Begin, tmp_path: Path) -> None:
    store = str(tmp_path / "diary.sqlite")
    town = await begin("modem", virtual=False)
    await town.start(store=store)
    await town.event("gateway.up", within=10)
    await town.book("2026-01-08T10:00")
    await town.event("text.sending", within=10)
    await town.stop()
    await town.start(store=store)
    assert ("confirmation", "uncertain") not in await town.texts()
    await asyncio.sleep(1)
    assert len(town.got()) == 1
