"""What a log holds of a serial line: the line without the time stamp, direction and quotes that a log puts round it."""

from __future__ import annotations

import re

_LEAD = re.compile(
    r"""^(?:
        \[[^\]]{0,40}\] | (?=[\d.,T]{0,20}[:/-])\d[\d:.,/T-]{4,30}Z? | [<>]{1,3} | <?-{1,2}>? | ={1,2}>
        | (?:TX|RX|TE|MT|DTE|DCE|SENT|RECV|SEND|RECEIVED|OUT|IN)\s*[:>]? | :
    )(?=[\s<>:\[]|$|AT|\+)\s*""",
    re.VERBOSE | re.IGNORECASE,
)
"""What logs put before a line: time stamps, directions."""
_WRITTEN_ENDS = re.compile(r"^(?:\\[rn]|<(?:CR|LF)>)+|(?:\\[rn]|<(?:CR|LF)>)+$", re.IGNORECASE)
"""Line ends as some logs write them out."""
_QUOTED = re.compile(r"""b?(['"])(.*)\1""")
"""A line as Python and others quote it."""
_AFTER_ANY_LEAD = re.compile(r"""(?:^|.{0,120}?[\s\]>:|'"])((?:\+[A-Za-z][A-Za-z ]{2,11}:|AT[+&A-Z]).*)""")
"""What stands after a lead that is none of those, such as a system log's."""


def bare(row: str) -> str:
    """A line of a log without the time stamp and direction before it."""
    line = _unquoted(row)
    for _ in range(4):
        if line[:2].upper() == "AT" or line.startswith("+"):
            break
        shorter = _unquoted(_LEAD.sub("", line, count=1))
        if shorter == line or not shorter:
            break
        line = shorter
    found = None if line[:1] == "+" else _AFTER_ANY_LEAD.fullmatch(line)
    return line if found is None else _unquoted(found[1])


def _unquoted(line: str) -> str:
    quoted = _QUOTED.fullmatch(line)
    return _WRITTEN_ENDS.sub("", line if quoted is None else quoted[2]).strip()
