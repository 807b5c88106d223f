"""The calendar of a run: which moment, in seconds since 1970, its time 0 is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from harness.journal import Journal

VIRTUAL_EPOCH: Final = 1_767_225_600.0
"""2026-01-01: the calendar time at which a run in virtual time begins, so that one seed gives one journal."""


def epoch_of(journal: Journal, *, virtual: bool) -> float:
    """Seconds since 1970 of run time 0: a real run has the machine's, virtual time begins at VIRTUAL_EPOCH."""
    return VIRTUAL_EPOCH if virtual else time.time() - journal.now()


def clock_of(journal: Journal, *, virtual: bool) -> Callable[[], float]:
    """A right clock, seconds since 1970: the machine's own, or in virtual time the run's calendar."""
    return (lambda: VIRTUAL_EPOCH + journal.now()) if virtual else time.time
