"""Virtual time at a pace: the same loop and network, its clock so many times as fast as a wall clock."""

from __future__ import annotations

import selectors
import time
from typing import Final

from harness.errors import TransportError
from harness.transport.virtual_loop import JumpingSelector, VirtualLoop

SLOWEST: Final = 0.1
FASTEST: Final = 1_000.0


class _PacedSelector(JumpingSelector):
    """Waits until the wall clock has come to where the virtual clock goes; one that is behind does not wait."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed
        self._began = time.monotonic()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            due = self._began + (self.now + timeout) / self._speed
            # What wakes it is handled, and the wait goes on where it was: the clock moves only when it is over.
            ready = selectors.SelectSelector.select(self, max(0.0, due - time.monotonic()))
            if ready:
                return ready
        return super().select(timeout)


class PacedLoop(VirtualLoop):
    """A virtual loop whose clock runs ``speed`` times as fast as a wall clock, or as fast as this machine can.

    Raises TransportError for a speed that is not SLOWEST to FASTEST.
    """

    def __init__(self, seed: int, speed: float) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise TransportError(f"a speed is {SLOWEST:g} to {FASTEST:g}, not {speed:g}")
        super().__init__(seed, _PacedSelector(speed))
