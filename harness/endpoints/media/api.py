"""What a media service offers: ports that speak, hear and write over RTP, on a worker process or in virtual time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from harness.endpoints.media.impairment import Impairment
from harness.endpoints.media.terms import Address, Symmetric
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.rtp.security import Security


@dataclass(frozen=True, slots=True)
class Recording:
    """What a port heard after its playout buffer: what a person at the jack would have heard."""

    start: float
    """Run time (journal clock, seconds) at which the first sample was played."""
    samples: Samples
    rate: int = SAMPLE_RATE
    """Samples a second: 8000 for G.711, 16000 for G.722 and Opus."""


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
    codec: str = "PCMA"
    """What the peer sent last, or was to send; T140 for text."""
    lost: int = 0
    """Due by sequence number and never come."""
    loss_bursts: int = 0
    """Rows of packets that never came: `lost` over it is their mean length."""
    reordered: int = 0
    duplicates: int = 0
    jitter_ms: float = 0.0
    """Interarrival jitter (RFC 3550 A.8)."""
    target_ms: int = 0
    """Depth that the playout buffer aims at."""
    delay_ms: float | None = None
    """How long packets waited in the playout buffer on average; None where none was played."""
    late: int = 0
    """Came after their time in the playout buffer and were dropped."""
    dropped_ms: int = 0
    """Speech that came and was not played, so that the buffer became shallower or was set up afresh."""
    stretched_ms: int = 0
    """Speech that was made up so that the buffer became deeper."""
    concealed: int = 0
    """20 ms frames filled in because their packet was missing."""
    resyncs: int = 0
    """Times the playout buffer was set up afresh because the peer's clock or timestamps had moved."""
    first_packet: float | None = None
    """Run time at which the peer's first packet came."""
    first_voice: float | None = None
    """Run time at which speech was first heard."""
    strangers: int = 0
    """Dropped: not from the peer's address, or not its SSRC."""
    malformed: int = 0
    """Dropped: not RTP or RTCP, or a payload that does not fit its type."""
    unexpected_payload: int = 0
    """Dropped: a payload type that was not agreed."""
    discarded: int = 0
    """Dropped: came before `connect`, while not receiving, or out of any sequence."""
    srtp_failed: int = 0
    """Dropped: not authentic under the agreed key."""
    srtp_replayed: int = 0
    """Dropped: its number came before or is too old to tell (RFC 3711 section 3.3.2); a secured duplicate is one."""
    ssrc_changes: int = 0
    """Times the peer went on under another SSRC, or another peer took over."""
    collisions: int = 0
    """Times somebody spoke under our own SSRC and we took another (RFC 3550 section 8.2)."""
    looped: int = 0
    """Packets under our own SSRC after that: our own stream comes back."""
    payload_changes: int = 0
    """Times the peer went on with another of the agreed codecs."""
    dtmf_sent: int = 0
    """Digits."""
    dtmf_received: int = 0
    """Digits."""
    comfort_noise_sent: int = 0
    comfort_noise_received: int = 0
    characters_sent: int = 0
    """Real-time text."""
    characters_received: int = 0
    text_lost: int = 0
    """T.140 blocks that never came in any packet."""
    text_recovered: int = 0
    """T.140 blocks that came only as a later packet's redundancy."""
    rtcp_sent: int = 0
    rtcp_received: int = 0
    round_trip_ms: float | None = None
    """From RTCP (RFC 3550 section 6.4.1); None when the peer sent no report on us."""
    peer_lost: int | None = None
    """What the peer's last report says it lost of ours."""
    peer_fraction_lost: float | None = None
    """What share it lost since the report before, 0-1."""
    peer_cname: str | None = None
    """What the peer calls itself in RTCP (RFC 3550 section 6.5.1)."""
    peer_jitter_ms: float | None = None
    """What the peer's last report says of the jitter of ours."""

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
    read_p99_ms: float = 0.0
    """From one look at the sockets to the end of the next, 99th percentile, while there was something to read: what is
    told of arrivals is late by as much, and by more where a socket had more than one datagram."""


class AnyPort(Protocol):
    """What every RTP port does."""

    name: str
    """The journal's source for this port's events."""
    address: Address
    """Where it listens."""

    async def impair(self, impairment: Impairment | None) -> None:
        """Misbehave so in what is sent from now on, or (None) no more. Raises MediaError."""

    async def stats(self) -> PortStats:
        """What crossed so far."""

    async def close(self) -> PortStats:
        """Say goodbye (RTCP BYE), close, journal `media.closed`, and return the last stats. Twice is once."""


