"""Where control lines are: a serial device of this machine, or a terminal server that speaks RFC 2217."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Final, Protocol

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


class LinePort(Protocol):
    """Control lines."""

    async def set(self, line: Output, *, on: bool) -> None:
        """Set a line, and return once it is. Raises KeyingLocalError, KeyingError."""

    async def close(self) -> None:
        """Leave the lines as they are and let go of them."""


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

        Raises TransportError where it can't be opened or carries no control lines.
        """
        port = serial.serial_for_url(url, do_not_open=True)
        port.rts = wiring.output(keyed=False) if wiring.key == "rts" else False
        port.dtr = wiring.output(keyed=False) if wiring.key == "dtr" else False
        try:
            port.open()
            opened = cls(port, changed, lost)
            opened._look()
        except (OSError, ValueError) as error:
            port.close()
            raise TransportError(f"{url}: {_why(error)}") from error
        return opened

    async def set(self, line: Output, *, on: bool) -> None:
        try:
            setattr(self._port, line, on)
        except (OSError, ValueError) as error:
            raise KeyingLocalError(f"{self._port.name}: {line.upper()} can't be set: {_why(error)}") from error

    def _look(self) -> None:
        inputs = Inputs(self._port.cts, self._port.dsr, self._port.cd, self._port.ri)
        if inputs != self._last:
            self._last = inputs
            self._changed(inputs)
        self._timer = asyncio.get_running_loop().call_later(POLL_S, self._look_again)

    def _look_again(self) -> None:
        try:
            self._look()
        except (OSError, ValueError) as error:
            self._lost(_why(error))

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._port.close()


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
    async def open(cls, host: str, port: int, wiring: Wiring, changed: Changed, lost: Lost) -> ServerPort:
        """Connect, put both lines at rest, and learn how the others are.

        Raises TransportError where it can't be reached, and KeyingError where it carries no control lines: it will
        not do RFC 2217, or tells nothing of them.
        """
        where = f"the terminal server at {host}:{port}"
        try:
            async with asyncio.timeout(CONNECTS_WITHIN_S):
                reader, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError) as error:
            raise TransportError(f"{where} can't be reached: {error or 'no answer'}") from error
        opened = cls(where, writer, changed, lost)
        opened._task = asyncio.create_task(opened._read(reader))
        try:
            writer.write(rfc2217.opening())
            await opened._learn()
            for line in ("rts", "dtr"):
                on = wiring.output(keyed=False) if wiring.key == line else False
                await opened.set(line, on=on)
            await opened._until(lambda: opened._inputs is not None, "tells nothing of its control lines")
        except BaseException:
            await opened.close()
            raise
        return opened

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
        self._send(rfc2217.control(Control.ASK_RTS))
        try:
            async with asyncio.timeout(ASKED_S):
                while "rts" not in self._told and not self._gone:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return
        if self._gone:
            raise KeyingError(f"{self._where} {self._gone}")
        self._answers = True

    def _send(self, data: bytes) -> None:
        if self._gone:
            raise KeyingLocalError(f"{self._where} is gone: {self._gone}")
        self._writer.write(data)

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(TOLD_WITHIN_S):
                while not true():
                    if self._gone:
                        raise KeyingError(f"{self._where} {self._gone}")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise KeyingError(f"{self._where} {what}: it carries no control lines") from None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        why = "the connection has ended"
        try:
            while data := await reader.read(4096):
                for event in self._reader.feed(data):
                    self._take(event)
                if self._reader.replies:
                    self._writer.write(bytes(self._reader.replies))
                    self._reader.replies.clear()
        except (OSError, KeyingError) as error:
            why = str(error) or type(error).__name__
        self._go(why)

    def _go(self, why: str) -> None:
        if not self._gone:
            self._gone = why
            self._news.set()
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
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._writer.close()
