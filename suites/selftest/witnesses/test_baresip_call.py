"""baresip as a telephone of the control room: speech and keys both ways with a position, heard as they were sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from harness.journal import Journal
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.testbed.bench import Bench
from suites.selftest.witnesses.baresip import baresip, write_wav
from suites.selftest.witnesses.control_room import ControlRoom, control_room, warnings

pytestmark = [pytest.mark.real_wire, pytest.mark.alone, pytest.mark.witness("baresip")]

LEAST_LIKENESS = 0.8
OTHER_SPEECH = 0.3
"""What another clip correlates with at most: shows that the likeness is that of this speech."""
REST_S = 60
"""Silence after the speech in the telephone's microphone: baresip hangs up where its file ends."""


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[ControlRoom]:
    async with control_room(tmp_path / "room", "iccs") as started:
        yield started


@pytest.fixture
async def drivers(room: ControlRoom) -> AsyncIterator[Bench]:
    async with room.bench() as opened:
        yield opened


async def spoken_until_the_end(journal: Journal, source: str, samples: Samples, *, after: int) -> None:
    """Return when a port has heard speech begin, last as long as the clip, and end."""
    within = len(samples) / SAMPLE_RATE + 5.0
    began = await journal.expect(source, "voice.started", within=within, after=after)
    stopped = await journal.expect(source, "voice.ended", within=within, after=began.seq)
    while stopped.time < began.time + len(samples) / SAMPLE_RATE - 1.0:  # it was a pause
        stopped = await journal.expect(source, "voice.ended", within=within, after=stopped.seq)


@pytest.mark.parametrize("number", ["govan-12", "999"])
async def test_speech_and_keys_both_ways(
    room: ControlRoom,
    drivers: Bench,
    speech: Callable[[str], Samples],
    tmp_path: Path,
    number: str,
) -> None:
    console, journal = await drivers.console("govan-12"), drivers.journal
    says, answers, neither = speech("caller-999"), speech("call-taker"), speech("dispatch")
    write_wav(tmp_path / "says.wav", np.concatenate([says, np.zeros(REST_S * SAMPLE_RATE, np.int16)]))
    switch = f"{room.sip[0]}:{room.sip[1]}"
    account = f"<sip:2002@{switch}>;auth_user=2002;auth_pass=test-telephone-2002;regint=60;audio_codecs=PCMA"
    async with baresip(tmp_path / "baresip", account=account, speech=tmp_path / "says.wav") as telephone:
        await telephone.registered(within=5.0)
        await telephone.do("dial", f"sip:{number}@{switch}")
        shown = await console.expect("call.ringing", within=5.0, cli="2002")
        assert shown.data["queue"] == ("emergency" if number == "999" else None)
        await telephone.expect("CALL_RINGING", within=5.0)

        # What the caller says is heard at the position.
        await console.headset.record()
        after = journal.position
        call = await console.answer()
        await console.expect("call.connected", within=5.0, call=call)
        await telephone.expect("CALL_ESTABLISHED", within=5.0)
        await spoken_until_the_end(journal, "govan-12 jack", says, after=after)
        heard = (await console.headset.recorded()).samples
        assert correlation(says, heard) > LEAST_LIKENESS
        assert correlation(neither, heard) < OTHER_SPEECH

        # What the operator says goes out, then keys both ways: they come after it, on the same stream.
        await console.say(answers)
        await console.headset.said()
        for digit in "19*#":
            await telephone.press(digit)
            await console.expect("call.dtmf", within=5.0, call=call, digit=digit)
        for digit in "5D0":
            before = len(telephone.events)
            await console.send_dtmf(digit)
            await telephone.expect("CALL_DTMF_START", within=5.0, param=digit, after=before)
            await telephone.expect("CALL_DTMF_END", within=5.0, after=before)
        seen = [event.data["digit"] for event in journal if event.kind == "call.dtmf"]
        assert seen == list("19*#")

        await console.clear()
        await telephone.expect("CALL_CLOSED", within=5.0)
        await console.expect("call.cleared", within=5.0, call=call)
        at_ear = telephone.heard()
        assert correlation(answers, at_ear) > LEAST_LIKENESS
        assert correlation(neither, at_ear) < OTHER_SPEECH
    await drivers.close()
    assert warnings(await room.stop()) == []
