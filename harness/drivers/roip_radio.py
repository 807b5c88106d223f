"""The RoIP radio driver: what a control room does with a radio behind an ED-137 gateway, main and standby."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from harness.drivers.talking_radio import Technology
from harness.endpoints.ed137 import ControlRoom
from harness.endpoints.ed137.control_room import ANSWERED_WITHIN
from harness.endpoints.media import Recording
from harness.errors import DriverError, Ed137LocalError, HarnessError, InterlockError, SipLocalError
from harness.journal import Event
from harness.protocols.ed137.extension import Layout, Ptt
from harness.protocols.ed137.session import Changed, LinkLost, Measured
from harness.protocols.ed137.session import Event as SessionEvent
from harness.protocols.ed137.terms import USUAL, RadioTerms
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY, PRE_EMPTIVE_CALL_PRIORITY
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context
from harness.transport.tap import Address

GRANT_S: Final = 2.0
"""Seconds within which a radio tells that it is keyed."""
RETRY_S: Final = 2.0
"""Seconds from one attempt to the next, where neither main nor standby takes a session."""
MAX_STATIONS: Final = 8
"""Radios that one driver may fall back on."""
PRIORITIES: Final = {Ptt.PRIORITY: PRE_EMPTIVE_CALL_PRIORITY, Ptt.EMERGENCY: EMERGENCY_CALL_PRIORITY}
"""What the interlock is asked about each PTT type as: both take the air from others (decision 0092)."""
_TYPES: Final = {priority: ptt for ptt, priority in PRIORITIES.items()}

Permit = Callable[[str, str, int], None]


class RoipJack:
    """The radio's headset: what is said goes into the session that is up, what is heard comes from it."""

    def __init__(self, radio: RoipRadio) -> None:
        self._radio = radio

    async def say(self, samples: Samples) -> float:
        """Send samples (int16, 8,000 a second); return the run time at which the first packet goes out.

        Unless the radio is keyed they are not on air. Raises DriverError where no session is up, InterlockError.
        """
        return await self._radio.speak(samples)

    async def said(self) -> None:
        """Return when all that was to be said is out."""
        await self._radio.spoken()

    async def record(self) -> None:
        """Begin to keep what is heard; a fail-over ends it."""
        await self._radio.record()

    async def recorded(self) -> Recording:
        """Return what was heard since, placed by its timestamps, without a playout buffer."""
        return await self._radio.recorded()


