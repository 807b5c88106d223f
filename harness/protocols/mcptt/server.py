"""The floor control server: who may talk in one group call (3GPP TS 24.380 section 6.3).

Theory. One user has the floor or nobody has. A request is granted, queued or denied; one of a higher class (emergency,
imminent peril, then the rest) takes the floor from a lower one, which is revoked and has a moment of grace. Who talks
too long is revoked, who sends no speech loses the floor, and whoever waited longest in the highest class comes next. A
user who is not known, or may not talk, gets no floor. Without I/O: the caller gives the time, sends `out`, and asks
`expire` at `next_at`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from harness.errors import McpttLocalError
from harness.protocols.mcptt.claims import Claim, Claims, Rules
from harness.protocols.mcptt.messages import (
    Deny,
    FloorMessage,
    FloorType,
    Indicator,
    Revoke,
)
from harness.protocols.mcptt.timers import ServerTimers

NEVER: Final = float("inf")
MAX_PARTICIPANTS: Final = 2_000
DEFAULT_PRIORITY: Final = 0


class State(StrEnum):
    """The floor's."""

    IDLE = "idle"
    TAKEN = "taken"
    PENDING_REVOKE = "pending revoke"


class What(StrEnum):
    """What happened, for the journal."""

    GRANTED = "granted"
    DENIED = "denied"
    QUEUED = "queued"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    RELEASED = "released"
    IDLE = "idle"
    INACTIVE = "inactive"
    """Nobody talked for T4: the call is to be released."""
    STRANGER = "stranger"
    """A message of somebody who is not in the call."""
    UNPERMITTED = "unpermitted speech"
    UNCONFIRMED = "unconfirmed"
    """Granted out of the queue, and neither acknowledged nor used."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of the floor."""

    what: What
    user: str = ""
    cause: int | None = None
    why: str = ""


@dataclass(slots=True)
class _Member:
    user: str
    ssrc: int
    limit: int
    receive_only: bool
    queueing: bool
    warned_at: float = -NEVER


@dataclass(slots=True)
class _Times:
    """When each timer ends."""

    t1: float = NEVER
    t2: float = NEVER
    t3: float = NEVER
    t4: float = NEVER
    t7: float = NEVER
    t8: float = NEVER
    t20: float = NEVER

    def stop(self) -> None:
        """None runs any more, but inactivity's."""
        self.t1 = self.t2 = self.t3 = self.t7 = self.t8 = self.t20 = NEVER


