"""What an operator does with emergencies, several talkgroups, speakers and folders at a console."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from harness.drivers.jack import AudioJack, open_jack
from harness.endpoints.media import MediaService
from harness.errors import DriverError
from harness.transport.context import Context

MAX_SEARCHED = 200
"""Folders that are looked into before a talkgroup is said not to be there."""


class DeskRadio(ABC):
    """The radio part of a console beside push-to-talk on one talkgroup.

    Events: ``emergency.shown``, ``.located``, ``.acknowledged``, ``.cleared`` and ``.dropped`` {emergency, issi, alias,
    talkgroup, lat, lon, acknowledged_by}; ``alarm.raised`` {alarm, what} and ``alarm.ended`` at a supervisor's console;
    ``ptt.timed_out`` {talkgroups, after_s}, ``talker.stuck`` {talkgroup, issi, alias}; ``talkgroup.selected``,
    ``talkgroup.unselected``, ``volume.set``, ``talkgroup.chosen`` {talkgroup, touches}; and ``console.touch`` {folder
    or talkgroup} for each touch.
    """

    name: str
    position: str
    _permit_radio: Callable[[str, str, int], None]
    _context: Context
    _media: MediaService
    _loudspeaker: AudioJack | None

    @abstractmethod
    async def _act(self, action: str, path: str | None = None, **body: Any) -> dict[str, Any]:
        """Note what the operator does, then do it. Raises DriverError."""

    @abstractmethod
    async def _look(self, path: str) -> dict[str, Any]:
        """Return what the control interface shows under ``/v1/{path}``. Raises DriverError."""

    # Emergencies

    async def acknowledge_emergency(self, emergency: str) -> dict[str, Any]:
        """Acknowledge an emergency by the name with which it is shown; return it as it is shown now.

        Raises DriverError when it is not open, or acknowledged already.
        """
        return await self._act("acknowledge_emergency", f"emergencies/{quote(emergency, safe='')}/acknowledge")

    async def clear_emergency(self, emergency: str) -> None:
        """Clear an acknowledged emergency whose end the radio does not tell. Raises DriverError."""
        await self._act("clear_emergency", f"emergencies/{quote(emergency, safe='')}/clear")

    # Several talkgroups

    async def key_groups(self, *talkgroups: str) -> None:
        """Press to talk to several talkgroups at once.

        ``ptt.granted`` or ``ptt.refused`` is journalled for each. ``unkey`` lets go of all. Raises DriverError when
        none can be asked for, InterlockError when the testbed does not allow one of them: nothing has left then.
        """
        for talkgroup in talkgroups:
            self._permit_radio("key", talkgroup, 0)
        await self._act("key_groups", "key-groups", talkgroups=list(talkgroups))

    async def select(self, talkgroup: str) -> None:
        """Hear a monitored talkgroup in the headset. Raises DriverError."""
        await self._act("select", talkgroup=talkgroup, selected=True)

    async def unselect(self, talkgroup: str) -> None:
        """Hear a monitored talkgroup from the loudspeaker. Raises DriverError."""
        await self._act("unselect", "select", talkgroup=talkgroup, selected=False)

    async def set_volume(self, *, headset_db: float | None = None, loudspeaker_db: float | None = None) -> None:
        """Turn selected or unselected talkgroups up or down, -60 to 12 dB about what the network gives."""
        await self._act("volume", headset_db=headset_db, loudspeaker_db=loudspeaker_db)

    async def loudspeaker(self) -> AudioJack:
        """Return the loudspeaker's lead, plugged in for the first who asks. Raises DriverError where there is none."""
        if self._loudspeaker is None:
            jack = (await self._look(f"positions/{self.position}")).get("loudspeaker")
            if jack is None:
                raise DriverError(f"{self.name} has no loudspeaker: it monitors no talkgroup")
            self._loudspeaker = await open_jack(self._context, self._media, f"{self.name} loudspeaker", str(jack))
        return self._loudspeaker

    # Folders

    async def shown_folder(self) -> dict[str, Any]:
        """Return the page of talkgroups that is open: ``path``, ``folders``, ``talkgroups``, ``touches``."""
        return await self._look(f"positions/{self.position}/folders")

    async def open_folder(self, folder: str) -> dict[str, Any]:
        """Touch a folder; return the page that opens. Raises DriverError when the page has none of that name."""
        return await self._act("touch", "folders/open", folder=folder)

    async def folder_back(self) -> dict[str, Any]:
        """Touch "back"; return the page that opens. Raises DriverError at the top."""
        return await self._act("touch", "folders/back")

    async def choose_talkgroup(self, talkgroup: str) -> int:
        """Touch a talkgroup of the page, which is monitored then; return the touches as the ICCS counts them."""
        return int((await self._act("touch", "folders/choose", talkgroup=talkgroup))["touches"])

    async def find_talkgroup(self, talkgroup: str, *folders: str) -> int:
        """Find a talkgroup as an operator does who knows in which ``folders`` it is, from the page that is open.

        Return how many touches that took, counted here. Raises DriverError where it is not to be found.
        """
        touches = 0
        page = await self.shown_folder()
        while page["path"]:
            page = await self.folder_back()
            touches += 1
            if touches > MAX_SEARCHED:
                raise DriverError(f"{self.name}: {MAX_SEARCHED} touches did not lead to the top page")
        for folder in folders:
            page = await self.open_folder(folder)
            touches += 1
        if talkgroup not in page["talkgroups"]:
            raise DriverError(f"{self.name}: {talkgroup} is not in {' / '.join(folders) or 'the top page'}")
        await self.choose_talkgroup(talkgroup)
        return touches + 1
