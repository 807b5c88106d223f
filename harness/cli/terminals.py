"""Terminals of a run: the one from which it was started and the one on which it is shown, told to its children.

Children lead sessions of their own, so that Ctrl-C comes to the run alone; such a session has no ``/dev/tty``, and a
tester who is asked at the run's terminal has to be found by its own name.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from rich.console import Console

from harness.evidence.progress import TERMINAL_VARIABLE, VIEW_VARIABLE

_TTY_NR: Final = 4
"""Place of the controlling terminal's number in ``/proc/self/stat``, counted after the command's name (proc(5))."""
_TERMINALS: Final = ("pts/*", "tty[0-9]*", "ttyS*", "ttyUSB*", "console")


def terminals(console: Console) -> dict[str, str]:
    """The variables that name the run's terminals; none for what there is not."""
    found = {}
    started = controlling_terminal()
    if started is not None:
        found[TERMINAL_VARIABLE] = str(started)
    if console.is_terminal:
        with contextlib.suppress(OSError):  # rich was told to take a file for a terminal
            found[VIEW_VARIABLE] = os.ttyname(console.file.fileno())
    return found


def controlling_terminal() -> Path | None:
    """The controlling terminal of this process by its own name; None where it has none."""
    stat = Path("/proc/self/stat").read_text(encoding="utf-8")
    number = int(stat.rpartition(")")[2].split()[_TTY_NR])
    # The kernel's new_encode_dev(): minor in bits 0 to 7 and 20 to 31, major in 8 to 19.
    device = os.makedev(number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00)
    for pattern in _TERMINALS if number else ():
        for path in Path("/dev").glob(pattern):
            if path.stat().st_rdev == device:
                return path
    return None
