"""The link to command and control: what happens to incidents and units is told, what it tells is shown.

Nothing here stands in a call's or an adviser's way: an incident is open at once, and what command and control is to
know of it waits on disk for as long as the link is lost.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.endpoints.command_control import (
    CommandControlLink,
    Entry,
    LinkChanged,
    News,
    Notice,
    Outbox,
    Told,
    load_dialect,
)
from harness.errors import CommandControlError, LocalError
from simulators.iccs.incident_objects import incident_object, unit_object
from simulators.iccs.incidents import Change, Incident, IncidentError, IncidentLog, LogEntry
from simulators.iccs.positions import Position
from simulators.iccs.records import CallRecord
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.way import RadioUser, talker_of, uri_of

NAME: Final = "iccs command-control"
_LOST: Final = ("command_control_lost", "command and control")
_IMPACT: Final = "incidents and states of units wait here until it is back; speech is not touched"
MAX_STATE: Final = 64
"""Characters of a unit's state that consoles are shown."""


@dataclass(frozen=True, slots=True)
class CommandControlAt:
    """Where command and control is, as the testbed found it."""

    address: str
    """``http://host:port``."""
    dialect: str
    epoch: Callable[[], float]
    """Run time 0 in seconds since 1970, by this control room's clock as it goes now."""
    token: str = ""


class CommandDesk:
    """One control room's link."""

    def __init__(self, shared: Shared, incidents: IncidentLog) -> None:
        self._shared = shared
        self._incidents = incidents
        self._settings = shared.settings.command_control
        self._link: CommandControlLink | None = None
        self._outbox: Outbox | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._shown_link: dict[str, Any] | None = None
        self._epoch: Callable[[], float] = lambda: 0.0
        self._tag = ""
        self.unit_told: Callable[[str, RadioUser | None, str], None] = lambda _call_sign, _who, _state: None
        """Told what command and control tells of a unit: its call sign, its radio's ISSI if it has one, its state."""

    def start(self, at: CommandControlAt | None) -> None:
        """Begin to link to command and control; without one, incidents stay in this room.

        Raises CommandControlError for a dialect that there is not, or a file that can't be opened.
        """
        if at is None:
            return
        path = self._settings.outbox
        if path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="iccs-outbox-")
            path = Path(self._folder.name) / "outbox.sqlite"
        self._tag = f"{self._shared.context.rng.getrandbits(32):08x}"
        self._outbox = Outbox(path, origin=f"{self._settings.element}-{self._tag}")
        self._epoch = at.epoch
        dialect = load_dialect(at.dialect)
        self._link = CommandControlLink.open(
            self._shared.context, NAME, at.address, self._outbox, dialect, token=at.token
        )
        self._link.subscribe(self._noticed)
        self._incidents.changed = self._changed

    async def stop(self) -> None:
        """End the link. What waits stays in the file of the settings; without one it is gone."""
        if self._link is not None:
            await self._link.close()
        if self._outbox is not None:
            self._outbox.close()
        if self._folder is not None:
            self._folder.cleanup()

    def figures(self) -> dict[str, Any]:
        """Whether there is a link and it is up, how much waits, and what was refused."""
        if self._link is None or self._outbox is None:
            return {"linked": False, "up": None, "waiting": 0, "refused": []}
        refused = [
            {"about": kept.entry.about, "entry": kept.entry.kind, "reason": reason}
            for kept, reason in self._outbox.refused()
        ]
        return {"linked": True, "up": self._link.is_up, "waiting": len(self._outbox), "refused": refused}

    def shown_to(self, position: Position) -> None:
        """A console begins to look on: show it whether the link is up, where that is known."""
        if self._shown_link is not None:
            self._shared.positions.tell(position, "command_control.link", **self._shown_link)

    # What is told

    def _changed(self, change: Change, incident: Incident, entry: LogEntry, to: str | None) -> None:
        if incident.shared_as is None:
            incident.shared_as = f"{incident.id}-{self._tag}"
        record = self._record(incident) if change == "opened" else None
        eido = incident_object(
            incident,
            entry,
            shared_as=incident.shared_as,
            element=self._settings.element,
            epoch=self._epoch(),
            record=record,
            to=to,
        )
        self._put(Entry(f"incident.{change}", incident.shared_as, eido.written()))

    def _record(self, incident: Incident) -> CallRecord | None:
        try:
            return self._shared.records.get(incident.record) if incident.record is not None else None
        except LocalError:  # the book is full and the oldest went
            return None

    def unit(self, who: RadioUser, state: str) -> None:
        """Tell a unit's state, as its radio sent it."""
        if self._link is None:
            return
        eido = unit_object(uri_of(who), state, element=self._settings.element, at=self._epoch() + self._shared.now())
        self._put(Entry("unit.state", uri_of(who), eido.written()))

    def _put(self, entry: Entry) -> None:
        assert self._link is not None
        try:
            self._link.put(entry)
        except CommandControlError as error:
            self._shared.journal.warn("iccs", "command_control.not_kept", entry=entry.kind, reason=str(error))
            self._tell_all("command_control.not_kept", entry=entry.kind, about=entry.about, reason=str(error))

    # What comes

    def _noticed(self, notice: Notice) -> None:
        match notice:
            case LinkChanged(up, cause, waiting):
                self._shown_link = {"up": up, "cause": cause, "waiting": waiting}
                self._tell_all("command_control.link", **self._shown_link)
                if up:
                    self._shared.faults.well(*_LOST)
                else:
                    self._shared.faults.failed(*_LOST, "major", _IMPACT, cause)
            case Told():
                self._told(notice)
            case News():
                self._news(notice)

    def _told(self, told: Told) -> None:
        entry = told.kept.entry
        if not told.taken:
            self._tell_all("command_control.refused", entry=entry.kind, about=entry.about, reason=told.reason)
        elif entry.kind == "incident.opened":
            incident = self._incidents.shared(entry.about)
            if incident is not None and incident.reference is None:
                incident.reference = told.reference
                self._tell_owner(incident, "incident.registered", reference=told.reference)

    def _news(self, news: News) -> None:
        if news.kind == "unit.state":
            who = talker_of(news.data)
            state = str(news.data.get("state", ""))[:MAX_STATE]
            self.unit_told(news.about, who if isinstance(who, int | str) else None, state)
            return
        incident = self._incidents.shared(news.about)
        if incident is None:
            return
        if news.kind == "incident.noted":
            text, by = str(news.data.get("text", ""))[:2000], str(news.data.get("by", "command and control"))[:64]
            try:
                self._incidents.heard(incident.id, by, text, self._shared.now())
            except IncidentError as error:
                self._shared.journal.warn("iccs", "incident.not_noted", incident=incident.id, reason=str(error))
                return
            self._tell_owner(incident, "incident.noted", by=by, text=text)

    def _tell_owner(self, incident: Incident, kind: str, **data: Any) -> None:
        owner = self._shared.positions.get(incident.owner)
        self._shared.positions.tell(owner, kind, incident=incident.id, **data)

    def _tell_all(self, kind: str, **data: Any) -> None:
        for position in self._shared.positions:
            if position.streams:
                self._shared.positions.tell(position, kind, **data)
