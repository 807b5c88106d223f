"""Contact Us in a testbed file: what may stand there, and that nothing leaves that safety does not allow."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.drivers.contact_us import ContactUs
from harness.endpoints.contact_us import Address, Message, Ours, load_adapter
from harness.errors import DriverError, InterlockError, NotPlayedError, TestbedError
from harness.testbed.interlock import Interlock
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.transport.context import Context

DAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{role: contact_us, binding: real}", "a real contact_us needs 'address'"),
        ("{role: contact_us, address: 'http://a'}", "'address': for a real system"),
        ("{role: contact_us, binding: real, address: 'http://a', simulator: {}}", "'simulator' lays out a simulator"),
        ("{role: contact_us, simulator: {relay: 'mail.example:25'}}", "receipts go to a mail server on loopback"),
        ("{role: contact_us, simulator: {mailbox: nobody}}", "mailbox"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(f"name: test\ncomponents:\n  contact: {text}\n")
    with pytest.raises(TestbedError) as raised:
        load_testbed(file)
    assert told in str(raised.value)


def lock(*, real: bool, **safety: Any) -> Interlock:
    component: dict[str, Any] = {"role": "contact_us"}
    if real:
        component |= {"binding": "real", "address": "http://contact.example"}
    return Interlock(Testbed.model_validate({"name": "t", "safety": safety, "components": {"contact": component}}), DAY)


def test_a_report_to_a_real_system_needs_its_name_in_the_file() -> None:
    lock(real=False).submit("contact")
    lock(real=True, submit=("contact",)).submit("contact")
    with pytest.raises(InterlockError, match=r"a report to contact is not allowed: .* safety\.submit names other"):
        lock(real=True, submit=("other",)).submit("contact")


@pytest.mark.parametrize("real", [True, False])
def test_mail_leaves_for_nobody_and_for_whom_the_file_names(real: bool) -> None:
    allowed = lock(real=real, mail=("Tester@force.example.gov",))
    for address in ("a@example.org", "b@x.example", "c@mail.test", "tester@force.example.gov"):
        allowed.mail(address)
    for address in ("a@police.uk", "a@notexample.org", "nobody", "a@example.org.evil.com"):
        with pytest.raises(InterlockError, match=r"safety\.mail does not name it"):
            allowed.mail(address)


async def test_nothing_leaves_where_the_interlock_says_no() -> None:
    context = Context.create(seed=1)
    at = Address("http://127.0.0.1:9", smtp=("127.0.0.1", 9), mailbox="contact@police.example")
    contact = await ContactUs.open(
        context, "contact", Ours(at), control=None, token=None, permit=lambda: lock(real=True).submit("contact")
    )
    try:
        for act in (
            contact.submit(Message("x")),
            contact.fill_in(Message("x")),
            contact.mail("a@example.org", "x", "x"),
        ):
            with pytest.raises(InterlockError):
                await act
        with pytest.raises(NotPlayedError, match="its staff's side is its vendor's"):
            await contact.status()
    finally:
        await contact.close()


def test_an_adapter_that_is_not_installed_is_told_with_those_that_are() -> None:
    with pytest.raises(
        DriverError, match=r"Contact Us adapter 'other' is installed \(iccs.contact_us\); there is iccs"
    ):
        load_adapter("other", Address("http://127.0.0.1:9"))
