"""One group call: set-up, grants, listeners, hang time, release; each step after the network's delay."""

from __future__ import annotations

import random
from collections.abc import Callable

from harness.journal import Journal
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import CallStatus, Grant, PartyType, ReleaseCause
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.unsolicited import (
    CallReleased,
    Connected,
    IncomingCall,
    OutgoingProgress,
    TransmissionCeased,
    TransmissionGrant,
    told_again,
)
from simulators.radio.audio import AudioPaths
from simulators.radio.config import RadioConfig
from simulators.radio.floor import Act, Demand, Floor, call_priority, tx_priority
from simulators.radio.terminal import SimulatedTerminal
from simulators.radio.timers import Timers

SPEECH_IN_HAND_S = 0.06
"""Speech that a terminal has taken in and not yet sent when its key is let go: its jack's 40 ms buffer and a frame."""


class GroupCall:
    """A call on a talkgroup, from the first set-up to its release."""

    def __init__(
        self,
        config: RadioConfig,
        journal: Journal,
        rng: random.Random,
        audio: AudioPaths,
        gssi: int,
        listeners: Callable[[int], list[SimulatedTerminal]],
        ended: Callable[[int], None],
    ) -> None:
        self.gssi = gssi
        self.members: dict[str, SimulatedTerminal] = {}
        self._priority = 0
        """The call priority with which it was set up; those who are brought in are told."""
        self._config = config
        self._journal = journal
        self._rng = rng
        self._audio = audio
        self._eligible = listeners
        self._ended = ended
        self._floor = Floor(queues=config.queue_requests)
        self._up = False
        """The channel is there: the first grant has been given, or its asker has given up."""
        self._talking: str | None = None
        """Who has been told that he may talk."""
        self._timers = Timers(self._rng)
        """What is under way, by name; at most a few for each member."""

    # -- members -------------------------------------------------------------------------------------------------------

    def join(self, terminal: SimulatedTerminal, cc: int) -> None:
        """A terminal is in the call under its instance `cc`."""
        self.members[terminal.name] = terminal
        terminal.call = (self.gssi, cc)

    def _cc(self, terminal: SimulatedTerminal) -> int:
        assert terminal.call is not None
        return terminal.call[1]

    def set_up(self, terminal: SimulatedTerminal, cc: int, call_priority: int) -> None:
        """A terminal dialled the group: sets the call up, or joins the one that is up, and asks for the floor."""
        first = not self.members
        priority = tx_priority(call_priority)
        self._timers.cancel(f"offer {terminal.name}")
        self.join(terminal, cc)
        delays = self._config.delays
        self._timers.after(
            f"progress {terminal.name}",
            delays.progress,
            lambda: self._tell(terminal, told_again(OutgoingProgress, cc, CallStatus.PROGRESSING, 0, 1, 0)),
        )
        if first:
            self._priority = call_priority
            self._journal.record(self._config.name, "net.call_set_up", gssi=self.gssi, by=terminal.name)
            self._floor.demand(Demand(terminal.name, priority))
            self._timers.after("set-up", delays.set_up, self._set_up_done)
        else:
            if self._talking is not None and self._talking != terminal.name:
                self._audio.connect([terminal], self.members.get(self._talking))
                self._show_later(terminal)  # who talks was told before it was in, or with the offer that is cancelled
            self.demand(terminal, priority, extra=delays.progress.most)

    def _set_up_done(self) -> None:
        if not self.members:
            return
        self._up = True
        if self._floor.holder is None:  # the key was let go meanwhile, or who set the call up has left it
            for member in tuple(self.members.values()):
                self._let_in(member)
            self._offered()
            self._next_or_hang()
            return
        self._grant(self._floor.holder.who)

    def _let_in(self, terminal: SimulatedTerminal) -> None:
        """One that dialled, and asks no longer, is in the call all the same, and has to be told so first of all."""
        asks = terminal.name in self._floor.waiting or self._holds(terminal)
        if self._up and not asks and self._is_setting_up(terminal):
            self._connect(terminal)

    def _holds(self, terminal: SimulatedTerminal) -> bool:
        return self._floor.holder is not None and self._floor.holder.who == terminal.name

    def _is_setting_up(self, terminal: SimulatedTerminal) -> bool:
        return terminal.machine.calls.get(self._cc(terminal)) is CallState.ORIGINATING

    def _connect(self, terminal: SimulatedTerminal) -> None:
        self._tell(terminal, told_again(Connected, self._cc(terminal), 1, 1, 0, 0, 1, 1))

    def _tell(self, terminal: SimulatedTerminal, code: Unsolicited) -> None:
        if terminal.name in self.members and not terminal.tell(code):
            self._journal.warn(self._config.name, "net.out_of_step", terminal=terminal.name, code=code.line())

    # -- the floor -----------------------------------------------------------------------------------------------------

    def demand(self, terminal: SimulatedTerminal, priority: int, *, extra: float = 0.0) -> None:
        """A member asks to talk; the answer comes after the network's delay, at least `extra` seconds from now."""
        self._timers.cancel("hang")
        before = self._floor.holder
        act = self._floor.demand(Demand(terminal.name, priority))
        delays = self._config.delays
        match act:
            case Act.GRANT if self._up:
                wait = extra + delays.grant.draw(self._rng)
                self._timers.after("grant", wait, lambda: self._grant(terminal.name))
            case Act.GRANT:
                pass  # granted when the set-up is done
            case Act.PRE_EMPT:
                assert before is not None
                self._timers.cancel("grant")
                self._journal.record(self._config.name, "net.floor_pre_empted", gssi=self.gssi, by=terminal.name)
                if self._up:
                    wait = extra + delays.grant.draw(self._rng)
                    self._timers.after("grant", wait, lambda: self._grant(terminal.name))
                if before.who != self._talking:  # it was not told of its grant, and is owed an answer
                    self.demand(self.members[before.who], before.priority)
            case Act.QUEUE | Act.REFUSE:
                grant = Grant.QUEUED if act is Act.QUEUE else Grant.NOT_GRANTED
                wait = extra + delays.progress.draw(self._rng)
                self._timers.after(f"answer {terminal.name}", wait, lambda: self._answer(terminal, grant))
            case Act.KEEP:
                if self._talking == terminal.name:
                    self._answer(terminal, Grant.GRANTED)

    def _answer(self, terminal: SimulatedTerminal, grant: Grant) -> None:
        if grant is not Grant.GRANTED:
            kind = "net.floor_queued" if grant is Grant.QUEUED else "net.floor_refused"
            self._journal.record(self._config.name, kind, gssi=self.gssi, terminal=terminal.name)
        self._tell(terminal, told_again(TransmissionGrant, self._cc(terminal), grant))

    def _grant(self, who: str) -> None:
        """The floor's holder may talk: the voice path first, then the word to him, then to the others."""
        talker = self.members[who]
        self._talking = who
        self._timers.cancel("cut")
        others = [member for member in self.members.values() if member is not talker]
        self._audio.connect([talker], None)
        self._audio.connect([*others, *self._offered()], talker, lambda: self._granted(talker))

    def _offered(self) -> list[SimulatedTerminal]:
        """Brings in those on the talkgroup that are not in its call yet."""
        found = []
        for terminal in self._eligible(self.gssi):
            cc = terminal.machine.incoming_cc()
            if cc is not None:
                self.join(terminal, cc)
                self._offer_later(terminal)
                found.append(terminal)
        return found

    def _offer_later(self, terminal: SimulatedTerminal) -> None:
        self._timers.after(f"offer {terminal.name}", self._config.delays.listeners, lambda: self._offer(terminal))

    def _offer(self, terminal: SimulatedTerminal) -> None:
        if terminal.name not in self.members:
            return
        talker = self.members.get(self._talking) if self._talking else None
        calling = None if talker is None else talker.digits
        kind = None if talker is None else PartyType.TSI
        cc = self._cc(terminal)
        called = (PartyType.SSI, str(self.gssi), self._shown())
        call = told_again(IncomingCall, cc, CallStatus.PROGRESSING, 0, kind, calling, 1, 1, 0, 1, 1, *called)
        self._tell(terminal, call)
        self._show_talker(terminal)

    def _shown(self) -> int:
        """The call's priority as those see it who are brought in: its own, or that of who holds the floor if higher."""
        holder = self._floor.holder
        return self._priority if holder is None else max(self._priority, call_priority(holder.priority))

    def _show_talker(self, terminal: SimulatedTerminal) -> None:
        talker = self.members.get(self._talking) if self._talking else None
        if terminal.name not in self.members:
            return
        self._let_in(terminal)
        if talker is not None and talker is not terminal:
            other = (Grant.GRANTED_TO_ANOTHER, 0, 0, PartyType.TSI, talker.digits)
            self._tell(terminal, told_again(TransmissionGrant, self._cc(terminal), *other))

    def _granted(self, talker: SimulatedTerminal) -> None:
        if self._talking != talker.name or talker.name not in self.members:
            return
        self._journal.record(self._config.name, "net.floor_granted", gssi=self.gssi, issi=talker.config.issi)
        if talker.machine.calls.get(self._cc(talker)) is not None:
            self._timers.cancel(f"progress {talker.name}")  # the grant says more
            if self._is_setting_up(talker):
                self._connect(talker)
            self._tell(talker, told_again(TransmissionGrant, self._cc(talker), Grant.GRANTED))
        for member in self.members.values():
            if member is not talker and f"offer {member.name}" not in self._timers:
                self._show_later(member)
        self._timers.after("max talk", self._config.max_talk_s, lambda: self._talked_too_long(talker))

    def _show_later(self, member: SimulatedTerminal) -> None:
        self._timers.after(f"show {member.name}", self._config.delays.listeners, lambda: self._show_talker(member))

    def cease(self, terminal: SimulatedTerminal) -> None:
        """A member lets the key go."""
        self._timers.cancel(f"answer {terminal.name}")
        was_talking = self._talking == terminal.name
        if self._floor.give_up(terminal.name):
            self._timers.cancel("grant")
            self._timers.cancel("max talk")
            # Two names: who presses and lets go again before the notice of the first is out does not replace it.
            what = f"{'cease' if was_talking else 'give up'} {terminal.name}"
            self._timers.after(what, self._config.delays.cease, lambda: self._ceased(was_talking, terminal))
            if was_talking:
                self._talking = None
                # What was spoken before the key was let go is in the terminal still, and goes out.
                self._timers.after("cut", SPEECH_IN_HAND_S, lambda: self._audio.connect(self.members.values(), None))
        elif self._is_setting_up(terminal):  # it took its request back before that was answered
            what = f"answer {terminal.name}"
            self._timers.after(what, self._config.delays.progress, lambda: self._show_talker(terminal))

    def _ceased(self, was_talking: bool, by: SimulatedTerminal) -> None:
        if was_talking:
            self._journal.record(self._config.name, "net.floor_ceased", gssi=self.gssi, issi=by.config.issi)
            for member in tuple(self.members.values()):
                # Where another has the floor by now, that is what the members have been told.
                if member is not by and self._talking is None and f"offer {member.name}" not in self._timers:
                    self._let_in(member)
                    if not self._is_setting_up(member):
                        self._tell(member, told_again(TransmissionCeased, self._cc(member)))
        self._next_or_hang()

    def _next_or_hang(self) -> None:
        if not self._up or self._floor.holder is not None:
            return
        if self._floor.next() is not None:
            holder = self._floor.holder
            assert holder is not None
            self._timers.after("grant", self._config.delays.grant, lambda: self._grant(holder.who))
        else:
            self._timers.after("hang", self._config.hang_time_s, lambda: self.release(ReleaseCause.TIMER))

    def _talked_too_long(self, talker: SimulatedTerminal) -> None:
        self._journal.warn(self._config.name, "net.talked_too_long", gssi=self.gssi, issi=talker.config.issi)
        self._tell(talker, told_again(TransmissionCeased, self._cc(talker)))
        self.cease(talker)

    # -- the end -------------------------------------------------------------------------------------------------------

    def late_entry(self, terminal: SimulatedTerminal) -> None:
        """A terminal came to the talkgroup while its call is up."""

        def enter() -> None:
            if terminal not in self._eligible(self.gssi):
                return
            cc = terminal.machine.incoming_cc()
            if cc is None:
                return
            self.join(terminal, cc)
            talker = self.members.get(self._talking) if self._talking else None
            self._audio.connect([terminal], talker, lambda: self._offer(terminal))

        self._timers.after(f"late entry {terminal.name}", self._config.delays.late_entry, enter)

    def leave(self, terminal: SimulatedTerminal) -> None:
        """A terminal is no longer in the call."""
        if self.members.get(terminal.name) is not terminal:
            return
        self.cease(terminal)
        for what in ("progress", "answer", "offer", "show", "late entry"):
            self._timers.cancel(f"{what} {terminal.name}")
        del self.members[terminal.name]
        terminal.call = None
        self._audio.connect([terminal], None)
        if not self.members:
            self.release(ReleaseCause.USER)

    def release(self, cause: ReleaseCause) -> None:
        """The call is over for everybody."""
        self.stop()
        self._audio.connect(self.members.values(), None)
        self._journal.record(self._config.name, "net.call_released", gssi=self.gssi, cause=cause.text)
        for member in self.members.values():
            member.tell(told_again(CallReleased, self._cc(member), cause))
            member.call = None
        self.members.clear()
        self._ended(self.gssi)

    def stop(self) -> None:
        """Cancel all that is under way."""
        self._timers.stop()
