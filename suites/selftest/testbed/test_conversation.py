"""Speech across the bench: words that a playout moved are heard, and how late; words that are missing are not."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from harness.endpoints.media import Recording
from harness.errors import ExpectationError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse, hears

pytestmark = pytest.mark.virtual_time

SAID = read_clip("dispatch")
LATE_S = 0.05
START = 10.0


class Line:
    """A mouth and the ear at its other end, which hears what it is made to."""

    def __init__(self, *pieces: Samples) -> None:
        self._heard = np.concatenate([silence(LATE_S), *pieces, silence(1.0)])

    async def say(self, samples: Samples) -> float:
        return START

    async def record(self) -> None:
        await asyncio.sleep(0)

    async def recorded(self) -> Recording:
        return Recording(START, self._heard)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


@pytest.mark.parametrize("moved_s", [0.02, 0.06, 0.15])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
async def test_a_playout_that_becomes_deeper_in_mid_speech_is_heard_through(moved_s: float, share: float) -> None:
    at = round(share * len(SAID))
    line = Line(SAID[:at], silence(moved_s), SAID[at:])
    heard = await converse(line, line, SAID)
    assert heard.correlation > 0.8
    assert LATE_S - 0.001 <= heard.latency.ms / 1000 <= LATE_S + moved_s + 0.001
    assert await hears(line, SAID, within=10.0) > 0.8


@pytest.mark.parametrize("instead", ["silence", "other words", "backwards"])
async def test_words_that_are_missing_are_not_heard(instead: str) -> None:
    half = len(SAID) // 2
    others = {
        "silence": silence(half / SAMPLE_RATE),
        "other words": read_clip("call-taker")[:half],
        "backwards": SAID[half:][::-1].copy(),
    }
    line = Line(SAID[:half], others[instead])
    with pytest.raises(ExpectationError, match="not the same speech"):
        await converse(line, line, SAID)
    with pytest.raises(ExpectationError, match="were not heard within"):
        await hears(line, SAID, within=5.0)
