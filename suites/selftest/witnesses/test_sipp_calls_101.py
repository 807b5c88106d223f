"""SIPp as a caller of 101: it presses a key in the menu, waits in that queue, is answered by an adviser and cleared.

SIPp plays keys from a raw socket, which takes the administrator's rights.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from suites.selftest.ports import free_port
from suites.selftest.witnesses.control_room import (
    SCENARIOS,
    SIMULATED,
    control_room,
    kinds,
    sipp,
    sipp_counts,
    sipp_errors,
    warnings,
)

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("sipp")]

CALLS = 4
ADVISERS = 2
TALKS_S = 2.0
SETTINGS = {
    "queues": {"emergency": ["999", "112"], "non_emergency": [], "operator": []},
    "ivr": {
        "numbers": {"101": "main"},
        "menus": {
            "main": {
                "announcement": "ivr-main",
                "keys": {"1": {"queue": "non_emergency"}, "0": {"queue": "operator"}},
                "otherwise": {"queue": "operator"},
            }
        },
    },
    "auto_advisers": {
        "positions": ["govan-01", "govan-02"],
        "reaction_s": {"least": 0.2, "most": 0.4},
        "other_s": TALKS_S,
        "spread": "fixed",
    },
}


def with_a_menu(folder: Path) -> Path:
    """The simulated testbed with a menu on 101 and two advisers who answer by themselves."""
    yaml = YAML()
    testbed = yaml.load(SIMULATED)
    testbed["components"]["iccs"]["simulator"] |= SETTINGS
    path = folder / "menu.yaml"
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(testbed, file)
    return path


@pytest.mark.skipif(os.geteuid() != 0, reason="SIPp plays keys from a raw socket: run as root")
async def test_callers_press_a_key_wait_in_its_queue_and_are_answered_by_advisers_in_turn(tmp_path: Path) -> None:
    folder = tmp_path / "sipp"
    async with control_room(tmp_path / "room", "iccs", auto_advisers=True, testbed=with_a_menu(tmp_path)) as room:
        target = f"{room.sip[0]}:{room.sip[1]}"
        many = ("-m", str(CALLS), "-r", "10", "-l", str(CALLS), "-mp", str(free_port()))
        scenario = str(SCENARIOS / "menu_calls.xml")
        async with sipp(folder, "-sf", scenario, target, "-s", "101", "-p", str(free_port()), *many) as process:
            async with asyncio.timeout(60):
                assert await process.wait() == 0, sipp_errors(folder)
        assert sipp_counts(folder) == {"SuccessfulCall": CALLS, "FailedCall": 0, "Retransmissions": 0}
        async with room.client() as http:
            board = (await http.get("/wallboard")).json()["queues"]
        journal = await room.stop()
    assert [event["data"]["digit"] for event in kinds(journal, "ivr.key")] == ["1"] * CALLS
    assert {event["data"]["queue"] for event in kinds(journal, "call.queued")} == {"non_emergency"}
    connected = kinds(journal, "call.connected")
    assert {event["source"] for event in connected} == {"govan-01", "govan-02"}
    assert len(connected) == CALLS
    figures = board["non_emergency"]
    assert (figures["offered"], figures["answered"], figures["waiting"]) == (CALLS, CALLS, 0)
    assert board["operator"]["offered"] == 0
    assert figures["longest_answer_s"] > TALKS_S, "the third and fourth waited until an adviser was free"
    odd = [event["kind"] for event in warnings(journal)]
    assert odd == ["rtp.unexpected_payload"] * CALLS, "SIPp sends keys among silence of a type that it did not offer"
