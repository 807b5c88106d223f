"""Routes of the control interface: the incident log."""

from __future__ import annotations

from fastapi import status

from harness.endpoints.records_check import Kind
from simulators.iccs.api.bodies import (
    GradeBody,
    HandOverBody,
    IncidentBody,
    NoIncidentBody,
    NoteBody,
    RecordsCheckBody,
    ThriveBody,
    TransferBody,
)
from simulators.iccs.api.places import At, Shown
from simulators.iccs.desk import OperatorDesk
from simulators.iccs.incidents import Incident
from simulators.routes import Routes
from simulators.thrive import PARTS


def incident_routes(desk: OperatorDesk) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/v1", tags=["incidents"])

    @router.post("/positions/{id_}/incidents", status_code=status.HTTP_201_CREATED)
    async def open_incident(at: At, body: IncidentBody) -> Shown:
        """Open an incident, from the call in hand where there is one."""
        call = at.call
        incident = desk.incidents.open(
            body.title,
            at.id,
            call=call.id if call else None,
            cli=call.cli if call else None,
            time=desk.now(),
            record=call.record.id if call else None,
        )
        if call is not None:
            call.record.incidents.append(incident.id)
        desk.positions.tell(at, "incident.opened", **_told(incident))
        return incident.shown()

    @router.get("/incidents/{id_}")
    async def read_incident(id_: str) -> Shown:
        """One incident with its log."""
        return desk.incidents.get(id_).shown()

    @router.post("/positions/{id_}/incidents/{incident_id}/hand-over")
    async def hand_over(at: At, incident_id: str, body: HandOverBody) -> Shown:
        """Give an incident that is held here to another position."""
        to = desk.positions.get(body.to)
        incident = desk.incidents.hand_over(incident_id, at.id, to.id, desk.now())
        desk.positions.tell(at, "incident.handed_over", to=to.id, **_told(incident))
        desk.positions.tell(to, "incident.received", by=at.id, **_told(incident))
        return incident.shown()

    @router.post("/positions/{id_}/incidents/{incident_id}/notes")
    async def note(at: At, incident_id: str, body: NoteBody) -> Shown:
        """Add a line to an open incident's log."""
        return desk.incidents.note(incident_id, at.id, body.text, desk.now()).shown()

    @router.post("/positions/{id_}/incidents/{incident_id}/thrive")
    async def assess(at: At, incident_id: str, body: ThriveBody) -> Shown:
        """Record factors of THRIVE, or the rationale, of an open incident; some now, others later."""
        parts = body.model_dump(exclude_none=True)
        incident = desk.incidents.assess(incident_id, at.id, parts, desk.now())
        missing = [part for part in PARTS if part not in incident.thrive]
        desk.positions.tell(at, "incident.assessed", incident=incident.id, parts=list(parts), missing=missing)
        return incident.shown()

    @router.post("/positions/{id_}/incidents/{incident_id}/grade")
    async def grade(at: At, incident_id: str, body: GradeBody) -> Shown:
        """Grade an open incident that is assessed by THRIVE. 409 without one; another grade than before says why."""
        was = desk.incidents.get(incident_id).grade
        incident = desk.incidents.give_grade(incident_id, at.id, body.grade, body.rationale, desk.now())
        desk.positions.tell(at, "incident.graded", incident=incident.id, grade=incident.grade, was=was)
        return incident.shown()

    @router.post("/positions/{id_}/incidents/{incident_id}/transfer")
    async def transfer(at: At, incident_id: str, body: TransferBody) -> Shown:
        """Give an incident that is held here to another force, by command and control."""
        incident = desk.incidents.transfer(incident_id, at.id, body.force, desk.now())
        desk.positions.tell(at, "incident.transferred", force=body.force, **_told(incident))
        return incident.shown()

    @router.post("/positions/{id_}/incidents/{incident_id}/records-checks", status_code=status.HTTP_202_ACCEPTED)
    async def check_records(at: At, incident_id: str, body: RecordsCheckBody) -> Shown:
        """Have a person or vehicle checked, with a reason: accepted and returned in the incident's log."""
        kind: Kind = "vehicle" if body.registration is not None else "person"
        subject = body.model_dump(exclude={"reason"}, exclude_none=True)
        return await desk.records_desk.task(at, incident_id, kind, subject, body.reason)

    @router.post("/positions/{id_}/no-incident")
    async def no_incident(at: At, body: NoIncidentBody) -> Shown:
        """Say why a call needs no incident: the one in hand, or that of a record."""
        return desk.account_for(at, body.record, body.reason)

    @router.post("/positions/{id_}/incidents/{incident_id}/close")
    async def close_incident(at: At, incident_id: str) -> Shown:
        """Close an incident that is held here."""
        incident = desk.incidents.close(incident_id, at.id, desk.now())
        desk.positions.tell(at, "incident.closed", **_told(incident))
        return incident.shown()

    return router


def _told(incident: Incident) -> Shown:
    told = {"incident": incident.id, "title": incident.title, "owner": incident.owner, "grade": incident.grade}
    return {**told, "incident_call": incident.call, "cli": incident.cli}
