"""Private calls of a terminal equipment: to another terminal, simplex or duplex, called or answered (`ATD`, `ATA`)."""

from __future__ import annotations

import asyncio
import contextlib

from harness.endpoints.pei.gate import Permit
from harness.endpoints.pei.line import PeiLine
from harness.errors import PeiLocalError
from harness.protocols.pei import commands
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import ReleaseCause, describe
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.unsolicited import CallReleased, Connected
from harness.protocols.tetra.identity import parse_ssi
from harness.transport.context import Context

ANSWER_S = 45.0
"""Seconds within which a private call is answered: longer than a network lets one ring."""
CONNECT_S = 10.0
"""Seconds from `ATA` to the network's `+CTCC`."""


class PrivateCalls(PeiLine):
    """A line that can set up calls, one set-up at a time."""

    def __init__(self, context: Context, name: str, url: str, baud: int, permit: Permit | None) -> None:
        super().__init__(context, name, url, baud, permit)
        self._set_ups = asyncio.Lock()

    def call_on(self, ssi: int | str) -> int | None:
        """The call instance that is up with a group or a terminal, or None."""
        digits = str(parse_ssi(str(ssi)))
        return next((cc for cc in self._machine.calls if self._ends.get(cc) == digits), None)

    def state_of(self, cc: int) -> CallState:
        """Where a call is."""
        return self._machine.calls.get(cc, CallState.IDLE)

    async def call_terminal(
        self,
        issi: int | str,
        *,
        duplex: bool = False,
        direct: bool = False,
        priority: int = 0,
        within: float = ANSWER_S,
    ) -> int:
        """Call another terminal and return the call's instance once it is through.

        `duplex`: both talk at once, else each must ask to talk; `direct`: it need not be answered (`hook` 1);
        `priority` 0-15: 12 and up pre-empt the called terminal's call, 15 is an emergency. A call that is not answered
        within `within` seconds is cleared.

        Raises:
            PeiLocalError: refused by the terminal, released (with the cause), or not through in time.
            InterlockError: not permitted; nothing left.
        """
        digits = str(parse_ssi(str(issi)))
        definition = commands.DefineCall(hook=int(direct), simplex=int(not duplex), comms=0, priority=priority)
        self._gate.ask("call", digits, priority)
        listener = self._listen(lambda code: self._answers_call(code, digits))
        try:
            async with self._set_ups:
                await self.command(definition.line(), about=digits)
                self._dialled, self._dialled_private, self._set_up_cc = digits, True, None
                try:
                    await self.command(commands.Dial(digits).line())
                except PeiLocalError:
                    self._dialled = None
                    raise
            answer = await self._heard(listener, within, f"answer of {digits}")
        except (PeiLocalError, asyncio.CancelledError):
            if self.lost is None and (self._dialled == digits or self.call_on(digits) is not None):
                self._dialled = None
                with contextlib.suppress(PeiLocalError):  # journalled as the refused command that it is
                    await self.hang_up()
            raise
        finally:
            self._unlisten(listener)
        return self._connected(answer, digits)

    def _answers_call(self, code: Unsolicited, digits: str) -> bool:
        if isinstance(code, Connected):
            return self._ends.get(code.cc) == digits
        # A set-up that fails at once is released under an instance that nothing named before.
        return isinstance(code, CallReleased) and (
            code.cc == self._set_up_cc if self._set_up_cc is not None else code.cc not in self._ends
        )

    async def answer(self, *, within: float = CONNECT_S) -> int:
        """Take the private call that comes in (`ATA`) and return its instance once it is through.

        Raises PeiLocalError: no call comes in, it was released, or it was not through in time.
        """
        cc = next((cc for cc, state in self._machine.calls.items() if state is CallState.INCOMING), None)
        if cc is None:
            raise PeiLocalError(f"{self.name}: no call comes in")
        listener = self._listen(lambda code: isinstance(code, Connected | CallReleased) and code.cc == cc)
        try:
            await self.command("ATA")
            return self._connected(await self._heard(listener, within, f"connection of call {cc}"), str(cc))
        finally:
            self._unlisten(listener)

    def _connected(self, answer: Unsolicited, target: str) -> int:
        if isinstance(answer, CallReleased):
            self._dialled = None
            raise PeiLocalError(f"{self.name}: call to {target} released: {describe(ReleaseCause, answer.cause)}")
        assert isinstance(answer, Connected)
        return answer.cc

    async def hang_up(self) -> None:
        """Clear the calls that are up (`ATH`). Raises PeiLocalError."""
        await self.command("ATH")
