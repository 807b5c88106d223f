"""Where an organisation is: locations, workspaces in them, and the devices that stand there."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from simulators.routes import Routes
from simulators.webex.api.asking import (
    Cursor,
    Id,
    Items,
    Line,
    Most,
    Prose,
    Sent,
    after_number,
    answer,
    by_number,
    needs,
    wants,
)
from simulators.webex.cloud import Cloud
from simulators.webex.errors import conflict, unfit
from simulators.webex.front import Caller
from simulators.webex.shapes import Address, Calling, Device, Location, Workspace

ReadLocations = Annotated[Caller, needs("spark-admin:locations_read", "spark-admin:telephony_config_read")]
WriteLocations = Annotated[Caller, needs("spark-admin:locations_write", "spark-admin:telephony_config_write")]
ReadWorkspaces = Annotated[Caller, needs("spark-admin:workspaces_read", "spark:workspaces_read")]
WriteWorkspaces = Annotated[Caller, needs("spark-admin:workspaces_write")]
ReadDevices = Annotated[Caller, needs("spark-admin:devices_read", "spark:devices_read")]
WriteDevices = Annotated[Caller, needs("spark-admin:devices_write")]
MAX_TAGS = 20
"""Tags that a device has at most."""
_Short = Annotated[str, Field(max_length=128)]
_Tag = Annotated[str, Field(min_length=1, max_length=64)]


class AddressSent(Sent):
    """A postal address."""

    address1: _Short
    address2: _Short | None = None
    city: _Short
    state: _Short | None = None
    postal_code: _Short
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class LocationSent(Sent):
    """A location that is made."""

    name: Line
    time_zone: Line
    preferred_language: Line
    announcement_language: Line | None = None
    address: AddressSent
    latitude: Annotated[str, Field(max_length=32)] | None = None
    longitude: Annotated[str, Field(max_length=32)] | None = None
    notes: Prose | None = None


class LocationChanged(Sent):
    """What a location is to be."""

    name: Line | None = None
    time_zone: Line | None = None
    preferred_language: Line | None = None
    announcement_language: Line | None = None
    address: AddressSent | None = None
    latitude: Annotated[str, Field(max_length=32)] | None = None
    longitude: Annotated[str, Field(max_length=32)] | None = None
    notes: Prose | None = None


class WorkspaceSent(Sent):
    """A workspace."""

    display_name: Line
    location_id: Id | None = None
    capacity: Annotated[int, Field(ge=-1, le=1_000)] | None = None
    type: Literal["notSet", "focus", "huddle", "meetingRoom", "open", "desk", "other"] | None = None
    notes: Prose | None = None


class TagsChanged(Sent):
    """One operation on a device's tags (RFC 6902)."""

    op: Literal["add", "replace", "remove"]
    path: Literal["tags"]
    value: list[_Tag] | _Tag | None = None


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["places"])
    _locations(router, cloud)
    _workspaces(router, cloud)
    _devices(router, cloud)
    return router


def _of(cloud: Cloud, caller: Caller, org_id: str | None) -> str:
    return cloud.store.organizations.get(org_id or caller.person.org_id, caller.person.org_id).id


