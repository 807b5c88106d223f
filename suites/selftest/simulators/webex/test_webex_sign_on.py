"""Webex sends who asks for a token to the identity provider, and believes nobody else of who somebody is."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from webex_cloud import OFFICER, OPERATOR, Running, refused, webex

from harness.endpoints.webex import Credentials, Integration, SignedIn, sign_in
from harness.errors import SignInRefusedError, WebexError
from harness.protocols.totp import code_of, secret_of, step_of
from simulators.calendar import clock_of

pytestmark = pytest.mark.virtual_time
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
BACK = "http://127.0.0.1:9/done?a=b"
CLIENT = Integration("C1", BACK, ("spark:people_read",), "s3cret")
NOBODY = "gone@force.example"


def settings(**more: Any) -> dict[str, Any]:
    accounts = [{"email": each, "password": "right", "totp_secret": SECRET} for each in (OPERATOR, OFFICER, NOBODY)]
    client = {"client_id": "C1", "client_secret": "s3cret", "redirect_uri": BACK, "scopes": ["spark:people_read"]}
    return {"integrations": [client], "sign_on": {"accounts": accounts, **more}}


async def signed_in(cloud: Running, email: str = OPERATOR, client: Integration = CLIENT) -> SignedIn:
    clock = clock_of(cloud.journal, virtual=True)
    who = Credentials(email, "right", lambda: code_of(secret_of(SECRET), step_of(clock())))
    return await sign_in(cloud.simulator.url, client, who)


async def stranger(cloud: Running) -> httpx.AsyncClient:
    return await cloud.with_token("none")


async def sent(http: httpx.AsyncClient, **fields: str) -> httpx.Response:
    query = {"client_id": "C1", "response_type": "code", "redirect_uri": BACK, "state": "mine"}
    return await http.get("/authorize", params=query | {"scope": "spark:people_read", "email": OPERATOR, **fields})


async def test_a_token_is_had_by_who_signed_in_and_has_the_scopes_that_were_asked_for() -> None:
    async with webex(virtual=True, **settings()) as cloud:
        entered = await signed_in(cloud)
        assert entered.factors == ("password", "one-time code")
        http = await cloud.with_token(entered.access_token)
        assert (await http.get("/people/me")).json()["emails"] == [OPERATOR]
        refused(await http.get("/rooms"), 403)
        assert "identity.signed_in" in cloud.journal.lines()
        for told in ("right", entered.access_token, SECRET):
            assert told not in cloud.journal.lines() and told not in repr(entered)


async def test_no_address_lets_anybody_in_by_itself() -> None:
    async with webex(virtual=True, **settings()) as cloud:
        answer = await sent(await stranger(cloud))
        there = urlsplit(answer.headers["location"])
        assert (answer.status_code, there.path) == (302, "/authorize")
        asked = dict(parse_qsl(there.query))
        assert asked["login_hint"] == OPERATOR and asked["state"] != "mine" and "scope" in asked


async def test_who_has_no_account_or_one_that_is_disabled_is_sent_back_without_a_code() -> None:
    async with webex(virtual=True, **settings()) as cloud:
        with pytest.raises(SignInRefusedError, match="access_denied"):
            await signed_in(cloud, NOBODY)
        admin = await cloud.client()
        [person] = (await admin.get("/people", params={"email": OFFICER})).json()["items"]
        await admin.put(f"/people/{person['id']}", json=person | {"loginEnabled": False})
        with pytest.raises(SignInRefusedError, match="access_denied"):
            await signed_in(cloud, OFFICER)


async def test_who_comes_back_without_having_been_sent_or_twice_is_refused() -> None:
    async with webex(virtual=True, **settings()) as cloud:
        http = await stranger(cloud)
        refused(await http.get("/sso/callback", params={"state": "x", "code": "y"}), 400)
        refused(await http.get("/sso/callback"), 400)
        state = dict(parse_qsl(urlsplit((await sent(http)).headers["location"]).query))["state"]
        answer = await http.get("/sso/callback", params={"state": state, "code": "guessed"})
        back = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
        assert (back["error"], back["state"], "code" in back) == ("access_denied", "mine", False)
        refused(await http.get("/sso/callback", params={"state": state, "code": "guessed"}), 400)
    async with webex(virtual=True) as cloud:
        refused(await (await stranger(cloud)).get("/sso/callback", params={"state": "x"}), 404)


async def test_a_provider_that_says_another_thing_than_was_asked_or_is_away_is_not_believed() -> None:
    async with webex(virtual=True, **settings()) as cloud:
        sign_on = cloud.simulator._cloud.sign_on
        assert sign_on is not None
        for field, value in (("client_secret", "other"), ("provider_url", lambda: "http://127.0.0.1:9")):
            was = getattr(sign_on, field)
            state = dict(parse_qsl(urlsplit((await sent(await stranger(cloud))).headers["location"]).query))["state"]
            setattr(sign_on, field, value)
            answer = await (await stranger(cloud)).get("/sso/callback", params={"state": state, "code": "x"})
            assert "error=access_denied" in answer.headers["location"]
            setattr(sign_on, field, was)


async def test_a_wrong_secret_of_the_integration_gets_no_token_and_a_foreign_state_is_found_out() -> None:
    async with webex(virtual=True, **settings()) as cloud:
        with pytest.raises(SignInRefusedError, match="401"):
            await signed_in(cloud, client=Integration("C1", BACK, ("spark:people_read",), "wrong"))
        with pytest.raises(SignInRefusedError, match="invalid_scope"):
            await signed_in(cloud, client=Integration("C1", BACK, ("spark:all",), "s3cret"))
        with pytest.raises(WebexError):
            await signed_in(cloud, client=Integration("C1", "http://evil.example/", ("spark:people_read",), "s3cret"))
