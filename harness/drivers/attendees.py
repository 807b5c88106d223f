"""Many who take part in one meeting: each has a SIP dialog of its own, and media only while it is asked to have any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.endpoints.media import MediaPort, MediaService, PortStats, Recording
from harness.endpoints.sip.abilities import Abilities
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.endpoints.speech import DISCARD, join_speech
from harness.errors import DriverError, HarnessError, SdpError, SipLocalError
from harness.protocols import sdp
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context
from harness.transport.tap import Address

MAX_ATTENDEES: Final = 1_000
"""Who attend at once; Ofcom's reserved mobile numbers, 07700 900000 to 900999, are one for each."""
SESSION_S: Final = 1_800
"""Seconds of each dialog's session timer (RFC 4028): it is refreshed at half of them, or the dialog is given up."""
REJOINS_AFTER_S: Final = 5.0
"""Seconds after a drop at which somebody calls again, as a person would."""
MAX_REJOINS: Final = 10
"""Times that one of them does so."""
OFFER_WITHIN_S: Final = 10.0
OFFER_TRIES: Final = 3
"""Times that a new offer is made where a refresh of the session is under way."""
OFFER_AGAIN_S: Final = 0.5


@dataclass(slots=True)
class Drop:
    """A time that somebody was put out, or lost."""

    at: float
    """Run time, seconds."""
    reason: str
    back_at: float | None = None
    """Run time at which they were in again; None: they are not."""


