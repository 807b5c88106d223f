"""Transfer: REFER of telephones and trunks, blind and attended, INVITE with Replaces, and the same by order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.refer import Referral, replaced_by
from harness.errors import HarnessError, LocalError, SipRemoteError
from harness.protocols.cdr.codes import OnBehalfOf, Redirect
from harness.protocols.sip.grammar import REASONS
from simulators.switch.call import CallState, Outcome, Refusal, SwitchCall
from simulators.switch.conversation import Conversation
from simulators.switch.ends import Who
from simulators.switch.joining import Joined, LegState
from simulators.switch.leg import Leg, anchored

if TYPE_CHECKING:
    from simulators.switch.core import Core
    from simulators.switch.parking import Park, Slot

Tell = Callable[[int, str], None]
"""Told how a transfer goes: a status and its reason."""
REPLACED: Final = "Replaced"


def untold(_status: int, _reason: str) -> None:
    """For a transfer that nobody asked to be told of."""


class Transfers:
    """One node's."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def referred(self, referral: Referral) -> None:
        """A REFER came."""
        leg = self._core.leg_of(referral.call) if referral.call is not None else None
        if leg is None or not leg.is_up or leg.joined is None:
            referral.reject(403)
            return
        try:
            other = self._replaced(referral.replaces) if referral.replaces else None
        except SipRemoteError:
            referral.reject(400)
            return
        if referral.replaces and other is None:
            referral.reject(481)
            return
        if other is None and not isinstance(leg.joined, Conversation) and not self._core.services.rooms.has(leg):
            referral.reject(403)  # who hears a mailbox, music or nothing yet has nobody to send on
            return
        number = referral.target.user_text
        if not number and other is None:
            referral.reject(404)
            return
        referral.accept()
        self._core.journal.record(str(leg), "leg.referred", to=number, replaces=other.id if other is not None else None)
        self._core.spawn(self._referred(leg, other, number, referral.notify))

    async def _referred(self, leg: Leg, other: Leg | None, number: str, tell: Tell) -> None:
        try:
            if other is not None:
                await self.attended(leg, other, tell)
            elif isinstance(leg.joined, Conversation):
                await self.blind(leg, number, tell)
            else:
                await self._core.services.rooms.invite(leg, number, tell)
        except HarnessError as error:
            self._core.journal.warn(str(leg), "transfer.failed", reason=str(error))
            tell(500, REASONS[500])

    def _replaced(self, value: str) -> Leg | None:
        """The leg whose dialog a Replaces names, as its telephone sees that. Raises SipRemoteError."""
        call_id, to_tag, from_tag, _ = replaced_by(value)
        for leg in self._core.legs.values():
            dialog = leg.sip.dialog
            named = leg.sip.id == call_id and dialog is not None
            if named and dialog is not None and (dialog.local_tag, dialog.remote_tag) == (to_tag, from_tag):
                return leg
        return None

    # Blind

    async def blind(self, leg: Leg, number: str, tell: Tell = untold) -> SwitchCall:
        """Send the one whom a leg speaks to on to a number; the leg is hung up once that is answered.

        Raises LocalError where the leg is in no conversation, HarnessError where the other one can't be sent on.
        """
        talk = leg.joined
        if not isinstance(talk, Conversation):
            raise LocalError(f"{leg.id} is in no conversation that could be transferred")
        other = talk.other(leg)
        await anchored(other)
        core, who = self._core, talk.partner_of(leg)
        talk.release(leg)
        if leg.passing is not None:
            await anchored(leg)
        call = self._goes_on(talk.call, other, number, who)
        call.transferred_by = leg
        call.joined_by = call.redirected_by = OnBehalfOf.TRANSFER
        call.redirect_reason = Redirect.BLIND_TRANSFER
        call.on_alert = lambda: tell(180, REASONS[180])
        core.journal.record(call.id, "call.transferred", by=leg.id, party=other.id, to=number)
        call.task = core.spawn(self._put_through(call, leg, tell))
        return call

    async def park(self, leg: Leg, park: Park, number: str) -> Slot:
        """Park the one whom a leg speaks to, and hang the leg up. Raises LocalError; the two speak on then."""
        talk = leg.joined
        if not isinstance(talk, Conversation):
            raise LocalError(f"{leg.id} is in no conversation that could be parked")
        other, who = talk.other(leg), talk.partner_of(leg)
        park.check(number)
        await anchored(other)
        talk.release(leg)
        call = self._goes_on(talk.call, other, number, who)
        call.joined_by = OnBehalfOf.CALL_PARK
        slot = park.park(call, number, leg.line.line if leg.line is not None else None)
        leg.passing = None
        leg.hang_up()
        return slot

    def _goes_on(self, before: SwitchCall, origin: Leg, number: str, who: Who) -> SwitchCall:
        """The same call, now of the one who is sent on."""
        call = SwitchCall(self._core, before.number, origin, number, who)
        call.emergency = None
        self._core.calls[call.id] = call
        return call

    async def _put_through(self, call: SwitchCall, by: Leg, tell: Tell) -> None:
        core = self._core
        try:
            outcome = await self._reached(call)
        except asyncio.CancelledError:
            by.hang_up()  # the one who was sent on is gone, and with it what the transferor waits for
            raise
        if not isinstance(outcome, Refusal):
            tell(200, call.told or REASONS[200])
            by.hang_up()
            return
        tell(outcome.status, outcome.reason or REASONS.get(outcome.status, ""))
        core.journal.record(call.id, "transfer.failed", status=outcome.status)
        if by.is_up and call.origin.is_up:
            # The transferor gets whom it tried to send on back.
            call.state = CallState.UP
            talk = Conversation(core, call, call.origin, by)
            await talk.patch()
        else:
            call.refuse(outcome)

    async def _reached(self, call: SwitchCall) -> Outcome:
        core = self._core
        try:
            outcome = await core.routing.reach(call, call.dialled)
            if isinstance(outcome, Leg):
                await core.connect(call, outcome)
        except HarnessError as error:
            core.journal.warn(call.id, "call.failed", reason=str(error))
            return core.routing.refusal_of(error)
        return outcome

    # Attended

    async def attended(self, leg: Leg, other: Leg, tell: Tell = untold) -> None:
        """Put whom one leg of a telephone speaks to in the place of its other leg, and hang both up.

        Raises LocalError where one of them speaks to nobody, HarnessError where speech can't be brought here.
        """
        talk, second = leg.joined, other.joined
        if not isinstance(talk, Conversation) or second is None or second is talk:
            raise LocalError(f"{leg.id} and {other.id} are not two calls that could be put together")
        party = talk.other(leg)
        await anchored(party)
        if isinstance(second, Conversation):
            await anchored(second.other(other))
        talk.release(leg)
        self._core.call_over(talk.call)
        party.who = talk.partner_of(leg)
        if isinstance(second, Conversation | SwitchCall):
            call = second.call if isinstance(second, Conversation) else second
            call.joined_by = call.redirected_by = OnBehalfOf.TRANSFER
            call.redirect_reason = Redirect.TRANSFER
            if other is call.origin:
                call.who = party.who
        second.replace(other, party)
        self._core.journal.record(str(leg), "call.transferred", party=party.id, instead_of=other.id)
        tell(200, REASONS[200])
        for each in (leg, other):
            each.passing = None
            each.hang_up()

    # INVITE with Replaces (RFC 3891)

    def replaces(self, leg: Leg, sip: Call) -> None:
        """A call came that is to take the place of another of our dialogs."""
        old = self._core.leg_of(sip)
        call = old.call if old is not None else None
        if old is None or old.is_over:
            self._refuse(leg, 481)
        elif old.state in (LegState.PLACED, LegState.RINGING):
            if call is None or not call.pick_up(leg):
                self._refuse(leg, 481)
            else:
                self._core.journal.record(call.id, "call.picked_up", by=leg.id, of=old.id)
        elif old.joined is None:
            self._refuse(leg, 481)
        else:
            self._core.spawn(self._take_over(leg, old, old.joined))

    async def _take_over(self, leg: Leg, old: Leg, joined: Joined) -> None:
        try:
            if isinstance(joined, Conversation):
                await anchored(joined.other(old))
            await leg.accept()
        except HarnessError:
            self._refuse(leg, 488)
            raise
        if old.is_over or old.joined is not joined:
            leg.hang_up()
            return
        self._core.journal.record(str(leg), "leg.takes_over", of=old.id)
        joined.replace(old, leg)
        old.passing = None
        old.hang_up(text=REPLACED)

    def _refuse(self, leg: Leg, status: int) -> None:
        sip = leg.sip
        if leg.state is LegState.OFFERED and isinstance(sip, IncomingCall) and not sip.is_over:
            sip.reject(status)
