"""The switch of the ICCS simulator: takes and places SIP calls, queues them, and joins their speech to positions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count

from harness.endpoints.media import MediaPort, MediaService
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.speech import join_speech
from harness.errors import HarnessError, MediaError, SdpError
from harness.journal import Event
from harness.protocols import sdp
from harness.protocols.sip.registrar import Registrar
from harness.protocols.sip.uri import Uri
from harness.transport.context import Context
from simulators.iccs.calls import CallState, Queues, SwitchCall
from simulators.iccs.positions import Position, PositionError, Positions, UnknownPositionError
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
        self._closing: set[asyncio.Task[None]] = set()
        self._set_ups = asyncio.Semaphore(SET_UPS_AT_ONCE)
        self._agent: UserAgent
        self._aors: dict[str, str] = {}
        self._forget_dtmf: Callable[[], None] = lambda: None
        self.repatch: Repatch = lambda _position: None
        """Called when what a position hears and is heard by has to change."""
        self.auto_answer: float | None = None
        """Seconds after which positions answer by themselves, or None when operators do."""

    async def start(self, permit: Callable[[str], None] | None = None) -> None:
        """Open the switch's SIP port."""
        secrets = {each.user: each.password.get_secret_value() for each in self._settings.subscribers}
        self._agent = await UserAgent.open(
            self._context,
            "iccs",
            local=(self._settings.host, self._settings.sip_port),
            user="niccs",
            on_invite=self._invited,
            registrar=Registrar(),
            on_register=self._registered,
            server_credentials=secrets,
            realm=self._settings.realm,
            algorithms=self._settings.digest,
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
        await asyncio.gather(*self._tasks, *self._closing, return_exceptions=True)

    def calls(self) -> list[SwitchCall]:
        """Return the calls that are up."""
        return list(self._calls.values())

    def waiting(self) -> dict[str, int]:
        """Return how many calls wait in each queue."""
        return self._queues.waiting()

    def _spawn(self, work: Coroutine[None, None, None], among: set[asyncio.Task[None]] | None = None) -> None:
        tasks = self._tasks if among is None else among
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def _registered(self, aor: str) -> None:
        """Keep which address-of-record a subscriber registers as: its host is the subscriber's choice."""
        user = Uri.parse(aor).user_text
        if any(each.user == user for each in self._settings.subscribers):
            self._aors[user] = aor

    def _contact(self, number: str) -> str | None:
        registry = self._agent.registry
        if registry is None or number not in self._aors:
            return None
        return next(iter(registry.contacts(self._aors[number])), None)

    # Incoming calls

    def _invited(self, sip: IncomingCall) -> None:
        if len(self._calls) >= MAX_CALLS:
            sip.reject(503, "Service Unavailable")
            self._journal.warn("iccs", "switch.full", calls=len(self._calls))
            return
        dialled = sip.request.uri.user_text
        queue = self._queues.of_number(dialled)
        if queue is None and dialled not in self._positions:
            self._journal.record("iccs", "call.unknown_number", dialled=dialled)
            sip.reject(404, "Not Found")
            return
        call = SwitchCall(f"call-{next(self._numbers)}", sip, queue, _cli(sip), self._journal.now())
        if queue is not None:
            targets = [p for p in self._positions if p.settings.role == "call_taker"]
        else:
            target = self._positions.get(dialled)
            if not target.logged_in and self.auto_answer is None:
                sip.reject(480, "Temporarily Unavailable")
                return
            if not target.free:
                sip.reject(486, "Busy Here")
                return
            targets = [target]
        sip.on_change(lambda _sip, what: self._changed(call, what))
        self._calls[call.id] = call
        self._queues.add(call)
        sip.ring()
        self._journal.record("iccs", "call.arrived", **call.shown())
        for position in targets:
            self._present(call, position)
        if self.auto_answer is not None:
            asyncio.get_running_loop().call_later(self.auto_answer, self._due, call)

    def _present(self, call: SwitchCall, position: Position) -> None:
        call.presented.append(position)
        if position.streams:
            self._positions.tell(position, "call.ringing", **call.shown())

    def _due(self, call: SwitchCall) -> None:
        call.due = True
        self._answer_by_itself()

    def _answer_by_itself(self) -> None:
        """Let a free position take the first call that has rung long enough: of the queues, else one to a position."""
        for call in self._queues.heads() + [each for each in self._calls.values() if each.queue is None]:
            if call.due and call.state is CallState.RINGING:
                position = next((p for p in call.presented if p.free), None)
                if position is not None:
                    self._take(call, position)
                    return

    def answer(self, position: Position, *, queue: str | None = None, call_id: str | None = None) -> SwitchCall:
        """Let ``position`` take a call: the one named, else the oldest of ``queue``, else whichever is next.

        Next is the oldest of the first queue that holds one, as the queues are ordered; then a call to the position.

        Raises PositionError when there is none to take, or the position is not free.
        """
        if not position.free:
            raise PositionError(f"{position.id} is not free: it has a call or keys a talkgroup")
        if queue is not None and queue not in self._queues:
            raise UnknownPositionError(f"there is no queue {queue!r}")
        if call_id is not None:
            call = self._calls.get(call_id)
        elif queue is not None:
            call = self._queues.next(queue)
        else:
            call = self._queues.next()
            if call is None or position not in call.presented:
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
        self._spawn(self._set_up(call, position))

    async def _set_up(self, call: SwitchCall, position: Position) -> None:
        async with self._set_ups:
            sip = call.sip
            if not isinstance(sip, IncomingCall) or call.state is not CallState.ANSWERING:
                return
            try:
                port = await self._media.open_port(f"iccs {call.id}", host=self._settings.host)
                if call.state is not CallState.ANSWERING:  # the caller gave up meanwhile
                    await port.close()
                    return
                self._hold_port(call, port)
                if sip.remote_sdp:
                    body, agreed = sdp.answer(sip.remote_sdp, *port.address)
                    await join_speech(port, agreed)
                else:  # the caller leaves the offer to us, and answers it in its ACK (RFC 3264 section 4)
                    body = call.offered = sdp.offer(*port.address)
            except SdpError as error:
                self._fail(call, sip, 488, error)
                return
            except HarnessError as error:
                self._fail(call, sip, 500, error)
                return
            if call.state is CallState.ANSWERING:
                call.state = CallState.CONNECTED
                sip.answer(body)
                self.repatch(position)
                self._positions.tell(position, "call.connected", **call.shown())

    async def _join_late(self, call: SwitchCall, position: Position, offered: bytes) -> None:
        if call.port is None or call.sip is None:
            return
        try:
            await join_speech(call.port, sdp.negotiated(offered, call.sip.remote_sdp))
        except HarnessError as error:
            self._positions.tell(position, "call.failed", reason=str(error), **call.shown())
            self._end(call, "no speech agreed")

    def _fail(self, call: SwitchCall, sip: IncomingCall, status: int, error: HarnessError) -> None:
        self._journal.warn("iccs", "call.refused", status=status, reason=str(error), **call.shown())
        if call.state is CallState.ANSWERING:
            sip.reject(status)
            self._end(call, str(error))

    # Calls placed by positions

    def dial(self, position: Position, number: str) -> SwitchCall:
        """Place a call from ``position`` to a registered telephone. Raises PositionError when that can't be done."""
        if not position.free:
            raise PositionError(f"{position.id} is not free: it has a call or keys a talkgroup")
        contact = self._contact(number)
        if contact is None:
            raise PositionError(f"no telephone is registered as {number!r}")
        now = self._journal.now()
        call = SwitchCall(f"call-{next(self._numbers)}", None, None, number, now, CallState.DIALLING)
        call.position, position.call = position, call
        self._calls[call.id] = call
        self._spawn(self._place(call, position, contact))
        return call

    async def _place(self, call: SwitchCall, position: Position, contact: str) -> None:
        try:
            port = await self._media.open_port(f"iccs {call.id}", host=self._settings.host)
            if call.state is not CallState.DIALLING:  # cleared meanwhile
                await port.close()
                return
            self._hold_port(call, port)
            offer = sdp.offer(*port.address)
            sip = self._agent.invite(contact, offer=offer, caller=f"<sip:{position.id}@{self._settings.host}>")
            call.sip = sip
            sip.on_change(lambda _sip, what: self._changed(call, what))
            await sip.answered(within=self._settings.ring_s)
            await join_speech(port, sdp.negotiated(offer, sip.remote_sdp))
            if call.state is not CallState.DIALLING:  # cleared as it was answered
                return
        except HarnessError as error:
            if call.state is not CallState.ENDED:
                self._positions.tell(position, "call.failed", reason=str(error), **call.shown())
                self._end(call, "not answered")
            return
        call.state = CallState.CONNECTED
        self.repatch(position)
        self._positions.tell(position, "call.connected", **call.shown())

    # Clearing

    def clear(self, position: Position) -> SwitchCall:
        """Clear the call of ``position``. Raises PositionError when it has none."""
        call = position.call
        if call is None:
            raise PositionError(f"{position.id} has no call")
        self._end(call, "cleared by the position")
        return call

    def _changed(self, call: SwitchCall, what: str) -> None:
        if what == "ringing" and call.state is CallState.DIALLING and call.position is not None:
            self._positions.tell(call.position, "call.alerting", **call.shown())
        elif what == "confirmed" and call.position is not None and call.offered is not None:
            offered, call.offered = call.offered, None
            self._spawn(self._join_late(call, call.position, offered))
        elif what == "ended":
            if call.state is CallState.DIALLING and call.position is not None and call.sip is not None:
                reason = f"{call.sip.status} {call.sip.reason}"
                self._positions.tell(call.position, "call.failed", reason=reason, **call.shown())
            self._end(call, "ended by the other side")

    def _end(self, call: SwitchCall, reason: str) -> None:
        """Take a call down on every side; a call that is down already is left alone."""
        if call.state is CallState.ENDED:
            return
        was, call.state = call.state, CallState.ENDED
        self._queues.remove(call)
        self._calls.pop(call.id, None)
        if call.sip is not None and not call.sip.is_over:
            call.sip.hang_up()
        kind = "call.abandoned" if was is CallState.RINGING else "call.cleared"
        told = [each for each in call.presented if each.streams] if was is CallState.RINGING else []
        if call.position is not None:
            call.position.call = None
            self.repatch(call.position)
            told.append(call.position)  # as with call.connected, whether or not a console looks on
        for position in told:
            self._positions.tell(position, kind, reason=reason, **call.shown())
        if call.port is not None:
            self._by_port.pop(call.port.name, None)
            self._spawn(self._close_port(call.port), self._closing)
        if was is not CallState.RINGING and self.auto_answer is not None:
            self._answer_by_itself()

    async def _close_port(self, port: MediaPort) -> None:
        try:
            await port.close()
        except MediaError as error:
            self._journal.warn(port.name, "media.close_failed", reason=str(error))

    # Media

    def _hold_port(self, call: SwitchCall, port: MediaPort) -> None:
        call.port = port
        self._by_port[port.name] = call

    def _media_event(self, event: Event) -> None:
        """Show the position what was heard on its call's leg: keys that the other side pressed."""
        call = self._by_port.get(event.source)
        if call is not None and call.position is not None and event.kind == "dtmf.received":
            self._positions.tell(call.position, "call.dtmf", call=call.id, digit=event.data.get("digit"))


def _cli(sip: IncomingCall) -> str | None:
    """Return the caller's number, or None where it is withheld (RFC 3323 section 4.1.1.3)."""
    user = sip.remote_identity.user
    return None if user.lower() in {"", "anonymous", "unavailable"} else user
