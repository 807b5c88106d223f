"""Whether every answered call is accounted for: by an incident, or by a reason for none (NICCS-INT-002).

After a failure, what was written on paper is entered as incidents or reasons; what is left here is what nobody entered.
"""

from __future__ import annotations

from typing import Any, Final

from simulators.iccs.command_desk import CommandDesk
from simulators.iccs.incidents import IncidentLog
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.shared import Shared

MAX_SHOWN: Final = 1_000
"""Orphans, and unregistered incidents, that one report lists; their number is whole."""


def account_for(shared: Shared, position: Position, record: str | None, reason: str) -> dict[str, Any]:
    """Say why a call needs no incident: the one in hand, the latest one's, or that of the record named.

    Raises PositionError where nobody sits there or it had no call, RecordError for a record that there is not.
    """
    position.seated()
    named = record or position.last_record
    if named is None:
        raise PositionError(f"{position.id} has had no call yet")
    found = shared.records.get(named)
    found.no_incident = {"by": position.id, "time": round(shared.now(), 6), "reason": reason}
    found.note(shared.now(), "no incident", by=position.id, reason=reason)
    shared.positions.tell(position, "call.accounted_for", record=found.id, reason=reason)
    return found.shown()


def reconciliation(shared: Shared, incidents: IncidentLog, command: CommandDesk) -> dict[str, Any]:
    """Return the report."""
    answered = [each for each in shared.records.find(limit=2**31) if each.answered is not None]
    orphans = [each for each in answered if not each.incidents and each.no_incident is None]
    link = command.figures()
    unregistered = [each.id for each in incidents if each.reference is None] if link["linked"] else []
    return {
        "answered": len(answered),
        "with_incident": sum(bool(each.incidents) for each in answered),
        "with_reason": sum(not each.incidents and each.no_incident is not None for each in answered),
        "orphans": len(orphans),
        "orphaned": [
            {"record": each.id, "since": each.since, "queue": each.queue, "positions": each.positions}
            for each in orphans[:MAX_SHOWN]
        ],
        "unregistered": len(unregistered),
        "not_registered": unregistered[:MAX_SHOWN],
        "command_control": link,
    }
