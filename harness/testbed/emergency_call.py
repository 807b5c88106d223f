"""What every suite of a 999 call begins with: a caller asks the operator for help, an adviser takes the call."""

from __future__ import annotations

from harness.drivers.caller import CallerPhone
from harness.drivers.console import Console
from harness.drivers.phone_call import PhoneCall
from harness.journal import Event
from harness.testbed.clips import read_clip

OPERATOR_ANSWERS_S = 10.0
"""A 999 operator answers within this."""
CONNECTS_S = 20.0
"""The operator asks which service, and the control room is rung, within this."""
THROUGH_S = 2.0
"""An adviser who answers has the caller within this."""


async def call_for_help(caller: CallerPhone) -> PhoneCall:
    """Dial 999 and tell the operator what is needed. Raises ExpectationError where no operator answers."""
    call = await caller.dial("999")
    await call.answered(within=OPERATOR_ANSWERS_S)
    await call.say(read_clip("caller-999"))
    return call


async def in_hand(caller: CallerPhone, adviser: Console) -> tuple[PhoneCall, Event]:
    """A 999 call that ``adviser`` has taken, and the event of it (``call.connected``).

    Raises ExpectationError where the call doesn't ring at the adviser, or isn't through once it is answered.
    """
    call = await call_for_help(caller)
    shown = await adviser.expect("call.ringing", within=CONNECTS_S, cli=caller.number)
    await adviser.answer(call=shown.data["call"])
    return call, await adviser.expect("call.connected", within=THROUGH_S, call=shown.data["call"])
