"""What comes in on a call besides speech: keys, which menus, queues or positions take, and typed text.

Theory. A key comes as a telephone event (RFC 4733) or in INFO. Some gateways send both; so of each call the way counts
by which its first key came. A caller who can't speak answers by pressing keys: presses in a row are counted, and shown
as yes or no once no further one has come for a while (NICCS-TEL-008).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from harness.journal import Event
from simulators.iccs.arrival import SILENT
from simulators.iccs.attendant import Attendant
from simulators.iccs.calls import SwitchCall
from simulators.iccs.positions import Position
from simulators.iccs.shared import Shared
from simulators.iccs.treatment import Treatment

MAX_TEXT_ENTRY = 2000
"""Characters of text that one line of a record keeps."""


@dataclass(slots=True, eq=False)
class _Presses:
    """A silent caller's presses in a row."""

    count: int
    timer: asyncio.TimerHandle


class Keys:
    """Keys and text of all calls."""

    def __init__(self, shared: Shared, attendant: Attendant, treatment: Treatment) -> None:
        self._shared = shared
        self._attendant = attendant
        self._treatment = treatment
        self._by_port: dict[str, SwitchCall] = {}
        self._ways: dict[SwitchCall, str] = {}
        self._presses: dict[SwitchCall, _Presses] = {}
        self._forget = shared.journal.subscribe(self._heard)

    def stop(self) -> None:
        """Listen no more."""
        self._forget()
        for presses in self._presses.values():
            presses.timer.cancel()

    def listen(self, call: SwitchCall) -> None:
        """Take what comes on a call's leg."""
        leg = call.leg
        for port in (leg.port, leg.text) if leg is not None else ():
            if port is not None:
                self._by_port[port.name] = call

    def over(self, call: SwitchCall) -> None:
        """A call has ended."""
        self._ways.pop(call, None)
        presses = self._presses.pop(call, None)
        if presses is not None:
            presses.timer.cancel()
        leg = call.leg
        for port in (leg.port, leg.text) if leg is not None else ():
            if port is not None:
                self._by_port.pop(port.name, None)

    def _heard(self, event: Event) -> None:
        call = self._by_port.get(event.source)
        if call is None:
            return
        if event.kind == "dtmf.received":
            self.pressed(call, str(event.data.get("digit")), by="RTP")
        elif event.kind == "text.received":
            self._typed(call, str(event.data.get("text")))

    def pressed(self, call: SwitchCall, digit: str, *, by: str) -> None:
        """The other side of a call pressed a key; ``by``: RTP or INFO."""
        if self._ways.setdefault(call, by) != by or call.is_over:
            return
        if self._attendant.key(call, digit) or self._treatment.key(call, digit):
            return
        for position in self._whose(call):
            self._shared.positions.tell(position, "call.dtmf", call=call.id, digit=digit)
        if SILENT in call.flags and call.conversation is not None:
            self._tap(call)

    def _tap(self, call: SwitchCall) -> None:
        before = self._presses.get(call)
        if before is not None:
            before.timer.cancel()
        timer = asyncio.get_running_loop().call_later(self._shared.settings.taps.window_s, self._tapped, call)
        self._presses[call] = _Presses(1 if before is None else before.count + 1, timer)

    def _tapped(self, call: SwitchCall) -> None:
        taps, count = self._shared.settings.taps, self._presses.pop(call).count
        means = {taps.yes: "yes", taps.no: "no"}.get(count, "not clear")
        call.record.note(self._shared.now(), "taps", count=count, means=means)
        for position in self._whose(call):
            self._shared.positions.tell(position, "call.taps", call=call.id, count=count, means=means)

    def _typed(self, call: SwitchCall, text: str) -> None:
        call.record.note(self._shared.now(), "text from the caller", text=text[:MAX_TEXT_ENTRY])
        for position in self._whose(call):
            self._shared.positions.tell(position, "call.text", call=call.id, text=text)

    @staticmethod
    def _whose(call: SwitchCall) -> list[Position]:
        """Who has a call, also on hold."""
        return call.conversation.everyone if call.conversation is not None else []
