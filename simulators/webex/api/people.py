"""People: who has an account; administrators make, change and remove them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from simulators.routes import Routes
from simulators.webex.api.asking import (
    Cursor,
    Email,
    Id,
    Items,
    Line,
    Most,
    Sent,
    after_number,
    answer,
    by_number,
    needs,
    wants,
)
from simulators.webex.cloud import Cloud
from simulators.webex.errors import conflict, forbidden, unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.guests import not_a_guest
from simulators.webex.leaving import disable, remove_person
from simulators.webex.shapes import Person, PhoneNumber, SipAddress

Read = Annotated[Caller, needs("spark:people_read", "spark-admin:people_read")]
Write = Annotated[Caller, needs("spark-admin:people_write")]
MAX_IDS = 85
"""Ids that one question may name."""
_ADMINISTRATORS_OWN = ("roles", "licenses", "loginEnabled", "invitePending")


class NumberSent(Sent):
    """A number."""

    type: Line
    value: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^\+?[0-9 ().-]+$")]


class PersonSent(Sent):
    """An account that is made or changed."""

    emails: list[Email] = Field(min_length=1, max_length=1)
    phone_numbers: list[NumberSent] | None = Field(default=None, max_length=16)
    extension: Annotated[str, Field(pattern=r"^[0-9]{0,10}$")] | None = None
    location_id: Id | None = None
    display_name: Line | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    nick_name: Line | None = None
    avatar: Annotated[str, Field(max_length=1_000)] | None = None
    department: Line | None = None
    title: Line | None = None
    org_id: Id | None = None
    roles: list[Id] | None = Field(default=None, max_length=32)
    licenses: list[Id] | None = Field(default=None, max_length=100)
    login_enabled: bool | None = None


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/people", tags=["people"])
    _looking(router, cloud)
    _changing(router, cloud)
    return router


def _fields(cloud: Cloud, caller: Caller, sent: PersonSent) -> dict[str, Any]:
    store, org = cloud.store, caller.person.org_id
    if sent.org_id is not None and sent.org_id != org:
        raise unknown("organization")
    if sent.location_id is not None:
        store.locations.get(sent.location_id, org)
    for role in sent.roles or ():
        store.roles.get(role, org)
    for each in sent.licenses or ():
        store.licenses.get(each, org)
    names = [each for each in (sent.first_name, sent.last_name) if each is not None]
    display = sent.display_name or " ".join(names)
    if not display:
        raise unfit("Either displayName or firstName and lastName are needed.")
    given = sent.model_dump(exclude_none=True, exclude={"emails", "phone_numbers", "org_id", "display_name"})
    email = sent.emails[0].lower()
    address = SipAddress(type="personal-room", value=email, primary=True)
    given |= {"emails": [email], "display_name": display, "sip_addresses": [address]}
    if sent.phone_numbers is not None:
        given["phone_numbers"] = [PhoneNumber(type=each.type, value=each.value) for each in sent.phone_numbers]
    return given


def _looking(router: Routes, cloud: Cloud) -> None:
    """Who looks."""
    store = cloud.store

    def shown(caller: Caller, person: Person) -> dict[str, Any]:
        told = person.told()
        if not caller.has("spark-admin:people_read"):
            for name in _ADMINISTRATORS_OWN:
                told.pop(name, None)
        return told

    @router.get("", response_model=Items[Person])
    async def people(
        request: Request,
        caller: Read,
        email: Annotated[str | None, Query(max_length=254)] = None,
        display_name: Annotated[str | None, Query(alias="displayName", max_length=256)] = None,
        ids: Annotated[str | None, Query(alias="id", max_length=16_000)] = None,
        org_id: Annotated[str | None, wants("orgId")] = None,
        location_id: Annotated[str | None, wants("locationId")] = None,
        roles: Annotated[str | None, wants("roles")] = None,
        max: Most = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Who has an account; who is no administrator has to say who is looked for. Guests look for nobody."""
        not_a_guest(caller.person)
        org = caller.person.org_id
        if org_id is not None:
            store.organizations.get(org_id, org)
        if not (email or display_name or ids) and not caller.has("spark-admin:people_read"):
            raise unfit("Email, displayName, or id list should be specified.")
        wanted = frozenset((ids or "").split(",")) - {""}
        if len(wanted) > MAX_IDS:
            raise unfit(f"At most {MAX_IDS} ids can be asked for at once.")
        found = [
            each
            for each in after_number(store.people.of(org), cloud.pager.after(request, cursor))
            if each.type != "appuser"
            and (email is None or email.lower() in each.emails)
            and (display_name is None or each.display_name.lower().startswith(display_name.lower()))
            and (not wanted or each.id in wanted)
            and (location_id is None or each.location_id == location_id)
            and (roles is None or roles in (each.roles or ()))
        ]
        return cloud.pager.page(request, found, by_number, max, shown=lambda each: shown(caller, each))

    @router.get("/me", response_model=Person)
    async def me(caller: Read) -> JSONResponse:
        """Whose token it is."""
        return JSONResponse(shown(caller, caller.person))

    @router.get("/{person_id}", response_model=Person)
    async def person(caller: Read, person_id: str) -> JSONResponse:
        """One person; for guests somebody whose room they share."""
        found = store.people.get(person_id, caller.person.org_id)
        own = caller.person
        met = store.by_person.get(own.id, {}).keys() & store.by_person.get(found.id, {}).keys()
        if own.guest_of is not None and found is not own and not met:
            raise unknown("person")
        return JSONResponse(shown(caller, found))


def _changing(router: Routes, cloud: Cloud) -> None:
    """Administrators change."""
    store = cloud.store

    def audit(request: Request, caller: Caller, text: str, person_id: str) -> None:
        cloud.audit(request, caller, "USERS", text, "PERSON", person_id)

    @router.post("", response_model=Person)
    async def create(request: Request, caller: Write, sent: PersonSent) -> JSONResponse:
        """Make an account."""
        given = _fields(cloud, caller, sent)
        if any(given["emails"][0] in each.emails for each in store.people):
            raise conflict("User already exists.")
        now = store.stamp()
        org = caller.person.org_id
        person = Person(id=store.people.new_id(), org_id=org, created=now, last_modified=now, **given)
        store.people.add(person, org)
        audit(request, caller, "created a user", person.id)
        return answer(person)

    @router.put("/{person_id}", response_model=Person)
    async def update(request: Request, caller: Write, person_id: str, sent: PersonSent) -> JSONResponse:
        """Change an account; what is left out stays as it is."""
        person = store.people.get(person_id, caller.person.org_id)
        not_a_guest(person)
        given = _fields(cloud, caller, sent)
        if any(given["emails"][0] in each.emails for each in store.people if each is not person):
            raise conflict("User already exists.")
        if person is caller.person and sent.login_enabled is False:
            raise forbidden("An administrator can't disable their own account.")
        for name, value in given.items():
            setattr(person, name, value)
        person.last_modified = store.stamp()
        if sent.login_enabled is False:
            disable(cloud, person)
        audit(request, caller, "updated a user", person.id)
        return answer(person)

    @router.delete("/{person_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(request: Request, caller: Write, person_id: str) -> Response:
        """Remove an account: a leaver."""
        person = store.people.get(person_id, caller.person.org_id)
        not_a_guest(person)
        if person is caller.person:
            raise forbidden("An administrator can't delete their own account.")
        remove_person(cloud, person)
        audit(request, caller, "deleted a user", person.id)
        return Response(status_code=HTTPStatus.NO_CONTENT)
