"""The screen-pop: as a position answers, the CRM is asked who the caller is, and the console shows what it knows.

Nothing here stands in a call's way: the look-up runs beside it, and where the CRM does not answer in time the console
says so. Each position that gets the call looks for itself, and the CRM's audit has it under that position.
"""

from __future__ import annotations

from typing import Any, Final

from harness.endpoints.crm import Contact, CrmAdapter, CrmClient, load_adapter
from harness.errors import CrmError, NumberError
from harness.protocols import uk_numbers
from simulators.iccs.calls import SwitchCall
from simulators.iccs.positions import Position
from simulators.iccs.services_at import ServiceAt
from simulators.iccs.shared import Shared

NAME: Final = "iccs crm"
REASON: Final = "call"
_LOST: Final = ("crm_lost", "CRM")
_IMPACT: Final = "who calls and what is to be known of them is not shown; calls are answered all the same"
"""Why a console looks somebody up, as it stands in the CRM's audit."""
MAX_CONTACTS: Final = 5
MAX_TEXT: Final = 200
"""Contacts, and characters of a marker, that a console shows: an event has room for no more."""


class CrmDesk:
    """One control room's way to the CRM."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._settings = shared.settings.crm
        self._crm: CrmAdapter | None = None
        self._asked: dict[str, dict[str, dict[str, Any]]] = {}
        """For each call the positions that have looked, and what each was shown."""

    def start(self, at: ServiceAt | None) -> None:
        """Begin to look callers up at ``at``, or where the settings say; without either, nobody is.

        Raises CrmError for an adapter that is not installed.
        """
        settings = self._settings
        if settings.service is not None:
            at = ServiceAt(settings.service, settings.token.get_secret_value() if settings.token is not None else "")
        if at is None:
            return
        if settings.adapter == "iccs":
            self._crm = CrmClient(at.address, at.token, within=settings.within_s)
        else:
            self._crm = load_adapter(settings.adapter)(at.address, at.token)

    async def stop(self) -> None:
        """Look nobody up any more."""
        if self._crm is not None:
            await self._crm.close()

    def answered(self, call: SwitchCall, position: Position) -> None:
        """A position has a call now."""
        if self._crm is None or position.id in self._asked.setdefault(call.id, {}):
            return
        self._asked[call.id][position.id] = {}
        number = _number(call.cli)
        if number is None:
            reason = "the caller's number is not known" if call.cli is None else "it is nobody's own number"
            self._shared.positions.tell(position, "crm.not_asked", call=call.id, record=call.record.id, reason=reason)
            return
        self._shared.spawn(self._look(self._crm, call, position, number))

    def over(self, call: SwitchCall) -> None:
        """A call has ended."""
        self._asked.pop(call.id, None)

    def shown_to(self, position: Position) -> None:
        """A console begins to look on: show it again what is known of the caller it has."""
        shown = self._asked.get(position.call.id, {}).get(position.id) if position.call is not None else None
        if shown:
            self._show(position, shown)

    async def _look(self, crm: CrmAdapter, call: SwitchCall, position: Position, number: str) -> None:
        began = self._shared.now()
        try:
            found = await crm.find("telephone", number, user=position.id, reason=REASON)
        except CrmError as error:
            reason = str(error)[:MAX_TEXT]
            self._shared.faults.failed(*_LOST, "major", _IMPACT, reason)
            self._shared.positions.tell(position, "crm.unavailable", call=call.id, record=call.record.id, reason=reason)
            return
        self._shared.faults.well(*_LOST)
        shown = {
            "call": call.id,
            "record": call.record.id,
            "cli": call.cli,
            "contacts": [_shown(contact) for contact in found[:MAX_CONTACTS]],
            "more": max(0, len(found) - MAX_CONTACTS),
            "took_s": round(self._shared.now() - began, 6),
        }
        if call.id in self._asked:
            self._asked[call.id][position.id] = shown
        self._show(position, shown)

    def _show(self, position: Position, shown: dict[str, Any]) -> None:
        noted = {
            **shown,
            "contacts": [each["id"] for each in shown["contacts"]],
            "markers": [marker["kind"] for each in shown["contacts"] for marker in each["markers"]],
            "history": sum(len(each["history"]) for each in shown["contacts"]),
        }
        self._shared.positions.tell_privately(position, "crm.shown", shown, noted)


def _number(cli: str | None) -> str | None:
    """The number to look for; None for an extension or a short code, which are nobody's own."""
    try:
        return (uk_numbers.parse(cli).e164 or None) if cli is not None else None
    except NumberError:
        return None


def _shown(contact: Contact) -> dict[str, Any]:
    return {
        "id": contact.id,
        "name": contact.name,
        "markers": [{"kind": each.kind, "text": each.text[:MAX_TEXT], "since": each.since} for each in contact.markers],
        "history": [
            {"record": each.record, "channel": each.channel, "received": each.received, "grade": each.grade}
            for each in contact.history
        ],
    }
