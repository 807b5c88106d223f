"""Contacts of a simulated Webex: whom an organisation calls, one by one and many at once, and who sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from webex_cloud import OPERATOR, PARTNER, Running, refused, webex

from simulators.webex.ids import uuid_of

SCHEMA = "urn:cisco:codev:identity:contact:core:1.0"
COURT = {"schemas": SCHEMA, "displayName": "Sheriff Court", "phoneNumbers": [{"value": "01632 960200"}]}


class Book:
    """The contacts of an organisation, as an account asks for them."""

    def __init__(self, http: httpx.AsyncClient, org: str) -> None:
        self.http, self.root = http, f"/contacts/organizations/{org}/contacts"

    async def ask(self, method: str, path: str = "", body: Any = None, **query: str | int) -> httpx.Response:
        return await self.http.request(method, self.root + path, json=body, params=query)

    async def names(self, **query: str | int) -> list[str]:
        return [each["displayName"] for each in (await self.ask("GET", "/search", **query)).json()["result"]]


async def book_of(cloud: Running, *account: str, **token: Any) -> Book:
    """The first organisation's."""
    me = (await (await cloud.client()).get("/people/me")).json()
    return Book(await cloud.client(*account, **token), str(uuid_of(me["orgId"], "ORGANIZATION")))


@asynccontextmanager
async def book() -> AsyncIterator[tuple[Running, Book]]:
    async with webex() as cloud:
        yield cloud, await book_of(cloud)


async def test_a_contact_is_made_found_changed_and_removed() -> None:
    async with book() as (_cloud, mine):
        made = (
            await mine.ask("POST", body={**COURT, "emails": [{"value": "clerk@court.example", "type": "work"}]})
        ).json()
        assert made["emails"] == [{"value": "clerk@court.example", "type": "WORK"}]
        path = f"/{made['contactId']}"
        assert await mine.names(keyword="CLERK@") == ["Sheriff Court"]
        assert await mine.names(keyword="nobody") == []
        changed = {"title": "Clerk", "phoneNumbers": [{"value": "01632 960200", "operation": "delete"}]}
        assert (await mine.ask("PATCH", path, changed)).status_code == 204
        told = (await mine.ask("GET", path)).json()
        assert (told["title"], told["phoneNumbers"], told["displayName"]) == ("Clerk", [], "Sheriff Court")
        unreachable = {"emails": [{"value": "clerk@court.example", "operation": "delete"}]}
        assert "At least one" in refused(await mine.ask("PATCH", path, unreachable), 400)
        assert (await mine.ask("GET", path)).json() == told, "a refused change was made"
        assert (await mine.ask("DELETE", path)).status_code == 204
        refused(await mine.ask("GET", path), 404)


async def test_of_many_each_is_taken_or_refused_for_itself() -> None:
    async with book() as (_cloud, mine):
        known = (await mine.ask("POST", body=COURT)).json()["contactId"]
        contacts = [
            {"displayName": "Gate", "phoneNumbers": [{"value": "01632 960201"}]},
            {"displayName": "Unreachable"},
            {"contactId": known, "title": "Court"},
            {"contactId": "00000000-0000-4000-8000-000000000000", "title": "Nobody"},
        ]
        told = (await mine.ask("POST", "/bulk", {"schemas": SCHEMA, "contacts": contacts})).json()
        assert [each["displayName"] for each in told["contacts"]] == ["Gate", "Sheriff Court"]
        assert [(each["id"], each["statusCode"]) for each in told["failedContacts"]] == [(1, 400), (3, 404)]
        ids = [each["contactId"] for each in told["contacts"]]
        gone = await mine.ask("POST", "/bulk/delete", {"schemas": SCHEMA, "objectIds": [*ids, "not-there"]})
        assert (gone.status_code, await mine.names()) == (204, [])


async def test_pages_are_led_by_a_link() -> None:
    async with book() as (_cloud, mine):
        contacts = [{"displayName": f"C{each}", "phoneNumbers": [{"value": "01632 960202"}]} for each in range(5)]
        await mine.ask("POST", "/bulk", {"schemas": SCHEMA, "contacts": contacts})
        answer, seen = await mine.ask("GET", "/search", limit=2), []
        while True:
            seen += [each["displayName"] for each in answer.json()["result"]]
            if "next" not in answer.links:
                break
            answer = await mine.http.get(answer.links["next"]["url"])
        assert seen == [f"C{each}" for each in range(5)]
        assert (answer.json()["total"], answer.json()["start"]) == (5, 4)


async def test_a_groups_contact_is_seen_by_its_members_and_by_no_other_organisation() -> None:
    async with book() as (cloud, mine):
        org = mine.root.split("/")[3]
        identity = f"{cloud.simulator.url}/identity/scim/{org}/v2"
        group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Wave"}
        made = (await mine.http.post(f"{identity}/Groups", json=group)).json()["id"]
        refused(await mine.ask("POST", body={**COURT, "groupIds": ["no-group"]}), 400)
        await mine.ask("POST", body={**COURT, "groupIds": [made]})
        operator = await book_of(cloud, OPERATOR)
        assert (await operator.names(), await mine.names(groupIds=made)) == ([], ["Sheriff Court"])
        found = await mine.http.get(f"{identity}/Users", params={"filter": f'userName eq "{OPERATOR}"'})
        joins = {"op": "add", "path": "members", "value": [{"value": found.json()["Resources"][0]["id"]}]}
        patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [joins]}
        await mine.http.patch(f"{identity}/Groups/{made}", json=patch)
        assert await operator.names() == ["Sheriff Court"]
        refused(await operator.ask("POST", body=COURT), 403)
        refused(await (await book_of(cloud, OPERATOR, scopes={"spark:all"})).ask("GET", "/search"), 403)
        refused(await (await book_of(cloud, PARTNER)).ask("GET", "/search"), 404)
