"""SCIM of the simulated Webex: one people store, leavers without tokens, refusals in SCIM's shape, no tenant leak."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from webex_cloud import ADMIN, OFFICER, OPERATOR, PARTNER, Running, refused, webex

from simulators.webex.ids import named, uuid_of

CORE = "urn:ietf:params:scim:schemas:core:2.0"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
WEBEX_ERROR = "urn:scim:schemas:extension:cisco:webexidentity:api:messages:2.0:Error"
NEW = {"schemas": [f"{CORE}:User"], "userName": "New@force.example", "userType": "user", "displayName": "New"}


class Scim:
    """An account's SCIM of an organisation."""

    def __init__(self, http: httpx.AsyncClient, root: str) -> None:
        self.http, self.root = http, root

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.http.request(method, self.root + path, json=body, **options)

    async def one(self, email: str) -> dict[str, Any]:
        """A user by their address."""
        told = (await self.ask("GET", "/Users", params={"filter": f'userName eq "{email}"'})).json()
        [found] = told["Resources"]
        return dict(found)

    async def patch(self, path: str, *operations: dict[str, Any]) -> httpx.Response:
        return await self.ask("PATCH", path, {"schemas": [f"{MESSAGES}:PatchOp"], "Operations": operations})


async def scim_of(cloud: Running, email: str = ADMIN, *, org_of: str | None = None, **token: Any) -> Scim:
    """SCIM of the account's own organisation, or of another's, as an account asks it."""
    me = (await (await cloud.client(org_of or email)).get("/people/me")).json()
    org = uuid_of(me["orgId"], "ORGANIZATION")
    return Scim(await cloud.client(email, **token), f"{cloud.simulator.url}/identity/scim/{org}/v2")


@asynccontextmanager
async def directory(**settings: Any) -> AsyncIterator[tuple[Running, Scim]]:
    async with webex(**settings) as cloud:
        yield cloud, await scim_of(cloud)


