"""One emergency call as the network holds it: who is on it, how far it is, what the control room is told of it.

Theory. A call goes through `Stage`s, waiting for an operator, with an operator, in the Silent Solution announcement,
being connected, answered; and beside that its caller is on, held or gone. The stage moves on by the operator and the
control room, the caller's side by the caller alone: so a landline that is hung up and lifted again finds its call as
far as it has come meanwhile.

| the caller hangs up while | landline | any other line |
|---|---|---|
| waiting | over | over |
| with an operator, being connected | held | over; or told on, where `abandoned` is `deliver` |
| answered | held | over; or the operator tells, where one is on and `abandoned` is `deliver` |
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

from harness.errors import HarnessError
from harness.journal import Event
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.sip.emergency_call import (
    Caller,
    Line,
    Mark,
    Nuisance,
    Operator,
    Route,
    Silent,
    Stage,
    What,
    Why,
)
from simulators.emergency.caller_line import NORMAL, CallerLine
from simulators.emergency.calling import Calling
from simulators.emergency.conference import CALLER, ROOM, Conference
from simulators.emergency.faults import Fault
from simulators.emergency.leg import Leg
from simulators.emergency.plant import Plant
from simulators.emergency.records import CallRecord, Outcome
from simulators.emergency.text import TextLine
from simulators.emergency.trunk_talk import TrunkTalk

MAX_KEYS: Final = 200
"""Keys of one caller that are kept for whoever listens for them."""


class Crew(Protocol):
    """The operators, as a call needs them."""

    def changed(self, call: EmergencyCall, what: str) -> None:
        """Something happened to a call: `held`, `restored`, `gone`, `dropped`, `over`."""

    def leave(self, call: EmergencyCall) -> None:
        """Let the call's operator go."""

    def rejoin(self, call: EmergencyCall) -> bool:
        """Have an operator come back; whether one is free."""


