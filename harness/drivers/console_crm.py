"""What a console shows of a caller from the CRM: kept for the test, and not in the journal, where ids and kinds do."""

from __future__ import annotations

from typing import Any, Final

from harness.errors import DriverError
from harness.journal import Event, Journal

MAX_KEPT: Final = 64
"""Calls of which it is kept; the oldest goes."""


class CallerRecords:
    """The part of a console that shows who the caller is. Events: ``crm.shown`` {call, record, contacts, markers,
    history, more, took_s}: ids, kinds and how many; ``crm.unavailable`` {call, reason}, ``crm.not_asked``.
    """

    name: str
    _journal: Journal
    _caller_records: dict[str, list[dict[str, Any]]]

    def _journalled(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """What a journal may have of an event; what is left out of a caller is kept beside it."""
        if kind != "crm.shown":
            return data
        contacts = [each for each in data.get("contacts", ()) if isinstance(each, dict)]
        self._caller_records[str(data.get("call"))] = contacts
        if len(self._caller_records) > MAX_KEPT:
            del self._caller_records[next(iter(self._caller_records))]
        return {
            **data,
            "contacts": [each.get("id") for each in contacts],
            "markers": [marker.get("kind") for each in contacts for marker in each.get("markers", ())],
            "history": sum(len(each.get("history", ())) for each in contacts),
        }

    def caller_record(self, call: str) -> list[dict[str, Any]]:
        """Contacts that the console showed for a call: ``id``, ``name``, ``markers`` and ``history`` of each.

        Raises DriverError where it showed none yet.
        """
        if call not in self._caller_records:
            raise DriverError(f"{self.name}: nothing of the CRM was shown for {call}")
        return self._caller_records[call]

    async def caller_shown(self, call: str, *, within: float) -> tuple[Event, list[dict[str, Any]]]:
        """Return the event by which it was shown, and the contacts. Raises ExpectationError."""
        shown = await self._journal.expect(self.name, "crm.shown", within=within, call=call)
        return shown, self.caller_record(call)
