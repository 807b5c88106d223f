"""The Contact Us simulator as a whole: form, REST intake and mailbox in front; CRM and command and control behind."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from harness.endpoints.command_control import Outbox
from harness.transport.context import Context
from simulators.calendar import epoch_of
from simulators.contact_us.control import make_control
from simulators.contact_us.crm_queue import CrmAt, CrmQueue
from simulators.contact_us.incidents import CommandControlAt, Incidents
from simulators.contact_us.intake import Intake
from simulators.contact_us.mailbox import Mailbox
from simulators.contact_us.public import make_public
from simulators.contact_us.receipts import Receipts
from simulators.contact_us.settings import ContactUsSettings
from simulators.contact_us.store import Store
from simulators.contact_us.words import OURS, RiskWords
from simulators.events import Events
from simulators.reach import need_token
from simulators.web import WebServer


def _anybody(_address: str) -> None:
    pass


class ContactUsSimulator:
    """One Contact Us system."""

    def __init__(self, context: Context, name: str, settings: ContactUsSettings) -> None:
        self.name = name
        self._context, self._settings = context, settings
        self._stack = AsyncExitStack()
        self.http_url = ""
        """Where the form (``/contact``) and the REST intake are, ``http://host:port``."""
        self.control_url = ""
        """Where the staff's side is, ``http://host:port``."""
        self.smtp_address = ("", 0)

    @classmethod
    async def start(
        cls,
        context: Context,
        settings: ContactUsSettings,
        *,
        name: str = "contact-us",
        virtual: bool,
        crm: CrmAt | None = None,
        command_control: CommandControlAt | None = None,
        permit: Callable[[str], None] = _anybody,
    ) -> ContactUsSimulator:
        """Start it.

        ``crm`` and ``command_control`` say where those are; without one, what is to go there waits. ``permit`` is asked
        before a receipt leaves for an address by the relay. Raises LocalError when it would listen beyond loopback
        without a token, for a store, a word list or an outbox that can't be read, CommandControlError for a dialect
        that there is not, and TransportError when an address can't be bound; nothing stays up then.
        """
        need_token("Contact Us", settings.host, settings.token)
        simulator = cls(context, name, settings)
        try:
            await simulator._start(crm, command_control, permit, virtual=virtual)
        except BaseException:
            await simulator._stack.aclose()
            raise
        return simulator

    async def _start(
        self,
        crm: CrmAt | None,
        command_control: CommandControlAt | None,
        permit: Callable[[str], None],
        *,
        virtual: bool,
    ) -> None:
        settings, stack = self._settings, self._stack
        events = Events(self._context.journal, self.name)
        store = Store.open(settings.store, virtual=virtual)
        stack.callback(store.close)
        queue, incidents = CrmQueue(store, events), Incidents(self._context, self.name, store, events, settings.element)
        stack.push_async_callback(queue.close)
        if crm is not None:
            queue.open(crm)
        if command_control is not None:
            outbox = self._outbox()
            stack.callback(outbox.close)
            stack.push_async_callback(incidents.close)
            incidents.open(command_control, outbox)
        receipts = Receipts(store, events, settings.relay, settings.mailbox, permit)
        epoch = epoch_of(self._context.journal, virtual=virtual)
        intake = Intake(self._context, settings, store, events, RiskWords(settings.words or OURS), epoch)

        def taken() -> None:
            for each in (queue, incidents, receipts):
                each.wake()

        intake.taken = taken
        for work in (queue.run(), incidents.run(), receipts.run()):
            stack.push_async_callback(_ended, asyncio.create_task(work))
        await self._serve(store, queue, incidents, events, intake)

    async def _serve(self, store: Store, queue: CrmQueue, incidents: Incidents, events: Events, intake: Intake) -> None:
        settings, host = self._settings, self._settings.host
        intake_token = settings.intake_token.get_secret_value() if settings.intake_token is not None else None
        token = settings.token.get_secret_value() if settings.token is not None else None
        public = WebServer(make_public(self._context, intake, store, intake_token), host, settings.http_port)
        self._stack.push_async_callback(public.stop)
        self.http_url = f"http://{host}:{await public.start()}"
        mailbox = Mailbox(intake, settings.mailbox)
        self._stack.push_async_callback(mailbox.stop)
        self.smtp_address = host, await mailbox.start(host, settings.smtp_port)
        control = WebServer(make_control(store, queue, incidents, events, token), host, settings.control_port)
        self._stack.push_async_callback(control.stop)
        self.control_url = f"http://{host}:{await control.start()}"

    def _outbox(self) -> Outbox:
        path = self._settings.outbox
        if path is None:
            path = (
                Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="iccs-contact-"))) / "outbox.sqlite"
            )
        tag = f"{self._context.rng.getrandbits(32):08x}"
        return Outbox(path, origin=f"{self._settings.element}-{tag}")

    async def stop(self) -> None:
        """Serve no more; what was stored in files of the settings stays."""
        await self._stack.aclose()


async def _ended(task: asyncio.Task[None]) -> None:
    """End a task; what it failed of is raised."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
