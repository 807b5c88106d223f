"""What a browser's stand-in does with a provider's pages: a password goes nowhere else, no page keeps it for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from harness.endpoints.webex import Credentials, Integration, sign_in
from harness.errors import SignInRefusedError, WebexError, WebexGoneError
from simulators.web import WebServer

CLIENT = Integration("C1", "http://127.0.0.1:9/done", ("spark:all",), "s3cret")
WHO = Credentials("a@force.example", "right", lambda: "123456")
PASSWORD = '<form action="{}"><input name=p type=password autocomplete=current-password></form>'


@asynccontextmanager
async def service(answer: Callable[[Request], Response]) -> AsyncIterator[str]:
    async def taken(request: Request) -> Response:
        return answer(request)

    web = WebServer(Starlette(routes=[Route("/{path:path}", taken, methods=["GET", "POST"])]), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{await web.start()}"
    finally:
        await web.stop()


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (lambda _: HTMLResponse(PASSWORD.format("http://evil.example/")), WebexError, "goes to 'evil.example'"),
        (lambda _: HTMLResponse(PASSWORD.format("/again")), WebexError, "not ended after 20 pages"),
        (lambda _: RedirectResponse("/round"), WebexError, "not ended after 20 pages"),
        (lambda _: HTMLResponse("<script>x</script>"), WebexError, "needs a person"),
        (lambda _: HTMLResponse('<p role="alert">Go  away</p>', 401), SignInRefusedError, r"says: Go away \(401\)"),
        (lambda _: JSONResponse({}), WebexError, "no page to sign in at"),
        (lambda _: JSONResponse({}, 500), SignInRefusedError, "refused with 500"),
        (lambda _: RedirectResponse("http://127.0.0.1:9/done?code=x&state=y"), WebexError, "another state"),
        (lambda _: RedirectResponse("http://127.0.0.1:9/elsewhere"), WebexGoneError, "no answer"),
    ],
)
async def test_pages_that_are_none_or_lead_astray(
    answer: Callable[[Request], Response], error: type[WebexError], told: str
) -> None:
    async with service(answer) as url:
        with pytest.raises(error, match=told):
            await sign_in(url, CLIENT, WHO)


@pytest.mark.parametrize(
    ("tokens", "error"),
    [
        (Response("<html>", 200), WebexError),
        (JSONResponse({"message": "no"}, 400), SignInRefusedError),
        (JSONResponse(["x"]), SignInRefusedError),
        (JSONResponse({"access_token": None}), SignInRefusedError),
    ],
)
async def test_a_code_for_which_there_is_no_token(tokens: Response, error: type[WebexError]) -> None:
    def answer(request: Request) -> Response:
        if request.method == "POST":
            return tokens
        return RedirectResponse(f"http://127.0.0.1:9/done?code=x&state={request.query_params['state']}")

    async with service(answer) as url:
        with pytest.raises(error):
            await sign_in(url, CLIENT, WHO)
