"""One radio session after SIP has set it up: what each packet says, keep-alive and its loss, PTT seen, delays measured.

Without I/O: packets come in and go out as RtpPacket, times are the caller's seconds. The same machine is the control
room's end and the radio's; what differs is who keys (the room) and who answers a delay measurement (the radio).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from harness.errors import Ed137Error
from harness.protocols.ed137.extension import Layout, Ptt, RadioState, read, write
from harness.protocols.ed137.features import TICK_S, DelayAnswer, DelayRequest, Feature, SignalQuality
from harness.protocols.ed137.terms import RadioTerms
from harness.protocols.rtp.rtp import RtpPacket

FRAME: Final = 160
"""RTP timestamp units of 20 ms."""
CLOCK: Final = 8_000
TICKS: Final = 1 << 23
"""What T1 and T2 count to before they begin again: 1,048 s."""
MAX_FINDINGS: Final = 32
"""Different oddities of a peer that are told; beyond it they are only counted."""
MOST_SHORT: Final = 0xFFFF


class Side(StrEnum):
    """Which end of the session."""

    ROOM = "room"
    RADIO = "radio"


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The peer's packets come: for the first time, or again."""


@dataclass(frozen=True, slots=True)
class LinkLost:
    """No packet came for as long as was agreed: a radio unkeys, a control room shows it."""

    silent_s: float


@dataclass(frozen=True, slots=True)
class Changed:
    """The peer says something else than before of PTT, squelch or what goes with them."""

    state: RadioState
    before: RadioState


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the peer should not have sent; each is told once."""

    text: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A delay measurement is answered (seconds)."""

    one_way: float
    """Half of the time that request and answer were on the way."""
    jitter_buffer: float
    inside: float

    @property
    def total(self) -> float:
        """From our packet to the antenna."""
        return self.one_way + self.jitter_buffer + self.inside


Event = LinkUp | LinkLost | Changed | Finding | Measured


@dataclass(frozen=True, slots=True)
class Delays:
    """What a radio answers of itself (seconds)."""

    jitter_buffer: float = 0.0
    inside: float = 0.0


