"""The media engine: all the ports of one host, paced in 1 ms slots, without sockets or a clock of its own.

Theory. Time is cut into frames of 20 ms, a frame into SLOTS of 1 ms, and every port has a slot: in each frame, at that
slot's absolute time, it hears one frame and sends one. Spreading ports over slots keeps their packets from leaving in
one burst. The host calls `tick` at (or as soon as it can after) `next_tick`; a slot that is late is still carried out
with its own time, so lateness never adds up, up to MAX_BEHIND_S, beyond which whole frames are skipped and said to be.
A port that sends on what another hears takes the other's last frame, at most 19 ms after it was heard.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.endpoints.media.api import Address, PortStats
from harness.endpoints.media.playout import MAX_DEPTH_MS, MIN_DEPTH_MS
from harness.endpoints.media.sound import FRAME_S
from harness.endpoints.media.streams import MediaEvent, Outgoing, Stream
from harness.errors import MediaError
from harness.protocols.rtp.codecs import codec_named

SLOTS = 20
SLOT_S = FRAME_S / SLOTS
MAX_PORTS = 2000
MAX_BEHIND_S = 2.0
MAX_SOURCES = 32
"""Ports that one port can hear."""


class MediaEngine:
    """Ports, slots, and what they have to tell."""

    def __init__(self, base: float) -> None:
        """`base`: engine time of slot 0, in seconds; the host's clock."""
        self._base = base
        self._slots: list[list[Stream]] = [[] for _ in range(SLOTS)]
        self._next = 0  # number of the next slot to carry out
        self._ports: dict[int, Stream] = {}
        self._count = 0
        self._events: list[MediaEvent] = []

    def add_port(self, name: str, *, ssrc: int, sequence: int, timestamp: int, codec: str, playout_ms: int) -> Stream:
        """A new port, not connected. Raises MediaError."""
        if len(self._ports) >= MAX_PORTS:
            raise MediaError(f"{MAX_PORTS} media ports are open already")
        if not MIN_DEPTH_MS <= playout_ms <= MAX_DEPTH_MS:
            raise MediaError(f"a playout depth is {MIN_DEPTH_MS}-{MAX_DEPTH_MS} ms, not {playout_ms}")
        self._count += 1
        stream = Stream(
            self._count,
            name,
            codec_named(codec),
            ssrc=ssrc & 0xFFFFFFFF,
            sequence=sequence & 0xFFFF,
            timestamp=timestamp & 0xFFFFFFFF,
            playout_ms=playout_ms,
            events=self._events,
        )
        self._ports[stream.number] = stream
        return stream

    def port(self, number: int) -> Stream:
        """The port of this number. Raises MediaError when it is closed."""
        stream = self._ports.get(number)
        if stream is None:
            raise MediaError("the media port is closed")
        return stream

    def remove_port(self, number: int, now: float) -> tuple[PortStats, list[Outgoing]]:
        """Close a port; return its last stats and its goodbye."""
        stream = self.port(number)
        outgoing: list[Outgoing] = []
        if stream.rtcp.enabled and stream.peer.address is not None:
            host, port = stream.peer.address
            outgoing.append((number, True, stream.report(now, goodbye=True), (host, port + 1)))
        stream.finish(now)
        del self._ports[number]
        for slot in self._slots:
            if stream in slot:
                slot.remove(stream)
        for other in self._ports.values():
            if stream in other.sources:
                other.sources.remove(stream)
        return stream.stats(), outgoing

    def connect(
        self,
        number: int,
        remote: Address | None,
        now: float,
        *,
        codec: str,
        payload_type: int,
        dtmf_payload_type: int | None,
        send: bool,
        receive: bool,
    ) -> None:
        """Agree with a peer (see MediaPort.connect). Raises MediaError."""
        stream = self.port(number)
        types = [payload_type] if dtmf_payload_type is None else [payload_type, dtmf_payload_type]
        if any(not 0 <= value <= 127 for value in types) or len(set(types)) < len(types):
            raise MediaError(f"RTP payload types are 0-127 and differ; not {types}")
        first = not stream.connected
        stream.connect(
            remote,
            codec_named(codec),
            payload_type=payload_type,
            dtmf_payload_type=dtmf_payload_type,
            send=send,
            receive=receive,
            now=now,
        )
        if first:
            if self.next_tick() is None:
                self._next = max(self._next, math.ceil((now - self._base) / SLOT_S - 1e-6))
            min(self._slots, key=len).append(stream)

    def hear(self, number: int, sources: Sequence[int]) -> None:
        """Set whom a port sends on. Raises MediaError."""
        if len(sources) > MAX_SOURCES:
            raise MediaError(f"a port can hear {MAX_SOURCES} others, not {len(sources)}")
        self.port(number).sources = [self.port(source) for source in sources]

    def next_tick(self) -> float | None:
        """When `tick` is due; None while no port is connected."""
        number = self._occupied()
        return None if number is None else self._base + number * SLOT_S

    def next_frame_of(self, number: int) -> float:
        """When the port's next frame is due; it must be connected."""
        stream = self.port(number)
        slot = next(index for index, streams in enumerate(self._slots) if stream in streams)
        return self._base + (self._next + (slot - self._next) % SLOTS) * SLOT_S

    def tick(self) -> Iterator[Outgoing]:
        """Carry out the slot of `next_tick`; the host must take every datagram before it does anything else."""
        number = self._occupied()
        if number is None:
            return
        self._next = number + 1
        now = self._base + number * SLOT_S
        for stream in tuple(self._slots[number % SLOTS]):
            yield from stream.tick(now)

    def catch_up(self, now: float) -> None:
        """Skip whole frames when the host is more than MAX_BEHIND_S late (the machine slept)."""
        due = self.next_tick()
        if due is None or now - due <= MAX_BEHIND_S:
            return
        frames = int((now - due) / FRAME_S)
        self._next += frames * SLOTS
        for slot in self._slots:
            for stream in slot:
                stream.skip(frames, due)
                data = {"skipped_s": round(frames * FRAME_S, 3)}
                self._events.append(MediaEvent(now, stream.number, "media.stalled", data, warning=True))

    def events(self) -> list[MediaEvent]:
        """What the ports have to tell since the last call."""
        if not self._events:
            return []
        events = self._events[:]
        self._events.clear()
        return events

    def _occupied(self) -> int | None:
        for number in range(self._next, self._next + SLOTS):
            if self._slots[number % SLOTS]:
                return number
        return None
