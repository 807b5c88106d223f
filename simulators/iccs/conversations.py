"""Who talks with whom: calls and positions in one conversation, some of which may have put it on hold.

Theory. A conversation holds calls (each a leg to somebody outside, or the thread between two positions) and positions.
A position is active in one conversation at most, and holds any number. A conversation that nobody is active in, and
that has one leg, gives that leg music; the parties of any other go on talking. It is over when fewer than two parties
are left, where a position that holds it, or that is being rung, is a party; and when its last call has ended, however
many positions are in it: a position could not clear what is no call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.iccs.calls import CallState, SwitchCall
from simulators.iccs.positions import Position, PositionError

if TYPE_CHECKING:
    from harness.endpoints.media import Bridge, MediaPort

MAX_PARTIES = 30
"""Of one conversation: calls and positions."""


class ConversationError(PositionError):
    """A conversation was asked for what it can't be."""


@dataclass(slots=True, eq=False)
class Conversation:
    """One conversation."""

    calls: list[SwitchCall] = field(default_factory=list)
    """The oldest first; a conference goes by its name."""
    positions: list[Position] = field(default_factory=list)
    """Those who are active in it."""
    held_by: list[Position] = field(default_factory=list)
    bridge: Bridge | None = None
    """What joins the speech of three parties and more."""
    bridged: list[MediaPort] = field(default_factory=list)
    """Ports that are in the bridge."""

    # Who is in it

    def add_call(self, call: SwitchCall) -> None:
        """Let a call in, out of any other conversation. Raises ConversationError when it is full."""
        if call.conversation is self:
            return
        self.has_room()
        if call.conversation is not None:
            call.conversation.calls.remove(call)
        self.calls.append(call)
        call.conversation = self

    def remove_call(self, call: SwitchCall) -> None:
        """Let a call out."""
        if call.conversation is self:
            self.calls.remove(call)
            call.conversation = None

    def enter(self, position: Position) -> None:
        """Let a position in, or take the conversation off its hold. Raises ConversationError when it is full."""
        if position.conversation is self:
            return
        if position in self.held_by:
            self.held_by.remove(position)
            position.held.remove(self)
        else:
            self.has_room()
        self.positions.append(position)
        position.conversation = self

    def hold(self, position: Position) -> None:
        """A position puts it on hold."""
        self.positions.remove(position)
        self.held_by.append(position)
        position.conversation = None
        position.held.append(self)

    def leave(self, position: Position) -> None:
        """A position goes, whether it is active or holds it."""
        if position in self.positions:
            self.positions.remove(position)
            position.conversation = None
        if position in self.held_by:
            self.held_by.remove(position)
            position.held.remove(self)

    def has_room(self) -> None:
        """Raise ConversationError when it is full."""
        if self.size >= MAX_PARTIES:
            raise ConversationError(f"{MAX_PARTIES} parties are in the conversation already")

    # What follows from it

    @property
    def everyone(self) -> list[Position]:
        """All its positions, active ones first."""
        return [*self.positions, *self.held_by]

    @property
    def legs(self) -> list[SwitchCall]:
        """The calls to somebody outside; of those between positions nobody hears anything."""
        return [call for call in self.calls if call.caller is None]

    @property
    def up(self) -> Iterator[SwitchCall]:
        """The legs whose speech can be joined."""
        return (call for call in self.legs if call.state is CallState.CONNECTED)

    @property
    def is_waiting(self) -> bool:
        """Whether somebody outside is alone with positions that all hold it: time for music."""
        return not self.positions and len(self.legs) == 1 and bool(self.held_by)

    @property
    def is_ringing(self) -> bool:
        """Whether somebody outside is alone while another is dialled: time for the ringing tone."""
        states = [call.state for call in self.legs]
        return not self.positions and len(states) == 2 and CallState.DIALLING in states

    @property
    def size(self) -> int:
        """How many are in it, a position that is being rung included."""
        rung = sum(call.caller is not None and call.state is not CallState.CONNECTED for call in self.calls)
        return len(self.legs) + len(self.everyone) + rung

    @property
    def is_over(self) -> bool:
        """Whether nobody is left to talk with, or no call is left to talk on."""
        return self.size < 2 or not self.calls

    def parties(self) -> list[str]:
        """Name who is in it: positions by id, calls by number."""
        return [*(position.id for position in self.everyone), *(call.cli or "withheld" for call in self.legs)]
