"""Folders of talkgroups: what a position finds by touching, and how many touches it took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from simulators.iccs.listening import MAX_MONITORED
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.settings.radio import FolderSettings
from simulators.iccs.shared import Shared


@dataclass(slots=True)
class _Page:
    """Where a position stands."""

    path: list[FolderSettings] = field(default_factory=list)
    touches: int = 0
    """Since a talkgroup was chosen last."""


class Folders:
    """The folders of one control room, and which page each position has open."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._top = FolderSettings(name="top", folders=shared.settings.radio.folders)
        self._pages: dict[str, _Page] = {}

    def _page(self, position: Position) -> _Page:
        return self._pages.setdefault(position.id, _Page())

    def shown(self, position: Position) -> dict[str, Any]:
        """Return the page that is open: where it is, what can be touched, touches since the last choice."""
        page = self._page(position)
        here = page.path[-1] if page.path else self._top
        return {
            "path": [folder.name for folder in page.path],
            "folders": [folder.name for folder in here.folders],
            "talkgroups": list(here.talkgroups),
            "touches": page.touches,
        }

    def open(self, position: Position, name: str) -> dict[str, Any]:
        """Touch a folder of the page. Raises PositionError when the page has none of that name."""
        page = self._page(position)
        here = page.path[-1] if page.path else self._top
        found = next((folder for folder in here.folders if folder.name == name), None)
        if found is None:
            raise PositionError(
                f"no folder {name!r} in {_where(page)}; there is {_listed(f.name for f in here.folders)}"
            )
        page.path.append(found)
        page.touches += 1
        return self.shown(position)

    def back(self, position: Position) -> dict[str, Any]:
        """Touch "back": one folder up. Raises PositionError at the top."""
        page = self._page(position)
        if not page.path:
            raise PositionError(f"{position.id} shows the top page")
        page.path.pop()
        page.touches += 1
        return self.shown(position)

    def choose(self, position: Position, talkgroup: str) -> int:
        """Touch a talkgroup of the page: it is monitored and selected from now on. Return how many touches it took.

        Raises PositionError when the page has none of that name, or the position monitors as many as it can.
        """
        page = self._page(position)
        here = page.path[-1] if page.path else self._top
        if talkgroup not in here.talkgroups:
            raise PositionError(f"no talkgroup {talkgroup!r} in {_where(page)}; there is {_listed(here.talkgroups)}")
        monitored = position.listening.talkgroups
        if talkgroup not in monitored and len(monitored) >= MAX_MONITORED:
            raise PositionError(f"{position.id} monitors {MAX_MONITORED} talkgroups already")
        monitored[talkgroup] = True
        touches = page.touches + 1
        page.path.clear()
        page.touches = 0
        self._shared.positions.tell(position, "talkgroup.chosen", talkgroup=talkgroup, touches=touches)
        return touches


def _where(page: _Page) -> str:
    return " / ".join(folder.name for folder in page.path) or "the top page"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
