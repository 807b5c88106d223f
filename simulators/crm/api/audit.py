"""Routes of the CRM: the access audit, read and verified."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import Query

from simulators.crm import audit
from simulators.crm.api.asking import After, Limit
from simulators.crm.desk import Desk
from simulators.crm.ids import ContactId, number_of
from simulators.routes import Routes

Hash = Annotated[str, Query(pattern=r"^[0-9a-f]{64}$")]


def audit_routes(desk: Desk) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/audit", tags=["audit"])

    @router.get("")
    async def read(
        contact: Annotated[ContactId | None, Query()] = None,
        user: Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$")] = None,
        after: After = 0,
        limit: Limit = 100,
    ) -> dict[str, Any]:
        """Who looked at or changed whose data, when and why; oldest first."""
        number = None if contact is None else number_of(contact)
        entries = await desk.run(
            lambda session: audit.read(session, contact=number, user=user, after=after, limit=limit)
        )
        return {"entries": entries}

    @router.get("/verify")
    async def verify(
        number: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None, hash: Hash | None = None
    ) -> dict[str, Any]:
        """Follow the chain from its start. With the number and hash of an entry noted earlier, that one is looked for
        too: it tells whether entries were taken off the end."""
        so_far = audit.Verified()
        noted: str | None = None
        while not so_far.over:
            so_far = await desk.run(partial(audit.follow, so_far=so_far))
        if number is not None:
            entries = await desk.run(
                lambda session: audit.read(session, contact=None, user=None, after=number - 1, limit=1)
            )
            noted = entries[0]["hash"] if entries and entries[0]["number"] == number else None
        wrong, why = so_far.wrong, so_far.why
        if wrong is None and number is not None and (noted is None or (hash is not None and noted != hash)):
            wrong, why = number, "it is not there" if noted is None else "it has not the hash that was noted"
        return {
            "entries": so_far.number,
            "hash": so_far.hash,
            "intact": wrong is None,
            "first_wrong": wrong,
            "why": why,
        }

    return router
