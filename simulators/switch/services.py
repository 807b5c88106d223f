"""What the switch does itself with a call: park, conferences, voicemail, pickup, codes; and what it says to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.endpoints.media.wav import read_wav
from harness.errors import HarnessError
from harness.protocols.cdr.codes import OnBehalfOf, Redirect
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip.redirection import redirection_of
from simulators.switch.call import SERVED, CallState, Failed, Outcome, Refusal, SwitchCall
from simulators.switch.ends import LineEnd, TrunkEnd
from simulators.switch.identities import e164
from simulators.switch.leg import Leg, anchored
from simulators.switch.lines import Line, When, checked_forward
from simulators.switch.meetings import Meetings
from simulators.switch.numbering import Destination
from simulators.switch.parking import Park
from simulators.switch.rooms import Rooms
from simulators.switch.sounds import confirmed, denied, engaged_tone, greeting, unobtainable_tone
from simulators.switch.voicemail.lamps import Lamps
from simulators.switch.voicemail.sessions import Session
from simulators.switch.voicemail.store import Mailboxes

if TYPE_CHECKING:
    from simulators.switch.core import Core

ALERT_WITHIN_S: Final = 5.0
FORWARD_CODES: Final[dict[str, When]] = {
    "forward_all": "all",
    "forward_busy": "busy",
    "forward_no_answer": "no_answer",
    "cancel_all": "all",
    "cancel_busy": "busy",
    "cancel_no_answer": "no_answer",
}


class Services:
    """The services of one node."""

    def __init__(self, core: Core) -> None:
        """Raises MediaError where a greeting can't be read."""
        self._core = core
        settings = core.settings
        self.park = Park(core, settings.park) if settings.park is not None else None
        self.rooms = Rooms(core, settings.conference)
        meetings = settings.conference.meetings
        self.meetings = Meetings(core, self.rooms, meetings) if meetings is not None else None
        self.lamps = Lamps(core)
        self.sessions: dict[Leg, Session] = {}
        """Calls that mailboxes have."""
        self.mailboxes: Mailboxes | None = None
        self._greeting: Samples = greeting()
        voicemail = settings.voicemail
        if voicemail is not None:
            numbers = [line.number for line in settings.lines if line.voicemail]
            self.mailboxes = Mailboxes(numbers, voicemail, self.lamps.changed)
            if voicemail.greeting is not None:
                self._greeting = read_wav(voicemail.greeting)

    def stop(self) -> None:
        """No timer runs on."""
        if self.park is not None:
            self.park.stop()

    async def serve(self, call: SwitchCall, found: Destination) -> Outcome:
        """Do what a number stands for. Raises HarnessError where our side fails."""
        match found.kind:
            case "room":
                return await self.rooms.serve(call, found.number)
            case "factory":
                return await self.rooms.begin(call)
            case "meeting":
                assert self.meetings is not None
                return await self.meetings.serve(call, found.number)
            case "park" | "slot":
                assert self.park is not None
                return await self.park.serve(call, found.number)
            case "voicemail":
                return await self._voicemail(call)
            case "group":
                return self._pick_up_group(call, found.number)
        return await self._code(call, found.kind.removeprefix("code:"), found.number)

    # Voicemail

    async def _voicemail(self, call: SwitchCall) -> Outcome:
        assert self.mailboxes is not None
        end = call.origin.end
        owner = end.line if isinstance(end, LineEnd) and not call.diversions and call.transferred_by is None else None
        box = self.mailboxes.find(owner.number if owner is not None else self._meant(call))
        if box is None:
            return Refusal(404, reason="No Such Mailbox")
        call.called = self._core.settings.voicemail.number if self._core.settings.voicemail else ""
        await call.answer_origin()
        leg = await anchored(call.origin)
        if leg.is_over or leg.speech is None:
            return SERVED
        self._core.journal.record(
            call.id, "mailbox.answers", line=box.number, for_="hearing" if owner is not None else "leaving"
        )
        self._core.tell("call.connected", call)
        session = Session(self._core, call, leg, box, self._greeting)
        pin = owner.settings.voicemail_pin if owner is not None else None
        work = (
            session.give(pin.get_secret_value() if pin is not None else None) if owner is not None else session.take()
        )
        self._core.spawn(work)
        return SERVED

    def _meant(self, call: SwitchCall) -> str:
        """Whose mailbox a call that was sent here is for: the first who was called."""
        core = self._core
        if call.diversions:
            groups = {group.number for group in (*core.settings.hunt_groups, *core.settings.call_queues)}
            return next((each.by for each in call.diversions if each.by not in groups), "")
        if call.transferred_by is not None and call.transferred_by.line is not None:
            return call.transferred_by.end.number
        if isinstance(call.origin.end, TrunkEnd):
            told = redirection_of(call.origin.sip.request)
            if told is not None:
                number = told.first_called.uri.user_text
                internal = {external: each for each, external in core.numbering.externals.items()}
                return internal.get(e164(number), number)
        return ""

    def voice(self, leg: Leg, *, talking: bool) -> None:
        """Somebody began or stopped talking."""
        session = self.sessions.get(leg)
        if session is not None:
            session.voice(talking=talking)

    # Pickup

    def _pick_up_group(self, call: SwitchCall, group: str) -> Outcome:
        lines = [line for line in self._core.lines if line.settings.pickup_group == group]
        return self._pick_up(call, lines)

    def _pick_up(self, call: SwitchCall, lines: list[Line]) -> Outcome:
        """Let a call's caller take the call that has rung for longest at one of some lines."""
        core = self._core
        ringing = {
            id(leg.call): leg.call
            for line in lines
            for leg in line.legs
            if leg.call is not None and leg in leg.call.targets
        }
        for found in sorted(ringing.values(), key=lambda each: each.began):
            if found.pick_up(call.origin):
                found.redirected_by = found.joined_by = OnBehalfOf.PICKUP
                found.redirect_reason = Redirect.PICKUP
                found.called = call.origin.end.number
                core.journal.record(found.id, "call.picked_up", by=call.origin.id, line=call.origin.end.number)
                call.state = CallState.OVER
                core.call_over(call)
                return SERVED
        return Refusal(404, reason="Nothing Rings There")

    # Codes

    async def _code(self, call: SwitchCall, code: str, argument: str) -> Outcome:
        end = call.origin.end
        if not isinstance(end, LineEnd):
            return Refusal(403)
        line = end.line
        if code == "pickup":
            group = line.settings.pickup_group
            return self._pick_up_group(call, group) if group else Refusal(404, reason="No Pickup Group")
        if code == "directed_pickup":
            target = self._core.lines.find(argument)
            return self._pick_up(call, [target]) if target is not None else Refusal(404)
        if code == "intercom":
            target = self._core.lines.find(argument)
            if target is None:
                return Refusal(404)
            call.is_intercom = True
            call.called = target.number
            return await self._core.routing.ring(call, target, target.settings.no_answer_s)
        return await self._setting(call, line, code, argument)

    async def _setting(self, call: SwitchCall, line: Line, code: str, argument: str) -> Outcome:
        """Change something at a line, and let its telephone hear that it was done."""
        core = self._core
        done = confirmed()
        if code == "log_out":
            line.in_groups = not line.in_groups
        else:
            try:
                target = checked_forward(argument) if code.startswith("forward") else None
                line.forwards[FORWARD_CODES[code]] = target
            except HarnessError:
                done = denied()
        core.journal.record(
            core.name, "line.set", line=line.number, forwards=dict(line.forwards), in_groups=line.in_groups
        )
        await call.answer_origin()
        leg = call.origin
        core.spawn(self._say_and_hang_up(leg, done))
        leg.joined = None
        core.call_over(call)
        return SERVED

    async def _say_and_hang_up(self, leg: Leg, samples: Samples) -> None:
        try:
            if leg.speech is not None:
                await leg.speech.say(samples)
        finally:
            leg.hang_up()

    # What people are told

    async def dismiss(self, leg: Leg, refusal: Refusal) -> None:
        """Let somebody who is through already hear that it came to nothing, and hang up."""
        tone = engaged_tone() if refusal.why is Failed.BUSY else unobtainable_tone()
        await self._say_and_hang_up(leg, tone)

    def alert(self, line: Line, text: str) -> None:
        """Show a text on a line's telephones (RFC 3428)."""
        for device in line.devices.values():
            self._core.spawn(self._alert(device.contact, device.name, text))

    async def _alert(self, contact: str, name: str, text: str) -> None:
        core = self._core
        try:
            response = await core.agent.request(
                "MESSAGE", contact, body=text.encode(), content_type="text/plain", within=ALERT_WITHIN_S
            )
        except HarnessError as error:
            core.journal.warn(core.name, "alert.not_told", device=name, reason=str(error))
            return
        core.journal.record(core.name, "alert.told", device=name, status=response.status)
