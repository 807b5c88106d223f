"""Licences given to people who have an account, and taken from them; with one for calling comes a line."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from simulators.routes import Routes
from simulators.webex.api.asking import Email, Id, Sent, needs
from simulators.webex.cloud import Cloud
from simulators.webex.errors import unfit
from simulators.webex.front import Caller
from simulators.webex.shapes import License, Person

Write = Annotated[Caller, needs("spark-admin:people_write")]
CALLING: Final = "Webex Calling"
"""How the names of licences begin with which calls are made."""


class LineSent(Sent):
    """Where somebody is called."""

    location_id: Id | None = None
    phone_number: Annotated[str, Field(pattern=r"^\+[0-9]{4,15}$")] | None = None
    extension: Annotated[str, Field(pattern=r"^[0-9]{2,10}$")] | None = None


class LicenceSent(Sent):
    """One licence."""

    id: Id
    operation: Literal["add", "remove"] = "add"
    properties: LineSent | None = None


class LicencesSent(Sent):
    """Whose licences, and which."""

    email: Email | None = None
    person_id: Id | None = None
    org_id: Id | None = None
    licenses: list[LicenceSent] = Field(min_length=1, max_length=100)


class LicencesTold(BaseModel):
    """What somebody has now."""

    orgId: str  # noqa: N815 - Webex's name
    personId: str  # noqa: N815 - Webex's name
    email: str
    licenses: list[str]


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/licenses", tags=["organisation"])
    store = cloud.store

    @router.patch("/users", response_model=LicencesTold)
    async def assign(request: Request, caller: Write, sent: LicencesSent) -> JSONResponse:
        """Give licences to somebody and take others: all of it, or nothing where one is refused."""
        org = caller.person.org_id
        if sent.email is None and sent.person_id is None:
            raise unfit("At least one of email, personId is required.")
        if sent.org_id is not None:
            store.organizations.get(sent.org_id, org)
        person = cloud.whom(caller, sent.person_id, sent.email)
        if person.type != "person":
            raise unfit("Only people have licenses.")
        changes = [(store.licenses.get(each.id, org), each) for each in sent.licenses]
        for licence, each in changes:
            if each.operation == "add":
                _need_free(cloud, licence, person)
                if licence.name.startswith(CALLING):
                    _need_line(cloud, person, each.properties)
        had = list(person.licenses or ())
        for licence, each in changes:
            calling = licence.name.startswith(CALLING)
            if each.operation == "remove" and licence.id in had:
                had.remove(licence.id)
                if calling:
                    person.off_line()
            elif each.operation == "add":
                had += [licence.id] if licence.id not in had else []
                if calling and each.properties is not None:
                    person.at_line(each.properties.location_id, each.properties.extension, each.properties.phone_number)
        person.licenses = had
        person.last_modified = store.stamp()
        cloud.audit(request, caller, "USERS", "changed a user's licenses", "PERSON", person.id)
        told: dict[str, Any] = {"orgId": org, "personId": person.id, "email": person.emails[0], "licenses": had}
        return JSONResponse(told)

    return router


def _need_free(cloud: Cloud, licence: License, person: Person) -> None:
    """Raise WebexError, 400, where every one of a licence is somebody else's. [unconfirmed]"""
    others = sum(
        licence.id in (each.licenses or ()) for each in cloud.store.people.of(person.org_id) if each is not person
    )
    if others >= licence.total_units:
        raise unfit(f"No units of the license {licence.name!r} are left.")


def _need_line(cloud: Cloud, person: Person, line: LineSent | None) -> None:
    """Raise WebexError where somebody would have no line, or another's."""
    store, org = cloud.store, person.org_id
    if line is None or (line.phone_number is None and line.extension is None):
        raise unfit("Either phoneNumber or extension is required for a calling license.")
    if line.phone_number is None and line.location_id is None:
        raise unfit("A locationId is required where there is no phoneNumber.")
    if line.location_id is not None:
        store.locations.get(line.location_id, org)
    extension, number = line.extension, line.phone_number
    others = [each for each in store.people.of(org) if each is not person]
    if extension is not None and (
        any(each.extension == extension for each in others) or store.workspace_by_extension(extension, org) is not None
    ):
        raise unfit(f"The extension {extension} is taken.")
    if number is not None and any(number == own.value for each in others for own in each.phone_numbers):
        raise unfit("The phone number is taken.")
