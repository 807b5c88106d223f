"""What is recorded of one leg: who spoke, when, about what, and the speech."""

from __future__ import annotations

import hashlib
import io
import json
import wave
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from harness.endpoints.media import Recording
from harness.protocols.rtp.g711 import CODECS, SAMPLE_RATE, Samples

PCMA: Final = CODECS["PCMA"]
Kind = Literal["telephone_in", "telephone_out", "radio_rx", "radio_tx", "ambience", "radio_call"]
"""What a caller says, what a position says to it, what comes from a talkgroup, what a position says to one;
an open microphone; either side of a call with one radio."""
MAX_LEG_S: Final = 1_800.0
"""A leg that lasts longer goes on as another, with the same call, record, position and talkgroup."""


@dataclass(frozen=True, slots=True)
class About:
    """What a leg is part of; None where it has no such thing."""

    kind: Kind
    call: str | None = None
    record: str | None = None
    cli: str | None = None
    position: str | None = None
    talkgroup: str | None = None
    issi: int | None = None
    mcptt_id: str | None = None


@dataclass(slots=True)
class Leg:
    """One leg; its speech is G.711 A-law, as it came."""

    id: str
    """``L-000001`` …"""
    about: About
    began: float
    """Run time, seconds."""
    ended: float | None = None
    """None while it goes on."""
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    """Run time of the first sample, and the speech."""
    size: int = 0
    """Octets of speech."""
    incidents: tuple[str, ...] = ()
    """Of a unit's speech: the incidents that it was assigned to when it began to speak."""

    def add(self, heard: Recording) -> None:
        """Take what was heard."""
        if len(heard.samples):
            speech = PCMA.encode(heard.samples)
            self.pieces.append((heard.start, speech))
            self.size += len(speech)

    def samples(self) -> Samples:
        """The speech from the leg's beginning on, each piece at its time."""
        parts = [
            (max(0, round((start - self.began) * SAMPLE_RATE)), PCMA.decode(speech)) for start, speech in self.pieces
        ]
        joined = np.zeros(max((at + len(part) for at, part in parts), default=0), np.int16)
        for at, part in parts:
            joined[at : at + len(part)] = part
        return joined

    def wav(self) -> bytes:
        """The speech as a WAV file: 8 kHz, 16 bits, mono."""
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(SAMPLE_RATE)
            out.writeframes(self.samples().astype("<i2").tobytes())
        return file.getvalue()

    def shown(self, *, numbers: bool) -> dict[str, Any]:
        """Return it as the control interface shows it; without ``numbers`` a caller's number is masked."""
        about = self.about
        cli = about.cli if numbers or about.cli is None else masked(about.cli)
        return {
            "leg": self.id,
            "kind": about.kind,
            "call": about.call,
            "record": about.record,
            "cli": cli,
            "position": about.position,
            "talkgroup": about.talkgroup,
            "issi": about.issi,
            "mcptt_id": about.mcptt_id,
            "began": round(self.began, 6),
            "ended": None if self.ended is None else round(self.ended, 6),
            "seconds": round(self.size / SAMPLE_RATE, 3),
        }


def masked(number: str) -> str:
    """A number of which the last two digits are shown."""
    return "*" * (len(number) - 2) + number[-2:]


def exported(leg: Leg, told: Mapping[str, Any]) -> tuple[bytes, str]:
    """A ZIP archive of the WAV file and a manifest that names its SHA-256; and that hash. ``told``: what the manifest
    has besides."""
    speech = leg.wav()
    digest = hashlib.sha256(speech).hexdigest()
    file = io.BytesIO()
    manifest = {**told, "file": f"{leg.id}.wav", "bytes": len(speech), "sha256": digest}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(f"{leg.id}.wav", speech)
        out.writestr("manifest.json", json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return file.getvalue(), digest
