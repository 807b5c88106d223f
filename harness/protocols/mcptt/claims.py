"""Requests for a floor: which goes before which, which takes the floor from another, and who waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.protocols.mcptt.messages import Indicator, QueueInfo

MAX_POSITION: Final = 253
"""The place in the queue that is told at most; 254 and 255 mean something else."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody's request."""

    user: str
    priority: int
    indicator: int
    order: int

    @property
    def rank(self) -> int:
        """The class: emergency above imminent peril above all others."""
        if self.indicator & Indicator.EMERGENCY:
            return 2
        return 1 if self.indicator & Indicator.IMMINENT_PERIL else 0

    @property
    def turn(self) -> tuple[int, int, int]:
        """Sorts those who wait, next first."""
        return -self.rank, -self.priority, self.order


@dataclass(frozen=True, slots=True)
class Rules:
    """What the server's operator decides."""

    queueing: bool = True
    queue: int = 16
    """Requests that may wait; more are denied."""
    pre_emption: bool = True
    """Whether emergency and imminent peril take the floor from what is below them."""
    pre_empting_priority: int | None = None
    """From this priority on a request takes the floor from those below it; None: none does."""
    alone: bool = False
    """Whether somebody who is alone in the call may have the floor."""
    override: bool = False
    """Whether who loses the floor to a higher class waits in the queue for it again."""

    def pre_empts(self, claim: Claim, holder: Claim) -> bool:
        """Whether a request takes the floor from who has it."""
        if not self.pre_emption:
            return False
        if claim.rank != holder.rank:
            return claim.rank > holder.rank
        least = self.pre_empting_priority
        return least is not None and claim.priority >= least > holder.priority


class Claims:
    """Requests that wait, next first."""

    def __init__(self) -> None:
        self._waiting: list[Claim] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def users(self) -> tuple[str, ...]:
        """Who waits, next first."""
        return tuple(claim.user for claim in self._waiting)

    def of(self, user: str) -> Claim | None:
        """A user's request, where it waits."""
        return next((claim for claim in self._waiting if claim.user == user), None)

    def add(self, claim: Claim) -> int:
        """Let a request wait in its turn; returns its place, from 0."""
        self._waiting.append(claim)
        self._waiting.sort(key=lambda each: each.turn)
        return self._waiting.index(claim)

    def drop(self, user: str) -> int | None:
        """Take a user's request out; returns the place that it had, None where there was none."""
        for place, claim in enumerate(self._waiting):
            if claim.user == user:
                del self._waiting[place]
                return place
        return None

    def next(self) -> Claim:
        """Take out the request whose turn it is; there has to be one."""
        return self._waiting.pop(0)

    def place(self, user: str) -> QueueInfo | None:
        """Where a user waits, as it is told; None where it does not."""
        for place, claim in enumerate(self._waiting):
            if claim.user == user:
                return QueueInfo(min(place, MAX_POSITION), claim.priority)
        return None
