"""What is wrong, hostile or another's is refused in Webex's own shape, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from webex_cloud import ADMIN, OFFICER, OPERATOR, PARTNER, refused, room, webex

from simulators.webex import uploads


@pytest.mark.parametrize("header", ["", "Bearer", "Basic x", "Bearer wrong", "Bearer " + "x" * 5_000])
async def test_without_a_token_that_serves_nothing_is_answered(header: str) -> None:
    async with webex() as cloud, httpx.AsyncClient(base_url=cloud.simulator.url, trust_env=False) as http:
        answer = await http.get("/v1/people/me", headers={"Authorization": header} if header else {})
        refused(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.virtual_time
async def test_a_token_ends_in_time_and_not_before() -> None:
    async with webex(virtual=True) as cloud:
        http = await cloud.client(OPERATOR, lives=60)
        await asyncio.sleep(59)
        assert (await http.get("/people/me")).status_code == 200
        await asyncio.sleep(2)
        assert "expired" in refused(await http.get("/people/me"), 401)


@pytest.mark.parametrize(
    ("scopes", "method", "path"),
    [
        ({"spark:rooms_read"}, "POST", "/rooms"),
        ({"spark:rooms_read"}, "GET", "/people/me"),
        ({"spark:messages_read"}, "POST", "/messages"),
        ({"spark:all"}, "GET", "/licenses"),
        ({"spark-admin:people_read"}, "POST", "/people"),
        ({"spark:people_read"}, "POST", "/webhooks"),
    ],
)
async def test_a_token_serves_for_its_scopes_only(scopes: set[str], method: str, path: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "/rooms": {"title": "x"},
        "/messages": {"toPersonEmail": OPERATOR, "text": "x"},
        "/people": {"emails": ["new@force.example"], "displayName": "New"},
        "/webhooks": {"name": "x", "targetUrl": "http://127.0.0.1:9/x", "resource": "messages", "event": "all"},
    }
    async with webex() as cloud:
        http = await cloud.client(scopes=scopes)
        answer = await http.request(method, path, json=bodies.get(path) if method == "POST" else None)
        assert "missing required scopes" in refused(answer, 403)


async def test_an_administrators_scope_in_a_users_token_is_of_no_use() -> None:
    async with webex() as cloud:
        http = await cloud.client(OPERATOR, scopes={"spark-admin:people_write", "spark:people_read"})
        refused(await http.post("/people", json={"emails": ["new@force.example"], "displayName": "New"}), 403)


async def test_another_organisations_ids_are_not_there() -> None:
    async with webex() as cloud:
        admin, partner = await cloud.client(), await cloud.client(PARTNER)
        place = await room(admin)
        files = {"files": ("note.txt", b"secret", "text/plain")}
        said = (await admin.post("/messages", data={"roomId": place}, files=files)).json()
        hook = {"name": "x", "targetUrl": "http://127.0.0.1:9/x", "resource": "rooms", "event": "all"}
        lists = ("people", "licenses", "roles", "locations", "workspaces", "devices", "organizations", "events")
        ids = {f"/{each}": (await admin.get(f"/{each}")).json()["items"][0]["id"] for each in lists}
        ids |= {"/rooms": place, "/messages": said["id"], "/people": said["personId"]}
        ids |= {"/webhooks": (await admin.post("/webhooks", json=hook)).json()["id"]}
        ids |= {"/teams": (await admin.post("/teams", json={"name": "x"})).json()["id"]}
        ids |= {"/memberships": (await admin.get("/memberships")).json()["items"][0]["id"]}
        for path, id_ in ids.items():
            assert (await admin.get(f"{path}/{id_}")).status_code == 200, path
            told = await partner.get(f"{path}/{id_}")
            refused(told, 404)
            refused(await partner.get(f"{path}/no-such-id"), 404)
            assert id_ not in told.text
        refused(await partner.get(urlsplit(said["files"][0]).path.removeprefix("/v1")), 404)
        refused(await partner.post("/messages", json={"roomId": place, "text": "x"}), 404)
        refused(await partner.post("/messages", json={"toPersonId": said["personId"], "text": "x"}), 404)
        refused(await partner.get("/people", params={"orgId": ids["/organizations"]}), 404)
        assert [each["emails"] for each in (await partner.get("/people")).json()["items"]] == [[PARTNER]]
        assert all(each["actorId"] != said["personId"] for each in (await partner.get("/events")).json()["items"])


@pytest.mark.virtual_time
async def test_a_cursor_is_refused_that_is_stale_anothers_or_not_whole() -> None:
    async with webex(virtual=True, cursor_lives_s=60) as cloud:
        admin, other = await cloud.client(), await cloud.client(PARTNER)
        following = (await admin.get("/people", params={"max": 1})).links["next"]["url"]
        assert (await admin.get(following)).status_code == 200
        refused(await other.get(following), 400)
        refused(await admin.get(following.replace("/people?", "/workspaces?")), 400)
        for spoilt in (following[:-2], following + "AAAA", following.split("cursor=")[0] + "cursor=%C3%A9"):
            refused(await admin.get(spoilt), 400)
        await asyncio.sleep(61)
        assert "stale" in refused(await admin.get(following), 400)


def bomb() -> bytes:
    """An archive of 100 kB that unpacks to 128 MB."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(2):
            archive.writestr(f"{number}", bytes(64 * 1024 * 1024))
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\win.ini", "win.ini"),
        ("a\r\nX-Evil: 1.txt", "aX-Evil: 1.txt"),
        ('say "hi".txt', None),
        ("<script>.txt", "<script>.txt"),
        ("кот.txt", "кот.txt"),
    ],
)
async def test_a_files_name_is_a_name_and_nothing_else(name: str, kept: str | None) -> None:
    async with webex() as cloud:
        admin, operator = await cloud.client(), await cloud.client(OPERATOR)
        place = await room(admin, OPERATOR)
        files = {"files": (name, b"abc", "text/html")}
        said = await admin.post("/messages", data={"roomId": place}, files=files)
        answer = await operator.get(urlsplit(said.json()["files"][0]).path.removeprefix("/v1"))
        assert (answer.content, answer.headers["x-content-type-options"]) == (b"abc", "nosniff")
        disposition = answer.headers["content-disposition"]
        assert disposition.startswith("attachment; ")
        assert "x-evil" not in answer.headers and "/" not in disposition.partition("filename=")[2].partition('";')[0]
        if kept is not None and kept.isascii() and ":" not in kept:
            assert f'filename="{kept}"' in disposition


