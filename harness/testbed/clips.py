"""Speech files: 8 kHz, 16 bits, mono WAV, by name or by path."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from harness.errors import LocalError
from harness.protocols.rtp.g711 import Samples

AUDIO = Path(__file__).resolve().parents[2] / "fixtures" / "audio"


def read_clip(name: str) -> Samples:
    """Return the samples of ``name``: a file of fixtures/audio without its ending, or a path (8 kHz mono).

    Raises LocalError when there is none.
    """
    path = AUDIO / f"{name}.wav"
    path = path if path.exists() else Path(name)
    try:
        with wave.open(str(path)) as file:
            if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (8000, 2, 1):
                raise LocalError(f"{path}: speech files are 8 kHz, 16 bits, mono")
            return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    except (OSError, EOFError, wave.Error) as error:
        raise LocalError(f"no speech file {name!r}: {error}") from error
