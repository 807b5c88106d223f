"""Private calls at the MCPTT server: who may call whom, the called user rung or answering, both brought together.

The participating and the controlling MCPTT functions of both users in one (3GPP TS 24.379 clause 11.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from harness.endpoints.media import MediaService
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.errors import HarnessError, McpttError, SdpError, SipLocalError, SipRemoteError
from harness.protocols.mcptt import warnings
from harness.protocols.mcptt.description import apart, invite_body
from harness.protocols.mcptt.info import AMBIENT, INVITE_HEADERS, Listening, McpttInfo
from harness.protocols.mcptt.private import Commencement, called_of, read_commencement
from harness.protocols.mcptt.warnings import why
from harness.transport.context import Context
from simulators.mcptt.legs import Leg, RefusedError, open_leg
from simulators.mcptt.private_call import AmbientCall, FullDuplexCall, HalfDuplexCall, PrivateCall
from simulators.mcptt.settings import GroupSettings, McpttSettings, UserSettings

MAX_CALLS: Final = 1_000
"""Private calls at once, ambient listening among them."""
NO_LISTENING: Final = "user not authorised to make ambient listening calls"
"""Why ambient listening is refused; the number of its text (TS 24.379 clause 4.4) is not known."""
ENDED_BY_BYE: Final = ("Feature-Caps", "*;+g.3gpp.mcptt.ambient-listening-call-release")
"""That an ambient listening call may be ended by BYE (TS 24.379 annex D.3)."""
_UNFIT = (McpttError, SdpError)


class PrivateCalls:
    """One server's."""

    def __init__(
        self, context: Context, media: MediaService, settings: McpttSettings, name: str, agent: UserAgent
    ) -> None:
        self.calls: list[PrivateCall] = []
        self.silent = False
        self._context = context
        self._media = media
        self._settings = settings
        self._name = name
        self._agent = agent
        self._made = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, sip: IncomingCall, info: McpttInfo) -> None:
        """A user calls another. Raises RefusedError: the call is to be refused."""
        ambient = info.session_type == AMBIENT
        if ambient and info.listening is not Listening.REMOTE:
            raise RefusedError(488, f"ambient listening is played that is {Listening.REMOTE}, not {info.listening}")
        caller, called, contact = self._parties(sip, ambient=ambient)
        try:
            duplex = apart(sip.remote_sdp).floor is None
        except McpttError as error:
            raise RefusedError(488, error) from None
        if ambient and duplex:
            raise RefusedError(488, "an ambient listening call without floor control")
        call = self._make(caller, called, duplex, ambient)
        self.calls.append(call)
        try:
            calling = await self._open(call, caller)
            calling.sip = sip
            calling.emergency = bool(info.emergency)
            answering = await self._open(call, called)
            answer = call.answer(calling, sip.remote_sdp)
            await self._bring(call, answering, sip, info, contact)
        except BaseException as error:
            self._drop(call)
            if isinstance(error, HarnessError):
                raise RefusedError(488 if isinstance(error, _UNFIT) else 500, error) from None
            raise
        sip.on_change(lambda _sip, what: self._changed(call, calling, what))
        try:
            sip.answer(answer, (ENDED_BY_BYE,) if ambient else ())
        except SipLocalError:
            self._changed(call, calling, "ended")  # it was cancelled meanwhile
            return
        await self._join(call, answering)

    def _parties(self, sip: IncomingCall, *, ambient: bool) -> tuple[str, str, str]:
        """Caller, called user, and where that one is. Raises RefusedError."""
        settings = self._settings
        try:
            name = sip.request.from_.uri.user
            uri = called_of(sip.request)
        except (McpttError, SipRemoteError):
            raise RefusedError(403, why(warnings.WHO_IS_CALLED)) from None
        caller, called = settings.user(name), settings.user(uri.partition(":")[2].partition("@")[0])
        if caller is None or not (caller.may_listen if ambient else caller.calls):
            raise RefusedError(403, NO_LISTENING if ambient else why(warnings.NO_PRIVATE_CALLS))
        if called is None or called is caller:
            raise RefusedError(404, f"no user {uri[:80]} to be called")
        if not ambient:
            self._may_call(caller, called)
        elif any(isinstance(each, AmbientCall) and called.name == each.parties[1] for each in self.calls):
            raise RefusedError(486, f"the user {called.name} is listened to already")
        if len(self.calls) >= MAX_CALLS:
            raise RefusedError(486, why(warnings.TOO_MANY_PRIVATE_CALLS))
        contact = next(iter(contacts_of(self._agent, called.name)), None)
        if contact is None:
            raise RefusedError(480, f"the user {called.name} is not registered")
        return caller.name, called.name, contact

    def _may_call(self, caller: UserSettings, called: UserSettings) -> None:
        """Raise RefusedError where a private call is not allowed, or either is in as many as may be."""
        if caller.calls != "all" and called.name not in caller.calls:
            raise RefusedError(403, why(warnings.NOT_THIS_USER))
        if not called.may_be_called:
            raise RefusedError(403, why(warnings.NOT_TO_BE_CALLED))
        most = self._settings.private.each
        if any(self._of(each) >= most for each in (caller.name, called.name)):
            raise RefusedError(486, why(warnings.TOO_MANY_PRIVATE_CALLS))

    def _of(self, user: str) -> int:
        return sum(user in call.parties for call in self.calls if not isinstance(call, AmbientCall))

    def _make(self, caller: str, called: str, duplex: bool, ambient: bool) -> PrivateCall:
        self._made += 1
        name = f"private-{self._made}"
        if duplex:
            return FullDuplexCall(self._context.journal, self._name, name, (caller, called), self._over)
        group = GroupSettings(name=name, members=(caller, called))
        kind = AmbientCall if ambient else HalfDuplexCall
        call = kind(self._context, self._name, group, self._settings, self._over)
        call.silent = self.silent
        return call

    async def _open(self, call: PrivateCall, user: str) -> Leg:
        """Bind a leg's ports. Raises RefusedError."""
        take = call.take if isinstance(call, HalfDuplexCall) else None
        name = f"{self._name} private {user}"
        leg = await open_leg(self._context, self._media, name, user, host=self._settings.host, take=take)
        call.legs[user] = leg
        return leg

    async def _bring(self, call: PrivateCall, leg: Leg, calling: IncomingCall, info: McpttInfo, contact: str) -> None:
        """Call the called user, and return once they have answered. Raises RefusedError, or as their answer is unfit.

        While they ring the caller is told so. A caller who gives up ends it.
        """
        domain = self._settings.domain
        caller = f"sip:{calling.request.from_.uri.user}@{domain}"
        told = McpttInfo(
            info.session_type,
            f"sip:{leg.user}@{domain}",
            calling_user=caller,
            emergency=info.emergency,
            listening=info.listening,
        )
        commencement = read_commencement(calling.request) or Commencement.AUTO
        headers = [*INVITE_HEADERS, commencement.header]
        if info.session_type == AMBIENT:
            headers.append(ENDED_BY_BYE)
        priority = calling.request.get("resource-priority")
        if priority is not None:
            headers.append(("Resource-Priority", priority))
        offer = call.offer(leg)
        content = invite_body(offer, told)
        leg.sip = sip = self._agent.invite(contact, offer=offer, content=content, headers=headers, caller=f"<{caller}>")
        sip.on_change(lambda _sip, what: _rings(calling, what))
        calling.on_change(lambda _sip, what: sip.hang_up() if what == "ended" else None)
        try:
            await sip.answered(within=self._settings.private.rings_s)
        except SipLocalError:
            raise _refused(sip) from None
        call.take_answer(leg, sip.remote_sdp)
        sip.on_change(lambda _sip, what: self._changed(call, leg, what))

    # What becomes of them

    def _changed(self, call: PrivateCall, leg: Leg, what: str) -> None:
        if what == "confirmed":
            self._task(self._join(call, leg))
        elif what == "ended":
            call.leave(leg)
            self._task(leg.close())

    async def _join(self, call: PrivateCall, leg: Leg) -> None:
        if leg.joined:
            return
        try:
            await call.join(leg)
        except HarnessError as error:
            self._context.journal.warn(self._name, "private_call.media_failed", user=leg.user, why=str(error))
            leg.hang_up()

    def _drop(self, call: PrivateCall) -> None:
        """A call that did not come up: nobody stays in it. The caller's dialog is refused by whoever asked."""
        for leg in tuple(call.legs.values()):
            if not isinstance(leg.sip, IncomingCall):
                leg.hang_up()
            leg.sip = None
        self._over(call)

    def _over(self, call: object) -> None:
        for each in self.calls:
            if each is call:
                self.calls.remove(each)
                self._task(each.close())
                return

    def shown(self) -> list[dict[str, Any]]:
        """What the control interface tells."""
        return [call.shown() for call in self.calls]

    def set_silent(self, silent: bool) -> None:
        """Begin or end the fault that floors say and do nothing."""
        self.silent = silent
        for call in self.calls:
            call.silent = silent

    async def close(self) -> None:
        """End every call."""
        for call in tuple(self.calls):
            self._over(call)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def contacts_of(agent: UserAgent, user: str) -> list[str]:
    """Where a user is registered."""
    registry = agent.registry
    return [] if registry is None else registry.contacts(f"sip:{user}@{agent.address[0]}")


def _rings(calling: IncomingCall, what: str) -> None:
    if what == "ringing" and not calling.is_over:
        calling.ring()


def _refused(sip: OutgoingCall) -> RefusedError:
    """What the caller is told of one who does not answer: their own refusal, or that they are not there."""
    answered = sip.ended_by
    if answered is None or not sip.is_over:
        sip.hang_up()
        return RefusedError(480, "the user does not answer")
    reason = warnings.read_why(answered)
    return RefusedError(sip.status if sip.status >= 400 else 480, reason or sip.reason)
