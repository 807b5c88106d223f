"""Conferences: rooms that are joined by number, and ad hoc ones that somebody begins; each party hears all others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from harness.endpoints.media import Bridge
from harness.errors import HarnessError, LocalError, MediaError
from harness.protocols.cdr.codes import OnBehalfOf
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip import q850
from harness.protocols.sip.grammar import REASONS
from simulators.switch.call import SERVED, CallState, Outcome, Refusal, SwitchCall
from simulators.switch.conversation import Conversation, Pairing
from simulators.switch.ends import Who
from simulators.switch.keypad import Keypad
from simulators.switch.leg import Leg, anchored
from simulators.switch.settings.services import MAX_PARTIES
from simulators.switch.sounds import confirmed, denied, departed
from simulators.switch.transfer import Tell, untold

if TYPE_CHECKING:
    from simulators.switch.core import Core
    from simulators.switch.settings.services import ConferenceSettings, RoomSettings

PIN_TRIES: Final = 3
PIN_WITHIN_S: Final = 15.0
"""Seconds for each try."""


class UnknownRoomError(LocalError):
    """There is no conference of that number."""


class Room:
    """One conference that is going on."""

    def __init__(self, rooms: Rooms, number: str, bridge: Bridge, most: int, *, ad_hoc: bool) -> None:
        self.rooms = rooms
        self.number = number
        self.bridge = bridge
        self.most = most
        self.ad_hoc = ad_hoc
        self.parties: dict[Leg, tuple[SwitchCall, float]] = {}
        """With the call that each came by, and since when it is in."""
        self._listening: set[Leg] = set()
        self._frozen = False
        self._lock = asyncio.Lock()
        self._had_two = False

    @property
    def is_full(self) -> bool:
        """Whether nobody else is let in."""
        return len(self.parties) >= self.most

    def add(self, leg: Leg, call: SwitchCall, *, speaks: bool = True) -> None:
        """Let a leg in that is up; not `speaks`: it only hears. Raises LocalError where the room is full."""
        if self.is_full:
            raise LocalError(f"conference {self.number} is full: {self.most} are in it")
        core = self.rooms.core
        others = list(self.parties)
        self.parties[leg] = call, core.now()
        if not speaks:
            self._listening.add(leg)
        self._had_two = self._had_two or len(self.parties) > 1
        leg.joined, leg.call, call.state = self, call, CallState.UP
        core.journal.record(call.id, "conference.joined", room=self.number, leg=leg.id, parties=len(self.parties))
        core.tell("call.connected", call)
        core.spawn(self._patch(leg))
        if self.rooms.settings.tones:
            core.spawn(self.announce(others, confirmed()))

    async def _patch(self, leg: Leg) -> None:
        """Let a leg speak and hear as it may now."""
        async with self._lock:
            if leg not in self.parties or leg.speech is None:
                return
            try:
                await leg.speech.sound()
                live = not leg.holds and not self._frozen
                await self.bridge.join(leg.speech.port, speak=live and self.speaks(leg), hear=live)
            except MediaError as error:  # a port that closed between the asking and the doing
                self.rooms.core.journal.record(self.number, "patch.late", leg=leg.id, reason=str(error))

    async def announce(self, to: list[Leg], samples: Samples) -> None:
        """Let some of those inside hear a sound."""
        for leg in to:
            if leg in self.parties and leg.speech is not None and leg.speech.agreed and leg.speech.agreed.sends:
                await leg.speech.port.play(samples)

    def shown(self) -> dict[str, Any]:
        """The conference as the control interface shows it."""
        return {
            "number": self.number,
            "ad_hoc": self.ad_hoc,
            "most": self.most,
            "parties": [
                {"leg": leg.id, "number": leg.who.shown, "since": round(since, 3), "holds": leg.holds}
                for leg, (_, since) in self.parties.items()
            ],
        }

    def freeze(self, *, on: bool) -> None:
        """Let nobody hear anybody, as a mixer does that hangs: the parties stay in, and are sent silence."""
        self._frozen = on
        for leg in self.parties:
            self.rooms.core.spawn(self._patch(leg))

    def speaks(self, leg: Leg) -> bool:
        """Whether a party is heard by the others; else it only hears them."""
        return leg not in self._listening

    # leg.Joined

    def partner_of(self, leg: Leg) -> Who:
        """The conference."""
        return Who(self.number, "Conference")

    def changed(self, leg: Leg) -> None:
        """A party holds, or holds no more."""
        self.rooms.core.spawn(self._patch(leg))

    def left(self, leg: Leg) -> None:
        """A party hung up."""
        self._remove(leg, q850.NORMAL_CLEARING)

    def key(self, leg: Leg, digit: str) -> None:
        """Keys of a party are nobody else's."""

    def replace(self, old: Leg, new: Leg) -> None:
        """Somebody else is in instead, as one of them was transferred."""
        call, _ = self.parties[old]
        speaks = self.speaks(old)
        old.joined = None
        self._remove(old, q850.NORMAL_CLEARING, ends=False)
        self.rooms.core.calls[call.id] = call
        self.add(new, call, speaks=speaks)

    def release(self, leg: Leg) -> None:
        """A party goes elsewhere."""
        leg.joined = None
        self._remove(leg, q850.NORMAL_CLEARING)

    def _remove(self, leg: Leg, cause: int, *, ends: bool = True) -> None:
        found = self.parties.pop(leg, None)
        if found is None:
            return
        core = self.rooms.core
        self._listening.discard(leg)
        call, since = found
        core.journal.record(call.id, "conference.left", room=self.number, leg=leg.id, parties=len(self.parties))
        core.paired(
            Pairing(
                call,
                leg,
                None,
                device="CFB_1",
                began=call.began,
                connected=since,
                ended=core.now(),
                cause=cause,
                cleared_by=OnBehalfOf.DEVICE,
                joined_by=OnBehalfOf.CONFERENCE if self.ad_hoc else OnBehalfOf.MEET_ME,
                conversation=int(self.number),
            )
        )
        core.call_over(call)
        core.spawn(self._leave(leg))
        if ends and (not self.parties or (self.ad_hoc and self._had_two and len(self.parties) == 1)):
            self.rooms.close(self)
        elif self.rooms.settings.tones:
            core.spawn(self.announce(list(self.parties), departed()))

    async def _leave(self, leg: Leg) -> None:
        async with self._lock:
            if leg.speech is not None and leg.speech.stats is None:
                try:
                    await self.bridge.leave(leg.speech.port)
                except MediaError as error:
                    self.rooms.core.journal.record(self.number, "patch.late", leg=leg.id, reason=str(error))


