"""Holds a meeting for its time: counts who is in it, and lets its parties speak and listen in turns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final, Protocol

from harness.drivers.attendees import Attendee
from harness.endpoints.media import PortStats
from harness.errors import ExpectationError, HarnessError, LocalError
from harness.journal import Journal
from harness.measure.correlate import correlation
from harness.measure.latency import Method, mouth_to_ear
from harness.measure.stability import Limits, Presence, Sample, Stability, told
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.testbed.conversation import Ear, Mouth

LISTENS_ON_S: Final = 0.5
"""Seconds after the last word for which an ear still listens: what comes later is not heard."""
SETTLES_S: Final = 0.2
"""Seconds between somebody's audio and the first word, so that the mixer has them; what is lost until then is not
counted."""


class Party(Mouth, Ear, Protocol):
    """Somebody in a meeting whose audio comes and goes while they stay in."""

    name: str

    @property
    def is_over(self) -> bool:
        """Whether they are not in now."""

    async def join_audio(self) -> None:
        """Have media."""

    async def leave_audio(self) -> None:
        """Have none."""

    async def stats(self) -> PortStats:
        """What has crossed."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Who speaks at one time, and who listens."""

    mouth: Party
    ears: Sequence[Party]
    heard: bool = True
    """Whether the mouth is to be heard."""


def pairs(parties: Sequence[Party]) -> Iterator[Turn]:
    """Each speaks to the next, two of them at a time, over and over: a meeting."""
    turns = cycle(parties)
    while True:
        mouth, ear = islice(turns, 2)
        yield Turn(mouth, [ear])


def audience(panel: Sequence[Party], listeners: Sequence[Party], at_once: int) -> Iterator[Turn]:
    """One of the panel speaks to ``at_once`` listeners, over and over: a webinar.

    Every tenth time it is a listener who speaks, and whom the panel is not to hear.
    """
    speakers, ears = cycle(panel), cycle(listeners)
    number = 0
    while True:
        number += 1
        if number % 10 == 0:
            yield Turn(next(ears), [next(speakers)], heard=False)
        else:
            yield Turn(next(speakers), list(islice(ears, at_once)))


async def hold(
    journal: Journal,
    name: str,
    parties: Sequence[Party],
    turns: Iterator[Turn],
    clip: Samples,
    counted: Callable[[], Awaitable[int]],
    *,
    lasts_s: float,
    every_s: float,
    counts_every: int = 5,
) -> Stability:
    """Hold a meeting in which ``parties`` are, without audio, for ``lasts_s`` seconds; return how it was.

    A turn is taken every ``every_s`` seconds, in which ``clip`` is said; after each ``counts_every`` of them
    ``counted`` tells how many the service says are in. Journals ``meeting.sample`` for each ear, ``meeting.held``.
    """
    began = journal.now()
    samples: list[Sample] = []
    counts: list[tuple[float, int]] = []
    for number in range(max(1, int(lasts_s / every_s))):
        await asyncio.sleep(began + number * every_s - journal.now())
        for sample in await _taken(journal, next(turns), clip):
            samples.append(sample)
            journal.record(
                name,
                "meeting.sample",
                mouth=sample.mouth,
                ear=sample.ear,
                correlation=round(sample.correlation, 3),
                delay_ms=sample.delay_ms,
                loss_share=round(sample.loss_share, 3),
                problem=sample.problem,
            )
        if number % counts_every == counts_every - 1:
            counts.append((journal.now(), await counted()))
    await asyncio.sleep(began + lasts_s - journal.now())
    counts.append((journal.now(), await counted()))
    found = Stability(journal.now() - began, [_presence(each, journal) for each in parties], samples, counts)
    journal.record(name, "meeting.held", **found.shown())
    return found


def stable(found: Stability, limits: Limits) -> None:
    """Raise ExpectationError, naming what was not as due, unless a meeting was stable."""
    findings = found.findings(limits)
    if findings:
        raise ExpectationError(f"the meeting was not stable, {len(findings)} findings: {told(findings)}")


def _presence(party: Party, journal: Journal) -> Presence:
    if isinstance(party, Attendee):
        drops = [(each.at, each.reason, each.back_at) for each in party.drops]
        return Presence(party.name, party.joined_at is not None, drops)
    return Presence(party.name, True, [(journal.now(), "its call is over", None)] if party.is_over else ())


async def _taken(journal: Journal, turn: Turn, clip: Samples) -> list[Sample]:
    """Let one speak, and the others listen."""
    mouth, began = turn.mouth, journal.now()
    found: list[Sample] = []

    def without(ear: Party, problem: HarnessError) -> None:
        found.append(Sample(began, mouth.name, ear.name, 0.0, None, 100.0, turn.heard, str(problem)))

    async with AsyncExitStack() as audio:

        async def has_audio(party: Party) -> None:
            await party.join_audio()
            audio.push_async_callback(leaves, party)

        async def leaves(party: Party) -> None:
            try:
                if not party.is_over:
                    await party.leave_audio()
            except HarnessError as error:
                without(party, error)

        there: list[Party] = []
        try:
            await has_audio(mouth)
            for ear in turn.ears:
                try:
                    await has_audio(ear)
                    await ear.record()
                    there.append(ear)
                except HarnessError as error:
                    without(ear, error)
            await asyncio.sleep(SETTLES_S)
            before = [await ear.stats() for ear in there]
            start = await mouth.say(clip)
        except HarnessError as error:
            for ear in turn.ears:
                without(ear, error)
            return found
        await asyncio.sleep(start + len(clip) / SAMPLE_RATE + LISTENS_ON_S - journal.now())
        for ear, had in zip(there, before, strict=True):
            try:
                found.append(await _heard(turn, ear, had, clip, start))
            except HarnessError as error:
                without(ear, error)
    return found


async def _heard(turn: Turn, ear: Party, before: PortStats, clip: Samples, start: float) -> Sample:
    recording, after = await ear.recorded(), await ear.stats()
    came = after.packets_received - before.packets_received
    lost = after.lost + after.late - before.lost - before.late
    share = 100.0 * lost / (came + lost) if came + lost > 0 else 100.0
    names = start, turn.mouth.name, ear.name
    try:
        found = mouth_to_ear(clip, start, recording, Method.WAVEFORM)
    except LocalError:
        return Sample(*names, correlation(clip, recording.samples), None, share, turn.heard)
    return Sample(*names, found.confidence, found.ms, share, turn.heard)
