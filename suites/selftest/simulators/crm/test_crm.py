"""The CRM over its own wire, on both databases: contacts, records, merges, audit, imports, and a store that goes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest

from fixtures.postgresql import PostgresqlServer
from harness.endpoints.crm import Attachment, CrmClient, Person, RecordTold, TaskTold, load_adapter
from harness.errors import CrmError, CrmGoneError
from harness.transport.context import Context
from simulators.crm.settings import CrmSettings
from simulators.crm.simulator import CrmSimulator

pytestmark = pytest.mark.real_wire
ANN = Person("Ann Lee", "07700 900123", "Ann@example.org", "1 The Lane")
AT = "2026-01-01T10:00:00+01:00"
LOOKS = {"user": "adviser-7", "reason": "test"}


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[tuple[CrmSimulator, CrmClient]]:
    context = Context.create(seed=1)
    simulator = await CrmSimulator.start(context, CrmSettings.model_validate(settings), virtual=False)
    try:
        async with CrmClient(simulator.url, settings.get("token", "")) as client:
            yield simulator, client
    finally:
        await simulator.stop()


async def data(text: str | bytes) -> AsyncIterator[bytes]:
    yield text.encode() if isinstance(text, str) else text


async def test_a_record_told_again_is_made_once_and_its_contact_is_found_however_the_number_is_written(
    store: str,
) -> None:
    async with running(store=store) as (_simulator, crm):
        told = RecordTold("contact_us", AT, ANN, "Help", ("urgent",), "F-1", (Attachment("a", "a/b", 1, "0" * 64),))
        first = await crm.add_record(told, key="F-1")
        again = await crm.add_record(told, key="F-1")
        assert (first.created, again.created, again.id) == (True, False, first.id)
        by_mail = await crm.add_record(RecordTold("email", AT, Person(email="ann@EXAMPLE.org")), key="M-1")
        assert by_mail.contact == first.contact
        for number in ("+447700900123", "07700900123", "0044 7700 900123"):
            [contact] = await crm.find("telephone", number, **LOOKS)
            assert (contact.id, contact.name) == (first.contact, "Ann Lee")
        assert [each.record for each in contact.history] == [by_mail.id, first.id]
        assert contact.history[1].received == "2026-01-01T09:00:00Z"
        for name in ("Ann", "lee", "ANN  LEE"):
            assert [each.id for each in await crm.find("name", name, **LOOKS)] == [first.contact]
        with pytest.raises(CrmError, match="came with another body before"):
            await crm.add_record(RecordTold("email", AT), key="F-1")


async def test_who_can_not_be_reached_is_still_recorded(store: str) -> None:
    async with running(store=store) as (_simulator, crm):
        made = await crm.add_record(RecordTold("contact_us", AT, Person("Bo", "ring me", "no mail")), key="1")
        kept = await crm.record(made.id, **LOOKS)
        assert kept["person"] == {"name": "Bo", "telephone": "ring me", "email": "no mail"}
        another = await crm.add_record(RecordTold("contact_us", AT), key="2")
        assert another.contact != made.contact


async def test_of_those_who_share_a_telephone_the_one_with_the_name_that_was_told_is_meant() -> None:
    known = [{"reference": name, "name": name, "telephone": "+447700900123"} for name in ("Ann Lee", "Bob Lee")]
    for each in known:
        each["reference"] = each["name"].replace(" ", "-")
    async with running(contacts=known) as (_simulator, crm):
        [_ann, bob] = await crm.find("telephone", "+447700900123", **LOOKS)
        made = await crm.add_record(RecordTold("phone", AT, Person("bob lee", "+447700900123")), key="1")
        assert made.contact == bob.id


async def test_personal_data_is_not_shown_to_whoever_does_not_say_who_looks_and_why() -> None:
    async with (
        running(token="a-secret") as (simulator, _crm),
        httpx.AsyncClient(base_url=simulator.url, trust_env=False) as http,
    ):
        assert (await http.get("/v1/contacts?name=a")).status_code == 401
        bearer = {"Authorization": "Bearer a-secret"}
        answer = await http.get("/v1/contacts?name=a", headers=bearer)
        assert (answer.status_code, "X-User is missing" in answer.json()["detail"]) == (400, True)
        answer = await http.get("/v1/contacts?name=a", headers=bearer | {"X-User": "a", "X-Reason": ""})
        assert (answer.status_code, "X-Reason is missing" in answer.json()["detail"]) == (400, True)
        both = bearer | {"X-User": "a", "X-Reason": "call"}
        assert (await http.get("/v1/contacts?name=a", headers=both)).status_code == 200
        # A + that nobody encoded is a blank by then.
        answer = await http.get("/v1/contacts?telephone=+447700900123", headers=both)
        assert answer.status_code == 200


async def test_a_merge_is_found_by_both_numbers_and_undone_leaves_both_as_they_were(store: str) -> None:
    async with running(store=store) as (_simulator, crm):
        one = await crm.add_record(RecordTold("phone", AT, Person("Ann Lee", "+447700900123")), key="1")
        other = await crm.add_record(RecordTold("phone", AT, Person("A. Lee", "+447700900124")), key="2")
        await crm.mark(other.contact, "hearing", "Prefers texts", by="adviser-7")
        merge = await crm.merge(one.contact, other.contact, by="adviser-7", reason="same date of birth")
        [found] = await crm.find("telephone", "+447700900124", **LOOKS)
        assert (found.id, [each.kind for each in found.markers]) == (one.contact, ["hearing"])
        assert [each.record for each in found.history] == [other.id, one.id]
        later = await crm.add_record(RecordTold("phone", AT, Person("A. Lee", "+447700900124")), key="3")
        assert later.contact == one.contact
        with pytest.raises(CrmError, match=f"{other.contact} was merged into {one.contact}"):
            await crm.merge(other.contact, one.contact, by="adviser-7", reason="again")
        await crm.undo_merge(merge, by="supervisor-1", reason="mother and daughter")
        [found] = await crm.find("telephone", "+447700900124", **LOOKS)
        assert (found.id, found.name, [each.record for each in found.history]) == (other.contact, "A. Lee", [other.id])
        [found] = await crm.find("telephone", "+447700900123", **LOOKS)
        assert [each.record for each in found.history] == [later.id, one.id]
        with pytest.raises(CrmError, match="was undone by supervisor-1"):
            await crm.undo_merge(merge, by="supervisor-1", reason="again")
        trail = await crm._ask("GET", "/merges", query={"contact": other.contact})
        assert [(each["by"], each["undone_by"]) for each in trail["merges"]] == [("adviser-7", "supervisor-1")]


async def test_the_audit_tells_who_looked_why_and_is_whole_after_many_at_once(store: str) -> None:
    async with running(store=store, people=20) as (_simulator, crm):
        await asyncio.gather(*(crm.find("name", "a", user=f"u{number}", reason="call") for number in range(32)))
        entries = await crm.audit()
        assert [each["number"] for each in entries] == list(range(1, 33))
        assert sorted(each["user"] for each in entries) == sorted(f"u{number}" for number in range(32))
        assert all(each["reason"] == "call" and each["contacts"] for each in entries)
        assert [each["user"] for each in await crm.audit(user="u7")] == ["u7"]
        assert (await crm.verify_audit()) | {"hash": ""} == {
            "entries": 32,
            "hash": "",
            "intact": True,
            "first_wrong": None,
            "why": "",
        }


def _tamper(store: str, *statements: str) -> None:
    if store.startswith("postgresql"):
        with psycopg.connect(store) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]
        return
    with sqlite3.connect(store) as file:
        for statement in statements:
            file.execute(statement)


def _free(store: str) -> list[str]:
    """What takes the store's own guard of the audit away."""
    if store.startswith("postgresql"):
        return ["DROP TRIGGER crm_audit_stays ON crm_audit"]
    return ["DROP TRIGGER crm_audit_no_update", "DROP TRIGGER crm_audit_no_delete"]


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE crm_audit SET by_user='nobody' WHERE number=2", "its hash is not that of its fields"),
        ("DELETE FROM crm_audit WHERE number=2", "entry 2 is not there"),
    ],
)
async def test_the_store_refuses_to_change_the_audit_and_what_is_changed_past_it_is_found(
    store: str, statement: str, wrong: str
) -> None:
    async with running(store=store, people=5) as (_simulator, crm):
        for _ in range(4):
            await crm.find("name", "a", **LOOKS)
        with pytest.raises((sqlite3.Error, psycopg.Error), match="neither changed nor taken away"):
            _tamper(store, statement)
        assert (await crm.verify_audit())["intact"]
        _tamper(store, *_free(store), statement)
        verified = await crm.verify_audit()
        assert (verified["intact"], verified["first_wrong"], verified["why"]) == (False, 2, wrong)


