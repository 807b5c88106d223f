"""Hunt groups and call queues: one number for several lines, the order in which they ring, and who waits."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from simulators.switch.settings.base import E164, DialledNumber, DisplayName, Extension, Seconds, Strict

MAX_GROUPS = 200
MAX_MEMBERS = 100


class Strategy(StrEnum):
    """Which member rings next."""

    BROADCAST = "broadcast"
    """All at once."""
    TOP_DOWN = "top_down"
    """Always from the first one on."""
    CIRCULAR = "circular"
    """From the one on that comes after the one who had the last call."""
    LONGEST_IDLE = "longest_idle"
    """Who has been free for longest."""


class HuntGroupSettings(Strict):
    """One hunt group."""

    number: Extension
    name: DisplayName = ""
    external: E164 | None = None
    members: tuple[Extension, ...] = Field(min_length=1, max_length=MAX_MEMBERS)
    """Lines of the switch."""
    strategy: Strategy = Strategy.TOP_DOWN
    ring_s: Seconds = 12.0
    """Seconds for which one member rings, or all of a broadcast, before the hunt goes on."""
    max_s: Seconds = 60.0
    """Seconds after which the hunt is over, however many are left."""
    overflow: DialledNumber | None = None
    """Where a call goes that nobody took; without it the caller is told 480, or 486 where all were busy."""


class CallQueueSettings(HuntGroupSettings):
    """One call queue: a caller is answered with music, and waits for a member who is free."""

    max_s: float = Field(default=300.0, gt=0, le=7_200)
    """Seconds after which a caller waits no longer."""
    size: int = Field(default=25, ge=1, le=250)
    """How many may wait; the next one overflows at once."""
