"""The supervisors' alarms: what nobody has seen to, keys that stick, what fails. They stand until that is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulators.iccs.positions import Position, PositionError, Positions

MAX_ALARMS = 500
"""Alarms that stand at once; at the next one the oldest is dropped, which the journal tells."""


class UnknownAlarmError(PositionError):
    """An alarm or emergency was asked for that is not there."""


@dataclass(slots=True)
class Alarm:
    """One alarm that stands."""

    id: str
    what: str
    """``emergency_unacknowledged``, ``stuck_ptt``, ``stuck_talker``, or a fault's (`simulators.iccs.fault_alarms`)."""
    time: float
    """Run time at which it was raised, seconds."""
    about: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        return {"alarm": self.id, "what": self.what, "raised": round(self.time, 6), **self.about}


class Alarms:
    """All that stand in one control room, and the supervisors who are told."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._alarms: dict[str, Alarm] = {}
        self._count = 0

    def raise_(self, what: str, now: float, **about: Any) -> Alarm:
        """Raise an alarm: every supervisor's position is told ``alarm.raised``."""
        self._count += 1
        alarm = Alarm(f"A-{self._count:04d}", what, now, about)
        if len(self._alarms) >= MAX_ALARMS:
            self._tell("alarm.dropped", self._alarms.pop(next(iter(self._alarms))))
        self._alarms[alarm.id] = alarm
        self._tell("alarm.raised", alarm)
        return alarm

    def end(self, alarm: Alarm, reason: str) -> None:
        """What raised an alarm is over; one that is over already stays so."""
        if self._alarms.pop(alarm.id, None) is not None:
            self._tell("alarm.ended", alarm, reason=reason)

    def clear(self, id_: str) -> None:
        """A supervisor takes an alarm away. Raises UnknownAlarmError when it does not stand."""
        if id_ not in self._alarms:
            raise UnknownAlarmError(f"no alarm {id_!r} stands")
        self.end(self._alarms[id_], "cleared by a supervisor")

    def shown(self) -> list[dict[str, Any]]:
        """Return those that stand, oldest first."""
        return [alarm.shown() for alarm in self._alarms.values()]

    def shown_to(self, position: Position) -> None:
        """Show a supervisor who begins to look on what stands."""
        if position.settings.role == "supervisor":
            for alarm in self._alarms.values():
                self._positions.tell(position, "alarm.raised", **alarm.shown())

    def _tell(self, kind: str, alarm: Alarm, **more: Any) -> None:
        for position in self._positions:
            if position.settings.role == "supervisor" and position.streams:
                self._positions.tell(position, kind, **alarm.shown(), **more)
