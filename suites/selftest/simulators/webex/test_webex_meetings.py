"""Meetings by REST: what is refused, and what is another's."""

from __future__ import annotations

from typing import Any

import pytest

from harness.endpoints.webex import WebexClient
from harness.errors import WebexRefusedError
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("webex-calling")

TIMES = {"start": "2026-01-01T10:00:00.000Z", "end": "2026-01-01T11:00:00.000Z"}
NUMBERS = 10


async def refused(client: WebexClient, status: int, method: str, path: str, **given: Any) -> None:
    with pytest.raises(WebexRefusedError) as raised:
        await client.ask(method, path, **given)
    assert raised.value.status == status, raised.value


async def test_a_meeting_is_its_hosts_and_to_others_not_there(bench: Bench) -> None:
    webex = await bench.webex()
    host, other, partner = [await webex.account(each) for each in ("operator", "colleague", "partner")]
    body = {"title": "Mine", **TIMES, "invitees": [{"email": "Desk@force.example"}]}
    meeting = await host.ask("POST", "/meetings", body)
    query = {"meetingId": meeting["id"]}
    [invitee] = (await host.ask("GET", "/meetingInvitees", query=query))["items"]
    assert (invitee["email"], invitee["displayName"]) == ("desk@force.example", "Rory Blair")
    for client in (other, partner):
        await refused(client, 404, "GET", f"/meetings/{meeting['id']}")
        await refused(client, 404, "PATCH", f"/meetings/{meeting['id']}", body={"title": "Theirs"})
        await refused(client, 404, "DELETE", f"/meetings/{meeting['id']}")
        await refused(client, 404, "GET", "/meetingParticipants", query=query)
        await refused(client, 404, "DELETE", f"/meetingInvitees/{invitee['id']}")
        await refused(client, 404, "PUT", "/meetings/controls", body={"recordingStarted": True}, query=query)
        assert (await client.ask("GET", "/meetings"))["items"] == []
    again = {"meetingId": meeting["id"], "email": "desk@force.example"}
    await refused(host, 409, "POST", "/meetingInvitees", body=again)
    await refused(host, 409, "PUT", "/meetings/controls", body={"recordingStarted": True}, query=query)
    await refused(host, 409, "PUT", "/meetings/controls", body={"recordingStarted": False}, query=query)
    for participant in ("x", meeting["id"]):
        await refused(host, 404, "PUT", f"/meetingParticipants/{participant}", body={"admit": True})
    changed = await host.ask("PATCH", f"/meetings/{meeting['id']}", {"title": "Changed"})
    assert (changed["title"], changed["meetingNumber"]) == ("Changed", meeting["meetingNumber"])
    await host.ask("DELETE", f"/meetings/{meeting['id']}")
    await refused(host, 404, "GET", "/meetingInvitees", query=query)


async def test_a_meeting_that_can_not_be_is_refused_and_takes_no_number(bench: Bench) -> None:
    host = await (await bench.webex()).account("operator")
    for wrong in ({"end": TIMES["start"]}, {"start": "10 o'clock"}, {"start": 0}, {"title": ""}, {"start": None}):
        await refused(host, 400, "POST", "/meetings", body={"title": "Wrong", **TIMES, **wrong})
    made = [(await host.ask("POST", "/meetings", {"title": "Full", **TIMES}))["id"] for _ in range(NUMBERS)]
    await refused(host, 409, "POST", "/meetings", body={"title": "One more", **TIMES})
    await host.ask("DELETE", f"/meetings/{made[0]}")
    await host.ask("POST", "/meetings", {"title": "One more", **TIMES})
