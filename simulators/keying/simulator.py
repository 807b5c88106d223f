"""The simulator of control lines: a terminal server's port (pyserial's PortManager), a radio and a footswitch on it."""

from __future__ import annotations

import asyncio
import struct
from contextlib import AsyncExitStack
from typing import Any, Final

from fastapi import Depends, FastAPI, WebSocket
from serial.rfc2217 import (
    COM_PORT_OPTION,
    SERVER_SET_CONTROL,
    SET_CONTROL,
    SET_CONTROL_DTR_OFF,
    SET_CONTROL_DTR_ON,
    SET_CONTROL_REQ_DTR,
    SET_CONTROL_REQ_RTS,
    SET_CONTROL_RTS_OFF,
    SET_CONTROL_RTS_ON,
    PortManager,
)

from harness.errors import TransportError
from harness.transport.context import Context
from simulators.bodies import Body
from simulators.events import Events, serve
from simulators.guard import bearer, guard
from simulators.keying.port import SimulatedPort
from simulators.keying.settings import KeyedRadioSettings
from simulators.reach import need_token
from simulators.routes import Routes, add_routes
from simulators.web import WebServer

READ: Final = 1_024
"""Bytes taken from a client at once."""
LIKE_A_TELNET: Final = b"\xff\xfe\x2c"
"""IAC DONT COM-PORT."""


