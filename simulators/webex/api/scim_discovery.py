"""What a directory asks a SCIM service about itself before it sends anything (RFC 7644 section 4)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from simulators.routes import Routes
from simulators.webex.api.scim_users import Read
from simulators.webex.cloud import Cloud
from simulators.webex.errors import WebexError, unknown
from simulators.webex.provisioning import Directory
from simulators.webex.scim_discovery import resource_types, schemas, service_provider
from simulators.webex.scim_messages import TellsList, Told, answer, listed

Filter = Annotated[str | None, Query(alias="filter", max_length=1_024)]


class ServiceTold(BaseModel):
    """What the service can."""

    model_config = ConfigDict(extra="allow")

    schemas: list[str]


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["scim"])

    def base(request: Request, caller: Read, org: str, looked_for: str | None) -> str:
        if looked_for is not None:
            raise WebexError(HTTPStatus.FORBIDDEN, "What the service tells of itself is not filtered.")
        return Directory(cloud, request, caller, org).base

    def one(told: list[dict[str, Any]], id_: str, what: str) -> dict[str, Any]:
        for each in told:
            if each["id"].lower() == id_.lower():
                return each
        raise unknown(what)

    @router.get("/ServiceProviderConfig", response_model=ServiceTold)
    async def provider(request: Request, caller: Read, org: str, looked_for: Filter = None) -> JSONResponse:
        """What the service can."""
        return answer(request, service_provider(base(request, caller, org, looked_for)))

    @router.get("/ResourceTypes", response_model=TellsList)
    async def types(request: Request, caller: Read, org: str, looked_for: Filter = None) -> JSONResponse:
        """Which resources there are."""
        told = resource_types(base(request, caller, org, looked_for))
        return answer(request, listed(told, len(told), 1))

    @router.get("/ResourceTypes/{name}", response_model=Told)
    async def type_(request: Request, caller: Read, org: str, name: str, looked_for: Filter = None) -> JSONResponse:
        """One."""
        return answer(request, one(resource_types(base(request, caller, org, looked_for)), name, "resource type"))

    @router.get("/Schemas", response_model=TellsList)
    async def all_schemas(request: Request, caller: Read, org: str, looked_for: Filter = None) -> JSONResponse:
        """Which attributes they have."""
        told = schemas(base(request, caller, org, looked_for))
        return answer(request, listed(told, len(told), 1))

    @router.get("/Schemas/{uri}", response_model=Told)
    async def schema(request: Request, caller: Read, org: str, uri: str, looked_for: Filter = None) -> JSONResponse:
        """One."""
        return answer(request, one(schemas(base(request, caller, org, looked_for)), uri, "schema"))

    return router
