"""Emergency alarms of officers: raised, shown to all who monitor the talkgroup, acknowledged, cleared.

Theory. An emergency is known by its group call, which comes in with the emergency's priority (EN 300 392-5, +CTICN), or
by status 0; a pressed key may bring both, so of one ISSI one alarm is open. A talkgroup whose call is up already brings
no new +CTICN: there the status alone tells. On MCPTT the talker's floor tells it (TS 24.380's Floor Indicator), even in
a call that is up. Where the officer is comes by a LIP short report, before or after. An alarm is cleared once it is
acknowledged and its call released, in either order; without a call, a console clears it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.journal import Event
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY
from simulators.iccs.alarms import Alarm, Alarms, UnknownAlarmError
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.radio_services.unit_map import Place, UnitMap
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.way import talker_of, told_of

EMERGENCY_STATUS = 0
"""The pre-coded status that tells an emergency (EN 300 392-2, 14.8.34)."""
MAX_EMERGENCIES = 200
"""Emergencies open at once; at the next one the oldest that is acknowledged goes, else the oldest, and consoles are
told."""
PLACE_FRESH_S = 300.0
"""Seconds for which a place that was told before the alarm is shown with it. [p]"""


@dataclass(slots=True, eq=False)
class Emergency:
    """One officer's alarm."""

    id: str
    who: int | str
    """The officer's ISSI, or MCPTT ID."""
    alias: str
    talkgroup: str
    time: float
    place: dict[str, float] | None = None
    acknowledged_by: str | None = None
    call_is_over: bool = False
    unseen: asyncio.TimerHandle | None = None
    """Runs while nobody has acknowledged it and the supervisors are not alarmed."""
    alarm: Alarm | None = None

    def shown(self) -> dict[str, Any]:
        """Return it as consoles show it; ``lat`` and ``lon`` are degrees, None until the terminal has told them."""
        place: Mapping[str, float | None] = self.place or {"lat": None, "lon": None}
        return {
            "emergency": self.id,
            **told_of(self.who),
            "alias": self.alias,
            "talkgroup": self.talkgroup,
            **place,
            "acknowledged_by": self.acknowledged_by,
        }


