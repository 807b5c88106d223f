"""A TETRA talkgroup and an MCPTT group joined: whoever has the floor on one side takes it on the other, and is heard.

Theory. The gateway is a member of both: a terminal on the talkgroup, a user in the group. Of each side one thing is
known: who else talks there, if anybody. While somebody talks on one side, the floor of the other is wanted; when nobody
does, it is given back. That is all, for the rest is what each network does with any request: it grants, queues,
refuses, or takes the floor away. A word goes out while the other side's floor is the gateway's, and at no other time.

An emergency carries over as far as it is told: MCPTT tells of one with each talker. A TETRA terminal is told only in
the announcement of a call that an emergency sets up; that somebody pre-empts the gateway itself, though, can't be less
than a pre-emptive demand, and is carried over as an emergency, so that the MCPTT talker gives way.

Where both sides' talkers were granted in the same moment, each keeps the floor of their own side; the gateway's
requests wait in both, and who talks longer is heard on the other side from then on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from harness.endpoints.mcptt import GroupCall, McpttTerminal
from harness.endpoints.media import MediaPort, MediaService
from harness.errors import HarnessError
from harness.journal import Event
from harness.protocols.mcptt.messages import Indicator
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY
from harness.transport.context import Context
from harness.transport.tap import Address
from simulators.interworking.settings import JoinSettings
from simulators.talkgroup_terminal import Permit, TalkgroupTerminal

REGISTER_AGAIN_S: Final = 5.0
"""Seconds between attempts to register with the MCPTT server."""
CALL_S: Final = 5.0
"""Seconds within which the group's call has to come up."""
ASK_AGAIN_S: Final = 1.0
"""Seconds after a refusal until the floor is asked for again, while the other side's talker talks on."""


@dataclass(frozen=True, slots=True)
class TetraEnd:
    """The TETRA terminal of a join."""

    serial: str
    """As pyserial opens it."""
    baud: int
    audio: Address
    """Its audio jack: RTP."""
    gssi: int


