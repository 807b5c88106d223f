"""The equipment's end of a modem's line: commands with their replies, codes as they come, waits that end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.errors import ModemLocalError, ModemUnansweredError, TransportError
from harness.protocols.gsm.equipment import BadLine, EquipmentMachine, Replied, Reply, Told
from harness.transport.context import Context
from harness.transport.serial_line import SerialLine, open_serial
from harness.transport.tap import NullTap

DEFAULT_BAUD = 115_200
COMMAND_S = 5.0
"""Seconds within which a modem gives a final result."""
SEND_S = 60.0
"""The same for a message that is sent: the network has a say."""
LATE_S = 5.0
"""Seconds for which a result that is overdue is still waited for, before the next command goes out."""
BAD_LINES_JOURNALLED = 200


class ModemLine:
    """One modem, one line. Events: ``modem.bad_line`` {why}, ``modem.lost`` {why}.

    Nothing is captured: in a PDU's hex stand numbers that a capture's mask does not see.
    """

    def __init__(
        self, context: Context, name: str, url: str, told: Callable[[Told], None], lost: Callable[[str], None]
    ) -> None:
        self.name = name
        self.url = url
        self.gone: str | None = None
        """Why the line is gone; None while it is there."""
        self._context = context
        self._told = told
        self._was_lost = lost
        self._machine = EquipmentMachine()
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._late: dict[int, asyncio.TimerHandle] = {}
        self._line: SerialLine
        self._bad_lines = 0

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        url: str,
        *,
        baud: int = DEFAULT_BAUD,
        told: Callable[[Told], None],
        lost: Callable[[str], None],
    ) -> ModemLine:
        """Open a line, any URL of pyserial's or ``virtual://``; nothing is sent yet.

        ``told`` is given codes as they come, ``lost`` why the line is gone. Raises TransportError.
        """
        line = cls(context, name, url, told, lost)
        line._line = await open_serial(url, baud=baud, receive=line._receive, lost=line._lost, tap=NullTap(), name=name)
        return line

    def close(self) -> None:
        """Close the line; whoever waits gets ModemLocalError."""
        self._line.close()
        self._end("the line was closed")

    async def command(self, text: str, *, body: bytes | None = None, within: float = COMMAND_S) -> Reply:
        """Carry a command out; ``body`` is typed at its prompt. Returns the reply, whose result is OK.

        Raises ModemLocalError: refused (with the error's meaning), no result in time, line gone.
        """
        reply = await self.ask(text, body=body, within=within)
        if not reply.ok:
            raise ModemLocalError(f"{self.name}: {text} was refused: {reply.told()}")
        return reply

    async def ask(self, text: str, *, body: bytes | None = None, within: float = COMMAND_S) -> Reply:
        """The same for a command that may be refused: the reply tells.

        Raises ModemLocalError where the line is gone and nothing has left, ModemUnansweredError where it may have.
        """
        if self.gone is not None:
            raise ModemLocalError(f"{self.name}: {text}: line {self.url} is gone ({self.gone})")
        token = self._machine.submit(text, body)
        found: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[token] = found
        try:
            self._flush()
            async with asyncio.timeout(within):
                return await found
        except TimeoutError:
            raise ModemUnansweredError(f"{self.name}: {text}: no final result within {within:g} s") from None
        finally:
            del self._waiting[token]
            if not found.done() or found.cancelled():
                self._machine.give_up(token)
                self._flush()
                self._late[token] = asyncio.get_running_loop().call_later(LATE_S, self._forget, token)

    def _forget(self, token: int) -> None:
        del self._late[token]
        self._machine.forget(token)
        self._flush()

    def _receive(self, data: bytes) -> None:
        for event in self._machine.receive(data):
            match event:
                case Replied(token, reply):
                    found = self._waiting.get(token)
                    if found is not None and not found.done():
                        found.set_result(reply)
                case Told():
                    self._told(event)
                case BadLine(error):
                    self._bad_lines += 1
                    if self._bad_lines <= BAD_LINES_JOURNALLED:
                        self._context.journal.warn(self.name, "modem.bad_line", why=str(error))
        self._flush()

    def _flush(self) -> None:
        data = self._machine.take_output()
        if data and self.gone is None:
            try:
                self._line.write(data)
            except TransportError as error:
                self._lost(str(error))

    def _lost(self, why: str) -> None:
        first = self.gone is None
        self._end(why)
        if first:
            self._context.journal.warn(self.name, "modem.lost", why=why)
            self._was_lost(why)

    def _end(self, why: str) -> None:
        self.gone = self.gone or why
        for timer in self._late.values():
            timer.cancel()
        self._late.clear()
        for found in self._waiting.values():
            if not found.done():
                found.set_exception(ModemUnansweredError(f"{self.name}: line {self.url} is gone ({why})"))
