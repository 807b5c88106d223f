"""Operator positions: who is at work, which calls and talkgroups they hold, and what their consoles are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.errors import LocalError
from harness.journal import Journal
from simulators.iccs.event_models import unlike
from simulators.iccs.listening import Listening
from simulators.iccs.settings import PositionSettings

if TYPE_CHECKING:
    from harness.endpoints.media import MediaPort
    from simulators.iccs.calls import SwitchCall
    from simulators.iccs.conversations import Conversation

EVENTS_A_CONSOLE = 1000
"""Events that wait for a console that does not read; the console is cut off at the next one."""
CONSOLES_A_POSITION = 8
"""Event streams that may be open to one position."""

ConsoleEvent = dict[str, Any]


class PositionError(LocalError):
    """A position was asked for what its state does not allow."""


class UnknownPositionError(PositionError):
    """A position, or something of one, was asked for that is not there."""


class AdviserState(StrEnum):
    """What an adviser is doing, as queues and wallboards see it."""

    OFFLINE = "offline"
    """Nobody is at work there."""
    AVAILABLE = "available"
    OFFERED = "offered"
    """A queue rings at this adviser alone."""
    BUSY = "busy"
    """In a call, with one on hold, or keying a talkgroup."""
    WRAP_UP = "wrap_up"
    """Writing up the last call."""
    BREAK = "break"


@dataclass(slots=True, eq=False)
class Oversight:
    """A supervisor who listens in at a position."""

    by: Position
    of: Position
    whispers: bool
    """Whether whoever sits there hears the supervisor; callers never do."""

    @property
    def how(self) -> str:
        """``monitor`` or ``whisper``."""
        return "whisper" if self.whispers else "monitor"


@dataclass(slots=True, eq=False)
class Position:
    """One operator position."""

    settings: PositionSettings
    jack: MediaPort | None = None
    """The headset's audio jack; open while the position is logged in."""
    conversation: Conversation | None = None
    """Whom it talks with."""
    held: list[Conversation] = field(default_factory=list)
    """Conversations that it has put on hold, oldest first."""
    radio_call: str | None = None
    """Its call with one radio, by id."""
    hears: dict[str, MediaPort] = field(default_factory=dict)
    """What it alone hears: a terminal's open microphone, its call with one radio; by id."""
    keyed_groups: list[str] = field(default_factory=list)
    """The talkgroups it keys, each from the press to the release."""
    listening: Listening = field(init=False)
    """The talkgroups it monitors, and on which of its speakers."""
    plan: tuple[str, ...] = field(init=False)
    """The talkgroups that it works by the talkgroup plan, as it stands now."""
    oversees: Oversight | None = None
    """Where it listens in, as a supervisor's."""
    overseen: list[Oversight] = field(default_factory=list)
    """Who listens in here."""
    console_lost: bool = False
    """Whether its console lost the core node and has not logged in again; the headset is plugged in all the same."""
    automatic: bool = False
    """Whether it answers by itself, with or without anybody logged in."""
    on_break: bool = False
    wraps_up: bool = False
    offered: SwitchCall | None = None
    """The call that a queue offers to it alone."""
    idle_since: float = 0.0
    """Run time from which it has been available, seconds."""
    last_record: str | None = None
    """The record of its latest call: what redial means."""
    told_state: AdviserState = AdviserState.OFFLINE
    streams: list[asyncio.Queue[ConsoleEvent | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan = self.settings.talkgroups
        self.listening = Listening(self.plan)

    @property
    def keyed(self) -> str | None:
        """The talkgroup it keys; of several, the first."""
        return self.keyed_groups[0] if self.keyed_groups else None

    @property
    def id(self) -> str:
        """The position's name and extension."""
        return self.settings.id

    @property
    def site(self) -> str:
        """Where it stands."""
        return self.settings.at

    @property
    def call(self) -> SwitchCall | None:
        """The call it is connected to: of a conference, the one that came first."""
        conversation = self.conversation
        return conversation.calls[0] if conversation is not None and conversation.calls else None

    @property
    def logged_in(self) -> bool:
        """Whether an operator sits here."""
        return self.jack is not None and not self.console_lost

    @property
    def at_work(self) -> bool:
        """Whether calls are answered here."""
        return self.logged_in or self.automatic

    def seated(self) -> None:
        """Raise PositionError when nobody is logged in here."""
        if not self.logged_in:
            raise PositionError(f"nobody is logged in at {self.id}")

    @property
    def free(self) -> bool:
        """Whether a call may be put through to it."""
        return self.conversation is None and self.keyed is None and self.radio_call is None and self.oversees is None

    @property
    def state(self) -> AdviserState:
        """What the adviser is doing."""
        if not self.at_work:
            return AdviserState.OFFLINE
        if not self.free or self.held:
            return AdviserState.BUSY
        if self.on_break:
            return AdviserState.BREAK
        if self.wraps_up:
            return AdviserState.WRAP_UP
        return AdviserState.AVAILABLE if self.offered is None else AdviserState.OFFERED

    def shown(self) -> dict[str, Any]:
        """Return the position as the control interface shows it."""
        jack = None
        if self.jack is not None:
            host, port = self.jack.address
            jack = f"rtp://{host}:{port}"
        return {
            "id": self.id,
            "role": self.settings.role,
            "site": self.site,
            "skills": list(self.settings.skills),
            "talkgroups": list(self.listening.talkgroups),
            **self.listening.shown(),
            "logged_in": self.logged_in,
            "state": self.state.value,
            "jack": jack,
            "call": self.call.id if self.call is not None else None,
            "held": [call.id for conversation in self.held for call in conversation.calls],
            "keyed": self.keyed,
            "oversees": None if self.oversees is None else self.oversees.of.id,
            "radio_call": self.radio_call,
            "keyed_groups": list(self.keyed_groups),
            "last_record": self.last_record,
        }


class Positions:
    """The positions of a control room, and the events their consoles are sent."""

    def __init__(self, settings: list[PositionSettings], journal: Journal) -> None:
        self._journal = journal
        self._positions = {each.id: Position(each) for each in settings}
        self.watched: Callable[[Position], None] = lambda _position: None
        """Called when a console begins to look on."""
        self.changed: Callable[[Position], None] = lambda _position: None
        """Called when an adviser's state has changed."""

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

    def settle(self, position: Position) -> None:
        """Tell what has become of an adviser's state, where it has changed."""
        state = position.state
        was = position.told_state
        if state is was:
            return
        position.told_state = state
        if (
            state is AdviserState.AVAILABLE and was is not AdviserState.OFFERED
        ):  # an offer that fell through costs nothing
            position.idle_since = self._journal.now()
        self.tell(position, "adviser.state", state=state.value)
        self.changed(position)

    def tell(self, position: Position, kind: str, **data: Any) -> None:
        """Send an event to every console open at ``position`` and note it in the simulator's own journal."""
        self.tell_privately(position, kind, data, data)

    def tell_privately(self, position: Position, kind: str, data: dict[str, Any], noted: dict[str, Any]) -> None:
        """As `tell`, where the journal is to have less (``noted``) than the adviser sees.

        One that is unlike its model is sent all the same, and the journal warns of it: ``event.unlike_its_model``.
        """
        if complaint := unlike(kind, data):
            self._journal.warn(position.id, "event.unlike_its_model", reason=complaint)
        event = self._journal.append(position.id, kind, dict(noted))
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
        if len(position.streams) == 1:
            self.watched(position)
        return stream

    def close_stream(self, position: Position, stream: asyncio.Queue[ConsoleEvent | None]) -> None:
        """End a stream; ending it again does nothing."""
        if stream in position.streams:
            position.streams.remove(stream)
