"""What is done at a telephone from afar: it is made to call, and to answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessError, LocalError, SdpError, SipLocalError
from simulators.switch.call import SwitchCall
from simulators.switch.ends import LineEnd, Who
from simulators.switch.identities import written
from simulators.switch.joining import LegState
from simulators.switch.leg import Leg
from simulators.switch.lines import Device, Line, checked_forward
from simulators.switch.numbering import split_prefix
from simulators.switch.placing import AUTO_ANSWER

if TYPE_CHECKING:
    from simulators.switch.core import Core

PICKS_UP_WITHIN_S: Final = 30.0
"""Seconds within which a telephone that is to call answers the switch."""
TALK_WITHIN_S: Final = 5.0
TALK: Final = [("Event", "talk"), ("Subscription-State", "active")]
"""A NOTIFY within the dialog that has a telephone answer, as several makes know it; no RFC has it."""


class Clicks:
    """One node's."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def dial(self, line: Line, dialled: str, device: str | None) -> Leg:
        """Begin a call of a line's; returns the leg to its telephone. Raises LocalError, MediaError."""
        core = self._core
        number, withheld = split_prefix(checked_forward(dialled))
        devices = [each for each in line.devices.values() if device is None or each.name == device]
        if not devices:
            told = f"telephone {device[:40]!r}" if device is not None else "telephone"
            raise LocalError(f"line {line.number} has no {told} registered")
        if len(line.calls) >= line.settings.max_calls:
            raise LocalError(f"line {line.number} has {len(line.calls)} calls and takes no more")
        leg = await self._placed(line, devices[0], number)
        call = core.own_call(leg, number)
        call.called = ""
        if withheld is not None:
            call.who = Who(call.who.number, call.who.display, withheld)
        call.is_click_to_dial = True
        core.tell("call.placed", call)
        call.task = core.spawn(self._go_on(call, leg))
        return leg

    async def _placed(self, line: Line, device: Device, number: str) -> Leg:
        core = self._core
        leg = core.new_leg(LineEnd(line, device), Who(line.number, line.settings.name, line.settings.withheld))
        target = core.lines.find(number)
        shown = Who(number, target.settings.name if target is not None else "")
        caller, headers = written(shown, core.settings.host, (), trusted=False)
        await core.placing.place(None, leg, device.contact, None, caller, [*headers, *AUTO_ANSWER], offers=True)
        return leg

    async def _go_on(self, call: SwitchCall, leg: Leg) -> None:
        core = self._core
        try:
            await leg.sip.answered(within=PICKS_UP_WITHIN_S)
            assert leg.speech is not None
            leg.speech.take_answer(leg.sip.remote_sdp)
        except (SipLocalError, SdpError) as error:
            core.journal.record(call.id, "call.not_picked_up", line=leg.end.number, reason=str(error))
            leg.hang_up()
            return
        await leg.speech.apply()
        await core.run(call)

    async def answer(self, leg: Leg) -> None:
        """Have a telephone answer that rings. Raises LocalError."""
        line = leg.line
        call = leg.call
        if leg.state not in (LegState.PLACED, LegState.RINGING) or line is None or call is None:
            raise LocalError(f"{leg.id} does not ring at a telephone: it is {leg.state}")
        if line.line.settings.remote_control:
            await self._talk(leg)
            return
        if call.rings is None or line.device is None:
            raise LocalError(f"{leg.id} can't be called anew")
        device = line.device
        await call.rings.instead(
            leg, lambda: self._core.placing.to_device(call, line.line, device, answers_itself=True)
        )

    async def _talk(self, leg: Leg) -> None:
        try:
            async with asyncio.timeout(TALK_WITHIN_S):
                if leg.state is LegState.PLACED:
                    await leg.sip.ringing(within=TALK_WITHIN_S)
                response = await leg.sip.send("NOTIFY", headers=TALK, within=TALK_WITHIN_S)
        except (HarnessError, TimeoutError) as error:
            raise LocalError(f"{leg.id}: its telephone did not take the order to answer: {error}") from error
        if response.status >= 300:
            raise LocalError(f"{leg.id}: its telephone says {response.status} {response.reason} to the order to answer")
