"""The control interface of a simulated Webex: its figures, events and faults, and tokens for any of its accounts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Protocol

from fastapi import Depends, FastAPI, HTTPException, WebSocket
from pydantic import Field

from simulators.bodies import Body
from simulators.events import Events, serve
from simulators.failing import FailingServer, add_fault_routes
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes
from simulators.webex.scopes import ALL, ISSUING
from simulators.webex.settings import Email
from simulators.webex.tokens import Issued


class BusyBody(Body):
    """That every client is to be told to come back later."""

    retry_after: Annotated[int, Field(ge=1, le=3_600)]
    """Seconds."""


class SharingBody(Body):
    """How slow shares are."""

    after_s: Annotated[float, Field(ge=0, le=3_600)]
    """Seconds from a share's start until the others see it."""


class TokenBody(Body):
    """Whose token, and what for."""

    email: Email
    scopes: list[Annotated[str, Field(max_length=64)]] | None = Field(default=None, max_length=64)
    """Left out: all that the account can use."""
    lives: Annotated[float, Field(gt=0, le=31_536_000)] | None = None
    """Seconds; left out: as the settings say."""


class Switches(Protocol):
    """The simulator behind the interface."""

    events: Events
    server: FailingServer

    def figures(self) -> dict[str, Any]:
        """Where it is asked, and what is wrong."""

    def set_busy(self, retry_after: int) -> None:
        """Tell every client to come back after so many seconds; 0: no more."""

    def set_sharing(self, after_s: float) -> None:
        """Let what is shared from now on be seen after so many seconds."""

    def issue(self, email: str, scopes: frozenset[str] | None, lives: float | None) -> Issued | None:
        """A token for an account; None where there is no such account."""


def make_control(webex: Switches, token: str | None) -> FastAPI:
    """Return the control interface of ``webex``."""
    described = "/openapi.json" if token is None else None
    app = FastAPI(title="Webex simulator, control interface", version="1", openapi_url=described)
    guard(app, refusals=(HTTPStatus.NOT_FOUND,))
    add_routes(app, _routes(webex), dependencies=[Depends(bearer(token))])
    return app


def _routes(webex: Switches) -> Routes:
    router = Routes(prefix="/v1", tags=["control"])

    @router.get("/status")
    async def figures() -> dict[str, Any]:
        """Where it is asked, and the fault that is on."""
        return webex.figures()

    add_fault_routes(router, webex)

    @router.put("/busy")
    async def busy(body: BusyBody) -> dict[str, Any]:
        """Answer every request 429 from now on."""
        webex.set_busy(body.retry_after)
        return webex.figures()

    @router.delete("/busy")
    async def ready() -> dict[str, Any]:
        """Answer requests again."""
        webex.set_busy(0)
        return webex.figures()

    @router.put("/sharing")
    async def sharing(body: SharingBody) -> dict[str, Any]:
        """Let shares be seen later, or sooner."""
        webex.set_sharing(body.after_s)
        return webex.figures()

    @router.post("/tokens", status_code=HTTPStatus.CREATED)
    async def token(body: TokenBody) -> dict[str, Any]:
        """A token for an account, as its owner has it from the developers' page."""
        scopes = None if body.scopes is None else frozenset(body.scopes)
        if scopes is not None and not scopes <= ALL | ISSUING:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such scope")
        issued = webex.issue(body.email, scopes, body.lives)
        if issued is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such account")
        return {"token": issued.access_token, "expires_in": issued.expires_in, "scopes": sorted(issued.scopes)}

    @router.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await serve(webex.events, socket)

    return router
