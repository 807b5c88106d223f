"""The terminal equipment's side of the PEI, sans-I/O: one command at a time, and the codes that interleave.

Theory. At most one command is on the line; others wait in a bounded queue. What comes back is sorted by prefix, never
by "the next line": a line is part of the reply only if it begins with the prefix the command answers with (`AT+CTGS?`
with `+CTGS`), or has no prefix and the command is one of those that answer in plain text. The first final result ends
the reply. All other `+NAME` lines are codes of the terminal's own accord, wherever they come.

A command whose time is up is given up, but its reply may still come, and must not be taken for the next command's: the
line stays closed to commands until the late final result is there, or the caller waits no longer (`forget_late`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from harness.errors import PeiLocalError, PeiRemoteError
from harness.protocols.pei import call_state
from harness.protocols.pei.call_state import COMMANDS, CallState, Input
from harness.protocols.pei.codes import ReleaseCause
from harness.protocols.pei.commands import Basic, Command, CommandRefusedError, Dial, KeyTransmit, Unkey, parse_command
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.framing import LINES_KEPT, MAX_LINE, ReplyLines
from harness.protocols.pei.replies import (
    FINAL,
    NUMBERED_FINAL,
    PLAIN_CODES,
    BadLine,
    CodeReceived,
    LateReply,
    Reply,
    ReplyReceived,
    TeEvent,
)
from harness.protocols.pei.sds_code import SdsReceived
from harness.protocols.pei.unsolicited import (
    CallReleased,
    OtherCode,
    SendResult,
    is_sds_head,
    parse_unsolicited,
    prefix_of,
)

MAX_QUEUED = 32
"""Commands that may wait for the one on the line."""
MAX_REPLY_LINES = 512
"""Lines of one reply; a phone book is the longest."""
MAX_CALLS = 32
"""Call instances tracked at once; a terminal has a handful."""
MAX_KINDS = 256
"""Command lines whose kind is remembered."""
MAX_SENDS = 64
"""SDS instances whose result may be due at once."""

_PLAIN_REPLIES = ("ATI", "AT+GM", "AT+CGM", "AT+GSN", "AT+CGSN")
"""Commands that answer with lines that have no prefix [U]: V.250 allows it, real terminals differ."""


class _Kind(NamedTuple):
    """What is known of a command line before it goes out."""

    prefix: str | None
    """What its information lines begin with."""
    plain: bool
    """Whether it may be answered by lines that have no prefix."""
    parsed: Command | None


@dataclass(slots=True)
class _Pending:
    token: int
    text: str
    body: str | None
    kind: _Kind
    lines: list[str]
    given_up: bool = False


class _Said(NamedTuple):
    """What a line says by itself, whatever the command on the line and the calls."""

    result: str | None
    """The final result that it is to a command."""
    number: int | None
    """Of a numbered one."""
    prefix: str | None
    code: Unsolicited | None
    """None where it is none that can be read in full by itself: it is read with its hex, or field by field."""
    moves: tuple[int, Input] | None
    """Call and input of the code."""


@lru_cache(maxsize=LINES_KEPT)
def _said(line: str) -> _Said:
    result, number = (line, None) if line in FINAL else _numbered(line)
    prefix = prefix_of(line)
    try:
        code = None if prefix == SdsReceived.PREFIX else parse_unsolicited(line)
    except PeiRemoteError:
        code = None
    return _Said(result, number, prefix, code, None if code is None else call_state.input_of_code(code))


def _numbered(line: str) -> tuple[str | None, int | None]:
    if not line.upper().startswith(NUMBERED_FINAL):
        return None, None
    name, _, number = line.partition(":")
    digits = number.strip()
    known = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else None
    return name.upper().strip(), known


def _expected_prefix(text: str) -> str | None:
    """The `+NAME` that the information lines of a command begin with.

    A command that sets something and has no reply line of its own must not swallow codes: only reads, tests and
    executions (`AT+CSQ`) have one, and `AT+CMGS`.
    """
    upper = text.upper()
    if not upper.startswith("AT+"):
        return None
    name, mark, rest = upper[2:].partition("=")
    if mark and rest != "?" and name != SendResult.PREFIX:
        # A phone book is read by =0,<from>,<to>.
        return name if name in ("+CNUMS", "+CNUMD") and rest.startswith("0") else None
    return name.rstrip("?")


def _kind_of(text: str) -> _Kind:
    try:
        parsed = parse_command(text) if text[:3].upper() not in ("AT", "AT+") or "=" in text else None
    except CommandRefusedError:
        parsed = None  # a tester may send what no decent client sends
    prefix = _expected_prefix(text)
    # What is read or tested may be answered without its name: a phone book's entries are, on some terminals.
    plain = text.upper().startswith(_PLAIN_REPLIES) or prefix not in (None, SendResult.PREFIX)
    return _Kind(prefix, plain, parsed)


class TerminalEquipmentMachine:
    """Bytes from the terminal in, events out; commands in, bytes to the terminal out.

    `output` holds what is to be written; where there is any after a call, take it by `take_output`.
    """

    def __init__(self) -> None:
        self._lines = ReplyLines()
        self._kinds: dict[str, _Kind] = {}
        """Of command lines sent before, at most MAX_KINDS: most are sent again and again."""
        self._queue: deque[_Pending] = deque()
        self._current: _Pending | None = None
        self.output: list[bytes] = []
        self._token = 0
        self._sds_head: str | None = None
        self._sends: dict[int, None] = {}
        """SDS instances whose result is still due."""
        self.calls: dict[int, CallState] = {}
        """State of every call instance that is not idle."""
        self.dialling = False
        """An `ATD` was sent and its call instance is not known yet."""

    def take_output(self) -> bytes:
        """The bytes to write now; may be empty."""
        data = b"".join(self.output)
        self.output.clear()
        return data

    @property
    def busy(self) -> bool:
        """Whether a command is on the line (or a late reply is waited for)."""
        return self._current is not None

    # -- commands ------------------------------------------------------------------------------------------------

    def submit(self, text: str, body: str | None = None) -> int:
        """Queues a command line (without CR LF), with the hex that follows an `AT+CMGS`; gives its token.

        Raises:
            PeiLocalError: line ends or control characters inside, too long, queue full, body that is not hex, or a
                command that the call's state does not allow.
        """
        text = text.strip()
        kind = self._kinds.get(text)
        if kind is None:
            if not text.isprintable() or not text.isascii() or len(text) > MAX_LINE:
                raise PeiLocalError(f"not one command line: {text[:60]!r}")
            if len(self._kinds) >= MAX_KINDS:
                self._kinds.clear()
            kind = self._kinds[text] = _kind_of(text)
        if body is not None and (len(body) > MAX_LINE or any(c not in "0123456789ABCDEFabcdef" for c in body)):
            raise PeiLocalError(f"the body of {text!r} is not hex of at most {MAX_LINE} digits")
        if len(self._queue) >= MAX_QUEUED:
            raise PeiLocalError(f"{MAX_QUEUED} commands wait already; {text!r} refused")
        self._token += 1
        pending = _Pending(self._token, text, body, kind, [])
        if self._current is None:
            self._start(pending)
        else:
            self._queue.append(pending)
        return pending.token

    def _start(self, pending: _Pending) -> None:
        self._current = pending
        if pending.kind.parsed is not None:
            self._sent(pending.kind.parsed)
        data = pending.text + "\r\n" if pending.body is None else f"{pending.text}\r\n{pending.body}\x1a"
        self.output.append(data.encode("ascii"))

    def may(self, command: Command) -> None:
        """Checks a command about a call against the call's state.

        Raises:
            PeiLocalError: the state does not allow it.
        """
        given = call_state.input_of_command(command)
        if not isinstance(command, KeyTransmit | Unkey) or given is None:
            return
        state = self.calls.get(command.cc, CallState.IDLE)
        if call_state.following(state, given) is None:
            raise PeiLocalError(f"{command.line()} is not allowed: call {command.cc} is {state.value}")

    def forget(self, cc: int) -> None:
        """The terminal knows of no such call, whatever it told before."""
        self.calls.pop(cc, None)

    def expire(self, token: int) -> None:
        """A command's time is up: it leaves the queue, or, on the line already, waits for its late reply."""
        if self._current is not None and self._current.token == token:
            self._current.given_up = True
            return
        self._queue = deque(pending for pending in self._queue if pending.token != token)

    def forget_late(self, token: int) -> None:
        """The late reply of a given-up command is not waited for any longer: the line is open to the next."""
        if self._current is not None and self._current.token == token and self._current.given_up:
            self._next()

    def _next(self) -> None:
        self._current = None
        if self._queue:
            self._start(self._queue.popleft())

    # -- what comes from the terminal --------------------------------------------------------------------------------

    def receive(self, data: bytes) -> list[TeEvent]:
        """Takes bytes as they come and gives what they mean; never raises."""
        events: list[TeEvent] = []
        for item in self._lines.feed(data):
            if isinstance(item, str):
                self._line(item, events)
            else:
                self._drop_sds_head(events)
                events.append(BadLine(item))
        stray = self._lines.take_flow_control()
        if stray is not None:
            events.append(BadLine(stray))
        return events

    def _drop_sds_head(self, events: list[TeEvent]) -> None:
        if self._sds_head is not None:
            events.append(BadLine(PeiRemoteError(f"no line of hex after {self._sds_head[:60]!r}")))
            self._sds_head = None

    def _line(self, line: str, events: list[TeEvent]) -> None:
        if self._sds_head is not None and self._is_its_hex(line, events):
            return
        said = _said(line)
        current = self._current
        if current is not None:
            if said.result is not None:
                self._finish(current, said.result, said.number, events)
                return
            if line in (current.text, current.body):  # its echo
                return
        if not line.startswith("+"):
            if current is not None and current.kind.plain:
                self._information(current, line, events)
            elif line in PLAIN_CODES:
                events.append(CodeReceived(OtherCode(line, ()), line))
            else:
                events.append(BadLine(PeiRemoteError(f"a line that belongs to nothing: {line[:60]!r}")))
            return
        prefix = said.prefix
        if prefix == SdsReceived.PREFIX and is_sds_head(line):
            self._sds_head = line
            return
        if current is not None and prefix is not None and prefix == current.kind.prefix:
            if prefix != SendResult.PREFIX:
                self._information(current, line, events)
                return
            if self._is_own_send(line, current, events):
                return
        self._code(line, events)

    def _is_its_hex(self, line: str, events: list[TeEvent]) -> bool:
        """Whether a line is the hex that is due, and was taken; if not, the message is given up."""
        head = self._sds_head
        if head is None or line.startswith("+") or line in FINAL:
            self._drop_sds_head(events)
            return False
        self._sds_head = None
        self._code(head, events, line)
        return True

    def _information(self, current: _Pending, line: str, events: list[TeEvent]) -> None:
        if len(current.lines) >= MAX_REPLY_LINES:
            events.append(BadLine(PeiRemoteError(f"reply to {current.text!r} has more than {MAX_REPLY_LINES} lines")))
            return
        current.lines.append(line)

    def _is_own_send(self, line: str, current: _Pending, events: list[TeEvent]) -> bool:
        """Whether a `+CMGS` inside the reply to an `AT+CMGS` is that reply's, not an earlier message's late result."""
        try:
            code = parse_unsolicited(line)
        except PeiRemoteError as error:
            events.append(BadLine(error))
            return True
        if not isinstance(code, SendResult) or current.lines or code.instance in self._sends:
            return False
        self._information(current, line, events)
        if code.status is not None:
            events.append(CodeReceived(code, line))
            return True
        self._sends[code.instance] = None
        while len(self._sends) > MAX_SENDS:
            self._sends.pop(next(iter(self._sends)))
        return True

    def _finish(self, current: _Pending, result: str, number: int | None, events: list[TeEvent]) -> None:
        reply = Reply(current.text, tuple(current.lines), result, number)
        if current.kind.parsed is not None:
            self._answered(current.kind.parsed, reply.ok)
        events.append(LateReply(reply) if current.given_up else ReplyReceived(current.token, reply))
        self._next()

    def _sent(self, command: Command) -> None:
        """Moves the call by a command that goes out: the network's code can be back before the terminal's OK."""
        if isinstance(command, Dial):
            self.dialling = True
        elif isinstance(command, KeyTransmit | Unkey):
            given = call_state.input_of_command(command)
            if given is not None:
                self._move(command.cc, given)

    def _answered(self, command: Command, ok: bool) -> None:
        """A refused command did not move the call after all; `ATA` and `ATH` move what they can once they are taken."""
        if isinstance(command, Dial):
            self.dialling = self.dialling and ok
        elif isinstance(command, KeyTransmit) and not ok:
            self._move(command.cc, Input.NOT_GRANTED)
        elif isinstance(command, Basic) and ok:
            given = call_state.input_of_command(command)
            if given is None:
                return
            self.dialling = self.dialling and given is not Input.HANG_UP
            for cc in tuple(self.calls):
                self._move(cc, given)

    def _move(self, cc: int, given: Input) -> bool:
        state = self.calls.get(cc, CallState.IDLE)
        following = call_state.following(state, given)
        if following is None and state is CallState.IDLE and given not in COMMANDS and self.dialling:
            # The first code of a call that we dialled tells its instance.
            following = call_state.following(CallState.ORIGINATING, given)
            self.dialling = False
        if following is None:
            return False
        if following is CallState.IDLE:
            self.calls.pop(cc, None)
            self.dialling = self.dialling and state is not CallState.IDLE
        elif cc in self.calls or len(self.calls) < MAX_CALLS:
            self.calls[cc] = following
        return True

    def _code(self, line: str, events: list[TeEvent], hex_line: str | None = None) -> None:
        said = _said(line)
        code, moved = said.code, said.moves
        if code is None or hex_line is not None:
            odd: list[PeiRemoteError] = []
            try:
                code = parse_unsolicited(line, hex_line, odd)
            except PeiRemoteError as error:
                events.append(BadLine(error))
                return
            events.extend(map(BadLine, odd))
            moved = call_state.input_of_code(code)
        if moved is None:
            if isinstance(code, SendResult) and code.status is not None:
                self._sends.pop(code.instance, None)
            events.append(CodeReceived(code, line))
            return
        cc, given = moved
        # A call of before this line was opened is left by the terminal for the one that it dials: the end of no call
        # of ours, and of our dialling least of all.
        is_left = self.dialling and isinstance(code, CallReleased) and code.cause == ReleaseCause.USER
        if is_left and cc not in self.calls:
            events.append(CodeReceived(code, line, CallState.IDLE))
            return
        taken = self._move(cc, given)
        state = self.calls.get(cc, CallState.IDLE)
        if not taken:
            events.append(BadLine(PeiRemoteError(f"{line[:60]!r} while call {cc} is {state.value}")))
        events.append(CodeReceived(code, line, state))