class KeyedRadioSimulator:
    """One port. One client has it at a time, as a serial port has; a second is turned away."""

    def __init__(self, context: Context, name: str, settings: KeyedRadioSettings) -> None:
        self.name = name
        self._settings = settings
        self._stack = AsyncExitStack()
        self.events = Events(context.journal, name)
        self.port = SimulatedPort(self._moved)
        self.port.taken = settings.fault != "fakes_lines"
        self.port.carried = settings.fault not in ("fakes_lines", "repeats_orders")
        self._keyed = settings.key_inverted  # nobody has the port: its lines are off
        self._manager: PortManager | None = None
        self._client: asyncio.StreamWriter | None = None
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self.address = ("", 0)
        self.control_url = ""

    @classmethod
    async def start(
        cls, context: Context, settings: KeyedRadioSettings, *, name: str = "keyed-radio"
    ) -> KeyedRadioSimulator:
        """Start it. Raises LocalError beyond loopback without a token, TransportError; nothing stays up then."""
        need_token("a terminal server", settings.host, settings.token)
        simulator = cls(context, name, settings)
        try:
            await simulator._start()
        except BaseException:
            await simulator._stack.aclose()
            raise
        return simulator

    async def _start(self) -> None:
        settings = self._settings
        try:
            server = await asyncio.start_server(self._came, settings.host, settings.port)
        except OSError as error:
            raise TransportError(f"can't listen on {settings.host}:{settings.port}: {error}") from error
        self._stack.push_async_callback(self._hang_up)
        self._stack.callback(server.close)
        self.address = server.sockets[0].getsockname()[:2]
        token = settings.token.get_secret_value() if settings.token is not None else None
        web = WebServer(_control(self, token), settings.host, settings.control_port)
        self._stack.push_async_callback(web.stop)
        self.control_url = f"http://{settings.host}:{await web.start()}"

    async def stop(self) -> None:
        """Let the client go and listen no more."""
        await self._stack.aclose()

    async def _hang_up(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # The port

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = None
        try:
            if self._client is not None:
                writer.write(b"port is in use\r\n")
                return
            self._client = writer
            await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            if self._client is writer:
                self._client = self._manager = None
                self.port.rts = self.port.dtr = False
            writer.close()
            self._tasks.pop(task, None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._settings.fault
        if fault == "no_lines":
            writer.write(LIKE_A_TELNET)
        elif fault != "silent":
            self._manager = _Manager(self.port, writer)  # type: ignore[arg-type]  # it asks for less than its stub
        while data := await reader.read(READ):
            if self._manager is not None and not self._understood(self._manager, data):
                return
            await writer.drain()

    def _understood(self, manager: PortManager, data: bytes) -> bool:
        """Take a client's bytes; False where they make no sense, or a subnegotiation has no end."""
        try:
            for _ in manager.filter(data):
                pass  # data of the port: there is nobody behind it
        except (TypeError, ValueError, IndexError, struct.error) as error:  # PortManager trusts its client
            self.events.tell("client.cut_off", reason=f"no RFC 2217: {error}")
            return False
        if len(manager.suboption or b"") > READ:
            self.events.tell("client.cut_off", reason=f"a subnegotiation of more than {READ} bytes")
            return False
        return True

    def _moved(self) -> None:
        # What loops back is the line itself; what the port says of its outputs is only its word.
        keyed = (self.port.cts if self._settings.key == "rts" else self.port.dsr) is not self._settings.key_inverted
        if keyed is not self._keyed:
            self._keyed = keyed
            self.events.tell("radio.keyed" if keyed else "radio.unkeyed")
        self._tell_lines()

    def _tell_lines(self) -> None:
        if self._manager is not None:
            self._manager.check_modem_lines()

    # The radio

    def set_carrier(self, up: bool) -> None:
        """Let the radio receive, or no longer."""
        setattr(self.port, self._settings.carrier, up)
        self._tell_lines()

    def set_footswitch(self, down: bool) -> None:
        """Press the footswitch, or let it go."""
        setattr(self.port, self._settings.footswitch, down)
        self._tell_lines()

    def drop(self) -> None:
        """Cut the client off."""
        if self._client is not None:
            self._client.close()

    def status(self) -> dict[str, Any]:
        """Lines and whether a client has the port."""
        port = self.port
        lines = {"rts": port.rts, "dtr": port.dtr, "cts": port.cts, "dsr": port.dsr, "cd": port.cd, "ri": port.ri}
        return {"keyed": self._keyed, "client": self._client is not None, "lines": lines}


class _Manager(PortManager):
    """PortManager that says how RTS and DTR are when asked (RFC 2217, SET-CONTROL 7 and 10)."""

    def _telnet_process_subnegotiation(self, suboption: bytes) -> None:
        asked = suboption[2:3] if suboption[:2] == COM_PORT_OPTION + SET_CONTROL else b""
        if asked == SET_CONTROL_REQ_RTS:
            told = SET_CONTROL_RTS_ON if self.serial.rts else SET_CONTROL_RTS_OFF
        elif asked == SET_CONTROL_REQ_DTR:
            told = SET_CONTROL_DTR_ON if self.serial.dtr else SET_CONTROL_DTR_OFF
        else:
            super()._telnet_process_subnegotiation(suboption)  # type: ignore[misc]  # its stub has public names only
            return
        self.rfc2217_send_subnegotiation(SERVER_SET_CONTROL, told)


class _On(Body):
    on: bool


def _control(radio: KeyedRadioSimulator, token: str | None) -> FastAPI:
    app = FastAPI(title="Keyed radio simulator", version="1", openapi_url="/openapi.json" if token is None else None)
    guard(app)
    router = Routes(prefix="/v1", tags=["keyed radio"])

    @router.get("/status")
    async def status() -> dict[str, Any]:
        """Every line, whether the radio is keyed, whether the port is taken."""
        return radio.status()

    @router.put("/carrier")
    async def carrier(body: _On) -> dict[str, Any]:
        """Let the radio receive, or no longer."""
        radio.set_carrier(body.on)
        return radio.status()

    @router.put("/footswitch")
    async def footswitch(body: _On) -> dict[str, Any]:
        """Press the footswitch, or let it go."""
        radio.set_footswitch(body.on)
        return radio.status()

    @router.post("/drop")
    async def drop() -> dict[str, Any]:
        """Cut the port's client off."""
        radio.drop()
        return radio.status()

    @router.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await serve(radio.events, socket)

    add_routes(app, router, dependencies=[Depends(bearer(token))])
    return app
