"""What every endpoint of a run shares: its journal, its source of randomness, its capture."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path

from harness.journal import EVENTS_IN_MEMORY, Journal
from harness.transport.tap import CaptureTap, CaptureWriter, NullTap, Tap

NAMES = 10_000
"""Addresses whose component is kept; a run beyond it is drawn with bare addresses."""


@dataclass(slots=True)
class Context:
    """A run's journal, randomness and tap, handed to everything that talks."""

    journal: Journal
    """Where what was seen is recorded; its clock is the run's."""
    rng: random.Random
    """Tags, branches, Call-IDs, SSRCs, delays: one seed gives one run in virtual time."""
    tap: Tap = field(default_factory=NullTap)
    """Where what crossed is captured."""
    capture_dir: Path | None = None
    """Where record files go, or None when nothing is captured; a media worker puts its own file here."""

    names: dict[str, str] = field(default_factory=dict)
    """Which component an address (``host:port``) belongs to, for those who draw what crossed; at most NAMES."""

    def called(self, address: tuple[str, int], component: str) -> None:
        """Note whose address it is."""
        if len(self.names) < NAMES:
            self.names[f"{address[0]}:{address[1]}"] = component

    @classmethod
    def create(
        cls,
        *,
        seed: int | None = None,
        origin: float | None = None,
        capture_dir: Path | None = None,
        events: int = EVENTS_IN_MEMORY,
    ) -> Context:
        """Make a context on the running loop's clock.

        ``origin`` is the loop time that counts as run time 0, so that processes of one machine can share a run's clock;
        ``seed`` None takes a fresh one from the system. ``events``: of the journal, that stay in memory.
        """
        journal = Journal(asyncio.get_running_loop().time, origin=origin, limit=events)
        tap: Tap = NullTap()
        if capture_dir is not None:
            tap = CaptureTap(CaptureWriter(capture_dir / "endpoints.cap"), journal.now)
        rng = random.Random(seed) if seed is not None else random.SystemRandom()
        return cls(journal, rng, tap, capture_dir)

    def close(self) -> None:
        """Close the capture, where there is one."""
        if isinstance(self.tap, CaptureTap):
            self.tap.writer.close()

    def flush(self) -> None:
        """Hand what was captured so far to the operating system, so that others can read it."""
        if isinstance(self.tap, CaptureTap):
            self.tap.writer.flush()
