"""What an audio port hears: packets through the playout buffer to frames, keys, noise, and who is talking."""

from __future__ import annotations

from functools import partial
from typing import Final

from harness.endpoints.media.playout import Playout
from harness.endpoints.media.sound import FRAME_S, Recorder
from harness.endpoints.media.speech import SpeechDetector, Voice
from harness.endpoints.media.talker import Tell
from harness.endpoints.media.terms import SpeechTerms
from harness.errors import RtpError
from harness.protocols.rtp.codecs import Codec, Decoder, codec_named
from harness.protocols.rtp.comfort_noise import Noise
from harness.protocols.rtp.dtmf import SEGMENT, DtmfEvent, DtmfReceiver, Tone
from harness.protocols.rtp.g711 import Samples
from harness.protocols.rtp.rtp import RtpPacket
from harness.protocols.rtp.statistics import Arrival

MAX_AUDIO_PAYLOAD: Final = 1600
"""Octets: a receiver should take up to 200 ms a packet (RFC 3551 section 4.2)."""
DTMF_LOST_END_S: Final = 0.2
"""After so long without an update an event whose end packets were lost is reported."""
MAX_CHANGES_TOLD: Final = 64
"""Changes of payload type that a port tells of."""
DELAY_TOLD_EVERY_S: Final = 1.0
"""Changes of the playout delay are told at most so often, except the first."""


