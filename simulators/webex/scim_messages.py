"""How SCIM's messages are written: media types, lists, and refusals in a shape of its own (RFC 7644)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from simulators.webex.errors import WebexError

SCIM: Final = "/identity/scim/"
"""Where SCIM's paths begin: an organisation's UUID and ``/v2/`` follow."""
JSON: Final = "application/json"
SCIM_JSON: Final = "application/scim+json"
MESSAGES: Final = "urn:ietf:params:scim:api:messages:2.0"
WEBEX_ERROR: Final = "urn:scim:schemas:extension:cisco:webexidentity:api:messages:2.0:Error"
MOST: Final = 1_000
"""Resources of one page. [p]"""
DEFAULT: Final = 100
SCIM_REFUSAL: Final = {
    "title": "ScimRefusal",
    "type": "object",
    "required": ["schemas", "status", "detail", WEBEX_ERROR],
    "properties": {
        "schemas": {"type": "array", "items": {"type": "string"}},
        "status": {"type": "string"},
        "scimType": {"type": "string"},
        "detail": {"type": "string"},
        WEBEX_ERROR: {
            "type": "object",
            "required": ["trackingId", "errorCode", "details"],
            "properties": {
                "trackingId": {"type": "string"},
                "errorCode": {"type": "integer"},
                "details": {"type": "string"},
            },
        },
    },
}


class Told(BaseModel):
    """A resource; which attributes it has depends on what was asked for."""

    model_config = ConfigDict(extra="allow")

    schemas: list[str]
    id: str


class TellsList(BaseModel):
    """Resources that were found."""

    schemas: list[str]
    totalResults: int  # noqa: N815 - SCIM's name
    itemsPerPage: int  # noqa: N815 - SCIM's name
    startIndex: int  # noqa: N815 - SCIM's name
    resources: list[Told] = Field(alias="Resources")


def media_type_for(accept: str) -> str:
    """The media type of an answer: SCIM's for who names it, else JSON, which clients of Webex read. [unconfirmed]"""
    named = {each.partition(";")[0].strip().lower() for each in accept.split(",")}
    return SCIM_JSON if SCIM_JSON in named else JSON


def answer(
    request: Request,
    content: Mapping[str, Any],
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Answer a request."""
    media_type = f"{media_type_for(request.headers.get('accept', ''))};charset=UTF-8"
    return JSONResponse(dict(content), int(status), headers, media_type)


def page(start: int, count: int) -> tuple[int, int]:
    """The first place, from 1, and how many are told: what is out of range is moved into it (RFC 7644, 3.4.2.4)."""
    return max(1, start), min(MOST, max(0, count))


def listed(found: Sequence[Mapping[str, Any]], total: int, start: int) -> dict[str, Any]:
    """A list's message: ``found`` of ``total``, from place ``start`` on."""
    return {
        "schemas": [f"{MESSAGES}:ListResponse"],
        "totalResults": total,
        "itemsPerPage": len(found),
        "startIndex": start,
        "Resources": list(found),
    }


def scim_refusal(error: WebexError, tracking_id: str) -> dict[str, Any]:
    """A refusal's body; which numbers Webex has as ``errorCode`` is not published: the status. [unconfirmed]"""
    status = int(error.status)
    told: dict[str, Any] = {
        "schemas": [f"{MESSAGES}:Error", WEBEX_ERROR],
        "status": str(status),
        "detail": error.described[0],
        WEBEX_ERROR: {"trackingId": tracking_id, "errorCode": status, "details": error.described[0]},
    }
    return told if error.scim_type is None else told | {"scimType": error.scim_type}
