"""The two core nodes of a control room: what is lost with one, what lives on, and who is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from control_room_in_virtual_time import Room, control_room

from harness.drivers.console import Console
from harness.drivers.trunk import TrunkCall
from harness.errors import DriverError, SipLocalError
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

pytestmark = pytest.mark.virtual_time

TAKEOVER_S = 2.0
CLIP = read_clip("caller-999")[:12_000]


async def on_a_call(room: Room, position: str) -> tuple[Console, TrunkCall]:
    """Somebody who has taken a 999 call."""
    console = await room.console(position)
    call = await (await room.caller()).dial("999", cli="+447700900123")
    await console.expect("call.ringing", within=2)
    await console.answer(queue="emergency")
    await call.answered(within=2)
    await console.expect("call.connected", within=2)
    return console, call


def ended(room: Room, call: TrunkCall) -> bool:
    return any(event.kind == "call.ended" and event.data.get("call_id") == call.id for event in room.journal)


async def test_speech_and_dialogs_live_on_and_consoles_log_in_again() -> None:
    async with control_room({"core": {"takeover_s": 10}}) as room:
        console, call = await on_a_call(room, "govan-01")
        supervisor = room.supervisor()
        assert await supervisor.core_nodes() == {"core-1": "serves", "core-2": "stands by"}
        began = room.journal.now()
        await supervisor.kill_core_node("core-1")
        await asyncio.sleep(0.5)
        for act in (supervisor.core_nodes(), console.hold()):
            with pytest.raises(DriverError, match="got no answer"):
                await act
        # The control interface and the SIP ports are gone; speech is not.
        await converse(call, console.headset, CLIP)
        await converse(console.headset, call, CLIP)
        with pytest.raises(DriverError, match=r"not logged in again within 1 s: .* login got no answer"):
            await console.log_in_again(within=1)
        assert room.journal.now() - began < 10
        await console.log_in_again(within=10)
        assert 10 <= room.journal.now() - began < 11
        assert await supervisor.core_nodes() == {"core-1": "dead", "core-2": "serves"}
        assert not ended(room, call)
        await converse(call, console.headset, CLIP)
        # Its dialog is the new node's: what is done to the call goes out, and what the caller does comes in.
        await console.hold()
        await console.resume()
        await console.clear()
        await call.ended(within=2)


async def test_a_console_that_did_not_log_in_again_does_nothing_and_its_seat_is_free_for_one_alone() -> None:
    async with control_room() as room:
        console, _ = await on_a_call(room, "govan-01")
        supervisor = room.supervisor()
        await supervisor.kill_core_node("core-1")
        await asyncio.sleep(TAKEOVER_S + 1)
        with pytest.raises(DriverError, match="nobody is logged in at govan-01"):
            await console.hold()
        await console.log_in_again(within=1)
        with pytest.raises(DriverError, match="somebody is logged in at govan-01"):
            await room.console("govan-01")
        await console.hold()


async def test_a_call_that_was_being_set_up_is_over_and_one_that_comes_meanwhile_rings_after_it() -> None:
    async with control_room() as room:
        console, trunk = await room.console("govan-01"), await room.caller()
        supervisor = room.supervisor()
        unanswered = await trunk.dial("999", cli="+447700900123")
        await console.expect("call.ringing", within=2)
        await supervisor.kill_core_node("core-1")
        await asyncio.sleep(0.1)
        fresh = await trunk.dial("999", cli="+447700900124")
        with pytest.raises(SipLocalError):
            await unanswered.answered(within=TAKEOVER_S + 1)
        after = room.journal.position
        await console.log_in_again(within=1)
        await console.expect("call.ringing", within=5, after=after, cli="+447700900124")
        await console.answer(queue="emergency")
        await fresh.answered(within=2)


async def test_a_key_that_was_pressed_is_let_go() -> None:
    async with control_room(radio=True) as room:
        dispatcher, officer = await room.console("desk-1"), await room.terminal("officer")
        await dispatcher.key("GD-OPS-1")
        await officer.expect("talker.shown", within=5)
        after = room.journal.position
        await room.supervisor().kill_core_node("core-1")
        await officer.expect("talker.ended", within=2, after=after)


async def test_an_iccs_that_keeps_no_calls_drops_them_and_one_without_a_standby_is_gone() -> None:
    async with control_room({"core": {"keeps_calls": False}}) as room:
        _, call = await on_a_call(room, "govan-01")
        await room.supervisor().kill_core_node("core-1")
        await call.ended(within=TAKEOVER_S + 1)
        assert ended(room, call)
    async with control_room({"core": {"standby": False}}) as room:
        _, call = await on_a_call(room, "govan-01")
        supervisor, trunk = room.supervisor(), await room.caller()
        await supervisor.kill_core_node("core-1")
        await asyncio.sleep(60)
        with pytest.raises(DriverError, match="got no answer"):
            await supervisor.core_nodes()
        with pytest.raises(SipLocalError):
            await (await trunk.dial("999", cli="+447700900124")).ringing(within=10)
        assert not ended(room, call)


async def test_the_loss_of_a_node_is_one_alarm_until_it_is_repaired_and_the_next_loss_is_taken_over_too() -> None:
    async with control_room() as room:
        supervisor = room.supervisor()

        async def alarms() -> list[dict[str, Any]]:
            return [each for each in await supervisor.alarms() if each["what"] == "core_node_lost"]

        await supervisor.kill_core_node("core-2")
        [alarm] = await alarms()
        assert (alarm["fault"], alarm["severity"]) == ("core-2", "major")
        await supervisor.repair_core_node("core-2")
        assert await alarms() == []
        await supervisor.kill_core_node("core-1")
        await asyncio.sleep(TAKEOVER_S + 1)
        assert [each["fault"] for each in await alarms()] == ["core-1"]
        await supervisor.repair_core_node("core-1")
        await supervisor.kill_core_node("core-2")
        await asyncio.sleep(TAKEOVER_S + 1)
        assert await supervisor.core_nodes() == {"core-1": "serves", "core-2": "dead"}


@pytest.mark.parametrize(
    ("act", "node", "refused"),
    [
        ("kill", "core-3", "404: there is no core node 'core-3'; there is core-1, core-2"),
        ("kill", "<script>", "404"),
        ("kill", "core-2", "409: core-2 is dead"),
        ("repair", "core-1", "409: core-1 is not dead"),
    ],
)
async def test_what_can_not_be_done_to_a_node_is_refused_and_changes_nothing(act: str, node: str, refused: str) -> None:
    async with control_room({"core": {"standby": False}}) as room:
        supervisor = room.supervisor()
        with pytest.raises(DriverError, match=f"was refused with {refused}"):
            await (supervisor.kill_core_node if act == "kill" else supervisor.repair_core_node)(node)
        assert await supervisor.core_nodes() == {"core-1": "serves", "core-2": "dead"}


async def test_a_trunk_whose_cable_was_out_stays_out() -> None:
    async with control_room() as room:
        supervisor, trunk = room.supervisor(), await room.caller()
        await supervisor.begin_trunk_fault("primary", "down")
        await supervisor.kill_core_node("core-1")
        await asyncio.sleep(TAKEOVER_S + 1)
        with pytest.raises(SipLocalError):
            await (await trunk.dial("999", cli="+447700900123")).ringing(within=5)
        await supervisor.end_trunk_fault("primary")
        await (await trunk.dial("999", cli="+447700900124")).ringing(within=5)