class RoipRadio:
    """One radio as a dispatcher has it.

    Events, under the component's name, beside those of ControlRoom: ``ptt.pressed`` {talkgroup, ptt}, ``ptt.granted``
    {talkgroup, grant_ms}, ``ptt.denied`` {reason}, ``ptt.released``, ``ptt.pre_empted``, ``squelch.opened`` {quality},
    ``squelch.closed``, ``voice.heard`` {level_dbov}, ``station.lost`` {uri, why}, ``station.changed`` {uri}.
    """

    technology: ClassVar[Technology] = Technology.ROIP
    talk_shown: ClassVar[str] = "squelch.opened"
    talk_over: ClassVar[str] = "squelch.closed"
    talk_taken: ClassVar[str] = "ptt.pre_empted"  # PTT mute says no more

    def __init__(
        self,
        context: Context,
        name: str,
        room: ControlRoom,
        stations: Sequence[str],
        terms: RadioTerms,
        layout: Layout,
        target: str,
        permit: Permit | None,
    ) -> None:
        """Use `open`."""
        self.name = name
        self.talkgroup: str | None = target
        """What it keys: fixed, as the gateway is set."""
        self.room = room
        """The session; for tests of the wire."""
        self.jack = RoipJack(self)
        self._journal = context.journal
        self._stations = tuple(stations)
        self._terms = terms
        self._layout = layout
        self._target = target
        self._permit = permit
        self._keyed: Ptt | None = None
        self._pressing = False
        self._again: asyncio.Task[None] | None = None
        self._closed = False
        self._forget: Callable[[], None] = lambda: None

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        *,
        stations: Sequence[str],
        target: str,
        local: Address = ("127.0.0.1", 0),
        terms: RadioTerms = USUAL,
        layout: Layout = Layout.OF_2011,
        permit_dial: Callable[[str], None] | None = None,
        permit_radio: Permit | None = None,
    ) -> RoipRadio:
        """Set a session up with the first of `stations` (SIP URIs: main, then standby) that takes it.

        `target`: the talkgroup that it keys, or its own name: what `permit_radio` is asked about before it is keyed.
        Raises DriverError when none takes it, with the last one's reason, TransportError, InterlockError.
        """
        if not 0 < len(stations) <= MAX_STATIONS:
            raise DriverError(f"{name}: {len(stations)} stations; 1-{MAX_STATIONS} can be fallen back on")
        room = await ControlRoom.open(context, name, uri=stations[0], local=local, permit=permit_dial)
        radio = cls(context, name, room, stations, terms, layout, target, permit_radio)
        room.on_event, room.on_ended = radio._happened, lambda: radio._lost("the radio has ended the session")
        radio._forget = context.journal.subscribe(radio._seen)
        try:
            await radio._connect_any(stations)
        except BaseException:
            await radio.close()
            raise
        return radio

    async def close(self) -> None:
        """Let the key go, end the session and close SIP."""
        self._closed = True
        if self._again is not None:
            self._again.cancel()
            await asyncio.gather(self._again, return_exceptions=True)
        if self._keyed is not None:
            self._let_go()
        self._forget()
        await self.room.close()

    # The session

    @property
    def station(self) -> str:
        """The SIP URI of the radio that the session is with, or was last."""
        return self.room.uri

    async def _connect_any(self, stations: Sequence[str]) -> None:
        why: Exception | None = None
        for uri in stations:
            self.room.uri = uri
            try:
                await self.room.connect(self._terms, layout=self._layout)
            except InterlockError:
                raise
            except HarnessError as error:
                why = error
                continue
            self._journal.record(self.name, "station.changed", uri=uri)
            return
        raise DriverError(f"{self.name}: no radio takes a session; the last said: {why}") from why

    def _others_first(self) -> list[str]:
        at = self._stations.index(self.room.uri)
        return [*self._stations[at + 1 :], *self._stations[: at + 1]]

    def _lost(self, why: str) -> None:
        """The session is of no use any more: go to the next station, or try this one again."""
        if self._closed or (self._again is not None and not self._again.done()):
            return
        self._journal.warn(self.name, "station.lost", uri=self.room.uri, why=why)
        self._keyed = None
        self._again = asyncio.get_running_loop().create_task(self._go_on(), name=f"{self.name} fail-over")

    async def _go_on(self) -> None:
        with contextlib.suppress(SipLocalError):  # a radio that has failed need not answer the BYE
            await self.room.disconnect(within=0.5)
        while True:
            try:
                await self._connect_any(self._others_first())
            except HarnessError as error:
                self._journal.warn(self.name, "station.none", why=str(error))
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def fail_over(self) -> None:
        """Leave the station for the next one. Raises DriverError when none takes the session, InterlockError."""
        if self._again is not None and not self._again.done():
            await self._again
            return
        with contextlib.suppress(SipLocalError):
            await self.leave(within=0.5)
        await self._connect_any(self._others_first())

    # PTT and speech

    async def select(self, talkgroup: str) -> None:
        """Be on the talkgroup that the gateway has set: the session is set up where none is.

        Raises DriverError for another talkgroup and where no radio takes the session, InterlockError.
        """
        if talkgroup != self._target:
            raise DriverError(f"{self.name} is on {self._target}, as its gateway is set, and can't be on {talkgroup}")
        if not self.room.is_connected:
            await self._connect_any([self.room.uri, *self._others_first()[:-1]])

    async def leave(self, *, within: float = ANSWERED_WITHIN) -> None:
        """End the session, the key up; `select` sets it up again. Raises SipLocalError where the BYE is unanswered."""
        if self._keyed is not None:
            self._let_go()
        on_ended, self.room.on_ended = self.room.on_ended, lambda: None
        try:
            await self.room.disconnect(within=within)
        finally:
            self.room.on_ended = on_ended

    async def key(
        self, ptt: Ptt | None = None, *, say: Samples | None = None, priority: int = 0, within: float = GRANT_S
    ) -> None:
        """Press the key and return when the radio tells that it is keyed by us; `say` is spoken from then on.

        `priority`, 0 to 15 as TETRA has it, where no PTT type is named: from 12 on priority PTT, 15 emergency PTT.
        Raises DriverError when another has it (PTT mute) or it does not tell in time, the key is up again then;
        InterlockError when the testbed does not allow it: nothing has left then.
        """
        if self._keyed is not None or self._pressing:
            raise DriverError(f"{self.name}: the key is pressed already")
        ptt = _type_of(priority) if ptt is None else ptt
        if ptt is Ptt.OFF:
            raise DriverError(f"{self.name}: 'off' is no way to key a radio")
        self._ask(ptt)
        pressed = self._journal.record(self.name, "ptt.pressed", talkgroup=self._target, ptt=ptt.name.lower())
        self._pressing = True
        try:
            await self.room.key(ptt, within=within)
        except (Ed137LocalError, asyncio.CancelledError) as error:
            self._journal.record(self.name, "ptt.denied", talkgroup=self._target, reason=str(error) or "let go")
            if isinstance(error, Ed137LocalError):
                raise DriverError(str(error)) from error
            raise
        finally:
            self._pressing = False
        self._keyed = ptt
        grant_ms = round((self._journal.now() - pressed.time) * 1000, 3)
        self._journal.record(self.name, "ptt.granted", talkgroup=self._target, grant_ms=grant_ms)
        if say is not None:
            await self.speak(say)

    async def emergency(self, *, say: Samples | None = None) -> None:
        """Press the key with emergency PTT: the radio and its talkgroup, whoever talks. Raises as ``key`` does."""
        await self.key(Ptt.EMERGENCY, say=say)

    async def unkey(self, *, within: float = GRANT_S) -> None:
        """Let the key go and return when the radio tells so. Raises DriverError when it is up, or nothing is told."""
        if self._keyed is None:
            raise DriverError(f"{self.name}: the key is not pressed")
        self._let_go()
        if self.room.is_connected and not await self.room.unkeyed(within=within):
            raise DriverError(f"{self.name}: the radio did not tell within {within:g} s that the key is up")

    def _let_go(self) -> None:
        self._keyed = None
        self._journal.record(self.name, "ptt.released", talkgroup=self._target)
        self.room.unkey()

    async def say(self, samples: Samples, ptt: Ptt = Ptt.NORMAL) -> float:
        """Key, speak and let go; return the run time at which the speech began. Raises as ``key`` does."""
        await self.key(ptt)
        try:
            began = await self.speak(samples)
            await self.spoken()
        finally:
            if self._keyed is not None:  # the radio may have been lost
                await self.unkey()
        return began

    async def speak(self, samples: Samples) -> float:
        """Speak, keyed or not; return the run time of the first packet. Raises DriverError, InterlockError."""
        self._ask(self._keyed or Ptt.NORMAL)
        try:
            return self.room.stream.play(samples)
        except HarnessError as error:
            raise DriverError(str(error)) from error

    async def spoken(self) -> None:
        """Return when all that was to be spoken is out, or the session has ended."""
        if self.room.is_connected:
            await self.room.stream.played()

    async def record(self) -> None:
        """Begin to keep what is heard; a fail-over ends it."""
        self.room.stream.record()

    async def recorded(self) -> Recording:
        """Return what was heard since, placed by its timestamps, without a playout buffer."""
        return self.room.stream.recorded()

    def _ask(self, ptt: Ptt) -> None:
        if self._permit is not None:
            self._permit("key", self._target, PRIORITIES.get(ptt, 0))

    # What the radio tells

    async def measure_delay(self, *, within: float = 2.0) -> Measured:
        """Ask how long our packets take to the antenna. Raises DriverError when no answer comes in time."""
        found: asyncio.Future[Measured] = asyncio.get_running_loop().create_future()

        def measured(event: SessionEvent) -> None:
            if isinstance(event, Measured) and not found.done():
                found.set_result(event)
            self._happened(event)

        if not self.room.is_connected:
            raise DriverError(f"{self.name}: no session is up")
        self.room.on_event = measured
        try:
            self.room.stream.measure()
            async with asyncio.timeout(within):
                return await found
        except TimeoutError:
            raise DriverError(f"{self.name}: no answer to a delay measurement within {within:g} s") from None
        finally:
            self.room.on_event = self._happened

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that this radio shows, or raise ExpectationError telling what it did show."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)

    def _happened(self, event: SessionEvent) -> None:
        match event:
            case LinkLost():
                if len(self._stations) > 1:
                    self._lost(f"no packet for {event.silent_s:.1f} s")
            case Changed(state, before):
                if state.squelch and not before.squelch:
                    quality = None if state.quality is None else state.quality.index
                    self._journal.record(self.name, "squelch.opened", quality=quality)
                elif before.squelch and not state.squelch:
                    self._journal.record(self.name, "squelch.closed")
                if self._keyed is not None and (state.ptt_mute or state.ptt_id != self.room.stream.said.ptt_id):
                    self._journal.record(self.name, "ptt.pre_empted", talkgroup=self._target, by=state.ptt_id)
                    self._keyed = None
                    self.room.unkey()

    def _seen(self, event: Event) -> None:
        if event.source == self.name and event.kind == "voice.started":
            self._journal.record(self.name, "voice.heard", at=event.time, **event.data)


def _type_of(priority: int) -> Ptt:
    """The PTT type for a call priority: the highest that it reaches."""
    return next((_TYPES[least] for least in sorted(_TYPES, reverse=True) if priority >= least), Ptt.NORMAL)
