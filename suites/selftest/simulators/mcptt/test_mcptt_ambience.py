"""Ambient listening through the MCPTT server: heard without a sign, refused with why, ended by who leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from mcptt_in_virtual_time import GROUP, Network, network

from harness.endpoints.mcptt import AmbientCall, McpttTerminal
from harness.errors import McpttLocalError
from harness.measure.correlate import correlation
from harness.protocols.mcptt.info import Listening
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

pytestmark = pytest.mark.virtual_time

ALIKE, STRANGE = 0.9, 0.3
ONE, TWO, NOBODY = (f"sip:{name}@mcptt.example" for name in ("officer-1", "officer-2", "nobody"))
WITHIN_S = 5.0
LAYOUT: dict[str, Any] = {
    "users": [{"name": "officer-1"}, {"name": "officer-2"}, {"name": "dispatcher", "may_listen": True}]
}


async def both(there: Network) -> tuple[McpttTerminal, McpttTerminal]:
    """The dispatcher's terminal and an officer's, registered."""
    return await there.terminal("dispatcher", registers=True), await there.terminal("officer-1", registers=True)


async def listening(there: Network) -> tuple[AmbientCall, AmbientCall]:
    """The dispatcher's call and the officer's, once it has the floor."""
    dispatcher, officer = await both(there)
    call = await dispatcher.ambience.listen(ONE, within=WITHIN_S)
    await there.expect("officer-1 ambience", "floor.granted")
    assert officer.ambience.microphone is not None
    return call, officer.ambience.microphone


async def likeness(says: Samples, mouth: AmbientCall, ear: AmbientCall) -> float:
    """How like what is said near the microphone what the listener hears is."""
    await ear.media.port.record()
    await mouth.say(says)
    await asyncio.sleep(len(says) / SAMPLE_RATE + 0.5)
    return correlation(says, (await ear.media.port.recorded()).samples)


async def test_it_is_heard_for_as_long_as_it_lasts_and_shows_nothing_at_the_officers(
    speech: Callable[[str], Samples],
) -> None:
    """Silence for longer than T1, T2 and T4 takes neither floor nor call."""
    async with network(LAYOUT) as there:
        ear, microphone = await listening(there)
        before = there.context.journal.position
        assert await likeness(speech("officer-reply"), microphone, ear) > ALIKE
        await asyncio.sleep(120.0)
        assert await likeness(speech("officer-reply"), microphone, ear) > ALIKE
        ear.sip.hang_up()
        await there.expect("officer-1 ambience", "ambience.over")
        shown = [each for each in there.context.journal.since(before) if each.source == "officer-1"]
        assert [each.kind for each in shown if "call_id" not in each.data] == []  # those are SIP's
        await asyncio.sleep(1.0)
        assert there.server.status()["private_calls"] == []


async def test_the_listener_hears_alone_and_may_not_talk(speech: Callable[[str], Samples]) -> None:
    async with network(LAYOUT) as there:
        ear, microphone = await listening(there)
        taken = await there.expect("dispatcher ambience", "floor.taken")
        assert (taken.data["talker"], taken.data["may_request"]) == (ONE, False)
        with pytest.raises(McpttLocalError, match="without the floor"):
            await ear.say(speech("dispatch"))
        await microphone.media.port.record()
        assert await likeness(speech("officer-reply"), microphone, ear) > ALIKE
        assert correlation(speech("officer-reply"), (await microphone.media.port.recorded()).samples) < STRANGE


async def test_who_is_listened_to_talks_in_the_group_and_is_called_as_ever(speech: Callable[[str], Samples]) -> None:
    async with network(LAYOUT) as there:
        dispatcher, officer = await both(there)
        call = await officer.call(GROUP)
        await there.joined("officer-2")
        await dispatcher.ambience.listen(ONE, within=WITHIN_S)
        await there.expect("officer-1 ambience", "floor.granted")
        call.press()
        await call.granted(within=1.0)
        await call.say(speech("officer-reply"))
        call.release()
        private = await (await there.terminal("officer-2", registers=True)).private.place(ONE, within=WITHIN_S)
        assert private.is_up
        assert dispatcher.ambience.listens_to[ONE].is_up


async def test_one_who_is_given_no_floor_is_told_and_the_call_is_over() -> None:
    async with network(LAYOUT) as there:
        dispatcher, officer = await both(there)
        there.server.set_silent(True)
        with pytest.raises(McpttLocalError, match=r"officer-1@mcptt\.example was not given the floor"):
            await dispatcher.ambience.listen(ONE, within=WITHIN_S)
        await asyncio.sleep(1.0)
        assert dispatcher.ambience.listens_to == {}
        assert officer.ambience.microphone is None


@pytest.mark.parametrize(
    ("listener", "listened", "why"),
    [
        ("officer-1", TWO, "user not authorised to make ambient listening calls"),
        ("dispatcher", NOBODY, f"no user {NOBODY}"),
        ("dispatcher", TWO, "the user officer-2 is not registered"),
    ],
)
async def test_who_may_not_listen_or_to_whom_is_told_why(listener: str, listened: str, why: str) -> None:
    async with network(LAYOUT) as there:
        terminal = await there.terminal(listener, registers=True)
        with pytest.raises(McpttLocalError, match=why):
            await terminal.ambience.listen(listened, within=WITHIN_S)
        assert terminal.ambience.listens_to == {}
        assert there.server.status()["private_calls"] == []


async def test_one_is_listened_to_by_one_at_a_time() -> None:
    layout = {"users": [*LAYOUT["users"], {"name": "chief", "may_listen": True}]}
    async with network(layout) as there:
        await listening(there)
        chief = await there.terminal("chief", registers=True)
        with pytest.raises(McpttLocalError, match="the user officer-1 is listened to already"):
            await chief.ambience.listen(ONE, within=WITHIN_S)


async def test_what_is_started_by_who_is_listened_to_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The locally initiated kind is not played."""
    async with network(LAYOUT) as there:
        dispatcher, _ = await both(there)
        monkeypatch.setattr("harness.endpoints.mcptt.ambience.Listening", _Only(Listening.LOCAL))
        with pytest.raises(McpttLocalError, match="remote-init, not local-init"):
            await dispatcher.ambience.listen(ONE, within=WITHIN_S)


class _Only:
    """A kind of listening in another one's place."""

    def __init__(self, kind: Listening) -> None:
        self.REMOTE = kind


async def test_a_handset_that_is_switched_off_ends_it() -> None:
    async with network(LAYOUT) as there:
        dispatcher, officer = await both(there)
        await dispatcher.ambience.listen(ONE, within=WITHIN_S)
        await officer.close()
        await there.expect("dispatcher ambience", "ambience.over")
        assert dispatcher.ambience.listens_to == {}
        await asyncio.sleep(1.0)
        assert there.server.status()["private_calls"] == []
