"""Administration: rights by role, layouts, supervisors who listen in, talkgroup plans, radios that are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from harness.drivers.call_load import LoadPlan
from harness.drivers.console import Console
from harness.drivers.trunk import TrunkCall
from harness.errors import DriverError, ExpectationError, PeiLocalError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import Ear, Mouth, converse
from harness.testbed.since import Since

CALLER = "+447700900123"
SOON_S = 3.0
OVER_THE_AIR_S = 20.0
"""Within this a radio in reach has been told over the air."""
UP_AGAIN_S = 30.0
"""After which a terminal that was switched off and on is up again, whatever its make."""


def limit(requirement_id: str, name: str) -> float:
    """The figure of a criterion, seconds."""
    return catalogue()[requirement_id].figure(name).value


async def heard(mouth: Mouth, ear: Ear, clip: str = "officer-reply") -> bool:
    """Whether what one says is heard at the other."""
    try:
        await converse(mouth, ear, read_clip(clip))
    except ExpectationError:
        return False
    return True


async def audited(bench: Bench, done: Awaitable[object], **wanted: str) -> list[dict[str, Any]]:
    """What an act adds to the audit, of what is wanted."""
    since = await Since.now(await bench.supervisor())
    await done
    return await since.audit(**wanted)


async def in_call(bench: Bench) -> tuple[Console, TrunkCall]:
    """An adviser, and a caller who talks with it."""
    adviser, trunk = await bench.console("govan-12"), await bench.trunk()
    call = await trunk.dial("999", cli=CALLER)
    await adviser.expect("call.ringing", within=2.0, cli=CALLER)
    await adviser.answer()
    await call.answered(within=2.0)
    return adviser, call


OUT_OF_SCOPE: dict[str, Callable[[Console], Awaitable[object]]] = {
    "patch": lambda at: at.patch("GD-OPS-1", "GD-OPS-2"),
    "regroup": lambda at: at.regroup("Operation Heron", [4001234]),
    "disable": lambda at: at.disable(4001234),
    "ambience": lambda at: at.begin_ambience(4001234, "test-ambience"),
    "oversee": lambda at: at.monitor("govan-31"),
    "plan": lambda at: at.change_plan("govan-31", ["GD-OPS-1"], approver="govan-50", why="a test"),
}
"""What a call taker has no right to, by the right."""


@requirement("NICCS-ADM-001")
@pytest.mark.parametrize("right", OUT_OF_SCOPE)
async def test_what_is_out_of_a_roles_scope_is_denied_and_audited(bench: Bench, right: str) -> None:
    adviser, _, _ = await bench.console("govan-12"), await bench.console("govan-31"), await bench.console("govan-50")

    async def asked() -> None:
        with pytest.raises(DriverError, match=f"govan-12 has no right to {right}"):
            await OUT_OF_SCOPE[right](adviser)

    refused = await audited(bench, asked(), position="govan-12", outcome="refused")
    assert [entry["reason"] for entry in refused] == [f"govan-12 has no right to {right}"]


@requirement("NICCS-ADM-002")
@pytest.mark.parametrize(
    ("position", "role", "first"),
    [
        ("govan-12", "call_taker", "queues"),
        ("govan-31", "dispatcher", "emergencies"),
        ("govan-50", "supervisor", "alarms"),
    ],
)
async def test_who_logs_in_has_the_roles_layout_in_time(bench: Bench, position: str, role: str, first: str) -> None:
    began = bench.journal.now()
    layout = await (await bench.console(position)).layout()
    took = bench.journal.now() - began
    assert (layout["role"], layout["panels"][0]) == (role, first)
    assert took <= limit("NICCS-ADM-002", "login_s"), f"the layout was there after {took:.1f} s"


@requirement("NICCS-ADM-003")
@pytest.mark.waits
async def test_a_supervisor_monitors_whispers_and_barges_in(bench: Bench) -> None:
    """Monitoring hears both and is heard by none; a whisper reaches the adviser alone; who barges in is a party."""
    adviser, call = await in_call(bench)
    supervisor = await bench.console("govan-50")
    await supervisor.monitor("govan-12")
    await adviser.expect("oversight.began", within=SOON_S, by="govan-50", how="monitor")
    assert await heard(call, supervisor.headset), "the supervisor does not hear the caller"
    assert await heard(adviser.headset, supervisor.headset), "the supervisor does not hear the adviser"
    assert not await heard(supervisor.headset, adviser.headset), "the adviser hears who only monitors"
    await supervisor.whisper("govan-12")
    assert await heard(supervisor.headset, adviser.headset), "the adviser does not hear the whisper"
    assert not await heard(supervisor.headset, call), "the caller hears the whisper"
    assert await heard(call, adviser.headset), "the adviser does not hear the caller beside the whisper"
    await supervisor.barge("govan-12")
    await adviser.expect("call.barged", within=SOON_S, by="govan-50")
    assert await heard(supervisor.headset, call), "the caller does not hear who barged in"
    assert await heard(call, supervisor.headset)
    await supervisor.leave()
    assert await heard(call, adviser.headset), "the call did not outlive the supervisor's going"
    acts = [each["act"] for each in await (await bench.supervisor()).audit(position="govan-50", target="govan-12")]
    assert acts[-3:] == ["monitor", "whisper", "barge"]


@pytest.mark.waits
@requirement("NICCS-ADM-003")
async def test_monitoring_goes_on_from_call_to_call_and_ends_with_the_supervisors_word(bench: Bench) -> None:
    supervisor, adviser = await bench.console("govan-50"), await bench.console("govan-12")
    await supervisor.monitor("govan-12")
    _, first = await in_call(bench)
    assert await heard(first, supervisor.headset), "a call that began later is not heard"
    await adviser.clear()
    await first.ended(within=SOON_S)
    _, second = await in_call(bench)
    assert await heard(second, supervisor.headset), "the next call is not heard"
    await supervisor.end_oversight()
    await adviser.expect("oversight.ended", within=SOON_S, by="govan-50")
    assert not await heard(second, supervisor.headset)


@requirement("NICCS-ADM-004")
async def test_the_wallboard_shows_a_change_of_state_in_time(bench: Bench) -> None:
    adviser, supervisor = await bench.console("govan-12"), await bench.supervisor()
    before = (await supervisor.wallboard())["advisers"]["break"]
    began = bench.journal.now()
    await adviser.go("break")
    within = limit("NICCS-ADM-004", "shown_s")
    while (await supervisor.wallboard())["advisers"]["break"] != before + 1:
        assert bench.journal.now() - began <= within, f"not shown within {within:g} s"
        await asyncio.sleep(0.1)


@requirement("NICCS-ADM-005", "NICCS-AUD-003")
@pytest.mark.waits
async def test_a_changed_talkgroup_plan_is_live_without_a_restart_and_audited(bench: Bench) -> None:
    """A dispatcher loses a talkgroup, then a call taker is given one and works it at once, in a call that goes on."""
    chief, second = await bench.console("govan-50"), await bench.console("govan-51")
    adviser, call = await in_call(bench)
    officer = await bench.terminal("officer")
    with pytest.raises(DriverError, match="does not work talkgroup GD-OPS-1"):
        await adviser.key("GD-OPS-1")
    shown = await chief.change_plan("govan-12", ["GD-OPS-1"], approver="govan-51", why="short of dispatchers")
    try:
        assert shown["talkgroups"] == ["GD-OPS-1"]
        await adviser.expect("plan.changed", within=SOON_S, by="govan-50", talkgroups=["GD-OPS-1"])
        after = bench.journal.position
        await adviser.key("GD-OPS-1")
        await officer.expect("talker.shown", within=SOON_S, after=after)
        assert await heard(adviser.headset, officer.jack, "dispatch"), "the talkgroup given does not carry speech"
        await adviser.unkey()
        assert await heard(call, adviser.headset), "the call did not outlive the change"
    finally:
        await second.change_plan("govan-12", [], approver="govan-50", why="dispatchers are back")
    with pytest.raises(DriverError, match="does not work talkgroup GD-OPS-1"):
        await adviser.key("GD-OPS-1")
    given, taken = (await (await bench.supervisor()).audit(act="change plan", outcome="done"))[-2:]
    assert (given["before"], given["after"], given["approver"]) == ([], ["GD-OPS-1"], "govan-51")
    assert (taken["before"], taken["after"], taken["approver"]) == (["GD-OPS-1"], [], "govan-50")
    assert (given["position"], given["target"], given["why"]) == ("govan-50", "govan-12", "short of dispatchers")


@requirement("NICCS-AUD-003")
@pytest.mark.parametrize(
    ("approver", "told"),
    [
        ("govan-50", "needs somebody else to approve"),
        ("govan-31", "govan-31 has no right to approve"),
        ("govan-51", "nobody is logged in at govan-51"),
    ],
    ids=["oneself", "no-right", "not-there"],
)
async def test_a_plan_is_not_changed_without_approval(bench: Bench, approver: str, told: str) -> None:
    chief, dispatcher = await bench.console("govan-50"), await bench.console("govan-31")

    async def asked() -> None:
        with pytest.raises(DriverError, match=told):
            await chief.change_plan("govan-31", ["GD-OPS-1"], approver=approver, why="a test")

    [entry] = await audited(bench, asked(), act="change plan", outcome="refused")
    assert bench.journal.find(dispatcher.name, "plan.changed") is None
    assert entry["before"] == ["GD-OPS-1", "GD-OPS-2", "GD-OPS-3"]


@requirement("NICCS-ADM-006")
@pytest.mark.waits
@pytest.mark.testbed("radio")
async def test_a_lost_radio_cant_call_and_stays_disabled_after_a_power_cycle(bench: Bench) -> None:
    dispatcher, radio, network = (
        await bench.console("govan-31"),
        await bench.terminal("unit-01"),
        await bench.radio_network(),
    )
    issi = bench.issi("unit-01")
    await dispatcher.disable(issi)
    await dispatcher.expect("terminal.disabled", within=OVER_THE_AIR_S, issi=issi, told=True)
    with pytest.raises(PeiLocalError):
        await radio.key()
    await network.power_cycle(issi)
    await asyncio.sleep(UP_AGAIN_S)
    assert (await network.terminal(issi))["disabled"] is True
    assert (await network.terminal(issi))["reached"] is False
    with pytest.raises(PeiLocalError):
        await radio.key()


@requirement("NICCS-AUD-004")
@pytest.mark.waits
@pytest.mark.testbed("workforce")
async def test_volume_and_wait_of_a_queue_are_stored_by_quarters_of_an_hour(bench: Bench) -> None:
    """A call is answered after a wait; when the quarter of an hour is over, both are stored."""
    adviser, supervisor, load = await bench.console("govan-01"), await bench.supervisor(), await bench.call_load()
    due = 60 * limit("NICCS-AUD-004", "interval_min")
    if (await Since.now(supervisor)).before("emergency", "offered"):
        await bench.time_passes(due)  # calls of before are in the quarter that goes on
    stored = [row["interval_start"] for row in await supervisor.intervals()]
    plan = LoadPlan(number="999", calls=1, per_second=1, hold_s=30, answer_within_s=60, speech=False)
    placing = asyncio.create_task(load.place(plan))
    rang = await adviser.expect("call.ringing", within=SOON_S)
    await asyncio.sleep(8)
    await adviser.answer()
    shown = await adviser.expect("call.connected", within=SOON_S)
    await placing
    await bench.time_passes(due)
    rows = [row for row in await supervisor.intervals() if row["interval_start"] not in stored]
    [row] = [row for row in rows if row["queue"] == "emergency" and row["offered"]]
    assert (row["offered"], row["answered"], row["abandoned"]) == (1, 1, 0)
    assert row["answer_ms"] / 1000 == pytest.approx(shown.time - rang.time, abs=0.5)
