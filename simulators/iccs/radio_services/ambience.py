"""Ambience listening as a position does it: with a right and a password, heard at that position alone, until ended."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from harness.errors import MediaError
from simulators.iccs.audit.record import Audit, NotAuthorisedError
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.radio_services.microphones import Microphone, Microphones
from simulators.iccs.radio_services.recordings import Recordings
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.way import RadioUser, told_of


@dataclass(slots=True, eq=False)
class _Listening:
    microphone: Microphone
    by: Microphones
    position: Position
    why: str | None = None
    """Why it ends, where its position ends it."""
    ending: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while its end is seen to: its port stays open until then."""

    @property
    def told(self) -> dict[str, Any]:
        """What all its events carry."""
        return {"ambience": self.microphone.id, **told_of(self.microphone.who)}


class AmbienceDesk:
    """The microphones that positions of one control room have opened."""

    def __init__(
        self, shared: Shared, panel: PatchPanel, ways: Sequence[Microphones], audit: Audit, recordings: Recordings
    ) -> None:
        self._shared = shared
        self._panel = panel
        self._ways = ways
        self._audit = audit
        self._recordings = recordings
        self._password: SecretStr | None = shared.settings.ambience_password
        self._open: dict[str, _Listening] = {}
        for way in ways:
            way.ended = self._ended

    async def begin(self, position: Position, who: RadioUser, password: str) -> dict[str, Any]:
        """Open a radio's microphone and let the position alone hear it.

        Raises NotAuthorisedError for want of the right or the password, PositionError where it can't be had.
        """
        with self._audit.of(position, "ambience", who, needs="ambience"):
            if self._password is None:
                raise NotAuthorisedError("this ICCS has no password for ambience listening, so nobody may")
            if not hmac.compare_digest(self._password.get_secret_value().encode(), password.encode()):
                raise NotAuthorisedError("the password for ambience listening is wrong")
            way = next((each for each in self._ways if each.reaches(who)), None)
            if way is None:
                raise PositionError(f"nothing here reaches the microphone of {who}")
            microphone = await way.open(who)
            try:
                await self._recordings.begin({"radio": microphone.port})
            except MediaError as error:
                await way.close(microphone)
                await microphone.port.close()
                raise PositionError(f"the speech of {who} can't be had: {error}") from error
        listening = self._open[microphone.id] = _Listening(microphone, way, position)
        position.hears[microphone.id] = microphone.port
        self._panel.position(position)
        self._shared.positions.tell(position, "ambience.begun", **listening.told)
        return listening.told

    async def end(self, position: Position, who: RadioUser) -> dict[str, Any]:
        """Close a microphone that the position opened. Raises PositionError where it did not."""
        with self._audit.of(position, "end ambience", who):
            listening = next(
                (each for each in self._open.values() if (each.position, each.microphone.who) == (position, who)), None
            )
            if listening is None:
                raise PositionError(f"{position.id} does not listen to {who}")
            listening.why = "ended"
            await listening.by.close(listening.microphone)
        await self._over(listening, "ended")
        return listening.told

    async def gone(self, position: Position) -> None:
        """A position logs out: its microphones are closed."""
        for listening in [each for each in self._open.values() if each.position is position]:
            await self.end(position, listening.microphone.who)

    async def _over(self, listening: _Listening, reason: str) -> None:
        microphone, position, recording = listening.microphone, listening.position, None
        async with listening.ending:
            if microphone.id not in self._open:
                return
            position.hears.pop(microphone.id, None)
            self._panel.position(position)
            try:
                kept = await self._recordings.end({"radio": microphone.port}, "ambience", position.id, microphone.who)
                recording = kept.id
            except MediaError as error:
                self._shared.journal.warn("iccs", "recording.failed", reason=str(error))
            await self._panel.unplug(microphone.port)
            del self._open[microphone.id]
        self._shared.positions.tell(
            position, "ambience.ended", **listening.told, reason=listening.why or reason, recording=recording
        )

    async def _ended(self, id_: str, why: str) -> None:
        listening = self._open.get(id_)
        if listening is not None:
            await self._over(listening, why)
