"""How many conferences of 30 one core mixes, RTP in and out, against mixing each party's 29 others by themselves.

    python -m bench.conference [--parties N] [--seconds S] [--json]

The engine runs without sockets: packets of speech are handed to every party's port in every frame, and every party's
packets are made. Time is processor time. The peer is the same engine with `hear` in place of the bridge, which sums 29
frames for each of 30 parties.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from harness.endpoints.media.engine import MediaEngine
from harness.endpoints.media.speech_stream import SpeechStream
from harness.endpoints.media.terms import SpeechTerms
from harness.protocols.rtp.g711 import CODECS
from harness.protocols.rtp.rtp import build_plain

FRAME_S = 0.02
WARM_UP_S = 1.0


class Conference:
    """Parties that all talk at once: the worst case, for silence costs nothing."""

    def __init__(self, parties: int, *, bridged: bool) -> None:
        self._engine = MediaEngine(0.0)
        self._ports: list[SpeechStream] = []
        self._now = 0.0
        self._frame = 0
        speech = np.random.default_rng(1).normal(0, 2000, 160).astype(np.int16)
        self._payload = CODECS["PCMA"].encode(speech)
        bridge = self._engine.add_bridge("conference", 8000) if bridged else None
        for number in range(parties):
            port = self._engine.add_port(str(number), ssrc=number, sequence=0, timestamp=0)
            assert isinstance(port, SpeechStream)
            terms = SpeechTerms(remote=("192.0.2.1", 4000 + 2 * number), codec="PCMA", payload_type=8)
            self._engine.connect(port.number, terms, 0.0)
            self._ports.append(port)
            if bridge is not None:
                port.join(bridge, speak=True, hear=True)
        if bridge is None:
            for port in self._ports:
                port.hear([other for other in self._ports if other is not port])

    def run(self, seconds: float) -> tuple[float, int]:
        """Processor seconds that so much of the conference took, and packets sent."""
        began, sent, until = time.process_time(), 0, self._now + seconds
        while self._now < until:
            for number, port in enumerate(self._ports):
                packet = build_plain(8, self._frame & 0xFFFF, self._frame * 160, 5, self._payload, marker=False)
                port.datagram(packet, ("192.0.2.1", 4000 + 2 * number), self._now)
            self._frame += 1
            self._now = self._frame * FRAME_S
            while (due := self._engine.next_tick()) is not None and due < self._now - 1e-9:
                sent += sum(1 for _ in self._engine.tick())
        return time.process_time() - began, sent


def measure(parties: int = 30, seconds: float = 10.0) -> dict[str, object]:
    """Both ways, one after the other."""
    ways = {}
    for name, bridged in (("bridge", True), ("each by itself", False)):
        conference = Conference(parties, bridged=bridged)
        conference.run(WARM_UP_S)
        used, sent = conference.run(seconds)
        ways[name] = {
            "conferences_per_core": round(seconds / used, 1),
            "us_per_party_frame": round(used / sent * 1e6, 2),
            "packets": sent,
        }
    return {"parties": parties, "seconds": seconds, "ways": ways}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parties", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    result = measure(options.parties, options.seconds)
    if options.json:
        print(json.dumps(result))
        return
    for name, figures in result["ways"].items():  # type: ignore[attr-defined]
        print(
            f"{name:16}{figures['conferences_per_core']:8.1f} conferences of {options.parties} a core,"
            f" {figures['us_per_party_frame']:.1f} µs a party and frame"
        )


if __name__ == "__main__":
    main()
