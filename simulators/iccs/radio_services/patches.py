"""Patches between talkgroups, as dispatchers make and end them."""

from __future__ import annotations

from typing import Any

from simulators.iccs.audit.record import Audit
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.positions import Position
from simulators.iccs.radio_desk import RadioDesk
from simulators.iccs.radio_services.patch_book import Patch, PatchBook, PatchError
from simulators.iccs.radio_services.relays import Relays
from simulators.iccs.shared import Shared


class TalkgroupPatches:
    """The patches of one control room."""

    def __init__(self, shared: Shared, radio: RadioDesk, panel: PatchPanel, audit: Audit) -> None:
        self._shared = shared
        self._radio = radio
        self._audit = audit
        self._book = PatchBook()
        self.relays = Relays(shared, radio, panel, self._book)

    def make(self, position: Position, one: str, two: str) -> dict[str, Any]:
        """Patch two talkgroups that the position works. Raises PatchError with the reason, NotAuthorisedError."""
        with self._audit.of(position, "patch", f"{one} with {two}", needs="patch"):
            for talkgroup in (one, two):
                if talkgroup not in position.plan:
                    raise PatchError(f"{position.id} does not work talkgroup {talkgroup}")
                if self._radio.gateway(talkgroup) is None:
                    raise PatchError(f"talkgroup {talkgroup} has no gateway")
            patch = self._book.make(one, two, position.id, self._shared.now())
        self._show("patch.made", patch, position)
        self.relays.settle()
        return patch.shown()

    def end(self, position: Position, id_: str) -> dict[str, Any]:
        """Take a patch apart, whoever made it. Raises UnknownPatchError, NotAuthorisedError."""
        with self._audit.of(position, "end patch", id_, needs="patch"):
            patch = self._book.end(id_)
        self._show("patch.ended", patch, position)
        self.relays.settle()
        return patch.shown()

    def shown(self) -> list[dict[str, Any]]:
        """Return all patches, oldest first."""
        return self._book.shown()

    def _show(self, kind: str, patch: Patch, by: Position) -> None:
        """Tell every position that works one of the talkgroups."""
        data = {**patch.shown(), "by": by.id}
        for position in self._shared.positions:
            if position.logged_in and set(patch.talkgroups) & set(position.plan):
                self._shared.positions.tell(position, kind, **data)
