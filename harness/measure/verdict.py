"""The verdict on one stream: what was due, what came, and what it is worth; cheap enough for every call of a load.

A verdict is made of a port's stats and, where the right words are due, of what it heard. It costs a few microseconds,
and with a reference one correlation (some milliseconds for ten seconds of speech).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from harness.endpoints.media.api import PortStats, Recording
from harness.errors import LocalError
from harness.measure.emodel import quality
from harness.measure.words import words_found
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.protocols.rtp.resample import converted

FEW_PACKETS: Final = 25
"""Half a second of telephony: with fewer there is no stream."""
ALL_BUT_LOST: Final = 0.95
"""Share of ours that a peer must report lost for us not to be heard."""
PACKET_MS: Final = 20.0
"""What a microphone's framing adds to the delay before a packet can leave."""


class Flow(Enum):
    """Which way there was audio."""

    BOTH = "both ways"
    INWARD = "only to us"
    OUTWARD = "only from us"
    NONE = "neither way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a stream must keep to; None: it does not matter."""

    codec: str | None = None
    flow: Flow | None = Flow.BOTH
    first_audio_s: float | None = None
    """Seconds within which speech must be heard."""
    loss: float | None = None
    """Share of packets that may be missing when they are due, 0-1."""
    jitter_ms: float | None = None
    delay_ms: float | None = None
    """One way, mouth to ear."""
    mos: float | None = None
    """The least opinion score, 1-4.5."""
    reference: NDArray[np.int16] | None = None
    """What must be heard, at 8,000 samples a second."""
    correlation: float = 0.8
    """How well `reference` must be found in what was heard, 0-1."""


@dataclass(frozen=True, slots=True)
class StreamVerdict:
    """What became of one stream, as its listener had it."""

    codec: str
    flow: Flow
    first_audio_s: float | None
    """Seconds from `since` until speech was heard; None: none was."""
    loss: float
    """Share of packets that were missing when they were due: lost on the way, or late for the playout buffer."""
    burst_ratio: float
    """Mean length of a row of losses over that of random ones; 1 where nothing was lost."""
    jitter_ms: float
    delay_ms: float
    """One way, mouth to ear: as given, else half the round trip, the playout buffer and a packet."""
    r: float
    mos: float
    confirmed: bool
    """Whether the codec's figures behind R and MOS are the ITU-T's."""
    correlation: float | None
    """How well the reference was found; None where none was due."""
    findings: tuple[str, ...]
    """What was not as due, each with what was found and what was meant."""

    @property
    def passed(self) -> bool:
        """Whether all was as due."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """Field by field, as JSON holds it."""
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        return row | {"flow": self.flow.value, "findings": list(self.findings), "passed": self.passed}


def judge(
    stats: PortStats,
    *,
    since: float,
    due: Due = Due(),
    heard: Recording | None = None,
    delay_ms: float | None = None,
) -> StreamVerdict:
    """The verdict on what a port received.

    `since`: run time from which audio was due, e.g. of the answer; `heard`: what was recorded, needed where `due` has a
    reference; `delay_ms`: mouth to ear where it was measured. Raises LocalError when a reference can't be compared.
    """
    due_packets = stats.packets_received + stats.lost
    loss = min(1.0, (stats.lost + stats.late) / due_packets) if due_packets else 0.0
    burst_ratio = burst_ratio_of(stats.lost, stats.loss_bursts, due_packets)
    flow = _flow(stats)
    first = None if stats.first_voice is None else max(0.0, stats.first_voice - since)
    if delay_ms is None:
        delay_ms = (stats.round_trip_ms or 0.0) / 2 + (stats.delay_ms or 0.0) + PACKET_MS
    worth = quality(stats.codec, delay_ms=delay_ms, loss=loss, burst_ratio=burst_ratio)
    likeness = None
    if due.reference is not None:
        if heard is None:
            raise LocalError("a reference is due, and nothing was recorded to compare it with")
        likeness = round(_likeness(due.reference, heard), 4)
    findings = tuple(_findings(due, stats, flow, first, loss=loss, delay_ms=delay_ms, mos=worth.mos, likeness=likeness))
    return StreamVerdict(
        stats.codec,
        flow,
        None if first is None else round(first, 3),
        round(loss, 5),
        round(burst_ratio, 3),
        stats.jitter_ms,
        round(delay_ms, 1),
        worth.r,
        worth.mos,
        worth.confirmed,
        likeness,
        findings,
    )


def burst_ratio_of(lost: int, bursts: int, due_packets: int) -> float:
    """Mean length of a row of losses over what it would be if they were random (G.107 section 7.4.3), at least 1."""
    if not lost or not bursts or not due_packets:
        return 1.0
    return max(1.0, lost / bursts * (1 - lost / due_packets))


def recognised(references: Mapping[str, NDArray[np.int16]], heard: Recording) -> tuple[str, float]:
    """Which of several references (8,000 samples a second) was heard, and how well it was found.

    Raises LocalError where there is none to choose from, or one can't be compared.
    """
    if not references:
        raise LocalError("no references to choose from")
    found = {name: _likeness(reference, heard) for name, reference in references.items()}
    best = max(found, key=lambda name: found[name])
    return best, round(found[best], 4)


def _likeness(reference: NDArray[np.int16], heard: Recording) -> float:
    return words_found(converted(reference, SAMPLE_RATE, heard.rate), heard.samples, rate=heard.rate)


def _flow(stats: PortStats) -> Flow:
    inward = stats.packets_received >= FEW_PACKETS
    outward = stats.packets_sent >= FEW_PACKETS
    if outward and stats.peer_lost is not None:
        outward = stats.peer_lost < ALL_BUT_LOST * stats.packets_sent
    return {(True, True): Flow.BOTH, (True, False): Flow.INWARD, (False, True): Flow.OUTWARD}.get(
        (inward, outward), Flow.NONE
    )


def _findings(
    due: Due,
    stats: PortStats,
    flow: Flow,
    first: float | None,
    *,
    loss: float,
    delay_ms: float,
    mos: float,
    likeness: float | None,
) -> list[str]:
    found: list[str] = []
    if due.flow is not None and flow is not due.flow:
        found.append(f"audio {flow.value}, due {due.flow.value}")
    if due.codec is not None and stats.codec != due.codec.upper():
        found.append(f"codec {stats.codec}, due {due.codec.upper()}")
    if due.first_audio_s is not None and (first is None or first > due.first_audio_s):
        came = "no speech was heard" if first is None else f"speech was heard after {first:.2f} s"
        found.append(f"{came}, due within {due.first_audio_s:g} s")
    for name, value, most, unit in (
        ("loss", 100 * loss, None if due.loss is None else 100 * due.loss, "%"),
        ("jitter", stats.jitter_ms, due.jitter_ms, " ms"),
        ("delay", delay_ms, due.delay_ms, " ms"),
    ):
        if most is not None and value > most:
            found.append(f"{name} {value:.2f}{unit}, at most {most:g}{unit} is due")
    if due.mos is not None and mos < due.mos:
        found.append(f"MOS {mos:.2f}, at least {due.mos:g} is due")
    if likeness is not None and likeness < due.correlation:
        found.append(f"the words heard are not those due: correlation {likeness:.2f}, at least {due.correlation:g}")
    return found
