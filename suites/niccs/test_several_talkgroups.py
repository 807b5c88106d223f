"""Several talkgroups at one console: keyed at once, selected and unselected, and who talks on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.jack import AudioJack
from harness.drivers.talking_radio import Ability, TalkingRadio, Technology
from harness.endpoints.media import Recording
from harness.errors import DriverError
from harness.evidence.requirements import catalogue
from harness.measure.correlate import correlation
from harness.measure.level import level_db
from harness.measure.words import how_like
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.conversation import LEAST_CORRELATION, converse
from harness.testbed.desk_party import DeskParty

UNLIKE = 0.4
"""Normalised correlation under which one speech file counts as not heard in another."""
TURNED_DB = -12.0
TALKERS = {
    Technology.TETRA: {"officer": "GB 214", "officer-2": "4001302"},
    Technology.MCPTT: {"handset-11": "GB 311", "handset-12": "officer-12"},
}
"""Radios on talkgroups that consoles work, and what who talks there is shown as."""
GIVEN_DB = 1.5
"""By how much a level may be off what it was turned to: coding, and where a recording begins."""


@requirement("NICCS-RAD-017")
@in_each_technology(Ability.SEVERAL_TALKGROUPS)
async def test_one_press_keys_all_the_groups_that_are_selected(
    bench: Bench, desks: DeskParty, speech: Callable[[str], Samples]
) -> None:
    """Three talkgroups are permitted in time, officers hear the dispatcher, and one release frees them all."""
    dispatcher = await desks.dispatcher()
    officers = await desks.radios()  # on MCPTT nobody is permitted who is alone
    after = bench.journal.position
    pressed = bench.journal.now()
    await dispatcher.key_groups(*desks.talkgroups)
    for group in desks.talkgroups:
        granted = await dispatcher.expect("ptt.granted", within=2.0, after=after, talkgroup=group)
        waited = 1000 * (granted.time - pressed)
        bench.measured(f"ptt of several, {group}", waited, "ms", requirement="NICCS-RAD-017", figure="keyed_ms")
    for officer in officers:
        await officer.expect(officer.talk_shown, within=1.0, after=after)
    await officers[1].record()
    said = speech("dispatch")
    await converse(dispatcher, officers[0], said)
    assert likeness(said, await officers[1].recorded()) >= LEAST_CORRELATION
    await dispatcher.unkey()
    for group in desks.talkgroups:
        await dispatcher.expect("ptt.released", within=1.0, after=after, talkgroup=group)
    for officer in officers:
        await officer.expect(officer.talk_over, within=2.0, after=after)


@requirement("NICCS-RAD-017")
@in_each_technology(Ability.SEVERAL_TALKGROUPS)
async def test_a_group_that_can_not_be_keyed_is_shown_and_the_others_are_had(bench: Bench, desks: DeskParty) -> None:
    """Another dispatcher keys one of the groups: it is refused by name and reason, the other two are granted."""
    one, two = await desks.dispatcher(), await desks.dispatcher(1)
    await desks.radios()
    first, taken, third = desks.talkgroups
    await two.key(taken)
    await two.expect("ptt.granted", within=2.0, talkgroup=taken)
    after = bench.journal.position
    await one.key_groups(*desks.talkgroups)
    refused = await one.expect("ptt.refused", within=1.0, after=after, talkgroup=taken)
    assert two.position in str(refused.data["reason"]), "the refusal does not tell who has the group"
    for group in (first, third):
        await one.expect("ptt.granted", within=2.0, after=after, talkgroup=group)
    await one.unkey()
    after = bench.journal.position
    with pytest.raises(DriverError, match=f"keyed by {two.position}"):
        await one.key_groups(taken)
    assert bench.journal.find(one.name, "ptt.granted", after=after) is None
    await two.unkey()


def likeness(said: Samples, heard: Recording) -> float:
    """How like what was said something heard is, wherever a playout moved its words."""
    return how_like(said, heard.samples, rate=SAMPLE_RATE)


async def listened(ears: list[AudioJack], mouths: list[tuple[TalkingRadio, Samples]]) -> list[Recording]:
    """Let all speak at once, whose keys are down, and return what each ear heard."""
    for ear in ears:
        await ear.record()
    for mouth, samples in mouths:
        await mouth.speak(samples)
    for mouth, _ in mouths:
        await mouth.spoken()
    await asyncio.sleep(0.5)  # what is on its way: mouth to ear takes less
    return [await ear.recorded() for ear in ears]


@requirement("NICCS-RAD-018")
@in_each_technology(Ability.SEVERAL_TALKGROUPS)
@pytest.mark.waits
async def test_selected_and_unselected_groups_have_speakers_and_volumes_of_their_own(
    desks: DeskParty, speech: Callable[[str], Samples]
) -> None:
    """Two officers talk at once: one is in the headset, one in the loudspeaker alone; each is turned by itself."""
    dispatcher = await desks.dispatcher()
    selected, unselected, _ = desks.talkgroups
    officers = [await desks.radio(selected), await desks.radio(unselected)]
    ears = [dispatcher.headset, await dispatcher.loudspeaker()]
    await dispatcher.unselect(unselected)
    words = [speech("officer-reply"), speech("caller-999")]
    for officer in officers:
        await officer.key()
    mouths = list(zip(officers, words, strict=True))
    levels = []
    for headset_db, loudspeaker_db in ((0.0, 0.0), (TURNED_DB, 0.0), (0.0, TURNED_DB)):
        await dispatcher.set_volume(headset_db=headset_db, loudspeaker_db=loudspeaker_db)
        heard = await listened(ears, mouths)
        for ear, recording in enumerate(heard):
            assert likeness(words[ear], recording) >= LEAST_CORRELATION, "not heard where it is due"
            assert correlation(words[1 - ear], recording.samples) < UNLIKE, "heard where it is not due"
        levels.append([level_db(recording.samples) for recording in heard])
    (headset, loudspeaker), quiet_headset, quiet_loudspeaker = levels
    assert quiet_headset == pytest.approx([headset + TURNED_DB, loudspeaker], abs=GIVEN_DB)
    assert quiet_loudspeaker == pytest.approx([headset, loudspeaker + TURNED_DB], abs=GIVEN_DB)
    await dispatcher.set_volume(headset_db=0.0, loudspeaker_db=0.0)
    await dispatcher.select(unselected)
    heard = await listened(ears, mouths[1:])
    assert likeness(words[1], heard[0]) >= LEAST_CORRELATION
    assert correlation(words[1], heard[1].samples) < UNLIKE, "a group that is selected is in the loudspeaker still"
    for officer in officers:
        await officer.unkey()


@requirement("NICCS-RAD-019")
@in_each_technology(Ability.TALKER)
async def test_the_talkers_alias_is_shown_as_he_begins_to_speak(bench: Bench, desks: DeskParty) -> None:
    """An officer who has an alias is shown by it, in time from the permit; one without it by number or name."""
    dispatcher = await desks.dispatcher()
    for name, alias in TALKERS[desks.technology].items():
        officer = await bench.radio(name)
        after = bench.journal.position
        await officer.key()
        granted = await officer.expect("ptt.granted", within=1.0, after=after)
        shown = await dispatcher.expect(
            "talker.shown", within=catalogue()["NICCS-RAD-019"].figure("alias_ms").value / 1000 + 1.0, after=after
        )
        assert shown.data.items() >= {**desks.named(officer), "alias": alias}.items()
        waited = 1000 * max(0.0, shown.time - granted.time)
        bench.measured(f"alias of {name}", waited, "ms", requirement="NICCS-RAD-019", figure="alias_ms")
        await officer.unkey()
        await dispatcher.expect("talker.ended", within=2.0, after=after)
