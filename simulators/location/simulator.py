"""The caller-location simulator as a whole: the service behind its links and its HTTP side, and the faults it shows."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack
from typing import Any

from harness.endpoints.location import CallerLocationServer, load_codec
from harness.errors import TransportError
from harness.protocols.location.caller import Welcome
from harness.transport.context import Context
from simulators.calendar import epoch_of
from simulators.location.api import make_app
from simulators.location.faults import Fault, Faults
from simulators.location.service import LocationService
from simulators.location.settings import LocationSettings
from simulators.reach import need_token
from simulators.web import WebServer


class LocationSimulator:
    """One caller-location service."""

    def __init__(self, context: Context, name: str, settings: LocationSettings, epoch: float) -> None:
        self.name = name
        self._context = context
        self._settings = settings
        self._faults = Faults()
        self.service = LocationService(context, name, settings, self._faults, epoch)
        self._server: CallerLocationServer
        self._ends: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._switching = asyncio.Lock()
        self._stack = AsyncExitStack()
        self.http_url = ""
        """Where AML is taken in and faults are switched, ``http://host:port``."""

    @classmethod
    async def start(
        cls, context: Context, settings: LocationSettings, *, name: str = "location", virtual: bool
    ) -> LocationSimulator:
        """Start the service.

        Raises LocalError when it would listen beyond loopback without a token or names a codec that is not installed,
        and TransportError when an address can't be bound or a certificate can't be read; nothing stays up then.
        """
        need_token("the caller-location service", settings.host, settings.token)
        simulator = cls(context, name, settings, epoch_of(context.journal, virtual=virtual))
        try:
            await simulator._start()
        except BaseException:
            await simulator._stack.aclose()
            raise
        return simulator

    async def _start(self) -> None:
        settings = self._settings
        token = settings.token.get_secret_value() if settings.token is not None else None
        self._stack.callback(self.service.stop)
        self._server = await CallerLocationServer.start(
            self._context,
            self.name,
            (settings.host, settings.link_port),
            greeting=Welcome(self.name, settings.keep_alive_s),
            questions=self.service,
            token=token or "",
            codec=self._faults.wrapped(load_codec(settings.codec)),
            tls=self._tls(),
        )
        self._stack.push_async_callback(self._server.stop)
        app = make_app(self, token)
        web = WebServer(app, settings.host, settings.http_port, certificate=settings.certificate, key=settings.key)
        self._stack.push_async_callback(web.stop)
        scheme = "http" if settings.certificate is None else "https"
        self.http_url = f"{scheme}://{settings.host}:{await web.start()}"
        self._stack.push_async_callback(self._end_no_more)

    def _tls(self) -> ssl.SSLContext | None:
        if self._settings.certificate is None:
            return None
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            tls.load_cert_chain(self._settings.certificate, self._settings.key)
        except (OSError, ssl.SSLError) as error:
            raise TransportError(f"{self._settings.certificate}: no certificate with its key: {error}") from error
        return tls

    @property
    def link_address(self) -> tuple[str, int]:
        """Where control rooms link, (host, port)."""
        return self._server.address

    async def stop(self) -> None:
        """End every link and listen no more."""
        await self._stack.aclose()

    def status(self) -> dict[str, Any]:
        """Return where it listens, what is wrong and what is going on."""
        host, port = self.link_address
        fault = self._faults.now
        return {"link": f"{host}:{port}", "fault": None if fault is None else fault.value, **self.service.status()}

    async def set_fault(self, fault: Fault | None, *, seconds: float, for_s: float | None) -> None:
        """Begin a fault, in place of one that is on, or end it.

        ``seconds`` is how much longer things take while it is SLOW; ``for_s`` ends it by itself. Raises TransportError
        when the link's port was taken while it was down.
        """
        async with self._switching:
            if self._ends is not None:
                self._ends.cancel()
                self._ends = None
            was, self._faults.now = self._faults.now, fault
            self._faults.slow_s = seconds
            kind = "location.fault" if fault is not None else "location.well"
            self._context.journal.record(self.name, kind, fault=None if fault is None else fault.value)
            if fault is Fault.DOWN and was is not Fault.DOWN:
                await self._server.fail()
            elif was is Fault.DOWN and fault is not Fault.DOWN:
                await self._server.listen()
            if fault is not None and for_s is not None:
                self._ends = asyncio.get_running_loop().call_later(for_s, self._end_later)

    def _end_later(self) -> None:
        self._ends = None
        self._ending = asyncio.get_running_loop().create_task(self.set_fault(None, seconds=0, for_s=None))

    async def _end_no_more(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
        if self._ending is not None:
            await asyncio.gather(self._ending, return_exceptions=True)
