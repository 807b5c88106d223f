"""The incident log of the control room: opened by a call taker, handed to a dispatcher, closed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from harness.errors import LocalError

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
    """``open`` or ``closed``."""
    log: list[LogEntry] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        return asdict(self)


class IncidentLog:
    """All incidents of a run, by id."""

    def __init__(self) -> None:
        self._incidents: dict[str, Incident] = {}

    def get(self, id_: str) -> Incident:
        """Return an incident. Raises UnknownIncidentError when there is none of that id."""
        try:
            return self._incidents[id_]
        except KeyError:
            raise UnknownIncidentError(f"there is no incident {id_!r}") from None

    def open(self, title: str, position: str, *, call: str | None, cli: str | None, time: float) -> Incident:
        """Open an incident at ``position``. Raises IncidentError when the log is full."""
        if len(self._incidents) >= MAX_INCIDENTS:
            raise IncidentError(f"the log is full at {MAX_INCIDENTS} incidents")
        incident = Incident(f"INC-{len(self._incidents) + 1:06d}", title, position, position, call, cli)
        incident.log.append(LogEntry(time, position, "opened"))
        self._incidents[incident.id] = incident
        return incident

    def hand_over(self, id_: str, position: str, to: str, time: float) -> Incident:
        """Give an open incident to another position. Raises IncidentError when it is closed or held by someone else."""
        incident = self._held(id_, position)
        self._note(incident, time, position, f"handed over to {to}")
        incident.owner = to
        return incident

    def note(self, id_: str, position: str, text: str, time: float) -> Incident:
        """Add a line to an open incident's log."""
        incident = self.get(id_)
        if incident.state != "open":
            raise IncidentError(f"incident {id_} is closed")
        self._note(incident, time, position, text)
        return incident

    def close(self, id_: str, position: str, time: float) -> Incident:
        """Close an incident. Raises IncidentError when it is closed already or held by someone else."""
        incident = self._held(id_, position)
        incident.state = "closed"
        incident.log.append(LogEntry(time, position, "closed"))
        return incident

    def _held(self, id_: str, position: str) -> Incident:
        incident = self.get(id_)
        if incident.state != "open":
            raise IncidentError(f"incident {id_} is closed")
        if incident.owner != position:
            raise IncidentError(f"incident {id_} is held by {incident.owner}, not by {position}")
        return incident

    @staticmethod
    def _note(incident: Incident, time: float, position: str, text: str) -> None:
        if len(incident.log) >= MAX_LOG_ENTRIES:
            raise IncidentError(f"the log of incident {incident.id} is full at {MAX_LOG_ENTRIES} lines")
        incident.log.append(LogEntry(time, position, text))