class Rooms:
    """The conferences of one node."""

    def __init__(self, core: Core, settings: ConferenceSettings) -> None:
        self.core = core
        self.settings = settings
        self._configured: dict[str, RoomSettings] = {each.number: each for each in settings.rooms}
        self.open: dict[str, Room] = {}
        self._opening = asyncio.Lock()

    def get(self, number: str) -> Room:
        """The conference that goes on at a number. Raises UnknownRoomError."""
        room = self.open.get(number)
        if room is None:
            raise UnknownRoomError(f"no conference goes on at {number[:40]!r}")
        return room

    async def serve(self, call: SwitchCall, number: str) -> Outcome:
        """A call to a room's number."""
        told = self._configured.get(number)
        room = self.open.get(number)
        if told is None and room is None:
            return Refusal(404)
        if room is not None and room.is_full:
            return Refusal(486, reason="Conference Full")
        await call.answer_origin()
        leg = await anchored(call.origin)
        if leg.speech is None or leg.is_over:
            return SERVED
        pin = told.pin if told is not None and call.transferred_by is None else None
        if pin is not None and not await self._pin_is_right(leg, pin):
            self.core.journal.record(call.id, "conference.wrong_pin", room=number)
            leg.joined = None
            leg.hang_up(cause=21)
            self.core.call_over(call)
            return SERVED
        try:
            room = room or await self.reserved(number, told.max_parties if told is not None else None)
            room.add(leg, call)
        except LocalError as error:
            self.core.journal.record(call.id, "conference.refused", reason=str(error))
            return Refusal(486, reason="Conference Full")
        return SERVED

    async def _pin_is_right(self, leg: Leg, pin: str) -> bool:
        keypad = Keypad(leg, self.core)
        for _ in range(PIN_TRIES):
            if await keypad.number(within=PIN_WITHIN_S) == pin:
                return True
            if leg.is_over or leg.speech is None:
                return False
            await leg.speech.say(denied())
        return False

    async def begin(self, call: SwitchCall) -> Outcome:
        """A call to the factory: a conference of the caller's own (RFC 4579 section 5.4)."""
        room = await self.ad_hoc()
        await call.answer_origin()
        call.called = room.number
        if not call.origin.is_over:
            room.add(await anchored(call.origin), call)
        return SERVED

    async def ad_hoc(self) -> Room:
        """Open an ad hoc conference. Raises LocalError where there are too many."""
        first, most = self.settings.first_ad_hoc, self.settings.max_ad_hoc
        async with self._opening:
            free = [str(first + index) for index in range(most) if str(first + index) not in self.open]
            if not free:
                raise LocalError(f"{most} ad hoc conferences go on already")
            return await self._made(free[0], None, ad_hoc=True)

    async def reserved(self, number: str, most: int | None) -> Room:
        """The conference at a number, which is opened where none goes on."""
        async with self._opening:
            return self.open.get(number) or await self._made(number, most, ad_hoc=False)

    async def _made(self, number: str, most: int | None, *, ad_hoc: bool) -> Room:
        bridge = await self.core.media.open_bridge(f"{self.core.name} conference {number}")
        room = self.open[number] = Room(self, number, bridge, most or MAX_PARTIES, ad_hoc=ad_hoc)
        self.core.journal.record(self.core.name, "conference.opened", room=number, ad_hoc=ad_hoc)
        return room

    def close(self, room: Room) -> None:
        """End a conference; whoever is left is hung up on."""
        if self.open.pop(room.number, None) is None:
            return
        for leg in list(room.parties):
            leg.hang_up()
        self.core.journal.record(self.core.name, "conference.closed", room=room.number)
        self.core.spawn(room.bridge.close())

    async def gather(self, legs: list[Leg]) -> Room:
        """Bring the conversations of one telephone's legs together in an ad hoc conference.

        The telephone stays in by the last of its legs; the others are hung up. Raises LocalError where one of them is
        in no conversation, or the conference can't be.
        """
        talks = [leg.joined for leg in legs]
        if len(legs) < 2 or not all(isinstance(talk, Conversation) for talk in talks):
            raise LocalError("a conference is made of two conversations or more of one telephone")
        room = await self.ad_hoc()
        conversations = [talk for talk in talks if isinstance(talk, Conversation)]
        parties = [talk.other(leg) for talk, leg in zip(conversations, legs, strict=True)]
        for leg in (*parties, legs[-1]):
            await anchored(leg)
        for talk, leg, party in zip(conversations, legs, parties, strict=True):
            talk.release(leg)
            room.add(party, talk.call)
        last = legs[-1]
        own = self.core.own_call(last, room.number)
        room.add(last, own)
        for leg in legs[:-1]:
            leg.passing = None
            leg.hang_up()
        return room

    def has(self, leg: Leg) -> bool:
        """Whether a leg is in a conference."""
        return isinstance(leg.joined, Room)

    async def invite(self, leg: Leg, number: str, tell: Tell = untold) -> None:
        """Call somebody into the conference that a leg is in (RFC 4579 section 5.5). Raises LocalError."""
        room = leg.joined
        if not isinstance(room, Room):
            raise LocalError(f"{leg.id} is in no conference")
        core = self.core
        call = core.own_call(leg, number, joins=False)
        call.on_alert = lambda: tell(180, REASONS[180])
        try:
            outcome = await core.routing.reach(call, number)
        except HarnessError as error:
            outcome = core.routing.refusal_of(error)
        if isinstance(outcome, Leg) and outcome.speech is not None:
            await outcome.speech.apply()
            room.add(outcome, call)
            tell(200, REASONS[200])
            return
        core.call_over(call)
        refusal = outcome if isinstance(outcome, Refusal) else Refusal(488)
        tell(refusal.status, refusal.reason or REASONS.get(refusal.status, ""))
