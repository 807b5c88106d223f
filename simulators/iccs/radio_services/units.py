"""Unit states: what each radio last sent as its status, and what command and control says of it.

A status is shown to dispatchers, entered in its incident's log and told to command and control.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from harness.journal import Event
from simulators.iccs.incidents import IncidentError, IncidentLog
from simulators.iccs.positions import Position, PositionError, UnknownPositionError
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.way import RadioUser, talker_of, told_of

MAX_UNITS: Final = 10_000
"""Units of which a state is kept; a further one's is shown and not kept."""


@dataclass(frozen=True, slots=True)
class StatusMeaning:
    """What a value over the air means to this force."""

    number: int
    """As officers and dispatchers know it: 0 to 16."""
    means: str


@dataclass(slots=True)
class UnitState:
    """One unit."""

    who: RadioUser
    status: int | None = None
    """The status's number; None: none came yet."""
    means: str = ""
    since: float | None = None
    """Run time at which the status came, seconds."""
    incident: str | None = None
    """The incident that it is assigned to."""
    call_sign: str | None = None
    """What command and control calls it; None: it has told nothing of it yet."""
    told: str | None = None
    """Its state as command and control's operator set it last."""
    told_since: float | None = None
    """Run time at which command and control told that, seconds."""

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        values = asdict(self)
        return {**told_of(values.pop("who")), **values}


class UnknownUnitError(UnknownPositionError):
    """Of such a unit nothing is known."""


class Units:
    """All units of one control room."""

    def __init__(self, shared: Shared, incidents: IncidentLog, statuses: Mapping[int, StatusMeaning]) -> None:
        """``statuses``: by the value that goes over the air."""
        self._shared = shared
        self._incidents = incidents
        self._statuses = dict(statuses)
        self._units: dict[RadioUser, UnitState] = {}
        self._sources: frozenset[str] = frozenset()
        self._forget: Callable[[], None] = lambda: None
        self.changed: Callable[[RadioUser, str], None] = lambda _who, _means: None
        """Told of each status that comes by radio: whose it is and what it means."""

    def start(self, gateways: Iterable[str]) -> None:
        """Follow what comes to these gateways."""
        self._sources = frozenset(gateways)
        self._forget = self._shared.journal.subscribe(self._happened)

    def stop(self) -> None:
        """Follow no more."""
        self._forget()

    def shown(self, who: RadioUser) -> dict[str, Any]:
        """Return a unit. Raises UnknownUnitError."""
        try:
            return self._units[who].shown()
        except KeyError:
            raise UnknownUnitError(f"nothing is known of unit {who}") from None

    def all(self) -> list[dict[str, Any]]:
        """Return all units."""
        return [unit.shown() for unit in self._units.values()]

    def incident_of(self, who: RadioUser) -> str | None:
        """The incident that a unit is assigned to; None where there is none."""
        unit = self._units.get(who)
        return None if unit is None else unit.incident

    def assign(self, position: Position, who: RadioUser, incident: str) -> dict[str, Any]:
        """Assign a unit to an incident: its states go into the incident's log. Raises IncidentError, PositionError."""
        position.seated()
        unit = self._unit(who)
        if unit is None:
            raise PositionError(f"{MAX_UNITS} units are known already")
        self._incidents.note(incident, position.id, f"unit {who} assigned", self._shared.now())
        unit.incident = incident
        self._shared.positions.tell(position, "unit.assigned", **told_of(who), incident_id=incident)
        return unit.shown()

    def told(self, call_sign: str, who: RadioUser | None, state: str) -> None:
        """Keep what command and control tells of a unit, by its radio, and show it at every console that looks on.

        A unit with no radio is shown and not kept.
        """
        unit = self._unit(who) if who is not None else None
        if unit is not None:
            unit.call_sign, unit.told, unit.told_since = call_sign, state, self._shared.now()
        for position in self._shared.positions:
            if position.streams:
                self._shared.positions.tell(position, "unit.told", unit=call_sign, state=state, **told_of(who))

    def _unit(self, who: RadioUser) -> UnitState | None:
        if who not in self._units and len(self._units) < MAX_UNITS:
            self._units[who] = UnitState(who)
        return self._units.get(who)

    def _happened(self, event: Event) -> None:
        if event.kind != "status.received" or event.source not in self._sources:
            return
        who, value = talker_of(event.data), event.data.get("value")
        known = self._statuses.get(value) if isinstance(value, int) else None
        if known is None or who is None:
            self._shared.journal.warn(event.source, "status.unknown", **told_of(who), value=value)
            return
        unit = self._unit(who) or UnitState(who)
        unit.status, unit.means, unit.since = known.number, known.means, self._shared.now()
        self._enter(unit)
        self.changed(who, unit.means or f"status {unit.status}")
        for position in self._shared.positions:
            if position.logged_in and position.plan:
                self._shared.positions.tell(
                    position,
                    "unit.state",
                    **told_of(who),
                    status=unit.status,
                    means=unit.means,
                    incident_id=unit.incident,
                )

    def _enter(self, unit: UnitState) -> None:
        if unit.incident is None:
            return
        text = f"unit {unit.who}: status {unit.status}, {unit.means}"
        try:
            self._incidents.note(unit.incident, "radio", text, self._shared.now())
        except IncidentError:  # it was closed, and the unit is free
            unit.incident = None