class RadioSession:
    """One end of a session."""

    def __init__(
        self,
        side: Side,
        terms: RadioTerms,
        now: float,
        *,
        ssrc: int,
        sequence: int = 0,
        timestamp: int = 0,
        layout: Layout = Layout.OF_2011,
        delays: Delays = Delays(),
    ) -> None:
        self.side = side
        self.terms = terms
        self.layout = layout
        self.delays = delays
        self.said = RadioState(layout=layout)
        """What our packets say."""
        self.heard = RadioState()
        """What the peer's latest packet said; all off while the link is lost."""
        self.is_up = False
        self.findings = 0
        """How many packets had something odd."""
        self.next_at = now
        """When `tick` is to be asked."""
        self._ssrc = ssrc
        self._sequence = sequence & 0xFFFF
        self._began = now
        self._offset = timestamp
        self._came_at = now
        self._told: set[str] = set()
        self._asked: DelayRequest | None = None
        self._asks = False
        self._to_answer: tuple[DelayRequest, float] | None = None
        self._lost_told = False

    # What we say

    def say(self, state: RadioState, now: float) -> None:
        """Say this from now on; the next packet, which is due at once, tells it."""
        if state != self.said:
            self.said = replace(state, layout=self.layout)
            self.next_at = now

    def key(self, ptt: Ptt, now: float) -> None:
        """Key the radio, or with OFF unkey it, under the id that the radio gave."""
        on = ptt is not Ptt.OFF
        self.say(replace(self.said, ptt=ptt, ptt_id=(self.terms.ptt_id or 0) if on else 0), now)

    def measure(self, now: float) -> None:
        """Ask for a delay measurement with the next packet."""
        self._asks, self.next_at = True, now

    def speech(self, payload_type: int, payload: bytes, now: float, *, marker: bool = False) -> RtpPacket:
        """A packet of speech, with what we say."""
        return self._packet(payload_type, payload, now, marker=marker)

    def tick(self, now: float) -> RtpPacket | None:
        """A keep-alive where one is due: nothing was sent for a period, or something changed."""
        return None if now < self.next_at else self._packet(self.terms.keep_alive_type, b"", now)

    def _packet(self, payload_type: int, payload: bytes, now: float, *, marker: bool = False) -> RtpPacket:
        state = replace(self.said, features=(*self.said.features, *self._measurements(now)))
        extension = write(state) if self.terms.extension else None
        stamp = self._offset + round((now - self._began) * CLOCK)
        packet = RtpPacket(
            payload_type, self._sequence, stamp & 0xFFFFFFFF, self._ssrc, payload, marker, extension=extension
        )
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.next_at = now + self.terms.period
        return packet

    def _measurements(self, now: float) -> list[Feature]:
        """What this packet asks or answers of delays."""
        out: list[Feature] = []
        if self._asks:
            self._asked = DelayRequest(_ticks(now))
            out.append(self._asked)
        if self._to_answer is not None:
            request, came = self._to_answer
            own = _short(self.delays.jitter_buffer), _short(self.delays.inside)
            out.append(DelayAnswer(request.sent, _ticks(came), _short(now - came), *own))
        self._asks, self._to_answer = False, None
        return out

    # What we hear

    @property
    def lost_at(self) -> float:
        """When the link is lost unless a packet comes."""
        return self._came_at + self.terms.patience

    def check(self, now: float) -> list[Event]:
        """Tell whether the peer has been silent for too long. A lost link keys nobody."""
        if self._lost_told or now < self.lost_at:
            return []
        events: list[Event] = [LinkLost(now - self._came_at)]
        self._lost_told, self.is_up = True, False
        off = RadioState(layout=self.heard.layout)
        if self.heard != off:
            events.append(Changed(off, self.heard))
            self.heard = off
        return events

    def receive(self, packet: RtpPacket, now: float) -> list[Event]:
        """Take a packet, whatever its payload; the payload is the caller's."""
        events: list[Event] = []
        self._came_at = now
        if not self.is_up:
            self.is_up, self._lost_told = True, False
            events.append(LinkUp())
        if packet.extension is None:
            if self.terms.extension:
                self._find("a packet without the header extension that was agreed", events)
            return events
        try:
            reading = read(packet.extension)
        except Ed137Error as error:
            self._find(str(error), events)
            return events
        state = reading.state
        if reading.finding:
            self._find(reading.finding, events)
        if packet.payload_type == self.terms.keep_alive_type and packet.payload:
            self._find(f"a keep-alive with {len(packet.payload)} octets of payload", events)
        if self.side is Side.RADIO:
            self._check_id(state, events)
        for feature in state.features:
            if isinstance(feature, DelayRequest) and self.side is Side.RADIO:
                self._to_answer, self.next_at = (feature, now), now
            elif isinstance(feature, DelayAnswer) and self.side is Side.ROOM:
                self._measured(feature, now, events)
        quality = tuple(each for each in state.features if isinstance(each, SignalQuality))
        # Measurements are of one packet; what lasts is the state.
        lasting = replace(state, features=quality)
        if lasting != self.heard:
            events.append(Changed(lasting, self.heard))
            self.heard = lasting
        return events

    def _check_id(self, state: RadioState, events: list[Event]) -> None:
        due = self.terms.ptt_id
        if state.ptt is not Ptt.OFF and due is not None and state.ptt_id != due:
            self._find(f"PTT under id {state.ptt_id}, which was to be {due}", events)

    def _measured(self, answer: DelayAnswer, now: float, events: list[Event]) -> None:
        if self._asked is None or answer.sent != self._asked.sent:
            self._find(f"an answer to a delay measurement of {answer.sent} that nobody asked for", events)
            return
        self._asked = None
        away = (_ticks(now) - answer.sent) % TICKS - answer.answered_after
        events.append(Measured(max(0, away) * TICK_S / 2, answer.jitter_buffer * TICK_S, answer.inside * TICK_S))

    def _find(self, text: str, events: list[Event]) -> None:
        self.findings += 1
        if text not in self._told and len(self._told) < MAX_FINDINGS:
            self._told.add(text)
            events.append(Finding(text))


def _ticks(now: float) -> int:
    return round(now / TICK_S) % TICKS


def _short(seconds: float) -> int:
    return min(MOST_SHORT, round(seconds / TICK_S))