class EmergencyCall:
    """One call."""

    def __init__(self, plant: Plant, calling: Calling, record: CallRecord, crew: Crew) -> None:
        self.plant = plant
        self.calling = calling
        self.record = record
        self.id = record.id
        self.stage = Stage.QUEUE
        self.over = False
        self.caller_is = Caller.ON
        self.operator_is: Operator | None = None
        """None before an operator answered."""
        self.desk = ""
        """The operator who is on it, or had it last."""
        self.authority = ""
        self.buddy = ""
        self.route: Route | None = None
        self.attempt = 0
        self.critical = False
        self.silent: Silent | None = None
        self.spate = False
        self.nuisance: Nuisance | None = None
        self.abandoned: Stage | None = None
        self.lifted = 0
        self.keys = ""
        """Keys that the caller pressed, the last MAX_KEYS."""
        self.keys_pressed = 0
        """How many there were."""
        self.spoken: list[tuple[float, float | None]] = []
        """When the caller was heard: from, until (None: still)."""
        self.conference = Conference(plant.journal, plant.media, f"{plant.name} {record.id}")
        self.caller: Leg | None = None
        self.room: Leg | None = None
        self.talk = TrunkTalk(self)
        self.text = TextLine(self)
        self.line = CallerLine(self)
        self.stop_connecting: Callable[[str], None] = lambda _why: None
        """Ends the attempt under way; the connector's part."""
        self.news = asyncio.Event()
        """Set whenever something about it changed."""
        self.crew = crew

    # What it is

    @property
    def is_held(self) -> bool:
        """Whether its caller may lift the receiver again."""
        return not self.over and self.caller_is is Caller.HELD

    @property
    def is_writing(self) -> bool:
        """Whether it is to be offered with a stream of text."""
        return self.calling.writes or self.text.is_sms

    def mark(self, event: What | None, *, why: Why | None = None, hold: int = 0) -> Mark:
        """What is told of it now."""
        return Mark(
            self.record.uuid,
            event=event,
            authority=self.authority,
            route=self.route,
            attempt=self.attempt,
            line=self.calling.line,
            caller=self.caller_is if self.calling.line is not Line.NONE else None,
            operator=self.operator_is,
            silent=self.silent,
            hold=hold,
            lifted=self.lifted,
            text=self.calling.text,
            ecall=self.calling.ecall,
            buddy=self.buddy,
            critical=self.critical,
            spate=self.spate,
            nuisance=self.nuisance,
            abandoned=self.abandoned,
            why=why,
        )

    def shown(self) -> dict[str, Any]:
        """As the control interface shows it."""
        return {
            "call": self.id,
            "stage": str(self.stage),
            "cli": self.calling.number or None,
            "withheld": self.calling.withheld,
            "line": str(self.calling.line),
            "dialled": self.calling.dialled,
            "caller": str(self.caller_is),
            "operator": self.desk if self.operator_is is Operator.ON else None,
            "authority": self.authority or None,
            "route": str(self.route) if self.route else None,
            "attempt": self.attempt,
            "silent": str(self.silent) if self.silent else None,
            "text": str(self.calling.text) if self.calling.text else None,
            "keys": self.keys,
            "conference": self.conference.shown(),
        }

    def tell(self, kind: str, **data: Any) -> None:
        """Tell those who look on, and wake who waits for something to change."""
        self.plant.events.tell(kind, call=self.id, **data)
        self.news.set()

    async def until(self, true: Callable[[], bool], *, within: float) -> bool:
        """Wait for something to become true; whether it did, before the time was up and the call over."""
        try:
            async with asyncio.timeout(within):
                while not true():
                    if self.over:
                        return False
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            return true()
        return True

    # The caller's side

    async def operator_answers(self, desk: str) -> bool:
        """Answer the caller, unless an operator before has; whether there still is one."""
        if not await self.line.answer() or self.over:
            return False
        self.stage = Stage.OPERATOR
        self.desk = self.record.desk = desk
        self.operator_is = Operator.ON
        self.record.operator_answered = self.plant.now()
        self.tell("call.operator", desk=desk)
        return True

    def caller_gone(self, *, why: Why = Why.CALLER) -> None:
        """The caller is gone for good."""
        self.caller_is = Caller.GONE
        deliver = self.plant.settings.abandoned == "deliver"
        if self.stage is Stage.ANSWERED:
            if not (deliver and self.operator_is is Operator.ON):
                self.end(Outcome.ANSWERED, "caller", why=why)
                return
            self.abandoned = Stage.ANSWERED
            self.talk.tell(What.CALLER_GONE)
        else:
            self.abandoned = self.stage
            self.record.abandoned = str(self.stage)
            if not deliver or self.stage is Stage.QUEUE:
                self.end(Outcome.ABANDONED, "caller", why=why)
                return
        self.tell("caller.gone", stage=str(self.stage))
        self.crew.changed(self, "gone")

    # The operator's side

    async def operator_joins(self, desk: str) -> None:
        """An operator comes into the conference."""
        self.desk = desk
        self.operator_is = Operator.ON
        self.tell("operator.joined", desk=desk)
        self.talk.tell(What.OPERATOR_JOINED)

    async def operator_leaves(self) -> None:
        """The operator goes out of the conference; a call whose caller is gone ends with it."""
        if self.over or self.operator_is is not Operator.ON:
            return
        await self.conference.unplug()
        self.operator_is = Operator.LEFT
        self.record.operator_left = self.plant.now()
        self.tell("operator.left", desk=self.desk)
        self.talk.tell(What.OPERATOR_LEFT)
        if self.caller_is is Caller.GONE:
            await self.talk.told()
            self.end(Outcome.ANSWERED, "caller", why=Why.CALLER)

    async def say(self, samples: Samples) -> None:
        """Let the operator, or a machine, speak to all who are on; returns when it is said."""
        await self.conference.say(samples)
        await asyncio.sleep(len(samples) / SAMPLE_RATE)

    async def say_to(self, who: str, samples: Samples, *, loop: bool = False) -> None:
        """Speak to one party; returns at once."""
        leg = self.conference.legs.get(who)
        if leg is not None:
            await leg.say(samples, loop=loop)

    async def hush(self, who: str) -> None:
        """Cut what is said to a party."""
        leg = self.conference.legs.get(who)
        if leg is not None:
            await leg.hush()

    async def hush_all(self) -> None:
        """Cut what is said to anybody."""
        for who in tuple(self.conference.legs):
            await self.hush(who)

    def tag_nuisance(self) -> None:
        """Tag it: its record is preserved."""
        self.nuisance = Nuisance.TAGGED
        self.record.nuisance = str(Nuisance.TAGGED)
        self.record.preserved = True
        self.tell("call.nuisance")
        self.talk.tell(What.NUISANCE)

    # What is heard

    def key(self, who: str, key: str) -> None:
        """A key was pressed: the caller's are kept, and each is sent on to the other side."""
        if who == CALLER:
            self.keys = (self.keys + key)[-MAX_KEYS:]
            self.keys_pressed += 1
            self.record.note_key(key)
            self.tell("caller.key", key=key)
        other = self.conference.legs.get(ROOM if who == CALLER else CALLER)
        if other is not None:
            other.press(key)

    def heard(self, who: str, event: Event) -> None:
        """Something came over a party's media."""
        if event.kind == "dtmf.received":
            self.key(who, str(event.data.get("digit")))
        elif event.kind == "text.received":
            self.text.arrived(who)
        elif who == CALLER:
            if event.kind == "voice.started":
                self.spoken = [*self.spoken[-99:], (event.time, None)]
            elif self.spoken and self.spoken[-1][1] is None:
                self.spoken[-1] = (self.spoken[-1][0], event.time)
            self.news.set()

    # The control room's side

    async def room_enters(self, leg: Leg) -> None:
        """The control room has answered, or sends early media."""
        self.room = leg
        leg.heard = lambda event: self.heard(ROOM, event)
        await self.conference.enter(ROOM, leg)
        if Fault.ROOM_HEARS_NOTHING in self.plant.faults:
            await self.conference.deafen(ROOM, deaf=True)

    def answered(self) -> None:
        """The control room has answered."""
        self.stage = Stage.ANSWERED
        self.record.answered = self.plant.now()
        self.tell("call.connected", route=str(self.route), authority=self.buddy or self.authority)
        self.talk.begin()
        if Fault.DROP_OPERATOR in self.plant.faults:
            self.drop_operator()

    def drop_operator(self) -> None:
        """The operator is cut off, and nobody tells."""
        self.plant.spawn(self._cut_operator_off())
        self.tell("operator.dropped", desk=self.desk)
        self.crew.changed(self, "dropped")

    async def _cut_operator_off(self) -> None:
        await self.conference.unplug()
        await self.hush_all()

    def room_hung_up(self) -> None:
        """The control room has cleared."""
        self.end(Outcome.ANSWERED, "control-room")

    async def room_goes(self, leg: Leg) -> None:
        """An attempt is over without an answer: what was heard of it is heard no more."""
        if self.room is leg:
            self.room = None
            await self.conference.go(ROOM)
        await leg.close()

    # The end

    def end(self, outcome: Outcome, by: str, *, why: Why | None = None) -> None:
        """Take the call down on every side; one that is down is left alone."""
        if self.over:
            return
        self.over = True
        record = self.record
        record.ended = self.plant.now()
        record.outcome, record.cleared_by = outcome, by
        self.stop_connecting("abandoned")
        if self.room is not None and self.stage is Stage.ANSWERED and by != "control-room":
            mark = self.mark(What.CLEARED, why=why)
            self.talk.note(mark)
            self.room.hang_up([NORMAL, mark.header()])
        self.line.end(hang_up=outcome is not Outcome.FAILED)
        self.plant.calls.pop(self.id, None)
        self.text.close()
        self.tell("call.ended", outcome=str(outcome), by=by)
        self.crew.changed(self, "over")
        self.plant.spawn(self._clean_up())

    async def _clean_up(self) -> None:
        try:
            await self.conference.close()
        except HarnessError as error:
            self.plant.journal.warn(self.plant.name, "conference.close_failed", call=self.id, reason=str(error))
        for leg in (self.caller, self.room):
            if leg is not None:
                await leg.close()
