"""An audio jack that is a sound device: a lead from the test machine's sound card to a real headset or terminal.

Needs the extra ``sound`` (PyPI ``sounddevice``, which brings or needs PortAudio). What the card adds to a latency is in
the reading: PortAudio's own figures are used for the first sample's time, and a loop-back lead measures what they leave
out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.endpoints.media import Recording
from harness.errors import DriverError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.transport.context import Context

BLOCK = 160
"""Samples a block, 20 ms."""
MAX_RECORDING_S = 300
"""Seconds that a recording may have; what comes later is not kept, and the journal says so."""
MAX_QUEUED = 100
"""Clips that may wait to be said."""


class SoundJack:
    """A full-duplex stream on one sound device, 8 kHz, 16 bits, mono."""

    def __init__(self, context: Context, name: str, device: str) -> None:
        self._journal = context.journal
        self._loop = asyncio.get_running_loop()
        self._name = name
        self._device = device
        self._stream: Any = None
        self._gone = False
        self._queued: list[_Clip] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._kept: _Kept | None = None

    @classmethod
    def open(cls, context: Context, name: str, device: str) -> SoundJack:
        """Open ``device`` (a name or number as ``python -m sounddevice`` lists them). Raises DriverError."""
        try:
            import sounddevice  # noqa: PLC0415 - an extra that few have
        except (ImportError, OSError) as error:
            raise DriverError(
                f"{name}: a sound device needs the extra 'sound' (pip install 'iccs-acceptance-harness[sound]') "
                f"and PortAudio: {error}"
            ) from error
        jack = cls(context, name, device)
        try:
            jack._stream = sounddevice.Stream(
                samplerate=SAMPLE_RATE,
                blocksize=BLOCK,
                device=int(device) if device.isdigit() else device,
                channels=1,
                dtype="int16",
                callback=jack._block,
                finished_callback=jack._finished,
            )
            jack._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            if jack._stream is not None:
                jack._stream.close()
            raise DriverError(f"{name}: sound device {device!r} can't be opened: {error}") from error
        return jack

    def _block(self, heard: Any, out: Any, frames: int, _times: Any, status: Any) -> None:
        """Take one block and give one; PortAudio's thread calls this, and the loop's thread does the rest."""
        now = self._loop.time() - self._journal.origin
        latency_in, latency_out = self._stream.latency
        kept = self._kept
        if kept is not None and not kept.full:
            if not kept.blocks:
                kept.start = now - frames / SAMPLE_RATE - latency_in
            kept.blocks.append(np.array(heard[:, 0], dtype=np.int16))
            if kept.full:
                self._loop.call_soon_threadsafe(self._tell, f"only {MAX_RECORDING_S} s of a recording are kept")
        out[:] = 0
        queued = self._queued  # whoever cuts it puts another list there; this one stays as it is
        if queued:
            clip = queued[0]
            if clip.position == 0:
                self._loop.call_soon_threadsafe(_settle, clip.started, now + latency_out)
            piece = clip.samples[clip.position : clip.position + frames]
            out[: len(piece), 0] = piece
            clip.position += len(piece)
            if clip.position >= len(clip.samples):
                queued.pop(0)
                self._loop.call_soon_threadsafe(self._rest)
        if status:
            self._loop.call_soon_threadsafe(self._tell, str(status))

    def _tell(self, status: str) -> None:
        self._journal.warn(self._name, "sound.trouble", device=self._device, status=status)

    def _rest(self) -> None:
        """A clip is out; all are, unless another was asked for meanwhile."""
        if not self._queued:
            self._idle.set()

    def _finished(self) -> None:
        """PortAudio's thread tells that the stream has ended, asked for or not."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if self._gone:
            return
        self._gone = True
        self._cut(f"sound device {self._device!r} stopped")

    def _cut(self, reason: str) -> None:
        dropped, self._queued = self._queued, []
        for clip in dropped:
            if not clip.started.done():
                clip.started.set_exception(DriverError(f"{self._name}: {reason}"))
                clip.started.exception()  # whoever asked may be gone as well
        self._idle.set()

    async def say(self, samples: Samples) -> float:
        """Send samples; return the run time at which the first one goes out, by PortAudio's own account.

        Raises DriverError when the device has stopped, or MAX_QUEUED clips wait.
        """
        if self._gone:
            raise DriverError(f"{self._name}: sound device {self._device!r} stopped")
        if len(self._queued) >= MAX_QUEUED:
            raise DriverError(f"{self._name}: {MAX_QUEUED} clips wait to be said already")
        started: asyncio.Future[float] = self._loop.create_future()
        self._idle.clear()
        self._queued.append(_Clip(samples, started))
        return await started

    async def said(self) -> None:
        """Return when all that was to be said is out."""
        await self._idle.wait()

    async def hush(self) -> None:
        """Say no more of it, after the block that the device has; a clip that was not begun raises for who said it."""
        self._cut("hushed before it was said")

    async def record(self) -> None:
        """Begin to keep what is heard."""
        self._kept = _Kept(self._loop.time() - self._journal.origin)

    async def recorded(self) -> Recording:
        """Return what was heard since ``record``. Raises DriverError when nothing was begun."""
        if self._kept is None:
            raise DriverError(f"{self._name}: no recording was begun")
        kept, self._kept = self._kept, None
        samples = np.concatenate(kept.blocks) if kept.blocks else np.zeros(0, np.int16)
        return Recording(kept.start, samples)

    async def close(self) -> None:
        """Stop the stream and let the device go; what was still to be said is dropped."""
        self._end()
        self._stream.close()


@dataclass(slots=True)
class _Clip:
    """Something to be said."""

    samples: Samples
    started: asyncio.Future[float]
    position: int = 0
    """Samples of it that are out."""


@dataclass(slots=True)
class _Kept:
    """A recording under way."""

    start: float
    """Run time of its first sample, seconds."""
    blocks: list[Samples] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.blocks) * BLOCK >= MAX_RECORDING_S * SAMPLE_RATE


def _settle(future: asyncio.Future[float], value: float) -> None:
    if not future.done():
        future.set_result(value)
