"""The floor participant: a terminal's side of floor control for one call (3GPP TS 24.380 section 6.2.4).

Theory. The user presses and releases; the server grants, denies, queues, revokes and tells who talks. Requests and
releases are repeated until they are answered or were sent often enough. Nobody keeps a floor that the server has not
granted, and whoever hears neither speech nor word for T103 takes the floor for idle. Without I/O: the caller gives the
time, sends `out`, and asks `expire` at `next_at`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.protocols.mcptt.messages import (
    FloorMessage,
    FloorType,
    Indicator,
    QueueInfo,
    Source,
)
from harness.protocols.mcptt.timers import ParticipantTimers

NEVER: Final = float("inf")


class State(StrEnum):
    """Where the participant stands."""

    START_STOP = "start-stop"
    NO_PERMISSION = "has no permission"
    PENDING_REQUEST = "pending request"
    HAS_PERMISSION = "has permission"
    PENDING_RELEASE = "pending release"
    QUEUED = "queued"
    RELEASING = "releasing"


class What(StrEnum):
    """What the user is told."""

    GRANTED = "granted"
    DENIED = "denied"
    QUEUED = "queued"
    REVOKED = "revoked"
    TAKEN = "taken"
    """Somebody else talks."""
    IDLE = "idle"
    RELEASED = "released"
    """Our own floor, or wish for it, is over as we asked."""
    UNANSWERED = "unanswered"
    """The request was sent as often as it may be, and nobody said a word."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that the user is told."""

    what: What
    talker: str = ""
    """TAKEN: who talks, an MCPTT ID."""
    talker_ssrc: int | None = None
    may_request: bool = True
    """TAKEN: whether pressing makes sense."""
    seconds: int | None = None
    """GRANTED: how long one may talk."""
    cause: int | None = None
    phrase: str = ""
    queue: QueueInfo | None = None
    indicator: int | None = None


