"""The pages of a simulated identity provider, without script, and its token endpoint: OpenID Connect's code flow."""

from __future__ import annotations

import html
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from simulators.events import Events
from simulators.guard import guard
from simulators.identity.provider import TOKEN_LIVES_S, Provider, RefusedError
from simulators.routes import Routes, add_routes
from simulators.web import WebServer

COOKIE: Final = "sign_in"
"""Binds a sign-in to the browser that began it."""
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FIRST_FIELDS: Final = (
    '<label>Address <input name="username" type="email" autocomplete="username" value="{hint}" required></label>'
    '<label>Password <input name="password" type="password" autocomplete="current-password" required></label>'
)
_CODE_FIELDS: Final = (
    '<label>One-time code <input name="code" inputmode="numeric" autocomplete="one-time-code" required></label>'
)


class IdentityProvider:
    """One that is up."""

    def __init__(self, events: Events, host: str, provider: Provider) -> None:
        """``events``: who is told of sign-ins: ``identity.signed_in`` and ``identity.refused`` {step, reason}."""
        self._host = host
        self.url = ""
        """``http://host:port``: where it is, and what it calls itself."""
        self._server = WebServer(make_app(provider, events, lambda: self.url), host, provider.settings.port)

    async def start(self) -> None:
        """Serve. Raises TransportError when the address can't be bound."""
        self.url = f"http://{self._host}:{await self._server.start()}"

    async def stop(self) -> None:
        """Serve no more."""
        await self._server.stop()


def make_app(provider: Provider, events: Events, issuer: Callable[[], str]) -> FastAPI:
    """Return the pages of ``provider``; ``issuer``: what it calls itself."""
    app = FastAPI(title="Identity provider, simulated", version="1", openapi_url=None)
    guard(app)
    add_routes(app, _routes(provider, events, issuer))
    return app


def _page(action: str, fields: str, told: str = "", status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    alert = f'<p role="alert">{html.escape(told)}</p>' if told else ""
    form = f'<form method="post" action="{action}">{fields}<button>Go on</button></form>' if fields else ""
    page = f'<!DOCTYPE html><html lang="en"><head><title>Sign in</title></head><body>{alert}{form}</body></html>'
    return HTMLResponse(page, int(status), _HEADERS)


def _forward(grant: str, redirect: str, state: str, events: Events) -> Response:
    events.tell("identity.signed_in")
    joined = "&" if urlsplit(redirect).query else "?"
    answer = RedirectResponse(
        f"{redirect}{joined}{urlencode({'code': grant, 'state': state})}", HTTPStatus.SEE_OTHER, _HEADERS
    )
    answer.delete_cookie(COOKIE)
    return answer


async def _form(request: Request) -> dict[str, str]:
    text = (await request.body()).decode(errors="replace")
    try:
        return {key: values[0] for key, values in parse_qs(text, max_num_fields=32).items()}
    except ValueError:
        return {}


def _routes(provider: Provider, events: Events, issuer: Callable[[], str]) -> Routes:
    router = Routes()

    @router.get("/authorize", response_class=HTMLResponse)
    async def authorize(
        client_id: Annotated[str, Query(max_length=128)],
        redirect_uri: Annotated[str, Query(max_length=500)],
        response_type: Annotated[str, Query(pattern="^code$")],
        state: Annotated[str, Query(max_length=256)],
        nonce: Annotated[str, Query(max_length=256)],
        code_challenge: Annotated[str, Query(min_length=43, max_length=128)],
        code_challenge_method: Annotated[str, Query(pattern="^S256$")],
        login_hint: Annotated[str, Query(max_length=254)] = "",
    ) -> Response:
        """Begin to sign in."""
        try:
            name = provider.begin(client_id, redirect_uri, state, nonce, code_challenge)
        except RefusedError as error:
            return _page("", "", str(error), HTTPStatus.BAD_REQUEST)
        answer = _page("/password", _FIRST_FIELDS.format(hint=html.escape(login_hint)))
        answer.set_cookie(COOKIE, name, httponly=True, samesite="lax")
        return answer

    @router.post("/password", response_class=HTMLResponse)
    async def password(request: Request) -> Response:
        """Take a password."""
        form, name = await _form(request), request.cookies.get(COOKIE, "")
        email = form.get("username", "")
        try:
            asked = provider.asked_by(name)
            grant = provider.password(name, email, form.get("password", ""))
        except RefusedError as error:
            events.tell("identity.refused", step="password", reason=str(error))
            again = _FIRST_FIELDS.format(hint=html.escape(email))
            return _page("/password", again, str(error), HTTPStatus.UNAUTHORIZED)
        if grant is not None:
            return _forward(grant, asked.redirect_uri, asked.state, events)
        return _page("/code", _CODE_FIELDS)

    @router.post("/code", response_class=HTMLResponse)
    async def code(request: Request) -> Response:
        """Take a one-time code."""
        form, name = await _form(request), request.cookies.get(COOKIE, "")
        try:
            asked = provider.asked_by(name)
            grant = provider.code(name, form.get("code", ""))
        except RefusedError as error:
            events.tell("identity.refused", step="code", reason=str(error))
            return _page("/code", _CODE_FIELDS, str(error), HTTPStatus.UNAUTHORIZED)
        return _forward(grant, asked.redirect_uri, asked.state, events)

    @router.post("/token")
    async def token(request: Request) -> JSONResponse:
        """Tell Webex who signed in, once."""
        form = await _form(request)
        if form.get("grant_type") != "authorization_code":
            return JSONResponse({"error": "unsupported_grant_type"}, HTTPStatus.BAD_REQUEST, _HEADERS)
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        given = [form.get(each, "") for each in ("code", "redirect_uri", "code_verifier")]
        try:
            identity = provider.identity_token(client, secret, (given[0], given[1], given[2]), issuer())
        except RefusedError as error:
            status = HTTPStatus.UNAUTHORIZED if str(error) == "invalid_client" else HTTPStatus.BAD_REQUEST
            return JSONResponse({"error": str(error)}, status, _HEADERS)
        told = {"id_token": identity, "token_type": "Bearer", "expires_in": int(TOKEN_LIVES_S)}
        return JSONResponse(told, headers=_HEADERS)

    return router
