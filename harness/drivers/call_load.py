"""Many calls at once, each with speech of its own: what came of each, for a verdict on every one of them.

Counters tell that 3 of 200 calls failed; a tester needs to know which, and what was wrong with the other 197. So each
call keeps its SIP story, the figures of its stream and what it heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.endpoints.media import MediaPort, MediaService, PortStats, Recording
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.endpoints.speech import DISCARD, join_speech
from harness.errors import DriverError, HarnessError
from harness.protocols import sdp
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context
from harness.transport.tap import Address

MAX_CALLS: Final = 2_000
"""Calls of one load."""
TEST_NUMBERS: Final = 1_000
"""Ofcom's reserved mobile numbers, 07700 900000 to 900999: callers of a load take turns with them."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When one call of a load is placed, and for how long it is up."""

    at_s: float
    """Seconds after the load's beginning."""
    hold_s: float
    """Seconds from the answer until the caller hangs up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What each call of a load does. Raises DriverError for what can't be."""

    number: str
    """What is dialled."""
    calls: int
    """How many, 1-2000."""
    per_second: float
    """How many are placed a second."""
    hold_s: float
    """Seconds for which each is up once it was answered."""
    answer_within_s: float = 10.0
    press: str = ""
    """Keys that are pressed, RFC 4733."""
    press_after_s: float = 1.0
    """Seconds after the answer at which they are pressed."""
    says: Samples | None = None
    """What each caller says in a loop; None: nothing, and silence is sent."""
    record: bool = True
    """Whether what each hears is kept: needed for a verdict on the words."""
    speech: bool = True
    """Whether there is any; without it calls are offered inactive and take no media port: load of signalling alone."""
    moments: tuple[Moment, ...] = ()
    """When each is placed and how long it is up, one for each call; empty: evenly, as ``per_second`` and ``hold_s``
    say. `harness.drivers.load_shape` makes those of a busy hour."""

    def __post_init__(self) -> None:
        if not 1 <= self.calls <= MAX_CALLS:
            raise DriverError(f"a load has 1 to {MAX_CALLS} calls, not {self.calls}")
        if self.per_second <= 0 or self.hold_s <= 0 or self.answer_within_s <= 0 or self.press_after_s < 0:
            raise DriverError("a load's rate and times are above 0")
        if self.moments and len(self.moments) != self.calls:
            raise DriverError(f"a load of {self.calls} calls has {len(self.moments)} moments: one for each is due")
        if any(moment.at_s < 0 or moment.hold_s <= 0 for moment in self.moments):
            raise DriverError("a moment is 0 s or later, and a call lasts more than 0 s")

    def moment(self, index: int) -> Moment:
        """When call number ``index``, from 0, is placed and how long it is up."""
        return self.moments[index] if self.moments else Moment(index / self.per_second, self.hold_s)


@dataclass(frozen=True, slots=True)
class LoadedCall:
    """What came of one call."""

    name: str
    """`load call-017`: its media port in the journal."""
    call_id: str
    cli: str
    status: int
    """SIP's final status for the INVITE; 0 where it never left."""
    reason: str
    placed_at: float
    """Run time, seconds."""
    answered_at: float | None
    stats: PortStats | None
    """Its stream's figures; None where it was not answered, or has no speech."""
    heard: Recording | None
    problem: str = ""
    """What went wrong besides, in words; empty where nothing did."""

    @property
    def answer_s(self) -> float | None:
        """Seconds from INVITE to 200; None where it was not answered."""
        return None if self.answered_at is None else self.answered_at - self.placed_at


