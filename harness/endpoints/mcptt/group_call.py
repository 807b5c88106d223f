"""One group call of a terminal: its SIP dialog, its speech, its floor, and what the user presses and is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, ClassVar

from harness.endpoints.call_media import CallMedia
from harness.endpoints.mcptt.floor_port import FloorPort
from harness.endpoints.media import MediaPort
from harness.endpoints.sip.call import Call
from harness.endpoints.speech import join_speech
from harness.errors import HarnessError, McpttLocalError, SdpError
from harness.journal import Event
from harness.protocols.mcptt.description import with_floor, with_its_floor
from harness.protocols.mcptt.info import FloorTerms
from harness.protocols.mcptt.messages import FloorMessage, Indicator
from harness.protocols.mcptt.participant import NEVER, Participant, State, Told, What
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sdp import Negotiated
from harness.transport.context import Context

MEDIA_CHECK_S = 0.5
"""How often it is looked whether speech comes, for the floor participant's T103."""
_ONLY_HEARS = {"sendrecv": "recvonly", "sendonly": "inactive"}


class GroupCall:
    """A call that a terminal is in.

    Events, under the terminal's name: ``floor.granted`` {group, seconds}, ``floor.denied`` {cause, phrase},
    ``floor.queued`` {position, priority}, ``floor.revoked`` {cause}, ``floor.released``, ``floor.unanswered``,
    ``floor.taken`` {talker, ssrc, may_request, emergency}, ``floor.idle``, ``group_call.up`` {group},
    ``group_call.over`` {status, reason}.
    """

    kind: ClassVar[str] = "group_call"
    """What its own events are of."""
    key: ClassVar[str] = "group"
    """By which its events tell whom it is with."""

    def __init__(
        self, context: Context, name: str, group: str, participant: Participant, media: CallMedia, floor: FloorPort
    ) -> None:
        self.group = group
        """The group's MCPTT ID."""
        self.participant = participant
        self.media = media
        self.sip: Call
        """Its dialog; set by the terminal."""
        self.is_up = False
        self.before_close: Callable[[MediaPort], Awaitable[None]] | None = None
        """Awaited with the port of its speech before that is closed."""
        self._name = name
        self._journal = context.journal
        self._floor = floor
        self._terms: FloorTerms | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._joined = False
        self._changes: asyncio.Queue[bool] = asyncio.Queue(64)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def told(self) -> dict[str, str]:
        """What all its events carry."""
        return {self.key: self.group}

    @property
    def asked(self) -> bool:
        """Whether setting it up has asked for the floor on our behalf."""
        return self._terms is not None and self._terms.implicit_request

    # Setting up

    def offer(self, terms: FloorTerms) -> bytes:
        """Our offer, speech and floor. Raises SdpLocalError, McpttLocalError."""
        self._terms = replace(terms, port=self._floor.number)
        return with_floor(self.media.offer(), self._terms)

    def answer(self, offered: bytes, terms: FloorTerms) -> bytes:
        """Our answer to the server's offer. Raises SdpError and McpttError: a 488 is due."""
        speech, _, peer = with_its_floor(offered, "an offer")
        answer = self.media.answer(speech)
        self._floor.peer = peer
        self._terms = replace(terms, port=self._floor.number)
        return with_floor(answer, self._terms)

    def take_answer(self, answer: bytes) -> None:
        """Take the answer to our offer. Raises SdpError, McpttError."""
        speech, _, peer = with_its_floor(answer, "an answer")
        self.media.take_answer(speech)
        self._floor.peer = peer

    def begin(self) -> None:
        """The call is up: join the media, and have the floor participant begin."""
        if self.is_up:
            return
        self.is_up = True
        loop = asyncio.get_running_loop()
        for work in (self._follow(), self._listen()):
            task = loop.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._changes.put_nowait(False)
        self._journal.append(self._name, f"{self.kind}.up", self.told)
        self.participant.begin(implicit_request=self.asked, now=loop.time())
        self._work([])

    async def over(self) -> None:
        """The call is over, or never came up: nothing stays open. Again does nothing."""
        if self.participant.state is State.RELEASING:
            return
        self.participant.end()
        if self._timer is not None:
            self._timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._floor.close()
        if self.before_close is not None:
            await self.before_close(self.media.port)
        await self.media.close()
        if self.is_up:
            self.is_up = False
            ended = {**self.told, "status": self.sip.status, "reason": self.sip.reason}
            self._journal.append(self._name, f"{self.kind}.over", ended)

    # The user

    def press(self, *, priority: int | None = None, indicator: Indicator | None = None) -> None:
        """Ask for the floor. Raises McpttLocalError where the call is not up."""
        self._must_be_up()
        self.participant.press(self._now(), priority=priority, indicator=indicator)
        self._work([])

    def release(self) -> None:
        """Let the floor, or the wish for it, go."""
        self._must_be_up()
        self.participant.release(self._now())
        self._work([])

    async def granted(self, *, within: float, after: int = 0) -> Event:
        """Wait until the floor is ours; returns ``floor.granted``.

        `after`: the journal's position from which on to look. Raises ExpectationError.
        """
        return await self._journal.expect(self._name, "floor.granted", within=within, after=after, **self.told)

    async def say(self, samples: Samples) -> float:
        """Speak; returns the run time of the first packet. Raises McpttLocalError without the floor."""
        if not self.participant.may_send:
            raise McpttLocalError(f"{self._name} speaks in {self.group} without the floor")
        await self.settled()
        return await self.media.port.play(samples)

    async def settled(self) -> None:
        """Return when the media follow the floor as it is now."""
        await self._changes.join()

    # What comes

    def take(self, message: FloorMessage) -> None:
        """A message of the server's."""
        self._work(self.participant.receive(message, self._now()))

    def _expired(self) -> None:
        self._timer = None
        self._work(self.participant.expire(self._now()))

    def _work(self, told: list[Told]) -> None:
        """Send what is to be sent, tell the user, have the media follow, and set the clock."""
        participant = self.participant
        out, participant.out[:] = list(participant.out), []
        self._floor.send(*out)
        for each in told:
            self._tell(each)
        if participant.may_send != self._joined and self.is_up:
            self._joined = participant.may_send
            self._changes.put_nowait(self._joined)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if participant.next_at != NEVER:
            self._timer = asyncio.get_running_loop().call_at(participant.next_at, self._expired)

    def _tell(self, told: Told) -> None:
        data: dict[str, Any] = dict(self.told)
        if told.what is What.TAKEN:
            data |= {"talker": told.talker, "ssrc": told.talker_ssrc, "may_request": told.may_request}
        if told.what in (What.TAKEN, What.GRANTED) and told.indicator is not None:
            data["emergency"] = bool(told.indicator & Indicator.EMERGENCY)
        if told.seconds is not None:
            data["seconds"] = told.seconds
        if told.cause is not None:
            data |= {"cause": told.cause, "phrase": told.phrase}
        if told.queue is not None:
            data |= {"position": told.queue.position, "priority": told.queue.priority}
        self._journal.append(self._name, f"floor.{told.what}", data)

    async def _follow(self) -> None:
        """Speech goes out while the floor is ours, and only then."""
        while True:
            sends = await self._changes.get()
            try:
                for agreed in self.media.session.agreed:
                    if isinstance(agreed, Negotiated):
                        if not sends:
                            await self.media.port.stop_playing()
                        direction = agreed.direction if sends else _ONLY_HEARS.get(agreed.direction, agreed.direction)
                        await join_speech(self.media.port, agreed._replace(direction=direction))
            except (HarnessError, SdpError) as error:
                self._journal.warn(self._name, f"{self.kind}.media_failed", why=str(error), **self.told)
            finally:
                self._changes.task_done()

    async def _listen(self) -> None:
        """Tell the floor participant that speech comes."""
        before = 0
        while True:
            await asyncio.sleep(MEDIA_CHECK_S)
            came = (await self.media.port.stats()).packets_received
            if came > before:
                self.participant.media(self._now())
                self._work([])
            before = came

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _must_be_up(self) -> None:
        if not self.is_up:
            raise McpttLocalError(f"{self._name} is in no call of {self.group}")
