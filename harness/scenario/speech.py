"""What is said in a scenario, and who listens: clips are played, or only timed, and mouth-to-ear is measured."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.endpoints.media import Recording
from harness.errors import ExpectationError, LocalError
from harness.journal import Event, Journal
from harness.measure.latency import Latency, mouth_to_ear
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.scenario.model import Media
from harness.testbed.clips import read_clip
from harness.testbed.conversation import LATEST_S

if TYPE_CHECKING:
    from harness.scenario.cast import Part


@dataclass(frozen=True, slots=True)
class Said:
    """What was said: a clip, or no samples where a person spoke with their own voice."""

    by: str
    samples: Samples
    began: float
    """Run time of its first sample."""

    @property
    def ends(self) -> float:
        """Run time at which it is over."""
        return self.began + len(self.samples) / SAMPLE_RATE


class SpeechRoom:
    """Plays what actors say as the scenario's ``media`` has it, and keeps who listens for it."""

    def __init__(self, journal: Journal, media: Media, folder: Path | None) -> None:
        """``folder``: from where clips are looked for, beside the project's own."""
        self._folder = folder
        self._journal = journal
        self._media = media
        self._said: list[Said] = []
        self._listening: set[str] = set()
        self._kept: dict[str, Recording] = {}
        self._ears: dict[str, Part] = {}

    async def listen(self, part: Part) -> None:
        """Let an actor's ear keep what it hears from now on, for a measure that comes later."""
        self._kept.pop(part.name, None)
        self._ears[part.name] = part
        if self._media == "packets":
            await (await part.mouth_and_ear())[1].record()

    async def say(self, part: Part, clip: str) -> float:
        """Begin to say a clip; return the run time at which it will be over. Raises MediaError for no clip."""
        samples = read_clip(clip, self._folder)
        now = self._journal.now()
        if self._media == "none":
            return now
        if self._media == "talkspurts":
            self._journal.record(part.component, "talkspurt.began", clip=clip, seconds=len(samples) / SAMPLE_RATE)
            return now + len(samples) / SAMPLE_RATE
        mouth, _ = await part.mouth_and_ear()
        self._journal.record(part.component, "talkspurt.began", clip=clip, seconds=len(samples) / SAMPLE_RATE)
        said = Said(part.name, samples, await mouth.say(samples))
        self._said = [*self._said[-15:], said]
        return said.ends

    async def said_by_person(self, part: Part, spoke: Event) -> None:
        """Take note of what a person said; return when it is over, so far as that is known."""
        clip = spoke.data.get("clip")
        samples = read_clip(str(clip), self._folder) if clip is not None else np.zeros(0, np.int16)
        said = Said(part.name, samples, spoke.time)
        self._said = [*self._said[-15:], said]
        await asyncio.sleep(max(0.0, said.ends - self._journal.now()))

    async def hush(self, part: Part) -> None:
        """Let an actor say no more."""
        if self._media == "packets":
            await (await part.mouth_and_ear())[0].hush()

    async def mouth_to_ear(self, ear: str, by: str | None) -> Latency | None:
        """The delay of what was said last (by ``by``, else by another than the ear), as the ear heard it.

        None where a person said it with their own voice, of which nothing is kept to compare with. Waits until it can
        have been heard. Raises LocalError where nothing was said, ExpectationError where it was not heard.
        """
        said = next((each for each in reversed(self._said) if each.by == (by or each.by) and each.by != ear), None)
        if said is None or ear not in self._ears:
            raise LocalError(f"nothing to measure at {ear}: nobody spoke in the step before")
        if not len(said.samples):
            return None
        await asyncio.sleep(max(0.0, said.ends + LATEST_S - self._journal.now()))
        if ear not in self._kept:
            self._kept[ear] = await (await self._ears[ear].mouth_and_ear())[1].recorded()
        try:
            return mouth_to_ear(said.samples, said.began, self._kept[ear])
        except LocalError as error:
            raise ExpectationError(f"{ear} did not hear what {said.by} said: {error}") from error
