"""The command-and-control simulator as a whole: its store, the interface control rooms link to, and its terminal."""

from __future__ import annotations

import asyncio
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
from simulators.faults import Fault, Faults
from simulators.guard import need_token
from simulators.web import WebServer


class CommandControlSimulator:
    """One command-and-control system."""

    def __init__(self, context: Context, name: str, settings: CommandControlSettings) -> None:
        self.name = name
        self._settings = settings
        self._faults = Faults()
        self._switching = asyncio.Lock()
        self._stack = AsyncExitStack()
        self.events = Events(context.journal, name)
        self.store: Store
        self._links: WebServer | None = None
        self._port = settings.port
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
        self._stack.push_async_callback(self._hang_up)
        await self._listen()
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
        return f"http://{self._settings.host}:{self._port}"

    async def _listen(self) -> None:
        app = make_links(self._settings.shape, self.store, self._faults, self._token)
        web = WebServer(app, self._settings.host, self._port)
        self._port = await web.start()
        self._links = web

    async def _hang_up(self) -> None:
        links, self._links = self._links, None
        if links is not None:
            await links.stop()

    async def stop(self) -> None:
        """Serve no more; what was stored in a file of the settings stays."""
        await self._stack.aclose()

    def figures(self) -> dict[str, Any]:
        """Counts, and what is wrong."""
        fault = self._faults.now
        shown = {"shape": self._settings.shape, "link": self.link_url, "fault": None if fault is None else fault.value}
        return {**shown, "taken": self._faults.taken, **self.store.figures()}

    async def set_fault(self, fault: Fault | None, *, seconds: float) -> None:
        """Begin a fault, in place of one that is on, or end it.

        Raises TransportError where the port was taken meanwhile.
        """
        async with self._switching:
            was = self._faults.now
            self._faults.set(fault, seconds=seconds)
            self.events.tell("fault" if fault is not None else "well", fault=None if fault is None else fault.value)
            if fault is Fault.DOWN and was is not Fault.DOWN:
                await self._hang_up()
            elif was is Fault.DOWN and fault is not Fault.DOWN:
                await self._listen()
