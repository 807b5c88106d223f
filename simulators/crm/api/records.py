"""Routes of the CRM: records, THRIVE, grades, transfers, failure demand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Header, Response, status
from sqlalchemy.orm import Session

from simulators import thrive
from simulators.crm import records
from simulators.crm.api.asking import LOOKS, Key, Looking
from simulators.crm.audit import Who
from simulators.crm.bodies import (
    ByBody,
    FailureDemandBody,
    GradeBody,
    NoteBody,
    RecordBody,
    ThriveBody,
    TransferBody,
)
from simulators.crm.desk import Desk
from simulators.crm.errors import UnfitError
from simulators.crm.ids import RecordId, shown
from simulators.crm.reports import NO_FAILURE
from simulators.crm.tables import Record
from simulators.faults import Faults
from simulators.routes import Routes

Shown = dict[str, Any]
IdempotencyKey = Annotated[Key, Header()]


def record_routes(desk: Desk, faults: Faults) -> Routes:
    """Return the routes."""
    router = Routes(tags=["records"])
    _add_making(router, desk, faults)
    _add_deciding(router, desk)
    return router


def _add_making(router: Routes, desk: Desk, faults: Faults) -> None:
    @router.post(
        "/records", status_code=status.HTTP_201_CREATED, responses={200: {"description": "Had before", "model": Shown}}
    )
    async def make(body: RecordBody, idempotency_key: IdempotencyKey, response: Response) -> Shown:
        """Make a record of a contact that was made. Told again with the same key, it is answered as it was."""

        def work(session: Session) -> tuple[Shown, bool]:
            made = records.make(session, desk.now(), body, idempotency_key)
            record = made.record
            told: Shown = {"id": shown("R", record.number), "contact": shown("C", record.contact)}
            if made.created:
                who = Who(f"channel:{body.channel}", "a contact was made")
                desk.audit(session, who, "record.made", told["id"], [record.contact])
                told["matched_by"] = made.matched_by
            return told, made.created

        told, created = await desk.run(work)
        kind = "record.made" if created else "record.repeated"
        desk.events.tell(kind, record=told["id"], contact=told["contact"], channel=body.channel, flags=body.flags)
        await faults.after()
        response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
        return {**told, "created": created}

    @router.get("/records/{record_id}", openapi_extra=LOOKS)
    async def read(who: Looking, record_id: RecordId) -> Shown:
        """One record with its notes, assessments and decisions."""

        def work(session: Session) -> tuple[Shown, int]:
            record = records.get(session, record_id)
            entry = desk.audit(session, who, "record.read", record_id, [record.contact])
            return records.shown_record(session, record), entry

        found, entry = await desk.run(work)
        desk.events.tell("looked", user=who.user, entry=entry, contacts=[found["contact"]])
        return found

    @router.post("/records/{record_id}/notes", status_code=status.HTTP_201_CREATED)
    async def note(record_id: RecordId, body: NoteBody) -> Shown:
        """Add a line."""

        def work(session: Session) -> None:
            record = records.get(session, record_id)
            records.note(session, desk.now(), record, body.by, body.text)
            desk.audit(session, Who(body.by, "a note"), "record.noted", record_id, [record.contact])

        await desk.run(work)
        desk.events.tell("record.noted", record=record_id, user=body.by)
        return {"id": record_id}


def _add_deciding(router: Routes, desk: Desk) -> None:
    async def decide(
        record_id: str, by: str, action: str, does: Callable[[Session, Record], str | None], **told: Any
    ) -> Shown:
        """Change a record as ``does`` says, audited and told as what it returns; not where that is None."""

        def work(session: Session) -> tuple[Shown, str | None]:
            record = records.get(session, record_id)
            done = does(session, record)
            if done is not None:
                desk.audit(session, Who(by, action), f"record.{done}", record_id, [record.contact])
            session.flush()
            kept = {"id": record_id, "grade": record.grade, "owner": record.owner}
            return {**kept, "attended": record.attended_at is not None, "failure_demand": record.failure_demand}, done

        kept, done = await desk.run(work)
        if done is not None:
            desk.events.tell(f"record.{done}", record=record_id, user=by, **told)
            desk.reviews_changed()
        return kept

    @router.put("/records/{record_id}/thrive")
    async def assess(record_id: RecordId, body: ThriveBody) -> Shown:
        """Assess it by THRIVE: all six factors and the rationale (SVC-005). An earlier assessment stays to be read."""
        assessed = thrive.assessed(body.model_dump())

        def does(session: Session, record: Record) -> str:
            records.assess(session, desk.now(), record, body.by, assessed)
            return "assessed"

        return await decide(record_id, body.by, "THRIVE", does)

    @router.put("/records/{record_id}/grade")
    async def grade(record_id: RecordId, body: GradeBody) -> Shown:
        """Grade it: Immediate, Prompt, Standard or Other (SVC-006). 409 without an assessment; 422 where it is graded
        otherwise already and no rationale comes with it (SVC-011)."""
        wanted = thrive.grade_of(body.grade)
        review_s = desk.settings.prompt_review_min * 60

        def does(session: Session, record: Record) -> str | None:
            return records.grade(
                session, desk.now(), record, wanted, by=body.by, rationale=body.rationale, review_s=review_s
            )

        return await decide(record_id, body.by, "a grade", does, grade=wanted.value)

    @router.post("/records/{record_id}/transfer")
    async def transfer(record_id: RecordId, body: TransferBody) -> Shown:
        """Give it to somebody else. 409 without an assessment, 422 without a rationale (SVC-011)."""

        def does(session: Session, record: Record) -> str:
            records.transfer(session, desk.now(), record, body.to, by=body.by, rationale=body.rationale)
            return "transferred"

        return await decide(record_id, body.by, "a transfer", does)

    @router.post("/records/{record_id}/attended")
    async def attend(record_id: RecordId, body: ByBody) -> Shown:
        """Note that somebody attends now: no review is raised any more."""

        def does(session: Session, record: Record) -> str | None:
            return "attended" if records.attend(session, desk.now(), record) else None

        return await decide(record_id, body.by, "attendance", does)

    @router.put("/records/{record_id}/failure-demand")
    async def code(record_id: RecordId, body: FailureDemandBody) -> Shown:
        """Say whether the contact was made because of a failure of ours, and of which; ``none``: of none."""
        codes = [NO_FAILURE, *desk.settings.failure_demand]
        if body.code not in codes:
            raise UnfitError(f"{body.code!r} is no code of failure demand: there is {', '.join(codes)}")

        def does(_session: Session, record: Record) -> str:
            record.failure_demand, record.failure_note = body.code, body.note
            return "coded"

        return await decide(record_id, body.by, "failure demand", does, code=body.code)
