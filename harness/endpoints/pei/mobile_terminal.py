"""A terminal at the equipment end of a serial line: the MT machine on a line that it offers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.errors import TransportError
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.mobile_terminal import MobileTerminalMachine
from harness.protocols.pei.requests import BadInput, CommandTaken, Request
from harness.transport.context import Context
from harness.transport.serial_line import SerialLine, offer_serial

DEFAULT_BAUD = 115_200
"""9600, 38400 and 115200 are seen [C]."""
BAD_INPUT_JOURNALLED = 200
"""Bad lines journalled one by one on one line; the rest are counted, and told when it closes."""
BODY_S = 10.0
"""Seconds for which the hex of an `AT+CMGS` is waited for; then `+CME ERROR: 37`. The figure is [U]."""


class MobileTerminal:
    """A terminal's PEI: answers commands, hands requests to `requested`, writes codes."""

    def __init__(
        self, context: Context, name: str, machine: MobileTerminalMachine, requested: Callable[[Request], None]
    ) -> None:
        self.name = name
        self.machine = machine
        self._context = context
        self._requested = requested
        self._line: SerialLine
        self._body_timer: asyncio.TimerHandle | None = None
        self._bad_inputs = 0

    @classmethod
    async def offer(
        cls,
        context: Context,
        name: str,
        machine: MobileTerminalMachine,
        requested: Callable[[Request], None],
        *,
        baud: int = DEFAULT_BAUD,
        virtual: bool,
    ) -> MobileTerminal:
        """Offer a line: a pseudo-terminal, or `virtual://NAME`. Raises TransportError."""
        terminal = cls(context, name, machine, requested)
        terminal._line = await offer_serial(
            name, receive=terminal._receive, lost=terminal._lost, tap=context.tap, baud=baud, virtual=virtual
        )
        return terminal

    @property
    def url(self) -> str:
        """What a terminal equipment opens."""
        return self._line.url

    def tell(self, code: Unsolicited) -> bool:
        """Hand on what the network did; False where the call's state does not allow it."""
        taken = self.machine.tell(code)
        self._flush()
        return taken

    def close(self) -> None:
        """Take the line away."""
        if self._body_timer is not None:
            self._body_timer.cancel()
        if self._bad_inputs > BAD_INPUT_JOURNALLED:
            self._context.journal.warn(self.name, "pei.bad_inputs", lines=self._bad_inputs)
            self._bad_inputs = 0
        self._line.close()

    def _receive(self, data: bytes) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None
        requests = self.machine.receive(data)
        if self.machine.awaits_body:
            self._body_timer = asyncio.get_running_loop().call_later(BODY_S, self._body_overdue)
        # The reply goes out before the network hears of the request: its codes come after the OK.
        self._flush()
        for request in requests:
            if isinstance(request, BadInput):
                self._bad_inputs += 1
                if self._bad_inputs <= BAD_INPUT_JOURNALLED:
                    self._context.journal.warn(self.name, "pei.bad_input", why=str(request.error))
            elif not isinstance(request, CommandTaken):
                self._requested(request)

    def _body_overdue(self) -> None:
        self._body_timer = None
        self.machine.give_up_body()
        self._context.journal.warn(self.name, "pei.body_overdue", within=BODY_S)
        self._flush()

    def _flush(self) -> None:
        data = self.machine.take_output()
        if not data:
            return
        try:
            self._line.write(data)
        except TransportError as error:
            # Nobody reads the line: a real terminal's codes go nowhere too, and it stays on the network.
            self._context.journal.warn(self.name, "pei.unread", why=str(error))

    def _lost(self, why: str) -> None:
        self._context.journal.warn(self.name, "pei.lost", why=why)
