"""What a terminal equipment learns from its line: replies, late ones, codes of the terminal's own accord, bad lines."""

from __future__ import annotations

from typing import NamedTuple

from harness.errors import PeiRemoteError
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import CmeError, describe
from harness.protocols.pei.fields import Unsolicited

FINAL = frozenset({"OK", "ERROR", "NO CARRIER", "BUSY", "NO DIALTONE", "NO ANSWER"})
NUMBERED_FINAL = ("+CME ERROR", "+CMS ERROR")
"""Final results: a command is answered with one of them (ITU-T V.250)."""
PLAIN_CODES = frozenset({"RING", "CONNECT", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE"})
"""Codes without a plus that terminals also send of their own accord (ITU-T V.250)."""


class Reply(NamedTuple):
    """What a command was answered with."""

    command: str
    lines: tuple[str, ...]
    """Information lines, in order, without the final result."""
    result: str
    """Final result: `OK`, `ERROR`, `+CME ERROR`, `NO CARRIER` …"""
    number: int | None = None
    """Number of a `+CME ERROR` or `+CMS ERROR`."""

    @property
    def ok(self) -> bool:
        """Whether the terminal did as told."""
        return self.result == "OK"

    def told(self) -> str:
        """The result as a tester reads it: `+CME ERROR: 34 (parameter out of range)`."""
        if self.number is None:
            return self.result
        return f"{self.result}: {describe(CmeError, self.number) if self.result == '+CME ERROR' else self.number}"


class ReplyReceived(NamedTuple):
    """A command's reply is whole."""

    token: int
    reply: Reply


class LateReply(NamedTuple):
    """The reply of a command that had been given up."""

    reply: Reply


class CodeReceived(NamedTuple):
    """The terminal sent a code of its own accord."""

    code: Unsolicited
    line: str
    state: CallState | None = None
    """State of the call it is about, after it; None for one that is about no call."""


class BadLine(NamedTuple):
    """Noise, or a line that the PEI does not allow."""

    error: PeiRemoteError


TeEvent = ReplyReceived | LateReply | CodeReceived | BadLine
