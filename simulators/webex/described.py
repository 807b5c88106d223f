"""Completes the OpenAPI document of a simulated Webex: the bearer token, and refusals in the service's own shape."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from simulators.webex.scim_messages import JSON, SCIM, SCIM_JSON, SCIM_REFUSAL

_ANY: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What any request may be refused with."""
_BODIED: Final = (
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.INSUFFICIENT_STORAGE,
)
"""And what one that changes something may be."""
_REFUSAL: Final = {
    "title": "Refusal",
    "type": "object",
    "required": ["message", "errors", "trackingId"],
    "properties": {
        "message": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["description"],
                "properties": {"description": {"type": "string"}},
            },
        },
        "trackingId": {"type": "string"},
    },
}


def describe(app: FastAPI) -> None:
    """Let the document of ``app`` tell what else an answer can be."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes)
            for path, operations in made.get("paths", {}).items():
                for method, operation in operations.items():
                    _complete(method, operation, scim=path.startswith(SCIM))
            components = made.setdefault("components", {})
            components.setdefault("schemas", {}).update({"Refusal": _REFUSAL, "ScimRefusal": SCIM_REFUSAL})
            components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            made["security"] = [{"bearer": []}]
            for replaced in ("HTTPValidationError", "ValidationError"):
                components["schemas"].pop(replaced, None)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _complete(method: str, operation: dict[str, Any], *, scim: bool) -> None:
    responses = operation["responses"]
    responses.pop(str(int(HTTPStatus.UNPROCESSABLE_ENTITY)), None)
    for code in (*_ANY, *(() if method == "get" else _BODIED)):
        schema = {"schema": {"$ref": f"#/components/schemas/{'ScimRefusal' if scim else 'Refusal'}"}}
        responses[str(int(code))] = {"description": code.phrase, "content": {JSON: schema}}
    if scim:
        for part in (operation.get("requestBody", {}), *responses.values()):
            if JSON in part.get("content", {}):
                part["content"][SCIM_JSON] = part["content"][JSON]
