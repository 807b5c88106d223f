"""Watches a peer with OPTIONS, as trunks do: in service while it answers, out of service when it does not.

Theory. A peer is asked every `interval` seconds. `down_after` failures in a row put it out of service, `up_after`
answers in a row back in. Whatever it answers shows that it is there (RFC 3261 §11), but for 408 and 503: the one says
that nobody behind it answered, the other that it takes nothing now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.flow import Hop
from harness.errors import HarnessError, SipLocalError
from harness.transport.tap import Address

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

INTERVAL_S: Final = 30.0
"""Seconds between two questions."""
ANSWER_S: Final = 5.0
"""Seconds that an answer may take."""
DOWN_AFTER: Final = 3
UP_AFTER: Final = 1
NOT_SERVED: Final = frozenset((408, 503))
"""Answers of a peer that is there and serves nobody."""


class KeepAlive:
    """The watch on one peer."""

    def __init__(
        self,
        agent: UserAgent,
        uri: str,
        *,
        to: Address | Hop | None = None,
        interval: float = INTERVAL_S,
        interval_down: float | None = None,
        answer_within: float = ANSWER_S,
        down_after: int = DOWN_AFTER,
        up_after: int = UP_AFTER,
        on_change: Callable[[KeepAlive], None] | None = None,
    ) -> None:
        """`uri`: whom to ask; `to`: where that is, if not where the URI says.

        `interval`: seconds between two questions; `interval_down`: the same while it is out of service.
        `on_change`: called when it comes into service or goes out of it. Raises SipLocalError on values that make no
        watch.
        """
        if min(interval, interval if interval_down is None else interval_down, answer_within) <= 0:
            raise SipLocalError("a keep-alive's intervals are above 0 s")
        if min(down_after, up_after) < 1:
            raise SipLocalError("a peer goes up or down after one answer or failure at least")
        self.uri = uri
        self.on_change = on_change
        self.is_up: bool | None = None
        """Whether the peer is in service; None until that is known."""
        self.status = 0
        """The latest answer's status; 0 where none came."""
        self.answered_in: float | None = None
        """Seconds that the latest answer took."""
        self._agent = agent
        self._to = to
        self._interval = interval
        self._interval_down = interval if interval_down is None else interval_down
        self._within = answer_within
        self._needed = {True: up_after, False: down_after}
        self._result: bool | None = None
        """The latest result, and how often it came in a row."""
        self._in_a_row = 0
        self._task: asyncio.Task[None] | None = None

    def start(self, *, after: float = 0.0) -> None:
        """Begin to ask, `after` seconds from now, unless that was begun before.

        Raises InterlockError where the peer may not be asked.
        """
        if self._task is None:
            self._agent.routes.ask_permit(self.uri)
            self._task = asyncio.get_running_loop().create_task(self._run(after))

    async def stop(self) -> None:
        """Ask no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, after: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(after)
        while True:
            asked = loop.time()
            self._count(await self._ask())
            interval = self._interval_down if self.is_up is False else self._interval
            await asyncio.sleep(max(0.0, asked + interval - loop.time()))

    async def _ask(self) -> bool:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        self.status, self.answered_in = 0, None
        try:
            response = await self._agent.options(self.uri, to=self._to, within=self._within)
        except HarnessError as error:
            self._agent.journal.record(self._agent.name, "keepalive.failed", uri=self.uri, reason=str(error))
            return False
        self.status, self.answered_in = response.status, loop.time() - asked
        served = response.status not in NOT_SERVED
        if not served:
            reason = f"{response.status} {response.reason}"
            self._agent.journal.record(self._agent.name, "keepalive.failed", uri=self.uri, reason=reason)
        return served

    def _count(self, result: bool) -> None:
        self._in_a_row = self._in_a_row + 1 if result is self._result else 1
        self._result = result
        if result is not self.is_up and self._in_a_row >= self._needed[result]:
            self.is_up = result
            kind = "keepalive.up" if result else "keepalive.down"
            self._agent.journal.record(self._agent.name, kind, uri=self.uri, status=self.status)
            if self.on_change is not None:
                self.on_change(self)
