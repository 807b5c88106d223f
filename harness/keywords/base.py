"""What the topics of the keyword library share."""

from __future__ import annotations

from datetime import timedelta

from harness.keywords.session import Session

ONE_SECOND = timedelta(seconds=1)


class Topic:
    """A group of keywords on one session."""

    session: Session
    after: int = 0
    """Journal position of the test's last expectation that was met: the next one looks only at what came later."""

    def expect(self, source: str, kind: str, within: timedelta, **wanted: object) -> dict[str, object]:
        """Wait for an event and return its data; the next expectation may look at the same moment again."""
        journal = self.session.bench.journal
        event = self.session.run(
            journal.expect(source, kind, within=within.total_seconds(), after=self.after, **wanted)
        )
        return dict(event.data)
