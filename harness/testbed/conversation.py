"""Speech across the bench: says a clip at one jack, records at another, and tells whether and how late it was heard."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from harness.drivers.talking_radio import TalkingRadio
from harness.endpoints.media import Recording
from harness.errors import ExpectationError
from harness.measure.latency import Latency, mouth_to_ear
from harness.measure.words import how_like
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

LATEST_S = 1.0
"""Seconds after the clip's last sample for which the ear is still listened at: speech later than this is not heard."""
LEAST_CORRELATION = 0.8
"""Normalised correlation from which what was heard counts as what was said, wherever a playout moved its words."""


class Mouth(Protocol):
    """Where speech goes in: a headset, a caller, a terminal that holds the floor."""

    async def say(self, samples: Samples) -> float:
        """Send samples; return the run time of the first."""


class Microphone:
    """A radio's microphone, as a mouth: for one who keys and lets go by himself, after the last word."""

    def __init__(self, radio: TalkingRadio) -> None:
        self._radio = radio

    async def say(self, samples: Samples) -> float:
        """Speak into it; return the run time of the first sample."""
        return await self._radio.speak(samples)


class Ear(Protocol):
    """Where speech comes out."""

    async def record(self) -> None:
        """Begin to keep what is heard."""

    async def recorded(self) -> Recording:
        """Return what was heard since."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a clip on its way."""

    latency: Latency
    """Mouth to ear."""
    correlation: float
    """How like what was said, 0 to 1."""
    recording: Recording


async def converse(mouth: Mouth, ear: Ear, samples: Samples) -> Heard:
    """Say ``samples`` at ``mouth`` and return what ``ear`` made of it.

    Raises ExpectationError when the clip was not heard: its correlation is below LEAST_CORRELATION.
    """
    await ear.record()
    loop = asyncio.get_running_loop()
    start = await mouth.say(samples)
    ends = loop.time() + len(samples) / SAMPLE_RATE + LATEST_S
    await asyncio.sleep(ends - loop.time())
    recording = await ear.recorded()
    likeness = how_like(samples, recording.samples, rate=SAMPLE_RATE)
    if likeness < LEAST_CORRELATION:
        raise ExpectationError(
            f"{len(samples) / SAMPLE_RATE:.1f} s were said and {len(recording.samples) / SAMPLE_RATE:.1f} s recorded, "
            f"but not the same speech: correlation {likeness:.2f}, at least {LEAST_CORRELATION} is due"
        )
    return Heard(mouth_to_ear(samples, start, recording), likeness, recording)


async def hears(ear: Ear, samples: Samples, *, within: float) -> float:
    """Return how like ``samples`` what the ear hears is, 0 to 1, as soon as they were heard.

    What is heard is looked at a clip's length at a time, one of which holds at least half of the clip, so it may take
    as long again after its end. Raises ExpectationError, telling the nearest, when they were not heard ``within``
    seconds.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    nearest = 0.0
    while loop.time() < until:
        await ear.record()
        await asyncio.sleep(len(samples) / SAMPLE_RATE)
        nearest = max(nearest, likeness := how_like(samples, (await ear.recorded()).samples, rate=SAMPLE_RATE))
        if likeness >= LEAST_CORRELATION:
            return likeness
    raise ExpectationError(
        f"the words due were not heard within {within:g} s: correlation {nearest:.2f} at best, "
        f"at least {LEAST_CORRELATION} is due"
    )
