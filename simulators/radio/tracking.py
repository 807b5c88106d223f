"""Terminals in vehicles: each takes a position fix every second and reports its place by time and by way (LIP)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from harness.protocols.location.shapes import Point
from harness.protocols.pei.codes import AiService
from harness.protocols.pei.requests import SendMessage
from harness.protocols.tetra import lip
from harness.protocols.tetra.lip import Reason, ShortLocation
from harness.protocols.tetra.lip_trigger import Reporter, Trigger
from simulators.events import Events
from simulators.radio.course import Course
from simulators.radio.messages import BY_ITSELF
from simulators.radio.refusals import ControlError, UnknownThingError
from simulators.radio.terminal import SimulatedTerminal

FIX_S: Final = 1.0
"""Seconds between position fixes, as usual receivers have them."""
_ERROR_CODE: Final = 1
"""Better than 20 m, as outdoors."""
_DIRECTIONS: Final = 16


@dataclass(slots=True, eq=False)
class _Vehicle:
    terminal: SimulatedTerminal
    to: int
    course: Course
    reporter: Reporter
    began: float
    timer: asyncio.TimerHandle | None = None


class Tracking:
    """All vehicles of one network that are under way."""

    def __init__(
        self,
        events: Events,
        reaches: Callable[[SimulatedTerminal], bool],
        send: Callable[[SimulatedTerminal, SendMessage], None],
    ) -> None:
        self._events = events
        self._reaches = reaches
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._vehicles: dict[int, _Vehicle] = {}

    def drive(self, terminal: SimulatedTerminal, course: Course) -> dict[str, Any]:
        """Let a vehicle set out on a course, from its beginning; return ``issi`` and ``length_m``.

        Raises ControlError where its terminal reports no places.
        """
        tracker = terminal.config.tracker
        if tracker is None:
            raise ControlError(f"terminal {terminal.config.issi} reports no places: it has no 'tracker'")
        self._leave(terminal.config.issi)
        now = self._loop.time()
        reporter = Reporter(Trigger(tracker.every_s, tracker.every_m))
        vehicle = _Vehicle(terminal, tracker.to, course, reporter, now)
        self._vehicles[terminal.config.issi] = vehicle
        self._fix(vehicle)
        return {"issi": terminal.config.issi, "length_m": round(course.length_m, 1)}

    def park(self, issi: int) -> None:
        """End a drive, and the reports. Raises UnknownThingError where that vehicle is not under way."""
        if issi not in self._vehicles:
            raise UnknownThingError(f"the vehicle of terminal {issi} is not under way")
        self._leave(issi)

    def stop(self) -> None:
        """End all."""
        for issi in tuple(self._vehicles):
            self._leave(issi)

    def _leave(self, issi: int) -> None:
        vehicle = self._vehicles.pop(issi, None)
        if vehicle is not None and vehicle.timer is not None:
            vehicle.timer.cancel()

    def _fix(self, vehicle: _Vehicle) -> None:
        now = self._loop.time()
        where, speed, direction = vehicle.course.at(now - vehicle.began)
        due = vehicle.reporter.fix(now, where)
        if due is not None and self._reaches(vehicle.terminal):
            self._report(vehicle, where, speed, direction, due)
            vehicle.reporter.reported(now)
        vehicle.timer = self._loop.call_at(now + FIX_S, self._fix, vehicle)

    def _report(self, vehicle: _Vehicle, where: Point, speed: float, direction: float, reason: Reason) -> None:
        place = ShortLocation(
            longitude=where.longitude,
            latitude=where.latitude,
            position_error=_ERROR_CODE,
            velocity=lip.velocity_code(speed),
            direction=round(direction * _DIRECTIONS / 360) % _DIRECTIONS,
            additional=reason,
        )
        issi = vehicle.terminal.config.issi
        self._events.tell(
            "place.reported",
            issi=issi,
            lat=round(where.latitude, 6),
            lon=round(where.longitude, 6),
            reason=reason.name.lower(),
            travelled_m=round(vehicle.reporter.travelled_m, 1),
        )
        message = SendMessage(BY_ITSELF, vehicle.to, AiService.SDS_4, lip.SHORT_REPORT_BITS, place.encode())
        self._send(vehicle.terminal, message)
