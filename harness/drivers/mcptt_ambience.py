"""Ambient listening by MCPTT handsets: another's microphone opened and heard, and what is said near one's own."""

from __future__ import annotations

from typing import Final

from harness.drivers.mcptt_floor import KeyedHandset
from harness.endpoints.media import MediaPort
from harness.errors import DriverError, McpttLocalError
from harness.protocols.rtp.g711 import Samples

OPENED_S: Final = 10.0
"""Seconds within which another handset's microphone is open."""


class AmbientHandset(KeyedHandset):
    """The part of a handset whose microphone can be opened. Of its own it shows nothing, so it has no events of it.

    Events of one that listens: ``ambience.begun`` {user}, ``ambience.ended`` {user}.
    """

    async def listen_to(self, user: str, *, within: float = OPENED_S) -> MediaPort:
        """Open ``user``'s microphone; what it hears is to be had at the returned port until ``end_listening``.

        Raises DriverError with the server's reason, InterlockError where the testbed does not allow it: nothing has
        left then.
        """
        self._ask("control", user, 0)
        try:
            call = await self._terminal.ambience.listen(self._id(user), within=within)
        except McpttLocalError as error:
            raise DriverError(f"{self.name}: {user}: {error}") from None
        self._journal.record(self.name, "ambience.begun", user=user)
        return call.media.port

    async def end_listening(self, user: str) -> None:
        """Close ``user``'s microphone. Raises DriverError where it is not open."""
        try:
            await self._terminal.ambience.end(self._id(user))
        except McpttLocalError as error:
            raise DriverError(str(error)) from None
        self._journal.record(self.name, "ambience.ended", user=user)

    async def speak_unkeyed(self, samples: Samples) -> float:
        """Speak near the microphone without pressing the key; return the run time at which that began.

        Where somebody listens it goes there, and else nowhere.
        """
        call = self._terminal.ambience.microphone
        if call is None or not call.participant.may_send:
            return self._journal.now()
        return await call.say(samples)
