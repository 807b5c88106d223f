"""The operators' desks, automatic ones and those that are driven by hand, and the calls that wait for one.

Calls wait in the order in which they came. As many of them as hand-driven operators are logged in and free are theirs
to answer; automatic operators take the others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from harness.endpoints.media import MediaPort
from harness.errors import LocalError, MediaError
from harness.protocols.sip.emergency_call import Caller, Operator, Silent, Stage, Why
from simulators.emergency import script
from simulators.emergency.call import EmergencyCall
from simulators.emergency.connecting import Connector
from simulators.emergency.faults import Fault
from simulators.emergency.plant import Plant
from simulators.emergency.records import Outcome


class DeskError(LocalError):
    """A desk was asked for what its state does not allow."""


class UnknownDeskError(DeskError):
    """A desk, or a call, was asked for that is not there."""


@dataclass(slots=True, eq=False)
class Desk:
    """One operator's desk."""

    name: str
    automatic: bool
    call: EmergencyCall | None = None
    jack: MediaPort | None = None
    """The headset's jack of one that is driven by hand; open while somebody is logged in."""
    work: asyncio.Task[None] | None = None
    """What its operator is about."""

    @property
    def is_free(self) -> bool:
        """Whether it can take a call."""
        return self.call is None and (self.automatic or self.jack is not None)

    def shown(self) -> dict[str, Any]:
        """As JSON holds it."""
        jack = None if self.jack is None else f"rtp://{self.jack.address[0]}:{self.jack.address[1]}"
        call = None if self.call is None else self.call.id
        return {"desk": self.name, "logged_in": self.jack is not None, "jack": jack, "call": call}


