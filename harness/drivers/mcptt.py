"""The MCPTT radio driver: what an officer does with an ESN handset; it is used as `harness.drivers.radio` is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Final

from harness.drivers.mcptt_ambience import AmbientHandset
from harness.drivers.mcptt_calls import PrivateMcpttCalls
from harness.drivers.mcptt_floor import EMERGENCY_PRIORITY, GRANT_S, Keyed
from harness.drivers.mcptt_places import PlacedHandset
from harness.drivers.mcptt_texts import TextingHandset
from harness.drivers.talking_radio import Technology
from harness.endpoints.mcptt import GroupCall, McpttTerminal, PrivateCall
from harness.endpoints.media import MediaService, PortStats, Recording
from harness.endpoints.sntp import Clock
from harness.errors import DriverError, ExpectationError, McpttLocalError
from harness.journal import Event
from harness.protocols.mcptt.messages import Revoke
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context
from harness.transport.tap import Address

JOINED_S: Final = 5.0
TOLD_S: Final = 1.0
"""Seconds within which the server tells one who joins who talks."""
_TOLD: Final = ("floor.idle", "floor.taken", "floor.granted")


class McpttRadio(PrivateMcpttCalls, AmbientHandset, PlacedHandset, TextingHandset):
    """One handset. What it does and shows is journalled under the component's name, in a radio terminal's words.

    Events: ``ptt.pressed`` {talkgroup, priority}, ``ptt.granted`` {talkgroup, grant_ms}, ``ptt.queued``, ``ptt.denied``
    {reason}, ``ptt.released``, ``ptt.pre_empted``, ``ptt.revoked`` {cause}, ``talker.shown`` {talkgroup, user,
    emergency}, ``talker.ended``, ``call.ended``, ``voice.heard`` {level_dbov}, and those of PlacedHandset, of
    TextingHandset, of AmbientHandset and of PrivateMcpttCalls, whose floor has no talkgroup; the endpoint's own
    ``floor.*``, ``group_call.*``, ``private_call.*``, ``location.*`` and ``mcdata.*`` beside them.
    """

    technology: ClassVar[Technology] = Technology.MCPTT
    talk_shown: ClassVar[str] = "talker.shown"
    talk_over: ClassVar[str] = "talker.ended"
    talk_taken: ClassVar[str] = "ptt.revoked"

    def __init__(self, context: Context, name: str, domain: str, permit: Callable[[str, str, int], None]) -> None:
        self.name = name
        self.talkgroup: str | None = None
        """The talkgroup in use."""
        self.session_type = "prearranged"
        self._journal = context.journal
        self._domain = domain
        self._permit = permit
        self._joined_at = 0.0
        self._keyed: GroupCall | None = None
        self._forget: Callable[[], None] = lambda: None
        self._terminal: McpttTerminal

    @classmethod
    async def open(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        user: str,
        domain: str,
        server: Address,
        service: str = "",
        data_service: str = "",
        clock: Clock | None = None,
        host: str = "127.0.0.1",
        priority: int = 5,
        permit: Callable[[str, str, int], None],
    ) -> McpttRadio:
        """Switch the handset on; it is in no call yet. `user`: the user part of its MCPTT ID.

        ``service``, ``data_service`` and ``clock``: as McpttTerminal's. ``permit`` is asked before anything goes on
        air. Raises TransportError.
        """
        radio = cls(context, name, domain, permit)
        radio._terminal = await McpttTerminal.open(
            context,
            media,
            name,
            user=f"sip:{user}@{domain}",
            server=server,
            service=service,
            data_service=data_service,
            clock=clock,
            host=host,
            priority=priority,
        )
        radio._forget = context.journal.subscribe(radio._seen)
        return radio

    async def register(self, password: str = "") -> None:
        """Register, so that prearranged groups' calls come. Raises SipLocalError when it is refused."""
        await self._terminal.register(password)

    async def close(self) -> None:
        """Let the key go, leave all calls, and switch off."""
        if self._keyed is not None and self._keyed.is_up:
            await self.unkey()
        self._forget()
        await self._terminal.close()

    async def select(self, talkgroup: str) -> None:
        """Turn to a talkgroup: join its call. Raises DriverError where the server refuses."""
        group = self._id(talkgroup)
        if group not in self._terminal.calls:
            self._ask("key", talkgroup, 0)
            before = self._journal.position
            try:
                await self._terminal.call(group, session_type=self.session_type, within=JOINED_S)
            except McpttLocalError as error:
                raise DriverError(str(error)) from None
            self._joined_at = self._journal.now()
            try:
                await self._first(_TOLD, {"group": group}, before, TOLD_S)
            except ExpectationError:
                # The server is to tell everybody who joins whether somebody talks (TS 24.380 section 6.3.4).
                self._journal.warn(self.name, "floor.untold", talkgroup=talkgroup, waited_s=TOLD_S)
        self.talkgroup = talkgroup
        self._journal.record(self.name, "talkgroup.selected", talkgroup=talkgroup)

    async def leave(self, talkgroup: str) -> None:
        """Leave a talkgroup's call. Raises McpttLocalError where it is in none."""
        await self._terminal.leave(self._id(talkgroup))

    # Speech

    async def key(
        self, talkgroup: str | None = None, *, say: Samples | None = None, priority: int = 0, within: float = GRANT_S
    ) -> Keyed:
        """Press the key on ``talkgroup`` (the one in use) and return when the server has granted the floor.

        A queued request is let wait QUEUED_S. ``say`` is spoken from the moment of the grant. ``priority`` 0 to 15: 15
        is an emergency. Raises DriverError when it is denied or not answered, and InterlockError when the testbed does
        not allow it: nothing has left then.
        """
        name = talkgroup or self.talkgroup
        if name is None:
            raise DriverError(f"{self.name}: no talkgroup is selected")
        call = self._call(name)
        keyed = await self._key(call, name, {"talkgroup": name}, priority, within)
        if say is not None:
            await call.say(say)
        return keyed

    async def emergency(self, talkgroup: str | None = None, *, say: Samples | None = None) -> Keyed:
        """Press the emergency button: the floor of ``talkgroup`` (the one in use), whoever talks, and where it is.

        The place is told where it is known (``move_to``), beside the request for the floor. Raises as ``key``.
        """
        self._ask("key", talkgroup or self.talkgroup or "", EMERGENCY_PRIORITY)  # before either leaves
        told = asyncio.ensure_future(self._tell_emergency())
        try:
            return await self.key(talkgroup, say=say, priority=EMERGENCY_PRIORITY)
        finally:
            await told

    async def say(self, samples: Samples, talkgroup: str | None = None, *, priority: int = 0) -> float:
        """Key, wait for the grant, speak, and let the key go; return the run time at which the speech began.

        Raises as ``key`` does.
        """
        await self.key(talkgroup, priority=priority)
        call = self._keyed
        assert call is not None
        try:
            began = await call.say(samples)
            await call.media.port.played()
        finally:
            if self._keyed is not None:
                await self.unkey()
        return began

    async def speak(self, samples: Samples) -> float:
        """Speak into the microphone of the call in use; without the floor nothing leaves. Returns its run time.

        Whoever listens to the handset hears it too. Raises McpttLocalError without the floor.
        """
        await self.speak_unkeyed(samples)
        return await self._in_use().say(samples)

    async def spoken(self) -> None:
        """Return when all that was to be spoken is out."""
        await self._in_use().media.port.played()

    async def record(self) -> None:
        """Begin to keep what the loudspeaker gives of the call in use."""
        await self._in_use().media.port.record()

    async def recorded(self) -> Recording:
        """Return what the loudspeaker gave since ``record``."""
        return await self._in_use().media.port.recorded()

    async def stats(self) -> PortStats:
        """What the loudspeaker has had of the call in use, packet by packet."""
        return await self._in_use().media.port.stats()

    # What the handset shows

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that this handset shows, or raise ExpectationError telling what it did show."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)

    def _seen(self, event: Event) -> None:
        """Puts what the floor and the speech report into an officer's words."""
        if event.kind == "voice.started" and event.source.startswith(f"{self.name} "):
            self._journal.record(self.name, "voice.heard", at=event.time, **event.data)
            return
        if event.source != self.name:
            return
        self._seen_private(event)
        self._seen_places(event)
        self._seen_texts(event)
        name = self._name(event.data.get("group")) or None
        keyed = self._keyed is not None and self._keyed.told.items() <= event.data.items()
        match event.kind:
            case "floor.taken":
                user = str(event.data.get("talker", "")).removeprefix("sip:").partition("@")[0]
                emergency = bool(event.data.get("emergency"))
                self._journal.record(self.name, "talker.shown", talkgroup=name, user=user, emergency=emergency)
            case "floor.idle":
                self._journal.record(self.name, "talker.ended", talkgroup=name)
            case "floor.revoked" if keyed:
                self._keyed = None
                kind = "ptt.pre_empted" if event.data.get("cause") == Revoke.PRE_EMPTED else "ptt.revoked"
                self._journal.record(self.name, kind, talkgroup=name, cause=event.data.get("cause"))
            case "private_call.over" if keyed:
                self._keyed = None
            case "group_call.over":
                self._keyed = None if keyed else self._keyed
                self._journal.record(self.name, "call.ended", talkgroup=name, cause=event.data.get("reason"))

    def _in_use(self) -> GroupCall | PrivateCall:
        """The call that microphone and loudspeaker are on: the private one while it is up."""
        private = self._terminal.private.call
        return private if private is not None and private.is_up else self._call(self.talkgroup or "")

    def _call(self, talkgroup: str) -> GroupCall:
        call = self._terminal.calls.get(self._id(talkgroup))
        if call is None:
            in_calls = ", ".join(self._name(group) for group in self._terminal.calls) or "none"
            raise DriverError(f"{self.name} is in no call of {talkgroup or 'any talkgroup'}; it is in: {in_calls}")
        return call
