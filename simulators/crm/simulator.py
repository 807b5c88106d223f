"""The CRM simulator as a whole: its store, the interface it is asked by, its timers, and its control interface."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from harness.transport.context import Context
from simulators.calendar import epoch_of
from simulators.crm.api import make_app
from simulators.crm.control import make_control
from simulators.crm.desk import Desk
from simulators.crm.filling import fill
from simulators.crm.importing import Importer
from simulators.crm.reviews import Reviews
from simulators.crm.settings import CrmSettings
from simulators.crm.tables import LAYOUT, Tables
from simulators.database import Database
from simulators.events import Events
from simulators.failing import FailingServer
from simulators.faults import Faults
from simulators.reach import need_token
from simulators.web import WebServer


class CrmSimulator:
    """One CRM."""

    def __init__(self, desk: Desk) -> None:
        """Use `CrmSimulator.start`."""
        self.events: Events = desk.events
        self.control_url = ""
        """Where its events and faults are, ``http://host:port``."""
        self._desk = desk
        self._settings = desk.settings
        self._importer = Importer(desk)
        self._reviews = Reviews(desk)
        self._stack = AsyncExitStack()
        faults = Faults()
        self.server = FailingServer(
            lambda: make_app(desk, self._importer, faults, self._token),
            desk.settings.host,
            desk.settings.port,
            faults,
            self.events,
        )

    @classmethod
    async def start(cls, context: Context, settings: CrmSettings, *, name: str = "crm", virtual: bool) -> CrmSimulator:
        """Start it.

        Raises LocalError when it would listen beyond loopback without a token or its store can't be opened, and
        TransportError when an address can't be bound; nothing stays up then.
        """
        need_token("the CRM", settings.host, settings.token)
        database = Database.open(settings.store, Tables.metadata, whose="crm", version=LAYOUT, virtual=virtual)
        simulator = cls(Desk(context, name, settings, database, epoch_of(context.journal, virtual=virtual)))
        simulator._stack.callback(database.close)
        try:
            await simulator._start()
        except BaseException:
            await simulator._stack.aclose()
            raise
        return simulator

    async def _start(self) -> None:
        await fill(self._desk)
        await self._importer.begin()
        self._reviews.start()
        self._stack.push_async_callback(self._reviews.stop)
        self._stack.push_async_callback(self.server.stop)
        await self.server.start()
        control = WebServer(make_control(self, self._token), self._settings.host, self._settings.control_port)
        self._stack.push_async_callback(control.stop)
        self.control_url = f"http://{self._settings.host}:{await control.start()}"

    @property
    def _token(self) -> str | None:
        return self._settings.token.get_secret_value() if self._settings.token is not None else None

    @property
    def url(self) -> str:
        """Where it is asked, ``http://host:port``."""
        return f"http://{self.server.address}"

    async def stop(self) -> None:
        """Serve no more; what was stored in a file or a server stays."""
        await self._stack.aclose()

    def figures(self) -> dict[str, Any]:
        """Where it is asked, and what is wrong."""
        return {"url": self.url, "fault": self.server.faults.shown}
