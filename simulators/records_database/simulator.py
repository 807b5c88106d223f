"""The records database simulator as a whole: the database behind its interface."""

from __future__ import annotations

from harness.transport.context import Context
from simulators.events import Events
from simulators.reach import need_token
from simulators.records_database.api import make_app
from simulators.records_database.database import Database
from simulators.records_database.settings import RecordsSettings
from simulators.web import WebServer


class RecordsSimulator:
    """One database."""

    def __init__(self, context: Context, name: str, settings: RecordsSettings) -> None:
        token = settings.token.get_secret_value() if settings.token is not None else None
        self.events = Events(context.journal, name)
        self.database = Database(settings, context.rng, context.journal.now)
        self._settings = settings
        self._web = WebServer(make_app(self, token), settings.host, settings.port)
        self.url = ""
        """``http://host:port``."""

    @classmethod
    async def start(cls, context: Context, settings: RecordsSettings, *, name: str = "records") -> RecordsSimulator:
        """Start it. Raises LocalError where it would listen beyond loopback without a token, TransportError."""
        need_token("the records database", settings.host, settings.token)
        simulator = cls(context, name, settings)
        simulator.url = f"http://{settings.host}:{await simulator._web.start()}"
        return simulator

    async def stop(self) -> None:
        """Serve no more."""
        await self._web.stop()
