"""The calls that wait, in the order in which they are served: by queue, then those that go ahead, then as they came."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping

from simulators.iccs.calls import SwitchCall
from simulators.iccs.settings import QueueSettings


class Queues:
    """Which queue a dialled number leads to, and the calls that wait in each."""

    def __init__(self, settings: Mapping[str, QueueSettings], ahead: tuple[str, ...]) -> None:
        """`ahead`: flags whose calls go before the others of their queue."""
        self._settings = settings
        self._ahead = frozenset(ahead)
        self._by_number = {number: name for name, queue in settings.items() for number in queue.numbers}
        self._waiting: dict[str, list[SwitchCall]] = {queue: [] for queue in settings}
        self._order = {name: number for number, name in enumerate(settings)}

    def __contains__(self, queue: object) -> bool:
        return queue in self._waiting

    def __iter__(self) -> Iterator[SwitchCall]:
        """Every call that waits, the one to serve first first."""
        for calls in tuple(self._waiting.values()):
            yield from tuple(calls)

    def of_number(self, number: str) -> str | None:
        """Return the queue a number leads to, or None."""
        return self._by_number.get(number)

    def settings(self, call: SwitchCall) -> QueueSettings:
        """Return how a call's queue is laid out; it must have one."""
        return self._settings[call.queue or ""]

    def rank(self, call: SwitchCall) -> int:
        """Return how far from the front its queue is, 0 the first."""
        return self._order[call.queue or ""]

    def add(self, call: SwitchCall) -> None:
        """Put a call in its place: behind those that have waited as long or longer."""
        if call.queue is not None:
            insort(self._waiting[call.queue], call, key=self._place)

    def _place(self, call: SwitchCall) -> tuple[bool, float]:
        return self._ahead.isdisjoint(call.flags), call.since

    def remove(self, call: SwitchCall) -> None:
        """Take a call out of its queue, wherever in it; a call that is in none is left alone."""
        if call.queue is not None and call in self._waiting.get(call.queue, ()):
            self._waiting[call.queue].remove(call)

    def holds(self, call: SwitchCall) -> bool:
        """Whether a call waits in its queue."""
        return call.queue is not None and call in self._waiting.get(call.queue, ())

    def place(self, call: SwitchCall) -> int:
        """Return a call's place in its queue, from 1; it must be in it."""
        return self._waiting[call.queue or ""].index(call) + 1

    def of(self, queue: str) -> list[SwitchCall]:
        """Return the calls that wait in one queue, in order."""
        return list(self._waiting[queue])

    def waiting(self) -> dict[str, int]:
        """Return how many calls wait in each queue."""
        return {queue: len(calls) for queue, calls in self._waiting.items()}
