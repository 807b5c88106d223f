"""What drives a modem: commands in a queue, their replies, prompts answered, codes of the modem's own accord told.

Theory. One command is on the line at a time; the next goes out when the final result is here. A command that has a
message to it waits for the prompt first. Codes stand anywhere, also between a command and its reply; ``+CMT`` and, in
PDU mode, ``+CDS`` bring the message on the line that follows.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from harness.errors import ModemLocalError, ModemRemoteError
from harness.protocols.gsm.errors import Cme, Cms, words

MAX_WAITING: Final = 64
"""Commands that may wait for the line."""
MAX_LINE: Final = 2_048
"""Bytes of the longest line taken."""
MAX_REPLY: Final = 4_096
"""Lines of one reply; what comes beyond is dropped and told of."""
_ENDS: Final = re.compile(rb"\r|\n")
_CODES: Final = ("+CMTI:", "+CMT:", "+CDSI:", "+CDS:", "+CBM:", "RING", "+CRING:", "+CLIP:", "+CUSD:", "+CREG:")
_ERROR: Final = re.compile(r"\+(CMS|CME) ERROR: *(.*)")
_FAILURES: Final = ("ERROR", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "COMMAND NOT SUPPORT")


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to one command."""

    command: str
    lines: tuple[str, ...]
    """Those before the final result."""
    final: str
    """``OK``, ``ERROR``, ``+CMS ERROR: 304`` …"""

    @property
    def ok(self) -> bool:
        """Whether it was carried out."""
        return self.final == "OK"

    def told(self) -> str:
        """The final result, an error's number with its meaning."""
        found = _ERROR.fullmatch(self.final)
        if found is None or not found.group(2).isdecimal():
            return self.final
        kind: type[Cms | Cme] = Cms if found.group(1) == "CMS" else Cme
        number = int(found.group(2))
        return f"{self.final} ({words(kind(number))})" if number in set(kind) else self.final


@dataclass(frozen=True, slots=True)
class Replied:
    """A command's final result is here."""

    token: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class Told:
    """A code of the modem's own accord."""

    text: str
    following: str | None = None
    """The line with the message, of ``+CMT`` and ``+CDS``."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """What could not be read, or was not asked for."""

    error: ModemRemoteError


Event = Replied | Told | BadLine


@dataclass(slots=True)
class _Command:
    token: int
    text: str
    body: bytes | None
    lines: list[str] = field(default_factory=list)
    prompted: bool = False
    given_up: bool = False


class EquipmentMachine:
    """The equipment's end of one line."""

    def __init__(self) -> None:
        self._waiting: deque[_Command] = deque()
        self._now: _Command | None = None
        self._buffer = b""
        self._skipping = False
        self._output = bytearray()
        self._tokens = 0
        self._code: str | None = None
        """A code whose message is on the line to come."""

    def submit(self, text: str, body: bytes | None = None) -> int:
        """Queue a command line (without its end) and what is typed at its prompt; gives the token of its reply.

        Raises ModemLocalError when MAX_WAITING wait already, or for a line end, Ctrl-Z or ESC in it.
        """
        if any(character in text for character in "\r\n\x1a\x1b") or (body is not None and {0x1A, 0x1B} & {*body}):
            raise ModemLocalError(f"{text[:60]!r}: a line end, Ctrl-Z or ESC can't be part of a command")
        if len(self._waiting) >= MAX_WAITING:
            raise ModemLocalError(f"{MAX_WAITING} commands wait for the line already")
        self._tokens += 1
        self._waiting.append(_Command(self._tokens, text, body))
        self._next()
        return self._tokens

    def give_up(self, token: int) -> None:
        """Wait for a command's result no longer: its prompt is left by ESC, a late result is dropped."""
        now = self._now
        if now is not None and now.token == token:
            now.given_up = True
            if now.body is not None and not now.prompted:
                self._output += b"\x1b"
        self._waiting = deque(each for each in self._waiting if each.token != token)

    def forget(self, token: int) -> None:
        """The late result of a command that was given up did not come either: the line is free."""
        if self._now is not None and self._now.token == token:
            self._now = None
            self._next()

    def take_output(self) -> bytes:
        """The bytes that are due on the line."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def receive(self, data: bytes) -> list[Event]:
        """Bytes came; gives what they tell."""
        events: list[Event] = []
        *whole, self._buffer = _ENDS.split(self._buffer + data)
        for raw in whole:
            if self._skipping:
                self._skipping = False
            elif len(raw) > MAX_LINE:
                events.append(_overlong(raw))
            elif line := raw.decode("latin-1").strip("\x00 \x11\x13"):
                self._line(line, events)
        if len(self._buffer) > MAX_LINE:
            if not self._skipping:
                events.append(_overlong(self._buffer))
            self._buffer, self._skipping = b"", True
        elif not self._skipping and self._buffer.strip(b" \x00") == b">":
            self._prompted()
        return events

    def _prompted(self) -> None:
        now = self._now
        if now is not None and now.body is not None and not now.prompted and not now.given_up:
            now.prompted = True
            self._buffer = b""
            self._output += now.body + b"\x1a"

    def _line(self, line: str, events: list[Event]) -> None:
        now = self._now
        if self._code is not None:
            code, self._code = self._code, None
            events.append(Told(code, line))
        elif now is None:
            self._unasked(line, events)
        elif line == now.text or line.removeprefix(">").strip() == "" or (now.body and _is_echo(line, now.body)):
            pass
        elif line == "OK" or line in _FAILURES or _ERROR.fullmatch(line):
            self._now = None
            if not now.given_up:
                events.append(Replied(now.token, Reply(now.text, tuple(now.lines), line)))
            self._next()
        elif line.startswith(_CODES) and not line.startswith(_answer_of(now.text)):
            self._unasked(line, events)
        elif len(now.lines) < MAX_REPLY:
            now.lines.append(line)
        else:
            events.append(BadLine(ModemRemoteError(f"more than {MAX_REPLY} lines in reply to {now.text[:60]!r}")))

    def _unasked(self, line: str, events: list[Event]) -> None:
        if line.startswith("+CMT:") or re.fullmatch(r"\+CDS: *\d+", line):
            self._code = line
        elif line.startswith(("+", "^", "RING")):
            events.append(Told(line))
        else:
            events.append(BadLine(ModemRemoteError(f"nothing was asked, and this came: {line[:60]!r}")))

    def _next(self) -> None:
        if self._now is None and self._waiting:
            self._now = self._waiting.popleft()
            self._output += self._now.text.encode("latin-1", "replace") + b"\r"


def _overlong(raw: bytes) -> BadLine:
    return BadLine(ModemRemoteError(f"a line of more than {MAX_LINE} bytes, begins {raw[:32]!r}"))


def _answer_of(command: str) -> str:
    """What the lines of a command's own answer begin with; never the end of a code's name."""
    found = re.match(r"AT(\+[A-Z]+)", command.upper())
    return f"{found.group(1)}:" if found else "\x00"


def _is_echo(line: str, body: bytes) -> bool:
    return line.removeprefix(">").strip(" \x1a").encode("latin-1") in body.split(b"\r")
