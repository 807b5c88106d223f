"""SIPp as a telephone of the control room: it registers with digest and is called by a position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.errors import DriverError
from harness.testbed.bench import Bench
from suites.selftest.ports import free_port
from suites.selftest.witnesses.control_room import (
    SCENARIOS,
    ControlRoom,
    control_room,
    kinds,
    sipp,
    sipp_counts,
    sipp_errors,
    warnings,
)

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("sipp")]

NUMBER, PASSWORD = "2001", "test-telephone-2001"
WITHIN_S = 20.0


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[ControlRoom]:
    async with control_room(tmp_path / "room", "iccs") as started:
        yield started


@pytest.fixture
async def drivers(room: ControlRoom) -> AsyncIterator[Bench]:
    async with room.bench() as opened:
        yield opened


async def register(room: ControlRoom, folder: Path, port: int, *, scenario: str, password: str) -> None:
    target = f"{room.sip[0]}:{room.sip[1]}"
    arguments = ("-sf", str(SCENARIOS / scenario), target, "-s", NUMBER, "-au", NUMBER, "-ap", password)
    async with sipp(folder, *arguments, "-p", str(port), "-m", "1") as process:
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0, sipp_errors(folder)
    assert sipp_counts(folder) == {"SuccessfulCall": 1, "FailedCall": 0, "Retransmissions": 0}


async def test_a_telephone_registers_is_called_and_is_cleared(
    room: ControlRoom, drivers: Bench, tmp_path: Path
) -> None:
    console, port = await drivers.console("govan-12"), free_port()
    await register(room, tmp_path / "register", port, scenario="register.xml", password=PASSWORD)
    folder = tmp_path / "answer"
    async with sipp(folder, "-sf", str(SCENARIOS / "answer.xml"), "-p", str(port), "-m", "1") as process:
        call = await console.dial(NUMBER)
        await console.expect("call.alerting", within=WITHIN_S, call=call)
        connected = await console.expect("call.connected", within=WITHIN_S, call=call)
        assert connected.data["cli"] == NUMBER
        assert (await room.status())["calls"]["connected"] == 1
        await console.clear()
        await console.expect("call.cleared", within=5.0, call=call)
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0, sipp_errors(folder)
    counts = sipp_counts(folder)
    assert (counts["SuccessfulCall"], counts["FailedCall"]) == (1, 0), sipp_errors(folder)
    await drivers.close()
    journal = await room.stop()
    assert warnings(journal) == []
    (leg,) = [each for each in kinds(journal, "media.closed") if each["source"] == f"iccs {call}"]
    assert leg["data"]["packets_sent"] > 0  # the switch speaks to whom the answer named


async def test_a_wrong_password_is_refused_and_registers_nothing(
    room: ControlRoom, drivers: Bench, tmp_path: Path
) -> None:
    console = await drivers.console("govan-12")
    await register(room, tmp_path / "refused", free_port(), scenario="register_refused.xml", password="not-the-one")
    with pytest.raises(DriverError, match="no telephone is registered"):
        await console.dial(NUMBER)
    # nothing of it stands in the way of the right one
    await register(room, tmp_path / "register", free_port(), scenario="register.xml", password=PASSWORD)
    await drivers.close()
    journal = await room.stop()
    assert "not-the-one" not in str(journal)
    assert PASSWORD not in str(journal)
