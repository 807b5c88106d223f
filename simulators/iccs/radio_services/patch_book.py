"""Which talkgroups are patched with which: a patch that would close a loop is refused with the way round. Pure.

Theory. Patches are the edges of a graph whose nodes are talkgroups. On a loop, speech would come back to the talkgroup
on which it was said and hold every floor of the loop for as long as anybody's key is down, so the graph has to stay a
forest: a patch is refused where its two talkgroups are joined already, by however many patches. What patches join is
a net. A patch is checked and made in one step of the event loop, so that two consoles cannot close a loop together.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from simulators.iccs.positions import PositionError, UnknownPositionError

MAX_PATCHES: Final = 64
"""Patches of one control room."""


class PatchError(PositionError):
    """A patch that can't be made."""


class UnknownPatchError(UnknownPositionError):
    """There is no such patch."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Two talkgroups that are joined."""

    id: str
    """``P-1`` …"""
    talkgroups: tuple[str, str]
    by: str
    """The position that made it."""
    since: float
    """Run time, seconds."""

    def other(self, talkgroup: str) -> str:
        """Return the talkgroup at its other end."""
        one, two = self.talkgroups
        return two if talkgroup == one else one

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        return {"patch": self.id, "talkgroups": list(self.talkgroups), "by": self.by, "since": round(self.since, 6)}


class PatchBook:
    """All patches of one control room."""

    def __init__(self) -> None:
        self._patches: dict[str, Patch] = {}
        self._number = count(1)

    def get(self, id_: str) -> Patch:
        """Return a patch. Raises UnknownPatchError."""
        try:
            return self._patches[id_]
        except KeyError:
            raise UnknownPatchError(f"there is no patch {id_!r}") from None

    def make(self, one: str, two: str, by: str, time: float) -> Patch:
        """Patch two talkgroups. Raises PatchError where that would close a loop, saying which, or at too many."""
        if one == two:
            raise PatchError(f"a patch of {one} with itself is a loop")
        way = self._way(one, two)
        if way is not None:
            told = " and ".join(f"{' with '.join(each.talkgroups)} ({each.id} by {each.by})" for each in way)
            raise PatchError(f"a patch of {one} with {two} would close a loop: they are joined by {told}")
        if len(self._patches) >= MAX_PATCHES:
            raise PatchError(f"{MAX_PATCHES} patches are up already")
        patch = Patch(f"P-{next(self._number)}", (one, two), by, time)
        self._patches[patch.id] = patch
        return patch

    def end(self, id_: str) -> Patch:
        """Take a patch apart. Raises UnknownPatchError."""
        patch = self.get(id_)
        del self._patches[id_]
        return patch

    def net(self, talkgroup: str) -> list[str]:
        """Return the talkgroups that patches join with this one, itself first."""
        found = {talkgroup: None}
        due = [talkgroup]
        while due:
            here = due.pop()
            for patch in self._at(here):
                there = patch.other(here)
                if there not in found:
                    found[there] = None
                    due.append(there)
        return list(found)

    def shown(self) -> list[dict[str, Any]]:
        """Return all, oldest first."""
        return [patch.shown() for patch in self._patches.values()]

    def _at(self, talkgroup: str) -> list[Patch]:
        return [patch for patch in self._patches.values() if talkgroup in patch.talkgroups]

    def _way(self, start: str, end: str) -> list[Patch] | None:
        """The patches that lead from one talkgroup to another, in order; None where none do."""
        ways: dict[str, list[Patch]] = {start: []}
        due = [start]
        while due:
            here = due.pop()
            for patch in self._at(here):
                there = patch.other(here)
                if there not in ways:
                    ways[there] = [*ways[here], patch]
                    due.append(there)
        return ways.get(end)
