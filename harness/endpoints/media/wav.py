"""Speech files: 8 kHz mono 16-bit WAV in and out."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import BinaryIO

import numpy as np

from harness.endpoints.media.sound import MAX_CLIP_S
from harness.errors import MediaError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

SHAPE = (1, 2, SAMPLE_RATE)
"""Channels, octets a sample, samples a second."""


def read_wav(path: Path) -> Samples:
    """The samples of a file. Raises MediaError when it can't be read, or is not 8 kHz mono 16-bit, or too long."""
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            if shape != SHAPE:
                found = f"{shape[2]} Hz, {shape[0]} channel(s), {8 * shape[1]} bits"
                raise MediaError(
                    f"{path}: {found}; must be 8000 Hz, 1 channel, 16 bits (sox IN -r 8000 -c 1 -b 16 OUT)"
                )
            if file.getnframes() > MAX_CLIP_S * SAMPLE_RATE:
                raise MediaError(f"{path}: {file.getnframes() / SAMPLE_RATE:.0f} s long, at most {MAX_CLIP_S} s")
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise MediaError(f"{path}: can't be read as WAV: {error}") from error
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)


def write_wav(target: Path | BinaryIO, samples: Samples) -> None:
    """Write samples to a file, by its path or open."""
    with wave.open(str(target) if isinstance(target, Path) else target, "wb") as file:
        file.setnchannels(SHAPE[0])
        file.setsampwidth(SHAPE[1])
        file.setframerate(SHAPE[2])
        file.writeframes(samples.astype("<i2").tobytes())
