"""Watches a SIP port for a flood of what is no SIP, or belongs nowhere: one alarm while it goes on (NFR-011)."""

from __future__ import annotations

import asyncio
from typing import Final

from simulators.iccs.fault_alarms import FaultAlarms

WHAT: Final = "signalling_flooded"
"""The alarm's name."""
WINDOW_S: Final = 5.0
LEAST: Final = 50
"""Odd messages within a window from which it is a flood; a telephone that is wrong sends some."""
IMPACT: Final = "calls go on; who sends it costs time, and may be somebody who means harm"


class SignallingWatch:
    """One port's odd messages, counted by the window."""

    def __init__(self, port: str, faults: FaultAlarms) -> None:
        """``port``: what an alarm calls it."""
        self._port = port
        self._faults = faults
        self._count = 0
        self._ends: asyncio.TimerHandle | None = None
        """When the window ends; None: nothing odd has come of late."""

    def odd(self) -> None:
        """Count one message that was refused or belongs nowhere."""
        self._count += 1
        if self._ends is None:
            self._ends = asyncio.get_running_loop().call_later(WINDOW_S, self._window_over)
        if self._count == LEAST:
            cause = f"{LEAST} messages within {WINDOW_S:g} s that are no SIP, or belong nowhere"
            self._faults.failed(WHAT, self._port, "major", IMPACT, cause)

    def _window_over(self) -> None:
        quiet = self._count < LEAST
        if quiet:
            self._faults.well(WHAT, self._port)
        # A flood is over with a window in which there was none.
        self._ends = None if quiet else asyncio.get_running_loop().call_later(WINDOW_S, self._window_over)
        self._count = 0

    def stop(self) -> None:
        """Look no more."""
        if self._ends is not None:
            self._ends.cancel()
