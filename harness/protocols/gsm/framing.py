"""What a modem reads: command lines, and after a prompt the octets of a message; bounded, and echoed as they come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from harness.errors import ModemRemoteError

MAX_LINE: Final = 2_048
"""Bytes of the longest command line or message taken; the PDU of a text has 352 hex digits."""
MAX_AHEAD: Final = 64 * 1024
"""Bytes that may wait while a command is being carried out; what comes beyond is dropped."""
CTRL_Z, ESC = b"\x1a", b"\x1b"
_LINE_END: Final = re.compile(rb"[\r\n]")
_BODY_END: Final = re.compile(rb"[\x1a\x1b]")
_RUBBED: Final = re.compile(rb"[^\x08\x7f][\x08\x7f]")
_SHOWN: Final = 32


@dataclass(frozen=True, slots=True)
class Line:
    """A command line without its end; ``A/`` has none (V.250 section 5.2.4)."""

    text: str


@dataclass(frozen=True, slots=True)
class Body:
    """What followed a prompt; None where ESC gave it up."""

    octets: bytes | None


class ModemInput:
    """Bytes to command lines and message bodies. Call `take` until it gives None."""

    def __init__(self) -> None:
        self._buffer = b""
        self._echoed = 0
        self._skipping = False
        self._body = False
        self.echo = b""
        """What is to be echoed since it was last taken away."""

    @property
    def in_body(self) -> bool:
        """Whether what comes next belongs to a message."""
        return self._body

    def expect_body(self) -> None:
        """A prompt was given."""
        self._body = True
        # The LF of a command's CR LF belongs to no message.
        self._buffer = self._buffer.removeprefix(b"\n")
        self._echoed = 0

    def drop_body(self) -> None:
        """The message is waited for no longer; what has come of it is thrown away."""
        self._body = self._skipping = False
        self._buffer, self._echoed = b"", 0

    def push(self, data: bytes) -> ModemRemoteError | None:
        """Add bytes as they came; gives the named error where they are too many and were dropped."""
        if len(self._buffer) + len(data) > MAX_AHEAD:
            return ModemRemoteError(f"{len(data)} bytes dropped: {MAX_AHEAD} may wait for a command's end")
        self._buffer += data
        return None

    def take(self) -> Line | Body | ModemRemoteError | None:
        """The next whole line or message, or a named error; None when more bytes are needed."""
        while True:
            if not self._body and not self._skipping and self._buffer[:2].upper() == b"A/":
                self._consume(2)
                return Line("A/")
            found = (_BODY_END if self._body else _LINE_END).search(self._buffer)
            if found is None:
                return self._unfinished()
            raw = self._buffer[: found.start()]
            self._consume(found.end())
            if self._skipping:
                self._skipping = False
                if self._body:
                    self._body = False
                    return Body(None)
                continue
            if len(raw) > MAX_LINE:
                self._body = False
                return ModemRemoteError(f"more than {MAX_LINE} bytes, begins {raw[:_SHOWN]!r}")
            if self._body:
                self._body = False
                return Body(None if found.group() == ESC else raw)
            if raw.strip():
                return _line(raw)

    def _consume(self, end: int) -> None:
        self.echo += self._buffer[self._echoed : end]
        self._buffer, self._echoed = self._buffer[end:], 0

    def _unfinished(self) -> ModemRemoteError | None:
        if self._skipping:
            self._buffer, self._echoed = b"", 0
            return None
        self.echo += self._buffer[self._echoed :]
        self._echoed = len(self._buffer)
        if len(self._buffer) <= MAX_LINE:
            return None
        error = ModemRemoteError(f"a line of more than {MAX_LINE} bytes, begins {self._buffer[:_SHOWN]!r}")
        self._buffer, self._echoed, self._skipping = b"", 0, True
        return error


def _line(raw: bytes) -> Line:
    """A line as it was meant: what was rubbed out is gone, ESC and Ctrl-Z outside of a message are passed over."""
    raw = raw.translate(None, CTRL_Z + ESC + b"\x00\x11\x13")
    while (rubbed := _RUBBED.sub(b"", raw, count=1)) != raw:
        raw = rubbed
    return Line(raw.decode("latin-1").strip())
