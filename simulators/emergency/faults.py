"""The faults that the network shows on demand. A route's own, that it is cut, stands with the route."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What is wrong, for every call from now on; several may be at once."""

    NO_ANSWER = "no_answer"
    """No automatic operator answers."""
    SLOW_ANSWER = "slow_answer"
    """Automatic operators answer later, by so many seconds."""
    DROP_OPERATOR = "drop_operator"
    """An operator is cut off as soon as the control room has answered, and nobody tells."""
    ROOM_HEARS_NOTHING = "room_hears_nothing"
    """No speech leaves towards the control room: one-way audio."""
    CALLER_HEARS_NOTHING = "caller_hears_nothing"
    """No speech leaves towards the caller."""


@dataclass(slots=True)
class Faults:
    """The faults that are on."""

    on: dict[Fault, float] = field(default_factory=dict)
    """Each with its seconds."""

    def __contains__(self, fault: Fault) -> bool:
        return fault in self.on

    @property
    def slower_by(self) -> float:
        """How much later operators answer."""
        return self.on.get(Fault.SLOW_ANSWER, 0.0)

    def shown(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {str(fault): seconds for fault, seconds in self.on.items()}
