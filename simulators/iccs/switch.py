"""The switch of the ICCS simulator: takes and places SIP calls, queues them, and joins their speech to positions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from harness.endpoints.media import MediaService
from harness.endpoints.sip import Call, Registrar, UserAgent
from harness.errors import HarnessError, SdpError
from harness.journal import Event
from harness.protocols import sdp
from harness.transport.context import Context
from simulators.iccs.calls import CallState, Queues, SwitchCall
from simulators.iccs.positions import Position, PositionError, Positions
from simulators.iccs.settings import MAX_CALLS, IccsSettings

SET_UPS_AT_ONCE = 64
"""Calls whose media is being set up at the same time; further ones wait their turn."""

Repatch = Callable[[Position], None]


class Switch:
    """Calls, queues and the dial plan of one control room."""

    def __init__(self, context: Context, media: MediaService, positions: Positions, settings: IccsSettings) -> None:
        self._context = context
        self._journal = context.journal
        self._media = media
        self._positions = positions
        self._settings = settings
        self._queues = Queues(settings.queues)
        self._calls: dict[str, SwitchCall] = {}
        self._by_port: dict[str, SwitchCall] = {}
        self._numbers = count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._set_ups = asyncio.Semaphore(SET_UPS_AT_ONCE)
        self._agent: UserAgent
        self._forget_dtmf: Callable[[], None] = lambda: None
        self.repatch: Repatch = lambda _position: None
        """Called when what a position hears and is heard by has to change."""
        self.auto_answer: float | None = None
        """Seconds after which positions answer by themselves, or None when operators do."""

    async def start(self, permit: Callable[[str], None] | None = None) -> None:
        """Open the switch's SIP port."""
        secrets = {each.user: each.password.get_secret_value() for each in self._settings.subscribers}
        self.registrar = Registrar(self._settings.realm, secrets, rng=self._context.rng)
        self._agent = await UserAgent.open(
            self._context,
            "iccs",
            local=(self._settings.host, self._settings.sip_port),
            user="niccs",
            on_invite=self._invited,
            registrar=self.registrar,
            permit=permit,
            trace=False,
        )
        self._forget_dtmf = self._journal.subscribe(self._media_event)

    @property
    def address(self) -> tuple[str, int]:
        """Where the switch listens for SIP over UDP."""
        return self._agent.address

    async def stop(self) -> None:
        """Clear every call and close the SIP port."""
        self._forget_dtmf()
        for call in list(self._calls.values()):
            self._end(call, "switch stopped")
        await self._agent.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def calls(self) -> list[SwitchCall]:
        """Return the calls that are up."""
        return list(self._calls.values())

    def waiting(self) -> dict[str, int]:
        """Return how many calls wait in each queue."""
        return self._queues.waiting()

    def _spawn(self, work: asyncio.Task[None]) -> None:
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)

    # Incoming calls

    def _invited(self, sip: Call) -> None:
        if len(self._calls) >= MAX_CALLS:
            sip.reject(503, "Service Unavailable")
            self._journal.warn("iccs", "switch.full", calls=len(self._calls))
            return
        dialled = sip.dialled
        queue = self._queues.of_number(dialled)
        if queue is None and dialled not in self._positions:
            self._journal.record("iccs", "call.unknown_number", dialled=dialled)
            sip.reject(404, "Not Found")
            return
        call = SwitchCall(f"call-{next(self._numbers)}", sip, queue, sip.caller_number, self._journal.now())
        if queue is not None:
            targets = [p for p in self._positions if p.settings.role == "call_taker"]
        else:
            target = self._positions.get(dialled)
            if not target.free:
                sip.reject(486, "Busy Here")
                return
            targets = [target]
        sip.on_change = lambda _sip, what: self._changed(call, what)
        self._calls[call.id] = call
        self._queues.add(call)
        sip.ring()
        self._journal.record("iccs", "call.arrived", **call.shown())
        for position in targets:
            self._present(call, position)
        if self.auto_answer is not None:
            asyncio.get_running_loop().call_later(self.auto_answer, self._answer_by_itself)

    def _present(self, call: SwitchCall, position: Position) -> None:
        call.presented.append(position)
        if position.streams:
            self._positions.tell(position, "call.ringing", **call.shown())

    def _answer_by_itself(self) -> None:
        call = self._queues.next() or next((c for c in self._calls.values() if c.state is CallState.RINGING), None)
        if call is None:
            return
        position = next((p for p in call.presented if p.free), None)
        if position is not None:
            self._take(call, position)

    def answer(self, position: Position, *, queue: str | None = None, call_id: str | None = None) -> SwitchCall:
        """Let ``position`` take a call: the one named, else the oldest of ``queue``, else the first that rings there.

        Raises PositionError when there is none to take, or the position is not free.
        """
        if not position.free:
            raise PositionError(f"{position.id} is not free: it has a call or keys a talkgroup")
        if queue is not None and queue not in self._queues:
            raise PositionError(f"there is no queue {queue!r}")
        if call_id is not None:
            call = self._calls.get(call_id)
        elif queue is not None:
            call = self._queues.next(queue)
        else:
            ringing = (c for c in self._calls.values() if c.state is CallState.RINGING and position in c.presented)
            call = next(ringing, None)
        if call is None or call.state is not CallState.RINGING or position not in call.presented:
            raise PositionError(f"no call rings at {position.id}" + (f" on queue {queue}" if queue else ""))
        self._take(call, position)
        return call

    def _take(self, call: SwitchCall, position: Position) -> None:
        self._queues.remove(call)
        call.state = CallState.ANSWERING
        call.position = position
        position.call = call
        for other in call.presented:
            if other is not position and other.streams:
                self._positions.tell(other, "call.taken", by=position.id, **call.shown())
        self._spawn(asyncio.get_running_loop().create_task(self._set_up(call, position)))

    async def _set_up(self, call: SwitchCall, position: Position) -> None:
        async with self._set_ups:
            try:
                port = await self._media.open_port(f"iccs {call.id}", host=self._settings.host)
                if call.state is not CallState.ANSWERING:  # the caller gave up meanwhile
                    await port.close()
                    return
                self._hold_port(call, port)
                body, agreed = sdp.answer(call.sip.remote_sdp, *port.address)
                await port.connect(
                    agreed.remote,
                    payload_type=agreed.payload_type,
                    codec=agreed.codec,
                    dtmf_payload_type=agreed.dtmf_payload_type,
                    send=agreed.send,
                    receive=agreed.receive,
                )
            except SdpError as error:
                self._journal.warn("iccs", "call.refused", reason=str(error), **call.shown())
                call.sip.reject(488, "Not Acceptable Here")
                self._end(call, "no speech agreed")
                return
            except HarnessError as error:
                self._journal.warn("iccs", "call.failed", reason=str(error), **call.shown())
                call.sip.reject(500, "Server Internal Error")
                self._end(call, "set-up failed")
                return
            if call.state is CallState.ANSWERING:
                call.state = CallState.CONNECTED
                call.sip.answer(body)
                self.repatch(position)
                self._positions.tell(position, "call.connected", **call.shown())

    # Calls placed by positions

    def dial(self, position: Position, number: str) -> SwitchCall:
        """Place a call from ``position`` to a registered telephone. Raises PositionError when that can't be done."""
        if not position.free:
            raise PositionError(f"{position.id} is not free: it has a call or keys a talkgroup")
        contact = self.registrar.contact(number)
        if contact is None:
            raise PositionError(f"no telephone is registered as {number!r}")
        loop = asyncio.get_running_loop()
        call = SwitchCall(
            f"call-{next(self._numbers)}",
            self._agent.call(contact),
            None,
            number,
            self._journal.now(),
            CallState.DIALLING,
        )
        call.position, position.call = position, call
        self._calls[call.id] = call
        call.sip.on_change = lambda _sip, what: self._changed(call, what)
        self._spawn(loop.create_task(self._place(call, position)))
        return call

    async def _place(self, call: SwitchCall, position: Position) -> None:
        try:
            port = await self._media.open_port(f"iccs {call.id}", host=self._settings.host)
            self._hold_port(call, port)
            offer = sdp.offer(*port.address)
            call.sip.send(offer)
            await call.sip.answered(within=self._settings.ring_s)
            agreed = sdp.negotiated(offer, call.sip.remote_sdp)
            await port.connect(
                agreed.remote,
                payload_type=agreed.payload_type,
                codec=agreed.codec,
                dtmf_payload_type=agreed.dtmf_payload_type,
                send=agreed.send,
                receive=agreed.receive,
            )
        except HarnessError as error:
            self._positions.tell(position, "call.failed", reason=str(error), **call.shown())
            call.sip.hang_up()
            self._end(call, "not answered")
            return
        call.state = CallState.CONNECTED
        self.repatch(position)
        self._positions.tell(position, "call.connected", **call.shown())
