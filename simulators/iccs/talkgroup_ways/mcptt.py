"""The way by MCPTT (ESN): the ICCS is a user of the server, in the group's call, with a floor as any member's.

Theory. A group's call comes and goes: a member's call to the group brings the ICCS in as one who registered, and the
server releases all when nobody has talked for a while. So the way is in service while the server has it registered, and
its port comes and goes with the call. Who keys while there is no call sets it up; the server calls the members then,
and denies the floor to one who is alone until the first of them is there, so that it is asked for again meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any, Final

from harness.endpoints.mcptt import GroupCall, McpttTerminal
from harness.endpoints.media import MediaPort
from harness.errors import ExpectationError, HarnessError, McpttLocalError
from harness.journal import Event, Journal
from harness.protocols.mcdata.sds import Payload, Wanted
from harness.protocols.mcptt.messages import Deny, Revoke, in_words
from simulators.iccs.leg import LastWords
from simulators.iccs.talkgroup_ways.lines import McpttLine
from simulators.iccs.talkgroup_ways.mcptt_user import McpttUser
from simulators.iccs.talkgroup_ways.way import Answer, Floor, RadioPermit, RadioUser, name_of, nothing_kept

CALL: Final = 1
"""How reports name the group's call: it is the only one."""
ANSWER_S: Final = 5.0
"""Seconds within which the server answers a request to talk; the floor participant gives up before."""
CALL_S: Final = 5.0
"""Seconds within which the group's call comes up."""
CROSSED_S: Final = 1.0
"""Seconds within which the group's own call comes up that crossed ours."""
GATHERED_S: Final = 3.0
"""Seconds for which one who set the call up is let be alone in it: the others are only being called."""
ALONE_AGAIN_S: Final = 0.1
"""Seconds from one request of such to the next."""
RECEIPT_S: Final = 10.0
"""Seconds within which a handset receipts a text, or it counts as not delivered."""
MAX_ANSWERS: Final = 16
"""Answers to one request that may wait to be looked at."""


