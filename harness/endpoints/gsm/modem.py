"""A modem at its end of a serial line, or behind a TCP port as a terminal server has it: one machine, one client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.errors import TransportError
from harness.protocols.gsm.errors import Cms
from harness.protocols.gsm.modem import BadInput, CommandCarriedOut, ModemMachine, Received, Send
from harness.protocols.gsm.pdu import Deliver, StatusReport
from harness.transport.context import Context
from harness.transport.serial_line import SerialLine, offer_serial
from harness.transport.stream import StreamConnection, StreamListener, listen_stream
from harness.transport.tap import NullTap

DEFAULT_BAUD = 115_200
BODY_S = 60.0
"""Seconds for which the message after a prompt is waited for. No standard gives a figure; people type."""
ACKNOWLEDGED_S = 15.0
"""Seconds for which `AT+CNMA` is waited for (TS 24.011's timer TC1N is of that order; the figure is not confirmed)."""
SHOWN = 160
"""Characters of a command line that are journalled; a PIN is not."""
BAD_INPUT_JOURNALLED = 200
"""Bad lines journalled one by one on one line; the rest are counted, and told when it closes."""


class Modem:
    """A modem on a line. Events: ``modem.command`` {text}, ``modem.bad_input`` {why}, ``modem.unread`` {why}.

    Nothing is captured: in a PDU's hex and behind an IMSI's question stand numbers that a capture's mask does not see.
    """

    def __init__(
        self,
        context: Context,
        name: str,
        machine: ModemMachine,
        *,
        send: Callable[[Send], None],
        received: Callable[[Received], None],
    ) -> None:
        self.name = name
        self.machine = machine
        self.tcp: tuple[str, int] | None = None
        """Where it is reached by TCP, as ``socket://host:port``."""
        self._context = context
        self._send, self._received = send, received
        self._line: SerialLine | None = None
        self._listener: StreamListener | None = None
        self._client: StreamConnection | None = None
        self._to_client = False
        """Whether bytes came by TCP last: answers and codes go where the equipment is."""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._bad_inputs = 0

    async def offer(self, *, baud: int = DEFAULT_BAUD, virtual: bool) -> str:
        """Offer a pseudo-terminal, or ``virtual://NAME``, and return what equipment opens. Raises TransportError."""
        self._line = await offer_serial(
            self.name,
            receive=lambda data: self._take(data, by_tcp=False),
            lost=self._gone,
            tap=NullTap(),
            baud=baud,
            virtual=virtual,
        )
        return self._line.url

    async def listen(self, host: str, port: int) -> None:
        """Offer a TCP port whose bytes are the line's. Raises TransportError."""
        self._listener = await listen_stream((host, port), lambda: self, tap=NullTap())
        self.tcp = self._listener.local

    def close(self) -> None:
        """Take the line away."""
        for timer in self._timers.values():
            timer.cancel()
        if self._bad_inputs > BAD_INPUT_JOURNALLED:
            self._context.journal.warn(self.name, "modem.bad_inputs", lines=self._bad_inputs)
        if self._listener is not None:
            self._listener.close()
        if self._client is not None:
            self._client.close()
        if self._line is not None:
            self._line.close()

    # -- the network's side ------------------------------------------------------------------------------------------

    def deliver(self, token: int, message: Deliver | StatusReport) -> None:
        """Hand on a message that came; ``received`` is told what became of it."""
        self.machine.deliver(token, message)
        self._settle()

    def sent(self) -> None:
        """The network took the message."""
        self.machine.sent()
        self._settle()

    def refused(self, error: Cms) -> None:
        """The network refused it."""
        self.machine.refused(error)
        self._settle()

    def register(self, *, registered: bool, signal: int | None = None) -> None:
        """The network has the modem, or has it no longer."""
        self.machine.register(registered=registered, signal=signal)
        self._settle()

    # -- the line's side ---------------------------------------------------------------------------------------------

    def opened(self, connection: StreamConnection) -> None:
        """A TCP client is there; one that was there before is left, as a terminal server does."""
        if self._client is not None:
            self._client.close()
        self._client = connection
        self._to_client = True

    def received(self, connection: StreamConnection, data: bytes) -> None:
        """A TCP client's bytes."""
        if connection is self._client:
            self._take(data, by_tcp=True)

    def lost(self, connection: StreamConnection, why: str) -> None:
        """A TCP client went."""
        if connection is self._client:
            self._client, self._to_client = None, False

    def _take(self, data: bytes, *, by_tcp: bool) -> None:
        self._to_client = by_tcp
        self.machine.receive(data)
        self._settle()

    def _settle(self) -> None:
        """Write what is due, hand requests on, and watch what is waited for."""
        # The result of a command goes out before the network acts on it: its codes come after.
        self._flush()
        for request in self.machine.take_requests():
            match request:
                case Send():
                    self._send(request)
                case Received():
                    self._received(request)
                case CommandCarriedOut(text):
                    shown = "AT+CPIN=…" if "+CPIN=" in text.upper() else text[:SHOWN]
                    self._context.journal.record(self.name, "modem.command", text=shown)
                case BadInput(error):
                    self._bad_inputs += 1
                    if self._bad_inputs <= BAD_INPUT_JOURNALLED:
                        self._context.journal.warn(self.name, "modem.bad_input", why=str(error))
        self._watch("body", self.machine.awaits_body, BODY_S, self.machine.give_up_body)
        self._watch(
            "acknowledgement",
            self.machine.awaits_acknowledgement,
            ACKNOWLEDGED_S,
            self.machine.acknowledgement_overdue,
        )

    def _watch(self, what: str, due: bool, within: float, overdue: Callable[[], None]) -> None:
        timer = self._timers.get(what)
        if not due and timer is not None:
            self._timers.pop(what).cancel()
        elif due and timer is None:
            self._timers[what] = asyncio.get_running_loop().call_later(within, self._overdue, what, overdue)

    def _overdue(self, what: str, overdue: Callable[[], None]) -> None:
        del self._timers[what]
        self._context.journal.warn(self.name, "modem.overdue", what=what)
        overdue()
        self._settle()

    def _flush(self) -> None:
        data = self.machine.take_output()
        if not data:
            return
        if self._to_client and self._client is not None:
            self._client.send(data)
        elif self._line is not None:
            try:
                self._line.write(data)
            except TransportError as error:
                # Nobody reads the line: a real modem's codes go nowhere too.
                self._context.journal.warn(self.name, "modem.unread", why=str(error))

    def _gone(self, why: str) -> None:
        self._context.journal.warn(self.name, "modem.lost", why=why)
