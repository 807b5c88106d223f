"""A call as the switch holds it, and the queues in which calls wait for an operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.endpoints.media import MediaPort
    from harness.endpoints.sip.call import Call
    from simulators.iccs.positions import Position


class CallState(StrEnum):
    """Where a call stands at the switch."""

    RINGING = "ringing"
    """Presented, nobody has taken it."""
    ANSWERING = "answering"
    """A position has taken it; its media is being set up."""
    CONNECTED = "connected"
    DIALLING = "dialling"
    """Placed by a position; the other side has not answered."""
    ENDED = "ended"


@dataclass(slots=True, eq=False)
class SwitchCall:
    """One call through the switch."""

    id: str
    """``call-1`` …, as consoles and reports name it."""
    sip: Call | None
    """The SIP side; None until a call that a position dials has gone out."""
    queue: str | None
    """The queue it came in by, or None for a call to or from a position itself."""
    cli: str | None
    """The caller's number as the network gave it (P-Asserted-Identity, else From); None when withheld."""
    since: float
    """Run time at which it came or was placed, seconds."""
    state: CallState = CallState.RINGING
    due: bool = False
    """Whether it has rung so long that a position answers by itself, where positions do."""
    presented: list[Position] = field(default_factory=list)
    """The positions at which it rings."""
    position: Position | None = None
    """The position that has it."""
    offered: bytes | None = None
    """Our offer, while its answer is still due in the caller's ACK."""
    port: MediaPort | None = None
    """The media of its leg, once it is being answered."""

    def shown(self) -> dict[str, Any]:
        """Return the call as consoles are told of it."""
        return {"call": self.id, "queue": self.queue, "cli": self.cli}


class Queues:
    """Which queue a dialled number leads to, and the calls that wait in each, oldest first within a queue."""

    def __init__(self, numbers: Mapping[str, tuple[str, ...]]) -> None:
        self._order = list(numbers)
        self._by_number = {number: queue for queue, all_numbers in numbers.items() for number in all_numbers}
        self._waiting: dict[str, list[SwitchCall]] = {queue: [] for queue in numbers}

    def __contains__(self, queue: str) -> bool:
        return queue in self._waiting

    def of_number(self, number: str) -> str | None:
        """Return the queue a number leads to, or None."""
        return self._by_number.get(number)

    def add(self, call: SwitchCall) -> None:
        """Put a call at the end of its queue."""
        if call.queue is not None:
            self._waiting[call.queue].append(call)

    def remove(self, call: SwitchCall) -> None:
        """Take a call out of its queue, wherever in it; a call that is in none is left alone."""
        if call.queue is not None and call in self._waiting[call.queue]:
            self._waiting[call.queue].remove(call)

    def next(self, queue: str | None = None) -> SwitchCall | None:
        """Return the call to serve next: the oldest of ``queue``, or of the first queue that holds one."""
        for name in [queue] if queue is not None else self._order:
            waiting = self._waiting.get(name, [])
            if waiting:
                return waiting[0]
        return None

    def heads(self) -> list[SwitchCall]:
        """Return the oldest call of each queue that holds one, the queue to serve first first."""
        return [calls[0] for calls in self._waiting.values() if calls]

    def waiting(self) -> dict[str, int]:
        """Return how many calls wait in each queue."""
        return {queue: len(calls) for queue, calls in self._waiting.items()}
