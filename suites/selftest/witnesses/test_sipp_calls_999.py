"""SIPp as the 999 network: it calls the control room, whose positions answer by themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from suites.selftest.ports import free_port
from suites.selftest.witnesses.control_room import (
    control_room,
    kinds,
    sipp,
    sipp_counts,
    sipp_errors,
    warnings,
)

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("sipp")]

CALLS = 200
A_SECOND = 20
FOR_MS = 1000


async def test_calls_by_tcp_are_taken_at_the_same_port(tmp_path: Path) -> None:
    folder = tmp_path / "sipp"
    async with control_room(tmp_path / "room", "iccs", auto_answer=0.2) as room:
        target = f"{room.sip[0]}:{room.sip[1]}"
        rate = ("-t", "t1", "-r", str(A_SECOND), "-m", "20", "-d", "500")
        async with sipp(folder, "-sn", "uac", target, "-s", "999", "-p", str(free_port()), *rate) as process:
            async with asyncio.timeout(60):
                assert await process.wait() == 0, sipp_errors(folder)
        assert sipp_counts(folder) == {"SuccessfulCall": 20, "FailedCall": 0, "Retransmissions": 0}
        assert warnings(await room.stop()) == []


async def test_two_hundred_999_calls_at_twenty_a_second_none_fails(tmp_path: Path) -> None:
    folder = tmp_path / "sipp"
    async with control_room(tmp_path / "room", "iccs", auto_answer=0.2) as room:
        target = f"{room.sip[0]}:{room.sip[1]}"
        rate = ("-r", str(A_SECOND), "-m", str(CALLS), "-d", str(FOR_MS))
        async with sipp(folder, "-sn", "uac", target, "-s", "999", "-p", str(free_port()), *rate) as process:
            async with asyncio.timeout(60):
                assert await process.wait() == 0, sipp_errors(folder)
        assert sipp_counts(folder) == {"SuccessfulCall": CALLS, "FailedCall": 0, "Retransmissions": 0}
        status = await room.status()
        assert (set(status["calls"].values()), set(status["waiting"].values())) == ({0}, {0})
        journal = await room.stop()
    arrived, connected = kinds(journal, "call.arrived"), kinds(journal, "call.connected")
    assert len(arrived) == len(connected) == len(kinds(journal, "call.cleared")) == CALLS
    assert warnings(journal) == []
    came = {event["data"]["call"]: event["time"] for event in arrived}
    waits = [event["time"] - came[event["data"]["call"]] for event in connected]
    assert min(waits) >= 0.19
    assert max(waits) < 1.0
