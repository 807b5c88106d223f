"""Patches between talkgroups: speech goes both ways with little added delay, and no patch closes a loop."""

from __future__ import annotations

import asyncio

import pytest

from harness.drivers.radio import RadioTerminal
from harness.errors import DriverError
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

ONE, TWO, THREE = "GD-OPS-1", "GD-OPS-2", "GD-OPS-3"
SHOWN_S = 3.0
"""A radio shows the talker of another talkgroup within this: its own network, the ICCS, and the other call's set-up."""


async def mouth_to_ear(bench: Bench, mouth: RadioTerminal, ear: RadioTerminal) -> float:
    """Milliseconds from one radio to another, once the other shows that somebody talks."""
    after = bench.journal.position
    await mouth.key()
    try:
        await ear.expect("talker.shown", within=SHOWN_S, after=after)
        return (await converse(mouth.jack, ear.jack, read_clip("officer-reply"))).latency.ms
    finally:
        await mouth.unkey()
        await ear.expect("talker.ended", within=SHOWN_S, after=after)


@requirement("NICCS-RAD-015")
@pytest.mark.waits
async def test_patched_talkgroups_hear_each_other_with_little_added_delay(bench: Bench) -> None:
    """The delay that a patch adds: to a radio of the other talkgroup, less that to one of the talker's own."""
    dispatcher = await bench.console("govan-31")
    officer, colleague = await bench.terminal("officer"), await bench.terminal("officer-3")
    other = await bench.terminal("officer-2")
    direct = await mouth_to_ear(bench, officer, colleague)
    patch = await dispatcher.patch(ONE, TWO)
    for name, mouth, ear in (("to", officer, other), ("fro", other, officer)):
        patched = await mouth_to_ear(bench, mouth, ear)
        figure = {"requirement": "NICCS-RAD-015", "figure": "added_delay_ms"}
        bench.measured(f"patch_added_delay {name}", patched - direct, "ms", **figure)
    await dispatcher.unpatch(patch)


@requirement("NICCS-RAD-015")
@pytest.mark.waits
async def test_a_dispatcher_who_keys_one_of_the_patched_talkgroups_is_heard_on_both(bench: Bench) -> None:
    """And once the patch is taken apart, on the one alone."""
    dispatcher = await bench.console("govan-31")
    officer, other = await bench.terminal("officer"), await bench.terminal("officer-2")
    patch = await dispatcher.patch(ONE, TWO)
    after = bench.journal.position
    await dispatcher.key(ONE)
    for radio in (officer, other):
        await radio.expect("talker.shown", within=SHOWN_S, after=after)
    await other.record()
    await converse(dispatcher, officer.jack, read_clip("dispatch"))
    await dispatcher.unkey()
    await other.expect("talker.ended", within=SHOWN_S, after=after)
    await dispatcher.unpatch(patch)
    after = bench.journal.position
    await dispatcher.key(ONE)
    await officer.expect("talker.shown", within=SHOWN_S, after=after)
    await asyncio.sleep(SHOWN_S)
    assert bench.journal.find(other.name, "talker.shown", after=after) is None, "what is no longer patched is heard"
    await dispatcher.unkey()


@requirement("NICCS-RAD-016")
async def test_a_patch_that_would_close_a_loop_is_refused_with_the_way_round(bench: Bench) -> None:
    """Directly, with itself, and through a third talkgroup; each refusal names the patches that it would loop with."""
    dispatcher = await bench.console("govan-31")
    first, second = await dispatcher.patch(ONE, TWO), await dispatcher.patch(TWO, THREE)
    for one, two, why in (
        (TWO, ONE, rf"close a loop: .*{ONE} with {TWO} \({first} by govan-31\)"),
        (ONE, ONE, "itself is a loop"),
        (ONE, THREE, rf"close a loop: .*\({first} by govan-31\) and .*\({second} by govan-31\)"),
    ):
        with pytest.raises(DriverError, match=why):
            await dispatcher.patch(one, two)
    await dispatcher.unpatch(first)
    await dispatcher.unpatch(await dispatcher.patch(ONE, THREE))
    await dispatcher.unpatch(second)
    refused = (await (await bench.supervisor()).audit(act="patch", outcome="refused"))[-3:]
    assert len(refused) == 3 and all("loop" in each["reason"] for each in refused)


@requirement("NICCS-RAD-016")
async def test_two_consoles_at_once_cannot_close_a_loop_together(bench: Bench) -> None:
    """Each asks for a patch that is none by itself and a loop with the other's: one is made, one is refused."""
    one, two = await bench.console("govan-31"), await bench.console("govan-32")
    first = await one.patch(ONE, TWO)
    answers = await asyncio.gather(one.patch(TWO, THREE), two.patch(ONE, THREE), return_exceptions=True)
    made = [each for each in answers if isinstance(each, str)]
    refused = [each for each in answers if isinstance(each, DriverError)]
    assert (len(made), len(refused)) == (1, 1), f"one patch of two is due, and one refusal: {answers}"
    assert "close a loop" in str(refused[0])
    assert len(await (await bench.supervisor()).patches()) == 2
    for patch in (first, *made):
        await one.unpatch(patch)
