"""What a command-and-control system's own interface has to say for our link: one small class for each system.

A vendor's interface plugs in here: a class with these methods, named in the entry points ``iccs.command_control``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from harness import installed
from harness.endpoints.command_control.next_generation import NextGeneration
from harness.endpoints.command_control.outbox import Kept
from harness.endpoints.command_control.storm import Storm
from harness.endpoints.command_control.telling import News, Outcome, Telling
from harness.errors import CommandControlError

ENTRY_POINTS: Final = "iccs.command_control"


class Dialect(Protocol):
    """How entries are told to one kind of system, and how its news is read."""

    most: int
    """Entries that one request may hold."""

    def telling(self, entries: Sequence[Kept]) -> Telling:
        """The request that tells entries, at most `most`."""

    def outcomes(self, entries: Sequence[Kept], status: int, body: Any) -> list[Outcome]:
        """What became of each entry told, in order; fewer than told: the others are told again.

        Raises CommandControlError for an answer that makes no sense, or that asks to try again later.
        """

    def asking(self, cursor: str) -> Telling:
        """The request for news after ``cursor``, empty for all that there is."""

    def news(self, body: Any) -> tuple[list[News], str]:
        """News and the cursor after it. Raises CommandControlError."""


_OURS: Final[Mapping[str, Callable[[], Dialect]]] = {"storm": Storm, "next_generation": NextGeneration}


def load_dialect(name: str) -> Dialect:
    """Return a dialect by name: ``storm``, ``next_generation``, or one that is installed.

    Raises CommandControlError for a name that there is not, or one that can't be loaded.
    """
    ours = _OURS.get(name)
    if ours is not None:
        return ours()
    made: Callable[[], Dialect] = installed.load(
        ENTRY_POINTS, name, "command and control dialect", CommandControlError, own=_OURS
    )
    return made()


__all__ = ["ENTRY_POINTS", "Dialect", "load_dialect"]
