"""A scripted telephone: places and takes calls as it is told to, and misbehaves on demand, in SIP and in speech.

It stands where a telephone, a trunk or another switch would: what it does wrong is what real equipment has been seen to
do, and a control room has to live with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, Final

from harness.drivers.behaviour import Behaviour
from harness.endpoints.media import MediaPort, MediaService, PortStats, Recording
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.tamper import Rule, Tamper
from harness.endpoints.speech import join_speech
from harness.errors import DriverError, HarnessError, SdpError
from harness.protocols import sdp
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip.malformed import malformed
from harness.transport.context import Context
from harness.transport.tap import Address

FLOOD_MOST: Final = 100_000
FLOOD_FASTEST: Final = 5_000.0
"""Datagrams a second."""
MAX_CALLS: Final = 1_000
"""Calls of one scripted telephone in its life."""


class ScriptedCall:
    """One call of a scripted telephone."""

    def __init__(self, phone: ScriptedPhone, sip: Call, port: MediaPort) -> None:
        self.sip = sip
        """The call itself: its status, what ended it, and what can be waited for."""
        self.port = port
        """Its speech: play, record, impair."""
        self._phone = phone
        self._closed = False

    async def answered(self, *, within: float) -> None:
        """Return when it is answered. Raises SipLocalError with the status when it is not."""
        await self.sip.answered(within=within)

    async def ended(self, *, within: float) -> None:
        """Return when it is over. Raises SipLocalError when it is not by then."""
        await self.sip.ended(within=within)

    async def say(self, samples: Samples, *, loop: bool = False) -> float:
        """Speak, as the behaviour allows; returns the run time at which the first sample went out."""
        return await self.port.play(samples, loop=loop)

    async def record(self) -> None:
        """Begin to keep what is heard."""
        await self.port.record()

    async def recorded(self) -> Recording:
        """What was heard since `record`."""
        return await self.port.recorded()

    async def press(self, digits: str) -> None:
        """Press keys (RFC 4733)."""
        await self.port.send_dtmf(digits)

    def hang_up(self) -> None:
        """End it."""
        self.sip.hang_up()

    async def close(self) -> PortStats | None:
        """Close its media; returns its figures the first time."""
        if self._closed:
            return None
        self._closed = True
        return await self.port.close()


class ScriptedPhone:
    """One telephone with a script."""

    def __init__(self, context: Context, media: MediaService, name: str, target: Address | None) -> None:
        self.name = name
        self.calls: list[ScriptedCall] = []
        """Its calls, oldest first."""
        self._context = context
        self._media = media
        self._target = target
        self._behaviour = Behaviour()
        self._extra: tuple[Rule, ...] = ()
        self._permit_flood: Callable[[], None] | None = None
        self._agent: UserAgent
        self._tamper: Tamper
        self._tasks: set[asyncio.Task[None]] = set()
        self._came: asyncio.Queue[ScriptedCall] = asyncio.Queue(MAX_CALLS)

    @classmethod
    async def open(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        local: Address = ("127.0.0.1", 0),
        target: Address | None = None,
        user: str = "",
        permit: Callable[[str], None],
        permit_flood: Callable[[], None] | None = None,
    ) -> ScriptedPhone:
        """Bind its SIP at `local`. `target`: where it calls numbers; `permit` is asked before anything leaves,
        `permit_flood` before a flood does, of which there is none without it.

        Raises TransportError where the address can't be bound.
        """
        phone = cls(context, media, name, target)
        phone._permit_flood = permit_flood
        phone._agent = await UserAgent.open(
            context, name, local=local, user=user or name, permit=permit, on_invite=phone._invited
        )
        phone._tamper = Tamper(phone._agent)
        context.called(phone._agent.address, name)
        return phone

    @property
    def uri(self) -> str:
        """Its SIP URI, to be called."""
        return self._agent.uri

    @property
    def address(self) -> Address:
        """Where its SIP is."""
        return self._agent.address

    def behave(self, behaviour: Behaviour, *rules: Rule) -> None:
        """Misbehave like this from now on; `rules` come after those of the behaviour."""
        self._behaviour, self._extra = behaviour, rules
        self._tamper.use(*behaviour.rules(), *rules)
        self._context.journal.record(self.name, "phone.behaves", behaviour=str(behaviour), rules=len(rules))

    async def dial(self, number: str, *, caller: str = "", offer: bytes | None = None) -> ScriptedCall:
        """Call a number at the target, or a SIP URI. `offer`: our session description, in place of the usual one.

        Raises InterlockError where it is not permitted: nothing has left then; SipLocalError for what is no number.
        """
        uri = number
        if ":" not in number:
            if self._target is None:
                raise DriverError(f"{self.name} has no target to call {number} at: give a SIP URI")
            uri = f"sip:{number}@{self._target[0]}:{self._target[1]}"
        self._agent.routes.ask_permit(uri)
        port = await self._open_port()
        offered = sdp.offer(*port.address) if offer is None else offer
        try:
            sip = self._agent.invite(uri, offer=offered, caller=caller)
        except HarnessError:
            await port.close()
            raise
        call = self._keep(sip, port)
        sip.on_change(lambda _, what: self._changed(call, what, offered))
        if self._behaviour.cancel_after is not None:
            self._spawn(self._hang_up_after, self._behaviour.cancel_after, call)
        return call

    async def flood(self, messages: int, per_second: float) -> None:
        """Send the target datagrams that are no valid SIP (`protocols.sip.malformed`), from a port of their own.

        Up to FLOOD_MOST at FLOOD_FASTEST a second; which they are is settled by the run's seed. Raises InterlockError
        where it is not permitted: nothing has left then.
        """
        if self._target is None or self._permit_flood is None:
            raise DriverError(f"{self.name} has nobody to flood")
        if not (1 <= messages <= FLOOD_MOST and 0 < per_second <= FLOOD_FASTEST):
            raise DriverError(f"a flood has 1 to {FLOOD_MOST} messages, {FLOOD_FASTEST:g} a second at most")
        self._permit_flood()
        journal, loop = self._context.journal, asyncio.get_running_loop()
        journal.record(self.name, "phone.floods", messages=messages, per_second=per_second)
        rng = Random(self._context.rng.getrandbits(64))
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=(self._agent.address[0], 0)
        )
        try:
            began = loop.time()
            for number in range(messages):
                transport.sendto(malformed(rng), self._target)
                await asyncio.sleep(began + (number + 1) / per_second - loop.time())
        finally:
            transport.close()
        journal.record(self.name, "phone.flooded", messages=messages, seconds=round(loop.time() - began, 3))

    async def called(self, *, within: float) -> ScriptedCall:
        """The next call that comes in. Raises DriverError when none comes in `within` seconds."""
        try:
            async with asyncio.timeout(within):
                return await self._came.get()
        except TimeoutError:
            raise DriverError(f"{self.name}: no call came within {within:g} s") from None

    async def close(self) -> None:
        """Hang up what is up and close all; calling it again does nothing."""
        self._tamper.close()
        await self._agent.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for call in self.calls:
            await call.close()

    # What happens

    async def _open_port(self) -> MediaPort:
        if len(self.calls) >= MAX_CALLS:
            raise DriverError(f"{self.name} has had {MAX_CALLS} calls: that is its life")
        port = await self._media.open_port(f"{self.name} call-{len(self.calls) + 1}", host=self._agent.address[0])
        self._context.called(port.address, self.name)
        return port

    def _keep(self, sip: Call, port: MediaPort) -> ScriptedCall:
        call = ScriptedCall(self, sip, port)
        self.calls.append(call)
        return call

    def _invited(self, sip: IncomingCall) -> None:
        self._spawn(self._take, sip)

    async def _take(self, sip: IncomingCall) -> None:
        behaviour = self._behaviour
        await asyncio.sleep(behaviour.ring_after)
        if sip.is_over:
            return
        if behaviour.refuse:
            sip.reject(behaviour.refuse)
            return
        call = self._keep(sip, await self._open_port())
        self._came.put_nowait(call)
        if not behaviour.no_ring:
            sip.ring()
        if behaviour.never_answer:
            return
        await asyncio.sleep(behaviour.answer_after)
        if sip.is_over:
            return
        offered = sip.remote_sdp
        try:
            answer, agreed = (
                sdp.answer(offered, *call.port.address) if offered else (sdp.offer(*call.port.address), None)
            )
        except SdpError as error:
            self._context.journal.warn(self.name, "phone.offer-refused", reason=str(error))
            sip.reject(488)
            return
        sip.on_change(lambda _, what: self._changed(call, what, answer if agreed is None else b""))
        sip.answer(answer)
        if agreed is not None:
            await self._join(call, agreed)

    def _changed(self, call: ScriptedCall, what: str, offered: bytes) -> None:
        """`offered`: our offer, whose answer is here now; empty where there is none to look at."""
        if what in ("answered", "confirmed") and offered and call.sip.remote_sdp:
            try:
                agreed = sdp.negotiated(offered, call.sip.remote_sdp)
            except SdpError as error:
                self._context.journal.warn(self.name, "phone.answer-refused", reason=str(error))
            else:
                self._spawn(self._join, call, agreed)
        if what == "answered" and self._behaviour.hang_up_after is not None:
            self._spawn(self._hang_up_after, self._behaviour.hang_up_after, call)
        if what == "ended":
            self._spawn(self._take_down, call)

    async def _join(self, call: ScriptedCall, agreed: sdp.Negotiated) -> None:
        await join_speech(call.port, agreed)
        await call.port.impair(self._behaviour.media)

    async def _take_down(self, call: ScriptedCall) -> None:
        await call.close()

    async def _hang_up_after(self, delay: float, call: ScriptedCall) -> None:
        await asyncio.sleep(delay)
        call.hang_up()

    def _spawn(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work, *args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        try:
            await work(*args)
        except HarnessError as error:  # the port or the call went while something was done with it
            self._context.journal.record(self.name, "phone.late", reason=str(error))
