"""Technical alarms: what of the ICCS or around it does not work, how bad that is and what it costs (NICCS-RES-008).

A fault is one alarm, however often it is noticed. A supervisor who takes the alarm away is not told of it again until
the fault is over and comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from simulators.iccs.alarms import Alarm, Alarms

Severity = Literal["critical", "major", "minor"]
"""As ITU-T X.733 clause 8.1.2.3 has them; ``critical``: the public or officers can't be heard."""
MAX_FAULTS: Final = 500
"""Faults known of at once; more are told by no alarm."""


class FaultAlarms:
    """What does not work now."""

    def __init__(self, alarms: Alarms, now: Callable[[], float]) -> None:
        self._alarms = alarms
        self._now = now
        self._on: dict[tuple[str, str], Alarm] = {}

    def failed(self, what: str, which: str, severity: Severity, impact: str, cause: str = "") -> None:
        """Note that ``which`` of a kind does not work; ``what`` names the alarm, ``trunk_lost`` for one."""
        if (what, which) not in self._on and len(self._on) < MAX_FAULTS:
            self._on[what, which] = self._alarms.raise_(
                what, self._now(), fault=which, severity=severity, impact=impact, cause=cause
            )

    def well(self, what: str, which: str) -> None:
        """Note that it works; that it did all the time is nothing new."""
        alarm = self._on.pop((what, which), None)
        if alarm is not None:
            self._alarms.end(alarm, "it works again")
