"""Reads from a packet capture what officers said, where a radio gateway brings it to a control room (ED-137).

Theory. A control room's INVITE describes where it hears a radio; in the packets that go there the squelch tells when
somebody is on air (ED-137/1B). No packet tells who: it is the officer whose key, by the transcripts, is down. Several
control rooms may hear the same: what begins before the officer's last phrase was over is it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from harness.errors import Ed137Error, MediaError, RtpError, SdpError, SipRemoteError
from harness.evidence.capture_packets import Captured
from harness.protocols import sdp
from harness.protocols.ed137.extension import read
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.protocols.rtp.rtp import RtpPacket
from harness.protocols.sip.body import find
from harness.protocols.sip.parse import parse
from harness.scenario.record import Act, Recorded
from harness.scenario.record_speech import Allowance, Phrase, Voice, host_of
from harness.transport.tap import Address

MARK: Final = b"\r\nwg67-version"
"""What an INVITE to a radio holds, in small letters (ED-137/1B)."""
AFTER_S: Final = 1.0
"""So long after a key was let go the air may still bring what was said."""
MAX_RADIOS: Final = 1_000
"""Sessions with radios of one capture."""
ON: Final = frozenset({"press", "emergency"})


class Radios:
    """The radios of a capture, and what they brought."""

    def __init__(self, found: Recorded, allowance: Allowance) -> None:
        self._found = found
        self._allowance = allowance
        self._streams: dict[Address, tuple[dict[int, str], Voice]] = {}

    def take(self, packet: Captured) -> None:
        """Take the next datagram of the capture, or SIP message of a connection."""
        if packet.payload.startswith(b"INVITE ") and MARK in packet.payload.lower():
            self._invited(packet)
            return
        stream = None if packet.tcp else self._streams.get(packet.target)
        if stream is None:
            return
        formats, voice = stream
        try:
            rtp = RtpPacket.parse(packet.payload)
            if rtp.extension is not None and read(rtp.extension).state.squelch and rtp.payload_type in formats:
                voice.take(packet.time, rtp, formats[rtp.payload_type])
        except (RtpError, Ed137Error):
            return
        except MediaError as error:
            self._found.leave_out(f"what a radio brings: {error}")

    def _invited(self, packet: Captured) -> None:
        try:
            description = find(parse(packet.payload), "application/sdp")
            session = sdp.parse(description or b"")
        except (SipRemoteError, SdpError):
            return
        for audio in session.media:
            where = host_of(audio.connection or session.connection), audio.port
            if audio.kind == "audio" and where not in self._streams and len(self._streams) < MAX_RADIOS:
                self._streams[where] = audio.codecs(), Voice(self._allowance)

    def phrases(self) -> list[Phrase]:
        """Return what was said, when all packets were taken."""
        for _, voice in self._streams.values():
            voice.finish()
        found = [phrase for _, voice in self._streams.values() for phrase in voice.phrases]
        return sorted(found, key=lambda each: each.time)


def said_by_officers(phrases: Iterable[Phrase], found: Recorded) -> list[tuple[str, Phrase]]:
    """Return who said each phrase, by the acts of officers that were found; the rest is left out and told."""
    keys = {
        actor: _keyed(found.acts, actor) for actor, told in found.actors.items() if told["role"] == "radio_terminal"
    }
    said: list[tuple[str, Phrase]] = []
    until: dict[str, float] = {}
    for phrase in phrases:
        who = [actor for actor, spans in keys.items() if any(on <= phrase.time < off for on, off in spans)]
        if len(who) != 1:
            found.leave_out(f"what a radio brings while {'no key is' if not who else 'several keys are'} down")
        elif phrase.time >= until.get(who[0], 0.0):
            until[who[0]] = phrase.time + len(phrase.samples) / SAMPLE_RATE
            said.append((who[0], phrase))
    return said


def _keyed(acts: Sequence[Act], actor: str) -> list[tuple[float, float]]:
    """Return from when to when an officer's key was down, and what was said may come."""
    spans: list[tuple[float, float]] = []
    on: float | None = None
    for act in sorted(acts, key=lambda each: each.time):
        if act.actor != actor:
            continue
        if act.verb in ON and on is None:
            on = act.time
        elif act.verb == "release" and on is not None:
            spans.append((on, act.time + AFTER_S))
            on = None
    return [*spans, *([] if on is None else [(on, float("inf"))])]
