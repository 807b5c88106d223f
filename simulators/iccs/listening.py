"""What a position listens to: each talkgroup selected (headset) or unselected (loudspeaker), and how loud each is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.endpoints.media import MediaPort

MAX_MONITORED = 31
"""Talkgroups that one position monitors: an audio port hears 32 others at most, and a call is one of them."""


class Listening:
    """One position's."""

    def __init__(self, talkgroups: Iterable[str]) -> None:
        self.talkgroups: dict[str, bool] = dict.fromkeys(talkgroups, True)
        """Those that are monitored, in order; True: selected."""
        self.headset_db = 0.0
        """Volume of selected talkgroups, -60 to 12 dB about what the network gives."""
        self.loudspeaker_db = 0.0
        """The same of the others."""
        self.loudspeaker: MediaPort | None = None
        """The loudspeaker's jack; open while somebody is logged in who monitors talkgroups."""

    def headset_gains(self, radio: Iterable[MediaPort]) -> dict[MediaPort, float]:
        """Return the gain of each talkgroup's port in the headset, dB; callers are not turned down with them."""
        return dict.fromkeys(radio, self.headset_db)

    def loudspeaker_gains(self, radio: Iterable[MediaPort]) -> dict[MediaPort, float]:
        """Return the gain of each talkgroup's port in the loudspeaker, dB."""
        return dict.fromkeys(radio, self.loudspeaker_db)

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        jack = None
        if self.loudspeaker is not None:
            host, port = self.loudspeaker.address
            jack = f"rtp://{host}:{port}"
        return {
            "selected": [talkgroup for talkgroup, selected in self.talkgroups.items() if selected],
            "headset_db": self.headset_db,
            "loudspeaker_db": self.loudspeaker_db,
            "loudspeaker": jack,
        }
