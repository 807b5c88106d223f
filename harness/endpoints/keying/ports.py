"""Where control lines are: a serial device of this machine, or a terminal server that speaks RFC 2217."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import termios
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import urlsplit

import serial

from harness.endpoints.keying.wiring import Inputs, Output, Wiring
from harness.errors import KeyingError, KeyingLocalError, TransportError
from harness.protocols import rfc2217
from harness.protocols.rfc2217 import Control, ControlTold, ModemState, Refusal

POLL_S: Final = 0.01
"""Seconds from one look at a device's lines to the next: the system tells of no change by itself."""
CONNECTS_WITHIN_S: Final = 5.0
TOLD_WITHIN_S: Final = 2.0
"""Seconds within which a terminal server tells how its lines are, or says that one is set."""
ASKED_S: Final = 0.3
"""Seconds for which a server that is asked how RTS is may say nothing, before it is not asked again."""

Changed = Callable[[Inputs], None]
Lost = Callable[[str], None]
_CONTROLS: Final = {
    ("rts", True): Control.RTS_ON,
    ("rts", False): Control.RTS_OFF,
    ("dtr", True): Control.DTR_ON,
    ("dtr", False): Control.DTR_OFF,
}
_QUESTIONS: Final = {"rts": Control.ASK_RTS, "dtr": Control.ASK_DTR}
_OUTPUTS: Final[tuple[Output, Output]] = ("rts", "dtr")
_REFUSED: Final = (OSError, ValueError, termios.error)
"""What pyserial raises where a device can't be had, or is gone."""


class LinePort(Protocol):
    """Control lines."""

    @property
    def where(self) -> str:
        """What carries them, in words for an error."""

    async def set(self, line: Output, *, on: bool) -> None:
        """Set a line, and return once it is. Raises KeyingLocalError, KeyingError."""

    async def close(self) -> None:
        """Let go of the lines; again does nothing. What carries them has their levels from then on."""


class DevicePort:
    """A serial device of this machine."""

    def __init__(self, port: serial.Serial, changed: Changed, lost: Lost) -> None:
        self._port = port
        self._changed = changed
        self._lost = lost
        self._last: Inputs | None = None
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def open(cls, url: str, wiring: Wiring, changed: Changed, lost: Lost) -> DevicePort:
        """Open ``url`` (``/dev/ttyS0``) with both lines at rest before it is open: opening alone keys nothing.

        Raises TransportError where it can't be opened, another has it, or it carries no control lines.
        """
        try:
            port = serial.serial_for_url(url, do_not_open=True, exclusive=True)
        except ValueError as error:
            raise TransportError(f"{url}: {error}; a device or rfc2217://host:port is meant") from error
        port.rts, port.dtr = (wiring.rest(line) for line in _OUTPUTS)
        try:
            port.open()
            _at_the_close(port.fileno(), down=not wiring.key_inverted)
            opened = cls(port, changed, lost)
            opened._look()
        except _REFUSED as error:
            port.close()
            raise TransportError(f"{url}: {_why(error)}") from error
        return opened

    @property
    def where(self) -> str:
        return str(self._port.name)

    async def set(self, line: Output, *, on: bool) -> None:
        try:
            setattr(self._port, line, on)
        except _REFUSED as error:
            raise KeyingLocalError(f"{self.where}: {line.upper()} can't be set: {_why(error)}") from error

    def _look(self) -> None:
        inputs = Inputs(self._port.cts, self._port.dsr, self._port.cd, self._port.ri)
        if inputs != self._last:
            self._last = inputs
            self._changed(inputs)
        self._timer = asyncio.get_running_loop().call_later(POLL_S, self._look_again)

    def _look_again(self) -> None:
        try:
            self._look()
        except _REFUSED as error:
            self._shut()  # a port that is held on to would hold its key as well
            self._lost(_why(error))

    async def close(self) -> None:
        self._shut()

    def _shut(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with contextlib.suppress(*_REFUSED):
            self._port.close()


def _at_the_close(fd: int, *, down: bool) -> None:
    """Have the system put the lines down once nobody has the port, also where we are killed, or leave them as they are.

    An inverted key would go down by it: it stays as it was left.
    """
    attributes = termios.tcgetattr(fd)
    attributes[2] = attributes[2] | termios.HUPCL if down else attributes[2] & ~termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOTTY, errno.EINVAL):
        return "it carries no control lines (a pseudo-terminal has none)"
    return str(error) or type(error).__name__


