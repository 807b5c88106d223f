"""Checks against a records database: tasked by a dispatcher with a reason, accepted and returned in the incident's log.

Who asked, when and why stands in the audit; whom or what about stands in the incident's log alone, and in no journal.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from harness.endpoints.records_check import Answer, Check, Kind, RecordsLink
from harness.errors import RecordsCheckError
from simulators.iccs.audit.record import Audit
from simulators.iccs.incidents import IncidentError, IncidentLog
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.services_at import ServiceAt
from simulators.iccs.shared import Shared

RETURNED_S: Final = 30.0
"""Seconds after which a check that is not answered counts as failed. [p]"""
LOOKS_EVERY_S: Final = 0.5
MAX_UNDER_WAY: Final = 200
"""Checks that may be under way at once."""
MAX_SHOWN: Final = 1_900
"""Characters of an answer in one line of a log, which holds 2,000."""


class RecordsDesk:
    """One control room's checks."""

    def __init__(self, shared: Shared, incidents: IncidentLog, audit: Audit) -> None:
        self._shared = shared
        self._incidents = incidents
        self._audit = audit
        self._link: RecordsLink | None = None
        self._tag = ""
        self._count = 0
        self._under_way = 0

    def start(self, at: ServiceAt | None) -> None:
        """Ask there from now on; without it every check is refused."""
        if at is not None:
            self._link = RecordsLink(at.address, token=at.token)
            self._tag = f"{self._shared.context.rng.getrandbits(32):08x}"

    async def stop(self) -> None:
        """Ask no more."""
        if self._link is not None:
            await self._link.close()

    async def task(
        self, position: Position, incident: str, kind: Kind, subject: dict[str, str], reason: str
    ) -> dict[str, Any]:
        """Task a check; return ``check`` and the database's ``reference`` once it is accepted.

        ``records_check.returned`` {check, incident, outcome} or ``.failed`` {reason} tells what became of it. Raises
        NotAuthorisedError for want of the right, IncidentError for an incident that is not open, PositionError where
        the database can't be asked or refuses.
        """
        self._count += 1
        check = f"RC-{self._count:06d}"
        with self._audit.of(position, "records_check", f"{check} {kind} {incident}", needs="check_records", why=reason):
            link = self._link
            if link is None:
                raise PositionError("there is no records database to ask")
            if self._under_way >= MAX_UNDER_WAY:
                raise PositionError(f"{MAX_UNDER_WAY} checks are under way already")
            if self._incidents.get(incident).state != "open":
                raise PositionError(f"incident {incident} is {self._incidents.get(incident).state}")
            element = self._shared.settings.command_control.element
            asked = Check(f"{element}-{self._tag}:{check}", kind, subject, reason, position.id, incident, element)
            self._under_way += 1
            try:
                reference = await link.submit(asked)
            except BaseException as error:
                self._under_way -= 1
                if isinstance(error, RecordsCheckError):
                    raise PositionError(str(error)) from error
                raise
        about = ", ".join(subject.values())
        self._log(incident, position, f"records check {check} of {kind} {about}: accepted as {reference}; {reason}")
        self._shared.positions.tell(position, "records_check.accepted", check=check, incident=incident)
        self._shared.spawn(self._await(link, position, check, reference, incident))
        return {"check": check, "reference": reference}

    async def _await(self, link: RecordsLink, position: Position, check: str, reference: str, incident: str) -> None:
        try:
            async with asyncio.timeout(RETURNED_S):
                answer = await self._answered(link, reference)
        except TimeoutError:
            self._failed(position, check, incident, f"not returned within {RETURNED_S:g} s")
        except RecordsCheckError as error:
            self._failed(position, check, incident, str(error))
        else:
            told = "no trace" if answer.outcome == "no_trace" else "; ".join(answer.lines)[:MAX_SHOWN]
            self._log(incident, position, f"records check {check} returned: {told}")
            self._shared.positions.tell(
                position, "records_check.returned", check=check, incident=incident, outcome=answer.outcome
            )
        finally:
            self._under_way -= 1

    @staticmethod
    async def _answered(link: RecordsLink, reference: str) -> Answer:
        while True:
            try:
                answer = await link.answer(reference)
            except RecordsCheckError as error:
                if not error.unanswered:
                    raise
                answer = None  # asked again, as long as there is time
            if answer is not None:
                return answer
            await asyncio.sleep(LOOKS_EVERY_S)

    def _failed(self, position: Position, check: str, incident: str, reason: str) -> None:
        self._log(incident, position, f"records check {check} failed: {reason}")
        self._shared.positions.tell(position, "records_check.failed", check=check, incident=incident, reason=reason)

    def _log(self, incident: str, position: Position, text: str) -> None:
        now = self._shared.now()
        try:
            if self._incidents.get(incident).state == "open":
                self._incidents.note(incident, position.id, text, now)
            else:  # closed meanwhile: what came is kept here, and command and control would not have it any more
                self._incidents.heard(incident, position.id, text, now)
        except IncidentError as error:
            self._shared.journal.warn("iccs", "incident.not_noted", incident=incident, reason=str(error))
