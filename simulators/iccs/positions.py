"""Operator positions: who is logged in, which call and talkgroups they hold, and what their consoles are told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import LocalError
from harness.journal import Journal
from simulators.iccs.settings import PositionSettings

if TYPE_CHECKING:
    from harness.endpoints.media import MediaPort
    from simulators.iccs.calls import SwitchCall

EVENTS_A_CONSOLE = 1000
"""Events that wait for a console that does not read; the console is cut off at the next one."""
CONSOLES_A_POSITION = 8
"""Event streams that may be open to one position."""

ConsoleEvent = dict[str, Any]


class PositionError(LocalError):
    """A position was asked for what its state does not allow."""


class UnknownPositionError(PositionError):
    """A position, or something of one, was asked for that is not there."""


@dataclass(slots=True, eq=False)
class Position:
    """One operator position."""

    settings: PositionSettings
    jack: MediaPort | None = None
    """The headset's audio jack; open while the position is logged in."""
    call: SwitchCall | None = None
    """The call it is connected to."""
    keyed: str | None = None
    """The talkgroup it keys, from the press to the release."""
    streams: list[asyncio.Queue[ConsoleEvent | None]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The position's name and extension."""
        return self.settings.id

    @property
    def logged_in(self) -> bool:
        """Whether an operator sits here."""
        return self.jack is not None

    def seated(self) -> None:
        """Raise PositionError when nobody is logged in here."""
        if not self.logged_in:
            raise PositionError(f"nobody is logged in at {self.id}")

    @property
    def free(self) -> bool:
        """Whether a call may be put through to it."""
        return self.call is None and self.keyed is None

    def shown(self) -> dict[str, Any]:
        """Return the position as the control interface shows it."""
        jack = None
        if self.jack is not None:
            host, port = self.jack.address
            jack = f"rtp://{host}:{port}"
        return {
            "id": self.id,
            "role": self.settings.role,
            "talkgroups": list(self.settings.talkgroups),
            "logged_in": self.logged_in,
            "jack": jack,
            "call": self.call.id if self.call is not None else None,
            "keyed": self.keyed,
        }


class Positions:
    """The positions of a control room, and the events their consoles are sent."""

    def __init__(self, settings: list[PositionSettings], journal: Journal) -> None:
        self._journal = journal
        self._positions = {each.id: Position(each) for each in settings}

    def __iter__(self) -> Iterator[Position]:
        return iter(self._positions.values())

    def __contains__(self, id_: str) -> bool:
        return id_ in self._positions

    def get(self, id_: str) -> Position:
        """Return a position. Raises UnknownPositionError when there is none of that id."""
        try:
            return self._positions[id_]
        except KeyError:
            raise UnknownPositionError(f"there is no position {id_!r}") from None

    def tell(self, position: Position, kind: str, **data: Any) -> None:
        """Send an event to every console open at ``position`` and note it in the simulator's own journal."""
        event = self._journal.record(position.id, kind, **data)
        shown = {"time": event.time, "kind": kind, "data": data}
        for stream in tuple(position.streams):
            if stream.qsize() >= EVENTS_A_CONSOLE:
                self._cut_off(position, stream)
            else:
                stream.put_nowait(shown)

    def _cut_off(self, position: Position, stream: asyncio.Queue[ConsoleEvent | None]) -> None:
        position.streams.remove(stream)
        while not stream.empty():
            stream.get_nowait()
        stream.put_nowait(None)
        self._journal.warn(position.id, "console.cut_off", reason=f"{EVENTS_A_CONSOLE} events were left unread")

    def open_stream(self, position: Position) -> asyncio.Queue[ConsoleEvent | None]:
        """Return a new stream of the position's events; None in it means that the console was cut off.

        Raises PositionError when too many are open.
        """
        if len(position.streams) >= CONSOLES_A_POSITION:
            raise PositionError(f"{position.id} has {CONSOLES_A_POSITION} consoles open already")
        stream: asyncio.Queue[ConsoleEvent | None] = asyncio.Queue(EVENTS_A_CONSOLE + 1)
        position.streams.append(stream)
        return stream

    def close_stream(self, position: Position, stream: asyncio.Queue[ConsoleEvent | None]) -> None:
        """End a stream; ending it again does nothing."""
        if stream in position.streams:
            position.streams.remove(stream)
