"""Ambience listening: an authorised dispatcher hears what goes on around a radio, which shows nothing of it."""

from __future__ import annotations

import asyncio

import pytest

from fixtures.radio import in_each_technology
from harness.drivers.console import Console
from harness.drivers.talking_radio import Ability
from harness.errors import DriverError
from harness.measure.correlate import correlation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse
from harness.testbed.since import Since

STRANGE = 0.3
"""Likeness from which what somebody hears may be what was said."""
SOON_S = 2.0


async def hears_nothing(console: Console, bench: Bench) -> None:
    """Whoever is beside does not hear what is said around the officer."""
    officer, clip = await bench.terminal("officer"), read_clip("officer-reply")
    await console.headset.record()
    await officer.speak(clip)
    await officer.spoken()
    await asyncio.sleep(1.0)
    likeness = correlation(clip, (await console.headset.recorded()).samples)
    assert likeness < STRANGE, f"{console.name} hears the open microphone: likeness {likeness:.2f}"


@requirement("NICCS-RAD-011")
@in_each_technology(Ability.AMBIENCE)
@pytest.mark.waits
async def test_an_open_microphone_is_heard_at_the_console_alone_until_it_is_closed(bench: Bench) -> None:
    """The officer does not key; the console hears all the same, nobody else does, and the terminal shows nothing."""
    dispatcher, other = await bench.console("govan-31"), await bench.console("govan-32")
    officer, colleague = await bench.terminal("officer"), await bench.terminal("officer-3")
    before, since = bench.journal.position, await Since.now(await bench.supervisor())
    await dispatcher.begin_ambience(bench.issi("officer"), bench.ambience_password("govan-31"))
    await dispatcher.expect("ambience.begun", within=SOON_S, issi=bench.issi("officer"))
    await asyncio.gather(other.headset.record(), colleague.record())
    clip = read_clip("officer-reply")
    await converse(officer.jack, dispatcher.headset, clip)
    for name, heard in ((other.name, await other.headset.recorded()), (colleague.name, await colleague.recorded())):
        assert correlation(clip, heard.samples) < STRANGE, f"{name} hears the open microphone"
    shown = [event for event in bench.journal if event.source == officer.name and event.seq > before]
    assert not shown, f"the terminal shows that its microphone is open: {[event.kind for event in shown]}"
    await dispatcher.end_ambience(bench.issi("officer"))
    await dispatcher.expect("ambience.ended", within=SOON_S, reason="ended")
    await hears_nothing(dispatcher, bench)
    done = await since.audit(position="govan-31", act="ambience", outcome="done")
    assert [each["target"] for each in done] == [str(bench.issi("officer"))]


@requirement("NICCS-RAD-012")
@in_each_technology(Ability.AMBIENCE)
@pytest.mark.waits
async def test_who_may_not_listen_is_refused_with_the_reason_and_logged(bench: Bench) -> None:
    """One without the right, though with the password; and one with the right, without the password."""
    without_right, without_password = await bench.console("govan-32"), await bench.console("govan-31")
    issi, since = bench.issi("officer"), await Since.now(await bench.supervisor())
    with pytest.raises(DriverError, match="govan-32 has no right to ambience"):
        await without_right.begin_ambience(issi, bench.ambience_password("govan-32"))
    with pytest.raises(DriverError, match="the password for ambience listening is wrong"):
        await without_password.begin_ambience(issi, "guessed")
    for console in (without_right, without_password):
        await hears_nothing(console, bench)
    refused = await since.audit(act="ambience", outcome="refused", target=str(issi))
    assert [each["position"] for each in refused] == ["govan-32", "govan-31"]
    assert all(each["reason"] for each in refused)
    assert "guessed" not in str(refused)