class McpttWay:
    """One user in one group."""

    def __init__(self, journal: Journal, user: McpttUser, line: McpttLine, permit: RadioPermit) -> None:
        self.port_changed: Callable[[], None] = lambda: None
        self.port_closes: LastWords = nothing_kept
        self._journal = journal
        self._user = user
        self._line = line
        self._permit = permit
        self._group = f"sip:{line.group}@{line.domain}"
        user.works(line, self._server_lost)
        self._receives = False
        self._wanted = False
        """Whether the floor is asked for, or ours."""
        self._answers: asyncio.Queue[Floor] = asyncio.Queue(MAX_ANSWERS)
        self._calling: asyncio.Task[None] | None = None
        """The group's call as it is set up: one who lets go meanwhile does not leave it half done."""
        self._called_at = -GATHERED_S
        self._forget: Callable[[], None] = lambda: None

    @property
    def port(self) -> MediaPort | None:
        """The speech of the group's call, while there is one."""
        call = self._call
        return call.media.port if call is not None and call.is_up else None

    @property
    def lost(self) -> str | None:
        """Why the server is taken for lost."""
        return self._user.lost

    @property
    def _call(self) -> GroupCall | None:
        terminal = self._user.terminal
        return terminal.calls.get(self._group) if terminal is not None else None

    async def start(self) -> None:
        """Follow what the floor tells."""
        self._forget = self._journal.subscribe(self._told)

    async def into_service(self, *, works: bool) -> None:
        """Register; ``works`` is always so, for a group has no second way. Raises HarnessError."""
        await self._user.register()

    async def close(self) -> None:
        """Leave the group's call and close everything."""
        self._forget()
        self._wanted = False
        if self._calling is not None:
            self._calling.cancel()
            await asyncio.gather(self._calling, return_exceptions=True)
        await self._user.close()

    # The floor

    async def key(self) -> Floor:
        """Ask for the floor, in the group's call or by setting it up. Raises HarnessError."""
        terminal = self._there()
        self._permit("key", self._line.talkgroup, 0)
        self._wanted, self._answers = True, asyncio.Queue(MAX_ANSWERS)
        try:
            call = self._call
            if call is None:
                await self._set_up(terminal)
            else:
                call.press()
            return await self._answered(ANSWER_S, meant=tuple(Answer))
        except BaseException:
            self._let_go()
            raise

    async def granted(self, call: int, *, within: float) -> Floor:
        """Wait for the grant of a request that is queued. Raises HarnessError."""
        try:
            return await self._answered(within, meant=(Answer.GRANTED, Answer.REFUSED))
        except BaseException:
            self._let_go()
            raise

    async def unkey(self, call: int | None) -> None:
        """Give the floor, or the wish for it, back."""
        self._let_go()

    def _let_go(self) -> None:
        self._wanted = False
        call = self._call
        if call is not None and call.is_up:
            call.release()

    async def _set_up(self, terminal: McpttTerminal) -> None:
        if self._calling is None or self._calling.done():
            self._calling = asyncio.get_running_loop().create_task(self._call_group(terminal))
            self._calling.add_done_callback(_looked_at)
        await asyncio.shield(self._calling)

    async def _call_group(self, terminal: McpttTerminal) -> None:
        before = self._journal.position
        self._called_at = self._now()
        try:
            call = await terminal.call(self._group, within=CALL_S)
        except McpttLocalError as refused:
            if self._group not in terminal.calls:
                # A member called the group in the same moment, and the server has us in that call.
                up = self._journal.expect(
                    self._user.name, "group_call.up", within=CROSSED_S, after=before, group=self._group
                )
                try:
                    await up
                except HarnessError:
                    raise refused from None
            call = terminal.calls[self._group]
        if self._wanted:
            call.press()

    async def _answered(self, within: float, *, meant: Collection[Answer]) -> Floor:
        """The first answer that is meant: one's place in the queue is told again and again."""
        answers = self._answers
        try:
            async with asyncio.timeout(within):
                while (floor := await answers.get()).answer not in meant:
                    pass
                call = self._call
                if floor.answer is Answer.GRANTED and call is not None:
                    await call.settled()  # or the first words would be lost
                return floor
        except TimeoutError:
            raise McpttLocalError(f"{self._line.name}: no floor within {within:g} s") from None

    def texts(self, to: RadioUser) -> bool:
        """Whether it sends texts to such a radio: to those that have an MCPTT ID."""
        return isinstance(to, str)

    async def send_text(self, to: RadioUser, text: str) -> bool:
        """Send a text by MCData, and wait for its receipt. Raises HarnessError."""
        self._permit("message", name_of(to), 0)
        terminal, before = self._there(), self._journal.position
        reference = await terminal.texts.send(str(to), Payload.of_text(text), wanted=Wanted.DELIVERY)
        try:
            await self._journal.expect(
                self._user.name, "mcdata.disposition", within=RECEIPT_S, after=before, reference=reference
            )
        except ExpectationError:
            return False
        return True

    # Whether it is there

    async def is_there(self, *, within: float) -> bool:
        """Whether the server answers."""
        terminal = self._user.terminal
        return terminal is not None and await terminal.is_there(within=within)

    def give_up(self, why: str) -> None:
        """Take the server for lost, for all groups of this user."""
        self._user.give_up(why)

    def _server_lost(self) -> None:
        self._wanted = self._receives = False
        self._journal.warn(self._line.name, "gateway.lost", why=self._user.lost)

    def _there(self) -> McpttTerminal:
        if self._user.terminal is None:
            raise McpttLocalError(f"{self._line.name} is not registered")
        return self._user.terminal

    # What the floor tells

    def _told(self, event: Event) -> None:
        if event.source != self._user.name or event.data.get("group") != self._group:
            return
        data = event.data
        match event.kind:
            case "floor.taken":
                self._taken(str(data.get("talker") or ""), emergency=bool(data.get("emergency")))
            case "floor.idle":
                self._nobody_talks()
            case "floor.granted":
                self._nobody_talks()
                self._answer(Floor(CALL, Answer.GRANTED))
            case "floor.queued":
                self._answer(Floor(CALL, Answer.QUEUED))
            case "floor.denied":
                self._denied(data.get("cause"))
            case "floor.unanswered":
                self._answer(Floor(CALL, Answer.REFUSED, "the server does not answer"))
            case "floor.revoked":
                self._wanted = False
                self._report("radio.ceased", why=in_words(Revoke, data.get("cause"), "the server took the floor away"))
            case "group_call.up":
                call = self._call
                if call is not None:
                    call.before_close = self.port_closes
                self.port_changed()
            case "group_call.over":
                self._over(f"{data.get('status')} {data.get('reason')}".strip())

    def _taken(self, talker: str, *, emergency: bool) -> None:
        if talker == self._user.id:
            return
        self._receives = True
        named = {"mcptt_id": talker} if talker else {}
        self._report("radio.talker", **named)
        if emergency and named:
            self._report("radio.emergency", **named)

    def _nobody_talks(self) -> None:
        if self._receives:
            self._receives = False
            self._report("radio.ceased")

    def _denied(self, cause: object) -> None:
        gathering = self._now() - self._called_at < GATHERED_S
        if cause == Deny.ONLY_ONE_PARTICIPANT and gathering and self._wanted:
            asyncio.get_running_loop().call_later(ALONE_AGAIN_S, self._press_again)
            return
        self._answer(Floor(CALL, Answer.REFUSED, in_words(Deny, cause, "denied")))

    def _press_again(self) -> None:
        call = self._call
        if self._wanted and call is not None and call.is_up:
            call.press()

    def _over(self, cause: str) -> None:
        self._receives = False
        self._answer(Floor(CALL, Answer.REFUSED, f"the group's call is over: {cause}"))
        self._wanted = False
        self._report("radio.released", cause=cause)
        self.port_changed()

    def _answer(self, floor: Floor) -> None:
        if self._wanted and not self._answers.full():
            self._answers.put_nowait(floor)

    def _report(self, kind: str, **data: Any) -> None:
        self._journal.record(self._line.name, kind, cc=CALL, **data)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _looked_at(done: asyncio.Task[None]) -> None:
    """A call that did not come up is told to who waits for it, if anybody still does."""
    if not done.cancelled():
        done.exception()
