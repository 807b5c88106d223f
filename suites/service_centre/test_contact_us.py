"""What the public writes: a receipt, a record in the CRM, a flag where it can't wait, one incident, none lost."""

from __future__ import annotations

import asyncio

import pytest

from harness.drivers.contact_us import ContactUs
from harness.endpoints.contact_us import Message, Receipt
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

pytestmark = [pytest.mark.waits, pytest.mark.testbed("service-centre")]
CALM = "The street light at the crossing of the two roads is out"
URGENT = "There's a man in the close wi a knife and he's gonnae kill somebody"
QUEUED = 24
"""A third by each way: a sender of more than 20 within ten minutes would be asked to wait."""


def somebody(bench: Bench) -> str:
    """The address of somebody who has never written before."""
    return f"iona-{bench.context.rng.getrandbits(48):012x}@example.org"


async def sent(contact: ContactUs, way: str, text: str, writer: str) -> Receipt:
    """Hand a text in by one of the ways."""
    match way:
        case "form":
            return await contact.fill_in(Message(text, email=writer))
        case "rest":
            return await contact.submit(Message(text, email=writer))
        case _:
            return await contact.mail(writer, "A message", text)


@requirement("SVC-001")
@pytest.mark.parametrize("way", ["form", "rest", "mail"])
async def test_whoever_writes_has_a_receipt_and_the_crm_a_record(bench: Bench, way: str) -> None:
    """The reference at once, the receipt by mail within the figure, and the record with what was written."""
    contact, crm = await bench.contact_us(), await bench.crm()
    began = bench.journal.now()
    writer = somebody(bench)
    receipt = await sent(contact, way, CALM, writer)
    mailed = await contact.expect("receipt.kept", within=90.0, reference=receipt.reference)
    bench.measured("receipt", mailed.time - began, "s", requirement="SVC-001", figure="receipt_s")
    [mail] = [each for each in await contact.receipts() if each["reference"] == receipt.reference]
    assert mail["to"] == writer and receipt.reference in mail["mail"]
    made = await contact.expect("crm.record", within=90.0, reference=receipt.reference)
    bench.measured("record", made.time - began, "s", requirement="SVC-001", figure="receipt_s")
    [found] = await crm.find("email", writer, user="tester", reason="acceptance test")
    assert [each.record for each in found.history] == [made.data["record"]]
    assert found.history[0].channel == ("email" if way == "mail" else "contact_us")


@requirement("SVC-002")
@pytest.mark.parametrize("way", ["form", "rest", "mail"])
async def test_what_has_risk_words_is_flagged_urgent_here_and_in_the_crm(bench: Bench, way: str) -> None:
    """Flagged within the figure by whichever way it comes; the record has the flag, what is calm has none."""
    contact, crm = await bench.contact_us(), await bench.crm()
    writer, unhurried = somebody(bench), somebody(bench)
    calmly = await contact.submit(Message(CALM, email=unhurried))
    began = bench.journal.now()
    receipt = await sent(contact, way, URGENT, writer)
    flagged = await contact.expect("submission.urgent", within=90.0, reference=receipt.reference)
    bench.measured("urgent_flag", flagged.time - began, "s", requirement="SVC-002", figure="flag_s")
    made = await contact.expect("crm.record", within=90.0, reference=receipt.reference)
    bench.measured("flag_in_crm", made.time - began, "s", requirement="SVC-002", figure="flag_s")
    [found] = await crm.find("email", writer, user="tester", reason="acceptance test")
    assert "urgent" in found.history[0].flags
    await contact.expect("crm.record", within=90.0, reference=calmly.reference)
    [calm] = await crm.find("email", unhurried, user="tester", reason="acceptance test")
    assert calm.history[0].flags == ()


@requirement("SVC-003")
@pytest.mark.parametrize("fault", ["loses_answers", "errors", "silent"])
async def test_one_report_is_one_incident_though_link_and_sender_try_again(bench: Bench, fault: str) -> None:
    """The link's answers are lost or wrong, the sender presses again and again: there is one incident."""
    contact, storm = await bench.contact_us(), await bench.command_control()
    before = {each["id"] for each in await storm.incidents()}
    await storm.fail(fault)
    try:
        receipts = []
        for _ in range(5):
            receipts.append(await contact.fill_in(Message(URGENT, kind="crime"), form_key="pressed-again"))
            await asyncio.sleep(3.0)
    finally:
        await storm.recover()
    assert len({each.reference for each in receipts}) == 1
    registered = await contact.expect("incident.registered", within=60.0, reference=receipts[0].reference)
    await asyncio.sleep(10.0)
    new = [each["id"] for each in await storm.incidents() if each["id"] not in before]
    assert new == [registered.data["incident"]]


@requirement("SVC-004")
async def test_what_comes_while_the_link_is_down_is_queued_alarmed_and_none_of_it_is_lost(bench: Bench) -> None:
    """Each gets its receipt meanwhile; when the link is back command and control has each once, in order."""
    contact, storm = await bench.contact_us(), await bench.command_control()
    before, writer = {each["id"] for each in await storm.incidents()}, somebody(bench)
    await storm.fail("down")
    try:
        sent_ = []
        for number in range(QUEUED):
            way = ("form", "rest", "mail")[number % 3]
            sent_.append((await sent(contact, way, f"{URGENT}, number {number}", writer)).reference)
            if number == QUEUED // 2:  # some come before the loss is known, some after
                await contact.expect("command_control.link", within=10.0, up=False)
        links = (await contact.status())["links"]["command_control"]
        assert (links["up"], links["waiting"]) == (False, QUEUED)
        for reference in sent_:
            await contact.expect("crm.record", within=60.0, reference=reference)
    finally:
        await storm.recover()
    for reference in sent_:
        await contact.expect("incident.registered", within=60.0, reference=reference)
    new = [each["id"] for each in await storm.incidents() if each["id"] not in before]
    assert new == [f"contact-us-{each}" for each in sent_]


@requirement("SVC-004")
async def test_what_comes_while_the_crm_is_down_waits_and_comes_in_order(bench: Bench) -> None:
    """The CRM is no reason for anybody to be turned away."""
    contact, crm = await bench.contact_us(), await bench.crm()
    await crm.fail("down")
    try:
        sent_ = [(await contact.submit(Message(f"{CALM}, number {each}"))).reference for each in range(10)]
        await contact.expect("crm.link", within=20.0, up=False)
        assert (await contact.status())["links"]["crm"]["waiting"] == 10
    finally:
        await crm.recover()
    records = []
    for reference in sent_:
        records.append((await contact.expect("crm.record", within=60.0, reference=reference)).data["record"])
    assert records == sorted(records) and len(set(records)) == 10
