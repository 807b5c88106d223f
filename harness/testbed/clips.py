"""The project's speech files, by name."""

from __future__ import annotations

from pathlib import Path

from harness.endpoints.media.wav import read_wav
from harness.protocols.rtp.g711 import Samples

AUDIO = Path(__file__).resolve().parents[2] / "fixtures" / "audio"


def read_clip(name: str, folder: Path | None = None) -> Samples:
    """Return the samples (8 kHz) of ``name``: a file of fixtures/audio without its ending, or a path.

    ``folder``: from where a path is looked for first, before the working directory.

    Raises MediaError when there is none, or it is not 8 kHz, 16 bits, mono.
    """
    path = AUDIO / f"{name}.wav"
    if path.exists():
        return read_wav(path)
    beside = (folder or Path()) / name
    return read_wav(beside if beside.exists() else Path(name))
