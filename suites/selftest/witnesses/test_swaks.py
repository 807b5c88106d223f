"""swaks hands mails to the Contact Us mailbox, with attachments, to the wrong mailbox and too big."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from witness import need

from harness.transport.context import Context
from simulators.contact_us.settings import ContactUsSettings
from simulators.contact_us.simulator import ContactUsSimulator

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("swaks")]


@pytest_asyncio.fixture
async def contact_us() -> AsyncIterator[ContactUsSimulator]:
    simulator = await ContactUsSimulator.start(Context.create(seed=1), ContactUsSettings(), virtual=False)
    yield simulator
    await simulator.stop()


async def swaks(contact_us: ContactUsSimulator, *options: str) -> tuple[int, str]:
    """Its exit code and its transcript."""
    host, port = contact_us.smtp_address
    process = await asyncio.create_subprocess_exec(
        need("swaks", package="swaks"),
        *("--server", host, "--port", str(port), "--from", "iona@example.org", "--timeout", "20"),
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(errors="replace")


async def test_a_mail_with_a_picture_is_taken_and_answered(contact_us: ContactUsSimulator, tmp_path: Path) -> None:
    picture = tmp_path / "light.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2_000))
    code, said = await swaks(
        contact_us,
        *("--to", "contact@police.example", "--header", "Subject: A light", "--body", "He has a knife\n.\nthe end"),
        *("--attach", f"@{picture}"),
    )
    assert code == 0, said
    reference = next(line for line in said.splitlines() if "Received as CU-" in line).split()[-1]
    async with httpx.AsyncClient(base_url=contact_us.control_url, trust_env=False) as http:
        kept = (await http.get(f"/v1/submissions/{reference}")).json()
        file = (await http.get(f"/v1/submissions/{reference}/attachments/1")).content
    assert kept["text"].split("\n")[2:] == ["He has a knife", ".", "the end"]
    assert "urgent" in kept["flags"] and kept["attachments"][0]["media_type"] == "image/png"
    assert file == picture.read_bytes()


async def test_another_mailbox_is_refused(contact_us: ContactUsSimulator) -> None:
    code, said = await swaks(contact_us, "--to", "somebody@example.org")
    assert code == 24 and "550 5.1.1" in said, said


async def test_a_mail_that_is_too_big_is_refused(contact_us: ContactUsSimulator, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(13_000_000))
    code, said = await swaks(contact_us, "--to", "contact@police.example", "--attach", f"@{big}")
    assert code == 26 and "552" in said, said[-500:]
