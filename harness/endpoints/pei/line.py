"""A terminal equipment's line: commands with their replies, codes as they come, waits that end when the line does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from harness.endpoints.pei.events import journalled, reply_journalled
from harness.endpoints.pei.gate import Gate, Permit
from harness.endpoints.pei.sds_events import ssi_of
from harness.errors import PeiLocalError, TransportError
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.replies import BadLine, CodeReceived, Reply, ReplyReceived
from harness.protocols.pei.terminal_equipment import TerminalEquipmentMachine
from harness.protocols.pei.unsolicited import IncomingCall, TransmissionGrant
from harness.protocols.tetra.concatenation import Assembler
from harness.transport.context import Context
from harness.transport.serial_line import SerialLine, open_serial

DEFAULT_BAUD = 9600
"""The lowest of the rates seen in the field [C]: every terminal has it."""
COMMAND_S = 5.0
"""Seconds within which a terminal gives a final result."""
LATE_REPLY_S = 2.0
"""Seconds for which a reply that is overdue is still waited for, before the next command goes out."""
HELD_UP_S = 0.05
"""A timer that goes off later than this was held up: the process had no processor, or was busy."""
NOTHING = "AT"
"""The command that does nothing but be answered (ITU-T V.250)."""
BAD_LINES_JOURNALLED = 200
"""Bad lines journalled one by one on one line; the rest are counted, so that noise does not fill the journal."""
MAX_LISTENERS = 64
"""Waits for a code that may be pending at once."""


class _Waiting(NamedTuple):
    """A command whose final result is waited for."""

    found: asyncio.Future[Reply]
    due: float
    """Loop time by which it must be here."""
    text: str
    within: float


@dataclass(slots=True, eq=False)
class _Listener:
    wanted: Callable[[Unsolicited], bool]
    found: asyncio.Future[Unsolicited]


class PeiLine:
    """One terminal, one line. All waits are bounded; a line that vanishes is an error to whoever waits, no more."""

    def __init__(self, context: Context, name: str, url: str, baud: int, permit: Permit | None) -> None:
        self.name = name
        self.url = url
        self.baud = baud
        self.on_event: Callable[[Unsolicited], None] | None = None
        """Called with each code of the terminal's own accord."""
        self.lost: str | None = None
        """Why the line is gone; None while it is there."""
        self._context = context
        self._gate = Gate(permit)
        self._loop = asyncio.get_running_loop()
        self._machine = TerminalEquipmentMachine()
        self._waiting: dict[int, _Waiting] = {}
        self._watch: asyncio.TimerHandle | None = None
        """Goes off when the first of those that wait may be due: one timer for all, as nearly none runs out."""
        self._watch_at = 0.0
        self._listeners: list[_Listener] = []
        self._ends: dict[int, str] = {}
        """Other end of each call instance: GSSI or ISSI, digits."""
        self._private: set[int] = set()
        """Instances of calls of two."""
        self._talkers: dict[int, str] = {}
        """Who talks in each call instance, digits."""
        self._dialled: str | None = None
        """Whom we dialled, digits, until the call has an instance."""
        self._dialled_private = False
        """Whether that is a call of two."""
        self._group: str | None = None
        """Group that we selected, digits: the end of a group call whose code leaves its called party out."""
        self._set_up_cc: int | None = None
        """Instance of the call that we dialled last."""
        self._assembler = Assembler()
        self._bad_lines = 0
        self._line: SerialLine | None = None

    @classmethod
    async def open(
        cls, context: Context, name: str, url: str, *, baud: int = DEFAULT_BAUD, permit: Permit | None = None
    ) -> Self:
        """Open the line; nothing is sent yet. `permit` is asked before anything leaves that dials, keys or messages.

        Raises TransportError when the line can't be opened.
        """
        equipment = cls(context, name, url, baud, permit)
        await equipment._open()
        return equipment

    async def _open(self) -> None:
        self._line = await open_serial(
            self.url, baud=self.baud, receive=self._receive, lost=self._lost, tap=self._context.tap, name=self.name
        )
        self.lost = None

    async def reopen(self) -> None:
        """Open the line again after it vanished; what the terminal was told before must be told again.

        Raises TransportError when it is still not there.
        """
        if self._line is not None:
            self._line.close()
        self._fail("the line is being opened again")
        self._machine = TerminalEquipmentMachine()
        self._ends.clear()
        self._private.clear()
        self._talkers.clear()
        self._dialled = None
        await self._open()
        self._context.journal.record(self.name, "pei.reopened", url=self.url)

    async def is_there(self, *, within: float) -> bool:
        """Ask the terminal a command that does nothing, and return whether it answered within `within` seconds.

        It is not asked while another command is on the line, which has a time of its own. Where this process itself
        was held up meanwhile, the answer is waited for as long again.
        """
        if self._machine.busy:
            return True
        answer = self._loop.create_task(self._ask(NOTHING, None, COMMAND_S, None))
        try:
            due = self._loop.time() + within
            await asyncio.wait({answer}, timeout=within)
            if not answer.done() and self._loop.time() > due + HELD_UP_S:
                await asyncio.wait({answer}, timeout=within)
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)
        return not answer.cancelled() and answer.exception() is None

    def give_up(self, why: str) -> None:
        """Take the line for lost: its terminal is silent. `reopen` opens it again."""
        if self._line is not None:
            self._line.close()
        self._lost(why)

    def close(self) -> None:
        """Close the line; whoever waits gets PeiLocalError."""
        if self._line is not None:
            self._line.close()
        self.lost = self.lost or "closed"
        if self._bad_lines > BAD_LINES_JOURNALLED:
            self._context.journal.warn(self.name, "pei.bad_lines", lines=self._bad_lines)
            self._bad_lines = 0
        self._fail("the line was closed")

    # -- commands ------------------------------------------------------------------------------------------------

    async def command(
        self, text: str, *, body: str | None = None, within: float = COMMAND_S, about: str | None = None
    ) -> Reply:
        """Send a command line and return its reply.

        `text` is without CR LF; `body` is the hex after an `AT+CMGS`; `within` seconds; `about` names whom an
        `AT+CTSDC` is for, to the permit.

        Raises:
            PeiLocalError: refused by the terminal (with the meaning of its CME error), no final result in time, line
                gone, too many commands waiting.
            InterlockError: not permitted; nothing left.
        """
        reply = await self._ask(text, body, within, about)
        if reply.ok:
            self._gate.taken(text)
            if text.strip().upper() == "ATH":
                self._forget_cleared()
        else:
            raise PeiLocalError(f"{self.name}: {text} was refused: {reply.told()}")
        return reply

    def _end_of(self, cc: int) -> tuple[str, str | None]:
        """What talking in a call is to the permit, and with whom."""
        return "call" if cc in self._private else "key", self._ends.get(cc)

    def _forget_cleared(self) -> None:
        """No code tells the end of a call that we cleared, and its instance is soon another call's."""
        self._dialled = None
        for cc in [cc for cc in self._ends if cc not in self._machine.calls]:
            self._forget_end(cc)

    async def _ask(self, text: str, body: str | None, within: float, about: str | None) -> Reply:
        if self.lost is not None:
            raise PeiLocalError(f"{self.name}: {text}: line {self.url} is gone ({self.lost})")
        self._gate.pass_(text, body, self._end_of, about)
        token = self._machine.submit(text, body)
        found: asyncio.Future[Reply] = self._loop.create_future()
        due = self._loop.time() + within
        self._waiting[token] = _Waiting(found, due, text, within)
        if self._watch is None or due < self._watch_at:
            self._watch_until(due)
        try:
            self._flush()
            return await found
        finally:
            self._waiting.pop(token, None)
            if not found.done() or found.cancelled():
                self._give_up(token)

    def _watch_until(self, due: float) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch_at = due
        self._watch = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        """Give up what is overdue, and watch for the next."""
        self._watch = None
        now = self._loop.time()
        for token, waiting in tuple(self._waiting.items()):
            if waiting.due <= now:
                self._expired(token, waiting)
        if self._waiting:
            self._watch_until(min(waiting.due for waiting in self._waiting.values()))

    def _give_up(self, token: int) -> None:
        self._machine.expire(token)
        self._loop.call_later(LATE_REPLY_S, self._forget_late, self._machine, token)

    def _expired(self, token: int, waiting: _Waiting) -> None:
        del self._waiting[token]
        if not waiting.found.done():
            self._give_up(token)
            why = f"{self.name}: {waiting.text}: no final result within {waiting.within:g} s"
            waiting.found.set_exception(PeiLocalError(why))

    def _forget_late(self, machine: TerminalEquipmentMachine, token: int) -> None:
        machine.forget_late(token)
        if machine is self._machine and self.lost is None:
            self._flush()

    def _flush(self) -> None:
        if self._machine.output and self._line is not None:
            try:
                self._line.write(self._machine.take_output())
            except TransportError as error:
                self._lost(str(error))

    # -- what the line brings ----------------------------------------------------------------------------------------

    def _receive(self, data: bytes) -> None:
        for event in self._machine.receive(data):
            # By type, not by `match`: this is asked of every line that any terminal sends.
            if isinstance(event, CodeReceived):
                self._code(event)
            elif isinstance(event, ReplyReceived):
                waiting = self._waiting.pop(event.token, None)
                if waiting is not None and not waiting.found.done():
                    waiting.found.set_result(event.reply)
                if event.reply.command != NOTHING or not event.reply.ok:  # a watched terminal is asked all the time
                    self._context.journal.append_fact(self.name, reply_journalled(event.reply))
            elif isinstance(event, BadLine):
                self._bad_lines += 1
                if self._bad_lines <= BAD_LINES_JOURNALLED:
                    self._context.journal.warn(self.name, "pei.bad_line", why=str(event.error))
            else:
                late = event.reply
                self._context.journal.warn(self.name, "pei.late_reply", command=late.command, reply=late.told())
        if self._machine.output:
            self._flush()

    def _code(self, seen: CodeReceived) -> None:
        code, state = seen.code, seen.state
        cc: Any = getattr(code, "cc", None)
        end = None
        if isinstance(cc, int):
            if isinstance(code, IncomingCall):
                # Trailing fields may be missing: one that names the called party without saying how is a group's.
                is_single = code.comms == 0 or (code.called is None and code.comms is None)
                (self._private.add if is_single else self._private.discard)(cc)
                self._ends[cc] = _digits((code.calling if is_single else code.called or self._group) or "")
            elif cc not in self._ends and self._dialled is not None and state is not CallState.IDLE:
                # The first code of a call that we dialled tells its instance.
                self._ends[cc], self._dialled, self._set_up_cc = self._dialled, None, cc
                if self._dialled_private:
                    self._private.add(cc)
            elif isinstance(code, TransmissionGrant) and code.talker is not None:
                self._talkers[cc] = code.talker
            end = self._ends.get(cc) or None
        self._context.journal.append_fact(self.name, journalled(seen, end, self._assembler))
        if self._listeners:
            for listener in tuple(self._listeners):
                if not listener.found.done() and listener.wanted(code):
                    listener.found.set_result(code)
        if isinstance(cc, int) and state is CallState.IDLE:
            self._forget_end(cc)
        if self.on_event is not None:
            self.on_event(code)

    def _forget_end(self, cc: int) -> None:
        self._ends.pop(cc, None)
        self._talkers.pop(cc, None)
        self._private.discard(cc)

    def _lost(self, why: str) -> None:
        if self.lost is None:
            self.lost = why
            self._context.journal.warn(self.name, "pei.lost", url=self.url, why=why)
        self._fail(f"the line is gone: {why}")

    def _fail(self, why: str) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            if not each.found.done():
                each.found.set_exception(PeiLocalError(f"{self.name}: {why}"))
        for listener in self._listeners:
            if not listener.found.done():
                listener.found.set_exception(PeiLocalError(f"{self.name}: {why}"))

    def _listen(self, wanted: Callable[[Unsolicited], bool]) -> _Listener:
        """Begins to wait for a code; must be called before the command that brings it about."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise PeiLocalError(f"{self.name}: {MAX_LISTENERS} waits are pending already")
        listener = _Listener(wanted, self._loop.create_future())
        self._listeners.append(listener)
        return listener

    def _unlisten(self, listener: _Listener) -> None:
        self._listeners.remove(listener)
        if not listener.found.cancel() and not listener.found.cancelled():
            listener.found.exception()  # looked at: an error nobody waited for any more is no news

    async def _heard(self, listener: _Listener, within: float, what: str) -> Unsolicited:
        try:
            async with asyncio.timeout(within):
                return await listener.found
        except TimeoutError:
            raise PeiLocalError(f"{self.name}: no {what} within {within:g} s") from None


def _digits(identity: str) -> str:
    """The SSI of an identity, in digits; the text itself where it holds none."""
    ssi = ssi_of(identity)
    return identity if ssi is None else str(ssi)
