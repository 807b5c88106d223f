"""Meetings: conferences opened by order, with a lobby for whoever is not expected, and recordings with notice.

Theory. A meeting keeps a number of the pool from its opening to its end; the conference behind the number comes and
goes with those in it. Who calls the number is let in where the line is expected; anybody else waits in the lobby, hears
music and is heard by nobody, until somebody admits or expels them; a meeting may also let everybody in, or nobody else,
and let those who were not expected hear only, as a webinar does. A recording keeps what each party says from the
notice on, and is their sum.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from harness.endpoints.media import Recording
from harness.errors import LocalError, MediaError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.sip import q850
from simulators.switch.call import SERVED, CallState, Outcome, Refusal, SwitchCall
from simulators.switch.ends import Who
from simulators.switch.leg import Leg, anchored
from simulators.switch.rooms import Room, Rooms
from simulators.switch.sounds import recording_notice

if TYPE_CHECKING:
    from simulators.switch.core import Core
    from simulators.switch.settings.services import MeetingSettings

MAX_ATTENDED: Final = 4_000
"""Those who came to one meeting that are told of; the first are forgotten."""
MAX_RECORDINGS: Final = 20
"""Of one meeting."""
MAX_RECORDED_S: Final = 300.0
"""Seconds of a recording that are kept: as much as a media port records."""


Guests = Literal["lobby", "in", "refused"]
"""What becomes of callers who are not expected."""


class UnknownMeetingError(LocalError):
    """There is no such meeting, attendee or recording."""


@dataclass(eq=False, slots=True)
class Attendee:
    """Somebody who came."""

    leg: Leg
    came: float
    """Run time, seconds."""
    joined: float | None = None
    """When they were let in."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that is over."""

    id: str
    began: float
    """Run time, seconds."""
    samples: Samples


class Lobby:
    """One who waits to be let in."""

    def __init__(self, meeting: Meeting, leg: Leg, call: SwitchCall) -> None:
        self.meeting, self.leg, self.call = meeting, leg, call
        leg.joined, leg.call, call.state = self, call, CallState.UP
        self.changed(leg)

    # leg.Joined

    def partner_of(self, leg: Leg) -> Who:
        """The lobby."""
        return Who(self.meeting.number, "Lobby")

    def changed(self, leg: Leg) -> None:
        """Music, unless they hold."""
        if leg.speech is not None:
            core = self.meeting.core
            core.spawn(leg.speech.sound(clip=None if leg.holds else core.music))

    def left(self, leg: Leg) -> None:
        """They gave up."""
        self.meeting.waiting.pop(leg, None)
        self.meeting.core.call_over(self.call)

    def key(self, leg: Leg, digit: str) -> None:
        """Nobody hears it."""

    def replace(self, old: Leg, new: Leg) -> None:
        """Another leg waits instead."""
        old.joined = None
        self.meeting.waiting.pop(old, None)
        self.leg = new
        self.meeting.wait(new, self.call)

    def release(self, leg: Leg) -> None:
        """They go elsewhere."""
        self.meeting.waiting.pop(leg, None)
        leg.joined = None


