"""What operators do with several talkgroups: key them at once, select and unselect them, find them in folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import LocalError
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.radio_console.emergencies import Emergencies
from simulators.iccs.radio_console.folders import Folders
from simulators.iccs.radio_console.stuck_keys import StuckKeys
from simulators.iccs.radio_desk import RadioDesk
from simulators.iccs.radio_services.services import RadioSurroundings
from simulators.iccs.radio_services.unit_map import UnitMap
from simulators.iccs.shared import Shared


class RadioConsole:
    """The radio side of one control room's consoles."""

    def __init__(
        self,
        shared: Shared,
        radio: RadioDesk,
        patch: PatchPanel,
        lines: Mapping[str, str],
        around: RadioSurroundings,
        unit_map: UnitMap,
    ) -> None:
        """``lines``: each gateway's talkgroup by its line's name.

        Raises LocalError where a folder has a talkgroup that there is not.
        """
        unknown = [name for name in shared.settings.radio.in_folders() if name not in around.names]
        if unknown:
            raise LocalError(f"folders name talkgroups that there are not: {', '.join(unknown)}")
        self._shared = shared
        self._radio = radio
        self._patch = patch
        self.alarms = shared.alarms
        self.emergencies = Emergencies(shared, self.alarms, lines, around.talkgroups, unit_map)
        self.folders = Folders(shared)
        self._stuck = StuckKeys(shared, radio, self.alarms, lines)

    def stop(self) -> None:
        """Watch no more."""
        self.emergencies.stop()
        self._stuck.stop()

    def shown_to(self, position: Position) -> None:
        """Show a console that begins to look on which emergencies are open and which alarms stand."""
        self.emergencies.shown_to(position)
        self.alarms.shown_to(position)

    def key(self, position: Position, talkgroups: Sequence[str]) -> None:
        """Key several talkgroups with one press; each tells for itself what becomes of it.

        One that can't be asked for is told ``ptt.refused`` with the reason, and the others go on. Raises PositionError
        when the position keys already, or none could be asked for.
        """
        position.seated()
        if position.keyed_groups:
            raise PositionError(f"{position.id} keys {', '.join(position.keyed_groups)} already")
        refused = {}
        for talkgroup in dict.fromkeys(talkgroups):
            try:
                self._radio.key(position, talkgroup, also=True)
            except PositionError as error:
                refused[talkgroup] = str(error)
        if not position.keyed_groups:
            raise PositionError("; ".join(refused.values()))
        for talkgroup, reason in refused.items():
            self._shared.positions.tell(position, "ptt.refused", talkgroup=talkgroup, reason=reason)

    def select(self, position: Position, talkgroup: str, *, selected: bool) -> None:
        """Hear a talkgroup in the headset (``selected``) or from the loudspeaker.

        Raises PositionError when it is not monitored here.
        """
        position.seated()
        monitored = position.listening.talkgroups
        if talkgroup not in monitored:
            raise PositionError(f"{position.id} does not monitor {talkgroup}; it monitors {', '.join(monitored)}")
        monitored[talkgroup] = selected
        self._patch.position(position)
        kind = "talkgroup.selected" if selected else "talkgroup.unselected"
        self._shared.positions.tell(position, kind, talkgroup=talkgroup)

    def set_volume(self, position: Position, *, headset_db: float | None, loudspeaker_db: float | None) -> None:
        """Turn selected (``headset_db``) or unselected (``loudspeaker_db``) talkgroups up or down; None: as it is."""
        position.seated()
        listening = position.listening
        listening.headset_db = listening.headset_db if headset_db is None else headset_db
        listening.loudspeaker_db = listening.loudspeaker_db if loudspeaker_db is None else loudspeaker_db
        self._patch.position(position)
        self._shared.positions.tell(
            position, "volume.set", headset_db=listening.headset_db, loudspeaker_db=listening.loudspeaker_db
        )

    def choose(self, position: Position, talkgroup: str) -> dict[str, Any]:
        """Choose a talkgroup in the folder that is open. Raises PositionError as the folders do."""
        position.seated()
        touches = self.folders.choose(position, talkgroup)
        self._patch.position(position)
        return {"talkgroup": talkgroup, "touches": touches}
