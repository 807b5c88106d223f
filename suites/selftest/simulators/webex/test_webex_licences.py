"""Licences of a simulated Webex, given and taken; and meetings that an administrator makes for somebody."""

from __future__ import annotations

from typing import Any

import httpx
from webex_cloud import ADMIN, OFFICER, OPERATOR, refused, webex


async def licences(http: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {each["name"].partition(" - ")[0]: each for each in (await http.get("/licenses")).json()["items"]}


async def person(http: httpx.AsyncClient, email: str) -> dict[str, Any]:
    [found] = (await http.get("/people", params={"email": email})).json()["items"]
    return {key: value for key, value in found.items() if key != "lastModified"}


async def test_a_line_comes_and_goes_with_the_licence_for_calling() -> None:
    async with webex() as cloud:
        http = await cloud.client()
        calling = (await licences(http))["Webex Calling"]
        place = (await http.get("/locations")).json()["items"][0]["id"]

        async def change(**licence: Any) -> httpx.Response:
            body = {"email": OFFICER, "licenses": [{"id": calling["id"], **licence}]}
            return await http.patch("/licenses/users", json=body)

        assert calling["id"] not in (await change(operation="remove")).json()["licenses"]
        before = await person(http, OFFICER)
        assert "extension" not in before
        assert "required" in refused(await change(), 400)
        assert "locationId" in refused(await change(properties={"extension": "2077"}), 400)
        line = {"extension": "2077", "locationId": place, "phoneNumber": "+441414960077"}
        assert "taken" in refused(await change(properties={**line, "extension": "2001"}), 400)
        assert "taken" in refused(await change(properties={**line, "phoneNumber": "+441414960001"}), 400)
        refused(await change(properties={**line, "locationId": "elsewhere"}), 404)
        assert await person(http, OFFICER) == before, "a refusal changed something"
        assert (await change(properties=line)).status_code == 200
        given = await person(http, OFFICER)
        assert (given["extension"], given["phoneNumbers"]) == ("2077", [{"type": "work", "value": "+441414960077"}])
        assert (await licences(http))["Webex Calling"]["consumedUnits"] == calling["consumedUnits"]
        await change(operation="remove")
        assert await person(http, OFFICER) == before
        refused(await (await cloud.client(OPERATOR)).patch("/licenses/users", json={}), 403)


async def test_no_more_licences_are_given_than_there_are() -> None:
    people = [{"email": ADMIN, "name": "A", "role": "administrator"}, {"email": OPERATOR, "name": "B"}]
    async with webex(organisations=[{"name": "Force", "people": people, "licences": {"Messaging": 2}}]) as cloud:
        http = await cloud.client()
        made = await http.post("/people", json={"emails": ["third@force.example"], "displayName": "C"})
        body = {"personId": made.json()["id"], "licenses": [{"id": (await licences(http))["Messaging"]["id"]}]}
        assert "No units" in refused(await http.patch("/licenses/users", json=body), 400)
        taken = {**body, "personId": (await person(http, OPERATOR))["id"]}
        taken["licenses"] = [{**body["licenses"][0], "operation": "remove"}]
        assert (await http.patch("/licenses/users", json=taken)).json()["licenses"] == []
        assert (await http.patch("/licenses/users", json=body)).status_code == 200
