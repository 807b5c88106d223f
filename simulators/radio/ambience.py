"""Ambience listening: a terminal's microphone is opened silently, and its speech sent to whoever asked for it.

Nothing is written on the terminal's line and nothing is given by its loudspeaker. The speech leaves the network by RTP
(G.711 A-law) from a port of its own, to the one address that was named: no terminal hears it, the asker's neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from harness.endpoints.media import MediaPort, MediaService
from simulators.events import Events
from simulators.radio.refusals import ControlError, UnknownThingError
from simulators.radio.terminal import SimulatedTerminal
from simulators.reach import is_loopback

MAX_LISTENINGS: Final = 16
"""Microphones open at once."""
GOES_ON_IN_CALLS: Final = True
"""A terminal that enters a call is listened to all the same; what a real terminal does then is [U]."""


@dataclass(slots=True, eq=False)
class _Listening:
    id: str
    terminal: SimulatedTerminal
    port: MediaPort

    def shown(self) -> dict[str, Any]:
        host, port = self.port.address
        return {"id": self.id, "issi": self.terminal.config.issi, "audio": f"{host}:{port}"}


class Ambience:
    """All microphones that are open."""

    def __init__(
        self, media: MediaService | None, events: Events, host: str, reachable: Callable[[SimulatedTerminal], bool]
    ) -> None:
        """``host``: the address that the network's own ports have."""
        self._media = media
        self._events = events
        self._host = host
        self._reachable = reachable
        self._number = count(1)
        self._open: dict[str, _Listening] = {}

    async def begin(self, terminal: SimulatedTerminal, host: str, port: int) -> dict[str, Any]:
        """Open a terminal's microphone; its speech goes to ``host:port``.

        Raises ControlError where the terminal can't be reached, its microphone is open already or too many are, the run
        has no media, or a network on loopback is to send beyond it.
        """
        if self._media is None or terminal.jack is None:
            raise ControlError("this network carries no speech")
        if is_loopback(self._host) and not is_loopback(host):
            raise ControlError(f"the speech is to go to {host}; a network on {self._host} sends to loopback alone")
        self._may_begin(terminal)
        opened = await self._media.open_port(f"ambience {terminal.name}", host=self._host)
        try:
            await opened.connect((host, port), dtmf_payload_type=None, rests=True)
            self._may_begin(terminal)  # another may have asked meanwhile
        except BaseException:
            await opened.close()
            raise
        listening = _Listening(f"A-{next(self._number)}", terminal, opened)
        self._open[listening.id] = listening
        await opened.hear(terminal.jack)
        self._events.tell("ambience.begun", **listening.shown())
        return listening.shown()

    def _may_begin(self, terminal: SimulatedTerminal) -> None:
        issi = terminal.config.issi
        if not self._reachable(terminal):
            raise ControlError(f"terminal {issi} is out of reach")
        if any(each.terminal is terminal for each in self._open.values()):
            raise ControlError(f"the microphone of {issi} is open already")
        if len(self._open) >= MAX_LISTENINGS:
            raise ControlError(f"{MAX_LISTENINGS} microphones are open already")

    async def end(self, id_: str, reason: str = "ended") -> None:
        """Close a microphone. Raises UnknownThingError where it is not open."""
        listening = self._open.pop(id_, None)
        if listening is None:
            raise UnknownThingError(f"no microphone is open under {id_!r}")
        await listening.port.close()
        self._events.tell("ambience.ended", **listening.shown(), reason=reason)

    def of(self, terminal: SimulatedTerminal) -> str | None:
        """The id under which a terminal's microphone is open, or None."""
        return next((each.id for each in self._open.values() if each.terminal is terminal), None)

    def shown(self) -> list[dict[str, Any]]:
        """Return what is open."""
        return [each.shown() for each in self._open.values()]

    async def stop(self) -> None:
        """Close all."""
        for id_ in tuple(self._open):
            await self.end(id_, "the network stops")
