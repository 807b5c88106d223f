"""The control interface of the simulated MCPTT server: what goes on, and the fault that it can show."""

from __future__ import annotations

from typing import Any, Protocol

from fastapi import Depends, FastAPI, status

from simulators.bodies import Body
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes


class Switchboard(Protocol):
    """The server behind the interface."""

    def status(self) -> dict[str, Any]:
        """What goes on."""

    def set_silent(self, silent: bool) -> None:
        """Begin or end the fault."""


class FaultBody(Body):
    """What is to be wrong."""

    silent: bool
    """Floors say and do nothing."""


def make_app(board: Switchboard, token: str | None) -> FastAPI:
    """The interface; it asks for the token where one is set."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(title="MCPTT server simulator", version="1", openapi_url=described)
    guard(app)
    api = Routes(prefix="/v1", dependencies=[Depends(bearer(token))])

    @api.get("/status")
    async def told() -> dict[str, Any]:
        """Who is registered, which calls are up, who talks, who waits, and the places that were told."""
        return board.status()

    @api.put("/fault", status_code=status.HTTP_204_NO_CONTENT)
    async def fault(body: FaultBody) -> None:
        """Begin or end a fault."""
        board.set_silent(body.silent)

    add_routes(app, api)
    return app
