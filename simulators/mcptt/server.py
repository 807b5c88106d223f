"""The simulated MCPTT server: users register, call groups or are called, and each group's call has a floor."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final

from harness.endpoints.media import MediaService
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import HarnessError, McpttError, SdpError, SipLocalError, SipRemoteError
from harness.protocols.mcdata.message import short_data_in
from harness.protocols.mcptt.description import invite_body
from harness.protocols.mcptt.info import AMBIENT, CONTENT_TYPE, INVITE_HEADERS, McpttInfo, read_info
from harness.protocols.mcptt.location import LOCATION_TYPE
from harness.protocols.mcptt.private import PRIVATE
from harness.protocols.mcptt.warnings import FULL, NO_MEMBER, NO_SUCH_GROUP, header, why
from harness.protocols.sip import body
from harness.protocols.sip.message import Request
from harness.protocols.sip.registrar import Registrar
from harness.transport.context import Context
from harness.transport.tap import Address
from simulators.mcptt.api import make_app
from simulators.mcptt.call import MAX_LEGS, ControlledCall
from simulators.mcptt.desk import MessageDesk
from simulators.mcptt.legs import Leg, RefusedError, open_leg
from simulators.mcptt.locations import Locations
from simulators.mcptt.private import PrivateCalls, contacts_of
from simulators.mcptt.settings import GroupSettings, McpttSettings
from simulators.mcptt.short_data import ShortDataDesk
from simulators.reach import need_token
from simulators.web import WebServer

CALLED_WITHIN_S: Final = 5.0
"""Seconds within which a member who is called has to answer."""
_UNFIT = (McpttError, SdpError)


class McpttServer:
    """One server. Use `start`."""

    def __init__(self, context: Context, media: MediaService, settings: McpttSettings, name: str) -> None:
        self.name = name
        self.settings = settings
        self.calls: dict[str, ControlledCall] = {}
        """By group."""
        self.private: PrivateCalls
        self.locations: Locations
        self.control_url = ""
        self.silent = False
        """A fault: floors say and do nothing."""
        self._context = context
        self._media = media
        self._agent: UserAgent
        self._desk: MessageDesk
        self._short_data: ShortDataDesk
        self._groups = {group.name: group for group in settings.groups}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stack = AsyncExitStack()

    @classmethod
    async def start(
        cls, context: Context, media: MediaService, settings: McpttSettings, *, name: str = "mcptt"
    ) -> McpttServer:
        """Start it.

        Raises LocalError when it would listen beyond loopback without a token, and TransportError when an address can't
        be bound; nothing stays up then.
        """
        need_token("the MCPTT server", settings.host, settings.control_token, key="control_token")
        server = cls(context, media, settings, name)
        try:
            await server._start()
        except BaseException:
            await server._stack.aclose()
            raise
        return server

    async def _start(self) -> None:
        settings = self.settings
        passwords = {
            user.name: user.password.get_secret_value() for user in settings.users if user.password is not None
        }
        self._agent = await UserAgent.open(
            self._context,
            self.name,
            local=(settings.host, settings.sip_port),
            registrar=Registrar(),
            server_credentials=passwords or None,
            on_invite=self._invited,
            on_register=self._registered,
        )
        self._agent.on_message = self._messaged
        self._desk = MessageDesk(self._context, settings, self.name, self._agent)
        self.locations = Locations(self._context, settings, self.name, self._desk)
        self._short_data = ShortDataDesk(self._context, settings, self.name, self._desk)
        self.private = PrivateCalls(self._context, self._media, settings, self.name, self._agent)
        self._stack.push_async_callback(self._close)
        token = settings.control_token.get_secret_value() if settings.control_token is not None else None
        web = WebServer(make_app(self, token), settings.host, settings.control_port)
        self._stack.push_async_callback(web.stop)
        self.control_url = f"http://{settings.host}:{await web.start()}"

    @property
    def sip_address(self) -> Address:
        """Where it takes SIP over UDP."""
        return self._agent.address

    async def stop(self) -> None:
        """End every call and close every port."""
        await self._stack.aclose()

    async def _close(self) -> None:
        await self._agent.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for call in tuple(self.calls.values()):
            await call.close()
        self.calls.clear()
        await self.private.close()
        await self._desk.close()

    def status(self) -> dict[str, Any]:
        """What the control interface tells."""
        host, port = self.sip_address
        registered = [user.name for user in self.settings.users if contacts_of(self._agent, user.name)]
        return {
            "sip": f"{host}:{port}",
            "silent": self.silent,
            "registered": registered,
            "calls": [call.shown() for call in self.calls.values()],
            "private_calls": self.private.shown(),
            "places": self.locations.shown(),
        }

    def set_silent(self, silent: bool) -> None:
        """Begin or end the fault that floors say and do nothing."""
        self.silent = silent
        for call in self.calls.values():
            call.silent = silent
        self.private.set_silent(silent)
        self._context.journal.record(self.name, "mcptt.fault" if silent else "mcptt.well", fault="silent")

    # Calls that come

    def _invited(self, sip: IncomingCall) -> None:
        self._task(self._take(sip))

    def _registered(self, aor: str) -> None:
        self.locations.registered(_user_of(aor))

    def _messaged(self, request: Request) -> int:
        """A MESSAGE of a user's; returns the status that answers it."""
        try:
            user = self.settings.user(request.from_.uri.user)
            short = short_data_in(request)
            found, place = body.find(request, CONTENT_TYPE), body.find(request, LOCATION_TYPE)
            info = read_info(found) if found else McpttInfo()
        except (McpttError, SipRemoteError) as error:
            self._context.journal.warn(self.name, "message.refused", status=400, why=str(error))
            return 400
        if user is None:
            return 403
        if short is not None:
            return self._short_data.received(user, short)
        return 415 if place is None else self.locations.received(user, info, place)

    async def _take(self, sip: IncomingCall) -> None:
        try:
            found = body.find(sip.request, CONTENT_TYPE)
            info = read_info(found) if found else McpttInfo()
            if info.session_type in (PRIVATE, AMBIENT):
                await self.private.take(sip, info)
                return
            leg, call = await self._leg(sip, info)
        except (McpttError, SipRemoteError) as error:
            self._refuse(sip, RefusedError(400, error))
            return
        except RefusedError as refused:
            self._refuse(sip, refused)
            return
        try:
            answer = call.answer(leg, sip.remote_sdp)
        except _UNFIT as error:
            self._context.journal.warn(self.name, "group.refused", status=488, why=str(error))
            sip.reject(488)
            call.leave(leg)
            await leg.close()
            return
        leg.emergency = bool(info.emergency)
        alone = len(call.legs) == 1
        sip.on_change(lambda _sip, what: self._changed(call, leg, what))
        try:
            sip.answer(answer)
        except SipLocalError:
            self._changed(call, leg, "ended")  # it was cancelled meanwhile
            return
        if alone and info.session_type != "chat":
            self._call_members(call, info, leg.user)

    def _refuse(self, sip: IncomingCall, refused: RefusedError) -> None:
        if not sip.is_over:
            self._context.journal.warn(self.name, "group.refused", status=refused.status, why=str(refused))
            sip.reject(refused.status, headers=[header(self.settings.domain, refused)])

    async def _leg(self, sip: IncomingCall, info: McpttInfo) -> tuple[Leg, ControlledCall]:
        """Make a leg of a group's call that comes. Raises RefusedError, SipRemoteError."""
        caller, dialled = sip.request.from_.uri.user, sip.request.uri.user
        name = _user_of(info.request_uri) or dialled
        group = self._groups.get(name)
        if group is None:
            raise RefusedError(404, why(NO_SUCH_GROUP))
        if not self.settings.may_join(caller, group):
            raise RefusedError(403, why(NO_MEMBER))
        call = self._call_of(group)
        if len(call.legs) >= MAX_LEGS:
            raise RefusedError(486, why(FULL))
        leg = await self._open(call, caller)
        leg.sip = sip
        return leg, call

    async def _open(self, call: ControlledCall, user: str) -> Leg:
        """Bind a leg's ports. Raises RefusedError."""
        name = f"{self.name} {call.group.name} {user}"
        leg = await open_leg(self._context, self._media, name, user, host=self.settings.host, take=call.take)
        if call.legs.setdefault(user, leg) is not leg:
            await leg.close()
            raise RefusedError(486, "the user is in the call already")
        return leg

    def _call_of(self, group: GroupSettings) -> ControlledCall:
        call = self.calls.get(group.name)
        if call is None:
            call = ControlledCall(self._context, self.name, group, self.settings, self._over)
            call.silent = self.silent
            self.calls[group.name] = call
        return call

    # Calls that go out

    def _call_members(self, call: ControlledCall, info: McpttInfo, caller: str) -> None:
        """A prearranged group's call: all members who are registered are called."""
        for user in self.settings.users:
            if user.name != caller and self.settings.may_join(user.name, call.group):
                for contact in contacts_of(self._agent, user.name)[:1]:
                    self._task(self._call_member(call, info, caller, user.name, contact))

    async def _call_member(self, call: ControlledCall, info: McpttInfo, caller: str, user: str, contact: str) -> None:
        domain = self.settings.domain
        told = McpttInfo(
            info.session_type or "prearranged",
            f"sip:{user}@{domain}",
            calling_user=f"sip:{caller}@{domain}",
            calling_group=f"sip:{call.group.name}@{domain}",
            emergency=info.emergency,
        )
        try:
            leg = await self._open(call, user)
        except RefusedError as error:
            self._context.journal.warn(self.name, "group.not_called", user=user, why=str(error))
            return
        try:
            offer = call.offer(leg)
            sip = leg.sip = self._agent.invite(
                contact,
                offer=offer,
                content=invite_body(offer, told),
                headers=INVITE_HEADERS,
                caller=f"<sip:{call.group.name}@{domain}>",
            )
            await sip.answered(within=CALLED_WITHIN_S)
            call.take_answer(leg, sip.remote_sdp)
        except (*_UNFIT, HarnessError) as error:
            self._context.journal.warn(self.name, "group.not_called", user=user, why=str(error))
            leg.hang_up()
            call.leave(leg)
            await leg.close()
            return
        sip.on_change(lambda _sip, what: self._changed(call, leg, what))
        await self._join(call, leg)

    # What becomes of them

    def _changed(self, call: ControlledCall, leg: Leg, what: str) -> None:
        if what == "confirmed":
            self._task(self._join(call, leg))
        elif what == "ended":
            call.leave(leg)
            self._task(leg.close())

    async def _join(self, call: ControlledCall, leg: Leg) -> None:
        try:
            await call.join(leg)
        except HarnessError as error:
            self._context.journal.warn(self.name, "group.media_failed", user=leg.user, why=str(error))
            leg.hang_up()

    def _over(self, call: ControlledCall) -> None:
        if self.calls.get(call.group.name) is call:
            del self.calls[call.group.name]
            self._task(call.close())

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _user_of(uri: str) -> str:
    return uri.partition(":")[2].partition("@")[0]
