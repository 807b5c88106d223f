"""The faults that the service shows on demand: what a real one does when it fails, seen from the wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.endpoints.location.codecs import CodecFactory
from harness.protocols.location.caller import Message
from harness.protocols.location.codec import Codec

GARBLED = b"\x00\xff not a message of this interface\n"
MAX_SECONDS = 600.0


class Fault(StrEnum):
    """What is wrong."""

    DOWN = "down"
    """Links are dropped without a word and none can be made: the machine is gone."""
    SILENT = "silent"
    """Links stay and nothing is sent on them, keep-alives neither: the machine hangs."""
    GARBLED = "garbled"
    """What is sent can't be read."""
    SLOW = "slow"
    """Answers and updates take longer."""
    WRONG = "wrong"
    """Answers are another caller's."""
    UNKNOWN = "unknown"
    """The service has nothing on anybody."""
    NO_UPDATES = "no_updates"
    """Answers come and updates do not."""


@dataclass(slots=True)
class Faults:
    """The fault that is on, if any."""

    now: Fault | None = None
    slow_s: float = 0.0
    """How much longer things take while it is SLOW."""

    def extra_s(self) -> float:
        """Return how much longer an answer takes now."""
        return self.slow_s if self.now is Fault.SLOW else 0.0

    def wrapped(self, factory: CodecFactory) -> CodecFactory:
        """Return what makes codecs that show the faults of the wire."""
        return lambda: _FaultyCodec(self, factory())


class _FaultyCodec:
    """A codec that says nothing, or nonsense, while that is wrong."""

    def __init__(self, faults: Faults, codec: Codec) -> None:
        self._faults = faults
        self._codec = codec

    def encode(self, message: Message) -> bytes:
        match self._faults.now:
            case Fault.SILENT:
                return b""
            case Fault.GARBLED:
                return GARBLED
        return self._codec.encode(message)

    def feed(self, octets: bytes) -> list[Message]:
        return self._codec.feed(octets)
