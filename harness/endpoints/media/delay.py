"""How deep a playout buffer should be: what packets' arrival shows of jitter, and when to change one's mind.

Theory. A packet's slack is how long it waits until it is played. The largest slack of a while is the fastest packet's,
and so the buffer's real depth, drift of the two clocks included; the difference between the largest and the smallest is
the jitter. The buffer should be as deep as the worst jitter of the last REMEMBERED whiles, and a frame more, within its
bounds. It becomes deeper at once, also when a packet comes late; it becomes shallower when all of REMEMBERED whiles say
so, by what they agree on, and only where nothing is being said; but at once, whatever is said, when it is deeper than
its bound.
"""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW: Final = 50
"""Packets of one while: a second of telephony."""
REMEMBERED: Final = 8
FRAME_S: Final = 0.02
"""What a frame needs has to be there when the frame is taken."""
MARGIN_S: Final = 0.002
"""Changes of less are not worth a seam; and room for what the next while may bring."""
STEP_S: Final = 0.01
"""Depths are whole steps, so that they do not follow every breath of the network."""


class DelayControl:
    """Watches slack; says by how much the buffer should grow (seconds, positive) or shrink (negative)."""

    def __init__(self, least: float, most: float) -> None:
        """Bounds of the depth in seconds; equal ones fix it."""
        self._least = least
        self._most = most
        self.adaptive = most > least
        """Whether the depth may change at all."""
        self.target = least
        """The depth that is aimed at, in seconds."""
        self.urgent = False
        """Whether the last change that was wanted is due whatever is being said: packets wait longer than the bound."""
        self._all = 0
        self._all_sum = 0.0
        self._recent: float | None = None
        self.reset()

    def reset(self) -> None:
        """A new stream, or a new mapping: what was seen of the old one says nothing."""
        self._count = 0
        self._smallest = float("inf")
        self._largest = float("-inf")
        self._sum = 0.0
        self._jitters: deque[float] = deque(maxlen=REMEMBERED)
        self._depths: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def mean(self) -> float | None:
        """Seconds that packets waited on average, ever; None before the first."""
        return self._all_sum / self._all if self._all else None

    @property
    def recent(self) -> float | None:
        """The same of this while and, where that has just begun, of the last."""
        if self._count > (WINDOW // 4 if self._recent is not None else 0):
            return self._sum / self._count
        return self._recent

    def note(self, slack: float) -> float:
        """A packet came `slack` seconds before its time; return the change of depth that is wanted now."""
        self._count += 1
        self._all += 1
        self._sum += slack
        self._all_sum += slack
        self._smallest = min(self._smallest, slack)
        self._largest = max(self._largest, slack)
        if self._count < WINDOW:
            return 0.0
        return self._conclude() if self.adaptive else self._begin_window()

    def late(self, by: float) -> float:
        """A packet came `by` seconds after its time; return by how much the depth should grow at once."""
        if not self.adaptive:
            return 0.0
        self._smallest = min(self._smallest, -by)
        wanted = self._bounded(self._stepped(self.target + by + MARGIN_S))
        grown, self.target = wanted - self.target, wanted
        return max(0.0, grown)

    def grown(self, by: float) -> None:
        """The depth was changed: what this while saw is moved by as much."""
        self._smallest += by
        self._largest += by
        self._sum += by * self._count
        for index in range(len(self._depths)):
            self._depths[index] += by

    def _begin_window(self) -> float:
        self._recent = self._sum / self._count
        self._count, self._sum = 0, 0.0
        self._smallest, self._largest = float("inf"), float("-inf")
        return 0.0

    def _conclude(self) -> float:
        self._jitters.append(self._largest - self._smallest)
        self._depths.append(self._largest)
        depth, usual = self._largest, self._sum / self._count
        self._begin_window()
        wanted = self._bounded(self._stepped(max(self._jitters) + FRAME_S))
        if wanted > self.target or (wanted < self.target and len(self._jitters) == REMEMBERED):
            self.target = wanted
        if self.target - depth > MARGIN_S + STEP_S:
            return self.target - depth
        self.urgent = usual - self._most > MARGIN_S
        if self.urgent:
            return self._most - depth
        # the least of what was had lately: a single fast packet does not make it shallower
        surplus = min(self._depths) - self.target
        if surplus > MARGIN_S + STEP_S and len(self._depths) == REMEMBERED:
            return -surplus
        return 0.0

    def _bounded(self, depth: float) -> float:
        return min(self._most, max(self._least, depth))

    @staticmethod
    def _stepped(depth: float) -> float:
        return -(-round(depth * 1000, 3) // (STEP_S * 1000)) * STEP_S
