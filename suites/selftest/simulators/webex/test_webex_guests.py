"""Guests of the simulated Webex: made by whom, known again, for how long, and what of them nobody else changes."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from pydantic import ValidationError
from webex_cloud import ADMIN, OPERATOR, PARTNER, Running, refused, webex

from harness.protocols.jwt import signed
from simulators.calendar import clock_of
from simulators.webex.settings import WebexSettings

pytestmark = pytest.mark.virtual_time
APP, KEY = "app@serviceapp.example", b"guest issuer's secret"
SETTINGS: dict[str, Any] = {
    "service_apps": [{"email": APP, "name": "App"}, {"email": "b@serviceapp.example", "name": "B"}],
    "guest_issuers": [{"id": "I1", "secret": base64.b64encode(KEY).decode()}],
}
ANN = {"subject": "ann", "displayName": "Ann"}


async def made(cloud: Running, **fields: str) -> dict[str, Any]:
    """A guest of the service app."""
    answer = await (await cloud.client(APP)).post("/guests/token", json=ANN | fields)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_guest_is_known_again_by_the_subject_and_each_token_serves_its_time() -> None:
    async with webex(virtual=True, **SETTINGS) as cloud:
        first = await made(cloud)
        assert set(first) == {"id", "subject", "displayName", "email", "accessToken", "expiresIn"}
        await asyncio.sleep(100)
        again = await made(cloud, displayName="Anna")
        assert (again["id"], again["displayName"]) == (first["id"], "Anna")
        assert (await made(cloud, subject="bob"))["id"] != first["id"]
        app = await cloud.client(APP)
        assert (await app.get("/guests/count")).json() == {"guestCount": 2}
        other = await cloud.client("b@serviceapp.example")
        assert (await other.get("/guests/count")).json() == {"guestCount": 0}
        theirs = (await other.post("/guests/token", json=ANN)).json()
        assert theirs["id"] != first["id"], "two apps may know somebody by the same word"
        old, new = [await cloud.with_token(each["accessToken"]) for each in (first, again)]
        assert (await old.get("/people/me")).json()["type"] == "appuser"
        await asyncio.sleep(first["expiresIn"] - 50)
        refused(await old.get("/people/me"), 401)
        assert (await new.get("/people/me")).status_code == 200


async def test_only_a_service_app_makes_guests_and_with_it_they_go() -> None:
    async with webex(virtual=True, **SETTINGS) as cloud:
        for email in (ADMIN, OPERATOR):
            http = await cloud.client(email, scopes={"guest-issuer:write", "spark:people_read"})
            refused(await http.post("/guests/token", json=ANN), 403)
        reads = await cloud.client(APP, scopes={"guest-issuer:read"})
        refused(await reads.post("/guests/token", json=ANN), 403)
        for wrong in ({"subject": ""}, {"subject": " "}, {"displayName": None}, {"subject": "x" * 300}):
            refused(await (await cloud.client(APP)).post("/guests/token", json=ANN | wrong), 400)
        guest = await cloud.with_token((await made(cloud))["accessToken"])
        refused(await guest.post("/guests/token", json=ANN), 403)
        admin = await cloud.client()
        app = (await (await cloud.client(APP)).get("/people/me")).json()
        assert (await admin.delete(f"/people/{app['id']}")).status_code == 204
        refused(await guest.get("/people/me"), 401)


async def test_a_guest_is_in_no_list_and_is_changed_by_no_administrator() -> None:
    async with webex(virtual=True, **SETTINGS) as cloud:
        guest = await made(cloud)
        admin = await cloud.client()
        listed = (await admin.get("/people")).json()["items"]
        assert guest["id"] not in {each["id"] for each in listed} and len(listed) == 5
        shown = (await admin.get(f"/people/{guest['id']}")).json()
        body = shown | {"roles": [(await admin.get("/roles")).json()["items"][0]["id"]]}
        refused(await admin.put(f"/people/{guest['id']}", json=body), 403)
        refused(await admin.delete(f"/people/{guest['id']}"), 403)
        refused(await (await cloud.client(PARTNER)).get(f"/people/{guest['id']}"), 404)


async def test_an_issuers_word_is_believed_while_it_is_valid_and_nobody_elses() -> None:
    async with webex(virtual=True, **SETTINGS) as cloud:
        ends = int(clock_of(cloud.journal, virtual=True)()) + 100
        claims = {"iss": "I1", "sub": "ann", "name": "Ann", "exp": ends}

        async def login(token: str) -> Any:
            return await (await cloud.with_token(token)).post("/jwt/login")

        told = (await login(signed(claims, KEY))).json()
        assert set(told) == {"token", "expiresIn"} and told["expiresIn"] == 21_599
        guest = await cloud.with_token(told["token"])
        assert (await guest.get("/people/me")).json()["displayName"] == "Ann"
        for wrong in ({"iss": "I2"}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 300}, {"name": "\x00"}, {"exp": None}):
            refused(await login(signed(claims | wrong, KEY)), 401)
        for token in (signed(claims, b"other"), told["token"], cloud.simulator.token, "x"):
            refused(await login(token), 401)
        await asyncio.sleep(100)
        refused(await login(signed(claims, KEY)), 401)


def test_an_issuers_secret_that_is_not_base64_is_refused() -> None:
    with pytest.raises(ValidationError, match="base64"):
        WebexSettings.model_validate({"guest_issuers": [{"id": "I", "secret": "not base64!"}]})
