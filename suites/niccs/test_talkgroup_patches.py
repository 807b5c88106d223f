"""Patches between talkgroups: speech goes both ways with little added delay, and no patch closes a loop."""

from __future__ import annotations

import asyncio

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.talking_radio import Ability, TalkingRadio, Technology
from harness.errors import DriverError
from harness.measure.words import how_like
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import LEAST_CORRELATION, Microphone, converse
from harness.testbed.desk_party import DeskParty, worked_by
from harness.testbed.radio_party import radio_talkgroups
from harness.testbed.since import Since

ONE, TWO = "GD-OPS-1", "GD-OPS-2"
SHOWN_S = 3.0
"""A radio shows the talker of another talkgroup within this: its own network, the ICCS, and the other call's set-up."""


async def mouth_to_ear(bench: Bench, mouth: TalkingRadio, ear: TalkingRadio) -> float:
    """Milliseconds from one radio to another, once the other shows that somebody talks."""
    after = bench.journal.position
    await mouth.key()
    try:
        await ear.expect(ear.talk_shown, within=SHOWN_S, after=after)
        return (await converse(Microphone(mouth), ear, read_clip("officer-reply"))).latency.ms
    finally:
        await mouth.unkey()
        await ear.expect(ear.talk_over, within=SHOWN_S, after=after)


@requirement("NICCS-RAD-015")
@in_each_technology(Ability.PATCHES)
@pytest.mark.waits
async def test_patched_talkgroups_hear_each_other_with_little_added_delay(bench: Bench, desks: DeskParty) -> None:
    """The delay that a patch adds: to a radio of the other talkgroup, less that to one of the talker's own.

    That is the mean of both ways: when packets leave in their 20 ms makes the ways differ by as much.
    """
    dispatcher = await desks.dispatcher()
    one, two, _ = desks.talkgroups
    officer, colleague = await desks.radio(one), await desks.radio(one, 1)
    other = await desks.radio(two)
    direct = (await mouth_to_ear(bench, officer, colleague) + await mouth_to_ear(bench, colleague, officer)) / 2
    patch = await dispatcher.patch(one, two)
    for name, mouth, ear in (("to", officer, other), ("fro", other, officer)):
        patched = await mouth_to_ear(bench, mouth, ear)
        figure = {"requirement": "NICCS-RAD-015", "figure": "added_delay_ms"}
        bench.measured(f"patch_added_delay {desks.technology} {name}", patched - direct, "ms", **figure)
    await dispatcher.unpatch(patch)


@requirement("NICCS-RAD-015")
@in_each_technology(Ability.PATCHES)
@pytest.mark.waits
async def test_a_dispatcher_who_keys_one_of_the_patched_talkgroups_is_heard_on_both(
    bench: Bench, desks: DeskParty
) -> None:
    """And once the patch is taken apart, on the one alone."""
    dispatcher = await desks.dispatcher()
    one, two, _ = desks.talkgroups
    officer, other = await desks.radio(one), await desks.radio(two)
    patch = await dispatcher.patch(one, two)
    after = bench.journal.position
    await dispatcher.key(one)
    for radio in (officer, other):
        await radio.expect(radio.talk_shown, within=SHOWN_S, after=after)
    clip = read_clip("dispatch")
    await other.record()
    await converse(dispatcher, officer, clip)
    assert how_like(clip, (await other.recorded()).samples, rate=SAMPLE_RATE) >= LEAST_CORRELATION
    await dispatcher.unkey()
    await other.expect(other.talk_over, within=SHOWN_S, after=after)
    await dispatcher.unpatch(patch)
    after = bench.journal.position
    await dispatcher.key(one)
    await officer.expect(officer.talk_shown, within=SHOWN_S, after=after)
    await asyncio.sleep(SHOWN_S)
    assert bench.journal.find(other.name, other.talk_shown, after=after) is None, "what is no longer patched is heard"
    await dispatcher.unkey()


