"""A conference: every party hears all the others (N-1), mixed from one running sum.

Theory. The sum of what all parties say is kept as 32-bit integers. When a party's next frame is heard, the last one is
taken out of the sum and the new one put in; what it hears is the sum without its own frame, saturated. So a conference
of N costs N steps a frame and not N times N, adds no delay, and is exact, for integers don't drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from harness.endpoints.media.sound import FRAMES_A_SECOND, saturated
from harness.errors import MediaError
from harness.protocols.rtp.g711 import Samples
from harness.protocols.rtp.resample import Converter, converter

if TYPE_CHECKING:
    from harness.endpoints.media.speech_stream import SpeechStream

MAX_PARTIES: Final = 1_000
RATES: Final = (8000, 16_000)


class _Party:
    """One port in the conference."""

    def __init__(self, stream: SpeechStream, rate: int, *, speaks: bool, hears: bool) -> None:
        self.stream = stream
        self.speaks = speaks
        self.hears = hears
        self.said: Samples | None = None
        self.said_rate = 0
        self.heard_rate = 0
        self._rate = rate
        self._into: Converter | None = None
        self._out: Converter | None = None

    def into(self, frame: Samples | None, rate: int) -> Samples | None:
        """A frame of the party's, at the conference's rate."""
        if rate != self.said_rate:
            self.said_rate, self._into = rate, converter(rate, self._rate)
        return frame if frame is None or self._into is None else self._into.convert(frame)

    def out(self, frame: Samples, rate: int) -> Samples:
        """A frame of the conference's, at the party's rate."""
        if rate != self.heard_rate:
            self.heard_rate, self._out = rate, converter(self._rate, rate)
        return frame if self._out is None else self._out.convert(frame)


class Bridge:
    """A conference of ports."""

    def __init__(self, number: int, name: str, rate: int) -> None:
        """`rate`: samples a second that are mixed. Raises MediaError for one that can't be."""
        if rate not in RATES:
            raise MediaError(f"a bridge mixes 8000 or 16000 samples a second, not {rate}")
        self.number = number
        self.name = name
        self.rate = rate
        self._parties: dict[SpeechStream, _Party] = {}
        self._sum: NDArray[np.int32] = np.zeros(rate // FRAMES_A_SECOND, np.int32)
        self._saying = 0

    @property
    def parties(self) -> int:
        """Ports that are in it."""
        return len(self._parties)

    def join(self, stream: SpeechStream, *, speak: bool, hear: bool) -> None:
        """Let a port in, or change what it may. Raises MediaError when it is full."""
        party = self._parties.get(stream)
        if party is None and len(self._parties) >= MAX_PARTIES:
            raise MediaError(f"{MAX_PARTIES} ports are in the bridge {self.name!r} already")
        if party is None:
            self._parties[stream] = _Party(stream, self.rate, speaks=speak, hears=hear)
            return
        party.hears = hear
        if not speak:
            self._say(party, None)
        party.speaks = speak

    def leave(self, stream: SpeechStream) -> None:
        """Let a port out; one that is not in it is left alone."""
        party = self._parties.pop(stream, None)
        if party is not None:
            self._say(party, None)

    def streams(self) -> tuple[SpeechStream, ...]:
        """The ports that are in it."""
        return tuple(self._parties)

    def said(self, stream: SpeechStream, frame: Samples | None, rate: int) -> None:
        """Take what a party says in this frame; None for silence."""
        party = self._parties[stream]
        if party.speaks and (frame is not None or party.said is not None):
            self._say(party, party.into(frame, rate))

    def for_party(self, stream: SpeechStream, rate: int) -> Samples | None:
        """What a party hears now; None for silence."""
        party = self._parties[stream]
        own = party.said
        if not party.hears or self._saying - (own is not None) == 0:
            return None
        others = self._sum.copy() if own is None else self._sum - own
        return party.out(saturated(others), rate)

    def _say(self, party: _Party, frame: Samples | None) -> None:
        if party.said is not None:
            self._sum -= party.said
            self._saying -= 1
        if frame is not None:
            self._sum += frame
            self._saying += 1
        party.said = frame
