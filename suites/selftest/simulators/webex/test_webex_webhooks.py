"""Webhooks of a simulated Webex: signed, filtered, told to who may know, tried again, and switched off in the end."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from webex_cloud import ADMIN, OFFICER, OPERATOR, refused, room, webex

from simulators.web import WebServer
from simulators.webex.delivery import DISABLED_AFTER


class Receiver:
    """What takes webhooks."""

    def __init__(self) -> None:
        self.url = ""
        self.taken: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue(10_000)
        self.answers: list[int] = []
        """What the next ones are answered; then 200."""
        self.broken = False

    async def next(self, within: float = 5.0) -> tuple[dict[str, str], dict[str, Any]]:
        """Headers and body of the next one."""
        async with asyncio.timeout(within):
            headers, body = await self.taken.get()
        return headers | {"body": body.decode()}, json.loads(body)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """One that listens."""
    made = Receiver()

    async def take(request: Request) -> Response:
        body = await request.body()
        status = 500 if made.broken else made.answers.pop(0) if made.answers else 200
        made.taken.put_nowait((dict(request.headers), body))
        return Response(status_code=status)

    server = WebServer(Starlette(routes=[Route("/hook", take, methods=["POST"])]), "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{await server.start()}/hook"
    try:
        yield made
    finally:
        await server.stop()


async def hook(http: httpx.AsyncClient, url: str, resource: str = "messages", **fields: Any) -> str:
    """A webhook that is made."""
    body = {"name": "hook", "targetUrl": url, "resource": resource, "event": "all", **fields}
    made = await http.post("/webhooks", json=body)
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


async def test_a_message_is_told_signed_and_without_its_text() -> None:
    async with webex() as cloud, receiver() as taking:
        admin, operator = await cloud.client(), await cloud.client(OPERATOR)
        place = await room(admin, OPERATOR)
        made = await hook(operator, taking.url, secret="s3cret", event="created")
        said = (await admin.post("/messages", json={"roomId": place, "text": "Hello"})).json()
        headers, told = await taking.next()
        signed = hmac.new(b"s3cret", headers["body"].encode(), hashlib.sha1)
        assert headers["x-spark-signature"] == signed.hexdigest()
        due = {"id", "name", "targetUrl", "resource", "event", "orgId", "createdBy", "appId", "ownedBy", "status"}
        assert due <= set(told)
        assert "secret" not in told and "text" not in told["data"]
        assert (told["id"], told["resource"], told["event"], told["actorId"]) == (
            made,
            "messages",
            "created",
            said["personId"],
        )
        assert (told["data"]["id"], told["data"]["roomId"], told["data"]["personEmail"]) == (said["id"], place, ADMIN)


async def test_nobody_is_told_of_rooms_that_they_are_not_in_nor_of_what_the_filter_leaves_out() -> None:
    async with webex() as cloud, receiver() as taking:
        admin, operator, officer = [await cloud.client(each) for each in (ADMIN, OPERATOR, OFFICER)]
        place, other = await room(admin, OPERATOR), await room(admin, OPERATOR)
        await hook(officer, taking.url)
        await hook(operator, taking.url, filter=f"roomId={place}&hasFiles=true")
        await admin.post("/messages", json={"roomId": other, "text": "elsewhere"})
        await admin.post("/messages", json={"roomId": place, "text": "no file"})
        await admin.post("/messages", data={"roomId": place}, files={"files": ("a.txt", b"a")})
        _headers, told = await taking.next()
        assert told["data"]["roomId"] == place and len(told["data"]["files"]) == 1
        await cloud.journal.expect("webex", "webhook.sent", within=5.0)
        assert taking.taken.empty()


async def test_memberships_and_deletions_are_told_to_who_leaves_too() -> None:
    async with webex() as cloud, receiver() as taking:
        admin, operator = await cloud.client(), await cloud.client(OPERATOR)
        place = await room(admin, OPERATOR)
        await hook(operator, taking.url, "memberships")
        [own] = (await operator.get("/memberships", params={"roomId": place, "personEmail": OPERATOR})).json()["items"]
        assert (await admin.delete(f"/memberships/{own['id']}")).status_code == 204
        _headers, told = await taking.next()
        assert (told["event"], told["data"]["personEmail"]) == ("deleted", OPERATOR)


@pytest.mark.real_wire
async def test_one_that_is_not_taken_is_tried_again_and_comes_once_when_it_is() -> None:
    async with webex() as cloud, receiver() as taking:
        admin = await cloud.client()
        place = await room(admin)
        await hook(admin, taking.url)
        taking.answers = [503]
        await admin.post("/messages", json={"roomId": place, "text": "1"})
        first, again = await taking.next(), await taking.next()
        assert first[1] == again[1]
        await cloud.journal.expect("webex", "webhook.sent", within=5.0)
        assert taking.taken.empty()


@pytest.mark.virtual_time
async def test_one_that_nobody_takes_is_switched_off_and_can_be_switched_on_again() -> None:
    async with webex(virtual=True) as cloud, receiver() as taking:
        admin = await cloud.client()
        place = await room(admin)
        made = await hook(admin, taking.url)
        taking.broken = True
        for number in range(DISABLED_AFTER):
            await admin.post("/messages", json={"roomId": place, "text": str(number)})
        await cloud.journal.expect("webex", "webhook.disabled", within=DISABLED_AFTER * 3.0, webhook=made)
        told = (await admin.get(f"/webhooks/{made}")).json()
        assert told["status"] == "inactive"
        count = taking.taken.qsize()
        await admin.post("/messages", json={"roomId": place, "text": "unheard"})
        taking.broken = False
        again = {"name": "hook", "targetUrl": taking.url, "status": "active"}
        assert (await admin.put(f"/webhooks/{made}", json=again)).json()["status"] == "active"
        said = await admin.post("/messages", json={"roomId": place, "text": "heard"})
        await cloud.journal.expect("webex", "webhook.sent", within=30.0)
        for _ in range(count):
            taking.taken.get_nowait()
        assert (await taking.next())[1]["data"]["id"] == said.json()["id"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"targetUrl": "ftp://x/y"}, 400),
        ({"targetUrl": "http://"}, 400),
        ({"targetUrl": "http://a:99999/"}, 400),
        ({"resource": "rooms", "event": "deleted"}, 400),
        ({"resource": "all", "filter": "roomId=x"}, 400),
        ({"filter": "colour=red"}, 400),
        ({"filter": "nothing"}, 400),
        ({"resource": "calls"}, 400),
    ],
)
async def test_a_webhook_that_can_not_be_is_refused(fields: dict[str, str], status: int) -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        body = {"name": "x", "targetUrl": "http://127.0.0.1:9/x", "resource": "messages", "event": "created", **fields}
        refused(await admin.post("/webhooks", json=body), status)
        assert (await admin.get("/webhooks")).json()["items"] == []


async def test_the_same_webhook_twice_is_a_conflict_and_one_for_elsewhere_is_never_sent() -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        place = await room(admin)
        made = await hook(admin, "https://webhooks.example/x")
        again = {"name": "x", "targetUrl": "https://webhooks.example/x", "resource": "messages", "event": "all"}
        refused(await admin.post("/webhooks", json=again), 409)
        await admin.post("/messages", json={"roomId": place, "text": "x"})
        await cloud.journal.expect("webex", "webhook.not_sent", within=1.0, webhook=made)


async def test_a_leavers_token_and_webhooks_serve_no_more() -> None:
    async with webex() as cloud, receiver() as taking:
        admin, operator = await cloud.client(), await cloud.client(OPERATOR)
        place = await room(admin, OPERATOR)
        await hook(operator, taking.url)
        person = (await operator.get("/people/me")).json()
        changed = await admin.put(f"/people/{person['id']}", json=person | {"loginEnabled": False})
        assert changed.json()["loginEnabled"] is False
        refused(await operator.get("/people/me"), 401)
        await admin.post("/messages", json={"roomId": place, "text": "x"})
        await cloud.journal.expect("webex", "messages.created", within=1.0)
        assert taking.taken.empty()
        assert (await admin.delete(f"/people/{person['id']}")).status_code == 204
        members = (await admin.get("/memberships", params={"roomId": place})).json()["items"]
        assert [each["personEmail"] for each in members] == [ADMIN]
        refused(await admin.delete(f"/people/{(await admin.get('/people/me')).json()['id']}"), 403)