async def test_entries_taken_off_the_audits_end_are_found_by_a_hash_that_was_noted(store: str) -> None:
    async with running(store=store, people=5) as (_simulator, crm):
        for _ in range(3):
            await crm.find("name", "a", **LOOKS)
        noted = await crm.verify_audit()
        _tamper(store, *_free(store), "DELETE FROM crm_audit WHERE number=3")
        assert (await crm.verify_audit())["intact"], "a chain can't tell by itself"
        query = {"number": str(noted["entries"]), "hash": noted["hash"]}
        told = await crm._ask("GET", "/audit/verify", query=query)
        assert (told["intact"], told["first_wrong"], told["why"]) == (False, 3, "it is not there")


async def test_tasks_are_made_once_listed_and_done(store: str) -> None:
    async with running(store=store) as (_simulator, crm):
        first = await crm.add_task(TaskTold("rebook", "APP-1", "cancelled by text", AT), key="a")
        assert await crm.add_task(TaskTold("rebook", "APP-1", "cancelled by text", AT), key="a") == first
        await crm.add_task(TaskTold("call_back", "APP-2"), key="b")
        assert [each["id"] for each in await crm.tasks(kind="rebook")] == [first]
        await crm.finish_task(first, by="adviser-7")
        assert [each["kind"] for each in await crm.tasks()] == ["call_back"]
        with pytest.raises(CrmError, match="404: there is no task T-000099"):
            await crm.finish_task("T-000099", by="adviser-7")


