"""Guests: let in nowhere by their token, whoever they say that they are; to a meeting only through the lobby."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.drivers.webex import Webex
from harness.errors import WebexRefusedError
from harness.measure.correlate import correlation
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

pytestmark = pytest.mark.testbed("webex-calling")
VISITORS = "2004"
"""The line of a telephone that is nobody's of the organisation."""
UNLIKE = 0.3


async def refused(webex: Webex, account: str, status: int, method: str, path: str, **given: Any) -> None:
    """An account is refused this, with this status."""
    with pytest.raises(WebexRefusedError) as raised:
        await (await webex.account(account)).ask(method, path, **given)
    assert raised.value.status == status, raised.value


@requirement("WBX-015")
async def test_a_guest_who_is_invited_and_has_a_token_waits_in_the_lobby_all_the_same(bench: Bench) -> None:
    webex = await bench.webex()
    host, outside = await bench.telephone("operator-phone"), await bench.telephone("secure-phone")
    guest = await webex.make_guest("visitor-1", "Callum Ross", by="reception")  # the host's own name
    meeting = await webex.make_meeting("with a guest", by="operator")
    client = await webex.account("operator")
    await client.ask("POST", "/meetingInvitees", {"meetingId": meeting["id"], "email": guest.email})
    inside = await host.dial(meeting["meetingNumber"])
    await inside.answered(within=10)
    call = await outside.dial(meeting["meetingNumber"])
    await call.answered(within=10)
    waits = await webex.expect_participant(meeting["id"], "lobby", number=VISITORS, by="operator", within=5)
    query, body = {"meetingId": meeting["id"]}, {"items": [{"participantId": waits["id"]}]}
    await refused(webex, guest.account, 403, "GET", "/meetingParticipants", query=query)
    await refused(webex, guest.account, 403, "POST", "/meetingParticipants/admit", body=body)
    await refused(webex, guest.account, 403, "PUT", f"/meetingParticipants/{waits['id']}", body={"admit": True})
    await refused(webex, guest.account, 403, "GET", f"/meetings/{meeting['id']}")
    await refused(webex, guest.account, 403, "PUT", "/meetings/controls", body={"recordingStarted": True}, query=query)
    await call.record()
    await inside.say(read_clip("caller-999"))
    await inside.said()
    assert correlation(read_clip("caller-999"), (await call.recorded()).samples) < UNLIKE, "past the lobby"
    await webex.admit(waits["id"], by="operator")
    await webex.expect_participant(meeting["id"], "joined", number=VISITORS, by="operator", within=2)
    await asyncio.sleep(1)
    await converse(inside, call, read_clip("call-taker"))
    for each in (inside, call):
        await each.hang_up()


async def test_a_guest_reads_and_writes_where_they_were_brought_in_and_sees_nobody_else(bench: Bench) -> None:
    webex = await bench.webex()
    guest = await webex.make_guest("visitor-2", "Ann Visitor", by="reception")
    room = await webex.make_room("front desk", by="operator")
    await refused(webex, guest.account, 404, "GET", f"/rooms/{room}")
    await webex.invite(room, guest.account, by="operator")
    said = await webex.say(room, "I am at the door", by=guest.account)
    assert (await webex.expect_message(said, by="operator", within=5))["personEmail"] == guest.email
    operator = await (await webex.account("operator")).ask("GET", "/people/me")
    colleague = await (await webex.account("colleague")).ask("GET", "/people/me")
    client = await webex.account(guest.account)
    assert (await client.ask("GET", f"/people/{operator['id']}"))["displayName"] == "Callum Ross"
    await refused(webex, guest.account, 404, "GET", f"/people/{colleague['id']}")
    for query in ({"email": colleague["emails"][0]}, {"displayName": "Isla"}, {}):
        await refused(webex, guest.account, 403, "GET", "/people", query=query)
    other = await webex.make_guest("visitor-3", "Bob Visitor", by="reception")
    direct = {"toPersonEmail": other.email, "text": "psst"}
    await refused(webex, guest.account, 403, "POST", "/messages", body=direct)
    await refused(webex, "operator", 403, "POST", "/memberships", body={"roomId": room, "personEmail": other.email})
    for method, path, body in (
        ("POST", "/rooms", {"title": "Mine"}),
        ("POST", "/guests/token", {"subject": "x", "displayName": "x"}),
        ("POST", "/telephony/calls/dial", {"destination": "2001"}),
    ):
        await refused(webex, guest.account, 403, method, path, body=body)
    await refused(webex, "partner", 404, "GET", f"/people/{guest.id}")


async def test_guests_of_the_older_kind_are_believed_by_their_signature_and_only_while_it_is_valid(
    bench: Bench,
) -> None:
    webex = await bench.webex()
    first = await webex.sign_guest("visitor-4", "Cara Visitor")
    again = await webex.sign_guest("visitor-4", "Cara B. Visitor")
    assert (again.id, again.expires_in) == (first.id, 21_599)
    assert (await (await webex.account(again.account)).ask("GET", "/people/me"))["displayName"] == "Cara B. Visitor"
    for given in ({"secret": "b3RoZXI="}, {"signed_for_s": -1.0}):
        with pytest.raises(WebexRefusedError, match="guest token is not valid") as raised:
            await webex.sign_guest("visitor-4", "Cara Visitor", **given)  # type: ignore[arg-type]
        assert raised.value.status == 401
    await refused(webex, again.account, 403, "GET", "/meetings")
    await bench.time_passes(again.expires_in + 1)
    await refused(webex, again.account, 401, "GET", "/people/me")
