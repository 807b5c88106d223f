"""What waiting callers hear: that all are busy, music, their place in the queue, the offer to be called back.

Theory. One task for each call that waits sleeps until the next thing is due, does it, and goes on; it ends when the
call is taken or goes. What is said is cut then. A call that nobody has answered hears it as early media, or is answered
for it, as its queue says; the network is told meanwhile, by 182, that the call is queued and not lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from harness.errors import HarnessError
from simulators.iccs.callbacks import Callbacks
from simulators.iccs.calls import SwitchCall
from simulators.iccs.clips import CALLBACK_OFFER, RINGING_TONE, Clips
from simulators.iccs.distribution import Distribution
from simulators.iccs.settings import QueueSettings
from simulators.iccs.shared import Shared

GLANCE_S = 1.0
"""How often a queue whose advisers are not all busy is looked at again, until the announcement is due."""


@dataclass(slots=True, eq=False)
class _Stay:
    """One call's stay in a queue."""

    call: SwitchCall
    queue: QueueSettings
    task: asyncio.Task[None] | None = None
    due: dict[str, float] = field(default_factory=dict)
    """Run time at which each thing is due."""
    key: asyncio.Future[str] | None = None
    """A key that is waited for."""


class Treatment:
    """Every waiting caller's."""

    def __init__(self, shared: Shared, distribution: Distribution, callbacks: Callbacks) -> None:
        self._shared = shared
        self._distribution = distribution
        self._callbacks = callbacks
        self._stays: dict[SwitchCall, _Stay] = {}
        self.be_heard: Callable[[SwitchCall, bool], Awaitable[bool]]
        """Makes a call one that can be spoken to; given it and whether by early media. Says whether that could be."""
        self.queued: Callable[[SwitchCall], None] = lambda _call: None
        """Tells the network that a call is queued still."""
        self.call_back: Callable[[SwitchCall], Awaitable[None]]
        """Turns a call into a callback."""

    def begin(self, call: SwitchCall) -> None:
        """A call begins to wait in its queue."""
        if call.callback is not None or call.sip is None or call in self._stays:
            return
        stay = _Stay(call, self._distribution.queues.settings(call))
        self._plan(stay)
        if stay.due or self._is_answered(call):
            self._stays[call] = stay
            stay.task = self._shared.spawn(self._treat(stay))

    def end(self, call: SwitchCall) -> None:
        """It waits no more: what it hears is cut."""
        stay = self._stays.pop(call, None)
        if stay is None:
            return
        stay.due.clear()  # a caller who accepts to be called back is ended from within the treatment
        if stay.task is not None and stay.task is not asyncio.current_task():
            stay.task.cancel()
        if call.leg is not None:
            call.leg.hush()

    def key(self, call: SwitchCall, digit: str) -> bool:
        """A waiting caller pressed a key; whether it was waited for."""
        stay = self._stays.get(call)
        if stay is None:
            return False
        if stay.key is not None and not stay.key.done():
            stay.key.set_result(digit)
        return True

    def _plan(self, stay: _Stay) -> None:
        waiting, callback = stay.queue.waiting, stay.queue.callback
        since, now = stay.call.since, self._shared.now()
        if waiting.busy is not None:
            stay.due["busy"] = max(now, since + waiting.busy_after_s)
        if waiting.position_every_s:
            stay.due["place"] = now + waiting.position_every_s
        if waiting.queued_every_s:
            stay.due["queued"] = now + waiting.queued_every_s
        if callback is not None and stay.call.cli is not None:
            stay.due["offer"] = max(now, since + callback.after_s)

    @staticmethod
    def _is_answered(call: SwitchCall) -> bool:
        return call.leg is not None

    async def _treat(self, stay: _Stay) -> None:
        try:
            self._music(stay)
            while stay.due:
                what = min(stay.due, key=lambda each: (stay.due[each], each))
                await asyncio.sleep(max(0.0, stay.due.pop(what) - self._shared.now()))
                await getattr(self, f"_{what}")(stay)
        except HarnessError as error:  # the call went meanwhile
            self._shared.journal.record("iccs", "treatment.cut", call=stay.call.id, reason=str(error))

    def _music(self, stay: _Stay) -> None:
        leg, music = stay.call.leg, stay.queue.waiting.music
        if leg is not None:
            leg.background(music or RINGING_TONE, self._shared.clips[music or RINGING_TONE])

    async def _say(self, stay: _Stay, *clips: str) -> None:
        leg = stay.call.leg
        if leg is not None:
            self._shared.journal.record("iccs", "call.told", clips=list(clips), **stay.call.shown())
            await leg.begin(self._shared.clips.said(*clips))

    # What can be due

    async def _busy(self, stay: _Stay) -> None:
        waiting, now = stay.queue.waiting, self._shared.now()
        if self._distribution.is_served(stay.call):
            stay.due["busy"] = now + GLANCE_S
            return
        if stay.call.leg is None and not await self.be_heard(stay.call, waiting.early):
            return
        assert waiting.busy is not None
        stay.call.record.note(now, "told that all are busy")
        await self._say(stay, waiting.busy)
        stay.due["busy"] = self._shared.now() + waiting.busy_every_s
        self._music(stay)

    async def _queued(self, stay: _Stay) -> None:
        if stay.call.leg is None:
            self.queued(stay.call)
            stay.due["queued"] = self._shared.now() + stay.queue.waiting.queued_every_s

    async def _place(self, stay: _Stay) -> None:
        if self._is_answered(stay.call):
            place = self._distribution.queues.place(stay.call)
            expected = self._distribution.expected_wait_s(stay.call)
            stay.call.record.note(self._shared.now(), "told place", place=place, expected_s=round(expected))
            await self._say(stay, *Clips.place(place), *Clips.wait(expected))
            self._music(stay)
        stay.due["place"] = self._shared.now() + stay.queue.waiting.position_every_s

    async def _offer(self, stay: _Stay) -> None:
        callback = stay.queue.callback
        assert callback is not None
        expected = self._distribution.expected_wait_s(stay.call)
        if not self._is_answered(stay.call) or not self._callbacks.has_room or expected < callback.longer_than_s:
            return
        stay.call.record.note(self._shared.now(), "callback offered", expected_s=round(expected))
        self._shared.journal.record("iccs", "callback.offered", **stay.call.shown())
        stay.key = asyncio.get_running_loop().create_future()
        saying = self._shared.spawn(self._say(stay, CALLBACK_OFFER))
        seconds = self._shared.clips.seconds(CALLBACK_OFFER) + callback.answer_s
        pressed = await self._pressed(stay.key, seconds)
        stay.key = None
        saying.cancel()
        if pressed == callback.digit:
            await self.call_back(stay.call)
        else:
            self._music(stay)

    async def _pressed(self, key: asyncio.Future[str], seconds: float) -> str | None:
        try:
            async with asyncio.timeout(seconds):
                return await key
        except TimeoutError:
            return None
