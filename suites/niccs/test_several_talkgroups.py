"""Several talkgroups at one console: keyed at once, selected and unselected, and who talks on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from harness.drivers.jack import AudioJack
from harness.endpoints.media import Recording
from harness.errors import DriverError
from harness.evidence.requirements import catalogue
from harness.measure.correlate import correlation
from harness.measure.level import level_db
from harness.protocols.rtp.g711 import Samples
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.conversation import LEAST_CORRELATION, converse

GROUPS = ("GD-OPS-1", "GD-OPS-2", "GD-OPS-3")
UNLIKE = 0.4
"""Normalised correlation under which one speech file counts as not heard in another."""
TURNED_DB = -12.0
GIVEN_DB = 1.5
"""By how much a level may be off what it was turned to: coding, and where a recording begins."""


@requirement("NICCS-RAD-017")
async def test_one_press_keys_all_the_groups_that_are_selected(bench: Bench, speech: Callable[[str], Samples]) -> None:
    """Three talkgroups are permitted in time, officers of two hear the dispatcher, and one release frees them all."""
    dispatcher = await bench.console("govan-31")
    officers = [await bench.terminal("officer"), await bench.terminal("officer-2")]
    after = bench.journal.position
    pressed = bench.journal.now()
    await dispatcher.key_groups(*GROUPS)
    for group in GROUPS:
        granted = await dispatcher.expect("ptt.granted", within=2.0, after=after, talkgroup=group)
        waited = 1000 * (granted.time - pressed)
        bench.measured(f"ptt of several, {group}", waited, "ms", requirement="NICCS-RAD-017", figure="keyed_ms")
    for officer in officers:
        await officer.expect("talker.shown", within=1.0, after=after)
    await officers[1].record()
    said = speech("dispatch")
    await converse(dispatcher, officers[0].jack, said)
    assert correlation(said, (await officers[1].recorded()).samples) >= LEAST_CORRELATION
    await dispatcher.unkey()
    for group in GROUPS:
        await dispatcher.expect("ptt.released", within=1.0, after=after, talkgroup=group)
    for officer in officers:
        await officer.expect("talker.ended", within=2.0, after=after)


@requirement("NICCS-RAD-017")
async def test_a_group_that_can_not_be_keyed_is_shown_and_the_others_are_had(bench: Bench) -> None:
    """Another dispatcher keys one of the groups: it is refused by name and reason, the other two are granted."""
    one, two = await bench.console("govan-31"), await bench.console("govan-32")
    await two.key("GD-OPS-2")
    await two.expect("ptt.granted", within=2.0, talkgroup="GD-OPS-2")
    after = bench.journal.position
    await one.key_groups(*GROUPS)
    refused = await one.expect("ptt.refused", within=1.0, after=after, talkgroup="GD-OPS-2")
    assert "govan-32" in str(refused.data["reason"]), "the refusal does not tell who has the group"
    for group in ("GD-OPS-1", "GD-OPS-3"):
        await one.expect("ptt.granted", within=2.0, after=after, talkgroup=group)
    await one.unkey()
    after = bench.journal.position
    with pytest.raises(DriverError, match="keyed by govan-32"):
        await one.key_groups("GD-OPS-2")
    assert bench.journal.find("govan-31", "ptt.granted", after=after) is None
    await two.unkey()


async def listened(ears: list[AudioJack], mouths: list[tuple[AudioJack, Samples]]) -> list[Recording]:
    """Let all speak at once and return what each ear heard."""
    for ear in ears:
        await ear.record()
    for mouth, samples in mouths:
        await mouth.say(samples)
    for mouth, _ in mouths:
        await mouth.said()
    await asyncio.sleep(0.5)  # what is on its way: mouth to ear takes less
    return [await ear.recorded() for ear in ears]


@requirement("NICCS-RAD-018")
@pytest.mark.waits
async def test_selected_and_unselected_groups_have_speakers_and_volumes_of_their_own(
    bench: Bench, speech: Callable[[str], Samples]
) -> None:
    """Two officers talk at once: one is in the headset, one in the loudspeaker alone; each is turned by itself."""
    dispatcher = await bench.console("govan-31")
    officers = [await bench.terminal("officer"), await bench.terminal("officer-2")]
    ears = [dispatcher.headset, await dispatcher.loudspeaker()]
    await dispatcher.unselect("GD-OPS-2")
    words = [speech("officer-reply"), speech("caller-999")]
    for officer in officers:
        await officer.key()
    mouths = [(officer.jack, said) for officer, said in zip(officers, words, strict=True)]
    levels = []
    for headset_db, loudspeaker_db in ((0.0, 0.0), (TURNED_DB, 0.0), (0.0, TURNED_DB)):
        await dispatcher.set_volume(headset_db=headset_db, loudspeaker_db=loudspeaker_db)
        heard = await listened(ears, mouths)
        for ear, recording in enumerate(heard):
            assert correlation(words[ear], recording.samples) >= LEAST_CORRELATION, "not heard where it is due"
            assert correlation(words[1 - ear], recording.samples) < UNLIKE, "heard where it is not due"
        levels.append([level_db(recording.samples) for recording in heard])
    (headset, loudspeaker), quiet_headset, quiet_loudspeaker = levels
    assert quiet_headset == pytest.approx([headset + TURNED_DB, loudspeaker], abs=GIVEN_DB)
    assert quiet_loudspeaker == pytest.approx([headset, loudspeaker + TURNED_DB], abs=GIVEN_DB)
    await dispatcher.set_volume(headset_db=0.0, loudspeaker_db=0.0)
    await dispatcher.select("GD-OPS-2")
    heard = await listened(ears, mouths[1:])
    assert correlation(words[1], heard[0].samples) >= LEAST_CORRELATION
    assert correlation(words[1], heard[1].samples) < UNLIKE, "a group that is selected is in the loudspeaker still"
    for officer in officers:
        await officer.unkey()


@requirement("NICCS-RAD-019")
async def test_the_talkers_alias_is_shown_as_he_begins_to_speak(bench: Bench) -> None:
    """An officer whose ISSI has an alias is shown by it, in time from the permit; one without it by the number."""
    dispatcher = await bench.console("govan-31")
    for name, alias in (("officer", "GB 214"), ("officer-2", str(bench.issi("officer-2")))):
        officer = await bench.terminal(name)
        after = bench.journal.position
        await officer.key()
        granted = await officer.expect("ptt.granted", within=1.0, after=after)
        shown = await dispatcher.expect(
            "talker.shown", within=catalogue()["NICCS-RAD-019"].figure("alias_ms").value / 1000 + 1.0, after=after
        )
        assert (shown.data["issi"], shown.data["alias"]) == (bench.issi(name), alias)
        waited = 1000 * max(0.0, shown.time - granted.time)
        bench.measured(f"alias of {name}", waited, "ms", requirement="NICCS-RAD-019", figure="alias_ms")
        await officer.unkey()
        await dispatcher.expect("talker.ended", within=2.0, after=after)
