"""Where a PEI line ends, in both directions: liberal in what it takes, bounded in what it keeps.

A terminal (MT) frames a reply as CR LF text CR LF; real ones also send LF alone, echo the command, and put the hex of
an incoming SDS on the line after its `+CTSDSR`. A terminal equipment (TE) ends a command with CR LF (CR or LF alone is
taken too) and the hex after `AT+CMGS` with Ctrl-Z, or gives it up with ESC. Anything else is noise: it is reported
once, by a named error, and the splitter starts afresh after the next line end. XON and XOFF, which a line with software
flow control lets through, are taken out wherever they stand, and told of once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from harness.errors import PeiRemoteError

MAX_LINE = 1024
"""Longest line taken, bytes. An SDS type 4 has 2047 bits, which are 512 hex digits."""
AGAIN = b"A/"
"""Repeats the line before, and has no end of its own (V.250 section 5.2.4)."""
CTRL_Z = 0x1A
ESC = 0x1B
_FLOW_CONTROL = b"\x11\x13"
_ENDS = re.compile(rb"[\r\n\x1a]")
_COMMAND_ENDS = re.compile(rb"[\r\n\x1a\x1b]")
_BODY_ENDS = re.compile(rb"[\x1a\x1b]")
_NOISE = re.compile(rb"[^\t\x20-\x7e\xa0-\xff]")
"""Anything but printable ISO 8859-1, in which phone book names are written."""
_SHOWN = 32
LINES_KEPT = 4_096
"""Lines whose splitting is kept: `OK`, and what a network tells all of a talkgroup in the same words."""
_ONE_LINE = re.compile(rb"\r\n([\x21-\x3d\x3f-\x7e][\x20-\x7e]{0,254}[\x21-\x7e])\r\n")
"""What nearly all comes as: one line, framed, without a prompt, noise or flow control."""


@lru_cache(maxsize=LINES_KEPT)
def _one_line(data: bytes) -> str | None:
    """The line that ``data`` is when it is nothing else."""
    found = _ONE_LINE.fullmatch(data)
    return None if found is None else found[1].decode("ascii")


_ONE_COMMAND = re.compile(rb"([\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?)\r\n")


@lru_cache(maxsize=LINES_KEPT)
def _one_command(data: bytes) -> str | None:
    """The command line that ``data`` is when it is nothing else."""
    found = _ONE_COMMAND.fullmatch(data)
    return None if found is None else found[1].decode("ascii")


@dataclass(frozen=True, slots=True)
class Body:
    """The hex that followed an `AT+CMGS`; None where ESC gave it up."""

    text: str | None


class _Splitter:
    """Bytes to lines, for one direction; keeps at most MAX_LINE bytes."""

    def __init__(self) -> None:
        self._buffer = b""
        self._skipping = False
        """A line was too long: its rest is thrown away up to the next line end."""
        self._flow_control: PeiRemoteError | None = None
        self._flow_control_told = False

    def take_flow_control(self) -> PeiRemoteError | None:
        """The finding that there is XON or XOFF on the line; given once, None otherwise."""
        found, self._flow_control = self._flow_control, None
        return found

    def _without_flow_control(self, data: bytes) -> bytes:
        clean = data.translate(None, _FLOW_CONTROL)
        if len(clean) < len(data) and not self._flow_control_told:
            self._flow_control_told = True
            self._flow_control = PeiRemoteError(f"XON or XOFF on the line, taken out: {data[:_SHOWN]!r}")
        return clean

    def _overlong(self) -> PeiRemoteError:
        error = PeiRemoteError(f"line of more than {MAX_LINE} bytes, begins {self._buffer[:_SHOWN]!r}")
        self._buffer = b""
        self._skipping = True
        return error

    @staticmethod
    def _text(raw: bytes) -> str | PeiRemoteError:
        if _NOISE.search(raw):
            return PeiRemoteError(f"line noise: {raw[:_SHOWN]!r}")
        return raw.decode("latin-1").strip()


class ReplyLines(_Splitter):
    """What a TE receives: lines without their ends; empty ones and prompts are dropped."""

    def feed(self, data: bytes) -> list[str | PeiRemoteError]:
        """Takes bytes as they come; gives the lines that are whole, and a named error for each that can't be one."""
        if not self._buffer and not self._skipping and (line := _one_line(data)) is not None:
            return [line]
        data = self._without_flow_control(data)
        items: list[str | PeiRemoteError] = []
        *whole, rest = _ENDS.split(self._buffer + data)
        for raw in whole:
            if self._skipping:
                self._skipping = False
            elif len(raw) > MAX_LINE:
                items.append(PeiRemoteError(f"line of more than {MAX_LINE} bytes, begins {raw[:_SHOWN]!r}"))
            elif raw:
                text = self._text(raw)
                if isinstance(text, str):
                    text = text.removeprefix(">").lstrip()
                if text:
                    items.append(text)
        self._buffer = b"" if self._skipping else rest
        if len(self._buffer) > MAX_LINE:
            items.append(self._overlong())
        return items


class CommandLines(_Splitter):
    """What an MT receives: command lines, and the hex body after each line that asks for one."""

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        """How far the buffer is read."""
        self._body = False
        self._whole: str | None = None
        """The command line that was pushed by itself, until it is taken."""

    def expect_body(self) -> None:
        """The line just taken was an `AT+CMGS`: what follows up to Ctrl-Z or ESC is its body, line ends included."""
        self._body = True

    @property
    def in_body(self) -> bool:
        """Whether what comes next is, or is still, a body."""
        return self._body

    def drop_body(self) -> None:
        """The body is not waited for any longer; what has come of it is thrown away."""
        self._body = self._skipping = False
        self._buffer, self._at = b"", 0

    def push(self, data: bytes) -> None:
        """Adds bytes as they came. Call `take` until it gives None after each push: that is what bounds the buffer."""
        self._buffer = self._buffer[self._at :]
        self._at = 0
        if not self._buffer and not self._body and not self._skipping:
            self._whole = _one_command(data)
            if self._whole is not None:
                return
        self._buffer += self._without_flow_control(data)

    def take(self) -> str | Body | PeiRemoteError | None:
        """The next whole line, body or named error; None when more bytes are needed."""
        if self._whole is not None:
            whole, self._whole = self._whole, None
            return whole
        if self._at == len(self._buffer):
            return None
        while True:
            if not self._body and not self._skipping and self._buffer[self._at : self._at + 2].upper() == AGAIN:
                self._at += 2
                return AGAIN.decode()
            ends = _BODY_ENDS if self._body else _COMMAND_ENDS
            found = ends.search(self._buffer, self._at)
            if found is None:
                self._buffer = b"" if self._skipping else self._buffer[self._at :]
                self._at = 0
                return self._overlong() if len(self._buffer) > MAX_LINE else None
            raw = self._buffer[self._at : found.start()]
            self._at = found.end()
            in_body, self._body = self._body, False
            skipped, self._skipping = self._skipping, False
            if skipped and in_body:
                return Body(None)
            if skipped:
                continue
            if len(raw) > MAX_LINE:
                return PeiRemoteError(f"line of more than {MAX_LINE} bytes, begins {raw[:_SHOWN]!r}")
            if in_body:
                return Body(None if found.group()[0] == ESC else b"".join(raw.split()).decode("latin-1"))
            if found.group()[0] == ESC:
                continue
            if raw.strip():
                return self._text(raw)
