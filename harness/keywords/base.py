"""What the topics of the keyword library share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from harness.errors import ExpectationError
from harness.keywords.session import Session


class Topic:
    """A group of keywords on one session."""

    session: Session
    seen: dict[tuple[str, str], int]
    """Journal position of the latest event that was waited for, by source and kind: the next wait looks past it."""

    def expect(self, source: str, kind: str, within: timedelta, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Wait for an event that no earlier wait has had, and return its data.

        Robot gives values as text: a wanted value fits a number or truth value that reads the same.
        """
        journal = self.session.bench.journal
        found = self.session.run(
            journal.expect(
                source,
                kind,
                within=within.total_seconds(),
                after=self.seen.get((source, kind), 0),
                **{key: _Reads(value) for key, value in wanted.items()},
            )
        )
        self.seen[source, kind] = found.seq
        return dict(found.data)

    def absent(self, source: str, kind: str, wanted: Mapping[str, Any]) -> None:
        """Raise ExpectationError where there is an event that no wait has had yet."""
        journal = self.session.bench.journal
        after = self.seen.get((source, kind), 0)
        found = journal.find(source, kind, after=after, **{key: _Reads(value) for key, value in wanted.items()})
        if found is not None:
            raise ExpectationError(f"{source} was not to show {kind}, and did: {found.told().strip()}")

    def measure(self, name: str, milliseconds: float) -> float:
        """Journal a measure and return it, in milliseconds to the microsecond."""
        self.session.bench.measured(name, milliseconds, "ms")
        return round(milliseconds, 3)


class _Reads:
    """A wanted value that fits what reads the same as text."""

    def __init__(self, wanted: object) -> None:
        self.__name__ = repr(wanted)
        self._wanted = str(wanted)

    def __call__(self, seen: object) -> bool:
        return str(seen) == self._wanted
