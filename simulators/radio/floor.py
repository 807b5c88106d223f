"""Who may talk in a group call: one talker, a queue behind, and who pre-empts whom. Pure; the network times it.

Theory. The floor is held by nobody or by one member. A demand is answered at once by one of five acts; the network
carries an act out after its signalling delay. Demands of a higher class take the floor from a lower one when they are
pre-emptive; otherwise they wait in order of priority, then of arrival, or are refused where the network does not queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY, PRE_EMPTIVE_CALL_PRIORITY, TxPriority

MAX_QUEUE = 32
"""Demands that may wait for one floor."""


class Act(Enum):
    """What becomes of a demand."""

    GRANT = "grant"
    PRE_EMPT = "pre-empt"
    QUEUE = "queue"
    REFUSE = "refuse"
    KEEP = "keep"
    """The one who asks has the floor, or stands in the queue, already."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Somebody's wish to talk."""

    who: str
    priority: int
    """TxPriority."""


class Floor:
    """The floor of one call."""

    def __init__(self, *, queues: bool) -> None:
        self.holder: Demand | None = None
        self._queues = queues
        self._waiting: list[Demand] = []

    @property
    def waiting(self) -> tuple[str, ...]:
        """Who waits, next first."""
        return tuple(demand.who for demand in self._waiting)

    def demand(self, demand: Demand) -> Act:
        """Takes a demand; on GRANT and PRE_EMPT the floor is the asker's from now on."""
        if demand.who in self.waiting or (self.holder is not None and self.holder.who == demand.who):
            return Act.KEEP
        if self.holder is None and not self._waiting:
            self.holder = demand
            return Act.GRANT
        # A floor that has just come free is for those who waited: nobody walks past the queue.
        if self.holder is not None and self._pre_empts(demand, self.holder):
            self.holder = demand
            return Act.PRE_EMPT
        if not self._queues or len(self._waiting) >= MAX_QUEUE:
            return Act.REFUSE
        self._waiting.append(demand)
        self._waiting.sort(key=lambda waiting: -waiting.priority)  # stable: first come, first served
        return Act.QUEUE

    @staticmethod
    def _pre_empts(demand: Demand, holder: Demand) -> bool:
        return demand.priority >= TxPriority.PRE_EMPTIVE and demand.priority > holder.priority

    def give_up(self, who: str) -> bool:
        """Somebody ceases, or takes a demand back; tells whether the floor is free by that."""
        self._waiting = [demand for demand in self._waiting if demand.who != who]
        if self.holder is None or self.holder.who != who:
            return False
        self.holder = None
        return True

    def next(self) -> Demand | None:
        """Gives a free floor to who waits longest; None where nobody does."""
        if self.holder is None and self._waiting:
            self.holder = self._waiting.pop(0)
            return self.holder
        return None


def tx_priority(call_priority: int) -> TxPriority:
    """The transmit demand's class that goes with a call priority, 0-15 [U]."""
    if call_priority >= 15:
        return TxPriority.EMERGENCY
    if call_priority >= 12:
        return TxPriority.PRE_EMPTIVE
    return TxPriority.HIGH if call_priority else TxPriority.LOW


def call_priority(tx: int) -> int:
    """The call priority, 0-15, that goes with a transmit demand's class: emergency, pre-emptive, or none [U]."""
    return {TxPriority.EMERGENCY: EMERGENCY_CALL_PRIORITY, TxPriority.PRE_EMPTIVE: PRE_EMPTIVE_CALL_PRIORITY}.get(
        TxPriority(tx), 0
    )
