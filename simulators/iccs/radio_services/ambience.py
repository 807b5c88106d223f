"""Ambience listening as a position does it: with a right and a password, heard at that position alone, until ended."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from harness.endpoints.media import MediaPort
from harness.errors import MediaError
from simulators.iccs.audit.record import Audit, NotAuthorisedError
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.radio_services.network import NetworkLink
from simulators.iccs.radio_services.recordings import Recordings
from simulators.iccs.shared import Shared


@dataclass(slots=True, eq=False)
class _Listening:
    id: str
    """The network's name for it."""
    issi: int
    position: Position
    port: MediaPort


class AmbienceDesk:
    """The microphones that positions of one control room have opened."""

    def __init__(
        self, shared: Shared, panel: PatchPanel, network: NetworkLink, audit: Audit, recordings: Recordings
    ) -> None:
        self._shared = shared
        self._panel = panel
        self._network = network
        self._audit = audit
        self._recordings = recordings
        self._password: SecretStr | None = shared.settings.ambience_password
        self._open: dict[str, _Listening] = {}
        network.listeners.append(self._told)

    async def begin(self, position: Position, issi: int, password: str) -> dict[str, Any]:
        """Open a terminal's microphone and let the position alone hear it.

        Raises NotAuthorisedError for want of the right or the password, PositionError where it can't be had.
        """
        with self._audit.of(position, "ambience", issi, needs="ambience"):
            if self._password is None:
                raise NotAuthorisedError("this ICCS has no password for ambience listening, so nobody may")
            if not hmac.compare_digest(self._password.get_secret_value().encode(), password.encode()):
                raise NotAuthorisedError("the password for ambience listening is wrong")
            try:
                port = await self._shared.media.open_port(f"iccs ambience {issi}")
            except MediaError as error:
                raise PositionError(f"no port for the speech of {issi}: {error}") from error
            try:
                listening = await self._listen(position, issi, port)
            except BaseException:
                await port.close()
                raise
        self._open[listening.id] = listening
        position.hears[listening.id] = port
        self._panel.position(position)
        self._shared.positions.tell(position, "ambience.begun", ambience=listening.id, issi=issi)
        return {"ambience": listening.id, "issi": issi}

    async def _listen(self, position: Position, issi: int, port: MediaPort) -> _Listening:
        host, number = port.address
        told = await self._network.ask("POST", "/ambience", {"issi": issi, "host": host, "port": number})
        from_host, _, from_port = str(told["audio"]).rpartition(":")
        try:
            await port.connect((from_host, int(from_port)), dtmf_payload_type=None, send=False, rests=True)
            await self._recordings.begin({"radio": port})
        except MediaError as error:
            await self._network.ask("DELETE", f"/ambience/{quote(str(told['id']), safe='')}")
            raise PositionError(f"the speech of {issi} can't be had: {error}") from error
        return _Listening(str(told["id"]), issi, position, port)

    async def end(self, position: Position, issi: int) -> dict[str, Any]:
        """Close a microphone that the position opened. Raises PositionError where it did not."""
        with self._audit.of(position, "end ambience", issi):
            listening = next(
                (each for each in self._open.values() if (each.position, each.issi) == (position, issi)), None
            )
            if listening is None:
                raise PositionError(f"{position.id} does not listen to {issi}")
            await self._network.ask("DELETE", f"/ambience/{quote(listening.id, safe='')}")
        await self._over(listening, "ended")
        return {"ambience": listening.id, "issi": issi}

    async def gone(self, position: Position) -> None:
        """A position logs out: its microphones are closed."""
        for listening in [each for each in self._open.values() if each.position is position]:
            await self.end(position, listening.issi)

    async def _over(self, listening: _Listening, reason: str) -> None:
        if self._open.pop(listening.id, None) is None:
            return
        position = listening.position
        position.hears.pop(listening.id, None)
        self._panel.position(position)
        try:
            kept = await self._recordings.end({"radio": listening.port}, "ambience", position.id, listening.issi)
        except MediaError as error:
            self._shared.journal.warn("iccs", "recording.failed", reason=str(error))
            recording = None
        else:
            recording = kept.id
        await self._panel.unplug(listening.port)
        self._shared.positions.tell(
            position,
            "ambience.ended",
            ambience=listening.id,
            issi=listening.issi,
            reason=reason,
            recording=recording,
        )

    def _told(self, kind: str, data: Mapping[str, Any]) -> None:
        listening = self._open.get(str(data.get("id"))) if kind == "ambience.ended" else None
        if listening is not None:
            self._shared.spawn(self._over(listening, str(data.get("reason"))))
