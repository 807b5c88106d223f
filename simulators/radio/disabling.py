"""Takes terminals off the network for a time and lets them on again (temporary disable and enable, EN 300 392-7).

The network knows at once that it has disabled a terminal, and lets it register no more; the terminal learns it after
the network's delay, where it can be reached. What a disabled terminal shows on its line is DISABLED_SHOWS. Permanent
disabling, which a workshop has to undo, is not offered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from harness.protocols.pei.codes import Registration
from harness.protocols.pei.unsolicited import NetworkRegistration
from simulators.events import Events
from simulators.radio.config import Delay
from simulators.radio.refusals import ControlError
from simulators.radio.terminal import SimulatedTerminal
from simulators.radio.timers import Timers

DISABLED_SHOWS: Final = Registration.REJECTED
"""State of `+CREG` on a disabled terminal, whose calls and messages then get `+CME ERROR: 30` [U]."""


class Disabling:
    """Which terminals are disabled."""

    def __init__(
        self,
        events: Events,
        timers: Timers,
        delay: Delay,
        leaves: Callable[[SimulatedTerminal], None],
        arrives: Callable[[SimulatedTerminal], None],
    ) -> None:
        """``leaves`` takes a terminal out of its call, ``arrives`` is called when it can be reached again."""
        self._events = events
        self._timers = timers
        self._delay = delay
        self._leaves = leaves
        self._arrives = arrives

    def disable(self, terminal: SimulatedTerminal) -> None:
        """Disable a terminal. Raises ControlError where it is already."""
        if terminal.disabled:
            raise ControlError(f"terminal {terminal.config.issi} is disabled already")
        terminal.disabled = True
        self._events.tell("terminal.disabling", issi=terminal.config.issi)
        self._timers.after(f"disable {terminal.name}", self._delay, lambda: self._told(terminal))

    def enable(self, terminal: SimulatedTerminal) -> None:
        """Let a disabled terminal on again. Raises ControlError where it is not disabled."""
        if not terminal.disabled:
            raise ControlError(f"terminal {terminal.config.issi} is not disabled")
        terminal.disabled = False
        self._events.tell("terminal.enabling", issi=terminal.config.issi)
        self._timers.after(f"disable {terminal.name}", self._delay, lambda: self._told(terminal))

    def _told(self, terminal: SimulatedTerminal) -> None:
        issi = terminal.config.issi
        if terminal.disabled and not terminal.registered:
            self._events.tell("terminal.disabled", issi=issi, told=False)  # it finds out when it wants to register
        elif terminal.disabled:
            self._leaves(terminal)
            terminal.tell(NetworkRegistration(DISABLED_SHOWS))
            self._events.tell("terminal.disabled", issi=issi, told=True)
        elif terminal.may_register:
            terminal.register()
            self._arrives(terminal)
            self._events.tell("terminal.enabled", issi=issi)
