"""What an HTTP interface answers while its store is gone, or takes no more."""

from __future__ import annotations

from fastapi import FastAPI, Request, status
from fastapi.responses import JSONResponse

from harness.errors import DatabaseError, DatabaseGoneError
from simulators.database import RETRY_AFTER_S


def tell_of_the_store(app: FastAPI) -> None:
    """Let ``app`` answer 503 with Retry-After while its store is gone, and 507 where it takes no more."""

    @app.exception_handler(DatabaseGoneError)
    async def gone(_request: Request, error: Exception) -> JSONResponse:
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        return JSONResponse({"detail": str(error)}, status.HTTP_503_SERVICE_UNAVAILABLE, headers)

    @app.exception_handler(DatabaseError)
    async def refused(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status.HTTP_507_INSUFFICIENT_STORAGE)