class Emergencies:
    """All open emergencies of one control room."""

    def __init__(
        self,
        shared: Shared,
        alarms: Alarms,
        lines: Mapping[str, str],
        talkgroups: Mapping[str, int],
        unit_map: UnitMap,
    ) -> None:
        """``lines``: each gateway's talkgroup by its line's name; ``talkgroups``: name to GSSI."""
        self._shared = shared
        self._alarms = alarms
        self._lines = lines
        self._groups = {gssi: name for name, gssi in talkgroups.items()}
        self._open: dict[int | str, Emergency] = {}
        """By officer."""
        self._map = unit_map
        unit_map.moved = self._located
        self._count = 0
        self._forget = shared.journal.subscribe(self._reported)

    def stop(self) -> None:
        """Listen no more."""
        self._forget()
        for emergency in self._open.values():
            if emergency.unseen is not None:
                emergency.unseen.cancel()

    # What gateways report

    def _reported(self, event: Event) -> None:
        line = self._lines.get(event.source)
        if line is None:
            return
        data = event.data
        match event.kind:
            case "radio.call_in" if data.get("group") and (data.get("priority") or 0) >= EMERGENCY_CALL_PRIORITY:
                self._raise(data.get("calling"), line)
            case "status.received" if data.get("value") == EMERGENCY_STATUS:
                to = data.get("to")
                self._raise(talker_of(data), self._groups.get(to, line) if isinstance(to, int) else line)
            case "radio.emergency":
                self._raise(talker_of(data), line)
            case "radio.released":
                self._released(line)

    def _raise(self, who: int | str | None, talkgroup: str) -> None:
        if who is None or who in self._open:
            return
        if len(self._open) >= MAX_EMERGENCIES:
            done = (each for each in self._open.values() if each.acknowledged_by is not None)
            self._close(next(done, next(iter(self._open.values()))), "emergency.dropped")
        self._count += 1
        settings, now = self._shared.settings.radio, self._shared.now()
        emergency = Emergency(f"E-{self._count:04d}", who, settings.shown_as(who), talkgroup, now)
        told = self._map.latest(who)
        if told is not None and now - told.time <= PLACE_FRESH_S:
            emergency.place = {"lat": told.lat, "lon": told.lon}
        self._open[who] = emergency
        emergency.unseen = asyncio.get_running_loop().call_later(
            settings.unacknowledged_s, self._unacknowledged, emergency
        )
        self._tell("emergency.shown", emergency)

    def _located(self, place: Place) -> None:
        emergency = self._open.get(place.who)
        if emergency is not None:
            emergency.place = {"lat": place.lat, "lon": place.lon}
            self._tell("emergency.located", emergency)

    def _released(self, talkgroup: str) -> None:
        for emergency in [each for each in self._open.values() if each.talkgroup == talkgroup]:
            emergency.call_is_over = True
            if emergency.acknowledged_by is not None:
                self._close(emergency, "emergency.cleared")

    def _unacknowledged(self, emergency: Emergency) -> None:
        emergency.unseen = None
        emergency.alarm = self._alarms.raise_(
            "emergency_unacknowledged",
            self._shared.now(),
            emergency=emergency.id,
            **told_of(emergency.who),
            alias=emergency.alias,
            talkgroup=emergency.talkgroup,
        )

    # What operators do

    def acknowledge(self, position: Position, id_: str) -> Emergency:
        """Acknowledge an emergency; every console that monitors its talkgroup is told by whom.

        Raises PositionError for one that is acknowledged already, or of a talkgroup that is not monitored here, and
        UnknownAlarmError for one that is not open.
        """
        emergency = self._find(position, id_)
        if emergency.acknowledged_by is not None:
            raise PositionError(f"{id_} is acknowledged by {emergency.acknowledged_by} already")
        emergency.acknowledged_by = position.id
        self._seen_to(emergency, f"acknowledged by {position.id}")
        self._tell("emergency.acknowledged", emergency)
        if emergency.call_is_over:
            self._close(emergency, "emergency.cleared")
        return emergency

    def clear(self, position: Position, id_: str) -> None:
        """Clear an acknowledged emergency whose end the radio does not tell. Raises as ``acknowledge`` does."""
        emergency = self._find(position, id_)
        if emergency.acknowledged_by is None:
            raise PositionError(f"{id_} is not acknowledged: nobody has seen to it yet")
        self._close(emergency, "emergency.cleared")

    def shown(self) -> list[dict[str, Any]]:
        """Return all that are open, oldest first."""
        return [emergency.shown() for emergency in self._open.values()]

    def shown_to(self, position: Position) -> None:
        """Show a console that begins to look on what is open."""
        for emergency in self._open.values():
            if self._concerns(position, emergency):
                self._shared.positions.tell(position, "emergency.shown", **emergency.shown())

    def _find(self, position: Position, id_: str) -> Emergency:
        emergency = next((each for each in self._open.values() if each.id == id_), None)
        if emergency is None:
            raise UnknownAlarmError(f"no emergency {id_!r} is open")
        if not self._concerns(position, emergency):
            raise PositionError(f"{position.id} does not monitor {emergency.talkgroup}")
        return emergency

    def _seen_to(self, emergency: Emergency, reason: str) -> None:
        if emergency.unseen is not None:
            emergency.unseen.cancel()
            emergency.unseen = None
        if emergency.alarm is not None:
            self._alarms.end(emergency.alarm, reason)

    def _close(self, emergency: Emergency, kind: str) -> None:
        del self._open[emergency.who]
        self._seen_to(emergency, kind)
        self._tell(kind, emergency)

    @staticmethod
    def _concerns(position: Position, emergency: Emergency) -> bool:
        return position.settings.role == "supervisor" or emergency.talkgroup in position.listening.talkgroups

    def _tell(self, kind: str, emergency: Emergency) -> None:
        for position in self._shared.positions:
            if position.streams and self._concerns(position, emergency):
                self._shared.positions.tell(position, kind, **emergency.shown())
