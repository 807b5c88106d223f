"""The map's data: where each radio was last, as it told by LIP or by MCPTT, shown at consoles as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from harness.journal import Event
from simulators.iccs.positions import Position, UnknownPositionError
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.way import RadioUser, talker_of, told_of

MAX_PLACES: Final = 10_000
"""Radios whose latest place is kept; the one that has told nothing for longest goes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one radio was."""

    who: RadioUser
    alias: str
    lat: float
    """Degrees north, WGS 84."""
    lon: float
    """Degrees east."""
    error_m: float | None
    """Bound of the position's error; None: not told."""
    speed_kmh: float | None
    direction_deg: float | None
    """Clockwise from north."""
    fix_age_s: float | None
    """How old the position was at most when the radio sent it; None: not told."""
    time: float
    """Run time at which it came, seconds."""

    def told(self) -> dict[str, Any]:
        """Return it as consoles are told."""
        values = {key: value for key, value in asdict(self).items() if key not in ("who", "time")}
        return {**told_of(self.who), **values}


class UnknownPlaceError(UnknownPositionError):
    """A radio has not told where it is."""


class UnitMap:
    """The latest place of each radio of one control room."""

    def __init__(self, shared: Shared, gateways: Iterable[str]) -> None:
        """``gateways``: the lines that places come in by."""
        self._shared = shared
        self._sources = frozenset(gateways)
        self._places: dict[RadioUser, Place] = {}
        self._forget = shared.journal.subscribe(self._reported)
        self.moved: Callable[[Place], None] = lambda _place: None
        """Told of each place that comes."""

    def stop(self) -> None:
        """Listen no more."""
        self._forget()

    def latest(self, who: RadioUser) -> Place | None:
        """Where a radio was last, if it has told that."""
        return self._places.get(who)

    def shown(self, who: RadioUser) -> dict[str, Any]:
        """Return a radio's place, and how long ago it came (``age_s``). Raises UnknownPlaceError."""
        place = self._places.get(who)
        if place is None:
            raise UnknownPlaceError(f"radio {who} has not told where it is")
        return self._aged(place)

    def all(self) -> list[dict[str, Any]]:
        """Return all places, that of the radio that told last at the end."""
        return [self._aged(place) for place in self._places.values()]

    def _aged(self, place: Place) -> dict[str, Any]:
        return {**place.told(), "time": place.time, "age_s": round(self._shared.now() - place.time, 3)}

    def _reported(self, event: Event) -> None:
        if event.kind != "location.received" or event.source not in self._sources:
            return
        place = self._place(event.data)
        if place is None:
            return
        self._places.pop(place.who, None)
        self._places[place.who] = place
        if len(self._places) > MAX_PLACES:
            del self._places[next(iter(self._places))]
        self.moved(place)
        told = place.told()
        for position in self._shared.positions:
            if position.streams and _looks_at_a_map(position):
                self._shared.positions.tell(position, "map.moved", **told)

    def _place(self, data: Mapping[str, Any]) -> Place | None:
        who, lat, lon = talker_of(data), data.get("lat"), data.get("lon")
        if who is None or not isinstance(lat, float) or not isinstance(lon, float):
            return None
        alias = self._shared.settings.radio.shown_as(who)
        error_m, speed_kmh = data.get("error_m"), data.get("speed_kmh")
        age = data.get("fix_age_s")
        return Place(who, alias, lat, lon, error_m, speed_kmh, data.get("direction_deg"), age, self._shared.now())


def _looks_at_a_map(position: Position) -> bool:
    """Whoever works with radios, and supervisors."""
    return position.settings.role == "supervisor" or bool(position.listening.talkgroups)