def scim_refused(answer: httpx.Response, status: int, word: str | None = None) -> str:
    """What a refusal tells, which is in SCIM's shape."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    said = answer.json()
    assert set(said) - {"scimType"} == {"schemas", "status", "detail", WEBEX_ERROR}
    assert said["schemas"] == [f"{MESSAGES}:Error", WEBEX_ERROR] and said["status"] == str(status)
    assert said.get("scimType") == word
    assert said[WEBEX_ERROR]["trackingId"] == answer.headers["trackingid"]
    return str(said["detail"])


async def test_what_one_interface_is_told_the_other_one_tells() -> None:
    async with directory() as (cloud, scim):
        name = {"givenName": "New", "familyName": "Hand", "honorificPrefix": "Dr"}
        numbers = [{"value": "2077", "type": "work_extension"}, {"value": "+441414960077", "type": "work"}]
        body = NEW | {"name": name, "phoneNumbers": numbers, ENTERPRISE: {"department": "Control", "costCenter": "C1"}}
        made = await scim.ask("POST", "/Users", body)
        assert made.status_code == 201 and made.headers["location"] == made.json()["meta"]["location"]
        told = made.json()
        assert told["userName"] == "new@force.example" and told["name"] == name
        people = await cloud.client()
        [person] = (await people.get("/people", params={"email": "new@force.example"})).json()["items"]
        assert uuid_of(person["id"], "PEOPLE") == told["id"]
        assert (person["extension"], person["lastName"], person["department"]) == ("2077", "Hand", "Control")
        assert person["phoneNumbers"] == [{"type": "work", "value": "+441414960077"}]
        changed = await people.put(f"/people/{person['id']}", json=person | {"displayName": "Renamed", "title": "PC"})
        assert changed.status_code == 200
        seen = (await scim.ask("GET", f"/Users/{told['id']}")).json()
        assert (seen["displayName"], seen["title"], seen[ENTERPRISE]["costCenter"]) == ("Renamed", "PC", "C1")
        assert {each["value"] for each in seen["phoneNumbers"]} == {"2077", "+441414960077"}
        audit = {"from": "2020-01-01T00:00:00.000Z", "to": "2035-01-01T00:00:00.000Z"}
        events = (await people.get("/adminAudit/events", params=audit)).json()["items"]
        assert [each["data"]["eventDescription"] for each in events] == ["updated a user", "created a user"]


@pytest.mark.parametrize("by", ["put", "patch", "delete"])
async def test_a_leaver_has_no_token_no_webhook_and_no_group(by: str) -> None:
    async with directory() as (cloud, scim):
        officer = await cloud.client(OFFICER)
        hook = {"name": "h", "targetUrl": "http://127.0.0.1:9/", "resource": "messages", "event": "created"}
        assert (await officer.post("/webhooks", json=hook)).status_code == 200
        user = await scim.one(OFFICER)
        path = f"/Users/{user['id']}"
        group = {"schemas": [f"{CORE}:Group"], "displayName": "G", "members": [{"value": user["id"]}]}
        made = (await scim.ask("POST", "/Groups", group)).json()
        if by == "put":
            assert (await scim.ask("PUT", path, user | {"active": False})).json()["active"] is False
        elif by == "patch":
            answer = await scim.patch(path, {"op": "Replace", "path": "active", "value": "False"})
            assert answer.json()["active"] is False
        else:
            assert (await scim.ask("DELETE", path)).status_code == 204
        refused(await officer.get("/people/me"), 401)
        left = (await scim.ask("GET", f"/Groups/{made['id']}")).json().get("members", [])
        assert len(left) == (0 if by == "delete" else 1)
        if by != "delete":
            answer = await scim.patch(path, {"op": "replace", "value": {"active": True}})
            assert answer.json()["active"] is True
            refused(await officer.get("/people/me"), 401)
            again = await cloud.client(OFFICER)
            assert (await again.get("/people/me")).status_code == 200
        else:
            scim_refused(await scim.ask("GET", path), 404)


async def test_a_role_that_is_given_or_taken_ends_all_tokens() -> None:
    async with directory() as (cloud, scim):
        operator = await cloud.client(OPERATOR)
        path = f"/Users/{(await scim.one(OPERATOR))['id']}"
        role = [{"value": "id_readonly_admin", "type": "cirole"}]
        told = (await scim.patch(path, {"op": "add", "path": "roles", "value": role})).json()
        assert [each["display"] for each in told["roles"]] == ["Read-only Administrator"]
        refused(await operator.get("/people/me"), 401)
        looks = await scim_of(cloud, OPERATOR)
        assert (await looks.ask("GET", "/Users")).json()["totalResults"] == 4
        scim_refused(await looks.ask("POST", "/Users", NEW), 403)
        answer = await scim.patch(path, {"op": "add", "path": "roles", "value": [{"value": "id_king"}]})
        assert "id_king" in scim_refused(answer, 400, "invalidValue")


async def test_lists_are_paged_filtered_sorted_and_narrowed() -> None:
    async with directory() as (_cloud, scim):

        async def found(**query: Any) -> dict[str, Any]:
            answer = await scim.ask("GET", "/Users", params=query)
            assert answer.status_code == 200, answer.text
            return dict(answer.json())

        pages = [await found(startIndex=place, count=3, sortBy="userName") for place in (1, 4, 7, -3)]
        assert [(each["startIndex"], each["itemsPerPage"], each["totalResults"]) for each in pages] == [
            (1, 3, 4),
            (4, 1, 4),
            (7, 0, 4),
            (1, 3, 4),
        ]
        names = [each["userName"] for page in pages[:2] for each in page["Resources"]]
        assert names == sorted(names) and len(set(names)) == 4, "a bot is no user"
        down = await found(sortBy="userName", sortOrder="descending", attributes="userName")
        assert [set(each) for each in down["Resources"]] == [{"schemas", "id", "userName"}] * 4
        assert [each["userName"] for each in down["Resources"]] == names[::-1]
        none = await found(count=-1)
        assert (none["Resources"], none["totalResults"]) == ([], 4)
        some = await found(filter='roles pr or phoneNumbers[type eq "work" and value sw "+44141"]')
        assert {each["userName"] for each in some["Resources"]} == {ADMIN, OPERATOR}
        bare = await found(filter=f'userName eq "{ADMIN}"', excludedAttributes="meta,emails.type")
        assert "meta" not in bare["Resources"][0] and "type" not in bare["Resources"][0]["emails"][0]
        for query, word in (({"filter": "x eq 1"}, "invalidFilter"), ({"attributes": "x"}, "invalidValue")):
            scim_refused(await scim.ask("GET", "/Users", params=query), 400, word)
        scim_refused(await scim.ask("GET", "/Users", params={"sortBy": "title"}), 400, "invalidValue")


async def test_of_another_organisation_nothing_is_there_and_nobody_is_taken() -> None:
    async with directory() as (cloud, scim):
        partner = await scim_of(cloud, PARTNER)
        theirs, ours = (await partner.one(PARTNER))["id"], (await scim.one(OPERATOR))["id"]
        for method, path in (("GET", "/Users"), ("GET", f"/Users/{ours}"), ("DELETE", f"/Users/{ours}")):
            scim_refused(await Scim(partner.http, scim.root).ask(method, path), 404)
        for each in (theirs, named("PEOPLE", ours), "x" * 600, "..", ours.upper() + "0"):
            scim_refused(await scim.ask("GET", f"/Users/{each}"), 404)
        assert (await scim.ask("GET", f"/Users/{ours.upper()}")).json()["id"] == ours
        scim_refused(await scim.ask("POST", "/Users", NEW | {"userName": PARTNER.upper()}), 409, "uniqueness")
        group = {"schemas": [f"{CORE}:Group"], "displayName": "G", "members": [{"value": theirs}]}
        scim_refused(await scim.ask("POST", "/Groups", group), 400, "invalidValue")
        boss = NEW | {ENTERPRISE: {"manager": {"value": theirs}}}
        scim_refused(await scim.ask("POST", "/Users", boss), 404)
        assert (await scim.ask("GET", "/Users")).json()["totalResults"] == 4
        assert (await scim.ask("GET", "/Groups")).json()["totalResults"] == 0


async def test_scopes_and_roles_are_needed() -> None:
    async with directory() as (cloud, scim):
        reads = await scim_of(cloud, scopes={"identity:people_read", "spark:people_read"})
        assert (await reads.ask("GET", "/Users")).status_code == 200
        scim_refused(await reads.ask("POST", "/Users", NEW), 403)
        writes = await scim_of(cloud, scopes={"identity:people_rw", "spark:people_read"})
        assert (await writes.ask("GET", "/Groups")).status_code == 200
        assert (await writes.ask("POST", "/Users", NEW)).status_code == 201
        other = await scim_of(cloud, scopes={"spark-admin:people_write", "spark:people_read"})
        scim_refused(await other.ask("GET", "/Users"), 403)
        user = await scim_of(cloud, OPERATOR, scopes={"identity:people_rw", "spark:people_read"})
        scim_refused(await user.ask("GET", "/Users"), 403)
        stranger = Scim(await cloud.with_token("none"), scim.root)
        scim_refused(await stranger.ask("GET", "/Users"), 401)


async def test_answers_have_the_media_type_that_was_asked_for() -> None:
    async with directory() as (_cloud, scim):
        plain = await scim.ask("GET", "/Users")
        assert plain.headers["content-type"].startswith("application/json")
        for path, status in (("/Users", 200), ("/Users/none", 404)):
            named_ = await scim.ask("GET", path, headers={"Accept": "text/html, application/scim+json;q=0.9"})
            assert named_.status_code == status
            assert named_.headers["content-type"].startswith("application/scim+json")
        sent = await scim.ask("POST", "/Users", NEW, headers={"Content-Type": "application/scim+json; charset=utf-8"})
        assert sent.status_code == 201
        scim_refused(await scim.ask("POST", "/Users", NEW, headers={"Content-Type": "text/xml"}), 415)
        scim_refused(
            await scim.http.post(f"{scim.root}/Users", content=b"{", headers={"Content-Type": "application/json"}),
            400,
            "invalidSyntax",
        )
        scim_refused(await scim.ask("PUT", "/Users", NEW), 405)
        scim_refused(await scim.ask("GET", "/Nothing"), 404)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"schemas": [f"{CORE}:Group"]}, "invalidSyntax"),
        ({"schemas": []}, "invalidValue"),
        ({"userName": "nobody"}, "invalidValue"),
        ({"userName": None}, "invalidValue"),
        ({"userType": "king"}, "invalidValue"),
        ({"active": "true"}, "invalidValue"),
        ({"name": "x"}, "invalidValue"),
        ({"emails": [{"value": "other@force.example", "type": "work", "primary": True}]}, "invalidValue"),
        ({"phoneNumbers": [{"value": "20 77", "type": "work_extension"}]}, "invalidValue"),
        ({"roles": [{"value": "Webex Site Admin"}]}, "invalidValue"),
        ({"displayName": "x" * 300}, "invalidValue"),
    ],
)
async def test_what_can_not_be_is_refused_and_nothing_is_made_or_changed(body: dict[str, Any], word: str) -> None:
    async with directory() as (_cloud, scim):
        scim_refused(await scim.ask("POST", "/Users", NEW | body), 400, word)
        before = await scim.one(OPERATOR)
        scim_refused(await scim.ask("PUT", f"/Users/{before['id']}", before | body), 400, word)
        assert await scim.one(OPERATOR) == before
        assert (await scim.ask("GET", "/Users")).json()["totalResults"] == 4


async def test_a_patch_that_fails_at_its_end_changes_nothing() -> None:
    async with directory() as (_cloud, scim):
        before = await scim.one(OPERATOR)
        path = f"/Users/{before['id']}"
        title = {"op": "replace", "path": "title", "value": "Inspector"}
        for last, word in (
            ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
            ({"op": "replace", "path": "userName", "value": ADMIN}, "uniqueness"),
            ({"op": "remove", "path": "userName"}, "invalidValue"),
            ({"op": "replace", "path": 'emails[type eq "fax"].value', "value": "x"}, "noTarget"),
            ({"op": "replace", "path": "nothing", "value": "x"}, "invalidPath"),
        ):
            scim_refused(await scim.patch(path, title, last), 409 if word == "uniqueness" else 400, word)
            assert await scim.one(OPERATOR) == before
        assert (await scim.patch(path, title)).json()["title"] == "Inspector"
        operations = {"schemas": [f"{MESSAGES}:BulkRequest"], "operations": [title]}
        scim_refused(await scim.ask("PATCH", path, operations), 400, "invalidSyntax")


async def test_an_administrator_does_not_shut_themselves_out() -> None:
    async with directory() as (_cloud, scim):
        own = await scim.one(ADMIN)
        path = f"/Users/{own['id']}"
        scim_refused(await scim.patch(path, {"op": "replace", "path": "active", "value": False}), 403)
        scim_refused(await scim.patch(path, {"op": "remove", "path": "roles"}), 403)
        scim_refused(await scim.ask("DELETE", path), 403)
        assert await scim.one(ADMIN) == own
        assert (await scim.ask("PUT", path, own | {"title": "Chief"})).json()["title"] == "Chief"


async def test_groups_are_made_changed_and_removed_and_users_tell_theirs() -> None:
    async with directory() as (_cloud, scim):
        operator, officer = [(await scim.one(each))["id"] for each in (OPERATOR, OFFICER)]
        body = {"schemas": [f"{CORE}:Group"], "displayName": "Early", "members": [{"value": operator}] * 2}
        made = (await scim.ask("POST", "/Groups", body)).json()
        assert [each["value"] for each in made["members"]] == [operator]
        scim_refused(await scim.ask("POST", "/Groups", body | {"displayName": "EARLY"}), 409, "uniqueness")
        path = f"/Groups/{made['id']}"
        [shown] = (await scim.ask("GET", "/Groups", params={"filter": f'members[value eq "{operator}"]'})).json()[
            "Resources"
        ]
        assert "members" not in shown
        with_members = {"includeMembers": "true", "filter": 'displayName sw "ear"'}
        [shown] = (await scim.ask("GET", "/Groups", params=with_members)).json()["Resources"]
        assert len(shown["members"]) == 1
        await scim.patch(path, {"op": "add", "path": "members", "value": [{"value": officer}, {"value": operator}]})
        page = (await scim.ask("GET", f"{path}/Members", params={"startIndex": 2, "count": 5})).json()
        assert (page["memberSize"], [each["value"] for each in page["members"]]) == (2, [officer])
        assert (await scim.ask("GET", f"{path}/Members", params={"memberType": "group"})).json()["memberSize"] == 0
        groups = (await scim.ask("GET", f"/Users/{officer}")).json()["groups"]
        assert [(each["value"], each["display"]) for each in groups] == [(made["id"], "Early")]
        await scim.patch(path, {"op": "remove", "path": f'members[value eq "{operator}"]'})
        left = (await scim.ask("PUT", path, body | {"members": [{"value": officer}]})).json()
        assert [each["value"] for each in left["members"]] == [officer]
        assert (await scim.ask("DELETE", path)).status_code == 204
        scim_refused(await scim.ask("GET", path), 404)
        assert (await scim.ask("GET", f"/Users/{officer}")).json().get("groups") is None


async def test_many_at_once_are_each_done_or_refused_until_too_many_failed() -> None:
    async with directory() as (_cloud, scim):
        officer = (await scim.one(OFFICER))["id"]
        group = {"schemas": [f"{CORE}:Group"], "displayName": "G", "members": [{"value": "bulkId:u"}]}
        off = {
            "schemas": [f"{MESSAGES}:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": False}],
        }
        operations = [
            {"method": "POST", "path": "/Groups", "bulkId": "early", "data": group},
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": NEW},
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group},
            {"method": "PATCH", "path": f"/Users/{officer}", "data": off},
            {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"schemas": ["x"]}},
            {"method": "POST", "path": "/Users", "data": NEW},
            {"method": "DELETE", "path": "/Users"},
            {"method": "DELETE", "path": "/Users/bulkId:u"},
        ]
        body = {"schemas": [f"{MESSAGES}:BulkRequest"], "Operations": operations}
        answer = await scim.ask("POST", "/Bulk", body | {"failOnErrors": 4})
        told = answer.json()["operations"]
        assert [each["status"] for each in told] == ["400", "201", "201", "200", "400", "400", "404"], answer.text
        assert all(set(each["response"]) >= {"schemas", "status"} for each in told if each["status"][0] == "4")
        made = (await scim.ask("GET", told[2]["location"].removeprefix(scim.root))).json()
        assert [each["value"] for each in made["members"]] == [(await scim.one("new@force.example"))["id"]]
        assert (await scim.one(OFFICER))["active"] is False
        many = [{"method": "DELETE", "path": "/Users/x"}] * 101
        scim_refused(await scim.ask("POST", "/Bulk", body | {"Operations": many}), 413)
        for wrong in ({"failOnErrors": 0}, {"Operations": []}, {"schemas": ["x"]}):
            assert (await scim.ask("POST", "/Bulk", body | wrong)).status_code == 400


async def test_what_the_service_tells_of_itself_is_neither_filtered_nor_changed_nor_anothers() -> None:
    async with directory() as (cloud, scim):
        elsewhere = await scim_of(cloud, PARTNER, org_of=ADMIN)
        nobody = await scim_of(cloud, OPERATOR)
        for path in ("/Schemas", "/ResourceTypes", "/ServiceProviderConfig"):
            scim_refused(await scim.ask("GET", path, params={"filter": 'name eq "User"'}), 403)
            scim_refused(await scim.ask("DELETE", path), 405)
            scim_refused(await elsewhere.ask("GET", path), 404)
            scim_refused(await nobody.ask("GET", path), 403)
        for path in ("/Schemas/urn:none", "/ResourceTypes/Device"):
            scim_refused(await scim.ask("GET", path), 404)
        one = (await scim.ask("GET", f"/Schemas/{CORE}:user")).json()
        told = {each["name"]: each for each in one["attributes"]}
        assert (told["userName"]["uniqueness"], told["userName"]["required"]) == ("global", True)
        assert told["active"]["type"] == "boolean" and "caseExact" not in told["active"]
        assert "work_extension" in next(
            each["canonicalValues"] for each in told["phoneNumbers"]["subAttributes"] if each["name"] == "type"
        )


async def test_as_many_operations_are_taken_as_the_service_tells() -> None:
    async with directory() as (_cloud, scim):
        most = (await scim.ask("GET", "/ServiceProviderConfig")).json()["bulk"]["maxOperations"]
        group = {"schemas": [f"{CORE}:Group"]}
        operations = [
            {"method": "POST", "path": "/Groups", "bulkId": str(each), "data": {**group, "displayName": f"G{each}"}}
            for each in range(most + 1)
        ]
        body = {"schemas": [f"{MESSAGES}:BulkRequest"], "operations": operations}
        scim_refused(await scim.ask("POST", "/Bulk", body), 413)
        body["operations"] = operations[:most]
        told = (await scim.ask("POST", "/Bulk", body)).json()["operations"]
        assert {each["status"] for each in told} == {"201"} and len(told) == most
