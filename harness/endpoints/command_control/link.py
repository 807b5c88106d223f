"""Our end of the link to command and control: tells what waits, in order, asks for news, and says when it is lost.

It never stands in anyone's way: `put` keeps an entry on disk and returns; the rest is done when the other side can be
reached. What it asks every POLL_S seconds is its heartbeat as well, so that a lost link is known within LOST_WITHIN_S
whether or not there is anything to tell.
"""

from __future__ import annotations

import asyncio
import json
import ssl as ssl_module
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx

from harness.endpoints.command_control.dialect import Dialect
from harness.endpoints.command_control.outbox import Entry, Kept, Outbox
from harness.endpoints.command_control.telling import News, Telling
from harness.errors import CommandControlError
from harness.transport.context import Context
from harness.transport.https import http_client

POLL_S: Final = 2.0
"""Seconds from one question for news to the next."""
ANSWERS_WITHIN_S: Final = 1.0
"""Seconds that a request may take."""
LOST_AFTER: Final = 2
"""Failures one after the other from which the link counts as lost."""
RETRY_S: Final = (0.5, 5.0)
"""Seconds before the first try anew, and the most that doubling makes of it."""
LOST_WITHIN_S: Final = POLL_S + LOST_AFTER * ANSWERS_WITHIN_S + RETRY_S[0]
"""Seconds from the loss until it is told, at most: 4.5, of NICCS-INT-005's 5."""
BATCH_BYTES: Final = 48_000
"""Bytes of entries in one request."""
MAX_ANSWER: Final = 1_000_000
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The link is up, or it is lost."""

    up: bool
    cause: str
    """Why it is lost; empty while it is up."""
    waiting: int
    """Entries that wait."""


@dataclass(frozen=True, slots=True)
class Told:
    """Command and control has an entry, or would not have it."""

    kept: Kept
    taken: bool
    reference: str
    reason: str


Notice = LinkChanged | Told | News


class CommandControlLink:
    """A link that is kept up."""

    def __init__(self, context: Context, name: str, http: httpx.AsyncClient, outbox: Outbox, dialect: Dialect) -> None:
        self.name = name
        self.outbox = outbox
        self._context = context
        self._journal = context.journal
        self._http = http
        self._dialect = dialect
        self._wake = asyncio.Event()
        self._up: bool | None = None
        self._failures = 0
        self._due = float("-inf")
        """When news is asked for next, on the loop's clock: a moment, as a distance to it may come out as nothing."""
        self._subscribers: list[Callable[[Notice], None]] = []
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def open(
        cls,
        context: Context,
        name: str,
        address: str,
        outbox: Outbox,
        dialect: Dialect,
        *,
        token: str = "",
        tls: ssl_module.SSLContext | None = None,
    ) -> CommandControlLink:
        """Begin to link to ``address`` (``http://host:port``) and keep at it until `close`; returns at once."""
        http = http_client(address, timeout=ANSWERS_WITHIN_S, token=token, tls=tls)
        link = cls(context, name, http, outbox, dialect)
        link._task = asyncio.create_task(link._keep_at_it())
        return link

    @property
    def is_up(self) -> bool:
        """Whether the last request was answered."""
        return self._up is True

    def subscribe(self, told: Callable[[Notice], None]) -> None:
        """Let ``told`` have every notice from now on."""
        self._subscribers.append(told)

    def put(self, *entries: Entry) -> list[int]:
        """Keep entries, to be told when that can be done; their numbers. Raises CommandControlError."""
        numbers = self.outbox.put(*entries)
        self._wake.set()
        return numbers

    def put_once(self, entry: Entry) -> int:
        """Keep an entry as `Outbox.put_once` does; its number. Raises CommandControlError."""
        number = self.outbox.put_once(entry)
        self._wake.set()
        return number

    async def close(self) -> None:
        """End the link; what waits stays on disk. Again does nothing."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._http.aclose()

    async def _keep_at_it(self) -> None:
        retry = RETRY_S[0]
        loop = asyncio.get_running_loop()
        while True:
            try:
                if self.outbox:
                    await self._tell()
                if loop.time() >= self._due:
                    await self._ask()
            except (httpx.HTTPError, TimeoutError, CommandControlError) as error:
                self._failed(str(error) or type(error).__name__)
                await asyncio.sleep(retry)
                retry = min(2 * retry, RETRY_S[1])
                self._due = float("-inf")
                continue
            retry = RETRY_S[0]
            if not self.outbox:
                self._wake.clear()
                try:
                    async with asyncio.timeout_at(self._due):
                        await self._wake.wait()
                except TimeoutError:
                    # A timer may go off within the clock's resolution of its time: asking the clock again could find
                    # that nothing is due yet, at a moment of virtual time that then never passes.
                    self._due = float("-inf")

    async def _tell(self) -> None:
        told = self.outbox.first(self._dialect.most, size=BATCH_BYTES)
        status, body = await self._request(self._dialect.telling(told))
        outcomes = self._dialect.outcomes(told, status, body)
        if not outcomes:
            raise CommandControlError("an answer that tells of none of the entries")
        pairs = list(zip(told, outcomes, strict=False))
        refused = [(kept, outcome.reason or "no reason given") for kept, outcome in pairs if not outcome.taken]
        self.outbox.settle([kept for kept, outcome in pairs if outcome.taken], refused)
        self._well()
        for kept, outcome in pairs:
            shown: dict[str, Any] = {"number": kept.number, "entry": kept.entry.kind, "about": kept.entry.about}
            if outcome.taken:
                self._journal.record(self.name, "command_control.told", **shown, repeated=outcome.repeated)
            else:
                self._journal.warn(self.name, "command_control.refused", **shown, reason=outcome.reason)
            self._notify(Told(kept, outcome.taken, outcome.reference, outcome.reason))

    async def _ask(self) -> None:
        self._due = asyncio.get_running_loop().time() + POLL_S
        status, body = await self._request(self._dialect.asking(self.outbox.cursor))
        if status != 200:
            raise CommandControlError(f"news was answered {status}: {str(body)[:200]}")
        news, cursor = self._dialect.news(body)
        self._well()
        for each in news:
            self._journal.record(self.name, "command_control.news", news=each.kind, about=each.about)
            self._notify(each)
        if cursor != self.outbox.cursor:
            self.outbox.move_to(cursor)
            self._due = float("-inf")  # there may be more

    async def _request(self, telling: Telling) -> tuple[int, Any]:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            async with self._http.stream(
                telling.method, telling.path, json=telling.body, headers=telling.headers
            ) as answer:
                read = bytearray()
                async for part in answer.aiter_bytes():
                    read += part
                    if len(read) > MAX_ANSWER:
                        raise CommandControlError(f"an answer of more than {MAX_ANSWER} bytes")
        return answer.status_code, _json(bytes(read))

    def _failed(self, cause: str) -> None:
        self._failures += 1
        if self._failures >= LOST_AFTER and self._up is not False:
            self._up = False
            self._journal.warn(self.name, "command_control.down", cause=cause, waiting=len(self.outbox))
            self._notify(LinkChanged(False, cause, len(self.outbox)))

    def _well(self) -> None:
        self._failures = 0
        if self._up is not True:
            self._up = True
            self._journal.record(self.name, "command_control.up", waiting=len(self.outbox))
            self._notify(LinkChanged(True, "", len(self.outbox)))

    def _notify(self, notice: Notice) -> None:
        for told in tuple(self._subscribers):
            told(notice)


def _json(read: bytes) -> Any:
    try:
        return json.loads(read)
    except (ValueError, RecursionError):
        return read[:200].decode(errors="replace")
