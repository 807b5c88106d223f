"""Groups as a directory provisions them by SCIM 2.0: made, looked for, replaced, patched, removed; their members."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from simulators.routes import Routes
from simulators.webex.api.scim_users import (
    Count,
    ExcludedNames,
    Found,
    Names,
    Order,
    Read,
    Start,
    Write,
    found_page,
    names_of,
    narrowed,
)
from simulators.webex.cloud import Cloud
from simulators.webex.provisioning import Directory
from simulators.webex.scim_messages import DEFAULT, TellsList, Told, answer, listed, page
from simulators.webex.scim_shapes import GROUP, GROUP_SCHEMAS, GroupSent, PatchSent

MOST_MEMBERS: Final = 500
"""Members that are told at once."""


class Member(BaseModel):
    """Who is in a group."""

    value: str
    type: str
    display: str


class Members(BaseModel):
    """A page of a group's members."""

    schemas: list[str]
    displayName: str  # noqa: N815 - SCIM's name
    memberSize: int  # noqa: N815 - Webex's name
    itemsPerPage: int  # noqa: N815 - SCIM's name
    startIndex: int  # noqa: N815 - SCIM's name
    members: list[Member]


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["scim"])

    @router.post("/Groups", response_model=Told, status_code=HTTPStatus.CREATED)
    async def create(request: Request, caller: Write, org: str, sent: GroupSent) -> JSONResponse:
        """Make a group."""
        directory = Directory(cloud, request, caller, org)
        made = directory.make_group(sent)
        return answer(request, directory.told_group(made), HTTPStatus.CREATED, {"Location": directory.location(made)})

    @router.get("/Groups", response_model=TellsList)
    async def groups(
        request: Request,
        caller: Read,
        org: str,
        filter: Found = None,
        attributes: Names = None,
        excluded: ExcludedNames = None,
        sort_by: Annotated[Literal["displayName", "id", "meta.lastModified"] | None, Query(alias="sortBy")] = None,
        order: Order = "ascending",
        start: Start = 1,
        count: Count = DEFAULT,
        members: Annotated[bool, Query(alias="includeMembers")] = False,
    ) -> JSONResponse:
        """The groups that a filter finds, by place and count; with their members where these are asked for."""
        directory = Directory(cloud, request, caller, org)
        told = [directory.told_group(each) for each in directory.groups()]
        found, total, begins = found_page(told, GROUP, filter, sort_by, order, start, count)
        left_out = excluded if members else ",".join([*names_of(excluded), "members"])
        return answer(request, listed([narrowed(GROUP, each, attributes, left_out) for each in found], total, begins))

    @router.get("/Groups/{group}", response_model=Told)
    async def group(
        request: Request,
        caller: Read,
        org: str,
        group: str,
        attributes: Names = None,
        excluded: ExcludedNames = None,
    ) -> JSONResponse:
        """One, with its first members."""
        directory = Directory(cloud, request, caller, org)
        told = directory.told_group(directory.group(group))
        if "members" in told:
            told["members"] = told["members"][:MOST_MEMBERS]
        return answer(request, narrowed(GROUP, told, attributes, excluded))

    @router.get("/Groups/{group}/Members", response_model=Members)
    async def members(
        request: Request,
        caller: Read,
        org: str,
        group: str,
        start: Start = 1,
        count: Count = MOST_MEMBERS,
        kind: Annotated[Literal["user", "machine", "group"] | None, Query(alias="memberType")] = None,
    ) -> JSONResponse:
        """Who is in one, by place and count; machines and groups are in none."""
        directory = Directory(cloud, request, caller, org)
        found = directory.group(group)
        everybody = directory.members(found) if kind in {None, "user"} else []
        begins, most = page(start, min(count, MOST_MEMBERS))
        told = everybody[begins - 1 : begins - 1 + most]
        return answer(
            request,
            {
                "schemas": list(GROUP_SCHEMAS),
                "displayName": found.display_name,
                "memberSize": len(everybody),
                "itemsPerPage": len(told),
                "startIndex": begins,
                "members": told,
            },
        )

    @router.put("/Groups/{group}", response_model=Told)
    async def replace(request: Request, caller: Write, org: str, group: str, sent: GroupSent) -> JSONResponse:
        """Replace all of one: what is left out is emptied."""
        directory = Directory(cloud, request, caller, org)
        return answer(request, directory.told_group(directory.replace_group(directory.group(group), sent)))

    @router.patch("/Groups/{group}", response_model=Told)
    async def patch(request: Request, caller: Write, org: str, group: str, sent: PatchSent) -> JSONResponse:
        """Change single attributes of one, its members among them."""
        directory = Directory(cloud, request, caller, org)
        return answer(request, directory.told_group(directory.patch_group(directory.group(group), sent)))

    @router.delete("/Groups/{group}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(request: Request, caller: Write, org: str, group: str) -> Response:
        """Remove one; its members stay."""
        directory = Directory(cloud, request, caller, org)
        directory.remove_group(directory.group(group))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router
