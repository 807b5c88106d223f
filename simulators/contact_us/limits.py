"""How much is taken of one sender and of all: windows that slide, in a table with a bound."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

MAX_SENDERS: Final = 10_000
"""Senders that are kept in mind; of more, whoever sent longest ago is forgotten. The limit of all still holds."""


class Window:
    """How often something happened lately."""

    __slots__ = ("_most", "_span", "_times")

    def __init__(self, most: int, span: float) -> None:
        """``most`` within ``span`` seconds."""
        self._most, self._span = most, span
        self._times: deque[float] = deque(maxlen=most)

    def wait(self, now: float) -> float:
        """Seconds until one more fits; 0: now."""
        if len(self._times) < self._most:
            return 0.0
        return max(0.0, self._times[0] + self._span - now)

    def note(self, now: float) -> None:
        """One more happened."""
        self._times.append(now)


class Windows:
    """A window for each of many names, the MAX_SENDERS that were last heard of."""

    def __init__(self, most: int, span: float, clock: Callable[[], float]) -> None:
        self._most, self._span, self._clock = most, span, clock
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def wait(self, name: str) -> float:
        """Seconds until one more of ``name`` fits; 0: now."""
        window = self._windows.get(name)
        return 0.0 if window is None else window.wait(self._clock())

    def note(self, name: str) -> None:
        """One more of ``name``."""
        window = self._windows.pop(name, None) or Window(self._most, self._span)
        window.note(self._clock())
        self._windows[name] = window
        if len(self._windows) > MAX_SENDERS:
            self._windows.popitem(last=False)
