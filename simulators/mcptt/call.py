"""One group's call at the server: its legs, its floor, and who hears whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Final

from harness.errors import HarnessError
from harness.protocols.mcptt.description import with_floor, with_its_floor
from harness.protocols.mcptt.info import FloorTerms
from harness.protocols.mcptt.messages import FloorMessage, FloorType, Indicator
from harness.protocols.mcptt.server import NEVER, FloorServer, Happened, What
from harness.protocols.mcptt.timers import ServerTimers
from harness.transport.context import Context
from simulators.mcptt.legs import MAX_EARLY, Leg
from simulators.mcptt.settings import GroupSettings, McpttSettings

MEDIA_CHECK_S: Final = 0.25
"""How often it is looked whether a talker's speech comes."""
MAX_LEGS: Final = 2_000
MAX_CHANGES: Final = 10_000
"""Changes of who hears whom, and what is said of them, that may wait for the media service."""
_AS_IT_IS, _NOBODY = "\0as it is", "\0nobody"
"""Whom all hear from now on, where that is no user."""
Messages = list[tuple[str, FloorMessage]]
"""(user, message)."""


class ControlledCall:
    """The call of one group (the controlling MCPTT function)."""

    kind: ClassVar[str] = "group"
    """What its journal events are of."""

    def __init__(
        self,
        context: Context,
        name: str,
        group: GroupSettings,
        settings: McpttSettings,
        over: Callable[[ControlledCall], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.group = group
        self.legs: dict[str, Leg] = {}
        self.settings = settings
        self.floor = FloorServer(context.rng.getrandbits(32), loop.time(), settings.floor.rules(), self._timers())
        self._silent = False
        self._journal = context.journal
        self._name = name
        self._over = over
        self._timer: asyncio.TimerHandle | None = None
        self._changes: asyncio.Queue[tuple[str, Messages]] = asyncio.Queue(MAX_CHANGES)
        self._late: set[asyncio.TimerHandle] = set()
        self._tasks = [loop.create_task(self._follow()), loop.create_task(self._listen())]

    # Legs

    def answer(self, leg: Leg, offered: bytes) -> bytes:
        """Our answer to a user's offer. Raises McpttError and SdpError: a 488 is due."""
        speech, leg.terms, peer = with_its_floor(offered, "an offer")
        leg.wishes = leg.terms.implicit_request
        answer = leg.media.answer(speech)
        leg.floored.peer = peer
        return with_floor(answer, self._terms(leg))

    def offer(self, leg: Leg) -> bytes:
        """Our offer to a user who is called. Raises SdpLocalError."""
        return with_floor(leg.media.offer(), self._terms(leg))

    def take_answer(self, leg: Leg, answer: bytes) -> None:
        """A called user's answer. Raises McpttError and SdpError."""
        speech, leg.terms, peer = with_its_floor(answer, "an answer")
        leg.media.take_answer(speech)
        leg.floored.peer = peer

    def _terms(self, leg: Leg) -> FloorTerms:
        return FloorTerms(leg.floored.number, queueing=self.settings.floor.queueing, priority=self.limit(leg.user))

    def _timers(self) -> ServerTimers:
        return self.settings.timers.timers()

    def receives_only(self, user: str) -> bool:
        """Whether a user may not talk in this call."""
        return any(each.name == user and each.receive_only for each in self.settings.users)

    def limit(self, user: str) -> int:
        """The highest priority that a user gets in this group."""
        own = next((each.priority for each in self.settings.users if each.name == user), 255)
        return own if self.group.priority is None else min(own, self.group.priority)

    async def join(self, leg: Leg) -> None:
        """A leg is up: its user is in the call. Raises MediaError."""
        await leg.media.join()
        if leg.sip is None or leg.sip.is_over or self.legs.get(leg.user) is not leg:
            return
        leg.joined = True
        terms = leg.terms
        now = asyncio.get_running_loop().time()
        self.floor.join(
            leg.user,
            leg.ssrc,
            limit=self.limit(leg.user),
            receive_only=self.receives_only(leg.user),
            queueing=terms is not None and terms.queueing,
        )
        self._record("joined", leg.user)
        if self.floor.holder is not None:
            self._follow_later(self.floor.holder.user, [])
        self._work([])
        if leg.wishes:
            indicator = Indicator.EMERGENCY if leg.emergency else None
            request = FloorMessage(FloorType.REQUEST, leg.ssrc, indicator=indicator)
            self._work(self.floor.receive(leg.user, request, now))
        early, leg.early = leg.early, []
        for message in early:
            self._work(self.floor.receive(leg.user, message, now))

    def leave(self, leg: Leg) -> None:
        """A leg is over."""
        if self.legs.get(leg.user) is leg:
            del self.legs[leg.user]
        if leg.joined:
            leg.joined = False
            self._record("left", leg.user)
            self._work(self.floor.leave(leg.user, asyncio.get_running_loop().time()))
        self._left()

    def _left(self) -> None:
        """Somebody left: the last one ends the call."""
        if not self.legs:
            self._over(self)

    def take(self, leg: Leg, message: FloorMessage) -> None:
        """A floor control message of a user's."""
        delay = self.settings.floor.delay_s
        if delay:
            loop = asyncio.get_running_loop()
            handle: asyncio.TimerHandle

            def later() -> None:
                self._late.discard(handle)
                self._receive(leg, message)

            handle = loop.call_later(delay, later)
            self._late.add(handle)
            return
        self._receive(leg, message)

    def _receive(self, leg: Leg, message: FloorMessage) -> None:
        if self.silent:
            return
        if not leg.joined:
            if len(leg.early) < MAX_EARLY:
                leg.early.append(message)
        else:
            self._work(self.floor.receive(leg.user, message, asyncio.get_running_loop().time()))

    async def close(self) -> None:
        """The call is over."""
        if self._timer is not None:
            self._timer.cancel()
        for handle in self._late:
            handle.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for leg in tuple(self.legs.values()):
            leg.hang_up()
            await leg.close()
        self.legs.clear()

    def shown(self) -> dict[str, Any]:
        """What the control interface tells."""
        return {
            "group": self.group.name,
            "users": list(self.floor.users),
            "talker": self.floor.holder.user if self.floor.holder is not None else None,
            "emergency": self.floor.holder is not None and self.floor.holder.rank == 2,
            "waiting": list(self.floor.waiting),
            "state": str(self.floor.state),
        }

    # The floor

    @property
    def silent(self) -> bool:
        """A fault: nothing is said or done about the floor, and its clocks stand still."""
        return self._silent

    @silent.setter
    def silent(self, silent: bool) -> None:
        self._silent = silent
        self._expired()

    def _expired(self) -> None:
        self._work([] if self._silent else self.floor.expire(asyncio.get_running_loop().time()))

    def _work(self, happened: list[Happened]) -> None:
        floor = self.floor
        out, floor.out[:] = list(floor.out), []
        path = _AS_IT_IS
        for each in happened:
            self._record(str(each.what), each.user, **({"cause": each.cause} if each.cause is not None else {}))
            if each.what is What.GRANTED:
                path = each.user
            elif each.what is What.IDLE:
                path = _NOBODY
            elif each.what is What.INACTIVE:
                self._release()
                return
        if out or path is not _AS_IT_IS:
            self._follow_later(path, out)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # What is due while the floor is silent would be due again and again.
        if floor.next_at != NEVER and not self._silent:
            self._timer = asyncio.get_running_loop().call_at(floor.next_at, self._expired)

    def _named(self, message: FloorMessage) -> FloorMessage:
        """With whole MCPTT IDs where the floor knows users by name."""
        if not message.granted_party:
            return message
        return replace(message, granted_party=f"sip:{message.granted_party}@{self.settings.domain}")

    def _release(self) -> None:
        """Nobody talked for T4: everybody is released."""
        for leg in tuple(self.legs.values()):
            leg.hang_up()

    def _record(self, kind: str, user: str, **data: Any) -> None:
        told = {self.kind: self.group.name, "user": user, **data}
        self._journal.append(self._name, f"{self.kind}.{kind.replace(' ', '_')}", told)

    def _warn(self, kind: str, **data: Any) -> None:
        self._journal.warn(self._name, f"{self.kind}.{kind}", **{self.kind: self.group.name}, **data)

    # Speech, and what is said of it

    def _follow_later(self, path: str, messages: Messages) -> None:
        try:
            self._changes.put_nowait((path, messages))
        except asyncio.QueueFull:
            self._warn("media_overrun", waiting=MAX_CHANGES)

    async def _follow(self) -> None:
        """Everybody hears the talker alone; who talks is told once it is so, or its first words would be lost."""
        while True:
            path, messages = await self._changes.get()
            if path is not _AS_IT_IS:
                source = self.legs.get(path)
                legs = [leg for leg in self.legs.values() if leg.joined]
                await asyncio.gather(*(self._let_hear(leg, source) for leg in legs))
            for user, message in messages:
                leg = self.legs.get(user)
                if leg is not None and not self.silent:
                    leg.floored.send(self._named(message))

    async def _let_hear(self, leg: Leg, source: Leg | None) -> None:
        try:
            if source is None or leg is source:
                await leg.media.port.hear()
            else:
                await leg.media.port.hear(source.media.port)
        except HarnessError as error:
            self._warn("media_failed", user=leg.user, why=str(error))

    async def _listen(self) -> None:
        """Tell the floor whose speech comes: the talker's at once, the others' one after the other."""
        turn = 0
        while True:
            await asyncio.sleep(MEDIA_CHECK_S)
            legs = [leg for leg in self.legs.values() if leg.joined]
            holder = self.floor.holder
            looked = [leg for leg in legs if holder is not None and leg.user == holder.user]
            if legs:
                turn = (turn + 1) % len(legs)
                looked += [leg for leg in legs[turn : turn + 1] if leg not in looked]
            for leg in looked:
                await self._look(leg)

    async def _look(self, leg: Leg) -> None:
        try:
            came = (await leg.media.port.stats()).packets_received
        except HarnessError:
            return  # it is being closed
        if came > leg.packets and not self.silent:
            _, happened = self.floor.media(leg.user, asyncio.get_running_loop().time())
            self._work(happened)
        leg.packets = came
