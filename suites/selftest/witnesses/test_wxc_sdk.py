"""Cisco's community SDK for Webex (PyPI wxc-sdk) reads what the simulated Webex answers, and is understood by it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from witness import need_module

from harness.testbed.bench import open_bench
from harness.testbed.child import simulators
from harness.testbed.load import load_testbed
from harness.transport.context import Context
from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("wxc-sdk")]
ENDS_WITHIN_S = 120
TESTBED = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "webex.yaml"
WITNESS = Path(__file__).with_name("wxc_sdk_session.py")


async def session(simulator: WebexSimulator, part: str, *words: str) -> dict[str, Any]:
    """Let the SDK do one part as the administrator of ``simulator``."""
    return await session_at(simulator.url, simulator.token, part, *words)


async def session_at(url: str, token: str, part: str, *words: str) -> dict[str, Any]:
    """Let the SDK do one part of what it can in a process of its own, whose time it may sleep away."""
    need_module("wxc_sdk", package="wxc-sdk")
    told = json.dumps({"base": f"{url}/v1", "token": token, "part": part, "words": words})
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(WITNESS), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            out, err = await process.communicate(told.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode(errors="replace")
    answer: dict[str, Any] = json.loads(out)
    return answer


@pytest.fixture
async def simulator() -> AsyncIterator[WebexSimulator]:
    """A simulated Webex with an integration."""
    integration = {"client_id": "C1", "client_secret": "s3cret", "redirect_uri": "http://127.0.0.1:9/done"}
    settings = WebexSettings.model_validate({"integrations": [integration]})
    running = await WebexSimulator.start(Context.create(seed=1), settings, virtual=False)
    yield running
    await running.stop()


async def test_rooms_messages_threads_and_files(simulator: WebexSimulator) -> None:
    seen = await session(simulator, "messaging")
    assert seen == {
        "html": "<strong>Hello</strong>",
        "parent": True,
        "content": "from the SDK",
        "edited": "Edited",
        "listed": ["File", "Edited", "Hello"],
        "members": ["admin@force.example", "operator@force.example"],
        "moderator": True,
        "renamed": "Renamed",
        "direct": ["direct", ["Direct"]],
        "mine": ["Callum Ross", "Renamed"],
        "left": ["Callum Ross"],
    }


async def test_pages_are_followed_to_the_end(simulator: WebexSimulator) -> None:
    seen = await session(simulator, "paging")
    assert seen["seen"] == [str(number) for number in reversed(range(25))]


async def test_an_administrators_people_places_and_audit(simulator: WebexSimulator) -> None:
    seen = await session(simulator, "administering")
    assert seen.pop("audit")[-1] == "created a user"
    assert seen == {
        "me": ["admin@force.example"],
        "title": "Constable",
        "found": ["New"],
        "location": "Govan",
        "place": "Leith",
        "workspace": "Briefing room",
        "tags": ["a", "b"],
        "organizations": ["Force"],
        "licenses": [500, 500, 500],
        "roles": ["Full Administrator", "Read-only Administrator"],
        "events": False,
    }


async def test_teams_webhooks_and_cards(simulator: WebexSimulator) -> None:
    seen = await session(simulator, "teams_and_webhooks", "http://127.0.0.1:9/hook")
    assert seen["members"] == ["admin@force.example", "operator@force.example"]
    assert (seen["listed"], seen["card"]) == (["hook"], True)


async def test_a_directory_provisions_users_and_groups(simulator: WebexSimulator) -> None:
    seen = await session(simulator, "directory")
    assert seen == {
        "made": ["eilidh@force.example", "Eilidh Kerr", "E7"],
        "work": ["Control", "Control"],
        "person": ["2077", "Eilidh Kerr"],
        "found": [1, [True]],
        "everybody": True,
        "left": False,
        "back": [True, "Sergeant"],
        "groups": [["Eilidh Kerr"], ["Early"]],
        "bulk": [201, 409, 204],
        "second": True,
        "refused": [409],
        "gone": [],
    }


async def test_tabs_of_rooms(simulator: WebexSimulator) -> None:
    seen = await session(simulator, "room_tabs")
    assert seen == {
        "mine": True,
        "changed": ["diary", "https://diary.force.example", "group"],
        "listed": ["diary", "wiki", "map"],
        "same": True,
        "left": ["https://wiki.force.example", "https://map.force.example"],
    }


async def test_an_organisations_contacts(simulator: WebexSimulator) -> None:
    seen = await session(simulator, "contacts")
    assert seen == {
        "told": ["Sheriff clerk", "Court", ["clerk@court.example"]],
        "taken": [3, [400]],
        "listed": ["Clerk", "C0", "C1", "C2"],
        "found": [True],
        "left": [],
    }


async def test_licences_are_given_and_taken(simulator: WebexSimulator) -> None:
    seen = await session(simulator, "licences")
    assert seen == {"given": [True, "eilidh@force.example"], "line": ["2077", True], "taken": []}


async def test_refusals_are_read_with_their_description_and_tracking_id(simulator: WebexSimulator) -> None:
    seen = await session(simulator, "refusals")
    codes = {"unknown": 404, "stranger": 401, "unfit": 400, "conflict": 409}
    assert seen == {name: [code, True, True] for name, code in codes.items()}


async def test_an_integrations_token_is_refreshed(simulator: WebexSimulator) -> None:
    query = {"client_id": "C1", "response_type": "code", "redirect_uri": "http://127.0.0.1:9/done"}
    query |= {"scope": "spark:all", "email": "operator@force.example", "state": "x"}
    async with httpx.AsyncClient(base_url=f"{simulator.url}/v1", trust_env=False) as http:
        agreed = await http.get("/authorize", params=query)
        answer = dict(parse_qsl(urlsplit(agreed.headers["location"]).query))
        form = {"grant_type": "authorization_code", "client_id": "C1", "client_secret": "s3cret"}
        form |= {"code": answer["code"], "redirect_uri": query["redirect_uri"]}
        tokens = (await http.post("/access_token", data=form)).json()
    seen = await session(simulator, "refreshing", "C1", "s3cret", tokens["refresh_token"])
    assert seen == {"me": ["operator@force.example"], "kept": True}


async def test_an_integration_has_tokens_of_who_signed_in_with_a_second_factor() -> None:
    email, secret = "operator@force.example", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    integration = {"client_id": "C1", "client_secret": "s3cret", "redirect_uri": "http://127.0.0.1:9/done"}
    account = {"email": email, "password": "right", "totp_secret": secret}
    settings = WebexSettings.model_validate({"integrations": [integration], "sign_on": {"accounts": [account]}})
    running = await WebexSimulator.start(Context.create(seed=1), settings, virtual=False)
    try:
        seen = await session(running, "signing_in", email, "right", secret)
    finally:
        await running.stop()
    assert seen == {"me": [email], "state": "mine"}


async def test_a_service_app_makes_guests() -> None:
    app = {"email": "app@serviceapp.example", "name": "App"}
    settings = WebexSettings.model_validate({"service_apps": [app]})
    running = await WebexSimulator.start(Context.create(seed=1), settings, virtual=False)
    try:
        issued = running.issue(app["email"], None, None)
        assert issued is not None
        seen = await session_at(running.url, issued.access_token, "guests")
    finally:
        await running.stop()
    assert seen == {"same": True, "me": ["Anna", True], "lives": 64_799}


async def test_a_call_is_placed_looked_at_and_ended_as_the_sdk_does() -> None:
    need_module("wxc_sdk", package="wxc-sdk")
    origin, testbed = monotonic(), load_testbed(TESTBED)
    with simulators(TESTBED, origin=origin, seed=1) as addresses:
        async with open_bench(
            testbed, today=date(2026, 1, 5), addresses=addresses, virtual=False, origin=origin, seed=1
        ) as bench:
            caller, called = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
            async with httpx.AsyncClient(base_url=addresses.url("webex", "control"), trust_env=False) as http:
                made = await http.post("/v1/tokens", json={"email": "operator@force.example"})
            url, token = addresses.url("webex", "http"), made.json()["token"]
            seen = await session_at(url, token, "calling", "2002")
            own, rung = await caller.rings(), await called.rings()
            await own.ended(within=5)
            await rung.ended(within=5)
            past = await session_at(url, token, "past_calls")
            async with httpx.AsyncClient(base_url=addresses.url("webex", "control"), trust_env=False) as http:
                made = await http.post("/v1/tokens", json={"email": "admin@force.example"})
            queues = await session_at(url, made.json()["token"], "call_queues")
    assert seen.pop("call") in (
        ["clickToDial", "alerting", "2002", "organization"],
        ["originator", "connecting", "2002", "organization"],
    )
    assert seen == {"listed": True, "left": 0}
    assert past == {"history": [["placed", "2002"]]}
    assert queues == {"made": ["Front desk", "2260", 5, True], "away": False, "listed": ["Back desk"], "left": []}


async def test_an_administrator_makes_a_series_of_meetings_for_somebody() -> None:
    need_module("wxc_sdk", package="wxc-sdk")
    with simulators(TESTBED.with_name("webex-calling.yaml"), origin=monotonic(), seed=1) as addresses:
        async with httpx.AsyncClient(base_url=addresses.url("webex", "control"), trust_env=False) as http:
            made = await http.post("/v1/tokens", json={"email": "admin@force.example"})
        seen = await session_at(addresses.url("webex", "http"), made.json()["token"], "hosted_meeting")
    assert seen == {
        "made": ["operator@force.example", "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TH"],
        "theirs": ["Handover"],
        "own": [],
        "left": [],
    }
