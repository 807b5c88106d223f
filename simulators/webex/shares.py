"""What devices show in meetings: who shares, since when, and how soon the others see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MAX_SHARES: Final = 1_000
"""Meetings in which something is shown; of more the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Share:
    """What is shown."""

    device: str
    """The id of the device that shows it."""
    leg: str
    """Its leg of the meeting: what is shown ends with it."""
    began: float
    """Seconds since 1970."""


@dataclass(slots=True)
class Shares:
    """What is shown in each meeting: one thing at a time."""

    after_s: float = 0.5
    """Seconds from a share's start until the others see it."""
    by_meeting: dict[str, Share] = field(default_factory=dict)

    def begin(self, meeting: str, share: Share) -> None:
        """Show something; what was shown before is seen no more."""
        self.by_meeting.pop(meeting, None)
        self.by_meeting[meeting] = share
        if len(self.by_meeting) > MAX_SHARES:
            del self.by_meeting[next(iter(self.by_meeting))]

    def end(self, meeting: str, device: str) -> None:
        """Show it no more; what another device shows goes on."""
        share = self.by_meeting.get(meeting)
        if share is not None and share.device == device:
            del self.by_meeting[meeting]

    def mode(self, meeting: str, device: str, inside: set[str], now: float) -> str:
        """What a device in a meeting does: ``Sending``, ``Receiving`` or ``Off``. ``inside``: the legs that are in."""
        share = self.by_meeting.get(meeting)
        if share is None or share.leg not in inside:
            self.by_meeting.pop(meeting, None)
            return "Off"
        if share.device == device:
            return "Sending"
        return "Receiving" if now >= share.began + self.after_s else "Off"
