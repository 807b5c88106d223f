"""The record of a run: append-only events, and expectations on them.

Everything a reader later sees (Allure, ladder, measures, replay) is a view of the journal. A component appends what it
saw on the wire; a test says what is due and within how long; what did not come is told with what did, nearest first.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple, TextIO

from harness.errors import ExpectationError
from harness.privacy import mask, mask_fields

EVENTS_IN_MEMORY = 500_000
"""Oldest events beyond this many leave memory; a sink, where there is one, has them all."""
WAITERS = 10_000
"""Expectations that may be pending at once."""
NAMES_KEPT = 4_096
"""Sources and kinds whose JSON is kept: a run has few, and each event two of them."""
NEAREST_SHOWN = 8
"""Events that a failed expectation shows."""


def _encoder() -> Callable[[Any], str]:
    """JSON without blanks. Made once: `json.dumps` with options, and `encode` too, make an encoder for each event."""
    plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # a Python whose json has no part in C
        return plain.encode
    chunks = make(None, plain.default, json.encoder.encode_basestring, None, ":", ",", False, False, True)
    return lambda value: "".join(chunks(value, 0))


_encode = _encoder()


@lru_cache(maxsize=NAMES_KEPT)
def _quoted(name: str) -> str:
    return _encode(name)


class Event(NamedTuple):
    """One thing that happened. A named tuple, for it is made in a third of a frozen dataclass's time."""

    seq: int
    """Position in the journal, from 1."""
    time: float
    """Seconds since the run began, on the event loop's clock, to the microsecond."""
    source: str
    """The component that saw it: ``govan-12``, ``caller``, ``officer`` …"""
    kind: str
    """What it was: ``call.ringing``, ``ptt.granted`` …"""
    data: Mapping[str, Any]
    """What is known of it; JSON values only, masked."""

    def line(self) -> str:
        """Return the event as one line of JSON, keys in a fixed order."""
        rest = _rest(self.kind, dict(self.data))
        return f'{{"seq":{self.seq},"time":{self.time!r},"source":{_quoted(self.source)}{rest}'

    def told(self) -> str:
        """Return the event as a person reads it."""
        detail = " ".join(f"{key}={value!r}" for key, value in self.data.items())
        return f"{self.time:10.3f} s  {self.source:<12} {self.kind:<20} {detail}"


# The tuple itself, without the named tuple's handling of keywords: events are made many thousand times a second.
_new = tuple.__new__


def _rest(kind: str, data: dict[str, Any]) -> str:
    """What stands in an event's line from its kind on."""
    return f',"kind":{_quoted(kind)},"data":{_encode(data)}}}'


class Fact:
    """What is seen again and again in the same words: masked, and written as JSON, once for all who see it."""

    __slots__ = ("data", "kind", "rest")

    def __init__(self, kind: str, data: dict[str, Any]) -> None:
        """``data`` as in `Journal.append`, given away."""
        masked = mask_fields(data)
        self.kind = kind
        self.data: Mapping[str, Any] = MappingProxyType(masked)
        self.rest = _rest(kind, masked)


def matches(event: Event, source: str | None, kind: str, wanted: Mapping[str, Any]) -> bool:
    """Tell whether ``event`` is of ``source`` (any if None) and ``kind`` and holds every wanted value.

    A wanted value may be a predicate: a callable that is given the event's value.
    """
    if event.kind != kind or (source is not None and event.source != source):
        return False
    for key, value in wanted.items():
        if key not in event.data:
            return False
        seen = event.data[key]
        if not (value(seen) if callable(value) else seen == value):
            return False
    return True


@dataclass(slots=True, eq=False)
class _Waiter:
    source: str | None
    kind: str
    wanted: Mapping[str, Any]
    found: asyncio.Future[Event]


