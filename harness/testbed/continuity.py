"""Speech that goes on while something is done to the call: one speaks all the time, and each ear is asked for gaps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from harness.journal import Journal
from harness.measure.gap import MAX_DELAY_S, Gap, longest_gap
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.testbed.conversation import Ear, Mouth

LONGEST_S: Final = 60.0
"""For so long somebody speaks on, at most; what is done to the call must be done by then."""
JUDGED_S: Final = 2.0
"""For so long after the act the speech is judged: a gap that is not over by then is as long as this, or longer."""


class Speaker(Mouth, Protocol):
    """A mouth that can be told to stop."""

    async def hush(self) -> None:
        """Say no more."""


@dataclass(slots=True)
class Speech:
    """One who speaks on, and who listens."""

    mouth: Speaker
    spoken: Samples
    began: float
    """Run time of the first sample."""
    ears: Mapping[str, Ear]

    async def listens_too(self, name: str, ear: Ear) -> None:
        """Let one more listen from now on; what was said before is missing at their ear."""
        await ear.record()
        self.ears = {**self.ears, name: ear}


async def speak_on(mouth: Speaker, ears: Mapping[str, Ear], clip: Samples) -> Speech:
    """Let `mouth` say a clip over and over, for LONGEST_S at most, and record at each ear."""
    spoken = np.tile(clip, 1 + int(LONGEST_S * SAMPLE_RATE) // len(clip))[: int(LONGEST_S * SAMPLE_RATE)]
    for ear in ears.values():
        await ear.record()
    return Speech(mouth, spoken, await mouth.say(spoken), ears)


async def gaps_since(speech: Speech, act: float, journal: Journal) -> dict[str, Gap]:
    """The longest gap at each ear in what was said from run time `act` until JUDGED_S later.

    Waits until that was said and can have been heard, and ends the speech. Raises LocalError where it was over before.
    """
    until = act + JUDGED_S
    await asyncio.sleep(max(0.0, until + MAX_DELAY_S - journal.now()))
    await speech.mouth.hush()
    said = speech.spoken[: max(0, round((until - speech.began) * SAMPLE_RATE))]
    heard = {name: await ear.recorded() for name, ear in speech.ears.items()}
    return {name: longest_gap(said, speech.began, each, since_s=act) for name, each in heard.items()}
