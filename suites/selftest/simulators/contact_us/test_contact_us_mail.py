"""The mailbox: mail in any shape is read or kept as it came, and machines get no receipts."""

from __future__ import annotations

import asyncio
import email
import smtplib
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from contact_us_system import CALM, PNG, URGENT, system
from hypothesis import example, given
from hypothesis import strategies as st

from harness.endpoints.mail import hand_over
from harness.errors import DriverError, MailError
from simulators.contact_us.attachments import MAX_FILE_NAME, AttachmentError, attached, harmless
from simulators.contact_us.mail_reading import read_mail


def read(*lines: str) -> str:
    return read_mail("\r\n".join(lines).encode(), "a@example.org")[0].text


@pytest.mark.virtual_time
async def test_a_mail_is_answered_by_a_receipt_that_names_it_and_that_no_machine_answers() -> None:
    async with system() as all_:
        receipt = await all_.contact.mail("iona@example.org", "A light", CALM, files=(("light.png", PNG),))
        await all_.contact.expect("receipt.kept", within=5.0, reference=receipt.reference)
        [kept] = await all_.contact.receipts()
        mail = email.message_from_string(kept["mail"])
        assert kept["to"] == mail["To"] == "iona@example.org"
        assert receipt.reference in mail["Subject"] and mail["Auto-Submitted"] == "auto-replied"
        assert mail["In-Reply-To"] and CALM not in kept["mail"]
        whole = await all_.contact.submission(receipt.reference)
        assert whole["text"] == f"A light\n\n{CALM}" and whole["attachments"][0]["name"] == "light.png"


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("sender", "header"), [("", ""), ("a@example.org", "Auto-Submitted: auto-replied"), ("a@b.org", "Precedence: bulk")]
)
async def test_machines_get_no_receipt(sender: str, header: str) -> None:
    async with system() as all_:
        lines = [f"From: {sender or 'x@example.org'}", *([header] if header else []), "", CALM]
        await all_.contact.mail_raw(sender, "\r\n".join(lines).encode())
        await all_.contact.expect("crm.record", within=5.0)
        assert await all_.contact.receipts() == []


@pytest.mark.virtual_time
async def test_a_mail_that_is_delivered_twice_is_one_submission() -> None:
    async with system() as all_:
        mail = f"From: a@example.org\r\nMessage-ID: <1@example.org>\r\n\r\n{URGENT}".encode()
        first, again = [await all_.contact.mail_raw("a@example.org", mail) for _ in range(2)]
        assert first == again
        await all_.contact.expect("incident.registered", within=5.0)
        assert len(await all_.storm.incidents()) == 1


@pytest.mark.virtual_time
async def test_other_mailboxes_floods_and_mails_too_long_are_refused_in_smtps_own_words() -> None:
    async with system(limits={"per_sender": 1}) as all_:
        assert all_.at.smtp is not None
        with pytest.raises(MailError, match=r"550 5\.1\.1") as refused:
            await hand_over(all_.at.smtp, "a@example.org", ["b@example.org"], b"\r\n\r\nx")
        assert refused.value.permanent
        await all_.contact.mail_raw("a@example.org", b"Subject: one\r\n\r\n")
        with pytest.raises(DriverError, match=r"451 4\.7\.1"):
            await all_.contact.mail_raw("a@example.org", b"Subject: two\r\n\r\n")
        with pytest.raises(DriverError, match="552"):
            await all_.contact.mail_raw("c@example.org", b"\r\n" + (b"x" * 990 + b"\r\n") * 17_000)


@pytest.mark.virtual_time
@pytest.mark.parametrize("postmaster", ["postmaster@police.example", "PostMaster@Police.Example", "Postmaster"])
async def test_what_is_for_the_postmaster_is_taken(postmaster: str) -> None:
    # RFC 5321 section 4.5.1, which wants it without a domain too.
    async with system() as all_:
        assert all_.at.smtp is not None
        await hand_over(all_.at.smtp, "a@example.org", [postmaster], f"Subject: x\r\n\r\n{CALM}".encode())
        await all_.contact.expect("crm.record", within=5.0)


