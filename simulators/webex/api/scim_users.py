"""Users as a directory provisions them by SCIM 2.0: made, looked for, replaced, patched, removed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from harness.protocols.scim import Layout, parse_filter
from simulators.routes import Routes
from simulators.webex.api.asking import needs
from simulators.webex.cloud import Cloud
from simulators.webex.front import Caller
from simulators.webex.provisioning import Directory
from simulators.webex.scim_messages import DEFAULT, TellsList, Told, answer, listed, page
from simulators.webex.scim_shapes import USER, PatchSent, UserSent

Read = Annotated[Caller, needs("identity:people_read", "identity:people_rw")]
Write = Annotated[Caller, needs("identity:people_rw")]
MAX_FILTER: Final = 1_024
"""Characters of a filter in a query. [p]"""
MAX_NAMES: Final = 640
"""Characters of a list of attributes in a query. [p]"""
Found = Annotated[str | None, Query(max_length=MAX_FILTER)]
Names = Annotated[str | None, Query(max_length=MAX_NAMES)]
ExcludedNames = Annotated[str | None, Query(alias="excludedAttributes", max_length=MAX_NAMES)]
Start = Annotated[int, Query(alias="startIndex")]
Count = Annotated[int, Query()]
Order = Annotated[Literal["ascending", "descending"], Query(alias="sortOrder")]


def names_of(names: str | None) -> list[str]:
    """The names of a list, none for no list."""
    return [each.strip() for each in (names or "").split(",") if each.strip()]


def narrowed(layout: Layout, told: dict[str, Any], wanted: str | None, unwanted: str | None) -> dict[str, Any]:
    """What is told of a resource. Raises ScimError for an attribute that is not there."""
    lists = [
        frozenset(layout.path(each, wrong="invalidValue") for each in names_of(names)) for names in (wanted, unwanted)
    ]
    return layout.narrowed(told, *lists)


def found_page(
    told: list[dict[str, Any]], layout: Layout, wanted: str | None, by: str | None, order: str, start: int, count: int
) -> tuple[list[dict[str, Any]], int, int]:
    """A page of what fits, in order; how many fit, and where the page begins. Raises ScimError."""
    looked_for = parse_filter(wanted, layout) if wanted and wanted.strip() else None
    fits = [each for each in told if looked_for is None or looked_for.fits(each)]
    if by is not None:
        path = layout.path(by)
        fits.sort(key=lambda each: _sorted_by(each, path), reverse=order == "descending")
    start, count = page(start, count)
    return fits[start - 1 : start - 1 + count], len(fits), start


def _sorted_by(told: Any, path: tuple[str, ...]) -> str:
    for key in path:
        told = told[key]
    return str(told).casefold()


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["scim"])

    @router.post("/Users", response_model=Told, status_code=HTTPStatus.CREATED)
    async def create(request: Request, caller: Write, org: str, sent: UserSent) -> JSONResponse:
        """Make an account."""
        directory = Directory(cloud, request, caller, org)
        made = directory.make_user(sent)
        return answer(
            request, directory.told(made, groups=True), HTTPStatus.CREATED, {"Location": directory.location(made)}
        )

    @router.get("/Users", response_model=TellsList)
    async def users(
        request: Request,
        caller: Read,
        org: str,
        filter: Found = None,
        attributes: Names = None,
        excluded: ExcludedNames = None,
        sort_by: Annotated[Literal["userName", "id", "meta.lastModified"] | None, Query(alias="sortBy")] = None,
        order: Order = "ascending",
        start: Start = 1,
        count: Count = DEFAULT,
        groups: Annotated[bool, Query(alias="returnGroups")] = False,
    ) -> JSONResponse:
        """The users that a filter finds, by place and count."""
        directory = Directory(cloud, request, caller, org)
        told = [directory.told(each, groups=groups) for each in directory.users()]
        found, total, begins = found_page(told, USER, filter, sort_by, order, start, count)
        return answer(request, listed([narrowed(USER, each, attributes, excluded) for each in found], total, begins))

    @router.get("/Users/{user}", response_model=Told)
    async def user(
        request: Request,
        caller: Read,
        org: str,
        user: str,
        attributes: Names = None,
        excluded: ExcludedNames = None,
    ) -> JSONResponse:
        """One."""
        directory = Directory(cloud, request, caller, org)
        told = directory.told(directory.user(user), groups=True)
        return answer(request, narrowed(USER, told, attributes, excluded))

    @router.put("/Users/{user}", response_model=Told)
    async def replace(request: Request, caller: Write, org: str, user: str, sent: UserSent) -> JSONResponse:
        """Replace all of one: what is left out is emptied."""
        directory = Directory(cloud, request, caller, org)
        return answer(request, directory.told(directory.replace_user(directory.user(user), sent), groups=True))

    @router.patch("/Users/{user}", response_model=Told)
    async def patch(request: Request, caller: Write, org: str, user: str, sent: PatchSent) -> JSONResponse:
        """Change single attributes of one."""
        directory = Directory(cloud, request, caller, org)
        return answer(request, directory.told(directory.patch_user(directory.user(user), sent), groups=True))

    @router.delete("/Users/{user}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(request: Request, caller: Write, org: str, user: str) -> Response:
        """Remove one: a leaver."""
        directory = Directory(cloud, request, caller, org)
        directory.remove_user(directory.user(user))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router
