"""Why an MCPTT call is refused: the texts of a Warning header, each with its number (3GPP TS 24.379, clause 4.4).

The numbers are those that public implementations give; the table is in part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.protocols.sip.message import Message

WARN_CODE: Final = 399
"""Miscellaneous warning (RFC 3261 section 20.43): all of MCPTT's."""
NO_PRIVATE_CALLS: Final = 107
DECLINED: Final = 110
NO_SUCH_GROUP: Final = 113
NO_MEMBER: Final = 116
FULL: Final = 122
TOO_MANY_PRIVATE_CALLS: Final = 124
NOT_TO_BE_CALLED: Final = 127
NOT_THIS_USER: Final = 144
WHO_IS_CALLED: Final = 145
TEXTS: Final[Mapping[int, str]] = {
    NO_PRIVATE_CALLS: "user not authorised to make private calls",
    DECLINED: "user declined the call invitation",
    NO_SUCH_GROUP: "group document does not exist",
    NO_MEMBER: "user is not part of the MCPTT group",
    FULL: "too many participants",
    TOO_MANY_PRIVATE_CALLS: "maximum number of private calls reached",
    NOT_TO_BE_CALLED: "user not authorised to be called in private call",
    NOT_THIS_USER: "user not authorised to call this particular user",
    WHO_IS_CALLED: "unable to determine called party",
}
MAX_TEXT: Final = 200
"""Characters of a text that are read."""
_WARNING: Final = re.compile(r'\s*(\d{3})\s+\S{1,255}\s+"((?:[^"\\]|\\.){0,1000})"')
_NUMBERED: Final = re.compile(r"(\d{3})\s+(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Why:
    """What a Warning says."""

    number: int | None
    """Of the text, in TEXTS or beyond; None where it has none."""
    text: str

    def __str__(self) -> str:
        return self.text if self.number is None else f"{self.number} {self.text}"


def why(number: int) -> Why:
    """One of TEXTS."""
    return Why(number, TEXTS[number])


def header(agent: str, reason: object) -> tuple[str, str]:
    """The Warning header. ``agent``: the host that warns; ``reason``: its text, numbered or not."""
    text = str(reason).replace("\\", "\\\\").replace('"', '\\"')
    return "Warning", f'{WARN_CODE} {agent} "{text}"'


def read_why(message: Message | None) -> Why | None:
    """The first Warning of a message's that can be read; None where there is none."""
    for line in message.lines("warning") if message is not None else ():
        found = _WARNING.match(line)
        if found is not None:
            text = re.sub(r"\\(.)", r"\1", found[2])[:MAX_TEXT]
            numbered = _NUMBERED.match(text)
            return Why(None, text) if numbered is None else Why(int(numbered[1]), numbered[2])
    return None
