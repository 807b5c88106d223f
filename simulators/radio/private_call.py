"""One call of two terminals: set-up, ringing, simplex with a floor or duplex, release; each step takes its delay."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.journal import Journal
from harness.protocols.pei.codes import CallStatus, Grant, PartyType, ReleaseCause
from harness.protocols.pei.commands import DefineCall
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.unsolicited import (
    CallReleased,
    Connected,
    IncomingCall,
    OutgoingProgress,
    TransmissionCeased,
    TransmissionGrant,
)
from simulators.radio.audio import AudioPaths
from simulators.radio.config import RadioConfig
from simulators.radio.floor import Act, Demand, Floor, tx_priority
from simulators.radio.terminal import SimulatedTerminal
from simulators.radio.timers import Timers


class Party(NamedTuple):
    """A terminal and the instance under which it is in the call."""

    terminal: SimulatedTerminal
    cc: int


class PrivateCall:
    """A call from one terminal to another, from the set-up to its release. The caller's ISSI is its key."""

    def __init__(
        self,
        config: RadioConfig,
        journal: Journal,
        rng: random.Random,
        audio: AudioPaths,
        caller: Party,
        definition: DefineCall,
        ended: Callable[[PrivateCall, tuple[SimulatedTerminal, ...]], None],
    ) -> None:
        self.key = caller.terminal.config.issi
        self._config = config
        self._journal = journal
        self._audio = audio
        self._caller = caller
        self._called: Party | None = None
        self._definition = definition
        self._ended = ended
        self._floor = Floor(queues=config.queue_requests)
        self._up = False
        self._talking: str | None = None
        self._timers = Timers(rng)
        """What is under way, by name: at most one of each."""
        caller.terminal.call = (self.key, caller.cc)

    @property
    def _is_duplex(self) -> bool:
        return not self._definition.simplex

    def _record(self, kind: str, **data: Any) -> None:
        self._journal.record(self._config.name, kind, by=self._caller.terminal.name, **data)

    # -- set-up --------------------------------------------------------------------------------------------------------

    def set_up(self, find: Callable[[], SimulatedTerminal | ReleaseCause]) -> None:
        """The caller dialled; `find` gives the called terminal, free by then, or why the call can't be."""
        self._record("net.private_call_set_up", duplex=self._is_duplex, priority=self._definition.priority)
        self._timers.after("progress", self._config.delays.progress, lambda: self._progress(CallStatus.PROGRESSING))
        self._timers.after("offer", self._config.delays.set_up, lambda: self._offer(find()))

    def _progress(self, status: CallStatus) -> None:
        definition = self._definition
        self._tell(self._caller, OutgoingProgress(self._caller.cc, status, 0, definition.simplex, 0))

    def _offer(self, found: SimulatedTerminal | ReleaseCause) -> None:
        if isinstance(found, ReleaseCause):
            self.release(found)
            return
        cc = found.machine.incoming_cc()
        if cc is None:
            self.release(ReleaseCause.NO_IDLE_CC)
            return
        called = self._called = Party(found, cc)
        found.call = (self.key, cc)
        asked = self._definition
        self._tell(
            called,
            IncomingCall(
                cc=cc,
                status=CallStatus.PROGRESSING,
                service=asked.service,
                calling_type=PartyType.TSI,
                calling=self._caller.terminal.digits,
                hook=asked.hook,
                simplex=asked.simplex,
                e2ee=0,
                comms=0,
                slots=1,
                called_type=PartyType.SSI,
                called=str(found.config.issi),
                priority=asked.priority,
            ),
        )
        if asked.hook:
            self._connect()
        else:
            self._progress(CallStatus.PAGED)
            self._timers.after("ring", self._config.ring_s, lambda: self.release(ReleaseCause.TIMER))

    def answer(self, terminal: SimulatedTerminal) -> None:
        """The called terminal takes the call."""
        if self._called is not None and terminal is self._called.terminal and not self._up:
            self._timers.cancel("ring")
            self._timers.after("connect", self._config.delays.progress, self._connect)

    def _connect(self) -> None:
        assert self._called is not None
        self._up = True
        asked = self._definition
        for party in (self._caller, self._called):
            self._tell(party, Connected(party.cc, asked.hook, asked.simplex, asked.service, 0, 0, 1))
        self._record("net.private_call_connected", to=self._called.terminal.name)
        if self._is_duplex:
            caller, called = self._caller.terminal, self._called.terminal
            self._audio.connect([called], caller)
            self._audio.connect([caller], called)
        elif not asked.request_transmit:
            self.demand(self._caller.terminal, tx_priority(asked.priority))

    # -- the floor of a simplex call -----------------------------------------------------------------------------------

    def demand(self, terminal: SimulatedTerminal, priority: int) -> None:
        """One of the two asks to talk."""
        party = self._party(terminal)
        if party is None or not self._up or self._is_duplex:
            return
        delays = self._config.delays
        before = self._floor.holder
        act = self._floor.demand(Demand(terminal.name, priority))
        if act in (Act.GRANT, Act.PRE_EMPT):
            self._timers.after("grant", delays.grant, lambda: self._grant(party))
            other = self._other(terminal)
            if before is not None and before.who != self._talking and other is not None:
                self.demand(other.terminal, before.priority)  # it was not told of its grant, and is owed an answer
        elif act in (Act.QUEUE, Act.REFUSE):
            grant = Grant.QUEUED if act is Act.QUEUE else Grant.NOT_GRANTED
            self._timers.after(
                f"answer {terminal.name}",
                delays.progress,
                lambda: self._tell(party, TransmissionGrant(party.cc, grant)),
            )
        elif self._talking == terminal.name:
            self._tell(party, TransmissionGrant(party.cc, Grant.GRANTED))

    def _grant(self, party: Party) -> None:
        other = self._other(party.terminal)
        if other is None:
            return
        self._talking = party.terminal.name
        self._audio.connect([party.terminal], None)
        self._audio.connect([other.terminal], party.terminal, lambda: self._granted(party, other))

    def _granted(self, party: Party, other: Party) -> None:
        if self._talking != party.terminal.name or self._party(party.terminal) is None:
            return
        self._tell(party, TransmissionGrant(party.cc, Grant.GRANTED))
        shown = TransmissionGrant(other.cc, Grant.GRANTED_TO_ANOTHER, 0, 0, PartyType.TSI, party.terminal.digits)
        self._tell(other, shown)
        self._timers.after("max talk", self._config.max_talk_s, lambda: self._talked_too_long(party))

    def _talked_too_long(self, party: Party) -> None:
        self._tell(party, TransmissionCeased(party.cc))
        self.cease(party.terminal)

    def cease(self, terminal: SimulatedTerminal) -> None:
        """One of the two lets the key go, or takes its request back."""
        self._timers.cancel(f"answer {terminal.name}")
        if not self._floor.give_up(terminal.name):
            return
        self._timers.cancel("grant")
        self._timers.cancel("max talk")
        was_talking, self._talking = self._talking == terminal.name, None
        what = "cease" if was_talking else "give up"  # of another name, or it would replace a notice that is due
        self._timers.after(what, self._config.delays.cease, lambda: self._ceased(was_talking, terminal))

    def _ceased(self, was_talking: bool, terminal: SimulatedTerminal) -> None:
        other = self._other(terminal)
        if was_talking and other is not None and self._talking is None:
            self._audio.connect([other.terminal], None)
            self._tell(other, TransmissionCeased(other.cc))
        following = self._floor.next()
        if following is not None and other is not None:
            party = other if following.who == other.terminal.name else self._party(terminal)
            if party is not None:
                self._timers.after("grant", self._config.delays.grant, lambda: self._grant(party))

    # -- the end -------------------------------------------------------------------------------------------------------

    def leave(self, terminal: SimulatedTerminal) -> None:
        """One of the two has cleared: the other's call is released."""
        refused = not self._up and terminal is not self._caller.terminal
        self._end(ReleaseCause.REJECTED if refused else ReleaseCause.USER, but=terminal)

    def release(self, cause: ReleaseCause) -> None:
        """The network ends the call for both."""
        self._end(cause, but=None)

    def _end(self, cause: ReleaseCause, but: SimulatedTerminal | None) -> None:
        self.stop()
        self._record("net.private_call_released", cause=cause.text)
        parties = [party for party in (self._caller, self._called) if party is not None]
        self._audio.connect([party.terminal for party in parties], None)
        for party in parties:
            party.terminal.call = None
            if party.terminal is not but:
                self._tell(party, CallReleased(party.cc, cause))
        self._ended(self, tuple(party.terminal for party in parties))

    def stop(self) -> None:
        """Cancel all that is under way."""
        self._timers.stop()

    def _party(self, terminal: SimulatedTerminal) -> Party | None:
        return next((each for each in (self._caller, self._called) if each and each.terminal is terminal), None)

    def _other(self, terminal: SimulatedTerminal) -> Party | None:
        return self._called if terminal is self._caller.terminal else self._caller

    def _tell(self, party: Party, code: Unsolicited) -> None:
        if not party.terminal.tell(code):
            self._journal.warn(self._config.name, "net.out_of_step", terminal=party.terminal.name, code=code.line())
