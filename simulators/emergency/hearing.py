"""What an operator, or Silent Solution, hears of a caller: speech, a tap or another noise, keys, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
from enum import StrEnum
from typing import Final

import numpy as np

from harness.endpoints.media.speech import level_dbov
from harness.errors import MediaError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from simulators.emergency.call import EmergencyCall
from simulators.emergency.leg import Leg

BLOCK_S: Final = 0.01
"""A tap on a telephone is this short."""
LOOK_EVERY_S: Final = 0.5
"""How often what was heard is looked at."""
LONGEST_NOISE_S: Final = 0.6
"""A sound that lasts longer is speech."""
QUIET_S: Final = 0.7
"""A pause after which a caller who spoke has finished."""
PRESSED: Final = "55"


class Heard(StrEnum):
    """What was heard."""

    SPEECH = "speech"
    NOISE = "noise"
    PRESSED_55 = "55"
    NOTHING = "nothing"


async def listen(call: EmergencyCall, seconds: float, *, since: float, noise_dbov: float | None = None) -> Heard:
    """Listen for a caller to speak; with ``noise_dbov``, or to press a key or make a noise of that level.

    Returns as soon as something is heard: SPEECH when it has lasted LONGEST_NOISE_S, NOISE when a shorter one is over.
    What was said from run time ``since`` on counts.
    """
    keys = call.keys_pressed
    watch = NoiseWatch(call.caller, noise_dbov) if noise_dbov is not None else None
    try:
        async with asyncio.timeout(seconds):
            while not call.over:
                spoke = [start for start, end in call.spoken if end is None or end > since]
                if spoke:
                    return await _what(call, spoke[0])
                if watch is None:
                    call.news.clear()
                    await call.news.wait()
                elif call.keys_pressed > keys or await watch.heard(call.news):
                    return Heard.NOISE
    except TimeoutError:
        pass
    return Heard.NOTHING


async def _what(call: EmergencyCall, start: float) -> Heard:
    """Whether a sound that began at ``start`` is speech."""

    def lasted() -> float:
        ends = [end for begun, end in call.spoken if begun >= start]
        until = call.plant.journal.now() if ends[-1] is None else ends[-1]
        return until - start

    def over() -> bool:
        return call.spoken[-1][1] is not None

    await call.until(over, within=max(0.0, LONGEST_NOISE_S - lasted()))
    return Heard.SPEECH if lasted() >= LONGEST_NOISE_S else Heard.NOISE


async def until_quiet(call: EmergencyCall, within: float) -> None:
    """Return when a caller who speaks has paused for QUIET_S, or the time is up."""
    try:
        async with asyncio.timeout(within):
            while not call.over:
                if not call.spoken or call.spoken[-1][1] is not None:
                    spoken = len(call.spoken)
                    if not await call.until(lambda: len(call.spoken) > spoken, within=QUIET_S):  # noqa: B023
                        return
                else:
                    await call.until(lambda: call.spoken[-1][1] is not None, within=within)
    except TimeoutError:
        return


async def silent_solution(call: EmergencyCall) -> Heard:
    """Play the announcement and take 55, or a noise where that is accepted; NOTHING at the announcement's end."""
    plant = call.plant
    settings = plant.settings.silent
    before = call.keys_pressed
    await call.conference.say(plant.announcements.silent_solution)
    watch = NoiseWatch(call.caller, settings.noise_dbov) if settings.accept_noise else None
    try:
        async with asyncio.timeout(settings.announcement_s):
            while not call.over:
                new = call.keys_pressed - before
                if new and PRESSED in call.keys[-new:]:
                    return Heard.PRESSED_55
                if watch is None:
                    call.news.clear()
                    await call.news.wait()
                elif await watch.heard(call.news):
                    return Heard.NOISE
    except TimeoutError:
        pass
    return Heard.NOTHING


class NoiseWatch:
    """Looks at what is heard on a leg, LOOK_EVERY_S at a time."""

    def __init__(self, leg: Leg | None, threshold_dbov: float) -> None:
        self._leg = leg
        self._threshold = threshold_dbov
        self._recording = False

    async def heard(self, news: asyncio.Event) -> bool:
        """Wait LOOK_EVERY_S, or until there is ``news``; whether a noise was heard meanwhile."""
        leg = self._leg
        try:
            if leg is not None and not self._recording:
                await leg.port.record()
                self._recording = True
            news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await news.wait()
            if leg is None:
                return False
            recording = await leg.port.recorded()
            await leg.port.record()
        except MediaError:  # the caller is gone
            self._leg = None
            return False
        return loudest_dbov(recording.samples, recording.rate) >= self._threshold


def loudest_dbov(samples: Samples, rate: int = SAMPLE_RATE) -> float:
    """The level of the loudest BLOCK_S of some sound, dBov."""
    block = round(rate * BLOCK_S)
    count = len(samples) // block
    if not count:
        return level_dbov(0.0, 0)
    blocks = samples[: count * block].astype(np.float64).reshape(count, block)
    return level_dbov(float((blocks**2).sum(axis=1).max()), block)
