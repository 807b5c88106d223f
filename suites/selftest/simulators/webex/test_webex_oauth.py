"""How integrations have tokens of a simulated Webex: by code and PKCE, refreshed, revoked, and not otherwise."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from webex_cloud import OPERATOR, Running, refused, webex

CLIENT = {"client_id": "C1", "client_secret": "s3cret", "redirect_uri": "http://127.0.0.1:9/done?a=b"}
SCOPES = ["spark:all", "spark:people_read"]
VERIFIER = "v" * 43


async def agreed(http: httpx.AsyncClient, **fields: str) -> dict[str, str]:
    """What the redirection tells the integration."""
    query = {"client_id": "C1", "response_type": "code", "redirect_uri": CLIENT["redirect_uri"], "state": "S&1"}
    query |= {"scope": "spark:people_read", "email": OPERATOR, **fields}
    answer = await http.get("/authorize", params=query)
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(CLIENT["redirect_uri"] + "&")
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


async def had(http: httpx.AsyncClient, **fields: str) -> httpx.Response:
    """The answer to a request for tokens."""
    form = {key: CLIENT[key] for key in ("client_id", "client_secret")} | fields
    return await http.post("/access_token", data=form)


async def stranger(cloud: Running) -> httpx.AsyncClient:
    return await cloud.with_token("none")


def settings(**more: Any) -> dict[str, Any]:
    return {"integrations": [CLIENT | {"scopes": SCOPES}], **more}


async def test_a_code_serves_once_and_its_token_has_the_scopes_that_were_agreed_to() -> None:
    async with webex(**settings()) as cloud:
        http = await stranger(cloud)
        told = await agreed(http)
        assert told["state"] == "S&1"
        form = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": CLIENT["redirect_uri"]}
        tokens = (await had(http, **form)).json()
        assert tokens["token_type"] == "Bearer" and tokens["scope"] == "spark:people_read"
        assert tokens["refresh_token_expires_in"] == 90 * 86_400
        operator = await cloud.with_token(tokens["access_token"])
        assert (await operator.get("/people/me")).json()["emails"] == [OPERATOR]
        refused(await operator.get("/rooms"), 403)
        assert "invalid_grant" in refused(await had(http, **form), 400)


async def test_an_integration_may_say_who_it_is_by_http_basic() -> None:
    # RFC 6749 section 2.3.1, as OAuth libraries do by themselves: both parts are encoded as in a form.
    async with webex(integrations=[CLIENT | {"client_secret": "s3: cret%", "scopes": SCOPES}]) as cloud:
        http = await stranger(cloud)
        form = {"grant_type": "authorization_code", "redirect_uri": CLIENT["redirect_uri"]}
        form["code"] = (await agreed(http))["code"]
        right, wrong = httpx.BasicAuth("C1", "s3%3A+cret%25"), httpx.BasicAuth("C1", "s3: cret")
        refused(await http.post("/access_token", data=form, auth=wrong), 401)
        headers = {"Authorization": "Basic ?"}
        assert "invalid_request" in refused(await http.post("/access_token", data=form, headers=headers), 400)
        answer = await http.post("/access_token", data=form, auth=right)
        assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")


async def test_pkce_needs_the_verifier_that_fits() -> None:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    async with webex(**settings()) as cloud:
        http = await stranger(cloud)
        for verifier, status in ((None, 400), ("w" * 43, 400), (VERIFIER, 200)):
            told = await agreed(http, code_challenge=challenge, code_challenge_method="S256")
            form = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": CLIENT["redirect_uri"]}
            answer = await had(http, **form, **({} if verifier is None else {"code_verifier": verifier}))
            assert answer.status_code == status, answer.text


@pytest.mark.virtual_time
async def test_a_token_is_refreshed_and_an_authorisation_that_is_revoked_ends_all_of_its_tokens() -> None:
    async with webex(virtual=True, **settings(token_lives_s=100)) as cloud:
        http = await stranger(cloud)
        told = await agreed(http)
        form = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": CLIENT["redirect_uri"]}
        tokens = (await had(http, **form)).json()
        await asyncio.sleep(101)
        refused(await (await cloud.with_token(tokens["access_token"])).get("/people/me"), 401)
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        operator = await cloud.with_token((await had(http, **refresh)).json()["access_token"])
        assert (await operator.get("/people/me")).status_code == 200
        [one] = [each for each in (await operator.get("/authorizations")).json()["items"] if each["type"] == "refresh"]
        assert (await operator.delete(f"/authorizations/{one['id']}")).status_code == 204
        refused(await operator.get("/people/me"), 401)
        assert "revoked" in refused(await had(http, **refresh), 400)


@pytest.mark.parametrize(
    ("fields", "error"),
    [({"scope": "audit:events_read"}, "invalid_scope"), ({"email": "nobody@force.example"}, "access_denied")],
)
async def test_who_may_not_is_sent_back_without_a_code(fields: dict[str, str], error: str) -> None:
    async with webex(**settings()) as cloud:
        told = await agreed(await stranger(cloud), **fields)
        assert told["error"] == error and "code" not in told


async def test_a_redirection_that_is_not_the_integrations_is_not_followed() -> None:
    async with webex(**settings()) as cloud:
        http = await stranger(cloud)
        query = {
            "client_id": "C1",
            "response_type": "code",
            "redirect_uri": "http://evil.example",
            "scope": "spark:all",
        }
        refused(await http.get("/authorize", params=query), 400)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"client_secret": "wrong"}, 401),
        ({"client_id": "other"}, 400),
        ({"grant_type": "password"}, 400),
        ({"refresh_token": "no-such"}, 400),
        ({"refresh_token": ""}, 400),
    ],
)
async def test_tokens_are_not_had_otherwise(form: dict[str, str], status: int) -> None:
    async with webex(**settings()) as cloud:
        wanted = {"grant_type": "refresh_token", "refresh_token": "x"} | form
        refused(await had(await stranger(cloud), **wanted), status)