def _locations(router: Routes, cloud: Cloud) -> None:
    """Where the organisation is."""
    store = cloud.store

    @router.get("/locations", response_model=Items[Location])
    async def locations(
        request: Request,
        caller: ReadLocations,
        name: Annotated[str | None, Query(max_length=256)] = None,
        location_id: Annotated[str | None, wants("id")] = None,
        org_id: Annotated[str | None, wants("orgId")] = None,
        max: Most = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Where the organisation is."""
        found = [
            each
            for each in after_number(store.locations.of(_of(cloud, caller, org_id)), cloud.pager.after(request, cursor))
            if (name is None or name.lower() in each.name.lower()) and location_id in {None, each.id}
        ]
        return cloud.pager.page(request, found, by_number, max)

    @router.get("/locations/{location_id}", response_model=Location)
    async def location(caller: ReadLocations, location_id: str) -> JSONResponse:
        """One."""
        return answer(store.locations.get(location_id, caller.person.org_id))

    @router.post("/locations", response_model=Location)
    async def add_location(request: Request, caller: WriteLocations, sent: LocationSent) -> JSONResponse:
        """Make one."""
        org = caller.person.org_id
        if any(each.name == sent.name for each in store.locations.of(org)):
            raise conflict("A location of this name is there already.")
        given = sent.model_dump(exclude_none=True) | {"address": Address(**sent.address.model_dump())}
        location = store.locations.add(Location(id=store.locations.new_id(), org_id=org, **given), org)
        cloud.audit(request, caller, "LOCATIONS", "created a location", "LOCATION", location.id)
        return answer(location)

    @router.put("/locations/{location_id}", status_code=HTTPStatus.NO_CONTENT)
    async def change_location(
        request: Request, caller: WriteLocations, location_id: str, sent: LocationChanged
    ) -> Response:
        """Change one."""
        location = store.locations.get(location_id, caller.person.org_id)
        for each in store.locations.of(location.tenant):
            if each is not location and each.name == sent.name:
                raise conflict("A location of this name is there already.")
        given = sent.model_dump(exclude_none=True)
        if sent.address is not None:
            given["address"] = Address(**sent.address.model_dump())
        for name, value in given.items():
            setattr(location, name, value)
        cloud.audit(request, caller, "LOCATIONS", "updated a location", "LOCATION", location.id)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.delete("/locations/{location_id}", status_code=HTTPStatus.NO_CONTENT)
    async def remove_location(request: Request, caller: WriteLocations, location_id: str) -> Response:
        """Remove one that nobody and nothing is at."""
        location = store.locations.get(location_id, caller.person.org_id)
        there = {each.location_id for each in store.people.of(location.tenant)}
        there |= {each.location_id for each in store.workspaces.of(location.tenant)}
        if location.id in there:
            raise conflict("People or workspaces are at this location.")
        store.locations.remove(location)
        cloud.audit(request, caller, "LOCATIONS", "deleted a location", "LOCATION", location.id)
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _workspaces(router: Routes, cloud: Cloud) -> None:
    """Rooms with devices."""
    store = cloud.store

    @router.get("/workspaces", response_model=Items[Workspace])
    async def workspaces(
        request: Request,
        caller: ReadWorkspaces,
        org_id: Annotated[str | None, wants("orgId")] = None,
        location_id: Annotated[str | None, wants("locationId")] = None,
        display_name: Annotated[str | None, Query(alias="displayName", max_length=256)] = None,
        max: Most = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """The organisation's workspaces."""
        found = [
            each
            for each in after_number(
                store.workspaces.of(_of(cloud, caller, org_id)), cloud.pager.after(request, cursor)
            )
            if location_id in {None, each.location_id} and display_name in {None, each.display_name}
        ]
        return cloud.pager.page(request, found, by_number, max)

    @router.get("/workspaces/{workspace_id}", response_model=Workspace)
    async def workspace(caller: ReadWorkspaces, workspace_id: str) -> JSONResponse:
        """One."""
        return answer(store.workspaces.get(workspace_id, caller.person.org_id))

    @router.post("/workspaces", response_model=Workspace)
    async def add_workspace(request: Request, caller: WriteWorkspaces, sent: WorkspaceSent) -> JSONResponse:
        """Make one."""
        org = caller.person.org_id
        if sent.location_id is not None:
            store.locations.get(sent.location_id, org)
        id_ = store.workspaces.new_id()
        workspace = Workspace(
            id=id_,
            org_id=org,
            sip_address=f"workspace-{len(store.workspaces) + 1}@force.example",
            created=store.stamp(),
            calling=Calling(type="freeCalling"),
            calendar=Calling(type="none"),
            **sent.model_dump(exclude_none=True),
        )
        store.workspaces.add(workspace, org)
        cloud.audit(request, caller, "WORKSPACES", "created a workspace", "PLACE", id_)
        return answer(workspace)

    @router.put("/workspaces/{workspace_id}", response_model=Workspace)
    async def change_workspace(
        request: Request, caller: WriteWorkspaces, workspace_id: str, sent: WorkspaceSent
    ) -> JSONResponse:
        """Change one."""
        workspace = store.workspaces.get(workspace_id, caller.person.org_id)
        if sent.location_id is not None:
            store.locations.get(sent.location_id, workspace.tenant)
        for name, value in sent.model_dump(exclude_none=True).items():
            setattr(workspace, name, value)
        cloud.audit(request, caller, "WORKSPACES", "updated a workspace", "PLACE", workspace.id)
        return answer(workspace)

    @router.delete("/workspaces/{workspace_id}", status_code=HTTPStatus.NO_CONTENT)
    async def remove_workspace(request: Request, caller: WriteWorkspaces, workspace_id: str) -> Response:
        """Remove one, with its devices."""
        workspace = store.workspaces.get(workspace_id, caller.person.org_id)
        for device in [each for each in store.devices.of(workspace.tenant) if each.workspace_id == workspace.id]:
            store.devices.remove(device)
        store.workspaces.remove(workspace)
        cloud.audit(request, caller, "WORKSPACES", "deleted a workspace", "PLACE", workspace.id)
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _devices(router: Routes, cloud: Cloud) -> None:
    """Devices."""
    store = cloud.store

    @router.get("/devices", response_model=Items[Device])
    async def devices(
        request: Request,
        caller: ReadDevices,
        org_id: Annotated[str | None, wants("orgId")] = None,
        person_id: Annotated[str | None, wants("personId")] = None,
        workspace_id: Annotated[str | None, wants("workspaceId")] = None,
        display_name: Annotated[str | None, Query(alias="displayName", max_length=256)] = None,
        product: Annotated[str | None, Query(max_length=256)] = None,
        serial: Annotated[str | None, Query(max_length=64)] = None,
        tag: Annotated[str | None, Query(max_length=64)] = None,
        max: Most = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """The organisation's devices."""
        found = [
            each
            for each in after_number(store.devices.of(_of(cloud, caller, org_id)), cloud.pager.after(request, cursor))
            if person_id in {None, each.person_id}
            and workspace_id in {None, each.workspace_id}
            and display_name in {None, each.display_name}
            and product in {None, each.product}
            and serial in {None, each.serial}
            and (tag is None or tag in each.tags)
        ]
        return cloud.pager.page(request, found, by_number, max)

    @router.get("/devices/{device_id}", response_model=Device)
    async def device(caller: ReadDevices, device_id: str) -> JSONResponse:
        """One."""
        return answer(store.devices.get(device_id, caller.person.org_id))

    @router.patch("/devices/{device_id}", response_model=Device)
    async def tag_device(
        request: Request,
        caller: WriteDevices,
        device_id: str,
        sent: Annotated[list[TagsChanged], Field(min_length=1, max_length=20)] | TagsChanged,
    ) -> JSONResponse:
        """Change a device's tags: application/json-patch+json."""
        device = store.devices.get(device_id, caller.person.org_id)
        tags = list(device.tags)
        # RFC 6902 has a list of operations; Webex takes one alone as well, which the SDKs send.
        for each in [sent] if isinstance(sent, TagsChanged) else sent:
            values = [each.value] if isinstance(each.value, str) else list(each.value or ())
            if each.op != "remove" and not values:
                raise unfit("A value is needed.")
            kept = tags if each.op == "add" else []
            tags = list(dict.fromkeys([*kept, *values])) if each.op != "remove" else []
        if len(tags) > MAX_TAGS:
            raise unfit(f"A device has {MAX_TAGS} tags at most.")
        device.tags = tags
        cloud.audit(request, caller, "DEVICES", "tagged a device", "DEVICE", device.id)
        return answer(device)

    @router.delete("/devices/{device_id}", status_code=HTTPStatus.NO_CONTENT)
    async def remove_device(request: Request, caller: WriteDevices, device_id: str) -> Response:
        """Remove one."""
        device = store.devices.get(device_id, caller.person.org_id)
        store.devices.remove(device)
        cloud.audit(request, caller, "DEVICES", "deleted a device", "DEVICE", device.id)
        return Response(status_code=HTTPStatus.NO_CONTENT)
