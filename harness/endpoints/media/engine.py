"""The media engine: all the ports of one host, paced in 0.8 ms slots, without sockets or a clock of its own.

Theory. Time is cut into frames of 20 ms, a frame into SLOTS of 0.8 ms, and every port has a slot: in each frame, at
that slot's absolute time, it hears one frame and sends one. Spreading ports over slots keeps their packets from leaving
in one burst: of a thousand, 40 leave at once, the last of them 0.3 ms after the first; more slots would send sooner,
and wake the host more often. The host calls `tick` at (or as soon as it can after) `next_tick`; a slot that is late is
still carried out with its own time, so lateness never adds up, up to MAX_BEHIND_S, beyond which whole frames are
skipped and said to be. What is to leave between slots (packets that are not 20 ms long, what an impairment holds back)
waits in a queue of its own and has its turn when it is due. A port that sends on what another hears takes the other's
last frame, at most a frame after it was heard.

A port whose terms let it rest (an audio jack) does so when it has neither anything to say nor anything to hear, nor
anybody it sends on has: it is taken out of its slot and costs nothing until it is stirred, by a packet, by a command,
or by another it sends on. Its timestamps go on meanwhile, and what it says next begins a talkspurt (RFC 3551 section
4.1).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from typing import Final

from harness.endpoints.media.api import PortStats
from harness.endpoints.media.bridge import Bridge
from harness.endpoints.media.events import MediaEvent
from harness.endpoints.media.peer import SIGN_OF_LIFE_S
from harness.endpoints.media.playout import MAX_DEPTH_MS, MIN_DEPTH_MS
from harness.endpoints.media.sending import RTP, Delayed, Outgoing
from harness.endpoints.media.sound import FRAME_S
from harness.endpoints.media.speech_stream import HANGOVER, SpeechStream
from harness.endpoints.media.stream import Stream
from harness.endpoints.media.terms import Address, SpeechTerms, TextTerms
from harness.endpoints.media.text_stream import TextStream
from harness.errors import MediaError

SLOTS: Final = 25
SLOT_S: Final = FRAME_S / SLOTS
MAX_PORTS: Final = 2000
MAX_BRIDGES: Final = 256
MAX_BEHIND_S: Final = 2.0
SIGN_OF_LIFE_SLOTS: Final = round(SIGN_OF_LIFE_S / SLOT_S)
MAX_SOURCES: Final = 32
MIN_GAIN_DB: Final = -60.0
MAX_GAIN_DB: Final = 12.0
"""Ports that one port can hear."""
MAX_LATER: Final = 100_000
"""Datagrams that may wait for a time to come; what comes on top is lost, as on any network."""


class MediaEngine:
    """Ports, slots, and what they have to tell."""

    def __init__(self, base: float) -> None:
        """`base`: engine time of slot 0, in seconds; the host's clock."""
        self._base = base
        self.now = base
        """Engine time of what the host has done; it is set before each command."""
        self._slots: list[list[Stream]] = [[] for _ in range(SLOTS)]
        self._taken = 0  # a bit for each slot in which there is a port
        self._next = 0  # number of the next slot to carry out
        self._ports: dict[int, Stream] = {}
        self._bridges: dict[int, Bridge] = {}
        self._count = 0
        self._events: list[MediaEvent] = []
        self._later: list[tuple[float, int, Stream, int, bytes, Address]] = []
        self._later_count = 0
        # By the port's number: those of the slot that it had last, and of the one in which it gives a sign of life.
        self._resting: dict[int, tuple[int, int]] = {}
        self._signs: list[tuple[int, int]] = []  # the latter first, the port's number behind it
        self._stirred: list[tuple[int, float]] = []

    # --- ports ---

    def add_port(
        self,
        name: str,
        *,
        kind: str = "audio",
        ssrc: int,
        sequence: int,
        timestamp: int,
        codec: str = "PCMA",
        playout_ms: int = 40,
        playout_max_ms: int | None = None,
    ) -> Stream:
        """A new port, not connected; what it draws later follows from what was drawn for it. Raises MediaError."""
        if len(self._ports) >= MAX_PORTS:
            raise MediaError(f"{MAX_PORTS} media ports are open already")
        most = playout_ms if playout_max_ms is None else playout_max_ms
        if not MIN_DEPTH_MS <= playout_ms <= most <= MAX_DEPTH_MS:
            depths = f"{playout_ms}" if most == playout_ms else f"{playout_ms} to {most}"
            raise MediaError(f"a playout depth is {MIN_DEPTH_MS}-{MAX_DEPTH_MS} ms, not {depths}")
        seed = ssrc << 48 | sequence << 32 | timestamp
        stream: Stream
        if kind == "audio":
            stream = SpeechStream(
                self._count + 1,
                name,
                codec,
                ssrc=ssrc,
                sequence=sequence,
                timestamp=timestamp,
                seed=seed,
                playout_ms=playout_ms,
                playout_max_ms=most,
                events=self._events,
            )
        elif kind == "text":
            stream = TextStream(
                self._count + 1,
                name,
                ssrc=ssrc,
                sequence=sequence,
                timestamp=timestamp,
                seed=seed,
                events=self._events,
            )
        else:
            raise MediaError(f"a media port is audio or text, not {kind!r}")
        self._count += 1
        self._ports[stream.number] = stream
        stream.stirred = self._stirred
        return stream

    def port(self, number: int) -> Stream:
        """The port of this number. Raises MediaError when it is closed."""
        stream = self._ports.get(number)
        if stream is None:
            raise MediaError("the media port is closed")
        stream.quiet = False  # whatever is done to it, its next frame has to be looked at
        if stream.resting:
            self._wake(stream, self.now)
        stream.silent = 0
        return stream

    def speech(self, number: int) -> SpeechStream:
        """The same, when it is an audio port. Raises MediaError."""
        stream = self.port(number)
        if not isinstance(stream, SpeechStream):
            raise MediaError(f"port {stream.name} is a text port: it neither plays nor hears")
        return stream

    def text(self, number: int) -> TextStream:
        """The same, when it is a text port. Raises MediaError."""
        stream = self.port(number)
        if not isinstance(stream, TextStream):
            raise MediaError(f"port {stream.name} is an audio port: it does not write")
        return stream

    def remove_port(self, number: int, now: float) -> tuple[PortStats, list[Outgoing]]:
        """Close a port; return its last stats and its goodbye."""
        self.now = now
        stream = self.port(number)
        goodbye = stream.goodbye(now)
        stream.finish(now)
        del self._ports[number]
        for index, slot in enumerate(self._slots):
            if stream in slot:
                self._leave(index, stream)
        for other in self._ports.values():
            if isinstance(other, SpeechStream) and isinstance(stream, SpeechStream):
                other.forget(stream)
        if self._later:
            self._later = [each for each in self._later if each[2] is not stream]
            heapq.heapify(self._later)
        return stream.stats(), goodbye

    def connect(self, number: int, terms: SpeechTerms | TextTerms, now: float) -> None:
        """Agree with a peer (see MediaPort.connect). Raises MediaError."""
        self.now = now
        stream = self.port(number)
        first = not stream.connected
        if isinstance(terms, SpeechTerms):
            self.speech(number).connect(terms, now)
        else:
            self.text(number).connect(terms, now)
        if first:
            self._keep_up(now)
            self._enter(min(range(SLOTS), key=lambda index: len(self._slots[index])), stream)

    def hear(self, number: int, sources: Sequence[int], gains_db: Sequence[float] = ()) -> None:
        """Set whom a port sends on, and how many dB each is turned up; left out: none. Raises MediaError."""
        if len(sources) > MAX_SOURCES:
            raise MediaError(f"a port can hear {MAX_SOURCES} others, not {len(sources)}")
        for gain in gains_db:
            if not MIN_GAIN_DB <= gain <= MAX_GAIN_DB:
                raise MediaError(f"a gain is {MIN_GAIN_DB:g} to {MAX_GAIN_DB:g} dB, not {gain:g}")
        self.speech(number).hear([self.speech(source) for source in sources], gains_db)

    # --- bridges ---

    def add_bridge(self, name: str, rate: int) -> Bridge:
        """A new conference, with nobody in it. Raises MediaError."""
        if len(self._bridges) >= MAX_BRIDGES:
            raise MediaError(f"{MAX_BRIDGES} bridges are open already")
        self._count += 1
        bridge = self._bridges[self._count] = Bridge(self._count, name, rate)
        return bridge

    def bridge(self, number: int) -> Bridge:
        """The conference of this number. Raises MediaError when it is closed."""
        bridge = self._bridges.get(number)
        if bridge is None:
            raise MediaError("the bridge is closed")
        return bridge

    def remove_bridge(self, number: int) -> None:
        """Close a conference: its ports hear each other no more."""
        for stream in self.bridge(number).streams():
            stream.leave()
        del self._bridges[number]

    # --- time ---

    def next_tick(self) -> float | None:
        """When `tick` is due; None while no port is connected."""
        while self._stirred:
            stirred, now = self._stirred.pop()
            stream = self._ports.get(stirred)
            if stream is not None and stream.resting:
                self._wake(stream, now)
        number, _ = self._turn()
        slot = None if number is None else self._base + number * SLOT_S
        if self._later and (slot is None or self._later[0][0] < slot):
            return self._later[0][0]
        return slot

    def next_frame_of(self, number: int) -> float:
        """When the port's next frame is due; it must be connected."""
        stream = self.port(number)
        slot = next(index for index, streams in enumerate(self._slots) if stream in streams)
        return self._base + (self._next + (slot - self._next) % SLOTS) * SLOT_S

    def tick(self) -> Iterator[Outgoing]:
        """Carry out what is due at `next_tick`; the host must take every datagram before it does anything else."""
        number, is_sign = self._turn()
        now = math.inf if number is None else self._base + number * SLOT_S
        if self._later and self._later[0][0] < now:
            now = self._later[0][0]
            while self._later and self._later[0][0] <= now:
                _, _, stream, kind, data, to = heapq.heappop(self._later)
                yield stream, kind, data, to
            return
        if number is None:
            return
        if is_sign:
            yield from self._sign_of_life(now)
            return
        self._next = number + 1
        for stream in tuple(self._slots[number % SLOTS]):
            packet = stream.plain_packet(now) if stream.quiet else stream.tick(now)
            if packet is not None:
                assert stream.to is not None
                yield stream, RTP, packet, stream.to
            if stream.later is not None:
                yield from self._postponed(stream, stream.later, now)
            if now >= stream.report_at:
                yield from stream.control_out(now)
            if stream.resting:
                self._leave(number % SLOTS, stream)
                self._rest(stream, number)

    # --- rest ---

    def _rest(self, stream: Stream, number: int) -> None:
        """A port rests from this slot on; its next sign of life is counted from what it sent last."""
        sign = max(number + SLOTS, number - (stream.silent - HANGOVER) * SLOTS + SIGN_OF_LIFE_SLOTS)
        self._resting[stream.number] = number, sign
        if stream.sending:
            heapq.heappush(self._signs, (sign, stream.number))

    def _wake(self, stream: Stream, now: float) -> None:
        """Put a port back into its slot, and those that send it on."""
        since, _ = self._resting.pop(stream.number)
        stream.resting = False
        self._keep_up(now)
        due = self._next + (since - self._next) % SLOTS
        stream.rested((due - since) // SLOTS - 1)
        self._enter(since % SLOTS, stream)
        for other in self._ports.values():
            if other.resting and isinstance(other, SpeechStream) and stream in other.sources:
                self._wake(other, now)

    def _keep_up(self, now: float) -> None:
        """Where no slot was occupied there was nothing to carry out until now."""
        if self._occupied() is None:
            self._next = max(self._next, math.ceil((now - self._base) / SLOT_S - 1e-6))

    def _turn(self) -> tuple[int | None, bool]:
        """The number of the slot that is due next, and whether what is due in it is a resting port's sign of life."""
        number = self._occupied()
        if not self._signs:
            return number, False
        sign = self._next_sign()
        return (number, False) if sign is None or (number is not None and number <= sign) else (sign, True)

    def _next_sign(self) -> int | None:
        """The number of the slot in which a resting port is to give a sign of life."""
        signs = self._signs
        while signs:
            number, port = signs[0]
            if port in self._resting and self._resting[port][1] == number:
                return number
            heapq.heappop(signs)  # it woke meanwhile
        return None

    def _sign_of_life(self, now: float) -> Iterator[Outgoing]:
        number, port = heapq.heappop(self._signs)
        stream = self._ports[port]
        since, _ = self._resting[port]
        stream.rested((number - since) // SLOTS - 1)
        packet = stream.sign_of_life(now)
        stream.rested(1)
        stream.silent = HANGOVER
        self._rest(stream, number)
        if packet is not None:
            assert stream.to is not None
            yield stream, RTP, packet, stream.to

    def _postponed(self, stream: Stream, later: list[Delayed], now: float) -> Iterator[Outgoing]:
        stream.later = None
        for due, kind, data, to in later:
            if due <= now:
                yield stream, kind, data, to
            elif len(self._later) < MAX_LATER:
                self._later_count += 1
                heapq.heappush(self._later, (due, self._later_count, stream, kind, data, to))

    def catch_up(self, now: float) -> None:
        """Skip whole frames when the host is more than MAX_BEHIND_S late (the machine slept)."""
        due = self.next_tick()
        if due is None or now - due <= MAX_BEHIND_S:
            return
        self._later = []
        frames = int((now - due) / FRAME_S)
        self._next += frames * SLOTS
        self._signs = [(number + frames * SLOTS, port) for number, port in self._signs]
        for port, (since, sign) in self._resting.items():
            self._resting[port] = since + frames * SLOTS, sign + frames * SLOTS
            self._ports[port].rested(frames)
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

    def _enter(self, slot: int, stream: Stream) -> None:
        self._slots[slot].append(stream)
        self._taken |= 1 << slot

    def _leave(self, slot: int, stream: Stream) -> None:
        self._slots[slot].remove(stream)
        if not self._slots[slot]:
            self._taken &= ~(1 << slot)

    def _occupied(self) -> int | None:
        """The number of the next slot in which there is a port."""
        taken = self._taken
        if not taken:
            return None
        slot = self._next % SLOTS
        ahead = taken >> slot  # of this frame; where there are none left, those of the next
        if ahead:
            return self._next + (ahead & -ahead).bit_length() - 1
        return self._next + SLOTS - slot + (taken & -taken).bit_length() - 1