class Listener:
    """The hearing half of an audio port."""

    def __init__(self, tell: Tell, codec: Codec, playout: Playout) -> None:
        self._tell = tell
        self.playout = playout
        self.recorder = Recorder(codec.rate)
        self.codec = codec
        """What the peer sent last, or is to send."""
        self.digits_received = 0
        self.noise_received = 0
        self.payload_changes = 0
        self.first_voice: float | None = None
        """When speech was first heard."""
        self._speech: dict[int, str] = {}
        self._events: set[int] = set()
        self._noises: set[int] = set()
        self._payload_type: int | None = None
        self._decoder: Decoder = codec.decoder()
        self._packet_samples = codec.rate // 50
        self._detector = SpeechDetector()
        self._tones = DtmfReceiver()
        self._dtmf_clock = 8000
        self._tone_seen = 0.0
        self._tone_ends = 0
        self._delay_told_at = float("-inf")

    def agree(self, terms: SpeechTerms) -> None:
        """Take what these terms allow from now on."""
        self._speech = terms.speech_incoming()
        self._events = terms.events_incoming()
        self._noises = terms.noise_incoming()
        self._dtmf_clock = terms.dtmf_clock
        if not terms.receive:
            self.playout.reset()
        if self._payload_type not in self._speech:
            self._payload_type = None
            self._use(codec_named(next(iter(self._speech.values()))))

    def _use(self, codec: Codec) -> None:
        if codec == self.codec:
            return
        if codec.rate != self.codec.rate or codec.clock != self.codec.clock:
            self.playout.set_rate(codec.rate, codec.clock)
            self.recorder.change_rate(codec.rate)
        self.codec = codec
        self._decoder = codec.decoder()
        self._packet_samples = codec.rate // 50
        self._tones = DtmfReceiver(segment=SEGMENT * codec.clock // self._dtmf_clock)

    @property
    def active(self) -> bool:
        """Whether a frame would change anything: something is played, talked, pressed or recorded."""
        playout = self.playout
        return (
            playout.anchored or playout.noisy or self.recorder.running or self._tones.active or not self._detector.idle
        )

    # --- in ---

    def check(self, packet: RtpPacket) -> bool:
        """Whether the payload type was agreed. Raises RtpError for a payload that does not fit its type."""
        number = packet.payload_type
        if number in self._speech:
            if len(packet.payload) > MAX_AUDIO_PAYLOAD:
                raise RtpError(f"audio payload of {len(packet.payload)} octets, at most {MAX_AUDIO_PAYLOAD} are taken")
            return True
        if number in self._events:
            DtmfEvent.parse(packet.payload)
            return True
        if number in self._noises:
            Noise.parse(packet.payload)
            return True
        return False

    def is_event(self, packet: RtpPacket) -> bool:
        """Whether a packet is a telephone event, whose timestamp is that of the event's start."""
        return packet.payload_type in self._events

    def take(self, packet: RtpPacket, now: float, arrival: Arrival, gap: int) -> bool:
        """Take a packet; return whether the payload's clock changed with it. `gap`: packets missing before it."""
        if arrival is Arrival.RESTART:
            self.playout.reset()
        if packet.payload_type in self._events:
            self._take_event(packet, now)
        elif packet.payload_type in self._noises:
            self.noise_received += 1
            self.playout.put_noise(packet.timestamp, Noise.parse(packet.payload), now)
        elif packet.payload:  # empty ones only keep a path open (RFC 6263 section 4.1)
            return self._take_speech(packet, now, gap if arrival is Arrival.IN_ORDER else None)
        return False

    def _take_speech(self, packet: RtpPacket, now: float, missing: int | None) -> bool:
        changed = False
        if packet.payload_type != self._payload_type:
            changed = self._change(packet.payload_type, now)
        if not self.codec.stateful:
            self.playout.put(packet.timestamp, self._decoder.decode(packet.payload), now, missing=missing)
        else:
            decode = partial(self._decode, self._decoder, packet.payload)
            self.playout.put_coded(packet.timestamp, self._packet_samples, decode, now, missing=missing)
        self._tell_delay(now)
        return changed

    def _decode(self, decoder: Decoder, payload: bytes) -> Samples:
        samples = decoder.decode(payload)
        self._packet_samples = len(samples)
        return samples

    def _change(self, payload_type: int, now: float) -> bool:
        """The peer sends another of the agreed codecs."""
        clock = self.codec.clock
        first, self._payload_type = self._payload_type is None, payload_type
        self._use(codec_named(self._speech[payload_type]))
        if not first:
            self.payload_changes += 1
            if self.payload_changes <= MAX_CHANGES_TOLD:
                self._tell(now, "rtp.payload_changed", payload_type=payload_type, codec=self.codec.name)
        return self.codec.clock != clock

    def _take_event(self, packet: RtpPacket, now: float) -> None:
        event = DtmfEvent.parse(packet.payload)
        self._tone_seen = now
        self._tone_ends = self._tone_ends + 1 if event.end else 0
        # the event stands for audio that is not sent, its repeated ends for a frame each of what comes after it
        units = round(event.duration * self.codec.clock / self._dtmf_clock)
        units += max(0, self._tone_ends - 1) * self.codec.clock // 50
        self.playout.put_silence(packet.timestamp, units, now)
        self._report_tones(self._tones.receive(packet.timestamp, event), now)

    # --- out ---

    def hear(self, now: float, *, receiving: bool) -> Samples | None:
        """The frame that is heard at `now`; None for silence, and while not receiving."""
        heard = self.playout.take(now) if receiving else None
        if self.recorder.running:
            self.recorder.frame(heard, now)
        if heard is not None or not self._detector.idle:
            self._voice(self._detector.frame(heard, now, FRAME_S))
        if self._tones.active and now - self._tone_seen > DTMF_LOST_END_S:
            self._report_tones(self._tones.give_up(), now)
        return heard

    def _report_tones(self, tones: list[Tone], now: float) -> None:
        for tone in tones:
            self.digits_received += 1
            duration = 1000 * tone.duration / self._dtmf_clock
            self._tell(
                now, "dtmf.received", digit=tone.digit, duration_ms=duration, ended=tone.ended, level_dbm0=-tone.volume
            )

    def _voice(self, voice: Voice | None) -> None:
        if voice is None:
            return
        if voice.started and self.first_voice is None:
            self.first_voice = voice.time
        self._tell(voice.time, "voice.started" if voice.started else "voice.ended", level_dbov=voice.level_dbov)

    # --- the delay ---

    def delay(self, *, recent: bool = False) -> dict[str, float | int | None]:
        """The playout buffer's figures, as they are told; the delay of the last second or so, or on average."""
        playout = self.playout
        actual = playout.delay.recent if recent else playout.delay.mean
        return {
            "target_ms": round(1000 * playout.delay.target),
            "delay_ms": None if actual is None else round(1000 * actual, 1),
            "late": playout.late,
            "dropped_ms": round(1000 * playout.dropped / self.codec.rate),
            "stretched_ms": round(1000 * playout.stretched / self.codec.rate),
            "concealed": playout.concealed,
            "resyncs": playout.resyncs,
        }

    def _tell_delay(self, now: float) -> None:
        changes = self.playout.changes
        if not changes or now - self._delay_told_at < DELAY_TOLD_EVERY_S:
            return
        self._delay_told_at = now
        self._tell(now, "playout.changed", why=changes[-1][0], changes=len(changes), **self.delay(recent=True))
        changes.clear()

    def forget(self, now: float) -> None:
        """The peer's stream is over: say what is still open of it, and how its playout went."""
        self._voice(self._detector.stop())
        self._report_tones(self._tones.give_up(), now)
        if self._payload_type is not None:
            self._tell(now, "playout.ended", **self.delay())
            self.playout.changes.clear()
        self._payload_type = None
        self.playout.reset()
        self._decoder = self.codec.decoder()