class Desks:
    """All desks."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._by_hand = {name: Desk(name, automatic=False) for name in plant.settings.operators.desks}
        self._automatic: dict[int, Desk] = {}
        """Those that have a call, by number."""
        self._waiting: deque[EmergencyCall] = deque()
        self._seating = asyncio.Lock()

    def __iter__(self) -> Iterator[Desk]:
        return iter(self._by_hand.values())

    @property
    def waiting(self) -> list[EmergencyCall]:
        """The calls that no operator has answered, oldest first."""
        return list(self._waiting)

    @property
    def busy(self) -> int:
        """Automatic operators that have a call."""
        return len(self._automatic)

    def get(self, name: str) -> Desk:
        """A desk that is driven by hand. Raises UnknownDeskError."""
        try:
            return self._by_hand[name]
        except KeyError:
            raise UnknownDeskError(f"there is no desk {name!r}; there is {', '.join(self._by_hand)}") from None

    # Calls to desks

    def enqueue(self, call: EmergencyCall) -> None:
        """A call has come."""
        self._waiting.append(call)
        self.match()

    def match(self) -> None:
        """Give waiting calls to those who are free."""
        by_hand = sum(desk.is_free for desk in self._by_hand.values())
        for call in list(self._waiting)[by_hand:]:
            number = self._free_number()
            if number is None or Fault.NO_ANSWER in self._plant.faults:
                return
            self._waiting.remove(call)
            desk = self._automatic[number] = Desk(f"auto-{number}", automatic=True, call=call)
            self._work(desk, script.serve(self._plant, call, desk.name))

    def _free_number(self) -> int | None:
        return next((n for n in range(1, self._plant.operators.automatic + 1) if n not in self._automatic), None)

    def _of(self, call: EmergencyCall) -> Desk | None:
        desks = (*self._by_hand.values(), *self._automatic.values())
        return next((desk for desk in desks if desk.call is call), None)

    def _work(self, desk: Desk, work: Coroutine[Any, Any, None]) -> None:
        self._stop_work(desk)
        desk.work = self._plant.spawn(work)

    def _stop_work(self, desk: Desk, *, even_now: bool = False) -> None:
        """End what an operator is about; what runs just now goes on to its end, but for ``even_now``."""
        work, desk.work = desk.work, None
        if work is not None and (even_now or work is not asyncio.current_task()):
            work.cancel()

    def _free(self, desk: Desk, *, dropped: bool = False) -> None:
        self._stop_work(desk, even_now=dropped)
        desk.call = None
        for number, each in tuple(self._automatic.items()):
            if each is desk:
                del self._automatic[number]
        self.match()

    # What calls tell (`call.Crew`)

    def changed(self, call: EmergencyCall, what: str) -> None:
        """Something happened to a call."""
        desk = self._of(call)
        before_room = call.stage in (Stage.OPERATOR, Stage.ANNOUNCEMENT)
        if what in ("over", "dropped"):
            if call in self._waiting:
                self._waiting.remove(call)
            if desk is not None:
                self._free(desk, dropped=what == "dropped")
            if what == "dropped" and not call.over and call.stage in (Stage.OPERATOR, Stage.ANNOUNCEMENT):
                self._waiting.appendleft(call)
                self.match()
        elif desk is not None and desk.automatic:
            if what == "held" and before_room:
                self._stop_work(desk)
                call.stage = Stage.OPERATOR
            elif what == "restored" and before_room:
                self._work(desk, script.go_on(self._plant, call))
            elif what == "gone" and before_room:
                self._work(desk, script.hand_on(self._plant, call))
            elif what == "gone" and call.stage is Stage.ANSWERED:
                self._work(desk, script.tell_gone(self._plant, call))

    def leave(self, call: EmergencyCall) -> None:
        """Let the call's operator go."""
        desk = self._of(call)
        if desk is not None:
            self._free(desk)
        self._plant.spawn(call.operator_leaves())

    def rejoin(self, call: EmergencyCall) -> bool:
        """Have an automatic operator come into the call, to stay until told; whether one is free."""
        number = self._free_number()
        if call.operator_is is Operator.ON or number is None:
            return call.operator_is is Operator.ON
        desk = self._automatic[number] = Desk(f"auto-{number}", automatic=True, call=call)
        self._plant.spawn(call.operator_joins(desk.name))
        return True

    # Operators who are driven by hand

    async def login(self, desk: Desk) -> None:
        """Sit down: open the headset's jack. Raises DeskError when somebody sits there."""
        async with self._seating:
            if desk.jack is not None:
                raise DeskError(f"somebody is logged in at {desk.name}")
            plant = self._plant
            jack = await plant.media.open_port(f"{plant.name} {desk.name} jack", host=plant.settings.host)
            await jack.connect(None, dtmf_payload_type=None, rests=True)
            desk.jack = jack
        plant.events.tell("desk.logged_in", desk=desk.name)

    async def logout(self, desk: Desk) -> None:
        """Leave: a call that is answered goes on without its operator, any other ends. Nobody being there is fine."""
        call = desk.call
        if call is not None:
            if call.stage is Stage.ANSWERED:
                await self.leave_by_hand(desk)
            else:
                call.end(Outcome.OPERATOR, "operator", why=Why.OPERATOR)
        jack, desk.jack = desk.jack, None
        if jack is not None:
            await jack.close()
            self._plant.events.tell("desk.logged_out", desk=desk.name)
        self.match()

    async def answer(self, desk: Desk, call_id: str | None) -> EmergencyCall:
        """Take the call named, else the oldest that waits. Raises DeskError when there is none, or it is not free."""
        if desk.jack is None:
            raise DeskError(f"nobody is logged in at {desk.name}")
        if desk.call is not None:
            raise DeskError(f"{desk.name} has a call: {desk.call.id}")
        found = next((each for each in self._waiting if call_id in (None, each.id)), None)
        if found is None:
            raise DeskError(f"no call waits{f' as {call_id}' if call_id else ''}")
        self._waiting.remove(found)
        desk.call = found
        if await found.operator_answers(desk.name):
            await self.plug(desk, found)
        elif desk.call is found:
            desk.call = None
        if found.over:
            raise DeskError(f"{found.id} was given up as it was answered")
        return found

    async def plug(self, desk: Desk, call: EmergencyCall) -> None:
        """Let the desk's headset into its call. Raises DeskError."""
        if desk.jack is not None and not call.over:
            try:
                await call.conference.plug(desk.jack)
            except MediaError as error:
                raise DeskError(str(error)) from error

    def connect(
        self, desk: Desk, authority: str | None, route: str | None, silent: Silent | None = None
    ) -> EmergencyCall:
        """Connect the desk's call; events tell how it goes. ``route``: on that one alone, such as ``critical``.

        Raises DeskError, RouteError.
        """
        call = self.call_of(desk)
        if call.stage not in (Stage.OPERATOR, Stage.ANNOUNCEMENT):
            raise DeskError(f"{call.id} can't be connected while it is {call.stage}")
        authorities = self._plant.authorities
        to = authorities.get(authority) if authority is not None else authorities.serving(call.calling.service)
        only = authorities.route(to.name, route) if route is not None else None
        if only is not None and only.address is None:
            raise DeskError(f"route {only.name} of {to.name} leads nowhere")
        if silent is not None:
            call.silent = silent
        self._stop_work(desk)
        desk.work = self._plant.spawn(self._connect(desk, call, Connector(self._plant, call).connect(to, only=only)))
        return call

    async def _connect(self, desk: Desk, call: EmergencyCall, work: Coroutine[Any, Any, bool]) -> None:
        if not await work and not call.over:
            call.tell("call.connect_failed", desk=desk.name)

    def stop_connecting(self, desk: Desk) -> EmergencyCall:
        """Give up what is being tried. Raises DeskError."""
        call = self.call_of(desk)
        if call.stage is not Stage.CONNECTING:
            raise DeskError(f"{call.id} is not being connected: it is {call.stage}")
        call.stop_connecting("stopped")
        return call

    def silent_solution(self, desk: Desk) -> EmergencyCall:
        """Put the caller through the announcement; `silent.heard` tells what came of it. Raises DeskError."""
        call = self.call_of(desk)
        if call.stage is not Stage.OPERATOR or call.caller_is is not Caller.ON:
            raise DeskError(
                f"{call.id} can't get the announcement while it is {call.stage}, its caller {call.caller_is}"
            )
        self._stop_work(desk)
        desk.work = self._plant.spawn(self._solve(call))
        return call

    async def _solve(self, call: EmergencyCall) -> None:
        await script.solve(self._plant, call)

    async def leave_by_hand(self, desk: Desk) -> EmergencyCall:
        """Leave the conference. Raises DeskError when the call is not answered."""
        call = self.call_of(desk)
        if call.stage is not Stage.ANSWERED:
            raise DeskError(f"{call.id} is {call.stage}: an operator leaves once the control room has it")
        self._stop_work(desk)
        await call.operator_leaves()
        desk.call = None
        self.match()
        return call

    async def join(self, desk: Desk, call_id: str) -> EmergencyCall:
        """Come into a call that no operator is on. Raises DeskError, UnknownDeskError."""
        call = self._plant.calls.get(call_id)
        if call is None:
            raise UnknownDeskError(f"there is no call {call_id!r}")
        if not desk.is_free:
            raise DeskError(f"{desk.name} is not free")
        if call.operator_is is not Operator.LEFT:
            raise DeskError(f"{call.id} has an operator" if call.operator_is else f"{call.id} waits: answer it")
        desk.call = call
        await self.plug(desk, call)
        await call.operator_joins(desk.name)
        return call

    def clear(self, desk: Desk) -> EmergencyCall:
        """End the desk's call. Raises DeskError."""
        call = self.call_of(desk)
        answered = call.stage is Stage.ANSWERED
        call.end(Outcome.ANSWERED if answered else Outcome.OPERATOR, "operator", why=Why.OPERATOR)
        return call

    def call_of(self, desk: Desk) -> EmergencyCall:
        """The desk's call. Raises DeskError when it has none."""
        if desk.call is None:
            raise DeskError(f"{desk.name} has no call")
        return desk.call

    def take(self, desk: Desk, call: EmergencyCall) -> None:
        """Give a call to a desk that is free: one that its operator began. Raises DeskError."""
        if not desk.is_free:
            raise DeskError(f"{desk.name} is not free" if desk.jack is not None else f"nobody is at {desk.name}")
        desk.call = call

    async def log_all_out(self) -> None:
        """Close every jack."""
        for desk in self._by_hand.values():
            await self.logout(desk)
