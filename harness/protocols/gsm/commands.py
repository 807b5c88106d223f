"""AT command lines (ITU-T V.250 section 5, 3GPP TS 27.007 section 4): several commands on one, parameters, quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from harness.protocols.gsm.errors import Cme, RefusedError

MAX_COMMANDS: Final = 40
"""Commands on one line."""
MAX_PARAMETERS: Final = 32


class Op(Enum):
    """What is asked of a command."""

    DO = "do"
    """``AT+CMGL``, ``ATE0``."""
    SET = "set"
    """``AT+CMGF=0``."""
    READ = "read"
    """``AT+CMGF?``."""
    TEST = "test"
    """``AT+CMGF=?``."""


@dataclass(frozen=True, slots=True)
class AtCommand:
    """One command of a line."""

    name: str
    """Upper case: ``+CMGF``, ``E``, ``&F``, ``S3``."""
    op: Op
    text: str = ""
    """What follows ``=``, or the digits after a basic command."""

    @property
    def parameters(self) -> list[str]:
        """The parameters, quotes taken off; empty ones are ''. Raises RefusedError for a quote that does not end."""
        return split(self.text) if self.text else []

    def number(self, at: int, default: int | None = None) -> int:
        """The parameter at ``at`` as a number. Raises RefusedError where it is none, or is missing with no default."""
        texts = self.parameters
        text = texts[at].strip() if at < len(texts) else ""
        if not text and default is not None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise RefusedError(
                Cme.INCORRECT_PARAMETERS, f"AT{self.name}: parameter {at + 1} {text[:40]!r} is no number"
            )
        return int(text)

    def string(self, at: int, default: str | None = None) -> str:
        """The parameter at ``at`` without quotes. Raises RefusedError where it is missing with no default."""
        texts = self.parameters
        if at < len(texts) and texts[at]:
            return texts[at]
        if default is None:
            raise RefusedError(Cme.INCORRECT_PARAMETERS, f"AT{self.name}: parameter {at + 1} is missing")
        return default


_EXTENDED: Final = re.compile(r"[+$^%*#][A-Za-z][A-Za-z0-9!%\-./:_]*")
_BASIC: Final = re.compile(r"(&?[A-Za-z])(\d*)")
_S: Final = re.compile(r"[Ss](\d{1,3})(?:(\?)|=(\d{0,3}))")


_PREFIX: Final = re.compile("AT", re.IGNORECASE)
_QUOTED_OR_SPACES: Final = re.compile(r'("[^"]*"?)| +')


def command_line(text: str) -> str | None:
    """A line from its prefix on, without spaces (V.250 section 5.2.1: they count in quotes only); None: it has none."""
    found = _PREFIX.search(text)
    return None if found is None else _QUOTED_OR_SPACES.sub(lambda each: each[1] or "", text[found.start() :])


def parse(text: str) -> list[AtCommand]:
    """The commands of a `command_line`, in order; ``AT`` alone has none. Raises RefusedError."""
    commands: list[AtCommand] = []
    at = 2
    while at < len(text):
        if text[at] == ";":
            at += 1
            continue
        command, at = _one(text, at)
        commands.append(command)
        if len(commands) > MAX_COMMANDS:
            raise RefusedError(None, f"more than {MAX_COMMANDS} commands on a line")
    return commands


def _one(text: str, at: int) -> tuple[AtCommand, int]:
    if found := _EXTENDED.match(text, at):
        name, end = found.group().upper(), _end(text, found.end())
        rest = text[found.end() : end]
        if rest == "?":
            return AtCommand(name, Op.READ), end
        if rest == "=?":
            return AtCommand(name, Op.TEST), end
        if rest.startswith("="):
            return AtCommand(name, Op.SET, rest[1:]), end
        if rest:
            raise RefusedError(None, f"not a command: {text[at : at + 60]!r}")
        return AtCommand(name, Op.DO), end
    if text[at] in "Dd":
        return AtCommand("D", Op.DO, text[at + 1 :]), len(text)
    if found := _S.match(text, at):
        register, read, value = found.groups()
        return AtCommand(f"S{int(register)}", Op.READ if read else Op.SET, value or ""), found.end()
    if found := _BASIC.match(text, at):
        return AtCommand(found.group(1).upper(), Op.DO, found.group(2)), found.end()
    raise RefusedError(None, f"not a command: {text[at : at + 60]!r}")


def _end(text: str, at: int) -> int:
    """Where a command ends: at the line's end, or a semicolon that is in no quotes."""
    quoted = False
    while at < len(text) and (quoted or text[at] != ";"):
        quoted ^= text[at] == '"'
        at += 1
    return at


def split(text: str) -> list[str]:
    """Parameters between commas that are in no quotes, quotes taken off. Raises RefusedError."""
    parameters, piece, quoted = [], "", False
    for character in text:
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parameters.append(piece.strip())
            piece = ""
        else:
            piece += character
    if quoted:
        raise RefusedError(None, f"a quote that does not end, of {len(text)} characters")
    if len(parameters) >= MAX_PARAMETERS:
        raise RefusedError(Cme.INCORRECT_PARAMETERS, f"more than {MAX_PARAMETERS} parameters")
    return [*parameters, piece.strip()]
