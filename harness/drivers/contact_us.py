"""The Contact Us driver: hands messages in as the public does, and sees what the system's staff see."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from harness.drivers.controlled import ControlledSimulator, ToldBySimulator
from harness.endpoints.contact_us import Adapter, Message, Receipt
from harness.errors import NotPlayedError
from harness.transport.context import Context


class ContactUs(ControlledSimulator, ToldBySimulator):
    """A Contact Us system.

    Events, under the component's name: ``contact.sent`` {by, reference, characters, files}; of a simulated one also
    ``submission.taken`` {reference, channel, about, flags, files}, ``submission.urgent`` {reference, incident},
    ``submission.repeated``, ``submission.set_aside``, ``submission.flood``, ``submission.released``, ``crm.record``
    {reference, record}, ``crm.refused``, ``crm.link`` and ``command_control.link`` {up, cause, waiting},
    ``incident.queued``, ``incident.registered`` {reference, incident, registered}, ``incident.refused``,
    ``receipt.kept``, ``receipt.sent``, ``receipt.refused``, ``receipt.delayed``. What persons say and who they are is
    never journalled.
    """

    own = "contact.sent"

    def __init__(self, context: Context, name: str, adapter: Adapter, permit: Callable[[], None]) -> None:
        super().__init__(context, name)
        self._adapter, self._permit = adapter, permit
        self._simulated = False

    @property
    def is_simulated(self) -> bool:
        """Whether it is a simulator, whose staff's side is here."""
        return self._simulated

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        adapter: Adapter,
        *,
        control: str | None,
        token: str | None,
        permit: Callable[[], None],
    ) -> ContactUs:
        """Connect; ``control`` is where a simulated system's staff's side is. Raises DriverError.

        ``permit`` is asked before anything is handed in, and raises InterlockError where it may not be.
        """
        driver = cls(context, name, adapter, permit)
        if control is not None:
            try:
                await driver._connected(control, token)
            except BaseException:
                await adapter.close()
                raise
            driver._simulated = True
        return driver

    async def close(self) -> None:
        """Disconnect; again does nothing."""
        await self._adapter.close()
        if self._simulated:
            await super().close()

    # As the public

    async def submit(self, message: Message, *, key: str | None = None) -> Receipt:
        """Hand a message in by the REST intake; the same ``key`` again is the same message.

        Raises InterlockError, and DriverError for what is refused.
        """
        self._permit()
        key = key if key is not None else f"{self._context.rng.getrandbits(64):016x}"
        return self._sent("rest", message, await self._adapter.submit(message, key))

    async def fill_in(self, message: Message, *, form_key: str | None = None) -> Receipt:
        """Hand a message in by the form; the same ``form_key`` and message again is its button pressed twice.

        Raises InterlockError, and DriverError naming what the page says is wrong.
        """
        self._permit()
        own = None if form_key is None else self._key(form_key)
        return self._sent("form", message, await self._adapter.fill_in(message, own))

    async def mail(self, sender: str, subject: str, text: str, *, files: tuple[tuple[str, bytes], ...] = ()) -> Receipt:
        """Send a mail to the mailbox. Raises InterlockError, and DriverError for what is refused."""
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"], mail["Subject"] = sender, "contact@police.example", subject
        mail["Message-ID"] = f"<{self._context.rng.getrandbits(64):016x}@example.org>"
        mail.set_content(text)
        for name, content in files:
            mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        said = await self.mail_raw(sender, mail.as_bytes())
        return self._sent("mail", Message(text, files=files), Receipt(said.rpartition(" ")[2]))

    async def mail_raw(self, sender: str, mail: bytes) -> str:
        """Send a mail as it is; returns the server's last word. Raises InterlockError, DriverError."""
        self._permit()
        return await self._adapter.mail(sender, mail)

    def _sent(self, by: str, message: Message, receipt: Receipt) -> Receipt:
        self._journal.record(
            self.name,
            "contact.sent",
            by=by,
            reference=receipt.reference,
            characters=len(message.text),
            files=len(message.files),
        )
        return receipt

    # As its staff

    async def status(self) -> dict[str, Any]:
        """Counts, and what waits for the CRM and for command and control. Raises DriverError."""
        return dict(await self._ask("GET", "/status"))

    async def submissions(self, **chosen: str) -> list[dict[str, Any]]:
        """The newest submissions, newest first; ``state`` or ``flag`` chooses. Raises DriverError."""
        query = "&".join(f"{name}={value}" for name, value in chosen.items())
        return list((await self._ask("GET", f"/submissions?{query}"))["submissions"])

    async def submission(self, reference: str) -> dict[str, Any]:
        """One submission, whole. Raises DriverError where there is none."""
        return dict(await self._ask("GET", f"/submissions/{reference}"))

    async def receipts(self) -> list[dict[str, Any]]:
        """Receipts by mail, newest first: ``reference``, ``to``, ``mail``, ``state`` …. Raises DriverError."""
        return list((await self._ask("GET", "/receipts"))["receipts"])

    async def release(self, reference: str) -> None:
        """Let one that was set aside go to the CRM after all. Raises DriverError."""
        await self._ask("POST", f"/submissions/{reference}/release")

    async def _ask(self, method: str, path: str) -> Any:
        if not self._simulated:
            raise NotPlayedError(
                f"{self.name} is real: its staff's side is its vendor's, and there is no driver for it"
            )
        return await self._link.ask(method, path)
