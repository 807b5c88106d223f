"""Call records, reports, voice messages and the calling plan by REST: who is told, when, and what is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.endpoints.webex import WebexClient
from harness.errors import WebexRefusedError
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip

pytestmark = pytest.mark.testbed("webex-calling")


def written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


async def refused(client: WebexClient, status: int, method: str, path: str, **given: Any) -> str:
    with pytest.raises(WebexRefusedError) as raised:
        await client.ask(method, path, **given)
    assert raised.value.status == status, raised.value
    return str(raised.value)


async def a_call(bench: Bench) -> None:
    """Rung, not answered, and left a message."""
    caller = await bench.telephone("operator-phone")
    await bench.telephone("colleague-phone")
    call = await caller.dial("2002")
    await call.answered(within=60)
    await asyncio.sleep(3)
    await call.say(read_clip("caller-999"))
    await call.said()
    await call.hang_up()


def of_now(bench: Bench, since: float, until: float) -> dict[str, str]:
    """A window so many seconds before now."""
    now = bench.journal.now() + datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    return {"startTime": written(now - since), "endTime": written(now - until)}


async def test_records_are_had_in_their_time_by_who_may_and_of_ones_own_organisation(bench: Bench) -> None:
    webex = await bench.webex()
    await a_call(bench)
    admin, user, partner = [await webex.account(each) for each in ("administrator", "operator", "partner")]
    assert "between 300 seconds" in await refused(admin, 400, "GET", "/cdr_feed", query=of_now(bench, 600, 0))
    await asyncio.sleep(310)
    window = of_now(bench, 3600, 301)
    found = [each async for each in admin.listed("/cdr_feed", query=window)]
    assert [(each["User"], each["Direction"], each["Answered"]) for each in found] == [
        ("Isla Munro", "TERMINATING", "false"),
        ("Callum Ross", "ORIGINATING", "true"),
    ]
    assert [each async for each in admin.listed("/cdr_feed", query=window | {"locations": "Leith"})] == []
    assert [each async for each in partner.listed("/cdr_feed", query=window)] == []
    await refused(user, 403, "GET", "/cdr_feed", query=window)
    assert "12 hours" in await refused(admin, 400, "GET", "/cdr_feed", query=of_now(bench, 50_000, 400))
    assert "after" in await refused(admin, 400, "GET", "/cdr_feed", query=of_now(bench, 400, 500))
    await refused(admin, 400, "GET", "/cdr_feed", query={"startTime": "yesterday", "endTime": "today"})


async def test_a_report_is_its_organisations_and_is_gone_when_it_was_taken_away(bench: Bench) -> None:
    webex = await bench.webex()
    await a_call(bench)
    await asyncio.sleep(310)
    admin, partner = await webex.account(), await webex.account("partner")
    assert "no report template" in await refused(admin, 400, "POST", "/reports", body={"templateId": 1})
    for day in ("2026-02-30", "tomorrow"):
        await refused(admin, 400, "POST", "/reports", body={"templateId": 500, "startDate": day})
    made = (await admin.ask("POST", "/reports", {"templateId": 500}))["items"]["Id"]
    [report] = (await admin.ask("GET", f"/reports/{made}"))["items"]
    text = await admin.fetch(report["downloadURL"])
    assert text.count("\n") == 2 and "Callum Ross" in text
    for path in (f"/reports/{made}", f"/reports/{made}/download"):
        await refused(partner, 404, "GET", path)
    theirs = (await partner.ask("POST", "/reports", {"templateId": 500}))["items"]["Id"]
    [report] = (await partner.ask("GET", f"/reports/{theirs}"))["items"]
    assert (await partner.fetch(report["downloadURL"])).count("\n") == 1
    await admin.ask("DELETE", f"/reports/{made}")
    await refused(admin, 404, "GET", f"/reports/{made}")


async def test_a_voice_message_is_its_owners_and_the_calling_plan_its_organisations(bench: Bench) -> None:
    webex = await bench.webex()
    await a_call(bench)
    owner, other = await webex.account("colleague"), await webex.account("operator")
    [message] = (await owner.ask("GET", "/telephony/voiceMessages"))["items"]
    assert (message["callingParty"]["name"], message["read"]) == ("Callum Ross", False)
    path = f"/telephony/voiceMessages/{message['id']}"
    await refused(other, 404, "DELETE", path)
    await refused(other, 404, "POST", "/telephony/voiceMessages/markAsRead", body={"messageId": message["id"]})
    await owner.ask("POST", "/telephony/voiceMessages/markAsRead", {})
    assert (await owner.ask("GET", "/telephony/voiceMessages/summary"))["newMessages"] == 0
    await owner.ask("POST", "/telephony/voiceMessages/markAsUnread", {"messageId": message["id"]})
    assert (await owner.ask("GET", "/telephony/voiceMessages/summary"))["newMessages"] == 1
    await refused(other, 403, "GET", "/telephony/config/huntGroups")
    partner = await webex.account("partner")
    assert (await partner.ask("GET", "/telephony/config/huntGroups"))["huntGroups"] == []
    plan = await webex.hunt_group("Service desk")
    await refused(partner, 404, "GET", f"/telephony/config/locations/{plan['locationId']}/huntGroups/{plan['id']}")
    me = await owner.ask("GET", "/people/me")
    await refused(partner, 404, "GET", f"/telephony/config/people/{me['id']}/emergencyCallbackNumber")