class Meeting:
    """One meeting."""

    def __init__(
        self,
        core: Core,
        rooms: Rooms,
        number: str,
        expected: frozenset[str],
        most: int,
        guests: Guests = "lobby",
        *,
        guests_speak: bool = True,
    ) -> None:
        self.core, self.rooms = core, rooms
        self.guests: Guests = guests
        self.guests_speak = guests_speak
        """Whether those are heard who were not expected."""
        self.number = number
        self.expected = expected
        """Lines that need not wait in the lobby."""
        self.most = most
        self.waiting: dict[Leg, Lobby] = {}
        self.attended: dict[str, Attendee] = {}
        """By the leg's id."""
        self.recordings: list[Recorded] = []
        self._records_since: float | None = None
        self._parts: list[Recording] = []
        self._made = 0

    @property
    def room(self) -> Room | None:
        """The conference of those who are in, while somebody is."""
        return self.rooms.open.get(self.number)

    def wait(self, leg: Leg, call: SwitchCall) -> None:
        """Have somebody wait."""
        self._note(leg)
        self.waiting[leg] = Lobby(self, leg, call)
        self.core.journal.record(call.id, "meeting.waits", meeting=self.number, leg=leg.id)
        self.core.tell("call.connected", call)

    async def enter(self, leg: Leg, call: SwitchCall) -> None:
        """Let somebody in. Raises LocalError where the meeting is full."""
        attendee = self._note(leg)
        room = await self.rooms.reserved(self.number, self.most)
        room.add(leg, call, speaks=self.guests_speak or leg.end.number in self.expected)
        attendee.joined = self.core.now()
        if self._records_since is not None:
            await self._record(room, leg)

    def _note(self, leg: Leg) -> Attendee:
        found = self.attended.setdefault(leg.id, Attendee(leg, self.core.now()))
        while len(self.attended) > MAX_ATTENDED:
            del self.attended[next(iter(self.attended))]
        return found

    def get(self, leg: str) -> Leg:
        """One who is there, or waits. Raises UnknownMeetingError."""
        found = self.attended.get(leg)
        if found is None or found.leg.is_over:
            raise UnknownMeetingError(f"nobody is in meeting {self.number} as {leg[:40]!r}")
        return found.leg

    async def admit(self, leg: str) -> None:
        """Let in one who waits. Raises LocalError where nobody does so, or the meeting is full."""
        found = self.get(leg)
        lobby = self.waiting.get(found)
        if lobby is None:
            raise LocalError(f"{leg[:40]!r} does not wait: they are in")
        room = self.room
        if room is not None and room.is_full:
            raise LocalError(f"meeting {self.number} is full: {self.most} are in it")
        lobby.release(found)
        await self.enter(found, lobby.call)

    def end(self) -> None:
        """Hang up on everybody."""
        for leg in [*self.waiting, *(self.room.parties if self.room is not None else ())]:
            leg.cause = q850.NORMAL_CLEARING
            leg.hang_up()

    def freeze(self, *, on: bool) -> None:
        """Have its mixer hang, or go on: a fault. Raises LocalError where nobody is in it."""
        if self.room is None:
            raise LocalError(f"nobody is in meeting {self.number}: there is nothing to freeze")
        self.core.journal.record(self.core.name, "meeting.frozen", meeting=self.number, on=on)
        self.room.freeze(on=on)

    # Recording

    async def start_recording(self) -> None:
        """Tell everybody, and keep what each says from now on. Raises LocalError."""
        room = self.room
        if room is None:
            raise LocalError(f"nobody is in meeting {self.number}: there is nothing to record")
        if self._records_since is not None:
            raise LocalError(f"meeting {self.number} is being recorded already")
        if len(self.recordings) >= MAX_RECORDINGS:
            raise LocalError(f"meeting {self.number} has {MAX_RECORDINGS} recordings, and no more are made")
        self._records_since, self._parts = self.core.now(), []
        self.core.journal.record(self.core.name, "meeting.recorded", meeting=self.number)
        for leg in list(room.parties):
            await self._record(room, leg)

    async def _record(self, room: Room, leg: Leg) -> None:
        if leg.speech is None:
            return
        port = leg.speech.port

        async def taken() -> None:
            if self._records_since is not None:
                self._parts.append(await port.recorded())

        try:
            await port.record()
            leg.before_close = taken
            await room.announce([leg], recording_notice())
        except MediaError as error:  # a port that closed meanwhile
            self.core.journal.record(self.number, "patch.late", leg=leg.id, reason=str(error))

    async def stop_recording(self) -> Recorded:
        """End it, and return it. Raises LocalError where none is made."""
        since = self._records_since
        if since is None:
            raise LocalError(f"meeting {self.number} is not being recorded")
        for leg in list(self.room.parties) if self.room is not None else []:
            if leg.before_close is not None:
                await leg.before_close()
                leg.before_close = None
        self._records_since = None
        self._made += 1
        recorded = Recorded(f"{self.number}-{self._made}", since, mixed(self._parts, since))
        self.recordings.append(recorded)
        return recorded

    def recording(self, id_: str) -> Recorded:
        """One that is over. Raises UnknownMeetingError."""
        for each in self.recordings:
            if each.id == id_:
                return each
        raise UnknownMeetingError(f"meeting {self.number} has no recording {id_[:40]!r}")

    def shown(self) -> dict[str, Any]:
        """As the control interface shows it."""
        parties = self.room.parties if self.room is not None else {}
        return {
            "number": self.number,
            "expected": sorted(self.expected),
            "most": self.most,
            "guests": self.guests,
            "guests_speak": self.guests_speak,
            "recorded_since": self._records_since,
            "recordings": [
                {"id": each.id, "began": each.began, "seconds": round(len(each.samples) / SAMPLE_RATE, 3)}
                for each in self.recordings
            ],
            "attendees": [
                {
                    "leg": id_,
                    "line": each.leg.end.number,
                    "number": each.leg.end.number or each.leg.who.shown,
                    "state": "joined" if each.leg in parties else "lobby" if each.leg in self.waiting else "end",
                    "came": each.came,
                    "joined": each.joined,
                    "left": each.leg.ended,
                    "speaks": self.guests_speak or each.leg.end.number in self.expected,
                }
                for id_, each in self.attended.items()
            ],
        }


