"""Our link and the simulated command and control, in both shapes: what is told arrives, in order, each once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.endpoints.command_control import (
    CommandControlLink,
    Entry,
    LinkChanged,
    News,
    Notice,
    Outbox,
    Told,
    load_dialect,
)
from harness.endpoints.command_control.link import LOST_WITHIN_S, POLL_S
from harness.errors import CommandControlError
from harness.transport.context import Context
from simulators.command_control.settings import CommandControlSettings
from simulators.command_control.simulator import CommandControlSimulator
from simulators.faults import Fault

pytestmark = pytest.mark.virtual_time
IDLE_S = 600
SHAPES = ["storm", "next_generation"]
BY = {"agentComponent": [{"$id": "govan-12"}], "issuingElementIdentification": "iccs"}


def opened(number: int) -> Entry:
    incident = {
        "$id": "i",
        "incidentTypeCommonRegistryText": "Disturbance",
        "incidentTypeInternalText": f"Row {number}",
    }
    return Entry("incident.opened", f"INC-{number}", {"$id": f"INC-{number}", **BY, "incidentComponent": incident})


def noted(number: int, text: str) -> Entry:
    note = {"$id": "n", "notesActionComments": text}
    return Entry("incident.noted", f"INC-{number}", {"$id": f"INC-{number}", **BY, "notesComponent": [note]})


def state(call_sign: str, value: str) -> Entry:
    unit = {"$id": "u", "enforcementUnitName": call_sign, "primaryUnitStatusRegistryText": value}
    return Entry("unit.state", call_sign, {"$id": call_sign, **BY, "emergencyResourceComponent": [unit]})


class There:
    """A simulator, a link to it, and what the link tells."""

    def __init__(self, simulator: CommandControlSimulator, link: CommandControlLink) -> None:
        self.simulator, self.link = simulator, link
        self.notices: list[Notice] = []
        link.subscribe(self.notices.append)

    async def until(self, true: Any, *, within: float = 30.0) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not true():
            assert loop.time() < deadline, f"not within {within:g} s; {self.simulator.figures()} {self.notices[-3:]}"
            await asyncio.sleep(0.05)

    async def told_all(self, *, within: float = 60.0) -> None:
        await self.until(lambda: not self.link.outbox, within=within)

    def changes(self) -> list[bool]:
        return [notice.up for notice in self.notices if isinstance(notice, LinkChanged)]


@asynccontextmanager
async def linked(shape: str, folder: Path, **settings: Any) -> AsyncIterator[There]:
    context = Context.create(seed=1)
    layout = {"shape": shape, "units": [{"call_sign": "G01", "issi": 4001234}], **settings}
    simulator = await CommandControlSimulator.start(context, CommandControlSettings.model_validate(layout))
    outbox = Outbox(folder / "outbox.sqlite")
    link = CommandControlLink.open(
        context, "link", simulator.link_url, outbox, load_dialect(shape), token=settings.get("token", "")
    )
    try:
        yield There(simulator, link)
    finally:
        await link.close()
        outbox.close()
        await simulator.stop()


@pytest.mark.parametrize("shape", SHAPES)
async def test_what_is_told_arrives_in_order_and_is_answered_with_a_reference(shape: str, tmp_path: Path) -> None:
    async with linked(shape, tmp_path) as there:
        there.link.put(opened(1), noted(1, "first"), noted(1, "second"), state("G01", "At scene"))
        await there.told_all()
        incident = there.simulator.store.incident("INC-1")
        assert [line["text"] for line in incident["log"]] == ["first", "second"]
        assert incident["title"] == "Row 1"
        assert incident["owner"] == "govan-12"
        assert there.simulator.store.unit("G01")["state"] == "At scene"
        told = [notice for notice in there.notices if isinstance(notice, Told)]
        assert [notice.kept.number for notice in told] == [1, 2, 3, 4]
        assert told[0].reference == incident["reference"]


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_unit_is_known_by_its_users_mcptt_id(shape: str, tmp_path: Path) -> None:
    officer = "sip:officer-11@mcptt.example"
    units = [{"call_sign": "G01", "issi": 4001234}, {"call_sign": "G11", "mcptt_id": officer}]
    async with linked(shape, tmp_path, units=units) as there:
        there.link.put(state(officer, "At scene"), state("issi:4001234", "Resuming"))
        await there.told_all()
        held = {unit["call_sign"]: (unit["mcptt_id"], unit["state"]) for unit in there.simulator.store.units()}
        assert held == {"G01": (None, "Resuming"), "G11": (officer, "At scene")}
        there.simulator.store.set_unit("G11", "Assigned")
        await there.until(lambda: any(isinstance(each, News) for each in there.notices))
        (news,) = [each for each in there.notices if isinstance(each, News)]
        assert (news.about, news.data["issi"], news.data["mcptt_id"]) == ("G11", None, officer)


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_lost_link_is_known_in_time_and_what_was_put_meanwhile_is_told_in_order(
    shape: str, tmp_path: Path
) -> None:
    async with linked(shape, tmp_path) as there:
        await there.until(lambda: there.link.is_up)
        for fault in (Fault.DOWN, Fault.SILENT, Fault.ERRORS):
            await there.simulator.server.set_fault(fault, seconds=1)
            began = asyncio.get_running_loop().time()
            await there.until(lambda: not there.link.is_up)
            assert asyncio.get_running_loop().time() - began <= LOST_WITHIN_S
            there.link.put(*(opened(number) for number in range(10)) if fault is Fault.DOWN else ())
            there.link.put(*(noted(number, fault.value) for number in range(10)))
            await there.simulator.server.set_fault(None, seconds=0)
            await there.told_all()
            await there.until(lambda: there.link.is_up)
        assert there.changes() == [True, False, True, False, True, False, True]
        texts = [line["text"] for line in there.simulator.store.incident("INC-9")["log"]]
        assert texts == ["down", "silent", "errors"]
        assert there.simulator.store.told("iccs") == list(range(1, 41))


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_answer_lost_on_the_way_does_nothing_twice(shape: str, tmp_path: Path) -> None:
    async with linked(shape, tmp_path) as there:
        there.link.put(opened(1))
        await there.told_all()
        await there.simulator.server.set_fault(Fault.LOSES_ANSWERS, seconds=1)
        there.link.put(noted(1, "once"), state("G01", "Resuming"))
        await asyncio.sleep(20)
        assert len(there.link.outbox) > 0
        await there.simulator.server.set_fault(None, seconds=0)
        await there.told_all()
        assert [line["text"] for line in there.simulator.store.incident("INC-1")["log"]] == ["once"]
        assert there.simulator.store.told("iccs") == [1, 2, 3]
        assert there.simulator.figures()["taken"] > 3, "nothing was told twice: the test shows nothing"


@pytest.mark.parametrize("shape", SHAPES)
async def test_what_is_refused_is_put_aside_with_the_reason_and_stops_nothing(shape: str, tmp_path: Path) -> None:
    async with linked(shape, tmp_path) as there:
        there.link.put(noted(7, "of no incident"), opened(1), state("G99", "At scene"), opened(1), noted(1, "on"))
        await there.told_all()
        refused = there.link.outbox.refused()
        assert [kept.number for kept, _ in refused] == [1, 3, 4]
        assert "no incident 'INC-7'" in refused[0][1]
        assert "no unit 'G99'" in refused[1][1]
        assert "already" in refused[2][1]
        assert [line["text"] for line in there.simulator.store.incident("INC-1")["log"]] == ["on"]


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_entry_that_is_refused_leaves_nothing_of_itself_in_the_log(shape: str, tmp_path: Path) -> None:
    async with linked(shape, tmp_path) as there:
        nowhere = noted(1, "to no force").body
        there.link.put(
            opened(1), noted(1, "before"), Entry("incident.transferred", "INC-1", nowhere), noted(1, "after")
        )
        await there.told_all()
        assert [kept.number for kept, _ in there.link.outbox.refused()] == [3]
        incident = there.simulator.store.incident("INC-1")
        assert [line["text"] for line in incident["log"]] == ["before", "after"]
        assert incident["state"] == "open"


@pytest.mark.parametrize("shape", SHAPES)
async def test_news_of_command_and_control_comes_once_and_goes_on_where_it_was_left(shape: str, tmp_path: Path) -> None:
    async with linked(shape, tmp_path) as there:
        await there.until(lambda: there.link.is_up)
        there.simulator.store.set_unit("G01", "En route")
        await asyncio.sleep(2.5)
        news = [notice for notice in there.notices if isinstance(notice, News)]
        assert [(each.kind, each.about, each.data["state"]) for each in news] == [("unit.state", "G01", "En route")]
        cursor = there.link.outbox.cursor
        await there.link.close()
        there.simulator.store.set_unit("G01", "At scene")
        again = CommandControlLink.open(
            Context.create(seed=2), "again", there.simulator.link_url, there.link.outbox, load_dialect(shape)
        )
        told: list[Notice] = []
        again.subscribe(told.append)
        await asyncio.sleep(2)
        await again.close()
        assert [each.data["state"] for each in told if isinstance(each, News)] == ["At scene"]
        assert there.link.outbox.cursor != cursor


async def test_an_idle_link_asks_at_its_pace_and_the_clock_goes_on(tmp_path: Path) -> None:
    """Of hundreds of moments some add up to a little less than a pause: the link is not to wait for ever at one."""
    async with linked("storm", tmp_path) as there:
        turns = 0
        clear = there.link._wake.clear

        def counted() -> None:
            nonlocal turns
            turns += 1
            if turns > 10 * IDLE_S:
                raise RuntimeError("the link turns round without the clock going on")
            clear()

        there.link._wake.clear = counted  # type: ignore[method-assign]
        await asyncio.sleep(IDLE_S)
        assert turns == pytest.approx(IDLE_S / POLL_S, abs=5)


async def test_a_link_without_its_token_stays_down_and_tells_why(tmp_path: Path) -> None:
    async with linked("storm", tmp_path, token="let-me-in-please") as there:
        await there.until(lambda: there.link.is_up)
        outbox = Outbox(tmp_path / "other.sqlite")
        link = CommandControlLink.open(
            Context.create(seed=2), "stranger", there.simulator.link_url, outbox, load_dialect("storm"), token="wrong"
        )
        told: list[Notice] = []
        link.subscribe(told.append)
        await asyncio.sleep(5)
        await link.close()
        outbox.close()
        assert [notice.up for notice in told if isinstance(notice, LinkChanged)] == [False]
        assert "401" in next(notice.cause for notice in told if isinstance(notice, LinkChanged))


def test_a_dialect_that_there_is_not_is_named_with_those_there_are() -> None:
    with pytest.raises(
        CommandControlError, match=r"'morse' is installed \(iccs\.command_control\); there is storm, next_generation"
    ):
        load_dialect("morse")
