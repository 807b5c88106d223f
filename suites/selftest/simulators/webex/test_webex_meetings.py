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


async def test_a_meeting_has_a_lobby_and_a_webinars_attendees_are_let_in_unless_it_is_said_otherwise(
    bench: Bench,
) -> None:
    host = await (await bench.webex()).account("operator")
    body = {"title": "Told", **TIMES}
    for sent, told in (
        ({}, ("meeting", "allowJoinWithLobby")),
        ({"scheduledType": "webinar"}, ("webinar", "allowJoin")),
        (
            {"scheduledType": "webinar", "unlockedMeetingJoinSecurity": "blockFromJoin"},
            ("webinar", "blockFromJoin"),
        ),
    ):
        made = await host.ask("POST", "/meetings", body | sent)
        assert (made["scheduledType"], made["unlockedMeetingJoinSecurity"]) == told
    for wrong in ({"scheduledType": "seminar"}, {"unlockedMeetingJoinSecurity": "open"}, {"scheduledType": None}):
        await refused(host, 400, "POST", "/meetings", body=body | wrong)


async def test_a_webinars_panelists_speak_and_its_attendees_are_muted(bench: Bench) -> None:
    webex = await bench.webex()
    made = await webex.make_meeting("panel", by="operator", invite=["colleague"], webinar=True)
    for name in ("operator-phone", "colleague-phone", "third-phone"):
        await (await (await bench.telephone(name)).dial(made["meetingNumber"])).answered(within=5)
    there = await webex.participants(made["id"], by="operator")
    assert [(each["displayName"], each["state"], each["muted"]) for each in there] == [
        ("Callum Ross", "joined", False),
        ("Isla Munro", "joined", False),
        ("Ailsa Reid", "joined", True),
    ]


async def test_an_administrator_makes_meetings_for_somebody_of_the_organisation_and_nobody_else_does(
    bench: Bench,
) -> None:
    webex = await bench.webex()
    administrator, host = await webex.account(), await webex.account("operator")
    series = {"title": "Series", **TIMES, "recurrence": "FREQ=DAILY;INTERVAL=2", "hostEmail": "Operator@force.example"}
    made = await administrator.ask("POST", "/meetings", series)
    assert (made["hostEmail"], made["recurrence"]) == ("operator@force.example", "FREQ=DAILY;INTERVAL=2")
    assert [each["id"] for each in (await host.ask("GET", "/meetings"))["items"]] == [made["id"]]
    assert (await administrator.ask("GET", "/meetings"))["items"] == []
    for query, count in (({"from": TIMES["start"]}, 1), ({"from": TIMES["end"]}, 0), ({"to": TIMES["start"]}, 1)):
        told = await administrator.ask("GET", "/meetings", query={"hostEmail": "operator@force.example", **query})
        assert len(told["items"]) == count, query
    partner, colleague = await webex.account("partner"), await webex.account("colleague")
    await refused(colleague, 403, "POST", "/meetings", body=series)
    await refused(colleague, 403, "GET", "/meetings", query={"hostEmail": "operator@force.example"})
    await refused(partner, 404, "POST", "/meetings", body=series)
    await refused(administrator, 404, "POST", "/meetings", body={**series, "hostEmail": "nobody@force.example"})
    await refused(administrator, 400, "POST", "/meetings", body={**series, "recurrence": "every Monday"})
    twice = [{"email": "a@force.example"}, {"email": "A@force.example"}]
    await refused(administrator, 409, "POST", "/meetings", body={**series, "invitees": twice})
    assert len((await host.ask("GET", "/meetings"))["items"]) == 1, "what was refused is there"
