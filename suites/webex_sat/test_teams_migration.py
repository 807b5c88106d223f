"""Teams users are brought to Webex with contacts and meetings, and back again, so that nothing is left of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.drivers.webex import Webex
from harness.endpoints.webex.ledger import Step
from harness.errors import ExpectationError, MigrationError, NotPlayedError, WebexRefusedError
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("webex-calling")

EXPORT = Path(__file__).parents[2] / "fixtures" / "migration" / "teams-wave.json"
STEPS = ["users", "licences", "licences", "licences", "group", "contacts", *["meeting"] * 4]
"""What the file's wave is brought over in."""
CALLING = "Webex Calling - Professional"


def hosts(export: Path = EXPORT) -> tuple[str, ...]:
    return tuple(each["user"]["userPrincipalName"] for each in json.loads(export.read_text())["users"])


def may_be_brought_over(webex: Webex) -> None:
    """Raise NotPlayedError at a real tenant: the file's people are not its own."""
    if not webex.is_simulated:
        raise NotPlayedError("the wave of fixtures/migration is of the simulated tenant's people, and of nobody else")


@asynccontextmanager
async def as_it_was(webex: Webex) -> AsyncIterator[None]:
    """Somebody of the wave has an account already, without calling; afterwards everything is as it was then."""
    may_be_brought_over(webex)
    client = await webex.account()
    desk = (await client.ask("GET", "/people", query={"email": hosts()[2]}))["items"][0]
    [calling] = [each async for each in client.listed("/licenses") if each["name"] == CALLING]
    licence = {"id": calling["id"], "operation": "remove"}
    await client.ask("PATCH", "/licenses/users", {"email": hosts()[2], "licenses": [licence]})
    before = await webex.census(hosts())
    assert "extension" not in before.kinds["people"][desk["id"]]
    try:
        yield
        await webex.expect_as_before(before, hosts())
    finally:
        line = {"extension": desk["extension"], "locationId": desk["locationId"]}
        licence |= {"operation": "add", "properties": line}
        await client.ask("PATCH", "/licenses/users", {"email": hosts()[2], "licenses": [licence]})


async def meetings(webex: Webex) -> list[dict[str, Any]]:
    """The wave's meetings that are there."""
    client = await webex.account()
    found = []
    for host in hosts():
        found += [each async for each in client.listed("/meetings", query={"hostEmail": host})]
    return found


@requirement("WBX-025")
async def test_a_teams_users_contacts_and_meetings_are_intact_and_a_roll_back_leaves_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    webex, client = await bench.webex(), await (await bench.webex()).account()
    async with as_it_was(webex):
        for time in range(3):
            ledger = tmp_path / f"ledger-{time}"
            wave = await webex.migrate(EXPORT, ledger)
            await webex.expect_migrated(wave)
            made = await meetings(webex)
            assert len(made) == 4, "a meeting that is over, or another's, was brought over"
            desk = await webex.account("desk")
            own = [each["title"] async for each in desk.listed("/meetings")]
            assert own == ["iccs-test-Desk review"], "a user does not have their own meeting"
            scim = await client.scim()
            path = f"/contacts/organizations/{scim.split('/')[3]}/contacts/search"
            seen = [each["displayName"] async for each in desk.listed(path, key="result")]
            assert "iccs-test-Night garage" in seen, "a user does not see their own contact"
            assert [each async for each in (await webex.account("operator")).listed(path, key="result")] == []
            assert await webex.roll_back(ledger) == len(STEPS)
            for each in made:
                with pytest.raises(WebexRefusedError) as gone:
                    await client.ask("GET", f"/meetings/{each['id']}")
                assert gone.value.status == 404
            assert await webex.roll_back(ledger) == 0, "a second roll-back does something"


@requirement("WBX-025")
async def test_a_migrated_users_meeting_is_joined_by_telephone_and_heard_no_more_once_it_is_rolled_back(
    bench: Bench, tmp_path: Path
) -> None:
    webex, telephone = await bench.webex(), await bench.telephone("third-phone")
    async with as_it_was(webex):
        await webex.migrate(EXPORT, tmp_path / "ledger")
        [review] = [each for each in await meetings(webex) if each["title"] == "iccs-test-Desk review"]
        call = await telephone.dial(review["meetingNumber"])
        await call.answered(within=5)
        await webex.expect_participant(review["id"], "lobby", number="2000", by="desk", within=5)
        await webex.roll_back(tmp_path / "ledger")
        await call.ended(within=5)


def changed(tmp_path: Path, change: Any) -> Path:
    """The wave's file, changed."""
    told = json.loads(EXPORT.read_text())
    change(told)
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(told))
    return file


def _taken_name(told: dict[str, Any]) -> None:
    told["users"][1]["user"]["userPrincipalName"] = "admin@partner.example"


def _taken_extension(told: dict[str, Any]) -> None:
    told["users"][2]["webex"]["extension"] = "2001"


def _unfit_contact(told: dict[str, Any]) -> None:
    told["users"][1]["contacts"][1]["businessPhones"] = ["ask at the gate"]


