"""Receipts by mail: kept to be read, or handed to a mail server under the safety interlock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Final

from harness.endpoints.mail import hand_over
from harness.errors import DatabaseError, InterlockError, MailError
from harness.protocols.times import to_iso
from simulators.contact_us.store import DONE, REFUSED, WAITING, Store
from simulators.events import Events

RETRY_S: Final = 5.0
"""From a relay that could not be reached to the next try."""
ANSWERS: Final = ("In-Reply-To", "References")
"""Header fields by which a receipt says which mail it answers."""


def receipt_mail(reference: str, received: float, *, to: str, mailbox: str, answers: dict[str, str]) -> bytes:
    """A receipt as it goes over the wire. What was sent is not sent back: it may be wrong who gets it."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("Contact Us", addr_spec=mailbox)
    mail["To"] = to
    mail["Subject"] = f"We have your message: {reference}"
    mail["Date"] = formatdate(received)
    mail["Message-ID"] = f"<{reference}@{mailbox.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-replied"  # RFC 3834 section 5: no machine is to answer this
    for name in ANSWERS:
        if answers.get(name):
            mail[name] = answers[name]
    mail.set_content(
        f"We have your message. Your reference is {reference}.\n"
        f"We received it on {to_iso(int(received))[:10]} at {to_iso(int(received))[11:16]} (UTC).\n\n"
        "Somebody will read it. Please do not answer this message.\n\n"
        "If somebody is in danger now, or a crime is happening, call 999.\n"
        "If you are deaf or can't speak, use textphone 18000 or text 999 if you have registered.\n"
        "For anything else that can't wait, call 101.\n"
    )
    return mail.as_bytes()


class Receipts:
    """Hands receipts to the relay, where there is one."""

    def __init__(self, store: Store, events: Events, relay: str | None, mailbox: str, permit: Callable[[str], None]):
        """``permit`` is asked before a receipt leaves, and raises InterlockError where it may not."""
        self._store, self._events, self._mailbox, self._permit = store, events, mailbox, permit
        self._relay = relay
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Do it until cancelled."""
        while True:
            self._wake.clear()
            try:
                pending = await self._store.receipts(state=WAITING, limit=20)
                for each in pending:
                    await self._one(each["number"], each["reference"], each["to"], each["mail"])
            except (MailError, DatabaseError) as error:
                self._events.tell("receipt.delayed", why=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            if len(pending) < 20:
                await self._wake.wait()

    async def _one(self, number: int, reference: str, to: str, mail: bytes) -> None:
        if self._relay is None:
            await self._store.receipt_is(number, DONE)
            self._events.tell("receipt.kept", reference=reference)
            return
        try:
            self._permit(to)
            host, _, port = self._relay.rpartition(":")
            await hand_over((host, int(port)), "", [to], mail)  # no return path: nobody is to answer a receipt
        except (InterlockError, MailError) as error:
            if isinstance(error, MailError) and not error.permanent:
                raise
            await self._store.receipt_is(number, REFUSED, str(error))
            self._events.tell(
                "receipt.refused",
                reference=reference,
                why="the interlock" if not isinstance(error, MailError) else "the relay",
            )
            return
        await self._store.receipt_is(number, DONE)
        self._events.tell("receipt.sent", reference=reference)