class CallLoad:
    """Places loads of calls at one component."""

    def __init__(self, context: Context, media: MediaService, name: str, target: Address) -> None:
        self.name = name
        self._context = context
        self._media = media
        self._target = target
        self._agent: UserAgent
        self._placed = 0

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
    ) -> CallLoad:
        """Bind its SIP at `local`. `permit` is asked before anything leaves. Raises TransportError."""
        load = cls(context, media, name, target)
        load._agent = await UserAgent.open(context, name, local=local, user=name, permit=permit, trace=False)
        context.called(load._agent.address, name)
        return load

    async def place(self, plan: LoadPlan, progress: Callable[[int], None] | None = None) -> list[LoadedCall]:
        """Place the calls of a plan and return what came of each, in the order placed.

        `progress` is told how many are over. Raises InterlockError where the number is not permitted: nothing has left.
        """
        self._agent.routes.ask_permit(self._uri(plan.number))
        began = self._context.journal.now()
        over = 0

        async def one(index: int) -> LoadedCall:
            nonlocal over
            await asyncio.sleep(began + plan.moment(index).at_s - self._context.journal.now())
            found = await self._call(plan, index)
            over += 1
            if progress is not None:
                progress(over)
            return found

        calls = await asyncio.gather(*(one(index) for index in range(plan.calls)))
        self._context.journal.record(
            self.name,
            "load.over",
            number=plan.number,
            calls=plan.calls,
            answered=sum(call.answered_at is not None for call in calls),
            lasted_s=round(self._context.journal.now() - began, 3),
        )
        return list(calls)

    async def close(self) -> None:
        """Hang up what is up and close the port; calling it again does nothing."""
        await self._agent.close()

    def _uri(self, number: str) -> str:
        return f"sip:{number}@{self._target[0]}:{self._target[1]}"

    async def _call(self, plan: LoadPlan, index: int) -> LoadedCall:
        self._placed += 1
        name = f"{self.name} call-{self._placed:04d}"
        cli = f"+447700900{index % TEST_NUMBERS:03d}"
        journal = self._context.journal
        if not plan.speech:
            return await self._signal(plan, index, name, cli)
        try:
            port = await self._media.open_port(name, host=self._agent.address[0])
        except HarnessError as error:
            return LoadedCall(name, "", cli, 0, str(error), journal.now(), None, None, None, "no media port")
        self._context.called(port.address, self.name)
        offer = sdp.offer(*port.address)
        placed_at = journal.now()
        sip = self._invite(plan, offer, cli)
        answered_at: float | None = None
        heard: Recording | None = None
        problem = ""
        try:
            await sip.answered(within=plan.answer_within_s)
            answered_at = journal.now()
            await join_speech(port, sdp.negotiated(offer, sip.remote_sdp))
            heard = await self._speak(plan, port, plan.moment(index).hold_s)
            if sip.is_over:
                problem = f"it was ended early: {sip.reason}"
        except HarnessError as error:
            problem = str(error)
        status, reason = sip.status, sip.reason
        sip.hang_up()
        stats = await port.close()
        measured = stats if answered_at is not None else None
        return LoadedCall(name, sip.id, cli, status, reason, placed_at, answered_at, measured, heard, problem)

    def _invite(self, plan: LoadPlan, offer: bytes, cli: str) -> OutgoingCall:
        return self._agent.invite(self._uri(plan.number), offer=offer, caller=f"<sip:{cli}@{self._agent.address[0]}>")

    async def _signal(self, plan: LoadPlan, index: int, name: str, cli: str) -> LoadedCall:
        """A call without speech: until its time is over, or the other side clears."""
        journal = self._context.journal
        placed_at = journal.now()
        sip = self._invite(plan, sdp.offer(self._agent.address[0], DISCARD, direction="inactive"), cli)
        answered_at: float | None = None
        problem = ""
        try:
            await sip.answered(within=plan.answer_within_s)
            answered_at = journal.now()
            await asyncio.sleep(plan.moment(index).hold_s)
            if sip.is_over:
                problem = f"it was ended early: {sip.reason}"
        except HarnessError as error:
            problem = str(error)
        status, reason = sip.status, sip.reason
        sip.hang_up()
        return LoadedCall(name, sip.id, cli, status, reason, placed_at, answered_at, None, None, problem)

    async def _speak(self, plan: LoadPlan, port: MediaPort, hold_s: float) -> Recording | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + hold_s
        if plan.record:
            await port.record()
        if plan.says is not None:
            await port.play(plan.says, loop=True)
        if plan.press:
            await asyncio.sleep(plan.press_after_s)
            await port.send_dtmf(plan.press)
        await asyncio.sleep(until - loop.time())
        return await port.recorded() if plan.record else None


def failed(calls: Sequence[LoadedCall]) -> list[LoadedCall]:
    """Those that were not answered, or ended early."""
    return [call for call in calls if call.answered_at is None or call.problem]
