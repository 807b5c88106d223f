"""The CRM driver: what advisers and supervisors do in a CRM, and what whoever runs a simulated one can do to it."""

from __future__ import annotations

from collections.abc import Mapping

from harness.drivers.controlled import SimulatedOrReal, ToldBySimulator
from harness.endpoints.control_link import ControlLink
from harness.endpoints.crm import (
    Contact,
    CrmAdapter,
    FoundBy,
    RecordMade,
    RecordTold,
    TaskTold,
    ThriveAssessment,
    load_adapter,
)
from harness.errors import DriverError
from harness.transport.context import Context


class Crm(SimulatedOrReal, ToldBySimulator):
    """A CRM. ``service`` asks it as any adapter does; what is done by this driver is journalled without a word of
    persons: ids, kinds and counts.

    Events of a simulated one, under the component's name: ``record.made`` {record, contact, channel, flags},
    ``record.repeated``, ``record.noted``, ``record.assessed``, ``record.graded``, ``record.regraded`` {record, user,
    grade}, ``record.transferred``, ``record.attended``, ``record.coded`` {code}, ``review.raised`` {task, record},
    ``task.made`` {task, what, about}, ``task.repeated``, ``task.done``, ``looked`` {user, entry, contacts},
    ``marker.set``, ``marker.ended`` {contact, marker}, ``contacts.merged``, ``merge.undone`` {merge, into, other},
    ``import.began``, ``import.ended`` {import, rows, added, changed, unchanged, bad}, ``fault`` and ``well``.
    """

    own = "crm."

    def __init__(self, context: Context, name: str, service: CrmAdapter) -> None:
        super().__init__(context, name, kind="crm")
        self.service = service
        """The CRM as its adapter reaches it, for what this driver has no act for."""

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        *,
        service: str,
        token: str = "",
        adapter: str = "iccs",
        control: str | None,
    ) -> Crm:
        """Reach the CRM at ``service`` (``http://host:port``), and a simulated one's events and faults at ``control``.

        Raises CrmError for an adapter that is not installed, DriverError where there are no events.
        """
        crm = cls(context, name, load_adapter(adapter)(service, token))
        if control is not None:
            try:
                crm._link = await ControlLink.open(context, name, control, token or None, crm._told)
            except DriverError:
                await crm.service.close()
                raise
        return crm

    async def close(self) -> None:
        """Disconnect; again does nothing."""
        if self._link is not None:
            await self._link.close()
        await self.service.close()

    # What advisers do; each raises CrmError with what the CRM says against it

    async def find(self, by: FoundBy, value: str, *, user: str, reason: str) -> list[Contact]:
        """Look somebody up by ``telephone``, ``email`` or ``name``."""
        found = await self.service.find(by, value, user=user, reason=reason)
        self._journal.record(self.name, "crm.looked_up", by=by, user=user, found=[each.id for each in found])
        return found

    async def add_record(self, record: RecordTold, *, key: str) -> RecordMade:
        """Make a record of a contact that was made; with the same ``key`` again in this run, nothing is made."""
        made = await self.service.add_record(record, key=self._key(key))
        self._journal.record(self.name, "crm.recorded", record=made.id, contact=made.contact, created=made.created)
        return made

    async def assess(self, record: str, factors: Mapping[str, str], *, by: str) -> None:
        """Assess a record by THRIVE: ``threat``, ``harm``, ``risk``, ``investigation``, ``vulnerability``,
        ``engagement`` and ``rationale``. Raises DriverError for another name.
        """
        try:
            assessment = ThriveAssessment(**factors)
        except TypeError as error:
            parts = ", ".join(ThriveAssessment.__slots__)
            raise DriverError(f"{self.name}: THRIVE has {parts}; given was {', '.join(factors)}") from error
        self._journal.record(self.name, "crm.assess", record=record, factors=list(factors))
        await self.service.assess(record, assessment, by=by)

    async def grade(self, record: str, grade: str, *, by: str, rationale: str = "") -> None:
        """Grade a record."""
        self._journal.record(self.name, "crm.grade", record=record, grade=grade, rationale=bool(rationale))
        await self.service.grade(record, grade, by=by, rationale=rationale)

    async def transfer(self, record: str, to: str, *, by: str, rationale: str = "") -> None:
        """Give a record to somebody else."""
        self._journal.record(self.name, "crm.transfer", record=record, rationale=bool(rationale))
        await self.service.transfer(record, to, by=by, rationale=rationale)

    async def attend(self, record: str, *, by: str) -> None:
        """Note that somebody attends."""
        self._journal.record(self.name, "crm.attend", record=record)
        await self.service.attend(record, by=by)

    async def code_failure_demand(self, record: str, code: str, *, by: str, note: str = "") -> None:
        """Say whether a contact was made because of a failure, and of which."""
        self._journal.record(self.name, "crm.code", record=record, code=code)
        await self.service.code_failure_demand(record, code, by=by, note=note)

    async def add_task(self, task: TaskTold, *, key: str) -> str:
        """Make a task; return its id. ``key`` as `add_record` has it."""
        made = await self.service.add_task(task, key=self._key(key))
        self._journal.record(self.name, "crm.task", task=made, what=task.kind, about=task.about)
        return made