class Participant:
    """One terminal in one call."""

    def __init__(
        self, user: str, ssrc: int, *, priority: int | None = None, timers: ParticipantTimers | None = None
    ) -> None:
        """`user`: our MCPTT ID. `priority`: what requests ask for (0-255), unless one asks for another."""
        self.user = user
        self.ssrc = ssrc
        self.priority = priority
        self.timers = timers or ParticipantTimers()
        self.state = State.START_STOP
        self.talker = ""
        """Who talks, as far as we were told."""
        self.out: list[FloorMessage] = []
        """To be sent, oldest first; the caller empties it after each call of a method."""
        self._pressed = False
        self._sent = 0
        self._asked: FloorMessage | None = None
        self._wish: FloorMessage | None = None
        """The latest request."""
        self._repeat_at = NEVER
        self._media_at = NEVER
        self._press_at = NEVER
        self._last_sequence: int | None = None

    # The call

    def begin(self, *, implicit_request: bool, now: float) -> None:
        """The call is up. `implicit_request`: setting it up asked for the floor, so that its answer is due."""
        if self.state is not State.START_STOP:
            return
        self.state = State.NO_PERMISSION
        if implicit_request:
            self._pressed = True
            self.state = State.PENDING_REQUEST
            self._wish = self._asked = self._request(None, None)
            self._sent = 1
            self._repeat_at = now + self.timers.t101_request

    def end(self) -> None:
        """The call is over: nothing is sent any more, and nothing kept."""
        self.state = State.RELEASING
        self._pressed, self.talker = False, ""
        self._stop()

    # The user

    def press(self, now: float, *, priority: int | None = None, indicator: Indicator | None = None) -> None:
        """The user presses. In a queue that confirms the wish; with another indicator (emergency) it asks anew."""
        self._pressed, self._press_at = True, NEVER
        raised = indicator is not None and (self._wish is None or indicator != self._wish.indicator)
        if self.state in (State.NO_PERMISSION, State.PENDING_RELEASE) or raised:
            if self.state in (State.START_STOP, State.RELEASING):
                return
            if self.state is not State.HAS_PERMISSION:
                self.state = State.PENDING_REQUEST
            self._wish = self._asked = self._request(priority, indicator)
            self._sent = 0
            self._repeat(now, self.timers.t101_request)

    def release(self, now: float, *, keep_place: bool = False) -> None:
        """The user lets go: of the floor, of a request under way, or of a place in the queue.

        `keep_place`: in a queue the place is kept, and once granted there are T132 seconds to press.
        """
        self._pressed = False
        if keep_place and self.state is State.QUEUED:
            return
        if self.state in (State.HAS_PERMISSION, State.PENDING_REQUEST, State.QUEUED):
            self._give_back(now)

    def ask_position(self, now: float) -> None:
        """Ask where in the queue we stand."""
        if self.state is State.QUEUED:
            self._sent = 0
            self._asked = FloorMessage(FloorType.QUEUE_POSITION_REQUEST, self.ssrc, user=self.user)
            self._repeat(now, self.timers.t104_queue_position)

    def media(self, now: float) -> None:
        """Speech came from the server."""
        if self.talker and self.state in (State.NO_PERMISSION, State.QUEUED, State.PENDING_REQUEST):
            self._media_at = now + self.timers.t103_end_of_media

    @property
    def may_send(self) -> bool:
        """Whether our speech may go out."""
        return self.state is State.HAS_PERMISSION and self._pressed

    def _request(self, priority: int | None, indicator: Indicator | None) -> FloorMessage:
        wanted = self.priority if priority is None else priority
        return FloorMessage(FloorType.REQUEST, self.ssrc, priority=wanted, user=self.user, indicator=indicator)

    # The server

    def receive(self, message: FloorMessage, now: float) -> list[Told]:
        """Take a message of the server's; returns what the user is told."""
        if self.state in (State.START_STOP, State.RELEASING):
            return []
        if message.wants_ack:
            ack = FloorMessage(
                FloorType.ACK, self.ssrc, user=self.user, source=Source.PARTICIPANT, acknowledged=message.type
            )
            self.out.append(ack)
        match message.type:
            case FloorType.GRANTED:
                return self._granted(message, now)
            case FloorType.DENY:
                return self._denied(message)
            case FloorType.TAKEN:
                return self._taken(message, now)
            case FloorType.IDLE:
                return self._idle(message)
            case FloorType.REVOKE:
                return self._revoked(message, now)
            case FloorType.QUEUE_POSITION_INFO:
                return self._queued(message)
            case FloorType.QUEUED_CANCEL if self.state is State.QUEUED:
                self._stop()
                self.state, self._pressed = State.NO_PERMISSION, False
                return [Told(What.RELEASED)]
        return []

    def _granted(self, message: FloorMessage, now: float) -> list[Told]:
        granted = Told(What.GRANTED, seconds=message.duration, indicator=message.indicator)
        match self.state:
            case State.PENDING_REQUEST | State.QUEUED:
                self._stop()
                self.state, self.talker = State.HAS_PERMISSION, self.user
                if not self._pressed:
                    self._press_at = now + self.timers.t132_queued_granted
                return [granted]
            case State.HAS_PERMISSION if self._asked is not None:
                self._stop()  # what was raised while we talk
                return [granted]
            case State.NO_PERMISSION:
                # Nobody here wants it: given back at once, or the server thinks that we talk.
                self._give_back(now)
        return []

    def _denied(self, message: FloorMessage) -> list[Told]:
        if self.state not in (State.PENDING_REQUEST, State.QUEUED):
            return []
        self._stop()
        self.state, self._pressed = State.NO_PERMISSION, False
        return [Told(What.DENIED, cause=message.cause, phrase=message.phrase)]

    def _taken(self, message: FloorMessage, now: float) -> list[Told]:
        self._media_at = now + self.timers.t103_end_of_media
        if self._is_repeated(message):
            return []
        told: list[Told] = []
        if self.state is State.HAS_PERMISSION:
            # We were not told that ours is over, but it is.
            self._pressed = False
            told.append(Told(What.REVOKED))
        elif self.state is State.PENDING_RELEASE:
            told.append(Told(What.RELEASED))
        if self.state in (State.HAS_PERMISSION, State.PENDING_RELEASE):
            self._stop()
            self.state = State.NO_PERMISSION
            self._media_at = now + self.timers.t103_end_of_media
        self.talker = message.granted_party
        taken = Told(
            What.TAKEN,
            talker=message.granted_party,
            talker_ssrc=message.talker,
            may_request=message.may_request is not False,
            indicator=message.indicator,
        )
        return [*told, taken]

    def _idle(self, message: FloorMessage) -> list[Told]:
        if self._is_repeated(message):
            return []
        self.talker, self._media_at = "", NEVER
        if self.state is State.PENDING_RELEASE:
            self._stop()
            self.state = State.NO_PERMISSION
            return [Told(What.RELEASED), Told(What.IDLE)]
        if self.state is State.HAS_PERMISSION:
            self._stop()
            self.state, self._pressed = State.NO_PERMISSION, False
            return [Told(What.REVOKED), Told(What.IDLE)]
        return [Told(What.IDLE)]

    def _revoked(self, message: FloorMessage, now: float) -> list[Told]:
        if self.state is not State.HAS_PERMISSION:
            return []
        self._pressed = False
        self._give_back(now)
        return [Told(What.REVOKED, cause=message.cause, phrase=message.phrase)]

    def _queued(self, message: FloorMessage) -> list[Told]:
        if self.state not in (State.PENDING_REQUEST, State.QUEUED):
            return []
        self._repeat_at, self._asked = NEVER, None
        self.state = State.QUEUED
        return [Told(What.QUEUED, queue=message.queue)]

    def _is_repeated(self, message: FloorMessage) -> bool:
        """Whether a Taken or Idle with this sequence number was dealt with already."""
        if message.sequence is None:
            return False
        repeated = message.sequence == self._last_sequence
        self._last_sequence = message.sequence
        return repeated

    # Time

    @property
    def next_at(self) -> float:
        """When `expire` is to be called."""
        return min(self._repeat_at, self._media_at, self._press_at)

    def expire(self, now: float) -> list[Told]:
        """What has come due; returns what the user is told."""
        told: list[Told] = []
        if now >= self._repeat_at:
            told += self._repeated(now)
        if now >= self._media_at:
            self._media_at, self.talker = NEVER, ""
            told.append(Told(What.IDLE))
        if now >= self._press_at:
            # Granted out of the queue, and the user has gone.
            self._press_at = NEVER
            self.release(now)
            told.append(Told(What.RELEASED))
        return told

    def _repeated(self, now: float) -> list[Told]:
        match self.state:
            case State.PENDING_REQUEST:
                if self._sent < self.timers.c101:
                    self._repeat(now, self.timers.t101_request)
                    return []
                self._stop()
                self.state, self._pressed = State.NO_PERMISSION, False
                return [Told(What.UNANSWERED)]
            case State.PENDING_RELEASE:
                if self._sent < self.timers.c100:
                    self._repeat(now, self.timers.t100_release)
                    return []
                self._stop()
                self.state = State.NO_PERMISSION
                return [Told(What.RELEASED)]
            case State.HAS_PERMISSION if self._sent < self.timers.c101:
                self._repeat(now, self.timers.t101_request)
                return []
            case State.QUEUED if self._sent < self.timers.c104:
                self._repeat(now, self.timers.t104_queue_position)
                return []
        self._repeat_at, self._asked = NEVER, None
        return []

    def _give_back(self, now: float) -> None:
        self._stop()
        self.state, self._sent = State.PENDING_RELEASE, 0
        self._asked = FloorMessage(FloorType.RELEASE, self.ssrc, user=self.user)
        self._repeat(now, self.timers.t100_release)

    def _repeat(self, now: float, after: float) -> None:
        assert self._asked is not None
        self.out.append(self._asked)
        self._sent += 1
        self._repeat_at = now + after

    def _stop(self) -> None:
        self._repeat_at = self._media_at = self._press_at = NEVER
        self._asked = None
