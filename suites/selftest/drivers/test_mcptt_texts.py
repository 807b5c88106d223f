"""Texts and statuses of an MCPTT handset in the driver's words; what is not allowed never leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from mcptt_town import Town, mcptt_town

from harness.errors import DriverError, InterlockError
from harness.protocols.mcdata.message import ShortData
from harness.protocols.mcdata.sds import Signalling
from simulators.mcptt.settings import UserSettings

pytestmark = pytest.mark.virtual_time

NOW = 1_800_000_000.0


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    users = [{"name": name} for name in ("one", "two", "three")]
    layout = {"users": users, "groups": [{"name": "GD-OPS-1"}]}
    async with mcptt_town(layout, ("one", "two"), clock=lambda: NOW) as made:
        yield made


async def test_a_text_is_receipted_and_then_read(town: Town) -> None:
    one, two = town.radios
    before = town.context.journal.position
    reference = await one.send_text("Prüfpunkt 3 ✓", to="two", report=True, read=True)
    shown = await two.expect("sds.received", within=1.0, user="one", text="Prüfpunkt 3 ✓")
    assert shown.data["reference"] == reference
    await one.expect("sds.report", within=1.0, reference=reference, told="delivered", user="two")
    await two.read_text(reference)
    await one.expect("sds.report", within=1.0, reference=reference, told="read", user="two")
    with pytest.raises(DriverError, match="no message"):
        await two.read_text(reference)
    report = await one.send_text_reported("again", to="two", within=1.0)
    assert report.data["told"] == "delivered"
    assert town.context.journal.find("one", "sds.sent", after=before) is not None


async def test_a_message_is_dated_by_the_clock(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = town.radios
    seen: list[Signalling] = []
    passed_on = town.server._short_data.received

    def received(user: UserSettings, data: ShortData) -> int:
        assert isinstance(data.signalling, Signalling)
        seen.append(data.signalling)
        return passed_on(user, data)

    monkeypatch.setattr(town.server._short_data, "received", received)
    await one.send_text("now", to="two")
    assert [each.time for each in seen] == [int(NOW)]


async def test_a_talkgroup_gets_texts_and_statuses(town: Town) -> None:
    one, two = town.radios
    with pytest.raises(DriverError, match="no talkgroup is selected"):
        await one.send_status(5)
    await one.send_status(5, to="GD-OPS-1")
    await two.expect("status.received", within=1.0, user="one", talkgroup="GD-OPS-1", value=5)
    await one.select("GD-OPS-1")
    await one.send_group_text("all units")
    await two.expect("sds.received", within=1.0, user="one", talkgroup="GD-OPS-1", text="all units")


async def test_what_can_not_be_sent_is_told(town: Town) -> None:
    one, _ = town.radios
    for act, why in (
        (one.send_text("", to="two"), "a text of 0 octets"),
        (one.send_text("x", to="three"), "480"),
        (one.send_status(65536, to="GD-OPS-1"), "status 65536"),
    ):
        with pytest.raises(DriverError, match=why):
            await act


async def test_what_the_interlock_refuses_never_leaves(town: Town) -> None:
    one, _ = town.radios
    town.refused = {"message"}
    before = len([event for event in town.context.journal if event.kind == "sip.sent"])
    for act in (one.send_text("x", to="two"), one.send_status(1, to="GD-OPS-1")):
        with pytest.raises(InterlockError):
            await act
    assert len([event for event in town.context.journal if event.kind == "sip.sent"]) == before