class Attendee:
    """One of them. Made by `Attendees`. Its journal events: ``attendee.joined``, ``attendee.dropped`` {reason}."""

    def __init__(self, crowd: Attendees, name: str, number: str) -> None:
        self.name = name
        self.number = number
        """By which it is known to the meeting."""
        self.joined_at: float | None = None
        """Run time at which it was in first; None: it never was."""
        self.problem = ""
        """Why it is not in."""
        self.drops: list[Drop] = []
        self._crowd = crowd
        self._called = ""
        self._within = 0.0
        self._sip: OutgoingCall | None = None
        self._session: sdp.MediaSession
        self._port: MediaPort | None = None
        self._leaves = False
        self._rejoining: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it is not in now."""
        return self._sip is None or self._sip.is_over

    async def join(self, number: str, *, within: float) -> None:
        """Call the meeting's number without media. Where that fails, ``problem`` says why. Raises InterlockError."""
        crowd = self._crowd
        self._called, self._within = number, within
        rng, host = crowd.context.rng, crowd.agent.address[0]
        plan = sdp.StreamPlan(DISCARD, direction="inactive")
        self._session = sdp.MediaSession(host, [plan], session_id=rng.getrandbits(48))
        sip = crowd.agent.invite(crowd.uri(number), offer=self._session.offer(), caller=f"<sip:{self.number}@{host}>")
        self._sip = sip
        try:
            await sip.answered(within=within)
            self._session.take_answer(sip.remote_sdp)
        except (SipLocalError, SdpError) as error:
            self.problem = str(error)
            sip.hang_up()
            return
        self.problem = ""
        now = crowd.context.journal.now()
        if self.joined_at is None:
            self.joined_at = now
        elif self.drops:
            self.drops[-1].back_at = now
        sip.on_change(self._changed)
        crowd.context.journal.record(crowd.name, "attendee.joined", attendee=self.name, again=len(self.drops))

    async def leave(self) -> None:
        """Hang up."""
        self._leaves = True
        if self._rejoining is not None:
            self._rejoining.cancel()
            await asyncio.gather(self._rejoining, return_exceptions=True)
        await self._unplug()
        if self._sip is not None:
            self._sip.hang_up()

    # Media

    async def join_audio(self) -> None:
        """Send and take speech from now on (re-INVITE). Raises DriverError where it is not in, SipLocalError."""
        if self._sip is None or self._sip.is_over or self._port is not None:
            raise DriverError(f"{self.name} is not in the meeting, or has its audio already")
        crowd = self._crowd
        self._port = await crowd.media.open_port(self.name, host=crowd.agent.address[0])
        crowd.context.called(self._port.address, crowd.name)
        try:
            agreed = await self._offer(self._sip, sdp.StreamPlan(self._port.address[1]))
            await join_speech(self._port, agreed)
        except BaseException:
            await self._unplug()
            raise

    async def leave_audio(self) -> None:
        """Have no media from now on, and stay in. Raises SipLocalError."""
        await self._unplug()
        if self._sip is not None and not self._sip.is_over:
            await self._offer(self._sip, sdp.StreamPlan(DISCARD, direction="inactive"))

    async def say(self, samples: Samples) -> float:
        """Say something; return the run time of the first sample. Raises DriverError without audio, MediaError."""
        return await self._jack.play(samples)

    async def record(self) -> None:
        """Begin to keep what is heard. Raises DriverError, MediaError."""
        await self._jack.record()

    async def recorded(self) -> Recording:
        """What was heard since. Raises DriverError, MediaError."""
        return await self._jack.recorded()

    async def stats(self) -> PortStats:
        """What has crossed since it joined its audio. Raises DriverError, MediaError."""
        return await self._jack.stats()

    @property
    def _jack(self) -> MediaPort:
        if self._port is None:
            raise DriverError(f"{self.name} has no audio: it joined without, left it, or was dropped")
        return self._port

    async def _unplug(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            await port.close()

    async def _offer(self, sip: OutgoingCall, plan: sdp.StreamPlan) -> sdp.Negotiated:
        for left in reversed(range(OFFER_TRIES)):
            self._session.change(plan)
            offer = self._session.offer()
            try:
                [agreed] = self._session.take_answer(await sip.session.offer(offer, within=OFFER_WITHIN_S))
            except HarnessError:
                self._session.withdraw()
                if not left or sip.is_over:
                    raise
                await asyncio.sleep(OFFER_AGAIN_S)
                continue
            if not isinstance(agreed, sdp.Negotiated):
                raise SdpError(f"{self.name}: the audio stream was refused")
            return agreed
        raise AssertionError("the last try returns or raises")

    # What happens to it

    def _changed(self, sip: Call, what: str) -> None:
        if what != "ended" or self._leaves or sip is not self._sip:
            return
        journal = self._crowd.context.journal
        self.drops.append(Drop(journal.now(), sip.reason))
        journal.record(self._crowd.name, "attendee.dropped", attendee=self.name, reason=sip.reason)
        if len(self.drops) <= MAX_REJOINS:
            self._rejoining = asyncio.get_running_loop().create_task(self._rejoin())

    async def _rejoin(self) -> None:
        await self._unplug()
        await asyncio.sleep(REJOINS_AFTER_S)
        await self.join(self._called, within=self._within)


class Attendees:
    """All who attend by one component."""

    def __init__(self, context: Context, media: MediaService, name: str, target: Address) -> None:
        """Use `open`."""
        self.name = name
        self.context = context
        self.media = media
        self.agent: UserAgent
        self.all: list[Attendee] = []
        """In the order in which they joined."""
        self._target = target

    @classmethod
    async def open(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        local: Address = ("127.0.0.1", 0),
        target: Address,
        permit: Callable[[str], None],
    ) -> Attendees:
        """Bind their SIP at ``local``. ``permit`` is asked before anything leaves. Raises TransportError."""
        crowd = cls(context, media, name, target)
        crowd.agent = await UserAgent.open(
            context,
            name,
            local=local,
            user=name,
            abilities=Abilities(session_expires=SESSION_S),
            permit=permit,
            trace=False,
        )
        context.called(crowd.agent.address, name)
        return crowd

    def uri(self, number: str) -> str:
        """Where a number is called."""
        return f"sip:{number}@{self._target[0]}:{self._target[1]}"

    async def join(self, number: str, count: int, *, per_second: float, within: float) -> Sequence[Attendee]:
        """Have ``count`` more join the meeting at ``number``, evenly; return them, those who did not get in too.

        ``within``: seconds for which each waits for an answer. Raises InterlockError where the number is not permitted,
        and DriverError for more than MAX_ATTENDEES: nothing has left then.
        """
        if not 1 <= count <= MAX_ATTENDEES - len(self.all) or per_second <= 0:
            raise DriverError(f"{self.name}: {MAX_ATTENDEES} attend at most, and some join each second")
        self.agent.routes.ask_permit(self.uri(number))
        first = len(self.all)
        fresh = [
            Attendee(self, f"{self.name} {each:03d}", f"+447700900{each:03d}") for each in range(first, first + count)
        ]
        self.all += fresh
        began = self.context.journal.now()

        async def one(index: int, attendee: Attendee) -> None:
            await asyncio.sleep(began + index / per_second - self.context.journal.now())
            await attendee.join(number, within=within)

        await asyncio.gather(*(one(index, attendee) for index, attendee in enumerate(fresh)))
        return fresh

    async def close(self) -> None:
        """Hang everybody up and close the port; again does nothing."""
        for attendee in self.all:
            await attendee.leave()
        await self.agent.close()
