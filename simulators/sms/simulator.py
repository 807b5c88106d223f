"""The simulated SMS network as a whole: one network behind a modem's line, an SMPP port and a control interface."""

from __future__ import annotations

from contextlib import AsyncExitStack

from harness.transport.context import Context
from simulators.calendar import epoch_of
from simulators.reach import need_token
from simulators.sms.api import make_app
from simulators.sms.handsets import Handsets
from simulators.sms.modem import ModemSubscriber
from simulators.sms.network import SmsNetwork
from simulators.sms.settings import SmsSettings
from simulators.sms.smsc import SmppCentre
from simulators.web import WebServer


class SmsSimulator:
    """One SMS network."""

    def __init__(self, context: Context, name: str, settings: SmsSettings, *, virtual: bool) -> None:
        self.name = name
        self.network = SmsNetwork(context, name, settings, epoch_of(context.journal, virtual=virtual))
        self.handsets = Handsets(context, name, self.network)
        self.modem = ModemSubscriber(context, name, settings, self.network)
        self.centre = SmppCentre(context, name, settings, self.network)
        self.serial_url = ""
        """The modem's line."""
        self.http_url = ""
        """The control interface, ``http://host:port``."""
        self._settings = settings
        self._stack = AsyncExitStack()

    @classmethod
    async def start(cls, context: Context, settings: SmsSettings, *, name: str = "sms", virtual: bool) -> SmsSimulator:
        """Start it. Raises LocalError when it would listen beyond loopback without a token, or for a time zone that is
        not there, and TransportError when an address can't be bound; nothing stays up then.
        """
        need_token("the SMS network", settings.host, settings.token)
        simulator = cls(context, name, settings, virtual=virtual)
        try:
            await simulator._start(virtual=virtual)
        except BaseException:
            await simulator._stack.aclose()
            raise
        return simulator

    async def _start(self, *, virtual: bool) -> None:
        settings = self._settings
        self._stack.callback(self.network.stop)
        self._stack.callback(self.modem.close)
        self.serial_url = await self.modem.modem.offer(baud=settings.modem.baud, virtual=virtual)
        if settings.modem.tcp_port is not None:
            await self.modem.modem.listen(settings.host, settings.modem.tcp_port)
        await self.centre.start(settings.host, settings.smpp_port)
        self._stack.callback(self.centre.stop)
        token = settings.token.get_secret_value() if settings.token is not None else None
        app = make_app(self.network, self.handsets, self.modem, self.centre, token)
        web = WebServer(app, settings.host, settings.http_port)
        self._stack.push_async_callback(web.stop)
        self.http_url = f"http://{settings.host}:{await web.start()}"

    @property
    def tcp_url(self) -> str | None:
        """The modem's line by TCP, ``socket://host:port``."""
        tcp = self.modem.modem.tcp
        return None if tcp is None else f"socket://{tcp[0]}:{tcp[1]}"

    def smpp_urls(self) -> list[str]:
        """How each account binds: ``smpp://system_id:password@host:port``."""
        host, port = self.centre.address
        return [f"smpp://{name}:{each.password}@{host}:{port}" for name, each in self.centre.accounts.items()]

    async def stop(self) -> None:
        """End every session and listen no more."""
        await self._stack.aclose()
