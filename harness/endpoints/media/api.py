"""What a media service offers: ports that send and hear RTP speech, on a worker process or on virtual time alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Recording:
    """What a port heard after its playout buffer: what a person at the jack would have heard."""

    start: float
    """Run time (journal clock, seconds) at which the first sample was played."""
    samples: Samples
    rate: int = SAMPLE_RATE
    """Samples a second."""


@dataclass(frozen=True, slots=True)
class PortStats:
    """What crossed one port since it was opened. Datagrams unless said otherwise."""

    packets_sent: int = 0
    bytes_sent: int = 0
    """Payload octets (RFC 3550 section 6.4.1)."""
    packets_received: int = 0
    """RTP accepted from the peer, duplicates apart."""
    bytes_received: int = 0
    """Payload octets."""
    lost: int = 0
    """Due by sequence number and never come."""
    reordered: int = 0
    duplicates: int = 0
    jitter_ms: float = 0.0
    """Interarrival jitter (RFC 3550 A.8)."""
    late: int = 0
    """Came after their time in the playout buffer and were dropped."""
    concealed: int = 0
    """20 ms frames filled in because their packet was missing."""
    resyncs: int = 0
    """Times the playout buffer was set up afresh because the peer's clock or timestamps had moved."""
    strangers: int = 0
    """Dropped: not from the peer's address, or not its SSRC."""
    malformed: int = 0
    """Dropped: not RTP or RTCP, or a payload that does not fit its type."""
    unexpected_payload: int = 0
    """Dropped: a payload type that was not agreed."""
    discarded: int = 0
    """Dropped: came before `connect`, while not receiving, or out of any sequence."""
    dtmf_sent: int = 0
    """Digits."""
    dtmf_received: int = 0
    """Digits."""
    rtcp_sent: int = 0
    rtcp_received: int = 0
    round_trip_ms: float | None = None
    """From RTCP (RFC 3550 section 6.4.1); None when the peer sent no report on us."""
    peer_lost: int | None = None
    """What the peer's last report says it lost of ours."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PortStats:
        """The stats that `as_json` gave."""
        return cls(**data)

    def as_json(self) -> dict[str, Any]:
        """Field by field, as JSON holds it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Pacing:
    """How far behind its absolute deadline each packet was handed to the kernel, in milliseconds."""

    packets: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    realtime: bool
    """Whether the worker ran under SCHED_FIFO."""
    cpu_s: float
    """Processor time the worker used since it was started or last asked."""


class MediaPort(Protocol):
    """One RTP address that talks to one peer at a time."""

    name: str
    """The journal's source for this port's events."""
    address: Address
    """Where it listens."""

    async def connect(
        self,
        remote: Address | None,
        *,
        payload_type: int = 8,
        codec: str = "PCMA",
        dtmf_payload_type: int | None = 101,
        send: bool = True,
        receive: bool = True,
    ) -> None:
        """Agree with a peer, or agree anew. `remote` None: whoever sends first (symmetric RTP); then nobody else.

        A connected port that may send does so every 20 ms, silence when it has nothing else. Raises MediaError.
        """

    async def play(self, samples: Samples, *, loop: bool = False) -> float:
        """Send 8 kHz samples, after what is already queued; return the run time at which the first one goes out.

        The jack is where the packet leaves: a microphone's own framing would add 20 ms before it. Raises MediaError
        when the port has nobody to send to.
        """

    async def stop_playing(self) -> None:
        """Cut what is being played and forget what is queued."""

    async def played(self) -> None:
        """Return when everything asked so far is out, or was cut. Raises MediaError for a clip that loops."""

    async def record(self) -> None:
        """Begin recording what is heard (afresh, when a recording is under way)."""

    async def recorded(self) -> Recording:
        """End the recording and return it. Raises MediaError when none was begun."""

    async def hear(self, *sources: MediaPort) -> None:
        """Send on what these ports of the same service hear, mixed; none: stop. A switch connects a call so."""

    async def send_dtmf(self, digits: str, *, duration_ms: int = 100, gap_ms: int = 100) -> None:
        """Send telephone events (RFC 4733); return when the last one's end is out. Raises MediaError."""

    async def stats(self) -> PortStats:
        """What crossed so far."""

    async def close(self) -> PortStats:
        """Say goodbye (RTCP BYE), close, journal `media.closed`, and return the last stats. Twice is once."""


class MediaService(Protocol):
    """Opens ports."""

    async def open_port(
        self, name: str, *, host: str = "127.0.0.1", port: int = 0, codec: str = "PCMA", playout_ms: int = 40
    ) -> MediaPort:
        """Bind an RTP port (0: any free even one) and, where it is free, the next one for RTCP.

        `playout_ms`: depth of the playout buffer, 20-500. Raises MediaError when the address can't be bound.
        """

    async def pacing(self) -> Pacing:
        """Send errors since the service began, or since last asked."""

    async def close(self) -> None:
        """Close every port and end the service."""