class MediaPort(AnyPort, Protocol):
    """One RTP address for speech that talks to one peer at a time."""

    async def connect(
        self,
        remote: Address | None,
        *,
        payload_type: int = 8,
        codec: str = "PCMA",
        dtmf_payload_type: int | None = 101,
        send: bool = True,
        receive: bool = True,
        ptime: int = 20,
        comfort_noise_payload_type: int | None = None,
        incoming: Iterable[tuple[int, str]] = (),
        dtmf_clock: int = 8000,
        rtcp: Address | None = None,
        rtcp_mux: bool = False,
        security: Security | None = None,
        symmetric: Symmetric = "no",
        rests: bool = False,
    ) -> None:
        """Agree with a peer, or agree anew. `remote` None: whoever sends first (symmetric RTP); then nobody else.

        A connected port that may send does so every `ptime` milliseconds, silence when it has nothing else; with a
        `comfort_noise_payload_type` silence is suppressed (RFC 3389). `incoming`: (payload type, encoding name) of all
        that may come; empty: what is sent. `rtcp`: where reports go, None: the next port, or with `rtcp_mux` the same.
        `security`: SRTP. `symmetric`: whether media may come from elsewhere than `remote`, from another "port" of its
        host or from "any" (RFC 4961; the rule is in `peer`). `rests`: send nothing where there has been nothing to say
        for two seconds, as an audio jack of ours does; but for an empty packet every 5 s (RFC 6263 section 4.1).
        Raises MediaError.
        """

    async def play(self, samples: Samples, *, loop: bool = False, rate: int = SAMPLE_RATE) -> float:
        """Send samples, after what is already queued; return the run time at which the first one goes out.

        `rate`: samples a second, 8000 or 16000; they are brought to the codec's. The jack is where the packet leaves:
        a microphone's own framing would add 20 ms before it. Raises MediaError when there is nobody to send to.
        """

    async def stop_playing(self) -> None:
        """Cut what is being played and forget what is queued."""

    async def played(self) -> None:
        """Return when everything asked so far is out, or was cut. Raises MediaError for a clip that loops."""

    async def record(self) -> None:
        """Begin recording what is heard (afresh, when a recording is under way)."""

    async def recorded(self) -> Recording:
        """End the recording and return it. Raises MediaError when none was begun."""

    async def hear(self, *sources: MediaPort, gains_db: Mapping[MediaPort, float] | None = None) -> None:
        """Send on what these ports of the same service hear, mixed; none: stop. A switch connects a call so.

        ``gains_db``: by how much one of them is turned up or down, -60 to 12 dB; what grows too loud is clipped. Raises
        MediaError beyond these bounds.
        """

    async def mute(self, *, outgoing: bool = False, incoming: bool = False) -> None:
        """Send silence in place of speech, let nobody hear what comes; as a mute key does, RTP goes on."""

    async def send_dtmf(self, digits: str, *, duration_ms: int = 100, gap_ms: int = 100, volume: int = 10) -> None:
        """Send telephone events (RFC 4733); return when the last one's end is out. Raises MediaError.

        `volume`: 0-63, the power as -dBm0.
        """


class TextPort(AnyPort, Protocol):
    """One RTP address for real-time text (RFC 4103) that talks to one peer at a time."""

    async def connect(
        self,
        remote: Address | None,
        *,
        payload_type: int = 98,
        redundant_payload_type: int | None = 100,
        generations: int = 2,
        cps: int = 30,
        send: bool = True,
        receive: bool = True,
        incoming: Iterable[tuple[int, str]] = (),
        rtcp: Address | None = None,
        rtcp_mux: bool = False,
        security: Security | None = None,
        symmetric: Symmetric = "no",
    ) -> None:
        """Agree with a peer, or agree anew; see MediaPort.connect. `generations`: blocks that each packet repeats;
        `cps`: characters a second that the peer takes. Raises MediaError.
        """

    async def write(self, text: str) -> None:
        """Type. Raises MediaError: there is nobody to write to, or too much waits to be sent."""

    async def written(self) -> None:
        """Return when everything typed so far has left. Raises MediaError."""

    def received(self) -> str:
        """All that came so far, as it came: U+FFFD for each lost block, U+0008 for each erasure. See `text.shown`."""


class Bridge(Protocol):
    """A conference of ports of one service: each hears all the others (N-1)."""

    name: str

    async def join(self, port: MediaPort, *, speak: bool = True, hear: bool = True) -> None:
        """Let a port in, or change what it may: not `speak`, it listens alone; not `hear`, it is heard alone.

        A port is in one conference at a time. What it plays itself it says to its peer alone. Raises MediaError.
        """

    async def leave(self, port: MediaPort) -> None:
        """Let a port out; one that is in no conference is left alone."""

    async def close(self) -> None:
        """End the conference: its ports stay, and hear each other no more. Twice is once."""


class MediaService(Protocol):
    """Opens ports and bridges."""

    async def open_port(
        self,
        name: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        codec: str = "PCMA",
        playout_ms: int = 40,
        playout_max_ms: int | None = 200,
    ) -> MediaPort:
        """Bind an RTP port (0: any free even one) and, where it is free, the next one for RTCP.

        `playout_ms`, `playout_max_ms`: bounds of the playout buffer's depth, 20-500; None: it is fixed. Raises
        MediaError when the address can't be bound.
        """

    async def open_text(self, name: str, *, host: str = "127.0.0.1", port: int = 0) -> TextPort:
        """Bind a port for real-time text, as `open_port` does. Raises MediaError."""

    async def open_bridge(self, name: str, *, rate: int = SAMPLE_RATE) -> Bridge:
        """Begin a conference with nobody in it; `rate`: samples a second that are mixed, 8000 or 16000."""

    async def pacing(self) -> Pacing:
        """Send errors since the service began, or since last asked."""

    async def close(self) -> None:
        """Close every port and end the service."""
