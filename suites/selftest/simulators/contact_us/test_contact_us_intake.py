"""What Contact Us does with what it is sent: once each, flagged, limited politely, told to others however often."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from contact_us_system import CALM, PNG, URGENT, system

from harness.endpoints.contact_us import Message
from harness.errors import DriverError

pytestmark = pytest.mark.virtual_time


async def test_a_message_by_each_way_is_answered_with_a_reference_and_is_in_the_crm() -> None:
    async with system() as all_:
        by_form = await all_.contact.fill_in(Message(CALM, email="a@example.org", files=(("light.png", PNG),)))
        by_rest = await all_.contact.submit(Message(f"{CALM}.", telephone="07700 900123"))
        by_mail = await all_.contact.mail("b@example.org", "Bicycle", f"{CALM}!")
        for receipt in (by_form, by_rest, by_mail):
            await all_.contact.expect("crm.record", within=5.0, reference=receipt.reference)
        records = {each["reference"]: each for each in all_.crm.records.values()}
    assert set(records) == {by_form.reference, by_rest.reference, by_mail.reference}
    assert records[by_form.reference]["attachments"][0]["media_type"] == "image/png"
    assert records[by_rest.reference]["person"] == {"telephone": "+447700900123"}
    assert records[by_mail.reference]["channel"] == "email"


async def test_pressing_the_forms_button_twice_is_one_submission_and_changing_the_text_is_two() -> None:
    async with system() as all_:
        first = await all_.contact.fill_in(Message(CALM), form_key="one")
        again = await all_.contact.fill_in(Message(CALM), form_key="one")
        changed = await all_.contact.fill_in(Message(f"{CALM}, the red one"), form_key="one")
        assert first.reference == again.reference != changed.reference
        assert len(await all_.contact.submissions()) == 2


async def test_both_presses_at_once_are_one_submission() -> None:
    async with system() as all_:
        both = await asyncio.gather(*(all_.contact.fill_in(Message(URGENT), form_key="one") for _ in range(8)))
        assert len({each.reference for each in both}) == 1
        await all_.contact.expect("incident.registered", within=5.0)
        assert len(await all_.storm.incidents()) == 1


async def test_a_key_that_came_with_something_else_is_refused() -> None:
    async with system() as all_:
        first = await all_.contact.submit(Message(CALM), key="k")
        again = await all_.contact.submit(Message(CALM), key="k")
        assert again.reference == first.reference and again.repeated
        with pytest.raises(DriverError, match=r"422.*came before with something else"):
            await all_.contact.submit(Message(URGENT), key="k")


async def test_an_incident_is_opened_once_though_answers_are_lost_and_the_sender_tries_again() -> None:
    async with system() as all_:
        await all_.storm.fail("loses_answers")
        for _ in range(3):
            receipt = await all_.contact.submit(Message(URGENT), key="k")
            await asyncio.sleep(4.0)
        await all_.storm.recover()
        await all_.contact.expect("incident.registered", within=30.0, reference=receipt.reference)
        [incident] = await all_.storm.incidents()
        assert incident["id"] == f"contact-us-{receipt.reference}"


async def test_what_comes_while_both_links_are_down_waits_is_alarmed_and_comes_through_whole() -> None:
    async with system() as all_:
        await all_.storm.fail("down")
        all_.crm.answers = 503
        sent = [(await all_.contact.submit(Message(f"{URGENT} {each}"))).reference for each in range(10)]
        await all_.contact.expect("command_control.link", within=10.0, up=False)
        await all_.contact.expect("crm.link", within=10.0, up=False)
        links = (await all_.contact.status())["links"]
        assert links["crm"]["waiting"] == links["command_control"]["waiting"] == 10
        all_.crm.answers = 201
        await all_.storm.recover()
        for reference in sent:
            await all_.contact.expect("incident.registered", within=30.0, reference=reference)
            await all_.contact.expect("crm.record", within=30.0, reference=reference)
        assert [each["id"] for each in await all_.storm.incidents()] == [f"contact-us-{each}" for each in sent]
        assert len(all_.crm.records) == 10


async def test_a_crm_whose_answers_are_lost_gets_each_record_once() -> None:
    async with system() as all_:
        all_.crm.loses_answers = True
        receipt = await all_.contact.submit(Message(CALM))
        await all_.contact.expect("crm.link", within=10.0, up=False)
        all_.crm.loses_answers = False
        await all_.contact.expect("crm.record", within=10.0, reference=receipt.reference)
        assert all_.crm.asked > 1 and len(all_.crm.records) == 1


async def test_one_sender_who_floods_is_asked_to_wait_and_urgent_words_still_come_through() -> None:
    async with system(limits={"per_sender": 3, "per_sender_s": 60}) as all_:
        for each in range(3):
            await all_.contact.submit(Message(f"{CALM} {each}"))
        with pytest.raises(DriverError, match="429"):
            await all_.contact.submit(Message(f"{CALM} once more"))
        with pytest.raises(DriverError, match="We are getting many messages just now"):
            await all_.contact.fill_in(Message(f"{CALM} by the form"))
        urgent = await all_.contact.submit(Message(URGENT))
        kept = await all_.contact.submission(urgent.reference)
        assert "check" in kept["flags"] and kept["incident"] == "never", "a flood of alarms is for a person to judge"
        assert (await all_.contact.status())["counts"]["flood"] == 2
        await asyncio.sleep(60.0)
        await all_.contact.submit(Message(f"{CALM} later"))


async def test_a_machine_that_fills_the_hidden_field_gets_a_receipt_and_is_set_aside() -> None:
    async with system() as all_, httpx.AsyncClient(base_url=all_.at.http, trust_env=False) as http:
        form = {"kind": "other", "text": "Cheap watches", "website": "http://spam.example", "email": "a@example.org"}
        answer = await http.post("/contact", data=form)
        assert answer.status_code == 303
        [kept] = await all_.contact.submissions(state="set_aside")
        assert await all_.contact.receipts() == [], "no mail goes out for a machine"
        urgent = await http.post("/contact", data=form | {"text": URGENT})
        reference = urgent.headers["location"].rpartition("/")[2]
        assert {"urgent", "check"} <= set((await all_.contact.submission(reference))["flags"])
        await all_.contact.expect("crm.record", within=5.0, reference=reference)
        assert len(all_.crm.records) == 1
        await all_.contact.release(kept["reference"])
        await all_.contact.expect("crm.record", within=5.0, reference=kept["reference"])


async def test_the_same_text_again_and_again_is_spam() -> None:
    async with system(limits={"same_text": 2}) as all_:
        for _ in range(3):
            await all_.contact.submit(Message("Buy one, get one free today"))
        assert len(await all_.contact.submissions(state="set_aside")) == 1


async def test_the_form_cant_be_used_to_fill_somebodys_mailbox() -> None:
    async with system() as all_:
        for each in range(8):
            await all_.contact.submit(Message(f"{CALM} {each}", email="victim@example.org"))
        assert len(await all_.contact.receipts()) == 5


async def test_what_is_unfit_is_told_in_words_and_nothing_of_it_is_kept() -> None:
    async with system() as all_:
        with pytest.raises(DriverError) as raised:
            await all_.contact.fill_in(
                Message("", kind="", email="nobody", telephone="12", files=(("a.exe", b"MZ\x90\0"), ("b.txt", b"")))
            )
        for told in ("Choose what", "Tell us what", "correct format", "telephone number", "not a kind of file"):
            assert told in str(raised.value)
        assert await all_.contact.submissions() == []


async def test_pages_are_fenced_in() -> None:
    async with system() as all_, httpx.AsyncClient(base_url=all_.at.http, trust_env=False) as http:
        page = await http.get("/contact")
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert "<script" not in page.text
        hostile = await http.post("/contact", data={"kind": "x", "text": "<script>alert(1)</script>"})
        assert hostile.status_code == 422 and "&lt;script&gt;" in hostile.text and "<script" not in hostile.text
        assert (await http.get("/contact/received/CU-2222-2222")).status_code == 404
        assert (await http.post("/contact", content=b"x", headers={"content-type": "text/x"})).status_code == 400
        broken = {"content-type": "multipart/form-data; boundary=b"}
        assert (await http.post("/contact", content=b"--b\r\nx", headers=broken)).status_code in (400, 422)


async def test_what_people_say_and_who_they_are_is_in_no_journal() -> None:
    async with system() as all_:
        await all_.contact.submit(Message("Zebra crossing is dark", name="Iona Quill", email="iona@example.org"))
        await all_.contact.mail("iona@example.org", "Zebra", "Zebra crossing is dark")
        await asyncio.sleep(5.0)
        for journal in (all_.context.journal, all_.simulator._context.journal):
            assert not any(word in journal.lines() for word in ("Zebra", "Iona", "iona"))
