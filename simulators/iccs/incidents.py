"""The incident log of the control room: opened by a call taker, handed to a dispatcher, closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from harness.errors import LocalError
from simulators.thrive import PARTS, Grade, assessed, grade_of, grading

MAX_INCIDENTS = 100_000
MAX_LOG_ENTRIES = 1000
"""Lines of one incident's log; only its closing goes beyond them."""


class IncidentError(LocalError):
    """An incident was asked for what its state does not allow."""


class UnknownIncidentError(IncidentError):
    """An incident was asked for that is not there."""


@dataclass(slots=True)
class LogEntry:
    """One line of an incident's log."""

    time: float
    """Run time in seconds."""
    position: str
    text: str


@dataclass(slots=True)
class Incident:
    """An incident as a control room keeps it."""

    id: str
    title: str
    opened_by: str
    owner: str
    """The position that holds it now."""
    call: str | None
    """The call it was opened from."""
    cli: str | None
    state: str = "open"
    """``open``, ``closed`` or ``transferred``."""
    thrive: dict[str, str] = field(default_factory=dict)
    """What was recorded of the six factors of THRIVE and the rationale, each as it was said last."""
    grade: str | None = None
    """``Immediate``, ``Prompt``, ``Standard`` or ``Other``; None until it is graded."""
    log: list[LogEntry] = field(default_factory=list)
    record: str | None = None
    """The record of the call that it was opened from."""
    shared_as: str | None = None
    """Its name at command and control's link; None while it was never told of."""
    reference: str | None = None
    """Command and control's own name for it; None until it has it."""

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        return asdict(self)


Change = Literal["opened", "noted", "handed_over", "closed", "transferred"]


def _nobody(_change: Change, _incident: Incident, _entry: LogEntry, _to: str | None) -> None:
    """Told of changes where nobody else is."""


class IncidentLog:
    """All incidents of a run, by id."""

    def __init__(self) -> None:
        self._incidents: dict[str, Incident] = {}
        self.changed: Callable[[Change, Incident, LogEntry, str | None], None] = _nobody
        """Told of each change made in this room: which, the incident, the log's line, the force it goes to."""

    def __iter__(self) -> Iterator[Incident]:
        return iter(tuple(self._incidents.values()))

    def shared(self, name: str) -> Incident | None:
        """The incident of a name at command and control's link."""
        incident = self._incidents.get(name.rpartition("-")[0])
        return incident if incident is not None and incident.shared_as == name else None

    def get(self, id_: str) -> Incident:
        """Return an incident. Raises UnknownIncidentError when there is none of that id."""
        try:
            return self._incidents[id_]
        except KeyError:
            raise UnknownIncidentError(f"there is no incident {id_!r}") from None

    def open(
        self, title: str, position: str, *, call: str | None, cli: str | None, time: float, record: str | None = None
    ) -> Incident:
        """Open an incident at ``position``. Raises IncidentError when the log is full."""
        if len(self._incidents) >= MAX_INCIDENTS:
            raise IncidentError(f"the log is full at {MAX_INCIDENTS} incidents")
        incident = Incident(f"INC-{len(self._incidents) + 1:06d}", title, position, position, call, cli, record=record)
        self._incidents[incident.id] = incident
        self._enter("opened", incident, LogEntry(time, position, "opened"))
        return incident

    def hand_over(self, id_: str, position: str, to: str, time: float) -> Incident:
        """Give an open incident to another position. Raises IncidentError when it is closed or held by someone else."""
        incident = self._held(id_, position)
        self._room(incident)
        incident.owner = to
        self._enter("handed_over", incident, LogEntry(time, position, f"handed over to {to}"))
        return incident

    def note(self, id_: str, position: str, text: str, time: float) -> Incident:
        """Add a line to an open incident's log."""
        incident = self._open(id_)
        self._room(incident)
        self._enter("noted", incident, LogEntry(time, position, text))
        return incident

    def assess(self, id_: str, position: str, parts: Mapping[str, str], time: float) -> Incident:
        """Record some factors of THRIVE, or the rationale, of an open incident: each is a line of its log too."""
        incident = self._open(id_)
        self._room(incident, len(parts))
        for part in (part for part in PARTS if part in parts):
            incident.thrive[part] = parts[part]
            self._enter("noted", incident, LogEntry(time, position, f"{part.capitalize()}: {parts[part]}"))
        return incident

    def give_grade(self, id_: str, position: str, grade: str, rationale: str, time: float) -> Incident:
        """Grade an open incident.

        Raises IncidentError where it is closed, ThriveError where it is not assessed by all factors with a rationale,
        or has another grade already and no rationale of its own comes with this one.
        """
        incident = self._open(id_)
        now = grade_of(grade)
        assessed(incident.thrive)
        was = Grade(incident.grade) if incident.grade is not None else None
        if grading(id_, was, now, assessed=True, rationale=rationale) is None:
            return incident
        self._room(incident)
        told = f"graded {now}" if was is None else f"regraded from {was} to {now}"
        incident.grade = now
        self._enter("noted", incident, LogEntry(time, position, f"{told}: {rationale}" if rationale else told))
        return incident

    def heard(self, id_: str, by: str, text: str, time: float) -> None:
        """Add a line that command and control told of. Raises IncidentError when the log is full."""
        incident = self.get(id_)
        self._room(incident)
        incident.log.append(LogEntry(time, by, text))

    def transfer(self, id_: str, position: str, force: str, time: float) -> Incident:
        """Give an open incident to another force. Raises IncidentError when it is closed or held by someone else."""
        incident = self._held(id_, position)
        self._room(incident)
        incident.state = "transferred"
        self._enter("transferred", incident, LogEntry(time, position, f"transferred to {force}"), to=force)
        return incident

    def close(self, id_: str, position: str, time: float) -> Incident:
        """Close an incident. Raises IncidentError when it is closed already or held by someone else."""
        incident = self._held(id_, position)
        incident.state = "closed"
        self._enter("closed", incident, LogEntry(time, position, "closed"))
        return incident

    def _open(self, id_: str) -> Incident:
        incident = self.get(id_)
        if incident.state != "open":
            raise IncidentError(f"incident {id_} is {incident.state}")
        return incident

    def _held(self, id_: str, position: str) -> Incident:
        incident = self._open(id_)
        if incident.owner != position:
            raise IncidentError(f"incident {id_} is held by {incident.owner}, not by {position}")
        return incident

    @staticmethod
    def _room(incident: Incident, lines: int = 1) -> None:
        if len(incident.log) + lines > MAX_LOG_ENTRIES:
            raise IncidentError(f"the log of incident {incident.id} is full at {MAX_LOG_ENTRIES} lines")

    def _enter(self, change: Change, incident: Incident, entry: LogEntry, *, to: str | None = None) -> None:
        incident.log.append(entry)
        self.changed(change, incident, entry, to)
