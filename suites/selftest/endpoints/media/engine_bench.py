"""A media engine whose clock is turned by hand, for tests that need neither sockets nor a loop."""

from typing import NamedTuple

import numpy as np

from harness.endpoints.media.engine import MediaEngine
from harness.endpoints.media.sending import RTCP, RTP
from harness.endpoints.media.terms import SpeechTerms, TextTerms
from harness.protocols.rtp import RtpPacket
from harness.protocols.rtp.g711 import CODECS

PEER = ("127.0.0.1", 5004)
OTHER = ("127.0.0.1", 6004)
LOUD = CODECS["PCMA"].encode((np.sin(np.arange(160) * 0.4) * 9000).astype(np.int16))


OPTIONS = ("playout_ms", "playout_max_ms", "kind")
"""What a port is opened with, and not agreed with its peer."""


def _options(agreed):
    return {key: agreed[key] for key in OPTIONS if key in agreed}


def steady(value):
    return CODECS["PCMA"].encode(np.full(160, value, np.int16))


class Sent(NamedTuple):
    """A datagram that left."""

    time: float
    stream: object
    kind: int
    data: bytes
    to: tuple[str, int]

    @property
    def rtp(self):
        return RtpPacket.parse(self.data)


class Bench:
    """An engine whose clock is turned by hand."""

    def __init__(self):
        self.engine = MediaEngine(0.0)
        self.sent = []
        self.told = []
        self.now = 0.0
        self._count = 0
        self._wires = {}  # address to the port that listens there, and whether for RTCP
        self._addresses = {}  # a port's own address

    def at(self, port, address):
        """Put a port onto this bench's own network: what is sent to its address reaches it at once."""
        self._addresses[port] = address
        port.rtcp.enabled = True
        self._wires[address] = port, False
        self._wires[address[0], address[1] + 1] = port, True
        return port

    def pair(self, near=None, far=None, **agreed):
        """Two connected ports that reach each other; `near`, `far`: what only one of them was agreed."""
        here, there = ("10.0.0.1", 4000), ("10.0.0.2", 5000)
        one = self.at(self.port("near", connect=False, **_options(agreed)), here)
        two = self.at(self.port("far", connect=False, **_options(agreed)), there)
        terms = {key: value for key, value in agreed.items() if key not in OPTIONS}
        self.agree(one, there, **terms | (near or {}))
        self.agree(two, here, **terms | (far or {}))
        return one, two

    def port(self, name="port", remote=PEER, **agreed):
        options = _options(agreed)
        agreed = {key: value for key, value in agreed.items() if key not in OPTIONS}
        self._count += 1
        port = self.engine.add_port(
            name,
            ssrc=self._count,
            sequence=65535,
            timestamp=0,
            **{"codec": "PCMA", "playout_ms": 40} | options,
        )
        if agreed.pop("connect", True):
            self.agree(port, remote, **agreed)
        return port

    def agree(self, port, remote=PEER, **agreed):
        if port.kind == "text":
            agreed = {"payload_type": 98, "redundant_payload_type": 100} | agreed
            self.engine.connect(port.number, TextTerms(remote=remote, **agreed), self.now)
            return
        agreed = {"codec": "PCMA", "payload_type": 8, "dtmf_payload_type": 101} | agreed
        self.engine.connect(port.number, SpeechTerms(remote=remote, **agreed), self.now)

    def run(self, seconds):
        until = self.now + seconds
        while (due := self.engine.next_tick()) is not None and due < until - 1e-9:
            self.now = due
            for out in self.engine.tick():
                self.sent.append(Sent(due, *out))
                self.deliver(*out)
            self.told += self.engine.events()
        self.now = until

    def deliver(self, sender, kind, data, to):
        """Hand a datagram to whoever listens at `to`."""
        port, control = self._wires.get(to, (None, False))
        if port is None or sender not in self._addresses:
            return
        host, number = self._addresses[sender]
        (port.control if control else port.datagram)(data, (host, number + (kind == RTCP)), self.now)

    def rtp(self, port):
        """The RTP packets that a port has sent, telephone events and all."""
        return [out.rtp for out in self.sent if out.stream is port and out.kind == RTP]

    def of(self, kind, port=None):
        """What was told of a kind."""
        return [event for event in self.told if event.kind == kind and (port is None or event.port == port.number)]

    def give(self, port, data, source=PEER):
        port.datagram(data.build() if isinstance(data, RtpPacket) else data, source, self.now)
        self.told += self.engine.events()

    def speak(self, port, count, *, first=0, ssrc=77, source=PEER):
        for index in range(first, first + count):
            self.give(port, RtpPacket(8, index, index * 160, ssrc, LOUD), source)
            self.run(0.02)

    def kinds(self):
        return [event.kind for event in self.told]
