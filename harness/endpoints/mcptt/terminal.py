"""An MCPTT terminal: registers with its server, calls groups or is called, and holds one call a group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from harness.endpoints.call_media import CallMedia
from harness.endpoints.mcptt.floor_port import FloorPort
from harness.endpoints.mcptt.group_call import GroupCall
from harness.endpoints.media import MediaService
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import (
    HarnessError,
    McpttError,
    McpttLocalError,
    MediaError,
    SdpError,
    SipLocalError,
    SipRemoteError,
    TransportError,
)
from harness.protocols.mcptt.description import invite_body
from harness.protocols.mcptt.info import CONTENT_TYPE, INVITE_HEADERS, FloorTerms, McpttInfo, read_info
from harness.protocols.mcptt.messages import FloorMessage
from harness.protocols.mcptt.participant import Participant
from harness.protocols.mcptt.timers import ParticipantTimers
from harness.protocols.sip import body
from harness.transport.context import Context
from harness.transport.tap import Address

MAX_CALLS: Final = 64
"""Group calls that one terminal is in."""
SET_UP_S: Final = 5.0
_UNFIT = (SdpError, McpttError)


class McpttTerminal:
    """One terminal of one user."""

    def __init__(
        self,
        context: Context,
        media: MediaService,
        name: str,
        *,
        user: str,
        server: Address,
        timers: ParticipantTimers,
        priority: int,
    ) -> None:
        self.name = name
        self.user = user
        """The MCPTT ID: a SIP URI."""
        self.calls: dict[str, GroupCall] = {}
        """By group."""
        self.timers = timers
        self.priority = priority
        """mc_priority: the highest that it may ask for, and what it asks for."""
        self.answers = True
        """Whether it takes calls by itself (automatic commencement)."""
        self._context = context
        self._media = media
        self._server = server
        self._agent: UserAgent
        self._tasks: set[asyncio.Task[None]] = set()
        self._coming: set[str] = set()

    @classmethod
    async def open(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        user: str,
        server: Address,
        host: str = "127.0.0.1",
        priority: int = 5,
        timers: ParticipantTimers | None = None,
        permit: Callable[[str], None] | None = None,
    ) -> McpttTerminal:
        """Bind. `user`: its MCPTT ID, `sip:…`. `permit` is asked for each group before it is called.

        Raises TransportError.
        """
        terminal = cls(
            context, media, name, user=user, server=server, timers=timers or ParticipantTimers(), priority=priority
        )
        terminal._agent = await UserAgent.open(
            context,
            name,
            local=(host, 0),
            user=user.removeprefix("sip:").partition("@")[0],
            on_invite=terminal._invited,
            outbound=server,
            permit=permit,
        )
        return terminal

    async def close(self) -> None:
        """Leave all calls and close every port."""
        calls = tuple(self.calls.values())
        await self._agent.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for call in calls:
            await call.over()
        self.calls.clear()

    async def register(self, password: str = "", *, expires: int = 3600) -> None:
        """Register under the MCPTT ID's user part, so that group calls come. Raises SipLocalError when refused."""
        host, port = self._server
        user = self.user.removeprefix("sip:").partition("@")[0]
        await self._agent.register(f"sip:{host}:{port}", user, password, expires=expires, within=SET_UP_S)

    async def call(
        self,
        group: str,
        *,
        session_type: str = "prearranged",
        emergency: bool = False,
        implicit_request: bool = False,
        within: float = SET_UP_S,
    ) -> GroupCall:
        """Call a group, or join its call, and return once the call is up.

        `implicit_request`: the floor is asked for with it. Raises McpttLocalError or SipLocalError where it does not
        come up, and InterlockError where the testbed does not allow it.
        """
        if group in self.calls or group in self._coming:
            raise McpttLocalError(f"{self.name} is in a call of {group} already")
        self._must_have_room()
        self._coming.add(group)
        try:
            return await self._call(group, session_type, emergency, implicit_request, within)
        finally:
            self._coming.discard(group)

    async def _call(
        self, group: str, session_type: str, emergency: bool, implicit_request: bool, within: float
    ) -> GroupCall:
        call = await self._prepare(group)
        try:
            terms = FloorTerms(1, queueing=True, priority=self.priority, implicit_request=implicit_request)
            offer = call.offer(terms)
            info = McpttInfo(session_type, group, calling_user=self.user, emergency=emergency or None)
            content = invite_body(offer, info)
            sip = self._agent.invite(group, offer=offer, content=content, headers=INVITE_HEADERS)
            call.sip = sip
            try:
                await sip.answered(within=within)
                call.take_answer(sip.remote_sdp)
            except (SipLocalError, *_UNFIT) as error:
                sip.hang_up()
                raise McpttLocalError(f"{self.name} is in no call of {group}: {error}") from None
        except BaseException:
            await call.over()
            raise
        self._up(group, call, sip)
        return call

    async def leave(self, group: str) -> None:
        """Leave the call of a group. Raises McpttLocalError where there is none."""
        call = self.calls.get(group)
        if call is None:
            raise McpttLocalError(f"{self.name} is in no call of {group}")
        call.sip.hang_up()
        await call.sip.ended(within=SET_UP_S)
        await call.over()

    def _invited(self, sip: IncomingCall) -> None:
        self._task(self._take(sip))

    async def _take(self, sip: IncomingCall) -> None:
        """A group calls."""
        try:
            found = body.find(sip.request, CONTENT_TYPE)
            info = read_info(found) if found else McpttInfo()
            group = info.calling_group or info.request_uri
            if not group or not self.answers or group in self.calls or len(self.calls) >= MAX_CALLS:
                sip.reject(486)
                return
            call = await self._prepare(group)
        except (McpttError, SipRemoteError) as error:
            self._context.journal.warn(self.name, "group_call.refused", why=str(error))
            sip.reject(400)
            return
        except (MediaError, TransportError) as error:
            self._context.journal.warn(self.name, "group_call.refused", why=str(error))
            sip.reject(500)
            return
        call.sip = sip
        try:
            answer = call.answer(sip.remote_sdp, FloorTerms(1, queueing=True, priority=self.priority))
            sip.answer(answer)
        except (*_UNFIT, HarnessError) as error:
            self._context.journal.warn(self.name, "group_call.refused", group=group, why=str(error))
            if not sip.is_over:
                sip.reject(488)
            await call.over()
            return
        self._up(group, call, sip)

    async def _prepare(self, group: str) -> GroupCall:
        """The ports of a call. Raises MediaError, TransportError."""
        name = f"{self.name} {group.removeprefix('sip:').partition('@')[0]}"
        rng = self._context.rng
        participant = Participant(self.user, rng.getrandbits(32), priority=self.priority, timers=self.timers)
        media = await CallMedia.open(self._media, name, host=self._agent.address[0], text=False)
        call: GroupCall

        def take(message: FloorMessage) -> None:
            call.take(message)

        try:
            floor = await FloorPort.open(self._context, self.name, take, host=self._agent.address[0])
        except TransportError:
            await media.close()
            raise
        call = GroupCall(self._context, self.name, group, participant, media, floor)
        return call

    def _up(self, group: str, call: GroupCall, sip: Call) -> None:
        self.calls[group] = call
        sip.on_change(lambda _sip, what: self._changed(group, call, what))
        if sip.is_over:
            self._changed(group, call, "ended")
            return
        call.begin()

    def _changed(self, group: str, call: GroupCall, what: str) -> None:
        if what == "ended":
            if self.calls.get(group) is call:
                del self.calls[group]
            self._task(call.over())

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _must_have_room(self) -> None:
        if len(self.calls) >= MAX_CALLS:
            raise McpttLocalError(f"{self.name} is in {MAX_CALLS} calls already")
