"""The watch on one trunk's peer with OPTIONS: on that which the settings name, or on one that calls taught.

Theory. A peer that the settings name is lost when it does not answer. One that calls taught may be a telephone that
answers no OPTIONS at all: it can be lost only after it has answered once. While it answers it stays the watched one,
whoever else calls, so that a trunk with a hundred callers is asked as often as one with one; when it no longer does,
and the latest call came from elsewhere, that place is watched instead and nothing is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.keepalive import KeepAlive
from harness.errors import InterlockError
from simulators.iccs.settings.trunks import OptionsWatch

Peer = tuple[str, int]
"""Host and port."""


class TrunkWatch:
    """Whom one trunk asks, and what is known of him."""

    def __init__(
        self, trunk: str, agent: UserAgent, settings: OptionsWatch, named: Peer | None, changed: Callable[[], None]
    ) -> None:
        """``named``: the peer in the settings; None: calls teach it. ``changed``: called when it is lost or back."""
        self._trunk = trunk
        self._agent = agent
        self._settings = settings
        self._is_learned = named is None
        self._changed = changed
        self._asking: KeepAlive | None = None
        self._at = named
        self._answered = False
        self._latest: Peer | None = None
        """Where the latest call came from."""
        self._mute: Peer | None = None
        """The learned peer that was asked last and answered nothing."""
        self._ending: set[asyncio.Task[None]] = set()
        if named is not None:
            self._begin(named)

    @property
    def in_service(self) -> bool | None:
        """Whether the peer serves; None where nobody is asked, or nothing is known yet."""
        return self._asking.is_up if self._asking is not None else None

    def called_from(self, peer: Peer) -> None:
        """A call came: watch where it came from, unless one is watched that answers, or the settings name one."""
        self._latest = peer
        if not self._is_learned or peer == self._mute:
            return
        if self._asking is None:
            self._begin(peer)
        elif self.in_service is False and peer != self._at:
            self._begin(peer)
            self._changed()  # a call by it shows that it works

    async def stop(self) -> None:
        """Ask no more."""
        self._end()
        await asyncio.gather(*self._ending)

    def _begin(self, peer: Peer) -> None:
        self._end()
        if not self._settings.every_s:
            return
        watch = KeepAlive(
            self._agent,
            f"sip:{peer[0]}:{peer[1]}",
            interval=self._settings.every_s,
            interval_down=self._settings.lost_every_s,
            answer_within=self._settings.answer_s,
            down_after=self._settings.lost_after,
            up_after=self._settings.back_after,
            on_change=self._told,
        )
        try:
            # In the midst of the call that taught it, a telephone expects no question.
            watch.start(after=self._settings.every_s if self._is_learned else 0.0)
        except InterlockError as error:
            self._not_watched(peer, str(error))
            return
        self._asking, self._at, self._answered = watch, peer, False

    def _end(self) -> None:
        watch, self._asking = self._asking, None
        if watch is not None:
            task = asyncio.get_running_loop().create_task(watch.stop())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _not_watched(self, peer: Peer, reason: str) -> None:
        self._mute = peer
        self._agent.journal.warn("iccs", "trunk.not_watched", trunk=self._trunk, reason=reason)

    def _told(self, watch: KeepAlive) -> None:
        if watch is not self._asking:
            return
        if watch.is_up:
            self._answered = True
        elif self._is_learned and self._at is not None:
            if not self._answered:
                self._end()
                self._not_watched(self._at, f"{self._at[0]}:{self._at[1]}, from where a call came, answers no OPTIONS")
                return
            if self._latest is not None and self._latest not in (self._at, self._mute):
                self._begin(self._latest)
                return
        self._changed()
