"""The simulated identity provider: its steps in their order, each thing taken once, and what others send refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from harness.protocols.jwt import believed
from harness.protocols.totp import code_of, secret_of, step_of
from harness.transport.context import Context
from simulators.calendar import clock_of
from simulators.events import Events
from simulators.identity.provider import MAX_SIGN_INS, Provider
from simulators.identity.server import IdentityProvider
from simulators.identity.settings import IdentitySettings

pytestmark = pytest.mark.virtual_time
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
KEY, BACK, EMAIL = b"s" * 32, "http://webex.example/back", "a@force.example"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
QUERY = {
    "client_id": "webex",
    "redirect_uri": BACK,
    "response_type": "code",
    "state": "S&1",
    "nonce": "N",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


class Running:
    """One that is up."""

    def __init__(self, url: str, provider: Provider, stack: AsyncExitStack) -> None:
        self.url, self.provider, self._stack = url, provider, stack

    async def browser(self) -> httpx.AsyncClient:
        """A browser, with cookies of its own."""
        return await self._stack.enter_async_context(httpx.AsyncClient(base_url=self.url, trust_env=False))

    def code(self, ago: float = 0) -> str:
        return code_of(secret_of(SECRET), step_of(self.provider.now() - ago))

    async def grant(self) -> str:
        """Sign in whole."""
        http = await self.browser()
        await http.get("/authorize", params=QUERY)
        await http.post("/password", data={"username": EMAIL, "password": "right"})
        answer = await http.post("/code", data={"code": self.code()})
        assert answer.status_code == 303, answer.text
        location = httpx.URL(answer.headers["location"])
        assert str(location).startswith(BACK) and location.params["state"] == "S&1"
        return str(location.params["code"])

    async def token(self, grant: str, **changed: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "client_id": "webex", "client_secret": KEY.decode()}
        form |= {"code": grant, "redirect_uri": BACK, "code_verifier": VERIFIER}
        return await (await self.browser()).post("/token", data=form | changed)


@asynccontextmanager
async def identity(**settings: Any) -> AsyncIterator[Running]:
    context = Context.create(seed=1)
    account = {"email": EMAIL, "password": "right", "totp_secret": SECRET}
    made = IdentitySettings.model_validate(
        {"accounts": [account, {"email": "b@x.example", "password": "b"}], **settings}
    )
    provider = Provider(made, clock_of(context.journal, virtual=True), "webex", KEY, {BACK})
    running = IdentityProvider(Events(context.journal, "identity"), "127.0.0.1", provider)
    await running.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(running.stop)
        yield Running(running.url, provider, stack)


async def test_who_signs_in_is_told_to_webex_once() -> None:
    async with identity() as idp:
        grant = await idp.grant()
        told = await idp.token(grant)
        claims = believed(told.json()["id_token"], KEY, idp.provider.now())
        assert (claims["iss"], claims["aud"], claims["nonce"], claims["email"]) == (idp.url, "webex", "N", EMAIL)
        assert claims["amr"] == ["pwd", "otp", "mfa"]
        assert (await idp.token(grant)).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_secret": "x"}, "invalid_client"),
        ({"client_id": "x"}, "invalid_client"),
        ({"redirect_uri": "http://evil.example"}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code": "x"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_grant_is_not_had_otherwise(changed: dict[str, str], error: str) -> None:
    async with identity() as idp:
        answer = await idp.token(await idp.grant(), **changed)
        assert answer.status_code in {400, 401} and answer.json() == {"error": error}


async def test_grants_and_sign_ins_grow_old() -> None:
    async with identity() as idp:
        grant = await idp.grant()
        await asyncio.sleep(61)
        assert (await idp.token(grant)).json() == {"error": "invalid_grant"}
        http = await idp.browser()
        await http.get("/authorize", params=QUERY)
        await asyncio.sleep(301)
        answer = await http.post("/password", data={"username": EMAIL, "password": "right"})
        assert answer.status_code == 401 and "begin again" in answer.text


async def test_no_step_is_passed_over_and_no_other_browser_goes_on() -> None:
    async with identity() as idp:
        http = await idp.browser()
        assert "begin again" in (await http.post("/code", data={"code": idp.code()})).text
        await http.get("/authorize", params=QUERY)
        assert "password comes first" in (await http.post("/code", data={"code": idp.code()})).text
        other = await idp.browser()
        assert "begin again" in (await other.post("/password", data={"username": EMAIL, "password": "right"})).text
        assert (await http.post("/password", data={"username": "b@x.example", "password": "b"})).status_code == 401
        assert "password comes first" in (await http.post("/code", data={"code": idp.code()})).text


async def test_wrong_tries_are_told_alike_and_lock_an_account_for_a_time() -> None:
    async with identity(failures=3, locked_s=50) as idp:
        http = await idp.browser()
        await http.get("/authorize", params=QUERY)

        async def tried(email: str, password: str) -> str:
            return (await http.post("/password", data={"username": email, "password": password})).text

        nobody = await tried("nobody@force.example", "x")
        assert nobody.replace("nobody@force.example", EMAIL) == await tried(EMAIL, "x")
        await tried(EMAIL, "x")
        await tried(EMAIL, "x")
        assert "locked" in await tried(EMAIL, "right")
        await asyncio.sleep(51)
        assert "one-time-code" in await tried(EMAIL, "right")
        for _time in range(3):
            await http.post("/code", data={"code": "000000"})
        assert "locked" in (await http.post("/code", data={"code": idp.code()})).text


async def test_a_provider_without_second_factors_lets_in_by_password_alone() -> None:
    async with identity(second_factor="off") as idp:
        http = await idp.browser()
        await http.get("/authorize", params=QUERY)
        answer = await http.post("/password", data={"username": "b@x.example", "password": "b"})
        told = await idp.token(httpx.URL(answer.headers["location"]).params["code"])
        assert believed(told.json()["id_token"], KEY, idp.provider.now())["amr"] == ["pwd"]


@pytest.mark.parametrize("changed", [{"client_id": "x"}, {"redirect_uri": "http://evil.example"}])
async def test_an_unknown_application_is_not_sent_anybody(changed: dict[str, str]) -> None:
    async with identity() as idp:
        answer = await (await idp.browser()).get("/authorize", params=QUERY | changed)
        assert answer.status_code == 400 and "not known" in answer.text and "<form" not in answer.text


async def test_what_is_sent_is_shown_as_text_and_never_breaks_it() -> None:
    async with identity() as idp:
        http = await idp.browser()
        hostile = '"><script>alert(1)</script>{0}'
        page = await http.get("/authorize", params=QUERY | {"login_hint": hostile})
        assert "<script" not in page.text and "script" not in page.headers["content-security-policy"].split("style")[0]
        page = await http.post("/password", data={"username": hostile, "password": hostile})
        assert page.status_code == 401 and "<script" not in page.text
        for body in (b"\xff=%ff&username=%00", b"&" * 5_000, b"username=" + b"x" * 60_000):
            answer = await http.post("/password", content=body)
            assert answer.status_code == 401
        assert (await http.post("/password", content=b"x" * 70_000)).status_code == 413


async def test_sign_ins_that_nobody_ends_make_room() -> None:
    async with identity() as idp:
        first = idp.provider.begin("webex", BACK, "s", "n", CHALLENGE)
        for _time in range(MAX_SIGN_INS):
            last = idp.provider.begin("webex", BACK, "s", "n", CHALLENGE)
        assert idp.provider.asked_by(last).redirect_uri == BACK
        with pytest.raises(Exception, match="begin again"):
            idp.provider.asked_by(first)


@pytest.mark.parametrize(
    "accounts",
    [[], [{"email": EMAIL, "password": "x", "totp_secret": "1"}], [{"email": EMAIL, "password": "x"}] * 2],
)
def test_settings_that_can_not_be_are_refused(accounts: list[dict[str, str]]) -> None:
    with pytest.raises(ValidationError):
        IdentitySettings.model_validate({"accounts": accounts})
