"""An MCPTT terminal: registers with its server, calls groups and users or is called, and holds one call a group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from harness.endpoints.mcptt.ambience import Ambience
from harness.endpoints.mcptt.group_call import GroupCall
from harness.endpoints.mcptt.locator import Locator
from harness.endpoints.mcptt.private_calls import PrivateCalls
from harness.endpoints.mcptt.station import Station
from harness.endpoints.mcptt.texts import Texts
from harness.endpoints.media import MediaService
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sntp import Clock
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
from harness.protocols.mcdata.message import short_data_in
from harness.protocols.mcptt.description import invite_body
from harness.protocols.mcptt.info import AMBIENT, CONTENT_TYPE, INVITE_HEADERS, FloorTerms, McpttInfo, read_info
from harness.protocols.mcptt.location import LOCATION_TYPE
from harness.protocols.mcptt.private import PRIVATE
from harness.protocols.mcptt.timers import ParticipantTimers
from harness.protocols.sip import body
from harness.protocols.sip.message import Request
from harness.transport.context import Context
from harness.transport.tap import Address

MAX_CALLS: Final = 64
"""Group calls that one terminal is in."""
SET_UP_S: Final = 5.0
SERVICE, DATA_SERVICE = "mcptt", "mcdata"
"""User parts of the server's public service identities where none are given."""
_UNFIT = (SdpError, McpttError)


class McpttTerminal:
    """One terminal of one user."""

    def __init__(self, station: Station, server: Address, service: str, data_service: str) -> None:
        self.name = station.name
        self.user = station.user
        """The MCPTT ID: a SIP URI."""
        self.calls: dict[str, GroupCall] = {}
        """By group."""
        self.private = PrivateCalls(station, service)
        """Calls of two."""
        self.ambience = Ambience(station, service)
        """Whom it listens to, and who listens to it."""
        self.locator = Locator(station, service)
        """Where it is."""
        self.texts = Texts(station, data_service)
        """Texts and statuses."""
        self.answers = True
        """Whether it takes groups' calls by itself (automatic commencement)."""
        self.groups: frozenset[str] | None = None
        """The groups whose calls it takes, by MCPTT ID; None: any."""
        self._station = station
        self._agent = station.agent
        self._server = server
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
        service: str = "",
        host: str = "127.0.0.1",
        priority: int = 5,
        timers: ParticipantTimers | None = None,
        permit: Callable[[str], None] | None = None,
        data_service: str = "",
        clock: Clock | None = None,
    ) -> McpttTerminal:
        """Bind. `user`: its MCPTT ID, `sip:…`. `permit` is asked for each URI before it is called.

        `service` and `data_service`: the public service identities of MCPTT and MCData, to which private calls and
        messages are addressed; `sip:mcptt@` and `sip:mcdata@` and the user's domain where left out. `clock`: seconds
        since 1970, by which messages are dated; the run's time where left out. Raises TransportError.
        """
        name_of, _, domain = user.removeprefix("sip:").partition("@")
        agent = await UserAgent.open(context, name, local=(host, 0), user=name_of, outbound=server, permit=permit)
        station = Station(
            context, media, name, user, agent, timers or ParticipantTimers(), clock or context.journal.now, priority
        )
        terminal = cls(
            station, server, service or f"sip:{SERVICE}@{domain}", data_service or f"sip:{DATA_SERVICE}@{domain}"
        )
        agent.on_invite, agent.on_message = terminal._invited, terminal._messaged
        return terminal

    async def close(self) -> None:
        """Leave all calls and close every port."""
        calls = tuple(self.calls.values())
        self.locator.close()
        await self._agent.close()
        await asyncio.gather(*self._station.tasks, return_exceptions=True)
        await self.private.close()
        await self.ambience.close()
        for call in calls:
            await call.over()
        self.calls.clear()

    async def register(self, password: str = "", *, expires: int = 3600) -> None:
        """Register under the MCPTT ID's user part, for calls and messages. Raises SipLocalError when refused."""
        host, port = self._server
        user = self.user.removeprefix("sip:").partition("@")[0]
        await self._agent.register(f"sip:{host}:{port}", user, password, expires=expires, within=SET_UP_S)
        self.locator.log_on()

    @property
    def playout_ms(self) -> int:
        """The least depth of its calls' playout buffers."""
        return self._station.playout_ms

    @playout_ms.setter
    def playout_ms(self, least: int) -> None:
        self._station.playout_ms = least

    async def is_there(self, *, within: float) -> bool:
        """Whether the server answers a question (OPTIONS) within so many seconds, whatever it says."""
        host, port = self._server
        try:
            await self._agent.options(f"sip:{host}:{port}", within=within)
        except SipLocalError:
            return False
        return True

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
        call = await self._station.open_call(GroupCall, group)
        try:
            terms = FloorTerms(1, queueing=True, priority=self._station.priority, implicit_request=implicit_request)
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
        try:
            found = body.find(sip.request, CONTENT_TYPE)
            info = read_info(found) if found else McpttInfo()
        except (McpttError, SipRemoteError) as error:
            self._station.warn("group_call.refused", why=str(error))
            sip.reject(400)
            return
        if info.session_type == PRIVATE:
            self.private.invited(sip, info)
        elif info.session_type == AMBIENT:
            self.ambience.invited(sip, info)
        else:
            self._station.task(self._take(sip, info))

    def _messaged(self, request: Request) -> int:
        """A MESSAGE of the server's; returns the status that answers it."""
        try:
            short = short_data_in(request)
            if short is not None:
                return self.texts.received(short)
            found, place = body.find(request, CONTENT_TYPE), body.find(request, LOCATION_TYPE)
            info = read_info(found) if found else McpttInfo()
        except (McpttError, SipRemoteError) as error:
            self._station.warn("message.unreadable", why=str(error))
            return 400
        return 415 if place is None else self.locator.received(place, info)

    async def _take(self, sip: IncomingCall, info: McpttInfo) -> None:
        """A group calls."""
        try:
            group = info.calling_group or info.request_uri
            unwanted = not self.answers or (self.groups is not None and group not in self.groups)
            if not group or unwanted or group in self.calls or len(self.calls) >= MAX_CALLS:
                sip.reject(486)
                return
            call = await self._station.open_call(GroupCall, group)
        except (MediaError, TransportError) as error:
            self._station.warn("group_call.refused", why=str(error))
            sip.reject(500)
            return
        call.sip = sip
        try:
            answer = call.answer(sip.remote_sdp, FloorTerms(1, queueing=True, priority=self._station.priority))
            sip.answer(answer)
        except (*_UNFIT, HarnessError) as error:
            self._station.warn("group_call.refused", group=group, why=str(error))
            if not sip.is_over:
                sip.reject(488)
            await call.over()
            return
        self._up(group, call, sip)

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
            self._station.task(call.over())

    def _must_have_room(self) -> None:
        if len(self.calls) >= MAX_CALLS:
            raise McpttLocalError(f"{self.name} is in {MAX_CALLS} calls already")
