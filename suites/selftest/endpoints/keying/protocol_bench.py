"""A serial device whose lines the test holds: pyserial opens it by ``bench://NAME`` once its package is made known."""

from __future__ import annotations

import os
import termios
from typing import Any

from serial import SerialBase

OPENED: dict[str, Serial] = {}
"""The latest device of each name."""


class Serial(SerialBase):  # type: ignore[misc]  # pyserial finds a handler's class by this name
    """Notes what became of its outputs, in order; a PTY stands for the settings that the system has of it."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        self.story: list[str] = []
        self.inputs = {"cts": False, "dsr": False, "cd": False, "ri": False}
        self.unplugged = False
        self.exclusively = settings.get("exclusive")
        super().__init__(*args, **settings)

    def open(self) -> None:
        self.story.append(f"open with rts {self._rts_state} dtr {self._dtr_state}")
        self.master, self.slave = os.openpty()
        attributes = termios.tcgetattr(self.slave)
        attributes[2] |= termios.HUPCL  # as a serial device has it, and a PTY has not
        termios.tcsetattr(self.slave, termios.TCSANOW, attributes)
        self.is_open = True
        OPENED[self.port.removeprefix("bench://")] = self

    def close(self) -> None:
        if self.is_open:
            self.story.append("close")
            self.is_open = False
            os.close(self.master)
            os.close(self.slave)

    def fileno(self) -> int:
        return self.slave

    def hangs_up(self) -> bool:
        """Whether the system is to put the lines down when the port is closed."""
        return bool(termios.tcgetattr(self.slave)[2] & termios.HUPCL)

    def _there(self) -> None:
        if self.unplugged:
            raise OSError(5, "Input/output error")

    def _update_rts_state(self) -> None:
        self._there()
        self.story.append(f"rts {self._rts_state}")

    def _update_dtr_state(self) -> None:
        self._there()
        self.story.append(f"dtr {self._dtr_state}")

    def _input(self, name: str) -> bool:
        self._there()
        return self.inputs[name]

    cts = property(lambda self: self._input("cts"))
    dsr = property(lambda self: self._input("dsr"))
    cd = property(lambda self: self._input("cd"))
    ri = property(lambda self: self._input("ri"))
