"""Rooms, memberships, teams and messages of a simulated Webex, each judged by what another account sees."""

from __future__ import annotations

import base64
import re

import pytest
from webex_cloud import ADMIN, BOT, OFFICER, OPERATOR, refused, room, webex


async def test_ids_and_times_are_written_as_webex_writes_them() -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        me = (await admin.get("/people/me")).json()
        text = base64.urlsafe_b64decode(me["id"] + "=" * (-len(me["id"]) % 4)).decode()
        assert re.fullmatch(r"ciscospark://us/PEOPLE/[0-9a-f-]{36}", text)
        assert "=" not in me["id"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", me["created"])
        padded = me["id"] + "=" * (-len(me["id"]) % 4)
        assert (await admin.get(f"/people/{padded}")).json()["id"] == me["id"]


async def test_what_one_says_the_others_of_the_room_read_and_nobody_else() -> None:
    async with webex() as cloud:
        admin, operator, officer = [await cloud.client(each) for each in (ADMIN, OPERATOR, OFFICER)]
        place = await room(admin, OPERATOR)
        said = (await admin.post("/messages", json={"roomId": place, "text": "Hello"})).json()
        seen = (await operator.get(f"/messages/{said['id']}")).json()
        assert (seen["text"], seen["personEmail"]) == ("Hello", ADMIN)
        assert [each["id"] for each in (await operator.get("/messages", params={"roomId": place})).json()["items"]] == [
            said["id"]
        ]
        for path in (f"/messages/{said['id']}", f"/rooms/{place}", f"/messages?roomId={place}"):
            refused(await officer.get(path), 404)


async def test_markdown_is_shown_as_html_without_the_senders_own_tags_and_mentions_only_who_is_in_the_room() -> None:
    async with webex() as cloud:
        admin, operator = await cloud.client(), await cloud.client(OPERATOR)
        place = await room(admin, OPERATOR)
        text = f"**Now** <script>x</script> <@personEmail:{OPERATOR}|Cal> <@personEmail:{OFFICER}|Isla> <@all>"
        said = (await admin.post("/messages", json={"roomId": place, "markdown": text})).json()
        assert "<strong>Now</strong>" in said["html"] and "<script>" not in said["html"]
        assert said["text"] == "Now <script>x</script> Cal Isla All"
        me = (await operator.get("/people/me")).json()["id"]
        assert said["mentionedPeople"] == [me]
        assert said["mentionedGroups"] == ["all"]
        mine = await operator.get("/messages", params={"roomId": place, "mentionedPeople": "me"})
        assert [each["id"] for each in mine.json()["items"]] == [said["id"]]


async def test_a_thread_is_one_deep_and_of_one_room() -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        place, other = await room(admin), await room(admin)
        first = (await admin.post("/messages", json={"roomId": place, "text": "1"})).json()["id"]
        reply = (await admin.post("/messages", json={"roomId": place, "text": "2", "parentId": first})).json()
        assert reply["parentId"] == first
        thread = await admin.get("/messages", params={"roomId": place, "parentId": first})
        assert [each["id"] for each in thread.json()["items"]] == [reply["id"]]
        again = {"roomId": place, "text": "3", "parentId": reply["id"]}
        refused(await admin.post("/messages", json=again), 400)
        refused(await admin.post("/messages", json={"roomId": other, "text": "3", "parentId": first}), 400)


async def test_two_people_have_one_direct_room_however_they_name_each_other() -> None:
    async with webex() as cloud:
        admin, operator = await cloud.client(), await cloud.client(OPERATOR)
        one = (await admin.post("/messages", json={"toPersonEmail": OPERATOR.upper(), "text": "1"})).json()
        admins_id = one["personId"]
        two = (await operator.post("/messages", json={"toPersonId": admins_id, "text": "2"})).json()
        assert (one["roomId"], one["roomType"]) == (two["roomId"], "direct")
        found = await admin.get("/messages/direct", params={"personEmail": OPERATOR})
        assert [each["text"] for each in found.json()["items"]] == ["2", "1"]
        refused(await admin.delete(f"/rooms/{one['roomId']}"), 400)


async def test_a_message_is_changed_by_who_said_it_ten_times_and_deleted_by_a_moderator_too() -> None:
    async with webex() as cloud:
        admin, operator = await cloud.client(), await cloud.client(OPERATOR)
        place = await room(admin, OPERATOR, isLocked=False)
        said = (await operator.post("/messages", json={"roomId": place, "text": "0"})).json()["id"]
        refused(await admin.put(f"/messages/{said}", json={"roomId": place, "text": "mine"}), 403)
        for number in range(10):
            changed = await operator.put(f"/messages/{said}", json={"roomId": place, "text": str(number)})
            assert changed.json()["updated"]
        refused(await operator.put(f"/messages/{said}", json={"roomId": place, "text": "11"}), 400)
        assert (await admin.get(f"/messages/{said}")).json()["text"] == "9"
        refused(await admin.delete(f"/messages/{said}"), 403)
        [own] = (await admin.get("/memberships", params={"roomId": place, "personEmail": ADMIN})).json()["items"]
        assert (await admin.put(f"/memberships/{own['id']}", json={"isModerator": True})).json()["isModerator"]
        assert (await admin.delete(f"/messages/{said}")).status_code == 204
        refused(await operator.get(f"/messages/{said}"), 404)


async def test_who_is_in_a_room_already_is_a_conflict_and_a_locked_room_is_its_moderators() -> None:
    async with webex() as cloud:
        admin, operator = await cloud.client(), await cloud.client(OPERATOR)
        place = await room(admin, OPERATOR, isLocked=True)
        again = await admin.post("/memberships", json={"roomId": place, "personEmail": OPERATOR})
        assert refused(again, 409) == "User is already a participant."
        refused(await operator.post("/memberships", json={"roomId": place, "personEmail": OFFICER}), 403)
        refused(await operator.put(f"/rooms/{place}", json={"title": "Mine"}), 403)
        # Who does not moderate leaves the room that they would delete.
        assert (await operator.delete(f"/rooms/{place}")).status_code == 204
        refused(await operator.get(f"/rooms/{place}"), 404)
        assert (await admin.get(f"/rooms/{place}")).status_code == 200


async def test_a_team_has_a_room_of_its_own_which_its_members_are_in() -> None:
    async with webex() as cloud:
        admin, operator = await cloud.client(), await cloud.client(OPERATOR)
        team = (await admin.post("/teams", json={"name": "Duty"})).json()["id"]
        refused(await operator.get(f"/teams/{team}"), 404)
        joined = await admin.post("/team/memberships", json={"teamId": team, "personEmail": OPERATOR})
        [place] = (await operator.get("/rooms", params={"teamId": team})).json()["items"]
        assert place["title"] == "Duty"
        refused(await operator.put(f"/teams/{team}", json={"name": "Mine"}), 403)
        assert (await operator.delete(f"/team/memberships/{joined.json()['id']}")).status_code == 204
        refused(await operator.get(f"/rooms/{place['id']}"), 404)
        assert (await admin.delete(f"/teams/{team}")).status_code == 204
        refused(await admin.get(f"/rooms/{place['id']}"), 404)


async def test_a_card_is_filled_by_who_sees_it() -> None:
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "content": {"type": "AdaptiveCard", "body": []}}
    async with webex() as cloud:
        admin, operator, officer = [await cloud.client(each) for each in (ADMIN, OPERATOR, OFFICER)]
        place = await room(admin, OPERATOR)
        body = {"roomId": place, "text": "Ready?", "attachments": [card]}
        said = (await admin.post("/messages", json=body)).json()
        assert said["attachments"] == [card]
        filled = {"type": "submit", "messageId": said["id"], "inputs": {"answer": "yes"}}
        done = await operator.post("/attachment/actions", json=filled)
        assert (await admin.get(f"/attachment/actions/{done.json()['id']}")).json()["inputs"] == {"answer": "yes"}
        refused(await officer.post("/attachment/actions", json=filled), 404)


