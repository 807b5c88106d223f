"""What a console shows, kept from its events: calls, talkgroups, emergencies, incidents, places, statuses, texts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

MAX_CALLS, MAX_EMERGENCIES, MAX_INCIDENTS, MAX_PLACES, MAX_TALKGROUPS = 50, 20, 50, 100, 60
"""So many of each are shown; the oldest goes first."""
MAX_LINES: Final = 40
"""Statuses, texts and lines of an incident that are shown, newest last."""
MAX_TEXT: Final = 500
"""Characters of anything shown."""

VOLUMES: Final = ("headset_db", "loudspeaker_db")
"""How loud selected and other talkgroups are, dB about what the network gives."""
_CALL_STATES: Final = {
    "call.ringing": "ringing",
    "call.alerting": "alerting",
    "call.connected": "connected",
    "call.held": "held",
    "call.resumed": "connected",
    "call.consulting": "consulting",
    "call.conferenced": "conference",
}
_CALL_GOES: Final = frozenset(
    {
        "call.cleared",
        "call.failed",
        "call.taken",
        "call.withdrawn",
        "call.abandoned",
        "call.transferred",
        "call.left",
        "call.replaced",
    }
)
_FLOOR: Final = {
    "ptt.requested": "requested",
    "ptt.queued": "queued",
    "ptt.granted": "granted",
    "ptt.refused": "refused",
    "ptt.lost": "lost",
    "ptt.released": "",
    "ptt.timed_out": "lost",
}


class ConsoleState:
    """One seat's console. Its events come from the journal, where no number of a real person stands unmasked."""

    def __init__(self, position: Mapping[str, Any], aliases: Mapping[int, str]) -> None:
        """``position``: as the control interface shows it. ``aliases``: units' names by ISSI."""
        self.id = str(position.get("id", ""))
        self.adviser = str(position.get("state", "available"))
        self._aliases = dict(aliases)
        self._role = str(position.get("role", ""))
        self._site = str(position.get("site", ""))
        selected = position.get("selected") or ()
        self._groups: dict[str, dict[str, Any]] = {}
        for name in list(position.get("talkgroups") or ())[:MAX_TALKGROUPS]:
            self._group(str(name))["selected"] = name in selected
        self._calls: dict[str, dict[str, Any]] = {}
        self._gone: deque[str] = deque(maxlen=MAX_CALLS)
        """Calls that are over, newest last."""
        self._emergencies: dict[str, dict[str, Any]] = {}
        self._incidents: dict[str, dict[str, Any]] = {}
        self._places: dict[str, dict[str, Any]] = {}
        self._lines: deque[dict[str, Any]] = deque(maxlen=MAX_LINES)
        self._ambience: set[int] = set()
        self._patches: dict[str, dict[str, Any]] = {}
        self._link_up = True
        self._volumes = {key: float(position.get(key) or 0.0) for key in VOLUMES}
        self._oversight: dict[str, str] | None = None
        self._handlers: dict[str, Callable[[str, Mapping[str, Any], float], None]] = {
            "adviser": self._adviser_seen,
            "call": self._call_seen,
            "location": self._location_seen,
            "ptt": self._floor_seen,
            "talker": self._talker_seen,
            "talkgroup": self._talkgroup_seen,
            "emergency": self._emergency_seen,
            "map": self._moved,
            "unit": self._unit_seen,
            "sds": self._text_seen,
            "incident": self._incident_seen,
            "ambience": self._ambience_seen,
            "command_control": self._link_seen,
            "patch": self._patch_seen,
            "volume": self._volume_seen,
            "oversight": self._oversight_seen,
        }

    def seen(self, kind: str, data: Mapping[str, Any], time: float) -> bool:
        """Take an event; whether what is shown may have changed. ``time``: run time, seconds."""
        handler = self._handlers.get(kind.partition(".")[0])
        if handler is None:
            return False
        handler(kind, data, time)
        return True

    def noted(self, incident: str, text: str, time: float) -> None:
        """A line was written into an incident's log at this console, which no event tells."""
        if incident in self._incidents:
            lines = self._incidents[incident]["lines"]
            lines.append({"text": text[:MAX_TEXT], "time": time})
            del lines[:-MAX_LINES]

    def placed(self, call: str, to: str, time: float) -> None:
        """A call was dialled here, which no event tells until the other side rings; a position's ringing none does."""
        if call not in self._gone:
            known = self._call(call, time)
            known["cli"] = known["cli"] or to[:MAX_TEXT]

    def shown(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "position": self.id,
            "role": self._role,
            "site": self._site,
            "adviser": self.adviser,
            "calls": list(self._calls.values()),
            "talkgroups": list(self._groups.values()),
            "emergencies": list(self._emergencies.values()),
            "incidents": list(self._incidents.values()),
            "places": list(self._places.values()),
            "lines": list(self._lines),
            "ambience": sorted(self._ambience),
            "patches": list(self._patches.values()),
            "command_control": self._link_up,
            "volumes": dict(self._volumes),
            "oversight": self._oversight,
        }

    # What the events tell

    def _adviser_seen(self, _kind: str, data: Mapping[str, Any], _time: float) -> None:
        self.adviser = _text(data.get("state"))

    def _call_seen(self, kind: str, data: Mapping[str, Any], time: float) -> None:
        id_ = _text(data.get("call"))
        if kind == "call.text":
            self._line("call", id_, _text(data.get("text")), time)
            return
        if kind in _CALL_GOES:
            self._calls.pop(id_, None)
            self._gone.append(id_)
            self._places.pop(f"caller {id_}", None)
            return
        state = _CALL_STATES.get(kind)
        if state is None and id_ not in self._calls:
            return
        known = self._call(id_, time)
        if state is not None:
            known["state"] = state
            known["changed"] = time
        known["queue"] = _text(data.get("queue")) or known["queue"]
        known["cli"] = _text(data.get("cli")) or known["cli"]
        known["operator"] = _text(data.get("operator")) or known["operator"]
        known["emergency"] = known["queue"] == "emergency"

    def _call(self, id_: str, time: float) -> dict[str, Any]:
        known = self._calls.get(id_)
        if known is None:
            known = {"call": id_, "queue": "", "cli": "", "since": time, "operator": "", "emergency": False}
            known["state"] = "dialled"
            _put(self._calls, id_, known, MAX_CALLS)
        return known

    def _location_seen(self, kind: str, data: Mapping[str, Any], time: float) -> None:
        if kind != "location.shown" or not _is_place(data.get("latitude"), data.get("longitude")):
            return
        call = _text(data.get("call"))
        cli = _text(data.get("cli")) or call
        place = {
            "kind": "caller",
            "name": cli,
            "lat": float(data["latitude"]),
            "lon": float(data["longitude"]),
            "radius_m": _number(data.get("radius")),
            "source": _text(data.get("source")),
        }
        _put(self._places, f"caller {call}", place, MAX_PLACES)
        radius = f", within {place['radius_m']:.0f} m" if place["radius_m"] else ""
        told = f"{place['source']}: {place['lat']:.5f}, {place['lon']:.5f}{radius}"
        self._line("location", cli, told, time)

    def _floor_seen(self, kind: str, data: Mapping[str, Any], _time: float) -> None:
        names = data.get("talkgroups") if kind == "ptt.timed_out" else (data.get("talkgroup"),)
        for name in names if isinstance(names, list | tuple) else ():
            if name is None or kind not in _FLOOR:
                continue
            group = self._group(_text(name))
            group["floor"] = _FLOOR[kind]
            group["reason"] = _text(data.get("reason"))

    def _talker_seen(self, kind: str, data: Mapping[str, Any], time: float) -> None:
        group = self._group(_text(data.get("talkgroup")))
        if kind == "talker.shown":
            group["talker"] = _text(data.get("alias")) or _text(_who(data))
            group["talker_issi"] = data.get("issi")
            group["last"] = group["talker"]
            group["talker_since"] = time
        elif kind == "talker.ended":
            group["talker"] = ""

    def _talkgroup_seen(self, kind: str, data: Mapping[str, Any], _time: float) -> None:
        group = self._group(_text(data.get("talkgroup")))
        if kind == "talkgroup.idle":
            group["talker"] = ""
        else:
            group["selected"] = kind != "talkgroup.unselected"

    def _emergency_seen(self, kind: str, data: Mapping[str, Any], time: float) -> None:
        id_ = _text(data.get("emergency"))
        if kind == "emergency.cleared":
            self._emergencies.pop(id_, None)
            return
        known = self._emergencies.get(id_, {"since": time})
        shown = {
            **known,
            "emergency": id_,
            "issi": data.get("issi"),
            "mcptt_id": data.get("mcptt_id"),
            "alias": _text(data.get("alias")),
            "talkgroup": _text(data.get("talkgroup")),
            "acknowledged_by": _text(data.get("acknowledged_by")),
        }
        self._emergencies.pop(id_, None)
        _put(self._emergencies, id_, shown, MAX_EMERGENCIES)
        if _is_place(data.get("lat"), data.get("lon")):
            self._unit_at(data, "emergency")

    def _moved(self, _kind: str, data: Mapping[str, Any], _time: float) -> None:
        if _is_place(data.get("lat"), data.get("lon")):
            open_ = any(_who(each) == _who(data) for each in self._emergencies.values())
            self._unit_at(data, "emergency" if open_ else "unit")

    def _unit_at(self, data: Mapping[str, Any], kind: str) -> None:
        place = {
            "kind": kind,
            "name": _text(data.get("alias")) or _text(_who(data)),
            "lat": float(data["lat"]),
            "lon": float(data["lon"]),
            "radius_m": _number(data.get("error_m")),
            "source": "radio",
        }
        _put(self._places, f"unit {_who(data)}", place, MAX_PLACES)

    def _unit_seen(self, kind: str, data: Mapping[str, Any], time: float) -> None:
        if kind == "unit.state":
            self._line("status", self._alias(data), f"{_text(data.get('status'))} {_text(data.get('means'))}", time)
        elif kind == "unit.assigned":
            incident = self._incidents.get(_text(data.get("incident_id")))
            if incident is not None and len(incident["units"]) < MAX_LINES:
                incident["units"].append(self._alias(data))

    def _text_seen(self, kind: str, data: Mapping[str, Any], time: float) -> None:
        if kind == "sds.shown":
            self._line("text", self._alias(data), _text(data.get("text")), time)

    def _incident_seen(self, kind: str, data: Mapping[str, Any], time: float) -> None:
        id_ = _text(data.get("incident"))
        if kind == "incident.closed":
            if id_ in self._incidents:
                self._incidents[id_]["state"] = "closed"
            return
        known = self._incidents.get(id_)
        if known is None:
            known = {
                "incident": id_,
                "title": "",
                "owner": "",
                "cli": "",
                "state": "open",
                "reference": "",
                "grade": "",
            }
            known |= {"lines": [], "units": [], "since": time}
            _put(self._incidents, id_, known, MAX_INCIDENTS)
        for key in ("title", "owner", "cli", "reference", "grade"):
            known[key] = _text(data.get(key)) or known[key]
        if kind == "incident.received":
            self._line("incident", _text(data.get("by")), f"handed over {id_}", time)

    def _ambience_seen(self, kind: str, data: Mapping[str, Any], _time: float) -> None:
        issi = data.get("issi")
        if isinstance(issi, int):
            (self._ambience.add if kind == "ambience.begun" else self._ambience.discard)(issi)

    def _patch_seen(self, kind: str, data: Mapping[str, Any], _time: float) -> None:
        id_ = _text(data.get("patch"))
        if kind == "patch.made":
            groups = [_text(each) for each in data.get("talkgroups") or ()][:MAX_LINES]
            _put(self._patches, id_, {"patch": id_, "talkgroups": groups}, MAX_TALKGROUPS)
        elif kind == "patch.ended":
            self._patches.pop(id_, None)

    def _volume_seen(self, _kind: str, data: Mapping[str, Any], _time: float) -> None:
        for key in VOLUMES:
            self._volumes[key] = float(data.get(key, self._volumes[key]))

    def _oversight_seen(self, kind: str, data: Mapping[str, Any], _time: float) -> None:
        began = kind == "oversight.began"
        self._oversight = {key: _text(data.get(key)) for key in ("by", "of", "how")} if began else None

    def _link_seen(self, kind: str, data: Mapping[str, Any], _time: float) -> None:
        if kind == "command_control.link":
            self._link_up = bool(data.get("up"))

    # How it is kept

    def _group(self, name: str) -> dict[str, Any]:
        found = self._groups.get(name)
        if found is None:
            found = {"talkgroup": name, "selected": False, "floor": "", "reason": "", "talker": "", "last": ""}
            _put(self._groups, name, found, MAX_TALKGROUPS)
        return found

    def _alias(self, data: Mapping[str, Any]) -> str:
        issi = data.get("issi")
        known = self._aliases.get(issi) if isinstance(issi, int) else None
        return _text(data.get("alias")) or known or _text(_who(data))

    def _line(self, kind: str, who: str, text: str, time: float) -> None:
        self._lines.append({"kind": kind, "who": who, "text": text, "time": time})


def _who(data: Mapping[str, Any]) -> int | str | None:
    """Whose radio an event is of: an ISSI, or an MCPTT ID."""
    issi, mcptt_id = data.get("issi"), data.get("mcptt_id")
    if isinstance(issi, int):
        return issi
    return mcptt_id if isinstance(mcptt_id, str) else None


def _put(table: dict[str, dict[str, Any]], key: str, value: dict[str, Any], most: int) -> None:
    table[key] = value
    if len(table) > most:
        del table[next(iter(table))]


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:MAX_TEXT]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _is_place(latitude: Any, longitude: Any) -> bool:
    return isinstance(latitude, int | float) and isinstance(longitude, int | float)
