"""Tabs of rooms in a simulated Webex: seen by who is in the room, changed by who may, gone with it."""

from __future__ import annotations

import httpx
import pytest
from webex_cloud import ADMIN, OFFICER, OPERATOR, PARTNER, refused, room, webex

WIKI = "https://wiki.force.example/handover"


async def tab(http: httpx.AsyncClient, room_id: str, name: str = "Handover", url: str = WIKI) -> httpx.Response:
    return await http.post("/room/tabs", json={"roomId": room_id, "displayName": name, "contentUrl": url})


async def names(http: httpx.AsyncClient, room_id: str) -> list[str]:
    return [each["displayName"] for each in (await http.get("/room/tabs", params={"roomId": room_id})).json()["items"]]


async def test_a_tab_is_added_seen_changed_and_removed_by_who_is_in_the_room() -> None:
    async with webex() as cloud:
        http, operator = await cloud.client(ADMIN), await cloud.client(OPERATOR)
        where = await room(http, OPERATOR)
        made = (await tab(http, where)).json()
        me = (await http.get("/people/me")).json()["id"]
        assert (made["creatorId"], made["roomType"], made["contentUrl"]) == (me, "group", WIKI)
        path = f"/room/tabs/{made['id']}"
        assert (await operator.get(path)).json() == made
        changed = {"roomId": where, "displayName": "Log", "contentUrl": "https://log.force.example"}
        assert (await operator.put(path, json=changed)).json() == {**made, **changed}
        other = await room(http)
        refused(await http.put(path, json={**changed, "roomId": other}), 400)
        assert await names(http, where) == ["Log"]
        for stranger in (OFFICER, PARTNER):
            outside = await cloud.client(stranger)
            for answer in (await outside.get(path), await outside.delete(path), await tab(outside, where)):
                refused(answer, 404)
            refused(await outside.get("/room/tabs", params={"roomId": where}), 404)
        assert (await operator.delete(path)).status_code == 204
        assert (await names(http, where), (await operator.get(path)).status_code) == ([], 404)


async def test_tabs_are_told_page_by_page_and_go_with_their_room() -> None:
    async with webex() as cloud:
        http = await cloud.client()
        where = await room(http)
        other = await room(http)
        for each in range(5):
            made = await tab(http, where, f"T{each}")
            await tab(http, other, f"Elsewhere {each}")
        answer, seen = await http.get("/room/tabs", params={"roomId": where, "max": 2}), []
        while True:
            seen += [each["displayName"] for each in answer.json()["items"]]
            if "next" not in answer.links:
                break
            answer = await http.get(answer.links["next"]["url"])
        assert seen == [f"T{each}" for each in range(5)]
        await http.delete(f"/rooms/{where}")
        refused(await http.get(f"/room/tabs/{made.json()['id']}"), 404)
        assert len(await names(http, other)) == 5


@pytest.mark.parametrize("url", ["http://wiki.force.example", "https://", "javascript:alert(1)", "https:// x", "wiki"])
async def test_a_tab_leads_by_https_only(url: str) -> None:
    async with webex() as cloud:
        http = await cloud.client()
        where = await room(http)
        refused(await tab(http, where, url=url), 400)
        assert await names(http, where) == []


async def test_a_token_needs_the_scopes_and_a_locked_room_its_moderators() -> None:
    async with webex() as cloud:
        http, operator = await cloud.client(), await cloud.client(OPERATOR)
        where = await room(http, OPERATOR, isLocked=True)
        made = (await tab(http, where)).json()["id"]
        for answer in (await tab(operator, where), await operator.delete(f"/room/tabs/{made}")):
            refused(answer, 403)
        reader = await cloud.client(ADMIN, scopes={"spark:rooms_read"})
        assert await names(reader, where) == ["Handover"]
        refused(await tab(reader, where), 403)
        refused(await (await cloud.client(ADMIN, scopes={"spark:messages_read"})).get(f"/room/tabs/{made}"), 403)
