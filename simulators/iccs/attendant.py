"""Leads callers through the menus: says what a walk wants said, hands it their keys, and passes on where it leads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from simulators.iccs.calls import SwitchCall
from simulators.iccs.ivr import Action, Go, Listen, Say, Walk
from simulators.iccs.shared import Shared


@dataclass(slots=True, eq=False)
class _Visit:
    """One call's time in the menus."""

    call: SwitchCall
    walk: Walk
    task: asyncio.Task[None] | None = None
    """What it waits for: the end of what is said, or of the silence."""


class Attendant:
    """All calls that are in the menus."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._visits: dict[SwitchCall, _Visit] = {}
        self.leads_to: Callable[[SwitchCall, str | None, str | None], None]
        """Given the call and where it leads: a queue, or something to hear before it is cleared."""

    def begin(self, call: SwitchCall, menu: str) -> None:
        """Lead a call, which has been answered, through a menu."""
        visit = self._visits[call] = _Visit(call, Walk(self._shared.settings.ivr, menu))
        self._do(visit, visit.walk.start())

    def key(self, call: SwitchCall, digit: str) -> bool:
        """A caller pressed a key; whether it is in the menus."""
        visit = self._visits.get(call)
        if visit is None:
            return False
        self._shared.journal.record("iccs", "ivr.key", menu=visit.walk.name, digit=digit, **call.shown())
        self._do(visit, visit.walk.key(digit))
        return True

    def end(self, call: SwitchCall) -> None:
        """The call has gone."""
        visit = self._visits.pop(call, None)
        if visit is not None:
            self._wait_no_more(visit)

    def _do(self, visit: _Visit, actions: list[Action]) -> None:
        for action in actions:
            self._wait_no_more(visit)
            match action:
                case Say(clips):
                    self._shared.journal.record("iccs", "ivr.said", clips=list(clips), **visit.call.shown())
                    visit.task = self._shared.spawn(self._say(visit, clips))
                case Listen(seconds):
                    visit.task = self._shared.spawn(self._listen(visit, seconds))
                case Go(queue, say, keys):
                    del self._visits[visit.call]
                    if visit.call.leg is not None:
                        visit.call.leg.hush()
                    visit.call.record.note(self._shared.now(), "through the menu", keys=keys, queue=queue, say=say)
                    self.leads_to(visit.call, queue, say)

    @staticmethod
    def _wait_no_more(visit: _Visit) -> None:
        task, visit.task = visit.task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def _say(self, visit: _Visit, clips: tuple[str, ...]) -> None:
        leg = visit.call.leg
        assert leg is not None, "a call in the menus has been answered"
        await leg.begin(self._shared.clips.said(*clips))
        self._do(visit, visit.walk.said())

    async def _listen(self, visit: _Visit, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._do(visit, visit.walk.silence())
