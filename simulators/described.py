"""Completes an application's OpenAPI document with the refusals that its guard and its rules give."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

WITH_A_BODY: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
"""What any request that brings a body may be refused with: it can't be read, it is too long."""
_FRAMEWORK_S: Final = {"$ref": "#/components/schemas/HTTPValidationError"}
_REFUSAL: Final = {
    "title": "Refusal",
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"type": "string"}},
}
_UNFIT: Final = {
    "title": "Unfit",
    "description": "What does not fit, and where; what was sent is not sent back.",
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["loc", "msg"],
                        "properties": {
                            "loc": {"type": "array", "items": {"type": "string"}},
                            "msg": {"type": "string"},
                        },
                    },
                },
            ]
        }
    },
}


def describe(app: FastAPI, refusals: tuple[int, ...]) -> None:
    """Let the document of ``app`` tell ``refusals`` of every operation, and those of WITH_A_BODY where there is one."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes)
            for operations in made.get("paths", {}).values():
                for operation in operations.values():
                    _complete(operation, refusals)
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            schemas |= {"Refusal": _REFUSAL, "Unfit": _UNFIT}
            for replaced in ("HTTPValidationError", "ValidationError"):
                schemas.pop(replaced, None)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _complete(operation: dict[str, Any], refusals: tuple[int, ...]) -> None:
    responses = operation["responses"]
    unfit = str(int(HTTPStatus.UNPROCESSABLE_ENTITY))
    if unfit in responses or "requestBody" in operation:
        own = responses.get(unfit, {}).get("content", {}).get("application/json", {}).get("schema")
        responses[unfit] = _response(HTTPStatus.UNPROCESSABLE_ENTITY, "Unfit")
        if own is not None and own != _FRAMEWORK_S:
            told = responses[unfit]["content"]["application/json"]
            told["schema"] = {"anyOf": [own, told["schema"]]}
    for code in (*refusals, *(WITH_A_BODY if "requestBody" in operation else ())):
        responses.setdefault(str(int(code)), _response(HTTPStatus(code), "Refusal"))


def _response(code: HTTPStatus, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": code.phrase, "content": content}