class ServerPort:
    """A port of a terminal server."""

    def __init__(self, where: str, writer: asyncio.StreamWriter, changed: Changed, lost: Lost) -> None:
        self._where = where
        self._writer = writer
        self._changed = changed
        self._lost = lost
        self._reader = rfc2217.Reader()
        self._task: asyncio.Task[None] | None = None
        self._told: dict[str, Control] = {}
        self._news = asyncio.Event()
        self._inputs: Inputs | None = None
        self._answers = False
        self._gone = ""

    @classmethod
    async def open(cls, url: str, wiring: Wiring, changed: Changed, lost: Lost) -> ServerPort:
        """Connect to ``url`` (``rfc2217://host:port``), put both lines at rest, and learn how the others are.

        Raises KeyingLocalError where the address is none, TransportError where it can't be reached, and KeyingError
        where it carries no control lines: it will not do RFC 2217, tells nothing of them, or shows others than it set.
        """
        host, port = _address(url)
        where = f"the terminal server at {f'[{host}]' if ':' in host else host}:{port}"
        try:
            async with asyncio.timeout(CONNECTS_WITHIN_S):
                reader, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError) as error:
            raise TransportError(f"{where} can't be reached: {error or 'no answer'}") from error
        opened = cls(where, writer, changed, lost)
        opened._task = asyncio.create_task(opened._read(reader))
        try:
            writer.write(rfc2217.opening())
            await opened._rest(wiring)
            await opened._learn()
            if opened._answers:
                await opened._rest(wiring)  # taken for done before; now shown as well
            await opened._until(lambda: opened._inputs is not None, "tells nothing of its control lines")
        except BaseException:
            await opened.close()
            raise
        return opened

    @property
    def where(self) -> str:
        return self._where

    async def _rest(self, wiring: Wiring) -> None:
        for line in _OUTPUTS:
            await self.set(line, on=wiring.rest(line))

    async def set(self, line: Output, *, on: bool) -> None:
        """Set a line; where the server says how its lines are, ask: one that shows another state does not carry it."""
        wanted = _CONTROLS[line, on]
        self._told.pop(line, None)
        self._send(rfc2217.control(wanted))
        await self._until(lambda: line in self._told, f"does not say that {line.upper()} is set")
        if not self._answers:
            return
        self._told.pop(line, None)
        self._send(rfc2217.control(_QUESTIONS[line]))
        await self._until(lambda: line in self._told, f"does not say how {line.upper()} is")
        if self._told[line] is not wanted:
            raise KeyingError(
                f"{self._where} takes {wanted.name} for done and shows {self._told[line].name}: it fakes its lines"
            )

    async def _learn(self) -> None:
        """Find out whether the server says how its lines are when asked: RFC 2217 has it, pyserial's does not do it."""
        self._told.pop("rts", None)
        self._send(rfc2217.control(Control.ASK_RTS))
        answers = await self._comes(lambda: "rts" in self._told, within=ASKED_S)
        if self._gone:
            raise KeyingError(f"{self._where} {self._gone}")
        self._answers = answers

    def _send(self, data: bytes) -> None:
        if self._gone:
            raise KeyingLocalError(f"{self._where} is gone: {self._gone}")
        self._writer.write(data)

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        if not await self._comes(true, within=TOLD_WITHIN_S):
            raise KeyingError(f"{self._where} {what}: it carries no control lines")

    async def _comes(self, true: Callable[[], bool], *, within: float) -> bool:
        """Whether what the server tells makes ``true()`` so in time. Raises KeyingError where it is gone first."""
        try:
            async with asyncio.timeout(within):
                while not true():
                    if self._gone:
                        raise KeyingError(f"{self._where} {self._gone}")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def _read(self, reader: asyncio.StreamReader) -> None:
        why = "the connection has ended"
        try:
            while data := await reader.read(4096):
                for event in self._reader.feed(data):
                    self._take(event)
                if self._reader.replies:
                    self._writer.write(bytes(self._reader.replies))
                    self._reader.replies.clear()
                    await self._writer.drain()  # a server that asks and does not read is not read either
        except (OSError, KeyingError) as error:
            why = str(error) or type(error).__name__
        self._go(why)

    def _go(self, why: str) -> None:
        if not self._gone:
            self._gone = why
            self._news.set()
            self._writer.close()  # a connection that is held on to would hold its key as well
            self._lost(why)

    def _take(self, event: rfc2217.Event) -> None:
        match event:
            case ControlTold(told):
                self._told["rts" if told >= Control.ASK_RTS else "dtr"] = told
            case ModemState():
                self._inputs = Inputs(
                    ModemState.CTS in event, ModemState.DSR in event, ModemState.CD in event, ModemState.RI in event
                )
                self._changed(self._inputs)
            case Refusal.COM_PORT:
                self._go("does not do RFC 2217: it carries no control lines")
        self._news.set()

    async def close(self) -> None:
        self._gone = self._gone or "it was closed"
        self._news.set()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._writer.close()


def _address(url: str) -> tuple[str, int]:
    try:
        split = urlsplit(url)
        host, port = split.hostname, split.port
    except ValueError:  # brackets that don't match, or no port of 0 to 65535
        host = port = None
    if not host or not port:
        raise KeyingLocalError(f"{url}: rfc2217://host:port is meant")
    return host, port
