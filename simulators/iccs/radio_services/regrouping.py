"""Dynamic regrouping and disabling as a dispatcher orders them, and what the console shows of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.iccs.audit.record import Audit
from simulators.iccs.positions import Position
from simulators.iccs.radio_services.network import NetworkLink
from simulators.iccs.shared import Shared

_TERMINAL_EVENTS = ("terminal.disabled", "terminal.enabled")
_SITE_EVENTS = ("site.link_lost", "site.fallback", "site.link_restored", "site.wide_again")


class RegroupingDesk:
    """What positions of one control room have ordered."""

    def __init__(self, shared: Shared, network: NetworkLink, audit: Audit, talkgroups: Mapping[str, int]) -> None:
        self._shared = shared
        self._network = network
        self._audit = audit
        self._talkgroups = dict(talkgroups)
        self._ordered: dict[int, Position] = {}
        """Who gave a group, by GSSI."""
        self._about: dict[int, Position] = {}
        """Who last disabled or enabled a terminal, by ISSI."""
        network.listeners.append(self._told)

    async def give(self, position: Position, name: str, units: list[int], *, attach: bool) -> dict[str, Any]:
        """Give a group to terminals: the talkgroup of that name, or else a new one, and turn them to it.

        The position is told ``dgna.unit`` of each. Raises NotAuthorisedError, PositionError.
        """
        with self._audit.of(position, "give group", f"{name} to {len(units)} units", needs="regroup"):
            body = {"name": name, "gssi": self._talkgroups.get(name), "issis": units, "attach": attach}
            given: dict[str, Any] = await self._network.ask("POST", "/groups", body)
        self._ordered[int(given["gssi"])] = position
        self._shared.positions.tell(position, "dgna.given", gssi=given["gssi"], name=name, of=given["of"])
        return given

    async def take(self, position: Position, gssi: int) -> dict[str, Any]:
        """Take a group from all who were given it. Raises NotAuthorisedError, PositionError."""
        with self._audit.of(position, "take group", gssi, needs="regroup"):
            taken: dict[str, Any] = await self._network.ask("DELETE", f"/groups/{gssi}")
        self._ordered[gssi] = position
        self._shared.positions.tell(position, "dgna.taken", gssi=gssi, name=taken["name"], of=taken["of"])
        return taken

    async def read(self, gssi: int) -> dict[str, Any]:
        """Return a group and each terminal's answer. Raises PositionError."""
        read: dict[str, Any] = await self._network.ask("GET", f"/groups/{gssi}")
        return read

    async def disable(self, position: Position, issi: int) -> dict[str, Any]:
        """Take a terminal off the network for a time. Raises NotAuthorisedError, PositionError."""
        return await self._set_disabled(position, issi, disabled=True)

    async def enable(self, position: Position, issi: int) -> dict[str, Any]:
        """Let a terminal on again. Raises NotAuthorisedError, PositionError."""
        return await self._set_disabled(position, issi, disabled=False)

    async def _set_disabled(self, position: Position, issi: int, *, disabled: bool) -> dict[str, Any]:
        with self._audit.of(position, "disable" if disabled else "enable", issi, needs="disable"):
            method = "PUT" if disabled else "DELETE"
            shown: dict[str, Any] = await self._network.ask(method, f"/terminals/{issi}/disabled")
        self._about[issi] = position
        return shown

    def _told(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind in {"group.unit", "group.kept"}:
            position = self._ordered.get(int(data["gssi"]))
            if position is not None:
                self._shared.positions.tell(position, kind.replace("group", "dgna"), **data)
        elif kind in _TERMINAL_EVENTS:
            position = self._about.get(int(data["issi"]))
            if position is not None:
                self._shared.positions.tell(position, kind, **data)
        elif kind in _SITE_EVENTS:
            for position in self._shared.positions:
                if position.logged_in and position.plan:
                    self._shared.positions.tell(position, kind, **data)
