"""Looks after calls that ring for long: repeats what the caller was told, and ends what nobody will ever answer.

Proxies give an INVITE up after three minutes of silence, so a provisional response is due every minute (RFC 3261
§13.3.1.1). A caller that is gone without a CANCEL would otherwise ring for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.incoming import MAX_RINGING_S, UNANSWERED, IncomingCall
from harness.endpoints.sip.wheel import Timer

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

SWEEP_S: Final = 20.0
"""Seconds between two looks."""
AGAIN: Final = 2
"""Looks after which a provisional response is repeated: 40 to 60 s after the last."""


class Ringing:
    """The unanswered calls of one agent."""

    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent
        self.due: Timer | None = None
        """The next look; None where no call was unanswered."""

    def watch(self) -> None:
        """A call is unanswered."""
        self.due = self._agent.endpoint.wheel.after(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        self.due = None
        waiting = [call for call in self._agent.calls if isinstance(call, IncomingCall) and call.state in UNANSWERED]
        if waiting:
            self.watch()
        for call in waiting:
            call.sweeps += 1
            if call.sweeps * SWEEP_S > MAX_RINGING_S:
                self._agent.warn("sip.rang-too-long", call.hop, call_id=call.id, seconds=MAX_RINGING_S)
                call.expire(480, "Nobody Answered")
            elif call.sweeps % AGAIN == 0:
                call.ring_again()
