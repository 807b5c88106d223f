"""An organisation as its administrators see it: itself, its licences, the roles of administrators, what happened."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from simulators.routes import Routes
from simulators.webex.api.asking import (
    Cursor,
    Items,
    Moment,
    Most,
    after_number,
    answer,
    by_number,
    needs,
    stamped,
    wants,
)
from simulators.webex.cloud import Cloud
from simulators.webex.errors import unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.shapes import AuditEvent, Event, License, Organization, Role

Organizations = Annotated[Caller, needs("spark-admin:organizations_read", "spark-admin:people_read")]
Licenses = Annotated[Caller, needs("spark-admin:licenses_read")]
Roles = Annotated[Caller, needs("spark-admin:roles_read")]
Audit = Annotated[Caller, needs("audit:events_read")]
Events = Annotated[Caller, needs("spark:all", "spark-compliance:events_read")]
CATEGORIES: Final = (
    "COMPLIANCE",
    "DEVICES",
    "LOCATIONS",
    "LOGINS",
    "LOGOUT",
    "ORG_SETTINGS",
    "ROLES",
    "USERS",
    "WORKSPACES",
)
"""What administrators' acts are sorted by; those that the simulator has."""
MAX_AUDIT: Final = 200


class Categories(BaseModel):
    """What administrators' acts are sorted by."""

    eventCategories: list[str]  # noqa: N815 - Webex's name


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["organisation"])
    store = cloud.store

    @router.get("/organizations", response_model=Items[Organization])
    async def organizations(request: Request, caller: Organizations) -> JSONResponse:
        """The organisations that the administrator has: one."""
        return cloud.pager.page(request, store.organizations.of(caller.person.org_id), by_number, 1)

    @router.get("/organizations/{org_id}", response_model=Organization)
    async def organization(caller: Organizations, org_id: str) -> JSONResponse:
        """One."""
        return answer(store.organizations.get(org_id, caller.person.org_id))

    def counted(each: License) -> License:
        people = sum(each.id in (person.licenses or ()) for person in store.people.of(each.tenant))
        each.consumed_by_users = each.consumed_units = people
        return each

    @router.get("/licenses", response_model=Items[License])
    async def licenses(
        request: Request, caller: Licenses, org_id: Annotated[str | None, wants("orgId")] = None
    ) -> JSONResponse:
        """How many of what there are, and are used."""
        org = store.organizations.get(org_id or caller.person.org_id, caller.person.org_id)
        found = [counted(each) for each in store.licenses.of(org.id)]
        return cloud.pager.page(request, found, by_number, len(found))

    @router.get("/licenses/{license_id}", response_model=License)
    async def licence(caller: Licenses, license_id: str) -> JSONResponse:
        """One."""
        return answer(counted(store.licenses.get(license_id, caller.person.org_id)))

    @router.get("/roles", response_model=Items[Role])
    async def roles(request: Request, caller: Roles) -> JSONResponse:
        """What an administrator can be."""
        found = store.roles.of(caller.person.org_id)
        return cloud.pager.page(request, found, by_number, len(found))

    @router.get("/roles/{role_id}", response_model=Role)
    async def role(caller: Roles, role_id: str) -> JSONResponse:
        """One."""
        return answer(store.roles.get(role_id, caller.person.org_id))

    @router.get("/events", response_model=Items[Event])
    async def events(
        request: Request,
        caller: Events,
        resource: Annotated[str | None, Query(max_length=64)] = None,
        type: Annotated[str | None, Query(max_length=64)] = None,
        actor_id: Annotated[str | None, wants("actorId")] = None,
        since: Annotated[Moment | None, Query(alias="from")] = None,
        until: Annotated[Moment | None, Query(alias="to")] = None,
        max: Most = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """What happened, newest first: of oneself, and for a compliance officer of everybody."""
        everybody = caller.has("spark-compliance:events_read")
        begin, end = stamped(since) if since else None, stamped(until) if until else None
        found = [
            each
            for each in after_number(
                store.events.of(caller.person.org_id), cloud.pager.after(request, cursor), newest_first=True
            )
            if (everybody or each.actor_id == caller.person.id)
            and (resource is None or each.resource == resource)
            and (type is None or each.type == type)
            and (actor_id is None or each.actor_id == actor_id)
            and (begin is None or each.created >= begin)
            and (end is None or each.created < end)
        ]
        return cloud.pager.page(request, found, by_number, max)

    @router.get("/events/{event_id}", response_model=Event)
    async def event(caller: Events, event_id: str) -> JSONResponse:
        """One."""
        event = store.events.get(event_id, caller.person.org_id)
        if event.actor_id != caller.person.id and not caller.has("spark-compliance:events_read"):
            raise unknown("event")
        return answer(event)

    @router.get("/adminAudit/eventCategories", response_model=Categories)
    async def categories(caller: Audit) -> JSONResponse:
        """What administrators' acts are sorted by."""
        return JSONResponse({"eventCategories": list(CATEGORIES)})

    @router.get("/adminAudit/events", response_model=Items[AuditEvent])
    async def audit(
        request: Request,
        caller: Audit,
        since: Annotated[Moment, Query(alias="from")],
        until: Annotated[Moment, Query(alias="to")],
        org_id: Annotated[str | None, wants("orgId")] = None,
        actor_id: Annotated[str | None, wants("actorId")] = None,
        event_categories: Annotated[str | None, Query(alias="eventCategories", max_length=1_000)] = None,
        max: Annotated[int, Query(ge=1, le=MAX_AUDIT)] = 100,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """What administrators did between two moments, newest first."""
        org = store.organizations.get(org_id or caller.person.org_id, caller.person.org_id)
        begin, end = stamped(since), stamped(until)
        if begin > end:
            raise unfit("'from' lies after 'to'.")
        wanted = frozenset((event_categories or "").split(",")) - {""}
        place = cloud.pager.after(request, cursor)
        found = [
            each
            for each in after_number(store.audit.of(org.id), place, newest_first=True)
            if begin <= each.created <= end
            and (actor_id is None or each.actor_id == actor_id)
            and (not wanted or each.data["eventCategory"] in wanted)
        ]
        return cloud.pager.page(request, found if place is not None else found[offset:], by_number, max)

    return router
