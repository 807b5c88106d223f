"""An audio jack that is a sound device: a lead from the test machine's sound card to a real headset or terminal.

Needs the extra ``sound`` (PyPI ``sounddevice``, which brings or needs PortAudio). What the card adds to a latency is in the reading:
PortAudio's own figures are used for the first sample's time, and a loop-back lead measures what they leave out.
"""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from harness.endpoints.media import Recording
from harness.errors import DriverError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.transport.context import Context

BLOCK = 160
"""Samples a block, 20 ms."""
MAX_RECORDING_S = 300


class SoundJack:
    """A full-duplex stream on one sound device, 8 kHz, 16 bits, mono."""

    def __init__(self, context: Context, name: str, device: str) -> None:
        self._journal = context.journal
        self._loop = asyncio.get_running_loop()
        self._name = name
        self._device = device
        self._stream: Any = None
        self._queued: list[tuple[Samples, asyncio.Future[float]]] = []
        self._position = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._heard: list[Samples] | None = None
        self._heard_since = 0.0

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
            )
            jack._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise DriverError(f"{name}: sound device {device!r} can't be opened: {error}") from error
        return jack

    def _block(self, heard: Any, out: Any, frames: int, _times: Any, status: Any) -> None:
        """Take one block and give one; PortAudio's thread calls this, and the loop's thread does the rest."""
        now = self._loop.time() - self._journal.origin
        latency_in, latency_out = self._stream.latency
        if self._heard is not None and len(self._heard) * BLOCK < MAX_RECORDING_S * SAMPLE_RATE:
            if not self._heard:
                self._heard_since = now - frames / SAMPLE_RATE - latency_in
            self._heard.append(np.array(heard[:, 0], dtype=np.int16))
        out[:] = 0
        if self._queued:
            samples, started = self._queued[0]
            if self._position == 0:
                self._loop.call_soon_threadsafe(_settle, started, now + latency_out)
            piece = samples[self._position : self._position + frames]
            out[: len(piece), 0] = piece
            self._position += len(piece)
            if self._position >= len(samples):
                self._queued.pop(0)
                self._position = 0
                if not self._queued:
                    self._loop.call_soon_threadsafe(self._idle.set)
        if status:
            self._loop.call_soon_threadsafe(self._tell, str(status))

    def _tell(self, status: str) -> None:
        self._journal.warn(self._name, "sound.trouble", device=self._device, status=status)

    async def say(self, samples: Samples) -> float:
        """Send samples; return the run time at which the first one goes out, by PortAudio's own account."""
        started: asyncio.Future[float] = self._loop.create_future()
        self._idle.clear()
        self._queued.append((samples, started))
        return await started

    async def said(self) -> None:
        """Return when all that was to be said is out."""
        await self._idle.wait()

    async def record(self) -> None:
        """Begin to keep what is heard."""
        self._heard = []

    async def recorded(self) -> Recording:
        """Return what was heard since ``record``. Raises DriverError when nothing was begun."""
        if self._heard is None:
            raise DriverError(f"{self._name}: no recording was begun")
        blocks, self._heard = self._heard, None
        samples = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
        return Recording(self._heard_since, samples)

    async def close(self) -> None:
        """Stop the stream and let the device go."""
        self._stream.close()


def _settle(future: asyncio.Future[float], value: float) -> None:
    if not future.done():
        future.set_result(value)
