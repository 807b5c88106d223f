"""Ambience listening: an authorised dispatcher hears what goes on around a radio, which shows nothing of it."""

from __future__ import annotations

import asyncio

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.console import Console
from harness.drivers.mcptt import McpttRadio
from harness.drivers.talking_radio import Ability, TalkingRadio
from harness.errors import DriverError
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse
from harness.testbed.desk_party import DeskParty
from harness.testbed.since import Since

STRANGE = 0.3
"""Likeness from which what somebody hears may be what was said."""
SOON_S = 2.0


class Around:
    """What is said near a radio whose key nobody presses, as a mouth."""

    def __init__(self, officer: TalkingRadio) -> None:
        self._officer = officer

    async def say(self, samples: Samples) -> float:
        """Speak; returns the run time at which that began."""
        officer = self._officer
        return await (officer.speak_unkeyed(samples) if isinstance(officer, McpttRadio) else officer.speak(samples))


async def hears_nothing(console: Console, officer: TalkingRadio) -> None:
    """Whoever is beside does not hear what is said around the officer."""
    clip = read_clip("officer-reply")
    await console.headset.record()
    await Around(officer).say(clip)
    await asyncio.sleep(len(clip) / SAMPLE_RATE + 1.0)
    likeness = correlation(clip, (await console.headset.recorded()).samples)
    assert likeness < STRANGE, f"{console.name} hears the open microphone: likeness {likeness:.2f}"


@requirement("NICCS-RAD-011")
@in_each_technology(Ability.AMBIENCE)
@pytest.mark.waits
async def test_an_open_microphone_is_heard_at_the_console_alone_until_it_is_closed(
    bench: Bench, desks: DeskParty
) -> None:
    """The officer does not key; the console hears all the same, nobody else does, and the terminal shows nothing."""
    dispatcher, other = await desks.dispatcher(), await desks.dispatcher(1)
    officer, colleague = await desks.radio(desks.talkgroups[0]), await desks.radio(desks.talkgroups[0], 1)
    radio = bench.console_id(officer.name)
    before, since = bench.journal.position, await Since.now(await bench.supervisor())
    await dispatcher.begin_ambience(radio, bench.ambience_password(dispatcher.name))
    await dispatcher.expect("ambience.begun", within=SOON_S, **desks.named(officer))
    await asyncio.gather(other.headset.record(), colleague.record())
    clip = read_clip("officer-reply")
    await converse(Around(officer), dispatcher.headset, clip)
    for name, heard in ((other.name, await other.headset.recorded()), (colleague.name, await colleague.recorded())):
        assert correlation(clip, heard.samples) < STRANGE, f"{name} hears the open microphone"
    shown = [event for event in bench.journal if event.source == officer.name and event.seq > before]
    # A handset's SIP dialogs, and what goes on in its talkgroup, are not what its user sees.
    shown = [event for event in shown if "call_id" not in event.data and not event.kind.startswith("floor.")]
    assert not shown, f"the terminal shows that its microphone is open: {[event.kind for event in shown]}"
    await dispatcher.end_ambience(radio)
    await dispatcher.expect("ambience.ended", within=SOON_S, reason="ended")
    await hears_nothing(dispatcher, officer)
    done = await since.audit(position=dispatcher.position, act="ambience", outcome="done")
    assert [each["target"] for each in done] == [str(radio)]


@requirement("NICCS-RAD-012")
@in_each_technology(Ability.AMBIENCE)
@pytest.mark.waits
async def test_who_may_not_listen_is_refused_with_the_reason_and_logged(bench: Bench, desks: DeskParty) -> None:
    """One without the right, though with the password; and one with the right, without the password."""
    without_right, without_password = await desks.dispatcher(1), await desks.dispatcher()
    officer, since = await desks.radio(desks.talkgroups[0]), await Since.now(await bench.supervisor())
    radio = bench.console_id(officer.name)
    with pytest.raises(DriverError, match=f"{without_right.position} has no right to ambience"):
        await without_right.begin_ambience(radio, bench.ambience_password(without_right.name))
    with pytest.raises(DriverError, match="the password for ambience listening is wrong"):
        await without_password.begin_ambience(radio, "guessed")
    for console in (without_right, without_password):
        await hears_nothing(console, officer)
    refused = await since.audit(act="ambience", outcome="refused", target=str(radio))
    assert [each["position"] for each in refused] == [without_right.position, without_password.position]
    assert all(each["reason"] for each in refused)
    assert "guessed" not in str(refused)
