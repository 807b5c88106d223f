"""What is behind a radio: somebody to key, who tells what is received. And a radio with nobody on its air."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from harness.errors import LocalError
from harness.protocols.ed137.extension import Ptt
from harness.protocols.rtp.g711 import CODECS, Samples

A_LAW: Final = CODECS["PCMA"]
"""What the air carries."""
FRAME: Final = 160
FRAME_S: Final = 0.02
MAX_FRAMES: Final = 60 * 50
"""Frames that may wait to be received."""


class Hears(Protocol):
    """The radio, as its air calls it."""

    def granted(self) -> None:
        """What was asked for is on air."""

    def queued(self) -> None:
        """It waits for another to stop; nothing is on air meanwhile."""

    def refused(self, why: str) -> None:
        """It is not, or no longer."""

    def receiving(self, talker: str | None) -> None:
        """Somebody talks on the air, or nobody does."""

    def received(self, payload: bytes, due: float, *, marker: bool) -> None:
        """A frame of A-law from the air, as of loop time `due`."""


class Air(Protocol):
    """What a radio is on."""

    async def start(self, radio: Hears) -> None:
        """Begin. Raises HarnessError."""

    async def stop(self) -> None:
        """Unkey and end."""

    def want(self, ptt: Ptt) -> None:
        """Key the air, or with OFF let it go."""

    def send(self, payload: bytes, due: float, *, marker: bool) -> None:
        """Speak a frame of A-law; what comes while it is not keyed is lost."""


class OpenAir:
    """Nobody is there: it keys at once, and what is to be received is given by `receive`."""

    def __init__(self) -> None:
        self._radio: Hears
        self.on_air: Callable[[bytes], None] = lambda _payload: None
        """Given each frame that is on air."""
        self._keyed = False
        self._frames: deque[bytes] = deque()
        """At most MAX_FRAMES."""
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    async def start(self, radio: Hears) -> None:
        """Begin."""
        self._radio = radio

    async def stop(self) -> None:
        """Receive no more."""
        if self._timer is not None:
            self._timer.cancel()

    def want(self, ptt: Ptt) -> None:
        """Key at once."""
        keyed, self._keyed = self._keyed, ptt is not Ptt.OFF
        if self._keyed and not keyed:
            self._radio.granted()

    def send(self, payload: bytes, due: float, *, marker: bool) -> None:
        """Speak."""
        if self._keyed:
            self.on_air(payload)

    def receive(self, samples: Samples) -> None:
        """Let somebody talk on the air: int16, 8,000 a second. Raises LocalError while it receives or is keyed."""
        frames = -(-len(samples) // FRAME)
        if self._timer is not None or self._keyed:
            raise LocalError(f"the radio {'is keyed' if self._keyed else 'receives already'}: one talks on a frequency")
        if not 0 < frames <= MAX_FRAMES:
            raise LocalError(f"{frames} frames of speech; 1-{MAX_FRAMES} can be received")
        padded = np.zeros(frames * FRAME, np.int16)
        padded[: len(samples)] = samples
        coded = A_LAW.encode(padded)
        self._frames.extend(coded[at : at + FRAME] for at in range(0, len(coded), FRAME))
        self._due = asyncio.get_running_loop().time()
        self._radio.receiving("the air")
        self._next(first=True)

    def _next(self, *, first: bool = False) -> None:
        if not self._frames:
            self._timer = None
            self._radio.receiving(None)
            return
        self._radio.received(self._frames.popleft(), self._due, marker=first)
        self._due += FRAME_S
        self._timer = asyncio.get_running_loop().call_at(self._due, self._next)
