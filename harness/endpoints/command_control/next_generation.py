"""A system of another shape in STORM's place: resources, one request each, keys in a header, changes by a token.

It is nobody's product: it is here to prove that whatever comes next takes STORM's place by the testbed file alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from harness.endpoints.command_control.outbox import Kept
from harness.endpoints.command_control.telling import News, Outcome, Telling, listing, mapping, text
from harness.errors import CommandControlError

MAX_CHANGES: Final = 500
"""Changes of one answer."""
_ACTS: Final = {
    "incident.noted": "journal",
    "incident.handed_over": "custody",
    "incident.closed": "closure",
    "incident.transferred": "transfer",
}
_KINDS: Final = {
    "UnitStateChanged": "unit.state",
    "IncidentChanged": "incident.updated",
    "JournalWritten": "incident.noted",
}


class NextGeneration:
    """The dialect ``next_generation``."""

    most = 1

    def telling(self, entries: Sequence[Kept]) -> Telling:
        [kept] = entries
        entry = kept.entry
        about = quote(entry.about, safe="")
        headers = {"Idempotency-Key": kept.key}
        if entry.kind == "unit.state":
            return Telling("PUT", f"/api/units/{about}/state", _flat(entry.body), headers)
        if entry.kind == "incident.opened":
            return Telling("PUT", f"/api/incidents/{about}", _flat(entry.body), headers)
        return Telling("POST", f"/api/incidents/{about}/{_ACTS[entry.kind]}", _flat(entry.body), headers)

    def outcomes(self, entries: Sequence[Kept], status: int, body: Any) -> list[Outcome]:
        if status in (200, 201):
            tree = mapping(body, "answer")
            repeated = tree.get("replayed") is True
            return [Outcome(True, reference=text(tree.get("number", ""), "number"), repeated=repeated)]
        if status in (404, 409, 413, 422):
            reason = body.get("title", "") if isinstance(body, dict) else body
            return [Outcome(False, reason=f"{status} {str(reason)[:200]}")]
        raise CommandControlError(f"answered {status}: {str(body)[:200]}")

    def asking(self, cursor: str) -> Telling:
        return Telling("GET", f"/api/changes?since={quote(cursor, safe='')}")

    def news(self, body: Any) -> tuple[list[News], str]:
        tree = mapping(body, "changes")
        found = []
        for each in listing(tree.get("items"), "items", MAX_CHANGES):
            kind = _KINDS.get(text(each.get("event"), "event"))
            if kind is None:
                continue  # changes that we have no use for yet
            found.append(News(kind, text(each.get("subject"), "subject"), mapping(each.get("detail"), "detail")))
        return found, text(tree.get("next"), "next")


def _flat(eido: dict[str, Any]) -> dict[str, Any]:
    """The few fields that this system takes, out of an EIDO."""
    incident = eido.get("incidentComponent", {})
    units = eido.get("emergencyResourceComponent", [])
    calls = eido.get("callbackComponent", [])
    flat = {
        "title": incident.get("incidentTypeInternalText"),
        "category": incident.get("incidentTypeCommonRegistryText"),
        "at": eido.get("lastUpdateTimeStamp"),
        "position": next(iter(each.get("$id") for each in eido.get("agentComponent", [])), None),
        "telephones": [uri for each in calls for uri in each.get("callBackInformationUri", [])] or None,
        "lines": [each.get("notesActionComments") for each in eido.get("notesComponent", [])] or None,
        "state": units[0].get("primaryUnitStatusRegistryText") if units else None,
        "to": incident.get("beatOrDispatchGroupText"),
        "source": eido,
    }
    return {name: value for name, value in flat.items() if value is not None}