async def test_an_empty_file_a_bomb_and_a_file_without_a_name_leave_no_message_and_no_bytes() -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        place = await room(admin)
        for name, data in (("empty.txt", b""), ("bomb.zip", bomb()), ("..", b"abc"), ("n" * 300, b"abc")):
            files = {"files": (name, data)}
            refused(await admin.post("/messages", data={"roomId": place, "text": "see"}, files=files), 400)
        refused(await admin.post("/messages", data={"roomId": place, "other": "x"}, files={"evil": ("a", b"b")}), 400)
        two = [("files", ("a", b"b")), ("files", ("c", b"d"))]
        refused(await admin.post("/messages", data={"roomId": place}, files=two), 400)
        assert (await admin.get("/messages", params={"roomId": place})).json()["items"] == []
        assert cloud.simulator.figures()["content_bytes"] == 0


def test_a_file_is_as_long_as_webex_takes_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOAD", 10)
    uploads.check(b"x" * 10)
    with pytest.raises(uploads.WebexError) as raised:
        uploads.check(b"x" * 11)
    assert raised.value.status == 413


async def test_a_declared_length_beyond_the_bound_is_refused_before_the_body_is_read() -> None:
    async with webex() as cloud:
        address = urlsplit(cloud.simulator.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = f"POST /v1/rooms HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {cloud.simulator.token}\r\n"
        head += "Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
        writer.write(head.encode())
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        writer.close()


async def test_a_connection_that_ends_in_mid_upload_leaves_nothing_and_takes_nothing_down() -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        place = await room(admin)
        address = urlsplit(cloud.simulator.url)
        for _ in range(5):
            _reader, writer = await asyncio.open_connection(address.hostname, address.port)
            body = f'--b\r\nContent-Disposition: form-data; name="roomId"\r\n\r\n{place}\r\n--b\r\n'
            body += 'Content-Disposition: form-data; name="files"; filename="a"\r\n\r\nhalf of'
            head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {cloud.simulator.token}\r\n"
            head += "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n"
            writer.write((head + body).encode())
            await writer.drain()
            writer.transport.abort()
        assert (await admin.get("/messages", params={"roomId": place})).json()["items"] == []
        assert cloud.simulator.figures()["content_bytes"] == 0


@pytest.mark.parametrize(
    ("media_type", "body", "status"),
    [
        ("text/plain", b"{}", 415),
        ("", b"{}", 415),
        ("application/x-www-form-urlencoded", b"title=x", 415),
        ("application/json", b"{", 400),
        ("application/json", b"[]", 400),
        ("application/json", b'{"title": "\\ud800"}', 400),
        ("application/json", b'{"title": 7}', 400),
        ("application/json", b'{"title": "' + b"x" * 300 + b'"}', 400),
        ("application/json; charset=utf-8", b"[" * 100_000, 400),
    ],
)
async def test_a_body_that_can_not_be_is_refused(media_type: str, body: bytes, status: int) -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        headers = {"Content-Type": media_type} if media_type else {}
        refused(await admin.post("/rooms", content=body, headers=headers), status)
        assert (await admin.get("/rooms")).json()["items"] == []


async def test_a_message_of_deep_json_not_a_number_or_too_many_bytes_is_refused() -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        place = await room(admin)
        headers = {"Content-Type": "application/json"}
        for body in (
            b'{"a":' * 100_000,
            b'{"roomId": NaN}',
            json.dumps({"roomId": place, "text": "é" * 3_720}).encode(),
        ):
            refused(await admin.post("/messages", content=body, headers=headers), 400)
        longest = await admin.post("/messages", json={"roomId": place, "text": "x" * 7_439})
        assert longest.status_code == 200


async def test_a_method_that_a_resource_has_not_is_told_with_those_that_it_has() -> None:
    async with webex() as cloud:
        answer = await (await cloud.client()).put("/people/me/")
        assert answer.status_code in {307, 404}
        answer = await (await cloud.client()).post("/people/me")
        refused(answer, 405)
        assert answer.headers["allow"] == "GET, HEAD"


async def test_a_storm_is_answered_429_each_token_by_itself_and_the_wait_that_is_told_is_enough() -> None:
    async with webex(requests_per_s=5, burst=10) as cloud:
        admin, operator = await cloud.client(), await cloud.client(OPERATOR)
        answers = await asyncio.gather(*(admin.get("/people/me") for _ in range(40)))
        busy = [each for each in answers if each.status_code == 429]
        assert 20 <= len(busy) <= 30
        refused(busy[0], 429)
        assert int(busy[0].headers["retry-after"]) >= 1
        assert (await operator.get("/people/me")).status_code == 200
        await asyncio.sleep(int(busy[0].headers["retry-after"]))
        assert (await admin.get("/people/me")).status_code == 200


async def test_an_answer_that_a_client_has_already_is_not_sent_again_and_one_that_changed_is() -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        place = await room(admin)
        first = await admin.get(f"/rooms/{place}")
        tag = {"If-None-Match": first.headers["etag"]}
        again = await admin.get(f"/rooms/{place}", headers=tag)
        assert (again.status_code, again.content) == (304, b"")
        await admin.put(f"/rooms/{place}", json={"title": "Other"})
        assert (await admin.get(f"/rooms/{place}", headers=tag)).json()["title"] == "Other"


async def test_journals_hold_no_token_no_text_and_no_address() -> None:
    async with webex() as cloud:
        admin = await cloud.client()
        place = await room(admin, OFFICER)
        await admin.post("/messages", json={"roomId": place, "text": "Somebody's secret"})
        lines = cloud.journal.lines()
        assert "messages.created" in lines
        for secret in (cloud.simulator.token, "secret", OFFICER, ADMIN, "Isla"):
            assert secret not in lines
