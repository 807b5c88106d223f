"""Routes of the CRM: contacts, their markers, and merging two that are one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, status
from sqlalchemy.orm import Session

from simulators.crm import contacts, merging
from simulators.crm.api.asking import LOOKS, Limit, Looking
from simulators.crm.audit import Who
from simulators.crm.bodies import MarkerBody, MergeBody, WhyBody
from simulators.crm.desk import Desk
from simulators.crm.ids import ContactId, MergeId, number_of, shown
from simulators.crm.tables import Contact
from simulators.routes import Routes

Shown = dict[str, Any]


def contact_routes(desk: Desk) -> Routes:
    """Return the routes."""
    router = Routes(tags=["contacts"])
    _add_looking(router, desk)
    _add_markers(router, desk)
    _add_merging(router, desk)
    return router


def _add_looking(router: Routes, desk: Desk) -> None:
    @router.get("/contacts", openapi_extra=LOOKS)
    async def find(
        who: Looking,
        telephone: Annotated[str | None, Query(max_length=40)] = None,
        email: Annotated[str | None, Query(max_length=254)] = None,
        name: Annotated[str | None, Query(max_length=200, description="How the name, or the last, begins.")] = None,
    ) -> Shown:
        """Find contacts by telephone, mail or name, all that is given: at most 20, with markers and newest history."""
        by = {"telephone": telephone, "email": email, "name": name}
        about = ", ".join(f"{key} {value}" for key, value in by.items() if value is not None)

        def work(session: Session) -> tuple[list[Shown], int]:
            found = contacts.find(session, telephone=telephone, email=email, name=name)
            entry = desk.audit(session, who, "contacts.found", about, [each.number for each in found])
            return [contacts.shown_contact(session, each) for each in found], entry

        found, entry = await desk.run(work)
        _looked(desk, who, entry, [each["id"] for each in found])
        return {"contacts": found}

    @router.get("/contacts/{contact_id}", openapi_extra=LOOKS)
    async def read(who: Looking, contact_id: ContactId) -> Shown:
        """One contact; of one that was merged, the one that stands for it."""

        def work(session: Session) -> tuple[Shown, int]:
            found = contacts.survivor(session, contacts.get(session, contact_id))
            entry = desk.audit(session, who, "contact.read", contact_id, [found.number])
            return contacts.shown_contact(session, found), entry

        found, entry = await desk.run(work)
        _looked(desk, who, entry, [found["id"]])
        return found

    @router.get("/contacts/{contact_id}/history", openapi_extra=LOOKS)
    async def history(
        who: Looking,
        contact_id: ContactId,
        before: Annotated[int | None, Query(ge=1, le=2**53 - 1, description="Records numbered below only.")] = None,
        limit: Limit = 100,
    ) -> Shown:
        """A contact's records, newest first, those of contacts merged into it among them."""

        def work(session: Session) -> tuple[list[Shown], int]:
            found = contacts.survivor(session, contacts.get(session, contact_id))
            entry = desk.audit(session, who, "history.read", contact_id, [found.number])
            numbers = [each.number for each in contacts.everyone(session, found)]
            return [contacts.line(r) for r in contacts.records_of(session, numbers, before=before, limit=limit)], entry

        found, entry = await desk.run(work)
        _looked(desk, who, entry, [contact_id])
        return {"records": found}


def _looked(desk: Desk, who: Who, entry: int, found: list[str]) -> None:
    desk.events.tell("looked", user=who.user, entry=entry, contacts=found)


def _add_markers(router: Routes, desk: Desk) -> None:
    @router.post("/contacts/{contact_id}/markers", status_code=status.HTTP_201_CREATED)
    async def mark(contact_id: ContactId, body: MarkerBody) -> Shown:
        """Set a marker. 409 where the contact has as many as it may."""

        def work(session: Session) -> Shown:
            contact = _whole(session, contact_id)
            marker = merging.mark(session, desk.now(), contact, kind=body.kind, text=body.text, by=body.by)
            desk.audit(session, Who(body.by, "a marker"), "marker.set", contact_id, [contact.number])
            return contacts.shown_marker(marker)

        marker = await desk.run(work)
        desk.events.tell("marker.set", contact=contact_id, marker=body.kind, user=body.by)
        return marker

    @router.post("/contacts/{contact_id}/markers/{number}/end")
    async def end(contact_id: ContactId, number: Annotated[int, _ABOVE_0], body: WhyBody) -> Shown:
        """End a marker, and say why; it is kept, and shown no more."""

        def work(session: Session) -> str:
            contact = _whole(session, contact_id)
            marker = merging.unmark(session, desk.now(), contact, number, by=body.by, why=body.reason)
            desk.audit(session, Who(body.by, body.reason), "marker.ended", contact_id, [contact.number])
            return marker.kind

        kind = await desk.run(work)
        desk.events.tell("marker.ended", contact=contact_id, marker=kind, user=body.by)
        return {"contact": contact_id, "number": number, "kind": kind}


_ABOVE_0 = Path(ge=1, le=2**53 - 1)


def _add_merging(router: Routes, desk: Desk) -> None:
    @router.post("/contacts/{contact_id}/merge", status_code=status.HTTP_201_CREATED)
    async def merge(contact_id: ContactId, body: MergeBody) -> Shown:
        """Say that ``other`` is the same contact: it is found as this one from now on, until that is undone."""

        def work(session: Session) -> int:
            into, other = contacts.get(session, contact_id), contacts.get(session, body.other)
            made = merging.merge(session, desk.now(), into, other, by=body.by, why=body.reason)
            numbers = [into.number, other.number]
            desk.audit(session, Who(body.by, body.reason), "contacts.merged", shown("M", made), numbers)
            return made

        told = {"merge": shown("M", await desk.run(work)), "into": contact_id, "other": body.other}
        desk.events.tell("contacts.merged", user=body.by, **told)
        return told

    @router.post("/merges/{merge_id}/undo")
    async def undo(merge_id: MergeId, body: WhyBody) -> Shown:
        """Undo a merge: both are again what they were, with what each has had since."""

        def work(session: Session) -> Shown:
            undone = merging.undo(session, desk.now(), merge_id, by=body.by, why=body.reason)
            numbers = [undone.into, undone.other]
            desk.audit(session, Who(body.by, body.reason), "merge.undone", merge_id, numbers)
            return {"merge": merge_id, "into": shown("C", undone.into), "other": shown("C", undone.other)}

        told = await desk.run(work)
        desk.events.tell("merge.undone", user=body.by, **told)
        return told

    @router.get("/merges")
    async def merges(contact: Annotated[ContactId, Query()]) -> Shown:
        """All merges that a contact was ever part of, undone or not, oldest first."""
        return {"merges": await desk.run(lambda session: merging.trail(session, number_of(contact)))}


def _whole(session: Session, id_: str) -> Contact:
    return contacts.survivor(session, contacts.get(session, id_))
