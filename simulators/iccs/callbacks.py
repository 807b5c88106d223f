"""Callers who are to be called back: what keeps their place in the queue, how often they are tried, what came of it.

Theory. Accepting makes a call without a wire, with the waiting time of the caller, in the caller's place. When an
adviser takes it, the caller is rung; one who is not reached goes back to the same place, but not before a while has
passed, until the attempts are used up. The record is the caller's throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulators.iccs.calls import SwitchCall
from simulators.iccs.settings.queues import CallbackSettings
from simulators.iccs.shared import Shared

MAX_CALLBACKS = 10_000
"""Callers who may be due to be called back at once; what comes on top is not offered it."""


@dataclass(slots=True)
class Callback:
    """One caller who is due to be called back."""

    number: str
    settings: CallbackSettings
    accepted: float
    """Run time at which it was accepted, seconds."""
    attempts: int = 0
    """Times that the caller was rung."""
    not_before: float = 0.0
    """Run time before which the caller is not to be rung."""


class Callbacks:
    """All callbacks of one switch."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._due: dict[str, SwitchCall] = {}

    @property
    def has_room(self) -> bool:
        """Whether another caller may be offered one."""
        return len(self._due) < MAX_CALLBACKS

    def accept(self, call: SwitchCall, ticket: SwitchCall, settings: CallbackSettings) -> None:
        """Let ``ticket`` stand for the caller of ``call`` from now on."""
        now = self._shared.now()
        ticket.callback = Callback(call.cli or "", settings, now)
        ticket.notes["callback"] = True
        self._due[ticket.id] = ticket
        self._shared.figures.callback(call.queue, "accepted")
        call.record.outcome = "callback due"
        call.record.note(now, "callback accepted", waited_s=round(now - call.since, 3))

    def rung(self, ticket: SwitchCall) -> None:
        """The caller is rung once more."""
        callback = ticket.callback
        assert callback is not None
        callback.attempts += 1
        ticket.record.note(self._shared.now(), "callback attempt", attempt=callback.attempts)

    def reached(self, ticket: SwitchCall) -> None:
        """The caller has answered."""
        if self._due.pop(ticket.id, None) is not None:
            self._shared.figures.callback(ticket.queue, "reached")
            ticket.record.outcome = "called back"

    def missed(self, ticket: SwitchCall, reason: str) -> bool:
        """The caller was not reached; whether another attempt is due."""
        callback, now = ticket.callback, self._shared.now()
        assert callback is not None
        ticket.record.note(now, "callback failed", attempt=callback.attempts, reason=reason)
        callback.not_before = now + callback.settings.retry_s
        return callback.attempts < callback.settings.attempts

    def give_up(self, ticket: SwitchCall) -> None:
        """No more attempts are made."""
        if self._due.pop(ticket.id, None) is not None:
            self._shared.figures.callback(ticket.queue, "not reached")
            ticket.record.outcome = "not reached"

    def shown(self) -> list[dict[str, Any]]:
        """Return those that are due, the longest waiting first."""
        now = self._shared.now()
        found = []
        for ticket in sorted(self._due.values(), key=lambda each: each.since):
            callback = ticket.callback
            assert callback is not None
            found.append(
                {
                    **ticket.shown(),
                    "waiting_s": round(now - ticket.since, 3),
                    "attempts": callback.attempts,
                    "of": callback.settings.attempts,
                    "not_before": round(callback.not_before, 3),
                }
            )
        return found
