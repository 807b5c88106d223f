"""Calls of two terminals over the simulated network, in virtual time, by their serial lines and jacks only."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from harness.endpoints.media import open_media
from harness.endpoints.pei import TerminalEquipment
from harness.errors import PeiLocalError, SdsError
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import Grant
from harness.transport.context import Context
from suites.selftest.simulators.radio.test_radio_network import CONFIG, Air, virtually

TONE = (8000 * np.sin(2 * np.pi * 700 * np.arange(8000) / 8000)).astype(np.int16)
OFFICER, SERGEANT = 4001234, 4001235


async def called(air: Air, *, duplex: bool, priority: int = 0) -> tuple[int, int]:
    """The officer calls the sergeant, who answers; the instances of both."""
    before = air.journal.position
    calling = asyncio.create_task(air["officer"].call_terminal(SERGEANT, duplex=duplex, priority=priority))
    ringing = await air.journal.expect("sergeant", "radio.call_in", within=2, after=before)
    assert (ringing.data["calling"], ringing.data["group"]) == (OFFICER, False)
    assert ringing.data["priority"] in (priority, None)  # some makes leave it out
    return await asyncio.gather(calling, air["sergeant"].answer())  # type: ignore[return-value]


def state(terminal: TerminalEquipment, cc: int) -> CallState:
    """Where a call is, as that end of the line sees it."""
    return terminal.state_of(cc)


def test_a_simplex_call_of_two_has_a_floor_that_is_asked_for_and_heard_by_the_other_alone() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        at_officer, at_sergeant = await called(air, duplex=False)
        await air.journal.expect("officer", "radio.grant", within=1, grant="0 (granted)")
        shown = await air.journal.expect("sergeant", "radio.talker", within=1)
        assert shown.data["issi"] == OFFICER
        assert state(air["officer"], at_officer) is CallState.TALKING
        asked = await air["sergeant"].key(OFFICER)
        assert asked.grant is Grant.QUEUED
        await air["officer"].unkey(at_officer)
        assert (await air["sergeant"].granted(asked.cc, within=2)).granted
        await asyncio.sleep(0.5)
        assert state(air["officer"], at_officer) is CallState.LISTENING
        assert air.told("gateway", "radio.call_in") == []
        await air["sergeant"].hang_up()
        over = await air.journal.expect("officer", "radio.released", within=1)
        assert over.data["cause"] == "1 (released by the user)"
        assert air["sergeant"].state_of(at_sergeant) is CallState.IDLE

    virtually(main)


def test_in_a_duplex_call_both_are_heard_at_once_and_nobody_asks_to_talk() -> None:
    async def main() -> None:
        at, _ = await called(air := await Air.up(CONFIG), duplex=True)
        assert state(air["officer"], at) is CallState.DUPLEX
        with pytest.raises(PeiLocalError, match="connected, both talk"):
            await air["officer"].key(SERGEANT)

    virtually(main)


def test_the_voices_of_a_duplex_call_cross() -> None:
    async def main() -> None:
        context_of = await open_media(Context.create(seed=2), in_process=True)
        air = await Air.up(CONFIG, context_of)
        jacks = {}
        for each in air.network.addresses():
            if each["kind"] == "rtp" and each["name"] in ("officer", "sergeant"):
                host, _, port = each["url"].removeprefix("rtp://").rpartition(":")
                jacks[each["name"]] = jack = await context_of.open_port(f"{each['name']} lead")
                await jack.connect((host, int(port)), dtmf_payload_type=None)
        await called(air, duplex=True)
        for jack in jacks.values():
            await jack.record()
        await asyncio.gather(*(jack.play(TONE) for jack in jacks.values()))
        await asyncio.sleep(2)
        for jack in jacks.values():
            heard = (await jack.recorded()).samples
            assert np.abs(heard).max() > 4000

    virtually(main)


def test_a_direct_call_needs_no_answer() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        cc = await air["officer"].call_terminal(SERGEANT, direct=True, within=3)
        await air.journal.expect("sergeant", "radio.connected", within=1)
        assert state(air["officer"], cc) in (CallState.ACTIVE, CallState.TALKING)

    virtually(main)


def test_a_call_that_nobody_answers_ends_by_the_networks_timer_or_by_ours() -> None:
    async def main() -> None:
        air = await Air.up(replace(CONFIG, ring_s=20.0))
        with pytest.raises(PeiLocalError, match=r"released: 13 \(expiry of timer\)"):
            await air["officer"].call_terminal(SERGEANT)
        with pytest.raises(PeiLocalError, match="no answer of 4001235 within 5 s"):
            await air["officer"].call_terminal(SERGEANT, within=5)
        await air.journal.expect("sergeant", "radio.released", within=1, cause="1 (released by the user)")

    virtually(main)


def test_who_is_busy_unknown_out_of_coverage_or_says_no_is_told_by_the_cause() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        officer = air["officer"]
        for issi, cause in (
            (4009999, "16 (unknown"),
            (4001237, "3 (called party not reachable"),
            (OFFICER, "3 (called"),
        ):
            with pytest.raises(PeiLocalError) as refused:
                await officer.call_terminal(issi, within=5)
            assert cause in str(refused.value)
        await called(air, duplex=True)
        with pytest.raises(PeiLocalError, match=r"2 \(called party busy\)"):
            await air["elsewhere"].call_terminal(SERGEANT, within=5)
        await officer.hang_up()
        await asyncio.sleep(1)
        before = air.journal.position
        calling = asyncio.create_task(officer.call_terminal(SERGEANT))
        await air.journal.expect("sergeant", "radio.call_in", within=2, after=before)
        await air["sergeant"].hang_up()
        with pytest.raises(PeiLocalError, match=r"11 \(rejected by the called party\)"):
            await calling

    virtually(main)


def test_an_emergency_call_takes_the_called_out_of_its_own_and_both_enter_their_group_again_after_it() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        assert (await air["gateway"].key(2001)).granted
        await air.journal.expect("sergeant", "radio.talker", within=1)
        await called(air, duplex=True, priority=15)
        taken = await air.journal.expect("sergeant", "radio.released", within=1)
        assert taken.data["cause"] == "9 (pre-emption)"
        await air["officer"].hang_up()
        entered = await air.journal.expect("sergeant", "radio.talker", within=3, after=air.journal.position)
        assert entered.data["issi"] == 4000001

    virtually(main)


def test_choosing_a_talkgroup_leaves_a_call_of_two_alone() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        at, _ = await called(air, duplex=True)
        await air["officer"].select_group(2002)
        await asyncio.sleep(2)
        assert state(air["officer"], at) is CallState.DUPLEX

    virtually(main)


@pytest.mark.parametrize("personality", ["plain", "motorola-like", "sepura-like"])
def test_every_make_of_terminal_serves_calls_texts_and_places(personality: str) -> None:
    async def main() -> None:
        terminals = [replace(each, personality=personality) for each in CONFIG.terminals]
        context = await Air.up(replace(CONFIG, terminals=terminals), refused=personality == "sepura-like")
        for name in ("officer", "sergeant"):
            await context[name].select_group(2001)
        assert (await context["officer"].key(2001)).granted
        shown = await context.journal.expect("sergeant", "radio.talker", within=1)
        assert (shown.data["issi"], shown.data["with"]) == (OFFICER, "2001")
        await context["officer"].hang_up()
        assert (await context["officer"].send_text(SERGEANT, "on scene")).sent
        await context.journal.expect("sergeant", "sds.received", within=1, text="on scene")
        await asyncio.sleep(10)
        await called(context, duplex=True)

    virtually(main)


def test_a_terminal_that_reboots_is_gone_a_while_and_must_be_told_all_again() -> None:
    async def main() -> None:
        terminals = [replace(each, personality="sepura-like") for each in CONFIG.terminals]
        air = await Air.up(replace(CONFIG, terminals=terminals), refused=True)
        assert (await air["officer"].key(2001)).granted
        await air.journal.expect("sergeant", "radio.talker", within=1)
        await air["officer"].command("ATZ")
        await air.journal.expect("sergeant", "radio.ceased", within=1)
        with pytest.raises(PeiLocalError, match="no final result within 5 s"):
            await air["officer"].command("AT")
        with pytest.raises(PeiLocalError, match="not reachable"):
            await air["sergeant"].call_terminal(OFFICER, within=5)
        await air.journal.expect("officer", "radio.registration", within=20, state="1 (registered, home network)")
        await air["officer"].reopen()
        await air["officer"].register_services()
        assert (await air["officer"].key(2001)).granted

    virtually(main)


def test_in_direct_mode_the_network_can_not_reach_a_terminal_until_it_is_back() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        await air["sergeant"].command("AT+CTOM=1")
        assert not (await air["officer"].send_text(SERGEANT, "where are you")).sent
        assert (await air["officer"].key(2001)).granted
        await asyncio.sleep(1)
        assert air.told("sergeant", "radio.talker") == []
        await air["sergeant"].command("AT+CTOM=0")
        entered = await air.journal.expect("sergeant", "radio.talker", within=3)
        assert entered.data["issi"] == OFFICER

    virtually(main)


def test_a_long_text_arrives_whole() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        text = "Two vehicles, the second across both lanes. " * 15
        outcomes = await air["officer"].send_long_text(SERGEANT, text)
        assert [outcome.sent for outcome in outcomes] == [True, True, True]
        arrived = await air.journal.expect("sergeant", "sds.received", within=1)
        assert (arrived.data["text"], arrived.data["parts"]) == (text, 3)

    virtually(main)


def test_user_data_of_types_1_to_3_arrive_as_they_were_sent_and_no_other_length_leaves() -> None:
    async def main() -> None:
        air = await Air.up(CONFIG)
        for sds_type, payload in ((1, b"\x12\x34"), (2, bytes(4)), (3, bytes(range(8)))):
            assert (await air["officer"].send_user_data(SERGEANT, sds_type, payload)).sent
            shown = await air.journal.expect("sergeant", "sds.received", within=1, sds_type=sds_type)
            assert shown.data["hex"] == payload.hex()
        before = air.journal.position
        for sds_type, payload in ((1, b"\x12"), (4, bytes(8)), (0, b"")):
            with pytest.raises(SdsError, match="types 1, 2, 3 have 2, 4, 8"):
                await air["officer"].send_user_data(SERGEANT, sds_type, payload)
        assert air.journal.find("officer", "pei.command", after=before) is None

    virtually(main)