GOOD = "".join(f"A{number},Person {number},07700 90{number % 1000:04d},,,\n" for number in range(1_000))
HEAD = "reference,name,telephone,email,address,markers\n"
MENDED = "B1,Bo,07700900111,,,hearing: texts only\n"


async def test_an_import_takes_good_rows_tells_bad_ones_and_a_rerun_changes_nothing(store: str) -> None:
    async with running(store=store) as (_simulator, crm):
        file = HEAD + GOOD + "B1,Bo,0770,,,\nA7,Again,,,,\n"
        first = await crm.import_contacts(data(file), **LOOKS)
        assert {key: first[key] for key in ("rows", "added", "changed", "unchanged", "bad", "state")} == {
            "rows": 1_002,
            "added": 1_000,
            "changed": 0,
            "unchanged": 0,
            "bad": 2,
            "state": "done",
        }
        assert [each async for each in crm.bad_rows(first["id"])] == [
            (1_002, "telephone '0770' is no telephone number"),
            (1_003, "reference A7 stands on line 9 already"),
        ]
        again = await crm.import_contacts(data(file), **LOOKS)
        assert [again[key] for key in ("added", "changed", "unchanged", "bad")] == [0, 0, 1_000, 2]
        mended = await crm.import_contacts(data(HEAD + GOOD.replace("Person 3,", "Other 3,") + MENDED), **LOOKS)
        assert [mended[key] for key in ("added", "changed", "unchanged", "bad")] == [1, 1, 999, 0]
        [bo] = await crm.find("name", "Bo", **LOOKS)
        assert [(each.kind, each.text) for each in bo.markers] == [("hearing", "texts only")]
        without = await crm.import_contacts(data(HEAD + MENDED.replace("hearing: texts only", "")), **LOOKS)
        assert without["changed"] == 1
        [bo] = await crm.find("name", "Bo", **LOOKS)
        assert bo.markers == ()


async def until(crm: CrmClient, so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first import, once it is so; each look lets the CRM go on."""
    async with asyncio.timeout(10):
        while True:
            told = await crm._ask("GET", "/imports/I-000001")
            if so(told):
                return told


async def test_an_import_that_is_broken_off_keeps_what_came_and_is_simply_sent_again(store: str) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield (HEAD + GOOD).encode()
        await until(crm, lambda told: told["added"] > 0)
        raise RuntimeError("the line broke")

    async with running(store=store) as (_simulator, crm):
        with pytest.raises(RuntimeError, match="the line broke"):
            await crm.import_contacts(breaks(), **LOOKS)
        told = await until(crm, lambda told: told["state"] == "broken off")
        assert 0 < told["added"] <= 1_000
        again = await crm.import_contacts(data(HEAD + GOOD), **LOOKS)
        assert again["added"] + again["unchanged"] == 1_000


async def test_a_file_that_names_no_columns_is_refused_with_those_that_there_are() -> None:
    async with running() as (_simulator, crm):
        with pytest.raises(CrmError, match="422: the first line names columns"):
            await crm.import_contacts(data("name,phone\nBo,1\n"), **LOOKS)


async def test_a_store_that_goes_away_is_told_of_and_found_again(server: PostgresqlServer) -> None:
    async with running(store=server.database("crm_gone")) as (_simulator, crm):
        told = RecordTold("phone", AT, ANN)
        first = await crm.add_record(told, key="1")
        server.stop()
        try:
            with pytest.raises(CrmGoneError, match="503: the store can't be reached"):
                await crm.add_record(told, key="2")
        finally:
            server.start()
        assert (await crm.add_record(told, key="1")).id == first.id
        assert (await crm.add_record(told, key="2")).created


async def test_what_was_kept_is_there_after_a_restart_and_people_are_not_made_twice(store: str) -> None:
    for _ in range(2):
        async with running(store=store, people=30) as (_simulator, crm):
            made = await crm.add_record(RecordTold("phone", AT, Person("Zz", "+447700900123")), key="1")
            found = await crm._ask("GET", "/contacts", query={"telephone": "+447700900123"}, looks=("a", "b"))
            assert made.contact in [each["id"] for each in found["contacts"]]
            assert int(made.contact[2:]) <= 31


def test_an_adapter_that_is_not_installed_is_refused_with_those_that_are() -> None:
    with pytest.raises(CrmError, match=r"no CRM adapter 'acme' is installed \(iccs.crm\); there is iccs"):
        load_adapter("acme")
