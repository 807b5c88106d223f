"""A real-time text port of the engine (RFC 4103): what is typed goes out, what comes is read in order."""

from __future__ import annotations

from typing import Any, ClassVar

from harness.endpoints.media.events import MediaEvent
from harness.endpoints.media.stream import Stream
from harness.endpoints.media.terms import TextTerms
from harness.errors import RtpError
from harness.protocols.rtp.redundancy import parse_redundant
from harness.protocols.rtp.rtp import RtpPacket
from harness.protocols.rtp.statistics import Arrival
from harness.protocols.rtp.text import BUFFER_S, CLOCK, MARK, TextReceiver, TextSender

MAX_TEXT_PAYLOAD = 1400
"""Octets: some hundred characters are all that a buffer's time can bring."""
_STEP = CLOCK // 50


class TextStream(Stream):
    """A text port: both directions of one conversation."""

    kind: ClassVar[str] = "text"

    __slots__ = (
        "_characters_received", "_characters_sent", "_lost", "_receiver", "_recovered", "_sender", "_text_terms",
    )  # fmt: skip

    def __init__(
        self, number: int, name: str, *, ssrc: int, sequence: int, timestamp: int, seed: int, events: list[MediaEvent]
    ) -> None:
        super().__init__(number, name, ssrc=ssrc, sequence=sequence, timestamp=timestamp, seed=seed, events=events)
        self._sender: TextSender | None = None
        self._receiver: TextReceiver | None = None
        self._text_terms: TextTerms | None = None
        self._characters_sent = 0
        self._characters_received = 0
        self._lost = 0
        self._recovered = 0

    @property
    def rate(self) -> int:
        """Timestamp units a second."""
        return CLOCK

    @property
    def clock(self) -> int:
        """RTP timestamp units a second of what the peer sends."""
        return CLOCK

    @property
    def own_clock(self) -> int:
        """RTP timestamp units a second of what we send."""
        return CLOCK

    def connect(self, terms: TextTerms, now: float) -> None:
        """Agree with a peer, or anew; what waits to be sent stays. Raises MediaError."""
        before = self._text_terms
        self.agree(terms, now)
        sent_by = (terms.payload_type, terms.redundant_payload_type, terms.generations, terms.cps)
        if self._sender is None or before is None or sent_by != (
            before.payload_type, before.redundant_payload_type, before.generations, before.cps
        ):  # fmt: skip
            waiting = "" if self._sender is None else self._sender.unsent
            self._sender = TextSender(
                terms.payload_type,
                redundant_payload_type=terms.redundant_payload_type,
                generations=terms.generations,
                cps=terms.cps,
            )
            if waiting:
                self._sender.write(waiting)
        self._text_terms = terms
        if self._receiver is None or before is None or terms.text_incoming() != before.text_incoming():
            self._receiver = self._new_receiver(terms)

    def _new_receiver(self, terms: TextTerms) -> TextReceiver:
        plain, redundant = terms.text_incoming()
        return TextReceiver(plain, redundant_payload_type=redundant)

    def write(self, text: str) -> None:
        """Type. Raises MediaError: there is nobody to write to, or too much waits."""
        self.require_sending()
        assert self._sender is not None
        self._sender.write(text)

    # --- out ---

    def tick(self, now: float) -> bytes | None:
        """Send what was typed, a buffer's time at a time; give up what was waited for long enough."""
        timestamp = self._timestamp
        self._timestamp = (timestamp + _STEP) & 0xFFFFFFFF
        if self._receiver is not None and self._receiver.waiting:
            self._read(self._receiver.expire(now), now)
        if self.to is None or not self.sending or self._sender is None:
            return None
        packet = self._sender.next_packet(now, timestamp)
        if packet is None:
            return None
        text = packet.text.replace(MARK, "")
        if text:
            self._characters_sent += len(text)
            self._tell(now, "text.sent", text=text, waiting=self._sender.waiting)
        data = self._packet(packet.payload_type, timestamp, packet.payload, now, marker=packet.marker)
        return None if data is None else self._leave(data, now, BUFFER_S)

    # --- in ---

    def _check(self, packet: RtpPacket) -> bool:
        terms = self._text_terms
        assert terms is not None
        plain, redundant = terms.text_incoming()
        if packet.payload_type not in (plain, redundant):
            return False
        if len(packet.payload) > MAX_TEXT_PAYLOAD:
            raise RtpError(f"text payload of {len(packet.payload)} octets, at most {MAX_TEXT_PAYLOAD} are taken")
        if packet.payload_type == redundant:
            newest, _, earlier = parse_redundant(packet.payload)
            if {newest, *(block.payload_type for block in earlier)} != {plain}:
                raise RtpError("redundant text of another payload type than the text's (RFC 4103 section 4)")
        return True

    def _take(self, packet: RtpPacket, now: float, arrival: Arrival) -> None:
        assert self._receiver is not None
        self._read(self._receiver.receive(packet.payload_type, packet.sequence, packet.payload, now), now)

    def _read(self, text: str, now: float) -> None:
        if text:
            self._characters_received += len(text)
            self._tell(now, "text.received", text=text)

    def _forget_source(self, now: float) -> None:
        if self._receiver is not None:
            self._read(self._receiver.finish(), now)
            self._lost += self._receiver.lost
            self._recovered += self._receiver.recovered
            assert self._text_terms is not None
            self._receiver = self._new_receiver(self._text_terms)
        super()._forget_source(now)

    def _own_stats(self) -> dict[str, Any]:
        receiver = self._receiver
        return {
            "codec": "T140",
            "characters_sent": self._characters_sent,
            "characters_received": self._characters_received,
            "text_lost": self._lost + (0 if receiver is None else receiver.lost),
            "text_recovered": self._recovered + (0 if receiver is None else receiver.recovered),
        }
