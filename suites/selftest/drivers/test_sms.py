"""Texts by modem and by SMPP against the simulated network, in virtual time: long, in any script, failing."""

from __future__ import annotations

import pytest

from harness.errors import DriverError, ExpectationError, ModemLocalError, SmppLocalError, SmsError
from harness.testbed.bench import Bench

pytestmark = [pytest.mark.virtual_time, pytest.mark.testbed("texts")]

CITIZEN, OTHER = "+447700900123", "+447700900124"
WAYS = pytest.mark.parametrize("way", ["modem", "smpp"])
TEXTS = {
    "plain": "Your appointment is on Monday at 10:00. Reply cancel or change.",
    "escaped": "Fee {none} [£5 = €6] ~ \\ ^ |",
    "Gaelic": "Tha an coinneamh agad Diluain: fàilte ort",
    "not Latin": "Ваша встреча в понедельник в 10:00, 您的预约 🚓",
    "long": "Bring your reference {A-1} and €5. " * 20,
    "long, not Latin": "🚓 Приходите в участок. " * 30,
    "empty": "",
}


@WAYS
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_a_text_arrives_as_it_was_written_and_its_report_comes(bench: Bench, way: str, text: str) -> None:
    gateway, network = await bench.sms_gateway(way), await bench.sms_network()
    sent = await gateway.send(CITIZEN, text)
    got = await network.await_text(CITIZEN, within=10)
    assert (got["text"], got["sender"], got["parts"]) == (text, gateway.number, sent.parts)
    report = await gateway.expect("text.report", within=10, reference=sent.reference)
    assert report.data["state"] == "DELIVERED"
    assert report.data["to"] == CITIZEN


@WAYS
@pytest.mark.parametrize("text", ["cancel", "STOP", "change to Tuesday, s'il vous plaît: " + "é" * 200, "отмена"])
async def test_what_a_citizen_answers_is_received_whole(bench: Bench, way: str, text: str) -> None:
    gateway, network = await bench.sms_gateway(way), await bench.sms_network()
    await network.send(CITIZEN, gateway.number, text)
    event = await gateway.expect("text.received", within=10, sender=CITIZEN)
    assert event.data["text"] == text


async def test_a_short_code_gets_texts_and_a_modem_texts_an_smpp_client(bench: Bench) -> None:
    modem, smpp, network = await bench.sms_gateway("modem"), await bench.sms_gateway("smpp"), await bench.sms_network()
    await network.send(CITIZEN, "60999", "cancel")
    await smpp.expect("text.received", within=10, sender=CITIZEN, text="cancel")
    sent = await modem.send(smpp.number, "from the modem " * 15)
    await smpp.expect("text.received", within=10, sender=modem.number, parts=2)
    await modem.expect("text.report", within=10, reference=sent.reference, state="DELIVERED")
    sent = await smpp.send(modem.number, "from SMPP " * 30, wide=True)
    await modem.expect("text.received", within=10, sender=smpp.number, parts=2)
    await smpp.expect("text.report", within=10, reference=sent.reference, state="DELIVERED")


@WAYS
async def test_a_handset_that_is_off_gets_its_text_when_it_is_on_again(bench: Bench, way: str) -> None:
    gateway, network = await bench.sms_gateway(way), await bench.sms_network()
    await network.switch(CITIZEN, on=False)
    sent = await gateway.send(CITIZEN, "later")
    with pytest.raises(ExpectationError, match=r"was to get a text within 60 s; it got nothing"):
        await network.await_text(CITIZEN, within=60)
    await network.switch(CITIZEN)
    await network.await_text(CITIZEN, "later", within=1)
    await gateway.expect("text.report", within=5, reference=sent.reference, state="DELIVERED")


@WAYS
async def test_a_text_whose_validity_is_over_is_reported_expired(bench: Bench, way: str) -> None:
    gateway, network = await bench.sms_gateway(way), await bench.sms_network()
    await network.switch(CITIZEN, full=True)
    sent = await gateway.send(CITIZEN, "too late", validity_s=300)
    report = await gateway.expect("text.report", within=400, reference=sent.reference)
    assert report.data["state"] == "EXPIRED"
    await network.switch(CITIZEN)
    assert await network.got(CITIZEN) == []


@WAYS
async def test_a_text_to_nobody_is_reported_undeliverable(bench: Bench, way: str) -> None:
    gateway = await bench.sms_gateway(way)
    sent = await gateway.send("+441632999999", "to nobody")
    report = await gateway.expect("text.report", within=10, reference=sent.reference)
    assert report.data["state"] == "UNDELIVERABLE"


@WAYS
async def test_texts_to_one_handset_arrive_in_order(bench: Bench, way: str) -> None:
    gateway, network = await bench.sms_gateway(way), await bench.sms_network()
    for number in range(20):
        await gateway.send(CITIZEN, f"text {number}", report=False)
    await network.await_text(CITIZEN, "text 19", within=30)
    assert [each["text"] for each in await network.got(CITIZEN)] == [f"text {number}" for number in range(20)]