class Join:
    """One join.

    Events, under the join's name: ``join.to_mcptt`` and ``join.to_tetra`` {talker, emergency}, one side's floor is
    wanted for a talker of the other; ``join.through`` {side}; ``join.waits`` {side}; ``join.refused`` {side, why};
    ``join.over`` {side}, where the talker was.
    """

    def __init__(
        self,
        context: Context,
        media: MediaService,
        name: str,
        settings: JoinSettings,
        tetra: TetraEnd,
        *,
        domain: str,
        server: Address,
        password: str,
        permit: Permit | None,
    ) -> None:
        self.name = name
        self._context = context
        self._journal = context.journal
        self._loop = asyncio.get_running_loop()
        self._media = media
        self._settings = settings
        self._tetra_end = tetra
        self._domain, self._server, self._password = domain, server, password
        self._group = f"sip:{settings.group}@{domain}"
        self._user = f"sip:{settings.user}@{domain}"
        self._permit = permit
        self._tetra: TalkgroupTerminal
        self._mcptt: McpttTerminal
        self._jack: MediaPort
        self._tetra_talks: str | None = None
        self._mcptt_talks: str | None = None
        self._mcptt_emergency = False
        self._emergency = False
        """Whether the TETRA talker is carried over as an emergency."""
        self._pressed = False
        """Whether the MCPTT floor is asked for, or ours."""
        self._wired: GroupCall | None = None
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._again: dict[str, asyncio.TimerHandle] = {}
        self._forget: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Come up on both sides. Raises MediaError, TransportError."""
        host, port = self._tetra_end.audio
        local = "127.0.0.1" if host.startswith("127.") else "0.0.0.0"  # noqa: S104 - a real jack is elsewhere
        self._jack = await self._media.open_port(f"{self.name} jack", host=local)
        await self._jack.connect((host, port), dtmf_payload_type=None, rests=True)
        self._mcptt = await McpttTerminal.open(
            self._context,
            self._media,
            f"{self.name} user",
            user=self._user,
            server=self._server,
            host=self._server[0],
        )
        end = self._tetra_end
        self._tetra = TalkgroupTerminal(
            self._context,
            f"{self.name} terminal",
            serial=end.serial,
            baud=end.baud,
            gssi=end.gssi,
            permit=self._permit,
            user=self,
        )
        self._forget = self._journal.subscribe(self._reported)
        await self._tetra.start()
        self._tasks = [
            self._loop.create_task(self._register(), name=f"{self.name} registration"),
            self._loop.create_task(self._carry(), name=f"{self.name} to MCPTT"),
        ]

    async def stop(self) -> None:
        """Leave both sides."""
        self._forget()
        for timer in self._again.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._tetra.stop()
        await self._mcptt.close()
        await self._jack.close()

    async def _register(self) -> None:
        while True:
            try:
                await self._mcptt.register(self._password)
            except HarnessError as error:
                self._journal.warn(self.name, "join.not_registered", why=str(error))
                await asyncio.sleep(REGISTER_AGAIN_S)
            else:
                return

    def _tell(self, what: str, **data: Any) -> None:
        self._journal.record(self.name, f"join.{what}", **data)

    # TETRA, as its terminal tells it

    def receiving(self, talker: str | None) -> None:
        """Somebody talks on the talkgroup, or nobody does."""
        self._tetra_talks = talker
        self._emergency = self._emergency and talker is not None
        if talker is not None:
            self._tell("to_mcptt", talker=talker, emergency=self._emergency)
        else:
            self._tell("over", side="tetra")
        self._changed.set()

    def granted(self) -> None:
        """The talkgroup's floor is ours."""
        self._tell("through", side="tetra")

    def queued(self) -> None:
        """It will be."""
        self._tell("waits", side="tetra")

    def refused(self, why: str) -> None:
        """It is not, or no longer."""
        if why.startswith("pre-empted"):
            self._emergency = True
        self._journal.warn(self.name, "join.refused", side="tetra", why=why)
        self._tetra.want(None)
        self._later("tetra", self._want_tetra)

    def _want_tetra(self) -> None:
        talks, emergency = self._mcptt_talks, self._mcptt_emergency
        self._tetra.want(None if talks is None else EMERGENCY_CALL_PRIORITY if emergency else 0)

    def _later(self, what: str, act: Callable[[], None]) -> None:
        if what in self._again:
            self._again[what].cancel()
        self._again[what] = self._loop.call_later(ASK_AGAIN_S, act)

    # MCPTT, as its user is told it

    def _reported(self, event: Event) -> None:
        if event.source == self._tetra.name and event.kind == "radio.call_in":
            self._emergency = event.data.get("priority") == EMERGENCY_CALL_PRIORITY
        if event.source != self._mcptt.name or event.data.get("group") != self._group:
            return
        match event.kind:
            case "floor.taken" if event.data.get("talker") != self._user:
                self._talks(str(event.data.get("talker")), emergency=bool(event.data.get("emergency")))
            case "floor.granted":
                self._talks(None)
                self._tell("through", side="mcptt")
            case "floor.idle" | "group_call.over":
                self._pressed = False
                self._talks(None)
            case "floor.queued":
                self._tell("waits", side="mcptt")
            case "floor.denied" | "floor.revoked" | "floor.unanswered":
                self._pressed = False
                self._journal.warn(
                    self.name, "join.refused", side="mcptt", why=str(event.data.get("phrase") or event.kind)
                )
                self._later("mcptt", self._changed.set)
        if event.kind in ("group_call.up", "group_call.over"):
            self._changed.set()

    def _talks(self, who: str | None, *, emergency: bool = False) -> None:
        if (who, emergency) == (self._mcptt_talks, self._mcptt_emergency):
            return
        self._mcptt_talks, self._mcptt_emergency = who, emergency
        if who is not None:
            self._tell("to_tetra", talker=who, emergency=emergency)
        else:
            self._tell("over", side="mcptt")
        self._want_tetra()
        self._changed.set()

    async def _carry(self) -> None:
        """Bring the MCPTT side to what is wanted of it, one step after the other."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._step()
            except HarnessError as error:
                self._journal.warn(self.name, "join.refused", side="mcptt", why=str(error))
                self._later("mcptt", self._changed.set)

    async def _step(self) -> None:
        call = self._mcptt.calls.get(self._group)
        wanted = self._tetra_talks is not None
        if call is None:
            self._wired, self._pressed = None, False
            if wanted:
                call = await self._mcptt.call(
                    self._group, emergency=self._emergency, implicit_request=True, within=CALL_S
                )
                self._pressed = True
        if call is None:
            return
        if self._wired is not call:
            # Each side's networks see to it that only what has the floor goes on.
            await call.media.port.hear(self._jack)
            await self._jack.hear(call.media.port)
            self._wired = call
        if wanted and not self._pressed:
            call.press(indicator=Indicator.EMERGENCY if self._emergency else None)
            self._pressed = True
        elif not wanted and self._pressed:
            call.release()
            self._pressed = False
