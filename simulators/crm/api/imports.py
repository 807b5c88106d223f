"""Routes of the CRM: contacts imported from CSV as it is sent."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException, Request, status
from starlette.requests import ClientDisconnect

from simulators.crm.api.asking import LOOKS, After, Limit, Looking
from simulators.crm.ids import ImportId
from simulators.crm.importing import Importer
from simulators.crm.rows import COLUMNS
from simulators.routes import Routes

_CSV: dict[str, Any] = {
    **LOOKS,
    "requestBody": {
        "required": True,
        "description": f"A first line that names columns ({', '.join(COLUMNS)}), then a line for each contact; UTF-8.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    },
}


def import_routes(importer: Importer) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/imports", tags=["imports"])

    @router.post("", openapi_extra=_CSV, status_code=status.HTTP_201_CREATED)
    async def take(request: Request, who: Looking) -> dict[str, Any]:
        """Import contacts; answered when all are in. Rows are known by their reference: a rerun changes nothing."""
        try:
            return await importer.take(request.stream(), who)
        except ClientDisconnect as error:  # who would read the answer has gone
            raise HTTPException(status.HTTP_400_BAD_REQUEST, "the file was broken off") from error

    @router.get("")
    async def listed() -> dict[str, Any]:
        """The newest imports and how far each is, newest first."""
        return {"imports": await importer.listed()}

    @router.get("/{import_id}")
    async def read(import_id: ImportId) -> dict[str, Any]:
        """How far an import is."""
        return await importer.get(import_id)

    @router.get("/{import_id}/bad-rows")
    async def bad(import_id: ImportId, after: After = 0, limit: Limit = 100) -> dict[str, Any]:
        """Its bad rows below the line ``after``: each with its line and what is wrong."""
        return {"rows": await importer.bad(import_id, after, limit)}

    return router
