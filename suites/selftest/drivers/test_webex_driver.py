"""The Webex driver and its client: what they refuse to send, what they wait for, and what they tell nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.drivers.webex import Account, Webex
from harness.drivers.webex_left import find
from harness.endpoints.webex import WebexClient, token_from
from harness.errors import (
    DriverError,
    ExpectationError,
    InterlockError,
    TestbedError,
    WebexError,
    WebexGoneError,
    WebexRefusedError,
)
from harness.testbed.load import load_testbed
from harness.transport.context import Context
from simulators.web import WebServer
from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator

ACCOUNTS = {
    "administrator": Account("admin@force.example", "ICCS_WEBEX_ADMIN", False),
    "operator": Account("operator@force.example", "ICCS_WEBEX_OPERATOR", False),
    "leaver": Account("officer@force.example", "ICCS_WEBEX_LEAVER", True),
}


def _no_dialling(number: str) -> None:
    raise InterlockError(f"dialling {number} is not allowed")


@asynccontextmanager
async def driver(
    *, virtual: bool = True, real: bool = False, read_only: bool = False
) -> AsyncIterator[tuple[Webex, WebexSimulator, Context]]:
    """A driver of a simulated Webex, which it takes for a real one where ``real``."""
    context = Context.create(seed=1)
    simulator = await WebexSimulator.start(context, WebexSettings(), virtual=virtual)
    webex = await Webex.open(
        context,
        "webex",
        service=simulator.url,
        accounts=ACCOUNTS,
        prefix="iccs-test-",
        read_only=read_only,
        permit=_no_dialling,
        clock=lambda: 0.0,
        control=None if real else simulator.control_url,
    )
    try:
        yield webex, simulator, context
    finally:
        await webex.close()
        await simulator.stop()


@asynccontextmanager
async def server(answer: Callable[[Request], Response]) -> AsyncIterator[str]:
    """A service that answers every request so."""

    async def taken(request: Request) -> Response:
        return answer(request)

    app = Starlette(routes=[Route("/{path:path}", taken, methods=["GET", "POST", "DELETE"])])
    web = WebServer(app, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{await web.start()}"
    finally:
        await web.stop()


@pytest.mark.virtual_time
async def test_an_account_that_is_not_disabled_is_found_out() -> None:
    async with driver() as (webex, _simulator, _context):
        await webex.account("leaver")
        with pytest.raises(ExpectationError, match="is let in still"):
            await webex.expect_blocked("leaver", within=60)
        with pytest.raises(DriverError, match="no token that could be blocked"):
            await webex.expect_blocked("operator", within=60)


@pytest.mark.virtual_time
async def test_a_message_that_another_account_does_not_see_is_found_out() -> None:
    async with driver() as (webex, _simulator, _context):
        said = await webex.say(await webex.make_room("alone"), "x")
        with pytest.raises(ExpectationError, match="was refused with 404"):
            await webex.expect_message(said, by="operator", within=5)


@pytest.mark.virtual_time
async def test_a_number_that_is_not_allowed_is_not_dialled_and_without_a_switch_there_is_no_calling() -> None:
    async with driver() as (webex, _simulator, context):
        with pytest.raises(InterlockError, match="dialling 999"):
            await webex.dial("999", by="operator")
        with pytest.raises(WebexRefusedError, match="no Webex Calling"):
            await webex.expect_call("connected", by="operator", within=5)
        assert "webex.dialled" not in context.journal.lines()


@pytest.mark.virtual_time
async def test_what_was_made_is_taken_away_at_the_end_and_what_others_made_stays() -> None:
    async with driver() as (webex, simulator, context):
        admin = await webex.account()
        theirs = (await admin.ask("POST", "/rooms", {"title": "iccs of somebody"}))["id"]
        await webex.make_room("mine")
        assert [each.name async for each in find(admin, "iccs-test-", "administrator")] == ["iccs-test-mine"]
        await webex.tidy()
        assert [each["id"] async for each in admin.listed("/rooms")] == [theirs]
        for secret in (simulator.token, "@force.example"):
            assert secret not in context.journal.lines()
        assert "Bearer" not in repr(admin) and simulator.token not in repr(admin)


async def test_a_read_only_webex_is_sent_nothing_that_would_change_it() -> None:
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.method)
        return JSONResponse({"items": []})

    async with server(answer) as url:
        client = WebexClient("webex", url, "t", read_only=True)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            with pytest.raises(WebexError, match="is read-only"):
                await client.ask(method, "/rooms/x", {"title": "x"})
        assert asked == []
        assert [each async for each in client.listed("/rooms")] == []
        assert asked == ["GET"]
        await client.close()


async def test_of_a_real_webex_no_account_is_disabled_that_is_not_disposable_and_no_room_written_in_that_is_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with driver(real=True, virtual=False) as (webex, simulator, _context):
        monkeypatch.setenv("ICCS_WEBEX_ADMIN", simulator.token)
        theirs = (await (await webex.account()).ask("POST", "/rooms", {"title": "x"}))["id"]
        with pytest.raises(InterlockError, match="disposable"):
            await webex.disable("operator")
        with pytest.raises(InterlockError, match="was not made by this test"):
            await webex.say(theirs, "x")
        with pytest.raises(WebexError, match="set ICCS_WEBEX_OPERATOR in the environment"):
            await webex.account("operator")
        with pytest.raises(DriverError, match="it is not made to fail from here"):
            await webex.fail()


@pytest.mark.virtual_time
async def test_a_busy_service_is_asked_again_after_the_wait_that_it_tells_and_given_up_in_the_end() -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()

    def answer(_request: Request) -> Response:
        times.append(loop.time())
        if len(times) == 3:
            return JSONResponse({"id": "x"})
        return JSONResponse({}, 429, {"Retry-After": "30" if len(times) < 3 else "61"})

    async with server(answer) as url:
        client = WebexClient("webex", url, "t", read_only=True)
        assert await client.ask("GET", "/people/me") == {"id": "x"}
        assert [round(after - before) for before, after in pairwise(times)] == [30, 30]
        with pytest.raises(WebexGoneError, match="too busy for 61 s"):
            await client.ask("GET", "/people/me")
        await client.close()


async def test_a_page_that_points_elsewhere_is_not_followed_with_the_token() -> None:
    def answer(_request: Request) -> Response:
        return JSONResponse({"items": [{"id": "1"}]}, headers={"Link": '<http://a.example/v1/rooms>; rel="next"'})

    async with server(answer) as url:
        client = WebexClient("webex", url, "t", read_only=True)
        with pytest.raises(WebexError, match="which is elsewhere"):
            [each async for each in client.listed("/rooms")]
        await client.close()


@pytest.mark.parametrize(
    ("status", "text", "told"),
    [(500, b"<html>", "what is not JSON"), (200, b"{", "what is not JSON"), (403, b'{"message": "No"}', "403: No")],
)
async def test_what_a_service_answers_amiss_is_told(status: int, text: bytes, told: str) -> None:
    async with server(lambda _request: Response(text, status)) as url:
        client = WebexClient("webex", url, "t", read_only=True)
        with pytest.raises(WebexError, match=told):
            await client.ask("GET", "/people/me")
        await client.close()


async def test_a_service_that_is_not_there_is_told_without_the_token() -> None:
    client = WebexClient("webex", "http://127.0.0.1:9", "s3cret-token", read_only=True)
    with pytest.raises(WebexGoneError) as raised:
        await client.ask("GET", "/people/me")
    assert "s3cret-token" not in str(raised.value)
    await client.close()


@pytest.mark.virtual_time
async def test_the_service_s_refusal_is_told_with_its_tracking_id() -> None:
    async with driver() as (webex, _simulator, _context):
        with pytest.raises(WebexRefusedError) as raised:
            await (await webex.account()).ask("GET", "/rooms/no-such-room")
        assert raised.value.status == 404 and raised.value.tracking.startswith("ROUTERGW_")


def test_a_token_is_had_from_the_environment_and_else_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyring:
        @staticmethod
        def get_password(service: str, user: str) -> str | None:
            return "kept" if (service, user) == ("iccs-webex", "B") else None

    monkeypatch.setattr("harness.endpoints.webex.secrets.import_module", lambda _name: Keyring)
    monkeypatch.setenv("A", "told")
    assert (token_from("A"), token_from("B")) == ("told", "kept")
    with pytest.raises(WebexError, match="keyring set iccs-webex C"):
        token_from("C")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"accounts": "{operator: {email: operator@force.example}}"}, "needs an 'administrator'"),
        ({"binding": "real"}, "a real webex needs 'service'"),
        ({"binding": "real", "service": "https://webexapis.com"}, "without it: administrator"),
        ({"service": "https://webexapis.com"}, "'service': for a real webex"),
        ({"accounts": "{administrator: {email: nobody@force.example}}"}, "has nobody with the email"),
        ({"prefix": "''"}, "prefix"),
    ],
)
def test_what_is_wrong_in_the_testbed_file_is_named(tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    whole = {"role": "webex", "accounts": "{administrator: {email: admin@force.example}}"} | fields
    file = tmp_path / "test.yaml"
    file.write_text(
        f"name: t\ncomponents:\n  webex: {{{', '.join(f'{key}: {each}' for key, each in whole.items())}}}\n"
    )
    with pytest.raises(TestbedError) as raised:
        load_testbed(file)
    assert told in str(raised.value)


def test_a_real_webex_is_only_read_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    text = (
        "name: t\ncomponents:\n  webex: {role: webex, binding: real, service: 'https://webexapis.com', "
        "accounts: {administrator: {email: a@b.example, token_variable: ICCS_WEBEX_TOKEN}}%s}\n"
    )
    for more, only_read in (("", True), (", read_only: false", False)):
        file.write_text(text % more)
        component = load_testbed(file).components["webex"]
        assert component.role == "webex" and component.only_read is only_read
