"""The MCPTT radio driver: what an officer does with an ESN handset; it is used as `harness.drivers.radio` is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from harness.drivers.talking_radio import Technology
from harness.endpoints.mcptt import GroupCall, McpttTerminal
from harness.endpoints.media import MediaService, PortStats, Recording
from harness.errors import DriverError, ExpectationError, InterlockError, McpttLocalError
from harness.journal import Event
from harness.protocols.mcptt.messages import Deny, Indicator, Revoke
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context
from harness.transport.tap import Address

GRANT_S: Final = 5.0
"""Seconds within which the server answers a request to talk."""
QUEUED_S: Final = 30.0
"""Seconds for which a queued request is let wait."""
JOINED_S: Final = 5.0
EMERGENCY_PRIORITY: Final = 15
"""The priority that is an emergency, as on TETRA; from 12 on the interlock asks for a permit."""
TOLD_S: Final = 1.0
"""Seconds within which the server tells one who joins who talks."""
_TOLD: Final = ("floor.idle", "floor.taken", "floor.granted")
_ANSWERS: Final = ("floor.granted", "floor.queued", "floor.denied", "floor.unanswered")


@dataclass(frozen=True, slots=True)
class Keyed:
    """A floor that was granted."""

    granted: bool
    seconds: int | None
    """How long one may talk."""


class McpttRadio:
    """One handset. What it does and shows is journalled under the component's name, in a radio terminal's words.

    Events: ``ptt.pressed`` {talkgroup, priority}, ``ptt.granted`` {talkgroup, grant_ms}, ``ptt.queued``, ``ptt.denied``
    {reason}, ``ptt.released``, ``ptt.pre_empted``, ``talker.shown`` {talkgroup, user, emergency}, ``talker.ended``,
    ``call.ended``, ``voice.heard`` {level_dbov}; the endpoint's own ``floor.*`` and ``group_call.*`` beside them.
    """

    technology: ClassVar[Technology] = Technology.MCPTT
    talk_shown: ClassVar[str] = "talker.shown"
    talk_over: ClassVar[str] = "talker.ended"

    def __init__(self, context: Context, name: str, domain: str, permit: Callable[[str, str, int], None]) -> None:
        self.name = name
        self.talkgroup: str | None = None
        """The talkgroup in use."""
        self.session_type = "prearranged"
        self._journal = context.journal
        self._domain = domain
        self._permit = permit
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
        host: str = "127.0.0.1",
        priority: int = 5,
        permit: Callable[[str, str, int], None],
    ) -> McpttRadio:
        """Switch the handset on; it is in no call yet. `user`: the user part of its MCPTT ID.

        ``permit`` is asked before anything goes on air. Raises TransportError.
        """
        radio = cls(context, name, domain, permit)
        radio._terminal = await McpttTerminal.open(
            context, media, name, user=f"sip:{user}@{domain}", server=server, host=host, priority=priority
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
        group = self._group(talkgroup)
        if group not in self._terminal.calls:
            self._ask("call", talkgroup, 0)
            before = self._journal.position
            try:
                await self._terminal.call(group, session_type=self.session_type, within=JOINED_S)
            except McpttLocalError as error:
                raise DriverError(str(error)) from None
            try:
                await self._first(_TOLD, group, before, TOLD_S)
            except ExpectationError:
                # The server is to tell everybody who joins whether somebody talks (TS 24.380 section 6.3.4).
                self._journal.warn(self.name, "floor.untold", talkgroup=talkgroup, waited_s=TOLD_S)
        self.talkgroup = talkgroup
        self._journal.record(self.name, "talkgroup.selected", talkgroup=talkgroup)

    async def leave(self, talkgroup: str) -> None:
        """Leave a talkgroup's call. Raises McpttLocalError where it is in none."""
        await self._terminal.leave(self._group(talkgroup))

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
        if self._keyed is not None:
            raise DriverError(f"{self.name}: the key is pressed already")
        call = self._call(name)
        self._ask("key", name, priority)
        pressed = self._journal.record(self.name, "ptt.pressed", talkgroup=name, priority=priority)
        self._keyed = call
        indicator = Indicator.EMERGENCY if priority >= EMERGENCY_PRIORITY else None
        try:
            call.press(priority=priority or None, indicator=indicator)
            granted = await self._answered(call, name, pressed, within)
        except (McpttLocalError, ExpectationError, asyncio.CancelledError) as error:
            self._let_go(call, name, str(error) or "let go")
            raise
        grant_ms = round((granted.time - pressed.time) * 1000, 3)
        self._journal.record(self.name, "ptt.granted", talkgroup=name, grant_ms=grant_ms)
        if say is not None:
            await call.say(say)
        return Keyed(True, granted.data.get("seconds"))

    async def _answered(self, call: GroupCall, name: str, pressed: Event, within: float) -> Event:
        answer = await self._first(_ANSWERS, call.group, pressed.seq, within)
        if answer.kind == "floor.queued":
            self._journal.record(self.name, "ptt.queued", talkgroup=name, position=answer.data.get("position"))
            answer = await self._first(("floor.granted", "floor.denied"), call.group, answer.seq, QUEUED_S)
        if answer.kind != "floor.granted":
            reason = _why(answer)
            self._let_go(call, name, reason)
            raise DriverError(f"{self.name}: {name}: {reason}")
        return answer

    async def _first(self, kinds: tuple[str, ...], group: str, after: int, within: float) -> Event:
        """The first event of one of these kinds. Raises ExpectationError."""
        waits = [
            asyncio.ensure_future(self._journal.expect(self.name, kind, within=within, after=after, group=group))
            for kind in kinds
        ]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return min((each.result() for each in done), key=lambda event: event.seq)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _let_go(self, call: GroupCall, name: str, reason: str) -> None:
        self._keyed = None
        self._journal.record(self.name, "ptt.denied", talkgroup=name, reason=reason)
        if call.is_up:
            call.release()

    async def emergency(self, talkgroup: str | None = None, *, say: Samples | None = None) -> Keyed:
        """Press the emergency button: the floor of ``talkgroup`` (the one in use), whoever talks. Raises as ``key``."""
        return await self.key(talkgroup, say=say, priority=EMERGENCY_PRIORITY)

    async def unkey(self) -> None:
        """Let the key go. Raises DriverError when it is not pressed."""
        if self._keyed is None:
            raise DriverError(f"{self.name}: the key is not pressed")
        call, self._keyed = self._keyed, None
        self._journal.record(self.name, "ptt.released")
        if call.is_up:
            call.release()

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

        Raises McpttLocalError without the floor.
        """
        return await self._call(self.talkgroup or "").say(samples)

    async def spoken(self) -> None:
        """Return when all that was to be spoken is out."""
        await self._call(self.talkgroup or "").media.port.played()

    async def record(self) -> None:
        """Begin to keep what the loudspeaker gives of the talkgroup in use."""
        await self._call(self.talkgroup or "").media.port.record()

    async def recorded(self) -> Recording:
        """Return what the loudspeaker gave since ``record``."""
        return await self._call(self.talkgroup or "").media.port.recorded()

    async def stats(self) -> PortStats:
        """What the loudspeaker has had of the talkgroup in use, packet by packet."""
        return await self._call(self.talkgroup or "").media.port.stats()

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
        name = self._name(event.data.get("group"))
        match event.kind:
            case "floor.taken":
                user = str(event.data.get("talker", "")).removeprefix("sip:").partition("@")[0]
                emergency = bool(event.data.get("emergency"))
                self._journal.record(self.name, "talker.shown", talkgroup=name, user=user, emergency=emergency)
            case "floor.idle":
                self._journal.record(self.name, "talker.ended", talkgroup=name)
            case "floor.revoked" if self._keyed is not None and event.data.get("group") == self._keyed.group:
                self._keyed = None
                kind = "ptt.pre_empted" if event.data.get("cause") == Revoke.PRE_EMPTED else "ptt.revoked"
                self._journal.record(self.name, kind, talkgroup=name, cause=event.data.get("cause"))
            case "group_call.over":
                if self._keyed is not None and event.data.get("group") == self._keyed.group:
                    self._keyed = None
                self._journal.record(self.name, "call.ended", talkgroup=name, cause=event.data.get("reason"))

    # Names

    def _group(self, talkgroup: str) -> str:
        return f"sip:{talkgroup}@{self._domain}"

    def _name(self, group: object) -> str:
        return str(group or "").removeprefix("sip:").partition("@")[0]

    def _call(self, talkgroup: str) -> GroupCall:
        call = self._terminal.calls.get(self._group(talkgroup))
        if call is None:
            in_calls = ", ".join(self._name(group) for group in self._terminal.calls) or "none"
            raise DriverError(f"{self.name} is in no call of {talkgroup or 'any talkgroup'}; it is in: {in_calls}")
        return call

    def _ask(self, what: str, talkgroup: str, priority: int) -> None:
        """Ask the interlock, and journal what it refuses."""
        try:
            self._permit(what, talkgroup, priority)
        except InterlockError:
            self._journal.warn(self.name, "ptt.not_allowed", talkgroup=talkgroup, priority=priority)
            raise


def _why(answer: Event) -> str:
    if answer.kind == "floor.unanswered":
        return "the server does not answer"
    try:
        return Deny(answer.data["cause"]).name.lower().replace("_", " ")
    except (KeyError, ValueError):
        return f"denied, cause {answer.data.get('cause')}"