def mixed(parts: Iterable[Recording], since: float) -> Samples:
    """What parties said, one over the other, from run time ``since`` on; of each MAX_RECORDED_S at most."""
    placed = [(max(0, round((each.start - since) * SAMPLE_RATE)), each.samples) for each in parts if len(each.samples)]
    length = min(max((at + len(samples) for at, samples in placed), default=0), round(MAX_RECORDED_S * SAMPLE_RATE))
    total = np.zeros(length, np.int32)
    for at, samples in placed:
        end = min(length, at + len(samples))
        if end > at:
            total[at:end] += samples[: end - at]
    return total.clip(-32768, 32767).astype(np.int16)


class Meetings:
    """The meetings of one node."""

    def __init__(self, core: Core, rooms: Rooms, settings: MeetingSettings) -> None:
        self._core, self._rooms, self._settings = core, rooms, settings
        self.open: dict[str, Meeting] = {}

    def begin(
        self,
        expected: Iterable[str],
        most: int | None = None,
        guests: Guests = "lobby",
        *,
        guests_speak: bool = True,
    ) -> Meeting:
        """Open one at a number that is free. Raises LocalError where none is."""
        free = next((each for each in self._settings.numbers() if each not in self.open), None)
        if free is None:
            raise LocalError(f"all {len(self.open)} numbers of meetings are taken")
        limit = min(most or self._settings.max_parties, self._settings.max_parties)
        meeting = self.open[free] = Meeting(
            self._core, self._rooms, free, frozenset(expected), limit, guests, guests_speak=guests_speak
        )
        self._core.journal.record(self._core.name, "meeting.opened", meeting=free)
        return meeting

    def get(self, number: str) -> Meeting:
        """One that is open. Raises UnknownMeetingError."""
        found = self.open.get(number)
        if found is None:
            raise UnknownMeetingError(f"there is no meeting {number[:40]!r}")
        return found

    def end(self, number: str) -> None:
        """End one; its number is free again. Raises UnknownMeetingError."""
        self.get(number).end()
        del self.open[number]
        self._core.journal.record(self._core.name, "meeting.ended", meeting=number)

    async def serve(self, call: SwitchCall, number: str) -> Outcome:
        """A call to a meeting's number."""
        meeting = self.open.get(number)
        if meeting is None:
            return Refusal(404, reason="No Such Meeting")
        if len(meeting.waiting) >= meeting.most or (meeting.room is not None and meeting.room.is_full):
            return Refusal(486, reason="Meeting Full")
        is_expected = call.origin.end.number in meeting.expected
        if not is_expected and meeting.guests == "refused":
            return Refusal(403, reason="Not Invited")
        await call.answer_origin()
        leg = await anchored(call.origin)
        if leg.speech is None or leg.is_over:
            return SERVED
        if is_expected or meeting.guests == "in":
            await meeting.enter(leg, call)
        else:
            meeting.wait(leg, call)
        return SERVED
