"""Connects a call to a control room: route after route, the buddy authority, the critical number, until one answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from harness.endpoints.sip.call import Call
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.errors import HarnessError, MediaError, SdpError
from harness.protocols.sip import identity
from harness.protocols.sip.body import SDP, Part, multipart
from harness.protocols.sip.emergency_call import Line, Mark, Stage, What
from harness.protocols.sip.emergency_call import Route as RouteName
from harness.protocols.sip.priority import Priority
from simulators.emergency.call import EmergencyCall
from simulators.emergency.caller_line import NORMAL
from simulators.emergency.calling import passed_headers
from simulators.emergency.conference import CALLER, ROOM
from simulators.emergency.leg import Leg
from simulators.emergency.plant import Plant
from simulators.emergency.records import MAX_ATTEMPTS, Attempt
from simulators.emergency.routes import Authority, Route

NO_ANSWER: Final = ("Reason", 'SIP;cause=408;text="No answer"')
UNAVAILABLE: Final = "<sip:unavailable@unknown.invalid>"
"""The From of a caller for whom the network has no number (3GPP TS 24.229)."""
_QUEUED: Final = (181, 182)
_NEVER: Final = float("inf")


class Result(StrEnum):
    """What became of an attempt."""

    ANSWERED = "answered"
    NO_REPLY = "no reply"
    NO_ANSWER = "no answer"
    REFUSED = "refused"
    REFUSED_EVERYWHERE = "refused everywhere"
    """6xx: this control room takes the call at no number."""
    NO_MEDIA = "no media agreed"
    NOT_SENT = "not sent"
    OUT_OF_TIME = "out of time"
    """The buddy, or the critical number, is due."""
    ABANDONED = "abandoned"
    STOPPED = "stopped"
    """The operator, or a tester, gave it up."""


class Connector:
    """The connecting of one call."""

    def __init__(self, plant: Plant, call: EmergencyCall) -> None:
        self._plant = plant
        self._call = call
        self._refused_everywhere = False
        self._buddy_tried = False
        self._critical_tried = False

    async def connect(self, authority: Authority, *, only: Route | None = None) -> bool:
        """Try until a control room answers; whether one did. ``only``: on that route alone, and once."""
        call, routing = self._call, self._plant.settings.routing
        begun = self._plant.now()
        call.authority = authority.name
        call.buddy = ""
        call.stage = Stage.CONNECTING
        while not call.over:
            for serving, route, until in self._plan(authority, begun, only):
                if self._plant.now() >= begun + routing.give_up_s:
                    break
                result = await self._attempt(serving, route, min(until, begun + routing.give_up_s))
                if result is Result.ANSWERED:
                    return True
                if call.over or result in (Result.ABANDONED, Result.STOPPED):
                    break
            else:
                if only is None and self._plant.now() + routing.pause_s < begun + routing.give_up_s:
                    await call.until(lambda: False, within=routing.pause_s)
                    continue
            break
        if not call.over:
            call.stage = Stage.OPERATOR
        return False

    def _plan(self, authority: Authority, begun: float, only: Route | None) -> Iterator[tuple[Authority, Route, float]]:
        """What is tried in one round, each until when at most; settled as it goes, for routes come and go."""
        if only is not None:
            yield authority, only, _NEVER
            return
        self._refused_everywhere = False
        buddy = self._plant.authorities.buddy_of(authority)
        critical, after = authority.critical, authority.settings.critical_after_s
        buddy_at = begun + authority.settings.buddy_after_s if buddy is not None and not self._buddy_tried else _NEVER
        critical_at = _NEVER
        if critical is not None and after is not None and not self._critical_tried:
            critical_at = begun + after
        for route in authority.routes:
            passed_over = buddy is not None and self._refused_everywhere
            if route.is_usable and not passed_over and self._plant.now() < min(buddy_at, critical_at):
                yield authority, route, min(buddy_at, critical_at)
        if critical is not None and critical.is_usable and self._plant.now() >= critical_at:
            self._critical_tried = True
            yield authority, critical, buddy_at
        if buddy is not None:
            self._buddy_tried = True
            for route in buddy.routes:
                if route.is_usable:
                    yield buddy, route, _NEVER

    async def _attempt(self, serving: Authority, route: Route, until: float) -> Result:
        plant, call = self._plant, self._call
        call.attempt += 1
        call.route = RouteName(route.name)
        call.critical = route.name == RouteName.CRITICAL
        call.buddy = serving.name if serving.name != call.authority else ""
        record = Attempt(serving.name, route.name, route.target, plant.now())
        if len(call.record.attempts) < MAX_ATTEMPTS:
            call.record.attempts.append(record)
        call.tell("call.connecting", authority=serving.name, route=route.name, attempt=call.attempt)
        attempt = _Attempt(plant, call, route, record)
        call.stop_connecting = attempt.stop
        try:
            result = await attempt.run(until)
        finally:
            call.stop_connecting = lambda _why: None
            record.ended = plant.now()
            record.result = str(attempt.result)
        self._refused_everywhere = result is Result.REFUSED_EVERYWHERE and serving.name == call.authority
        if result is not Result.ANSWERED and not call.over:
            call.tell("call.not_connected", route=route.name, result=str(result), status=record.status)
        return result


class _Attempt:
    """One INVITE to one control room."""

    def __init__(self, plant: Plant, call: EmergencyCall, route: Route, record: Attempt) -> None:
        self._plant = plant
        self._call = call
        self._route = route
        self._record = record
        self._loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[Result] = self._loop.create_future()
        self._ring_timer: asyncio.TimerHandle | None = None
        self._leg: Leg | None = None
        self._early = b""
        self.result = Result.ABANDONED
        """What became of it; of one that was cancelled, this."""

    def stop(self, why: str) -> None:
        """Give it up: ``abandoned`` or ``stopped``."""
        self._settle(Result.ABANDONED if why == "abandoned" else Result.STOPPED)

    def _settle(self, result: Result) -> None:
        if not self._outcome.done():
            self._outcome.set_result(result)

    async def run(self, until: float) -> Result:
        """Send it, and see it to its result; ``until``: the run time at which it is out of time.

        Whatever becomes of it, cancelled or not, an attempt without an answer is given up.
        """
        plant, call, routing = self._plant, self._call, self._plant.settings.routing
        name = f"{plant.name} {call.id} control-room {call.attempt}"
        timers = [self._loop.call_later(routing.reply_s, self._no_reply)]
        if until < _NEVER:
            left = max(0.0, until - plant.now())
            timers.append(self._loop.call_later(left, self._settle, Result.OUT_OF_TIME))
        self._ring_again()
        try:
            if not self._route.cut:
                await self._send(name)
            self.result = await self._outcome
            if self.result is Result.ANSWERED:
                self.result = Result.ABANDONED  # until it is seen to be up on both sides
                self.result = await self._answered()
        except MediaError as error:
            plant.journal.warn(plant.name, "call.no_port", call=call.id, reason=str(error))
            self.result = Result.NOT_SENT
        finally:
            for timer in (*timers, self._ring_timer):
                if timer is not None:
                    timer.cancel()
            if self.result is not Result.ANSWERED:
                self._give_up()
        await call.hush(CALLER)
        return self.result

    async def _send(self, name: str) -> None:
        plant, call, route = self._plant, self._call, self._route
        leg = self._leg = await Leg.open(plant, name, text=call.is_writing)
        if call.over or self._outcome.done():
            return
        offer = b"" if route.delayed_offer else leg.media.offer()
        mark = call.mark(What.AGENCY_CALL if call.calling.line is Line.NONE else What.CONNECT)
        caller, headers = self._headers(mark)
        content = (b"", "")
        if offer and call.calling.parts:
            content = multipart([Part(SDP, offer), *call.calling.parts])
        try:
            sip = plant.trunk.invite(
                route.uri, offer=offer, caller=caller, headers=headers, to=route.hop, content=content
            )
        except HarnessError as error:  # the interlock, or what can't be sent
            plant.journal.warn(plant.name, "call.not_sent", call=call.id, reason=str(error))
            self._settle(Result.NOT_SENT)
            return
        call.talk.invite(mark)
        sip.on_change(self._changed)
        sip.on_info = lambda _sip, request: call.talk.informed(ROOM, _sip, request)
        leg.bind(sip)

    def _headers(self, mark: Mark) -> tuple[str, list[tuple[str, str]]]:
        """From, and what else the INVITE tells."""
        settings, calling = self._plant.settings, self._call.calling
        host = self._plant.trunk.address[0]
        privacy = frozenset({"id"}) if calling.withheld else frozenset()
        if calling.number:
            who = identity.Caller(calling.number, host, privacy=privacy)
            sender, headers = who.from_value, who.headers()
        else:
            sender = identity.ANONYMOUS if calling.withheld else UNAVAILABLE
            headers = [("Privacy", "id")] if calling.withheld else []
        headers.append(("Priority", str(Priority.EMERGENCY)))
        if settings.resource_priority:
            headers.append(("Resource-Priority", settings.resource_priority))
        return sender, [*headers, *passed_headers(calling), mark.header()]

    # What comes

    def _no_reply(self) -> None:
        sip = self._leg.sip if self._leg is not None else None
        if sip is None or sip.status == 0:
            self._settle(Result.NO_REPLY)

    def _ring_again(self) -> None:
        if self._ring_timer is not None:
            self._ring_timer.cancel()
        seconds = self._plant.settings.routing.no_answer_s
        self._ring_timer = self._loop.call_later(seconds, self._settle, Result.NO_ANSWER)

    def _changed(self, sip: Call, what: str) -> None:
        self._record.status = sip.status
        if self._outcome.done():
            if what == "ended" and self._call.room is self._leg and self._call.stage is Stage.ANSWERED:
                self._call.room_hung_up()
            return
        if what == "ended":
            self._settle(Result.REFUSED_EVERYWHERE if sip.status >= 600 else Result.REFUSED)
        elif what == "answered":
            self._settle(Result.ANSWERED)
        elif what == "ringing" or (what == "progress" and sip.status in _QUEUED):
            if what == "ringing":
                self._record.ringing = self._plant.now()
                self._call.tell("call.ringing", attempt=self._call.attempt)
            self._ring_again()
        if what in ("ringing", "progress"):
            self._progress(sip)

    def _progress(self, sip: Call) -> None:
        if isinstance(sip, OutgoingCall) and sip.remote_sdp and not self._route.delayed_offer:
            if sip.remote_sdp != self._early:
                self._early = sip.remote_sdp
                self._plant.spawn(self._join_early(sip.remote_sdp))
        elif sip.status == 180:
            self._plant.spawn(self._call.say_to(CALLER, self._plant.tone, loop=True))

    async def _join_early(self, described: bytes) -> None:
        leg, call = self._leg, self._call
        assert leg is not None
        try:
            leg.media.take_answer(described)
            await leg.media.join()
        except (SdpError, MediaError) as error:
            self._plant.journal.warn(self._plant.name, "call.no_early_media", call=call.id, reason=str(error))
            return
        if not call.over and call.room is None and self._still_on(leg):
            await call.hush(CALLER)
            await call.room_enters(leg)

    def _still_on(self, leg: Leg) -> bool:
        return leg.sip is not None and not leg.sip.is_over

    async def _answered(self) -> Result:
        """The 200 is here: join its media, and let the control room in."""
        leg, call = self._leg, self._call
        assert leg is not None and leg.sip is not None
        try:
            if not self._route.delayed_offer:
                leg.media.take_answer(leg.sip.remote_sdp)
            await leg.media.join()
            if not leg.speaks:
                raise SdpError("the control room refuses the audio stream")
        except SdpError as error:
            self._plant.journal.warn(self._plant.name, "call.no_media", call=call.id, reason=str(error))
            return Result.NO_MEDIA
        await call.hush(CALLER)
        if call.over:
            return Result.ABANDONED
        if leg.sip.is_over:
            self._record.status = leg.sip.status
            return Result.REFUSED
        if call.room is not leg:
            await call.room_enters(leg)
        if call.over or leg.sip.is_over:
            return Result.ABANDONED if call.over else Result.REFUSED
        self._record.answered = self._plant.now()
        call.answered()
        call.text.room_reads()
        return Result.ANSWERED

    def _give_up(self) -> None:
        call, leg = self._call, self._leg
        if leg is None:
            return
        abandoned = self.result is Result.ABANDONED or call.over
        mark = call.mark(What.ABANDONED if abandoned else What.REROUTED)
        if leg.sip is not None and not leg.sip.is_over:
            call.talk.note(mark)
            leg.hang_up([NORMAL if abandoned else NO_ANSWER, mark.header()])
        self._plant.spawn(call.room_goes(leg))
