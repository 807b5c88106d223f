"""Voice recordings of the radio services: calls with one radio, and ambience; kept in memory, the newest few."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import numpy as np

from harness.endpoints.media import MediaPort, Recording
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from simulators.iccs.positions import UnknownPositionError
from simulators.iccs.talkgroup_ways.way import RadioUser, told_of

RECORDINGS_KEPT: Final = 20
"""In memory; beyond it the oldest goes. Each holds what the media service keeps of a port: 300 s at most."""


class UnknownRecordingError(UnknownPositionError):
    """There is no such recording."""


@dataclass(frozen=True, slots=True)
class VoiceRecording:
    """What was said in one call."""

    id: str
    """``V-1`` …"""
    of: str
    """``radio call`` or ``ambience``."""
    position: str
    who: RadioUser
    """Whose radio it was."""
    channels: tuple[str, ...]
    """Who speaks on each channel: ``radio``, ``position``."""
    began: float
    """Run time of the first sample, seconds."""
    seconds: float
    wav: bytes
    """8 kHz, 16 bits, a channel for each speaker."""

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it, without the speech."""
        return {
            "recording": self.id,
            "of": self.of,
            "position": self.position,
            **told_of(self.who),
            "channels": list(self.channels),
            "began": round(self.began, 6),
            "seconds": round(self.seconds, 3),
        }


class Recordings:
    """The recordings of one control room."""

    def __init__(self) -> None:
        self._number = count(1)
        self.ended: Callable[[VoiceRecording, Mapping[str, Recording]], None] = lambda _made, _heard: None
        """Called with each recording that was made, and what was heard of each speaker."""
        self._kept: dict[str, VoiceRecording] = {}

    async def begin(self, ports: Mapping[str, MediaPort]) -> None:
        """Begin to keep what these ports hear. Raises MediaError."""
        for port in ports.values():
            await port.record()

    async def end(self, ports: Mapping[str, MediaPort], of: str, position: str, who: RadioUser) -> VoiceRecording:
        """Keep what they heard since; ``ports`` by who speaks. Raises MediaError."""
        heard = {who: await port.recorded() for who, port in ports.items()}
        began = min(each.start for each in heard.values())
        samples = _side_by_side(list(heard.values()), began)
        made = VoiceRecording(
            f"V-{next(self._number)}",
            of,
            position,
            who,
            tuple(heard),
            began,
            len(samples) / SAMPLE_RATE,
            _wav(samples),
        )
        if len(self._kept) >= RECORDINGS_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[made.id] = made
        self.ended(made, heard)
        return made

    def get(self, id_: str) -> VoiceRecording:
        """Return a recording. Raises UnknownRecordingError."""
        try:
            return self._kept[id_]
        except KeyError:
            raise UnknownRecordingError(f"there is no recording {id_!r}") from None

    def shown(self) -> list[dict[str, Any]]:
        """Return all, oldest first."""
        return [each.shown() for each in self._kept.values()]


def _side_by_side(heard: list[Recording], began: float) -> Samples:
    """One column a speaker, each where it was in time."""
    offsets = [round((each.start - began) * SAMPLE_RATE) for each in heard]
    length = max(offset + len(each.samples) for offset, each in zip(offsets, heard, strict=True))
    joined = np.zeros((length, len(heard)), np.int16)
    for column, (offset, each) in enumerate(zip(offsets, heard, strict=True)):
        joined[offset : offset + len(each.samples), column] = each.samples
    return joined


def _wav(samples: Samples) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(samples.shape[1])
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()
