"""What a supervisor does with others' calls: monitor, whisper to the adviser, barge in as a party.

Theory. Oversight is of a position, not of a call: it goes on from one call there to the next, until the supervisor ends
it, barges in (a party like any other from then on) or either goes. Callers never hear a whisper.
"""

from __future__ import annotations

from simulators.iccs.audit.record import Audit
from simulators.iccs.calls import CallState
from simulators.iccs.conversations import Conversation
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.positions import Oversight, Position, PositionError
from simulators.iccs.shared import Shared
from simulators.iccs.switch import Switch

OVERSEERS_A_POSITION = 4
"""Supervisors who may listen in at one position at once."""


class Overseeing:
    """Supervisors' ears in one control room."""

    def __init__(self, shared: Shared, switch: Switch, patch: PatchPanel, audit: Audit) -> None:
        self._shared = shared
        self._positions = shared.positions
        self._switch = switch
        self._patch = patch
        self._audit = audit

    def begin(self, by: Position, of: Position, *, whispers: bool) -> None:
        """Monitor a position, or whisper to it; from the one to the other while it goes on.

        Both are told ``oversight.began``, whom it is of only where the settings have it so or it is whispered. Raises
        PositionError, NotAuthorisedError.
        """
        with self._audit.of(by, "whisper" if whispers else "monitor", of.id, needs="oversee"):
            self._check(by, of)
            now = by.oversees
            if now is not None and now.of is of:
                now.whispers = whispers
            else:
                if now is not None:
                    self._end(now, "the supervisor listens elsewhere")
                if not by.free:
                    raise PositionError(f"{by.id} is in a call, or keys")
                if len(of.overseen) >= OVERSEERS_A_POSITION:
                    raise PositionError(f"{OVERSEERS_A_POSITION} supervisors listen in at {of.id} already")
                now = by.oversees = Oversight(by, of, whispers)
                of.overseen.append(now)
            self._tell(now, "oversight.began")
        self._patch.position(of)
        self._positions.settle(by)

    def barge(self, by: Position, of: Position) -> None:
        """Come into the call there as a party whom everybody hears. Raises PositionError, NotAuthorisedError."""
        with self._audit.of(by, "barge", of.id, needs="oversee"):
            self._check(by, of)
            conversation = of.conversation
            if conversation is None or not any(call.state is CallState.CONNECTED for call in conversation.calls):
                raise PositionError(f"{of.id} has no call that is up")
            conversation.has_room()
            if by.oversees is not None:
                self._end(by.oversees, "barged in")
            if not by.free:
                raise PositionError(f"{by.id} is in a call, or keys")
            self._enter(by, of, conversation)

    def end(self, by: Position) -> None:
        """Listen in no more. Raises PositionError where the position does not."""
        if by.oversees is None:
            raise PositionError(f"{by.id} listens in nowhere")
        self._end(by.oversees, "ended by the supervisor")

    def gone(self, position: Position) -> None:
        """A position is about to log out: nobody listens there any more, nor it elsewhere."""
        for oversight in (*position.overseen, *([position.oversees] if position.oversees is not None else [])):
            self._end(oversight, f"{position.id} logged out")

    def _check(self, by: Position, of: Position) -> None:
        of.seated()
        if by is of:
            raise PositionError("a position can't listen in at itself")
        if of.oversees is not None:
            raise PositionError(f"{of.id} listens in at {of.oversees.of.id} itself")
        if by.overseen:
            raise PositionError(f"{by.overseen[0].by.id} listens in at {by.id}")

    def _enter(self, by: Position, of: Position, conversation: Conversation) -> None:
        self._switch.seat(conversation, by)
        now = self._shared.now()
        for call in conversation.calls:
            call.record.note(now, "barged in", call=call.id, by=by.id, at=of.id)
        self._patch.conversation(conversation)
        for call in conversation.calls:
            if call.state is CallState.CONNECTED:
                self._switch.show_connected(call, by)
        for each in conversation.everyone:
            if each is not by:
                self._positions.tell(each, "call.barged", by=by.id, parties=conversation.parties())

    def _end(self, oversight: Oversight, reason: str) -> None:
        by, of = oversight.by, oversight.of
        of.overseen.remove(oversight)
        by.oversees = None
        self._tell(oversight, "oversight.ended", reason=reason)
        self._patch.position(of)
        self._patch.position(by)
        self._positions.settle(by)

    def _tell(self, oversight: Oversight, kind: str, **more: str) -> None:
        told = {"by": oversight.by.id, "of": oversight.of.id, "how": oversight.how, **more}
        self._positions.tell(oversight.by, kind, **told)
        if oversight.whispers or self._shared.settings.tells_of_monitoring:
            self._positions.tell(oversight.of, kind, **told)