async def test_a_modem_off_the_network_refuses_with_its_cause_and_gets_what_waited(bench: Bench) -> None:
    modem, network = await bench.sms_gateway("modem"), await bench.sms_network()
    await network.modem(registered=False)
    with pytest.raises(ModemLocalError, match=r"\+CMS ERROR: 331 \(no network service\)"):
        await modem.send(CITIZEN, "no network")
    await network.send(CITIZEN, modem.number, "it waits")
    await network.modem(congested=True)
    await modem.expect("text.received", within=1, text="it waits")
    with pytest.raises(ModemLocalError, match=r"42 \(congestion\)"):
        await modem.send(CITIZEN, "congested")
    await network.modem()
    await modem.send(CITIZEN, "well again")


async def test_a_throttled_text_is_sent_again_and_other_refusals_are_told(bench: Bench) -> None:
    smpp, network = await bench.sms_gateway("smpp"), await bench.sms_network()
    await network.fail("status", status="RTHROTTLED", count=3)
    await smpp.send(CITIZEN, "after a while")
    assert sum(event.kind == "smpp.throttled" for event in bench.journal) == 3
    await network.fail("status", status="RTHROTTLED")
    with pytest.raises(SmppLocalError, match=r"submit_sm was refused: ESME_RTHROTTLED"):
        await smpp.send(CITIZEN, "never")
    await network.fail("status", status="ESME_RINVDSTADR")
    with pytest.raises(SmppLocalError, match=r"ESME_RINVDSTADR \(0x0000000b\)"):
        await smpp.send(CITIZEN, "refused")
    await network.fail("silent", count=1)
    with pytest.raises(SmppLocalError, match=r"submit_sm was not answered within 10 s"):
        await smpp.send(CITIZEN, "unanswered, and delivered")
    await network.fail("lost", count=1)
    with pytest.raises(SmppLocalError, match=r"submit_sm was not answered within 10 s"):
        await smpp.send(CITIZEN, "unanswered, and lost")
    await network.recover()
    await smpp.send(CITIZEN, "well again")
    await network.await_text(CITIZEN, "well again", within=10)
    texts = [each["text"] for each in await network.got(CITIZEN)]
    assert texts == ["after a while", "unanswered, and delivered", "well again"]


async def test_a_session_that_the_centre_ends_is_told_and_opened_again(bench: Bench) -> None:
    smpp, network = await bench.sms_gateway("smpp"), await bench.sms_network()
    await network.unbind()
    await smpp.expect("text.lost", within=5)
    with pytest.raises(SmppLocalError, match=r"the session is gone \(unbound by the centre\)"):
        await smpp.send(CITIZEN, "gone")
    await network.send(CITIZEN, smpp.number, "while you were away")
    await smpp.reopen()
    await smpp.expect("text.received", within=10, text="while you were away")
    await smpp.send(CITIZEN, "here again")
    await network.await_text(CITIZEN, "here again", within=10)


async def test_a_modem_opened_again_gives_what_came_meanwhile(bench: Bench) -> None:
    modem, network = await bench.sms_gateway("modem"), await bench.sms_network()
    await modem.close()
    await network.send(CITIZEN, modem.number, "while you were away")
    with pytest.raises(ExpectationError):
        await modem.expect("text.received", within=10)
    await modem.reopen()
    await modem.expect("text.received", within=1, text="while you were away")


@WAYS
async def test_what_cannot_be_sent_is_refused_before_it_leaves(bench: Bench, way: str) -> None:
    gateway = await bench.sms_gateway(way)
    for to, text, why in (
        ("+4477009001234567890123", "x", "digits|neither"),
        ("", "x", "neither a number nor a name"),
        (CITIZEN, "x" * 40_000, "parts; 255 at most"),
        (CITIZEN, "half \ud800 of one", "half of a character"),
    ):
        with pytest.raises(SmsError, match=why):
            await gateway.send(to, text)


async def test_the_control_interface_names_what_it_refuses(bench: Bench) -> None:
    network = await bench.sms_network()
    with pytest.raises(DriverError, match=r"404.*reserved numbers only"):
        await network.got("+447911123456")
    with pytest.raises(DriverError, match=r"422.*no status ESME_RNONE; there is ROK"):
        await network.fail("status", status="RNONE")
    with pytest.raises(DriverError, match=r"422.*is a name: a text is sent to a number"):
        await network.send(CITIZEN, "(no number)", "x")


async def test_texts_of_persons_are_not_journalled(bench: Bench) -> None:
    modem = await bench.sms_gateway("modem")
    await modem.send("+447911123456", "a word to somebody")
    event = await modem.expect("text.sent", within=0)
    assert "somebody" not in event.told()
    assert "7911123456" not in bench.journal.lines()
    assert event.data["text"] == "••• (18 characters)"
