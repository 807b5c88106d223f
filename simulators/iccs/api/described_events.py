"""The AsyncAPI document of the control interface's event streams, made of the models by which events are looked at."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

from simulators.iccs.event_models import KINDS, WALLBOARD, Wallboard

VERSION: Final = "3.0.0"
"""Of AsyncAPI (https://www.asyncapi.com/docs/reference/specification/v3.0.0)."""
PATH: Final = "/asyncapi.json"


def describe_events(app: FastAPI) -> None:
    """Serve the document at PATH."""
    made = document(app.title, app.version)

    @app.get(PATH, include_in_schema=False)
    async def asyncapi() -> dict[str, Any]:
        return made


def document(title: str, version: str) -> dict[str, Any]:
    """Return the document: two channels, and a message for each kind of event."""
    models: dict[str, type[BaseModel]] = {**KINDS, WALLBOARD: Wallboard}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": f"{title}: events",
            "version": version,
            "description": "What consoles and wallboards are told over WebSockets. What they send is not looked at; "
            "one that does not take an event within 10 s, or leaves too many unread, is cut off.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "position": {
                "address": "/v1/positions/{id_}/events",
                "description": "What the consoles of a position are told; first what stands already.",
                "parameters": {"id_": {"description": "The position."}},
                "messages": {kind: _message(kind) for kind in KINDS},
                "bindings": {"ws": {"method": "GET"}},
            },
            "wallboard": {
                "address": "/v1/wallboard/events",
                "description": "What a wallboard is told: all of it, whenever anything has changed.",
                "messages": {WALLBOARD: _message(WALLBOARD)},
                "bindings": {"ws": {"method": "GET"}},
            },
        },
        "operations": {
            "tellPosition": {"action": "send", "channel": {"$ref": "#/channels/position"}},
            "tellWallboard": {"action": "send", "channel": {"$ref": "#/channels/wallboard"}},
        },
        "components": {
            "messages": {
                kind: {"name": kind, "summary": (model.__doc__ or "").strip(), "payload": _payload(kind)}
                for kind, model in models.items()
            },
            "schemas": {model.__name__: model.model_json_schema(mode="serialization") for model in models.values()},
        },
    }


def _message(kind: str) -> dict[str, str]:
    return {"$ref": f"#/components/messages/{kind}"}


def _payload(kind: str) -> dict[str, Any]:
    model = Wallboard if kind == WALLBOARD else KINDS[kind]
    return {
        "type": "object",
        "required": ["time", "kind", "data"],
        "additionalProperties": False,
        "properties": {
            "time": {"type": "number", "minimum": 0, "description": "Run time, seconds."},
            "kind": {"const": kind},
            "data": {"$ref": f"#/components/schemas/{model.__name__}"},
        },
    }
