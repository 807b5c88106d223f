"""Records every leg for as long as somebody may be heard on it, at two stores at once.

Theory. What has to be recorded follows from how things stand: the caller of each call that is connected, each position
that is active in such a call and keys no talkgroup, each talkgroup on which somebody talks, each position that has a
floor. Whenever anything changes that is worked out anew, and legs begin and end by the difference, one change after the
other. A port has one recorder in the media service: what it heard is cut whenever a leg on it begins or ends, and every
PIECE_S, and each piece goes to all legs that were on it. A port that closes is asked for its last piece before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from harness.endpoints.media import MediaPort, Recording
from harness.errors import MediaError
from simulators.iccs.calls import CallState, SwitchCall
from simulators.iccs.conversations import Conversation
from simulators.iccs.positions import PositionError
from simulators.iccs.radio_desk import RadioDesk
from simulators.iccs.recorder.legs import MAX_LEG_S, About, Leg
from simulators.iccs.recorder.store import Store, UnknownLegError
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.way import RadioUser, told_of

PIECE_S: Final = 60.0
"""Seconds after which what a port heard is put into the stores; the media service keeps 300 s at most."""
WEEDED_EVERY_S: Final = 3_600.0
UNITS: Final = ("main", "standby")

Wanted = dict[About, MediaPort]


@dataclass(slots=True)
class _Tapped:
    """A port that is being recorded."""

    port: MediaPort
    legs: dict[About, Leg] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None
    """Until the next piece; cancelled when nothing is recorded there any more."""


class RecorderError(PositionError):
    """No recorder works."""


class Recorder:
    """The recorder of one control room."""

    def __init__(self, shared: Shared, radio: RadioDesk, calls: Callable[[], Iterable[SwitchCall]]) -> None:
        """``calls``: those that the switch has now."""
        bounds = shared.settings.recorder
        self.stores = {name: Store(bounds.mib * 1024 * 1024, bounds.legs) for name in UNITS}
        self.assigned: Callable[[RadioUser], str | None] = lambda _who: None
        """The incident that a unit is assigned to, by its radio."""
        self._shared = shared
        self._radio = radio
        self._calls = calls
        self._tapped: dict[MediaPort, _Tapped] = {}
        self._number = 0
        self._turn = asyncio.Lock()
        self._settling: asyncio.Task[None] | None = None
        self._weeding: asyncio.TimerHandle | None = None

    # What goes on

    def changed(self) -> None:
        """Work out anew what has to be recorded, at the end of this turn of the loop."""
        if self._settling is None and self._shared.settings.media != "none":
            self._settling = self._shared.spawn(self._settle())

    async def _settle(self) -> None:
        async with self._turn:
            self._settling = None
            wanted = self._wanted()
            for tapped in list(self._tapped.values()):
                over = [about for about in tapped.legs if wanted.get(about) is not tapped.port]
                if over:
                    await self._cut(tapped, over=over)
            for about, port in wanted.items():
                tapped = self._tapped.get(port) or _Tapped(port)
                if about not in tapped.legs:
                    await self._begin(tapped, about)

    def _wanted(self) -> Wanted:
        wanted: Wanted = {}
        conversations: dict[int, Conversation] = {}
        for call in self._calls():
            if call.state is CallState.CONNECTED and call.conversation is not None:
                conversations[id(call.conversation)] = call.conversation
                if call.leg is not None and call.leg.joins is not None and call.caller is None:
                    call.leg.last_words = self.last_words
                    wanted[_of(call, "telephone_in")] = call.leg.joins
        for conversation in conversations.values():
            call = next(each for each in conversation.calls if each.state is CallState.CONNECTED)
            for position in conversation.positions:
                if position.jack is not None and position.keyed is None:
                    wanted[replace(_of(call, "telephone_out"), position=position.id)] = position.jack
        for talkgroup, port, talker in self._radio.heard_now():
            wanted[About("radio_rx", talkgroup=talkgroup, **told_of(talker))] = port
        for position in self._shared.positions:
            for talkgroup in position.keyed_groups if position.jack is not None else ():
                gateway = self._radio.gateway(talkgroup)
                if gateway is not None and gateway.granted:
                    assert position.jack is not None
                    wanted[About("radio_tx", position=position.id, talkgroup=talkgroup)] = position.jack
        return wanted

    async def _begin(self, tapped: _Tapped, about: About) -> None:
        try:
            if tapped.legs:
                await self._cut(tapped)
            else:
                await tapped.port.record()
        except MediaError as error:
            self._shared.journal.warn("iccs", "recording.failed", kind=about.kind, reason=str(error))
            return
        self._tapped[tapped.port] = tapped
        self._open(tapped, about)

    def _open(self, tapped: _Tapped, about: About) -> None:
        self._number += 1
        leg = tapped.legs[about] = Leg(f"L-{self._number:06d}", about, self._shared.now())
        who = about.issi if about.mcptt_id is None else about.mcptt_id
        incident = None if who is None else self.assigned(who)
        leg.incidents = () if incident is None else (incident,)
        self._keep(leg, 0)
        if tapped.timer is None:
            self._next_piece(tapped)

    def _next_piece(self, tapped: _Tapped) -> None:
        loop = asyncio.get_running_loop()
        tapped.timer = loop.call_later(PIECE_S, lambda: self._shared.spawn(self._piece(tapped)))

    async def _piece(self, tapped: _Tapped) -> None:
        async with self._turn:
            if self._tapped.get(tapped.port) is tapped:
                await self._cut(tapped)
                if tapped.legs:
                    self._next_piece(tapped)

    async def _cut(self, tapped: _Tapped, *, over: Iterable[About] = ()) -> None:
        """Hand what was heard to the legs, end those that are over, and go on for the others."""
        try:
            heard = await tapped.port.recorded()
        except MediaError as error:
            self._shared.journal.warn("iccs", "recording.failed", port=tapped.port.name, reason=str(error))
            heard = None
        now = self._shared.now()
        for about, leg in list(tapped.legs.items()):
            before = leg.size
            if heard is not None:
                leg.add(heard)
            long = now - leg.began >= MAX_LEG_S
            if about in over or long:
                leg.ended = now
                del tapped.legs[about]
                self._shared.journal.record("iccs", "leg.recorded", leg=leg.id, kind=about.kind)
            self._keep(leg, leg.size - before)
            if long and about not in over:
                self._open(tapped, about)
        if tapped.legs and heard is not None:
            await tapped.port.record()
        else:
            self._tapped.pop(tapped.port, None)
            if tapped.timer is not None:
                tapped.timer.cancel()
                tapped.timer = None

    async def up_to_now(self, leg: Leg) -> None:
        """Put what has been said so far of a leg that goes on into the stores."""
        async with self._turn:
            tapped = next((each for each in self._tapped.values() if leg in each.legs.values()), None)
            if tapped is not None:
                await self._cut(tapped)

    async def last_words(self, port: MediaPort) -> None:
        """A port is about to close: end what is recorded there."""
        async with self._turn:
            if (tapped := self._tapped.get(port)) is not None:
                await self._cut(tapped, over=list(tapped.legs))

    def take(self, about: About, heard: Recording) -> None:
        """Keep what somebody else has recorded whole."""
        self._number += 1
        leg = Leg(f"L-{self._number:06d}", about, heard.start, heard.start + len(heard.samples) / heard.rate)
        leg.add(heard)
        self._keep(leg, leg.size)

    def _keep(self, leg: Leg, grown: int) -> None:
        for store in self.stores.values():
            if not store.failed:
                store.keep(leg, grown)

    # Stores

    @property
    def store(self) -> Store:
        """The store that answers: the main one, else the standby. Raises RecorderError where neither works."""
        for store in self.stores.values():
            if not store.failed:
                return store
        raise RecorderError("no recorder works")

    def fail(self, unit: str) -> None:
        """Let a recorder fail: nothing is written there, nothing read, and supervisors are alarmed."""
        store = self._unit(unit)
        if not store.failed:
            store.failed = True
            others = [name for name, each in self.stores.items() if not each.failed]
            impact = f"recorded by {' and '.join(others)} alone" if others else "nothing is recorded or played"
            self._shared.faults.failed("recorder_failed", unit, "critical", impact, "it was made to fail")

    def recover(self, unit: str) -> None:
        """Let it work again: it takes over what the other has kept meanwhile."""
        store = self._unit(unit)
        if store.failed:
            store.failed = False
            others = [each for name, each in self.stores.items() if name != unit and not each.failed]
            taken = sum(store.catch_up(other) for other in others)
            self._shared.journal.record("iccs", "recorder.recovered", recorder=unit, caught_up=taken)
            self._shared.faults.well("recorder_failed", unit)

    def _unit(self, unit: str) -> Store:
        try:
            return self.stores[unit]
        except KeyError:
            raise UnknownLegError(f"there is no recorder {unit!r}; there is {', '.join(UNITS)}") from None

    def weed(self) -> list[str]:
        """Let go what is older than recordings are kept, holds apart; return which legs."""
        before = self._shared.now() - self._shared.settings.recordings_kept_s
        gone: dict[str, None] = {}
        for store in self.stores.values():
            if not store.failed:
                gone |= dict.fromkeys(store.weed(before))
        if gone:
            self._shared.journal.record("iccs", "recordings.weeded", legs=len(gone))
        return list(gone)

    def shown(self) -> dict[str, Any]:
        """Return how the recorders are."""
        return {
            name: {"failed": store.failed, "legs": len(store), "bytes": store.size}
            for name, store in self.stores.items()
        }

    # Its time

    def start(self) -> None:
        """Weed every WEEDED_EVERY_S from now on."""
        self._weeding = asyncio.get_running_loop().call_later(WEEDED_EVERY_S, self._weed_again)

    def _weed_again(self) -> None:
        self.weed()
        self.start()

    def stop(self) -> None:
        """Begin nothing any more."""
        timers = [self._weeding, *(tapped.timer for tapped in self._tapped.values())]
        for timer in timers:
            if timer is not None:
                timer.cancel()


def _of(call: SwitchCall, kind: Any) -> About:
    return About(kind, call=call.id, record=call.record.id, cli=call.cli)