async def test_a_bot_lists_of_a_group_room_only_what_mentions_it() -> None:
    async with webex() as cloud:
        admin, bot = await cloud.client(), await cloud.client(BOT)
        place = await room(admin, BOT)
        await admin.post("/messages", json={"roomId": place, "text": "Not for it"})
        said = await admin.post("/messages", json={"roomId": place, "markdown": f"<@personEmail:{BOT}> help"})
        refused(await bot.get("/messages", params={"roomId": place}), 403)
        found = await bot.get("/messages", params={"roomId": place, "mentionedPeople": "me"})
        assert [each["id"] for each in found.json()["items"]] == [said.json()["id"]]


@pytest.mark.parametrize("most", [1, 7, 50])
async def test_pages_hold_everything_once_although_more_is_said_meanwhile(most: int) -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        place = await room(admin)
        said = [
            (await admin.post("/messages", json={"roomId": place, "text": str(number)})).json()["id"]
            for number in range(23)
        ]
        found, pages, query = [], 0, {"roomId": place, "max": str(most)}
        answer = await admin.get("/messages", params=query)
        while True:
            pages += 1
            items = answer.json()["items"]
            assert items, "a page is never empty"
            found += [each["id"] for each in items]
            await admin.post("/messages", json={"roomId": place, "text": "meanwhile"})
            following = answer.links.get("next", {}).get("url")
            if following is None:
                break
            # Some clients follow the URL as it is, others add their own query to it again.
            again = "&".join(f"{key}={value}" for key, value in query.items())
            answer = await admin.get(following if pages % 2 else f"{following}&{again}")
        assert found == list(reversed(said))
        assert pages == -(-23 // most)
