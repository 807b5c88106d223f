"""Misbehaviour on demand: what a port does to the RTP that it sends, as a bad network or a bad endpoint would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from random import Random
from typing import Any, Final

import numpy as np

from harness.errors import MediaError
from harness.protocols.rtp.g711 import Samples

MAX_DELAY_MS: Final = 5000.0
MAX_FRONT_CLIP_MS: Final = 60_000
QUIET_FRAMES: Final = 10
"""Frames of silence (200 ms) after which what comes is a new talkspurt, to be clipped at its front again."""
QUIET: Final = 300
"""Samples under this (-41 dBov) are silence."""
REORDER_BY: Final = 1.5
"""Packet times by which a reordered packet is held back: it leaves between the next two."""
_SHARES: Final = ("loss", "duplicate", "reorder", "corrupt")
_SWITCHES: Final = dict.fromkeys(("yes", "true", "on", "1"), True) | dict.fromkeys(("no", "false", "off", "0"), False)


@dataclass(frozen=True, slots=True)
class Impairment:
    """What is wrong with the RTP that a port sends. Everything is off by default; what is set applies together.

    Shares are of packets, 0 to 1, drawn from the run's seed. Raises MediaError for a value out of its range.
    """

    loss: float = 0.0
    """Share that never leaves."""
    burst: float = 1.0
    """Mean length in packets of a row of losses, 1-100 (Gilbert's model); at 1 losses are independent."""
    duplicate: float = 0.0
    """Share that leaves twice."""
    reorder: float = 0.0
    """Share that leaves only after the packet that follows it."""
    delay_ms: float = 0.0
    """How much later every packet leaves, 0-5000."""
    jitter_ms: float = 0.0
    """How much later still each packet leaves, evenly drawn from 0 to this, 0-5000; packets may overtake each other."""
    corrupt: float = 0.0
    """Share whose last octet is changed: with SRTP it is not authentic, without it clicks."""
    nothing: bool = False
    """No RTP leaves at all: one-way audio. RTCP and signalling go on."""
    to: tuple[str, int] | None = None
    """Where RTP goes instead of where it was agreed."""
    silent: bool = False
    """Digital silence in place of whatever is to be said."""
    front_clip_ms: int = 0
    """How much of the front of each talkspurt is cut off, 0-60000."""
    gain_db: float = 0.0
    """How much louder (or, below zero, quieter) it is, -60 to 60; what is too loud is clipped as an amplifier does."""
    ceiling_dbov: float = 0.0
    """The level at which samples are clipped, -60 to 0; 0 is full scale."""
    payload_type: int | None = None
    """The payload type that speech is sent under instead of the agreed one, 0-127."""
    ptime: int | None = None
    """Milliseconds a packet instead of those agreed: 10-200, in steps of 10."""
    new_ssrc: bool = False
    """When it begins, the stream goes on under another SSRC."""
    timestamp_jump: int = 0
    """By how many units the timestamp leaps when it begins."""
    sequence_jump: int = 0
    """By how many packets the sequence number leaps when it begins."""
    no_rtcp: bool = False
    """No reports leave."""

    def __post_init__(self) -> None:
        for name in _SHARES:
            self._within(name, 0, 1)
        self._within("burst", 1, 100)
        self._within("delay_ms", 0, MAX_DELAY_MS)
        self._within("jitter_ms", 0, MAX_DELAY_MS)
        self._within("front_clip_ms", 0, MAX_FRONT_CLIP_MS)
        self._within("gain_db", -60, 60)
        self._within("ceiling_dbov", -60, 0)
        if self.payload_type is not None:
            self._within("payload_type", 0, 127)
        if self.ptime is not None and (not 10 <= self.ptime <= 200 or self.ptime % 10):
            raise MediaError(f"an impairment's ptime is 10-200 ms in steps of 10, not {self.ptime}")

    def _within(self, name: str, least: float, most: float) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise MediaError(f"an impairment's {name} is {least:g} to {most:g}, not {value!r}")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Impairment:
        """What `as_json` gave. Raises MediaError for a field that does not exist."""
        cls._only_known(data)
        values = dict(data)
        if values.get("to") is not None:
            host, port = values["to"]
            values["to"] = (str(host), int(port))
        return cls(**values)

    @classmethod
    def from_text(cls, data: Mapping[str, str]) -> Impairment:
        """What a tester writes: ``loss=5%``, ``jitter_ms=30``, ``nothing=yes``, ``to=192.0.2.1:5004``.

        Raises MediaError. Shares may be written as percentages; switches as yes, true, on or 1, and their opposites.
        """
        cls._only_known(data)
        standard = {field.name: field.default for field in fields(cls)}
        return cls(**{name: _value(name, text.strip(), standard[name]) for name, text in data.items()})

    @classmethod
    def _only_known(cls, data: Mapping[str, Any]) -> None:
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise MediaError(f"an impairment has no {unknown[0]!r}; it has {', '.join(sorted(known))}")

    def as_json(self) -> dict[str, Any]:
        """What is set, as JSON holds it."""
        standard = {field.name: field.default for field in fields(self)}
        return {name: getattr(self, name) for name in standard if getattr(self, name) != standard[name]}


def _value(name: str, text: str, standard: object) -> Any:
    """The value that a text stands for, by what the field has otherwise."""
    try:
        if isinstance(standard, bool):
            return _SWITCHES[text.lower()]
        if name == "to":
            host, _, port = text.rpartition(":")
            return host.strip("[]"), int(port)
        if isinstance(standard, float):
            return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
        return int(text)
    except (KeyError, ValueError):
        raise MediaError(f"an impairment's {name} can't be {text!r}") from None


class Impairer:
    """An impairment under way on one stream."""

    def __init__(self, impairment: Impairment, random: Random, rate: int) -> None:
        """`rate`: samples a second of the speech."""
        self.impairment = impairment
        self._random = random
        self._rate = rate
        self._losing = False
        self._quiet = QUIET_FRAMES
        self._to_clip = 0
        self._ceiling = round(32767 * 10 ** (impairment.ceiling_dbov / 20))
        self._factor = 10 ** (impairment.gain_db / 20)
        self._touches_sound = bool(
            impairment.silent or impairment.front_clip_ms or impairment.gain_db or impairment.ceiling_dbov
        )

    def sound(self, frame: Samples | None) -> Samples | None:
        """What becomes of a frame of speech (None: silence)."""
        if not self._touches_sound or frame is None:
            self._quiet += frame is None
            return frame
        if self.impairment.silent:
            return None
        if self.impairment.front_clip_ms:
            frame = self._front_clipped(frame)
        if self._factor != 1.0 or self._ceiling < 32767:
            louder = np.rint(frame * self._factor)
            frame = np.clip(louder, -self._ceiling, self._ceiling).astype(np.int16)
        return frame

    def _front_clipped(self, frame: Samples) -> Samples:
        if np.abs(frame.astype(np.int32)).max() < QUIET:
            self._quiet += 1
        else:
            if self._quiet >= QUIET_FRAMES:
                self._to_clip = self.impairment.front_clip_ms * self._rate // 1000
            self._quiet = 0
        if self._to_clip:
            cut = min(self._to_clip, len(frame))
            self._to_clip -= cut
            frame = frame.copy()
            frame[:cut] = 0
        return frame

    def packet(self, data: bytes, packet_s: float) -> list[tuple[float, bytes]]:
        """What leaves of a packet, and how many seconds later; nothing when it is lost. `packet_s`: its own length."""
        what = self.impairment
        if what.nothing or (what.loss and self._lost()):
            return []
        if what.corrupt and self._random.random() < what.corrupt:
            data = data[:-1] + bytes([data[-1] ^ 0x55])
        later = self._later()
        if what.reorder and self._random.random() < what.reorder:
            later += REORDER_BY * packet_s
        leaving = [(later, data)]
        if what.duplicate and self._random.random() < what.duplicate:
            leaving.append((self._later(), data))
        return leaving

    def _later(self) -> float:
        jitter = self.impairment.jitter_ms
        return (self.impairment.delay_ms + (self._random.random() * jitter if jitter else 0.0)) / 1000

    def _lost(self) -> bool:
        """Gilbert's model: out of a row of losses with 1/burst, into one so often that the share comes out."""
        loss, burst = self.impairment.loss, self.impairment.burst
        if loss >= 1:
            return True
        if self._losing:
            self._losing = self._random.random() >= 1 / burst
        else:
            into = loss / (burst * (1 - loss)) if burst > 1 else loss
            self._losing = self._random.random() < min(1.0, into)
        if burst <= 1:
            lost, self._losing = self._losing, False
            return lost
        return self._losing