@requirement("NICCS-RAD-015", "NICCS-RAD-016")
@in_each_technology(Ability.PATCHES, but=[Technology.TETRA])
@pytest.mark.waits
async def test_a_tetra_talkgroup_is_patched_with_one_of_another_technology(bench: Bench, desks: DeskParty) -> None:
    """Speech goes both ways while a force moves over, and a loop by way of both networks is refused as any."""
    dispatcher = await desks.dispatcher()
    one, two, _ = desks.talkgroups
    worked = (await dispatcher.seat())["talkgroups"]
    terminals = radio_talkgroups(bench.testbed, Technology.TETRA)
    tetra = next(
        (name for name in worked_by(bench.testbed, Technology.TETRA) if name in worked and name in terminals), ""
    )
    if not tetra:
        pytest.skip(f"{dispatcher.name} works no TETRA talkgroup beside those by {desks.technology}")
    officer, constable = await desks.radio(one), await bench.radio(terminals[tetra][0])
    first, second = await dispatcher.patch(tetra, one), await dispatcher.patch(one, two)
    with pytest.raises(DriverError, match=rf"close a loop: .*\({second} by .*\) and .*\({first} by "):
        await dispatcher.patch(two, tetra)
    for name, mouth, ear in (("to", constable, officer), ("from", officer, constable)):
        latency = await mouth_to_ear(bench, mouth, ear)
        bench.measured(f"patched mouth_to_ear {name} {desks.technology}", latency, "ms")
    for patch in (first, second):
        await dispatcher.unpatch(patch)


@requirement("NICCS-RES-004")
@pytest.mark.waits
async def test_a_patch_whose_gateway_is_killed_in_mid_speech_goes_on_by_the_one_that_stands_by(bench: Bench) -> None:
    """A radio talks on the other talkgroup all the while, and is heard again without letting go of its key."""
    dispatcher, network = await bench.console("govan-31"), await bench.radio_network()
    officer, other = await bench.terminal("officer"), await bench.terminal("officer-2")
    await dispatcher.patch(ONE, TWO)
    after = bench.journal.position
    await other.key()
    await officer.expect("talker.shown", within=SHOWN_S, after=after, issi=bench.issi("gateway-1"))
    after, killed = bench.journal.position, bench.journal.now()
    await network.power_cycle(bench.issi("gateway-1"))
    again = await officer.expect("talker.shown", within=5.0, after=after, issi=bench.issi("gateway-1b"))
    figure = {"requirement": "NICCS-RES-004", "figure": "path_back_s"}
    bench.measured("path_back of a patch", again.time - killed, "s", **figure)
    await converse(other.jack, officer.jack, read_clip("officer-reply"))
    await other.unkey()


@requirement("NICCS-RAD-016")
@in_each_technology(Ability.PATCHES)
async def test_a_patch_that_would_close_a_loop_is_refused_with_the_way_round(bench: Bench, desks: DeskParty) -> None:
    """Directly, with itself, and through a third talkgroup; each refusal names the patches that it would loop with."""
    dispatcher = await desks.dispatcher()
    one, two, three = desks.talkgroups
    first, second = await dispatcher.patch(one, two), await dispatcher.patch(two, three)
    by, since = dispatcher.position, await Since.now(await bench.supervisor())
    for wanted, why in (
        ((two, one), rf"close a loop: .*{one} with {two} \({first} by {by}\)"),
        ((one, one), "itself is a loop"),
        ((one, three), rf"close a loop: .*\({first} by {by}\) and .*\({second} by {by}\)"),
    ):
        with pytest.raises(DriverError, match=why):
            await dispatcher.patch(*wanted)
    await dispatcher.unpatch(first)
    await dispatcher.unpatch(await dispatcher.patch(one, three))
    await dispatcher.unpatch(second)
    refused = await since.audit(act="patch", outcome="refused")
    assert len(refused) == 3 and all("loop" in each["reason"] for each in refused)


@requirement("NICCS-RAD-016")
@in_each_technology(Ability.PATCHES)
async def test_two_consoles_at_once_cannot_close_a_loop_together(bench: Bench, desks: DeskParty) -> None:
    """Each asks for a patch that is none by itself and a loop with the other's: one is made, one is refused."""
    one, two = await desks.dispatcher(), await desks.dispatcher(1)
    a, b, c = desks.talkgroups
    since = await Since.now(await bench.supervisor())
    first = await one.patch(a, b)
    answers = await asyncio.gather(one.patch(b, c), two.patch(a, c), return_exceptions=True)
    made = [each for each in answers if isinstance(each, str)]
    refused = [each for each in answers if isinstance(each, DriverError)]
    assert (len(made), len(refused)) == (1, 1), f"one patch of two is due, and one refusal: {answers}"
    assert "close a loop" in str(refused[0])
    assert len(await since.patches()) == 2
    for patch in (first, *made):
        await one.unpatch(patch)