class Journal:
    """An append-only list of events with a bound, a sink and waiters.

    ``clock`` returns the loop's time in seconds; ``origin`` is what it read when the run began.
    ``sink`` is given each event as a line of JSON as it is appended.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        origin: float | None = None,
        limit: int = EVENTS_IN_MEMORY,
        sink: TextIO | None = None,
    ) -> None:
        self._clock = clock
        self.origin = clock() if origin is None else origin
        self._events: deque[Event] = deque(maxlen=limit)
        self._seq = 0
        self._at: float | None = None
        self._time, self._stamp = 0.0, ""
        """Run time of the newest event as it is, rounded, and as text: several events have the same."""
        self._sink = sink
        self._waiters: list[_Waiter] = []
        self._subscribers: list[Callable[[Event], None]] = []

    def now(self) -> float:
        """Return the run's time: seconds since it began."""
        return self._clock() - self.origin

    @property
    def position(self) -> int:
        """The sequence number of the newest event; give it as ``after`` to look only at what comes next."""
        return self._seq

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(tuple(self._events))

    def record(self, source: str, kind: str, /, *, at: float | None = None, **data: Any) -> Event:
        """Append an event and return it.

        ``at`` is the run time at which it happened, where that is not now (media, captures).
        """
        return self.append(source, kind, data, at)

    def append(
        self, source: str, kind: str, data: dict[str, Any], at: float | None = None, *, masked: bool = False
    ) -> Event:
        """As `record`, for those who have the data as a dictionary, which they give away.

        ``masked``: the caller has masked it; for those who record the same few values thousands of times.
        """
        masked_data = data if masked else mask_fields(data)
        rest = None if self._sink is None else _rest(kind, masked_data)
        return self._take(source, kind, MappingProxyType(masked_data), rest, at)

    def append_fact(self, source: str, fact: Fact) -> Event:
        """As `append`, of something that others have seen before."""
        return self._take(source, fact.kind, fact.data, fact.rest, None)

    def _take(self, source: str, kind: str, data: Mapping[str, Any], rest: str | None, at: float | None) -> Event:
        """``rest``: of the line, where there is a sink."""
        self._seq = seq = self._seq + 1
        if at is None:
            at = self._clock() - self.origin
        if at != self._at:
            self._at = at
            self._time = round(at, 6)
            self._stamp = repr(self._time)
        event = _new(Event, (seq, self._time, source, kind, data))
        self._events.append(event)
        if self._sink is not None and rest is not None:
            self._sink.write(f'{{"seq":{seq},"time":{self._stamp},"source":{_quoted(source)}{rest}\n')
        if self._waiters:
            for waiter in self._waiters:
                if not waiter.found.done() and matches(event, waiter.source, waiter.kind, waiter.wanted):
                    waiter.found.set_result(event)
        if self._subscribers:
            for subscriber in tuple(self._subscribers):
                subscriber(event)
        return event

    def warn(self, source: str, kind: str, /, **data: Any) -> Event:
        """Append an event that a reader should look at: something a peer did that it should not have."""
        return self.record(source, kind, severity="warning", **data)

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``callback`` with each new event; the returned function ends that."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def find(self, source: str | None, kind: str, /, *, after: int = 0, **with_: Any) -> Event | None:
        """Return the first event that matches and is younger than ``after``, or None."""
        wanted = _masked(with_)
        return next((e for e in self.since(after) if matches(e, source, kind, wanted)), None)

    def latest(self, source: str | None, kind: str, /, **with_: Any) -> Event | None:
        """Return the last event that matches, or None."""
        wanted = _masked(with_)
        return next((e for e in reversed(self._events) if matches(e, source, kind, wanted)), None)

    def since(self, after: int = 0) -> Iterator[Event]:
        """Return the events younger than sequence number ``after`` that are still in memory."""
        first = self._events[0].seq if self._events else 0
        return iter(tuple(islice(self._events, max(0, after + 1 - first), None)))

    async def expect(self, source: str | None, kind: str, /, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the first matching event younger than ``after``; wait ``within`` seconds for it.

        Raises ExpectationError, telling what did happen, when the time is up.
        """
        found = self.find(source, kind, after=after, **with_)
        if found is not None:
            return found
        if len(self._waiters) >= WAITERS:
            raise ExpectationError(f"{WAITERS} expectations are pending already")
        waiter = _Waiter(source, kind, _masked(with_), asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(within):
                return await waiter.found
        except TimeoutError:
            raise ExpectationError(self._told_instead(waiter, within, after)) from None
        finally:
            self._waiters.remove(waiter)

    def _told_instead(self, waiter: _Waiter, within: float, after: int) -> str:
        wanted = " ".join(f"{k}={_told_value(v)}" for k, v in waiter.wanted.items())
        due = f"expected {waiter.kind} on {waiter.source or 'anything'}"
        due += f"{' with ' + wanted if wanted else ''} within {within:g} s"

        def distance(event: Event) -> tuple[int, int]:
            score = 4 * (event.kind == waiter.kind) + 2 * (event.source == waiter.source)
            score += event.kind.partition(".")[0] == waiter.kind.partition(".")[0]
            score += sum(event.data.get(k) == v for k, v in waiter.wanted.items())
            return (-score, -event.seq)

        nearest = sorted(self.since(after), key=distance)[:NEAREST_SHOWN]
        if not nearest:
            return f"{due}; nothing at all happened since event {after}"
        return f"{due}; it did not come. Nearest first, this did:\n" + "\n".join("  " + e.told() for e in nearest)

    def lines(self) -> str:
        """Return the events in memory as JSON lines."""
        return "".join(event.line() + "\n" for event in self._events)


def _masked(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value if callable(value) else mask(value, key) for key, value in wanted.items()}


def _told_value(value: Any) -> str:
    return getattr(value, "__name__", repr(value)) if callable(value) else repr(value)
