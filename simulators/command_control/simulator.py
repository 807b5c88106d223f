"""The command-and-control simulator as a whole: its store, the interface control rooms link to, and its terminal."""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from harness.protocols.eido import read
from harness.transport.context import Context
from simulators.command_control.control import make_control
from simulators.command_control.links import make_links
from simulators.command_control.settings import CommandControlSettings
from simulators.command_control.store import Answer, Message, Store
from simulators.events import Events
from simulators.failing import FailingServer
from simulators.faults import Faults
from simulators.reach import need_token
from simulators.web import WebServer


class CommandControlSimulator:
    """One command-and-control system."""

    def __init__(self, context: Context, name: str, settings: CommandControlSettings) -> None:
        self.name = name
        self._settings = settings
        self._stack = AsyncExitStack()
        self.events = Events(context.journal, name)
        self.store: Store
        faults = Faults()
        self.server = FailingServer(
            lambda: make_links(settings.shape, self.store, faults, self._token),
            settings.host,
            settings.port,
            faults,
            self.events,
        )
        self.control_url = ""
        """Where its terminal is, ``http://host:port``."""

    @classmethod
    async def start(
        cls, context: Context, settings: CommandControlSettings, *, name: str = "command-control"
    ) -> CommandControlSimulator:
        """Start it.

        Raises LocalError when it would listen beyond loopback without a token or its store can't be opened, and
        TransportError when an address can't be bound; nothing stays up then.
        """
        need_token("command and control", settings.host, settings.token)
        simulator = cls(context, name, settings)
        try:
            await simulator._start()
        except BaseException:
            await simulator._stack.aclose()
            raise
        return simulator

    async def _start(self) -> None:
        settings = self._settings
        path = settings.store
        if path is None:
            path = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="iccs-cc-"))) / "store.sqlite"
        self.store = Store(path, settings.units, self._told)
        self._stack.callback(self.store.close)
        self._stack.push_async_callback(self.server.stop)
        await self.server.start()
        control = WebServer(make_control(self, self._token), settings.host, settings.control_port)
        self._stack.push_async_callback(control.stop)
        self.control_url = f"http://{settings.host}:{await control.start()}"

    def _told(self, message: Message, answer: Answer) -> None:
        told = {"about": message.about, "key": message.key}
        if answer.status == "duplicate":
            self.events.tell("entry.repeated", entry=message.kind, **told)
        elif answer.status == "rejected":
            self.events.tell("entry.rejected", entry=message.kind, reason=answer.reason, **told)
        elif message.kind == "unit.state":
            [unit, *_] = read(message.body).emergency_resource_component
            self.events.tell("unit.state", state=unit.primary_unit_status_registry_text, **told)
        else:
            self.events.tell(message.kind, reference=answer.reference, **told)

    @property
    def _token(self) -> str | None:
        return self._settings.token.get_secret_value() if self._settings.token is not None else None

    @property
    def link_url(self) -> str:
        """Where control rooms link, ``http://host:port``."""
        return f"http://{self.server.address}"

    async def stop(self) -> None:
        """Serve no more; what was stored in a file of the settings stays."""
        await self._stack.aclose()

    def figures(self) -> dict[str, Any]:
        """Counts, and what is wrong."""
        faults = self.server.faults
        shown = {"shape": self._settings.shape, "link": self.link_url, "fault": faults.shown}
        return {**shown, "taken": faults.taken, **self.store.figures()}