@pytest.mark.virtual_time
async def test_files_that_are_not_taken_are_named_and_the_mail_is_taken() -> None:
    async with system() as all_:
        receipt = await all_.contact.mail("a@example.org", "x", CALM, files=(("../run.exe", b"MZ\x90\0"), ("e", b"")))
        whole = await all_.contact.submission(receipt.reference)
        assert whole["attachments"] == []
        assert whole["notes"][0].startswith("left out: run.exe is not a kind") and "e is empty" in whole["notes"][1]


@pytest.mark.real_wire
async def test_smtplib_hands_a_mail_in() -> None:
    async with system(virtual=False) as all_:
        assert all_.at.smtp is not None

        def send(server: tuple[str, int]) -> dict[str, tuple[int, bytes]]:
            with smtplib.SMTP(*server, timeout=10) as smtp:
                mail = MIMEMultipart()
                mail["Subject"] = "Größe: née"
                mail.attach(MIMEText("Ò fearful: naïve £5 😀", _charset="utf-8"))
                mail.attach(MIMEText("a,b\n1,2\n", "csv"))
                return smtp.sendmail("a@example.org", ["contact@police.example"], mail.as_string())

        assert await asyncio.to_thread(send, all_.at.smtp) == {}
        made = await all_.contact.expect("submission.taken", within=5.0)
        whole = await all_.contact.submission(made.data["reference"])
        assert "Größe: née" in whole["text"] and "naïve £5 😀" in whole["text"]


def test_encodings_and_parts_are_read() -> None:
    assert read("Subject: =?utf-8?q?N=C3=A9e?=", "Content-Type: text/plain; charset=latin-1", "", "ok") == "Née\n\nok"
    assert read("Content-Transfer-Encoding: base64", "", "aGVscA==") == "help"
    assert read("Content-Type: text/plain; charset=no-such", "", "still") == "still"
    html = ("Content-Type: text/html", "", "<p>A<script>bad()</script> knife</p><br>here")
    assert "".join(read(*html).split()) == "Aknifehere"
    both = (
        *("Content-Type: multipart/alternative; boundary=b", "", "--b", "Content-Type: text/html", "", "<p>html</p>"),
        *("--b", "Content-Type: text/plain", "", "plain", "--b--"),
    )
    assert read(*both) == "plain"


def test_broken_mime_is_taken_with_a_note() -> None:
    submission, _, _ = read_mail(
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\nno part at all, help", "a@example.org"
    )
    assert submission.notes and "broken" in submission.notes[0]
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3_000))
    submission, _, _ = read_mail(deep + b"\r\nhelp", "a@example.org")
    assert submission.notes


@given(st.binary(max_size=600), st.text(max_size=20))
@example(b"A?=", "")
def test_no_mail_breaks_the_reader(body: bytes, sender: str) -> None:
    for head in (b"", b"From: ", b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n", b"Subject: =?utf-8?b?"):
        submission, to, answers = read_mail(head + body, sender)
        assert submission.text and isinstance(to, str)
        assert all(each.isascii() and "\n" not in each for each in answers.values())


@given(st.text(max_size=300))
def test_a_files_name_is_one_harmless_component(name: str) -> None:
    shown = harmless(name)
    assert len(shown) <= MAX_FILE_NAME and not set(shown) & set('/\\:<>"|?*\0\n\r') and shown not in {".", ".."}
    assert harmless(shown) == shown


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0..", "image/jpeg"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04" + b"\0" * 40, "application/zip"),
        (b"RIFF\0\0\0\0WAVE", "audio/wav"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        ("Caf\u00e9 at noon".encode(), "text/plain"),
    ],
)
def test_a_file_is_what_its_content_is_whatever_it_is_called(content: bytes, kind: str) -> None:
    assert attached("innocent.exe", content).media_type == kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90",
        b"\x7fELF",
        b"#!/bin/sh",
        b" <html>",
        b"<?php",
        b"<svg onload=x>",
        b"\x1f\x8b",
        b"a\0b",
        b"\xff\xfe",
    ],
)
def test_files_that_could_be_run_or_are_nothing_are_not_taken(content: bytes) -> None:
    with pytest.raises(AttachmentError):
        attached("picture.png", content)
