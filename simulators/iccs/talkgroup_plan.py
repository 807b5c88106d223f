"""The talkgroup plan: which talkgroups each position works; changed while all go on, with a second person's word."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from simulators.iccs.audit.record import Audit
from simulators.iccs.listening import MAX_MONITORED
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.shared import Shared


class TalkgroupPlan:
    """The plan of one control room."""

    def __init__(self, shared: Shared, patch: PatchPanel, audit: Audit, talkgroups: Collection[str]) -> None:
        """``talkgroups``: the names that there are."""
        self._shared = shared
        self._patch = patch
        self._audit = audit
        self._talkgroups = talkgroups
        self.loudspeaker: Callable[[Position], Awaitable[None]]
        """Opens a position's loudspeaker, where it needs one and has none yet."""

    async def change(
        self, by: Position, of: Position, talkgroups: Sequence[str], *, approver: Position, why: str
    ) -> None:
        """Give a position other talkgroups to work; it is told ``plan.changed``, and hears and keys them at once.

        What it chose from folders beside its plan stays as it is. ``approver``: somebody else with the right to it, at
        another position. The audit has before, after and approver. Raises NotAuthorisedError, PositionError.
        """
        wanted = tuple(dict.fromkeys(talkgroups))
        changed = {"before": list(of.plan), "after": list(wanted), "approver": approver.id}
        with self._audit.of(by, "change plan", of.id, needs="plan", why=why, more=changed):
            self._check(by, of, wanted, approver)
            monitored = of.listening.talkgroups
            for talkgroup in of.plan:
                if talkgroup not in wanted:
                    monitored.pop(talkgroup, None)
            for talkgroup in wanted:
                monitored.setdefault(talkgroup, True)
            of.plan = wanted
        await self.loudspeaker(of)
        self._patch.position(of)
        self._shared.positions.tell(of, "plan.changed", by=by.id, talkgroups=list(wanted))

    def _check(self, by: Position, of: Position, wanted: Sequence[str], approver: Position) -> None:
        approver.seated()
        if approver is by:
            raise PositionError("a change of the plan needs somebody else to approve of it")
        if "plan" not in approver.settings.may:
            raise PositionError(f"{approver.id} has no right to approve of a plan")
        unknown = [talkgroup for talkgroup in wanted if talkgroup not in self._talkgroups]
        if unknown:
            raise PositionError(f"there is no talkgroup {', '.join(unknown)}; there is {', '.join(self._talkgroups)}")
        chosen = sum(talkgroup not in of.plan for talkgroup in of.listening.talkgroups if talkgroup not in wanted)
        if len(wanted) + chosen > MAX_MONITORED:
            raise PositionError(f"{of.id} monitors {MAX_MONITORED} talkgroups at most, {chosen} of its own choice")
        keyed = [talkgroup for talkgroup in of.keyed_groups if talkgroup in of.plan and talkgroup not in wanted]
        if keyed:
            raise PositionError(f"{of.id} keys {', '.join(keyed)} at this moment")
