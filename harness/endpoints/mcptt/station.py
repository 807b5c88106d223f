"""What all calls of one MCPTT terminal share: who it is, its SIP agent, and how a call's ports are opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from harness.endpoints.call_media import CallMedia
from harness.endpoints.mcptt.floor_port import FloorPort
from harness.endpoints.mcptt.group_call import GroupCall
from harness.endpoints.mcptt.private_call import PrivateCall
from harness.endpoints.media import MediaService
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call, Headers
from harness.endpoints.sntp import Clock
from harness.errors import McpttError, McpttLocalError, SdpError, SipLocalError, TransportError
from harness.protocols.mcptt.info import CONTENT_TYPE, INVITE_HEADERS, FloorTerms, McpttInfo
from harness.protocols.mcptt.messages import FloorMessage
from harness.protocols.mcptt.participant import Participant
from harness.protocols.mcptt.private import private_body
from harness.protocols.mcptt.timers import ParticipantTimers
from harness.protocols.mcptt.warnings import read_why
from harness.protocols.sip import body
from harness.transport.context import Context

ANSWER_S: Final = 5.0
"""Seconds within which a MESSAGE is answered."""
_C = TypeVar("_C", bound=GroupCall)


@dataclass(slots=True)
class Station:
    """One terminal's."""

    context: Context
    media: MediaService
    name: str
    """The journal's source."""
    user: str
    """The MCPTT ID: a SIP URI."""
    agent: UserAgent
    timers: ParticipantTimers
    clock: Clock
    """Seconds since 1970."""
    priority: int
    """mc_priority: the highest that it may ask for, and what it asks for."""
    playout_ms: int = 40
    """The least depth of a call's playout buffer."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def warn(self, kind: str, **data: Any) -> None:
        """Journal something odd."""
        self.context.journal.warn(self.name, kind, **data)

    def task(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside; closing waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def open_media(self, peer: str) -> CallMedia:
        """Bind the port of a call's speech. Raises MediaError."""
        return await CallMedia.open(
            self.media, self._named(peer), host=self.agent.address[0], text=False, playout_ms=self.playout_ms
        )

    async def open_call(
        self, kind: Callable[[Context, str, str, Participant, CallMedia, FloorPort], _C], peer: str
    ) -> _C:
        """Bind the ports of a call that has a floor. Raises MediaError, TransportError."""
        participant = Participant(
            self.user, self.context.rng.getrandbits(32), priority=self.priority, timers=self.timers
        )
        media = await self.open_media(peer)
        call: _C

        def take(message: FloorMessage) -> None:
            call.take(message)

        try:
            floor = await FloorPort.open(self.context, self.name, take, host=self.agent.address[0])
        except TransportError:
            await media.close()
            raise
        call = kind(self.context, self.name, peer, participant, media, floor)
        return call

    async def invite(
        self,
        call: PrivateCall,
        service: str,
        called: str,
        info: McpttInfo,
        terms: FloorTerms,
        headers: Headers,
        *,
        within: float,
    ) -> Call:
        """Call a user by the server with an opened call, and return its dialog once they have answered.

        Raises McpttLocalError with the server's reason, SdpLocalError; the call is over then.
        """
        try:
            offer = call.offer(terms)
            content = private_body(offer, info, called)
            call.sip = sip = self.agent.invite(service, offer=offer, content=content, headers=headers)
            try:
                await sip.answered(within=within)
                call.take_answer(sip.remote_sdp)
            except (SipLocalError, SdpError, McpttError) as error:
                told = read_why(sip.ended_by)
                sip.hang_up()
                reason = f"{error}: {told}" if told is not None else str(error)
                raise McpttLocalError(f"{self.name} is in no call with {called}: {reason}") from None
            except asyncio.CancelledError:
                sip.hang_up()
                raise
        except BaseException:
            await call.over()
            raise
        return sip

    async def message(self, service: str, info: McpttInfo, *parts: body.Part) -> None:
        """Send a MESSAGE of MCPTT to the server. Raises as ``send``."""
        await self.send(service, INVITE_HEADERS, body.Part(CONTENT_TYPE, bytes(info)), *parts)

    async def send(self, service: str, headers: Headers, *parts: body.Part) -> None:
        """Send a MESSAGE to the server. Raises McpttLocalError where it is not answered, or why it is refused."""
        content, content_type = body.multipart(parts)
        try:
            response = await self.agent.request(
                "MESSAGE",
                service,
                headers=headers,
                body=content,
                content_type=content_type,
                within=ANSWER_S,
            )
        except SipLocalError as error:
            raise McpttLocalError(f"{self.name}: {error}") from None
        if response.status >= 300:
            why = read_why(response)
            reason = f"{response.status} {response.reason}" + (f": {why}" if why is not None else "")
            raise McpttLocalError(f"{self.name}: the server refuses the message: {reason}")

    def _named(self, peer: str) -> str:
        return f"{self.name} {peer.removeprefix('sip:').partition('@')[0]}"