@dataclass(slots=True)
class FloorServer:
    """The floor of one call."""

    ssrc: int
    now: float
    """When the call began; the methods' times follow it."""
    rules: Rules = field(default_factory=Rules)
    timers: ServerTimers = field(default_factory=ServerTimers)
    state: State = State.IDLE
    holder: Claim | None = None
    out: list[tuple[str, FloorMessage]] = field(default_factory=list)
    """(user, message) to be sent, oldest first; the caller empties it after each call of a method."""
    _members: dict[str, _Member] = field(default_factory=dict)
    _waiting: Claims = field(default_factory=Claims)
    _times: _Times = field(default_factory=_Times)
    _sequence: int = 0
    _orders: int = 0
    _repeats: int = 0
    _revoke: FloorMessage | None = None
    _granted: FloorMessage | None = None

    def __post_init__(self) -> None:
        self._times.t4 = self.now + self.timers.t4_inactivity

    @property
    def waiting(self) -> tuple[str, ...]:
        """Who waits, next first."""
        return self._waiting.users

    @property
    def users(self) -> tuple[str, ...]:
        """Who is in the call."""
        return tuple(self._members)

    # Who is in the call

    def join(
        self,
        user: str,
        ssrc: int,
        *,
        limit: int = 255,
        receive_only: bool = False,
        queueing: bool = True,
    ) -> None:
        """Somebody joins, early or late, and is told who talks. Raises McpttLocalError when the call is full.

        `limit`: the highest priority that is granted (mc_priority). `queueing`: whether its terminal can wait
        (mc_queueing).
        """
        if user not in self._members and len(self._members) >= MAX_PARTICIPANTS:
            raise McpttLocalError(f"{MAX_PARTICIPANTS} are in the call already")
        self._members[user] = _Member(user, ssrc, limit, receive_only, queueing)
        self._tell_state(user)

    def leave(self, user: str, now: float) -> list[Happened]:
        """Somebody leaves the call, and the queue and the floor with it."""
        if self._members.pop(user, None) is None:
            return []
        happened = self._drop(user)
        if self.holder is not None and self.holder.user == user:
            happened += [Happened(What.RELEASED, user, why="left"), *self._next(now)]
        return happened

    # What users send

    def receive(self, user: str, message: FloorMessage, now: float) -> list[Happened]:
        """Take a message."""
        member = self._members.get(user)
        if member is None:
            return [Happened(What.STRANGER, user)]
        match message.type:
            case FloorType.REQUEST:
                return self._requested(member, message, now)
            case FloorType.RELEASE:
                return self._released(member, now)
            case FloorType.QUEUE_POSITION_REQUEST:
                self._tell_position(member.user)
            case FloorType.ACK if message.acknowledged is not None:
                if message.acknowledged & 0x0F == FloorType.GRANTED and self._holds(user):
                    self._times.t20 = NEVER
        return []

    def media(self, user: str, now: float) -> tuple[bool, list[Happened]]:
        """Speech came: whether it is to be passed on, and what is to be said of it."""
        if self._holds(user):
            self._times.t20 = NEVER
            if self.state is State.TAKEN:
                self._times.t1 = now + self.timers.t1_end_of_media
            self._times.t4 = now + self.timers.t4_inactivity
            return True, []
        member = self._members.get(user)
        if member is None:
            return False, [Happened(What.STRANGER, user)]
        if now < member.warned_at + self.timers.t8_floor_revoke:
            return False, []
        member.warned_at = now
        self.out.append((user, FloorMessage(FloorType.REVOKE, self.ssrc, cause=Revoke.NO_PERMISSION)))
        return False, [Happened(What.UNPERMITTED, user)]

    def _requested(self, member: _Member, message: FloorMessage, now: float) -> list[Happened]:
        user = member.user
        if member.receive_only:
            return self._deny(user, Deny.RECEIVE_ONLY)
        if len(self._members) == 1 and not self.rules.alone:
            return self._deny(user, Deny.ONLY_ONE_PARTICIPANT)
        asked = DEFAULT_PRIORITY if message.priority is None else message.priority
        self._orders += 1
        claim = Claim(user, min(asked, member.limit), message.indicator or Indicator.NORMAL, self._orders)
        if self.holder is not None and self.holder.user == user:
            return self._asked_again(claim, self.holder)
        before = self._waiting.of(user)
        if before is not None:
            if claim.turn[:2] >= before.turn[:2]:
                self._tell_position(user)  # asked again, or ours was lost
                return []
            self._waiting.drop(user)
        if self.holder is None:
            return self._grant(claim, now, waited=False)
        if self.rules.pre_empts(claim, self.holder):
            self._wait(claim)
            happened = [Happened(What.QUEUED, user, why="pre-empts")]
            if self.state is State.TAKEN:
                happened += self._take_away(Revoke.PRE_EMPTED, now)
            return happened
        if not (self.rules.queueing and member.queueing):
            return self._deny(user, Deny.OTHER_HAS_PERMISSION)
        if len(self._waiting) >= self.rules.queue:
            return self._deny(user, Deny.QUEUE_FULL)
        self._wait(claim)
        return [Happened(What.QUEUED, user)]

    def _asked_again(self, claim: Claim, held: Claim) -> list[Happened]:
        """Whoever has the floor asks for it: our grant was lost, or the call has become an emergency."""
        if self.state is not State.TAKEN or self._granted is None:
            return []
        if claim.rank <= held.rank:
            self.out.append((claim.user, self._granted))
            return []
        self.holder = claim
        self._granted = replace(self._granted, priority=claim.priority, indicator=claim.indicator)
        self.out.append((claim.user, self._granted))
        self._tell_others()
        return [Happened(What.GRANTED, claim.user, why="raised")]

    def _released(self, member: _Member, now: float) -> list[Happened]:
        if self._holds(member.user):
            return [Happened(What.RELEASED, member.user), *self._next(now)]
        happened = self._drop(member.user)
        self._tell_state(member.user)
        return happened

    # The floor changes hands

    def _holds(self, user: str) -> bool:
        return self.holder is not None and self.holder.user == user

    def _grant(self, claim: Claim, now: float, *, waited: bool) -> list[Happened]:
        member = self._members[claim.user]
        self._times.stop()
        self.state, self.holder, self._revoke = State.TAKEN, claim, None
        self._times.t1 = now + self.timers.t1_end_of_media
        self._times.t2 = now + self.timers.t2_stop_talking
        self._times.t4 = now + self.timers.t4_inactivity
        self._granted = FloorMessage(
            FloorType.GRANTED,
            self.ssrc,
            wants_ack=waited,
            priority=claim.priority,
            duration=None if self.timers.t2_stop_talking == NEVER else round(self.timers.t2_stop_talking),
            queue_size=len(self._waiting),
            indicator=claim.indicator,
            talker=member.ssrc,
        )
        self.out.append((claim.user, self._granted))
        if waited:
            self._repeats, self._times.t20 = 1, now + self.timers.t20_granted
        self._tell_others()
        return [Happened(What.GRANTED, claim.user, why="out of the queue" if waited else "")]

    def _next(self, now: float) -> list[Happened]:
        """The floor is free: for whoever waits, or for nobody."""
        if self._waiting:
            happened = self._grant(self._waiting.next(), now, waited=True)
            self._tell_positions(0)
            return happened
        self._times.stop()
        self.state, self.holder, self._granted, self._revoke = State.IDLE, None, None, None
        self._times.t4 = now + self.timers.t4_inactivity
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._repeats = 0
        self._idle_again(now)
        return [Happened(What.IDLE)]

    def _take_away(self, cause: Revoke, now: float) -> list[Happened]:
        assert self.holder is not None
        user = self.holder.user
        self.state = State.PENDING_REVOKE
        self._times.stop()
        self._times.t3 = now + self.timers.t3_stop_talking_grace
        self._times.t8 = now + self.timers.t8_floor_revoke
        self._revoke = FloorMessage(FloorType.REVOKE, self.ssrc, cause=cause, indicator=self.holder.indicator)
        self.out.append((user, self._revoke))
        if cause is Revoke.PRE_EMPTED and self.rules.override:
            self._wait(replace(self.holder, order=0))
        return [Happened(What.REVOKED, user, cause)]

    # The queue

    def _wait(self, claim: Claim) -> None:
        self._tell_positions(self._waiting.add(claim))

    def _drop(self, user: str) -> list[Happened]:
        place = self._waiting.drop(user)
        if place is None:
            return []
        self._tell_positions(place)
        return [Happened(What.CANCELLED, user)]

    # Telling

    def _deny(self, user: str, cause: Deny) -> list[Happened]:
        self.out.append((user, FloorMessage(FloorType.DENY, self.ssrc, cause=cause)))
        return [Happened(What.DENIED, user, cause)]

    def _tell_position(self, user: str) -> None:
        place = self._waiting.place(user)
        if place is not None:
            self.out.append((user, FloorMessage(FloorType.QUEUE_POSITION_INFO, self.ssrc, queue=place)))

    def _tell_positions(self, first: int) -> None:
        """Tell those from a place on where they stand now."""
        for user in self._waiting.users[first:]:
            self._tell_position(user)

    def _tell_others(self) -> None:
        """Tell everybody but the holder who talks."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        for user in self._members:
            if not self._holds(user):
                self._tell_state(user)

    def _tell_state(self, user: str) -> None:
        """Tell one user whether somebody talks, and who."""
        if self.holder is None:
            self.out.append((user, FloorMessage(FloorType.IDLE, self.ssrc, sequence=self._sequence)))
            return
        member = self._members[user]
        talker = self._members.get(self.holder.user)
        taken = FloorMessage(
            FloorType.TAKEN,
            self.ssrc,
            granted_party=self.holder.user,
            may_request=not member.receive_only,
            sequence=self._sequence,
            indicator=self.holder.indicator,
            talker=talker.ssrc if talker is not None else None,
        )
        self.out.append((user, taken))

    def _idle_again(self, now: float) -> None:
        for user in self._members:
            self._tell_state(user)
        self._repeats += 1
        self._times.t7 = now + self.timers.t7_floor_idle if self._repeats < self.timers.c7 else NEVER

    # Time

    @property
    def next_at(self) -> float:
        """When `expire` is to be called."""
        times = self._times
        return min(times.t1, times.t2, times.t3, times.t4, times.t7, times.t8, times.t20)

    def expire(self, now: float) -> list[Happened]:
        """What has come due."""
        times = self._times
        happened: list[Happened] = []
        if now >= times.t20:
            happened += self._unacknowledged(now)
        if now >= times.t8 and self.holder is not None and self._revoke is not None:
            times.t8 = now + self.timers.t8_floor_revoke
            self.out.append((self.holder.user, self._revoke))
        if now >= times.t3 and self.holder is not None:
            happened += [Happened(What.RELEASED, self.holder.user, why="grace over"), *self._next(now)]
        if now >= times.t2:
            happened += self._take_away(Revoke.TALKED_TOO_LONG, now)
        if now >= times.t1 and self.holder is not None:
            happened += [Happened(What.RELEASED, self.holder.user, why="no speech"), *self._next(now)]
        if now >= times.t7:
            self._idle_again(now)
        if now >= times.t4:
            times.t4 = NEVER
            happened.append(Happened(What.INACTIVE))
        return happened

    def _unacknowledged(self, now: float) -> list[Happened]:
        assert self.holder is not None
        if self._repeats < self.timers.c20 and self._granted is not None:
            self._repeats += 1
            self._times.t20 = now + self.timers.t20_granted
            self.out.append((self.holder.user, self._granted))
            return []
        return [Happened(What.UNCONFIRMED, self.holder.user), *self._next(now)]
