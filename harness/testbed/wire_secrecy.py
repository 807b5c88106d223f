"""Whether a call's speech and signalling are encrypted as the capture shows it, not as the telephones say it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from harness.drivers.telephone import Telephone
from harness.errors import ExpectationError
from harness.evidence.capture import crossings
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import CODECS, Samples
from harness.protocols.rtp.rtp import RtpPacket
from harness.testbed.bench import Bench
from harness.transport.tap import Address, Crossing, Kind

PAYLOAD: Final = 160
"""Octets of G.711 in a packet of 20 ms."""
TAG: Final = 10
"""Octets that SRTP adds to each packet (RFC 3711: HMAC-SHA1-80)."""
UNLIKE: Final = 0.1
"""Correlation of what was said with what is read on the wire, below which it is noise to a reader."""
_RTP: Final = b"\x80"
_PCMA: Final = CODECS["PCMA"]


@dataclass(frozen=True, slots=True)
class OnTheWire:
    """What somebody who reads the wire has of a call."""

    speech: Samples
    """What G.711 makes of the payloads that left one telephone."""
    lengths: frozenset[int]
    """How long those payloads are, octets."""
    clear: int
    """SIP messages of the telephones that crossed in the clear."""
    under_tls: int
    """Pieces of TLS connections to the switch that begin an INVITE."""

    def findings(self, said: Samples) -> list[str]:
        """What is not secret, in words; empty where all is."""
        found = []
        if not len(self.speech):
            return ["no packet of its speech was captured: nothing is shown"]
        if self.lengths != {PAYLOAD + TAG}:
            found.append(f"speech has payloads of {sorted(self.lengths)} octets, {PAYLOAD + TAG} are SRTP's")
        if (like := correlation(said, self.speech)) >= UNLIKE:
            found.append(f"who reads the wire hears the call: correlation {like:.2f}")
        if self.clear:
            found.append(f"{self.clear} SIP messages crossed in the clear")
        if not self.under_tls:
            found.append("no INVITE crossed under TLS")
        return found


def on_the_wire(bench: Bench, caller: Telephone, called: Telephone) -> OnTheWire:
    """Read the bench's captures for the latest call of ``caller``, which ``called`` took. Raises DriverError."""
    bench.context.flush()
    files: list[Path] = sorted(bench.directory.glob("*/*.cap"))
    wire = list(crossings(files, 0.0, float("inf")))
    speech, lengths = _spoken(wire, caller.latest.port.address)
    ends = {caller.address, called.address}
    clear = [each for each in wire if each.kind is not Kind.SECURED and not ends.isdisjoint(each.addresses())]
    secured = [each for each in wire if each.kind is Kind.SECURED and called.home in each.addresses()]
    return OnTheWire(
        speech,
        lengths,
        sum(b"SIP/2.0" in each.payload for each in clear),
        sum(b"INVITE sip" in each.payload for each in secured),
    )


def is_secret(bench: Bench, caller: Telephone, called: Telephone, said: Samples) -> None:
    """Raise ExpectationError, naming what can be read, unless the capture shows SRTP and TLS alone.

    ``said``: what ``caller`` said in its latest call. What was found is journalled.
    """
    found = on_the_wire(bench, caller, called)
    findings = found.findings(said)
    bench.journal.record(
        caller.name,
        "wire.read",
        octets=sorted(found.lengths),
        clear=found.clear,
        under_tls=found.under_tls,
        findings=findings,
    )
    if findings:
        raise ExpectationError(f"the call of {caller.name} and {called.name} is no secret: {'; '.join(findings)}")


def _spoken(wire: Iterable[Crossing], source: Address) -> tuple[Samples, frozenset[int]]:
    datagrams = [each for each in wire if each.kind is Kind.DATAGRAM and each.addresses()[0] == source]
    packets = [RtpPacket.parse(each.payload) for each in datagrams if each.payload[:1] == _RTP]
    unique = {packet.sequence: packet for packet in packets if packet.payload_type == _PCMA.payload_type}
    decoded: Sequence[Samples] = [_PCMA.decode(packet.payload[:PAYLOAD]) for packet in unique.values()]
    speech = np.concatenate(decoded) if decoded else np.zeros(0, np.int16)
    return speech, frozenset(len(packet.payload) for packet in unique.values())
