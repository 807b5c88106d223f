"""Dynamic regrouping (DGNA) and disabling over the air: how many attach in time, and that radios are as before."""

from __future__ import annotations

import asyncio

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.console import Console
from harness.drivers.talking_radio import Ability
from harness.errors import DriverError, PeiLocalError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse
from harness.testbed.since import Since

pytestmark = pytest.mark.testbed("radio")

UNITS = [f"unit-{number:02d}" for number in range(1, 25)]
PROVISIONED, OTHER = "GD-OPS-1", "GD-OPS-2"
SOON_S = 10.0


async def regroup(bench: Bench, dispatcher: Console, name: str) -> int:
    """Give a group to all units, and hold the share that has attached in time against the figures."""
    began = bench.journal.now()
    gssi = await dispatcher.regroup(name, [bench.issi(unit) for unit in UNITS])
    within = catalogue()["NICCS-RAD-013"].figure("attached_s").value
    await asyncio.sleep(began + within - bench.journal.now())
    group = await dispatcher.group(gssi)
    in_time = [event for event in bench.journal if event.source == dispatcher.name and event.kind == "dgna.unit"]
    attached = {event.data["issi"] for event in in_time if event.data["state"] == "attached"}
    assert (group["attached"], group["of"]) == (len(attached), len(UNITS)), "the count shown is not that of the units"
    share = 100 * len(attached) / len(UNITS)
    figure = {"requirement": "NICCS-RAD-013", "figure": "attached_share"}
    bench.measured(f"units attached after {within:g} s", share, "%", at_least=True, **figure)
    return gssi


@requirement("NICCS-RAD-013")
@in_each_technology(Ability.REGROUPING)
async def test_chosen_units_attach_in_time_and_are_counted(bench: Bench) -> None:
    """A new group is given to 24 units; a radio of theirs shows it, turns to it, and hears what is said there."""
    dispatcher = await bench.console("govan-31")
    one, two = await bench.terminal("unit-01"), await bench.terminal("unit-02")
    gssi = await regroup(bench, dispatcher, "Operation Heron")
    for radio in (one, two):
        await radio.expect("group.given", within=SOON_S, talkgroup=str(gssi))
        await radio.expect("talkgroup.turned", within=SOON_S, talkgroup=str(gssi))
    after = bench.journal.position
    await one.key()
    await two.expect("talker.shown", within=SOON_S, after=after, issi=bench.issi("unit-01"))
    await converse(one.jack, two.jack, read_clip("officer-reply"))
    await one.unkey()


@requirement("NICCS-RAD-013")
async def test_units_given_a_talkgroup_of_the_control_room_hear_its_dispatcher(bench: Bench) -> None:
    """The group given is one that the ICCS works: the dispatcher keys it and the units hear."""
    dispatcher, radio = await bench.console("govan-31"), await bench.terminal("unit-01")
    await regroup(bench, dispatcher, OTHER)
    after = bench.journal.position
    await dispatcher.key(OTHER)
    await radio.expect("talker.shown", within=SOON_S, after=after, talkgroup=OTHER)
    await converse(dispatcher, radio.jack, read_clip("dispatch"))
    await dispatcher.unkey()


@requirement("NICCS-RAD-014")
@in_each_technology(Ability.REGROUPING)
async def test_radios_behave_as_provisioned_once_the_group_is_taken(bench: Bench) -> None:
    """They show it gone, are on their own talkgroup, hear it, and can no longer use the group."""
    dispatcher = await bench.console("govan-31")
    radio, other, network = (
        await bench.terminal("unit-01"),
        await bench.terminal("unit-02"),
        await bench.radio_network(),
    )
    gssi = await regroup(bench, dispatcher, "Operation Heron")
    after = bench.journal.position
    await dispatcher.ungroup(gssi)
    for each in (radio, other):
        await each.expect("group.taken", within=SOON_S, after=after, talkgroup=str(gssi))
        await each.expect("talkgroup.turned", within=SOON_S, after=after, talkgroup=PROVISIONED)
    await asyncio.sleep(SOON_S)
    for unit in UNITS:
        known = await network.terminal(bench.issi(unit))
        assert (known["gssi"], known["groups_given"]) == (bench.testbed.talkgroups[PROVISIONED], []), unit
    after = bench.journal.position
    await dispatcher.key(PROVISIONED)
    await radio.expect("talker.shown", within=SOON_S, after=after, talkgroup=PROVISIONED)
    await converse(dispatcher, radio.jack, read_clip("dispatch"))
    await dispatcher.unkey()
    with pytest.raises(PeiLocalError, match="released"):
        await radio.key(str(gssi))


@requirement("NICCS-RAD-013")
async def test_who_may_not_regroup_or_disable_is_refused_and_nothing_changes(bench: Bench) -> None:
    """A position without the right; the audit has both refusals."""
    other, radio = await bench.console("govan-32"), await bench.terminal("unit-01")
    before, since = bench.journal.position, await Since.now(await bench.supervisor())
    with pytest.raises(DriverError, match="govan-32 has no right to regroup"):
        await other.regroup("Operation Heron", [bench.issi("unit-01")])
    with pytest.raises(DriverError, match="govan-32 has no right to disable"):
        await other.disable(bench.issi("unit-01"))
    await asyncio.sleep(SOON_S)
    assert not [event for event in bench.journal if event.source == radio.name and event.seq > before]
    assert len(await since.audit(position="govan-32", outcome="refused")) == 2


async def test_a_disabled_terminal_can_neither_talk_nor_hear_until_it_is_enabled(bench: Bench) -> None:
    """A lost radio is taken off the network over the air and let on again."""
    dispatcher, radio = await bench.console("govan-31"), await bench.terminal("unit-01")
    issi = bench.issi("unit-01")
    await dispatcher.disable(issi)
    await dispatcher.expect("terminal.disabled", within=SOON_S, issi=issi, told=True)
    with pytest.raises(PeiLocalError, match="30"):
        await radio.key()
    after = bench.journal.position
    await dispatcher.key(PROVISIONED)
    await dispatcher.expect("ptt.granted", within=SOON_S, after=after)
    await asyncio.sleep(3.0)
    assert bench.journal.find(radio.name, "talker.shown", after=after) is None, "a disabled terminal hears its group"
    await dispatcher.enable(issi)
    await dispatcher.expect("terminal.enabled", within=SOON_S, issi=issi)
    await radio.expect("talker.shown", within=SOON_S, after=after, talkgroup=PROVISIONED)
    await dispatcher.unkey()
    await radio.key()
    await radio.unkey()