def _too_many_meetings(told: dict[str, Any]) -> None:
    events = told["users"][0]["events"]
    # A simulated Webex has ten numbers for meetings; two of the user's own are there already.
    events += [{**events[1], "subject": f"iccs-test-{each}"} for each in range(8)]


ROWS = [
    pytest.param(_taken_name, "user 2: refused with 409", 1, id="an account"),
    pytest.param(_taken_extension, "user 3: .*is taken", 4, id="a line"),
    pytest.param(_unfit_contact, "contacts: .*400", 6, id="a contact"),
    pytest.param(_too_many_meetings, "user 2 meeting 1: .*409", 17, id="a meeting"),
]


@requirement("WBX-025")
@pytest.mark.parametrize(("change", "why", "steps"), ROWS)
async def test_a_row_that_is_refused_in_mid_import_leaves_nothing_of_the_others(
    bench: Bench, tmp_path: Path, change: Any, why: str, steps: int
) -> None:
    webex = await bench.webex()
    async with as_it_was(webex):
        with pytest.raises(MigrationError, match=why) as refused:
            await webex.migrate(changed(tmp_path, change), tmp_path / "ledger")
        assert refused.value.rolled_back is True
        begun = {each.data["step"] for each in bench.journal if each.kind == "webex.migration_step"}
        assert len(begun) == steps, "it was refused before, or after, the row that it is about"
        assert not any(host in str(refused.value) for host in hosts()), "a refusal tells whom it is about"


async def broken_off(webex: Webex, ledger: Path, step: int, fault: str) -> None:
    """Let the service fail just before it is asked for a step of a migration."""

    async def before(next_one: Step) -> None:
        if next_one.number == step:
            await webex.fail(fault)

    with pytest.raises(MigrationError) as error:
        await webex.migrate(EXPORT, ledger, before=before)
    assert error.value.rolled_back is False, "a service that does not answer was rolled back"


@requirement("WBX-025")
@pytest.mark.parametrize("fault", ["down", "loses_answers", "errors", "silent"])
@pytest.mark.parametrize("step", [0, 2, 4, 5, 7])
async def test_a_service_that_fails_in_mid_import_has_nothing_half_written_once_it_is_back_and_rolled_back(
    bench: Bench, tmp_path: Path, step: int, fault: str
) -> None:
    webex = await bench.webex()
    async with as_it_was(webex):
        await broken_off(webex, tmp_path / "ledger", step, fault)
        await webex.recover()
        assert await webex.roll_back(tmp_path / "ledger") == step + 1
    async with as_it_was(webex):
        await webex.expect_migrated(await webex.migrate(EXPORT, tmp_path / "again"))
        await webex.roll_back(tmp_path / "again")


@requirement("WBX-025")
async def test_who_migrates_is_stopped_in_mid_import_and_another_rolls_it_back_by_the_ledger(
    bench: Bench, tmp_path: Path
) -> None:
    webex = await bench.webex()
    for step in range(len(STEPS)):
        async with as_it_was(webex):
            ledger = tmp_path / f"ledger-{step}"
            reached = asyncio.Event()

            async def before(next_one: Step, step: int = step, reached: asyncio.Event = reached) -> None:
                if next_one.number == step:
                    reached.set()

            running = asyncio.create_task(webex.migrate(EXPORT, ledger, before=before))
            await reached.wait()
            await asyncio.sleep(0)  # its request is under way
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert await webex.roll_back(ledger) == step + 1


async def test_what_was_lost_or_is_left_is_seen(bench: Bench, tmp_path: Path) -> None:
    """Otherwise nothing would show that anybody looks."""
    webex, client = await bench.webex(), await (await bench.webex()).account()
    may_be_brought_over(webex)
    before = await webex.census(hosts())
    wave = await webex.migrate(EXPORT, tmp_path / "ledger")
    with pytest.raises(ExpectationError, match=r"users: 2 more.*groups: 1 more.*contacts: 4 more"):
        await webex.expect_as_before(before, hosts())
    [review] = [each for each in await meetings(webex) if each["title"] == "iccs-test-Desk review"]
    [invited] = (await client.ask("GET", "/meetingInvitees", query={"meetingId": review["id"]}))["items"]
    await client.ask("DELETE", f"/meetingInvitees/{invited['id']}")
    with pytest.raises(ExpectationError, match="user 3: meeting 1 is not as it was"):
        await webex.expect_migrated(wave)
    scim = await client.scim()
    book = f"/contacts/organizations/{scim.split('/')[3]}/contacts"
    [garage] = (await client.ask("GET", f"{book}/search", query={"keyword": "night@"}))["result"]
    await client.ask("DELETE", f"{book}/{garage['contactId']}")
    with pytest.raises(ExpectationError, match=r"3 contacts, and 4 are due.*user 3: contact 1 is not as it was"):
        await webex.expect_migrated(wave)
    await webex.roll_back(tmp_path / "ledger")
    await webex.expect_as_before(before, hosts())
