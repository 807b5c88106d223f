"""The force's directory tells Webex who joins, moves and leaves (SCIM 2.0): who left has no way in, in time."""

from __future__ import annotations

import pytest

from harness.drivers.webex import ADMINISTRATOR
from harness.errors import WebexRefusedError
from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("webex")
BLOCKED_S = catalogue()["WBX-002"].figure("blocked_min").value * 60


@requirement("WBX-002")
async def test_a_leaver_whom_the_directory_deactivates_is_blocked_in_time(bench: Bench) -> None:
    webex = await bench.webex()
    room = await webex.make_room("deactivated")
    await webex.invite(room, "leaver")
    said = await webex.say(room, "Keys are with the desk", by="leaver")
    before = await webex.user("leaver", by=ADMINISTRATOR)
    await webex.deactivate("leaver", by=ADMINISTRATOR)
    try:
        took = await webex.expect_blocked("leaver", within=BLOCKED_S)
        bench.measured("deactivated_blocked", took / 60, "min", requirement="WBX-002", figure="blocked_min")
        assert (await webex.user("leaver", by=ADMINISTRATOR))["active"] is False
        client = await webex.account()
        told = (await client.ask("GET", "/people", query={"email": before["userName"]}))["items"]
        assert [each["loginEnabled"] for each in told] == [False], "the directory and the people's interface differ"
        assert (await webex.expect_message(said, by=ADMINISTRATOR, within=10.0))["id"] == said
    finally:
        await webex.reactivate("leaver", by=ADMINISTRATOR)
    after = await webex.user("leaver", by=ADMINISTRATOR)
    assert {**after, "meta": None} == {**before, "meta": None}, "who is back is not who they were"
    if webex.is_simulated:  # at a real one somebody has to sign in first
        me = await (await webex.account("leaver")).ask("GET", "/people/me")
        assert me["emails"] == [before["userName"]]


async def test_who_joins_is_found_by_colleagues_and_by_no_other_organisation_and_is_gone_once_removed(
    bench: Bench,
) -> None:
    webex = await bench.webex()
    made = await webex.provision("Joiner", by=ADMINISTRATOR)
    email = made["userName"]

    async def found(account: str) -> list[str]:
        client = await webex.account(account)
        return [each["displayName"] async for each in client.listed("/people", query={"email": email})]

    assert await found("operator") == [made["displayName"]]
    assert await found("partner") == []
    assert [each["id"] for each in await webex.users(f'userName eq "{email}"', by=ADMINISTRATOR)] == [made["id"]]
    assert await webex.users(f'userName eq "{email}"', by="partner") == []
    with pytest.raises(WebexRefusedError) as twice:
        await webex.provision("Joiner", by=ADMINISTRATOR)
    assert twice.value.status == 409
    with pytest.raises(WebexRefusedError) as refused:
        await webex.provision("By nobody who may", by="operator")
    assert refused.value.status == 403
    await webex.tidy()
    assert await found("operator") == []


async def test_who_moves_between_groups_is_in_one_and_not_in_the_other(bench: Bench) -> None:
    webex = await bench.webex()
    early = await webex.make_group("Early shift", ["operator", "leaver"], by=ADMINISTRATOR)
    late = await webex.make_group("Late shift", [], by=ADMINISTRATOR)
    operator = (await webex.user("operator", by=ADMINISTRATOR))["id"]
    leaver = (await webex.user("leaver", by=ADMINISTRATOR))["id"]
    await webex.move("operator", early["id"], joins=False, by=ADMINISTRATOR)
    await webex.move("operator", late["id"], joins=True, by=ADMINISTRATOR)
    assert await webex.group_members(early["id"], by=ADMINISTRATOR) == [leaver]
    assert await webex.group_members(late["id"], by=ADMINISTRATOR) == [operator]
    with pytest.raises(WebexRefusedError) as refused:
        await webex.group_members(late["id"], by="partner")
    assert refused.value.status == 404
