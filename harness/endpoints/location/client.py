"""The control room's end of the caller-location interface: asks, keeps what is known of each call, and stays linked.

It never stands in the way of a call: `ask` returns at once, what comes is told through `subscribe`, and while the
service is away everything goes on, with the manual-location prompt left to whoever shows calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl as ssl_module
from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.endpoints.location.codecs import CodecFactory
from harness.endpoints.location.connection import Connection
from harness.endpoints.location.record import fields
from harness.errors import CallerLocationLocalError, TransportError
from harness.protocols.location.caller import (
    Answer,
    CallerLocation,
    Hello,
    Message,
    Query,
    Refusal,
    Release,
    Source,
    Status,
    Update,
    Welcome,
)
from harness.protocols.location.link import Link, Side
from harness.protocols.location.link_wire import JsonLines
from harness.transport.context import Context

ANSWERS_WITHIN_S = 2.0
"""Seconds for which `locate` waits: NICCS-TEL-006."""
CONNECTS_WITHIN_S = 5.0
RETRY_S = (0.5, 8.0)
"""Seconds before the first try to link again, and the most that doubling makes of it."""
MAX_CALLS = 2_000
"""Calls whose locations are kept at once."""
MAX_LOCATIONS = 32
"""Locations kept of one call: beyond it the oldest update goes, never the first answer."""
_FINENESS = (Source.AML, Source.SUBSCRIBER, Source.CELL)
"""Which source a position shows first, best to worst."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one call."""

    call: str
    cli: str
    status: Status | None = None
    """None until the service has answered."""
    locations: tuple[CallerLocation, ...] = ()
    """All that came, oldest first: a cell fix stays when the handset's position comes."""

    @property
    def best(self) -> CallerLocation | None:
        """The location to show first: the newest of the finest source; None where there is none."""
        for source in _FINENESS:
            for location in reversed(self.locations):
                if location.source is source:
                    return location
        return None


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The service can be asked, or no longer: then a caller's location is to be asked of the caller."""

    up: bool
    cause: str
    """Why it is down; empty while it is up."""


@dataclass(frozen=True, slots=True)
class LocationChanged:
    """More is known of a call."""

    known: Known
    new: tuple[CallerLocation, ...]
    """What came now; empty where the service knows nothing."""
    pushed: bool
    """Whether it came by itself, after the answer."""


Notice = LinkChanged | LocationChanged


class CallerLocationClient:
    """A link that is kept up, and what is known of the calls that were asked about."""

    def __init__(self, context: Context, name: str, address: tuple[str, int], greeting: Hello) -> None:
        self.name = name
        """Under which it journals."""
        self.address = address
        self._context = context
        self._journal = context.journal
        self._greeting = greeting
        self._make_codec: CodecFactory = JsonLines
        self._tls: ssl_module.SSLContext | None = None
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._changed = asyncio.Event()
        self._up = False
        self._told_cause = ""
        self._retry_s = RETRY_S[0]
        self._calls: dict[str, Known] = {}
        self._asked: dict[int, str] = {}
        self._queries = 0
        self._waiting: dict[str, asyncio.Future[Known]] = {}
        self._subscribers: list[Callable[[Notice], None]] = []

    @classmethod
    def open(
        cls,
        context: Context,
        name: str,
        address: tuple[str, int],
        *,
        client: str = "iccs",
        token: str = "",
        codec: CodecFactory = JsonLines,
        tls: ssl_module.SSLContext | None = None,
    ) -> CallerLocationClient:
        """Begin to link to the service at ``address`` and keep at it until `close`; returns at once.

        ``client`` is how it greets, ``token`` what lets it in, ``codec`` what makes each link's codec (`load_codec`).
        """
        opened = cls(context, name, address, Hello(client, token))
        opened._make_codec, opened._tls = codec, tls
        opened._task = asyncio.create_task(opened._keep_linked())
        return opened

    @property
    def is_up(self) -> bool:
        """Whether the service can be asked now."""
        return self._up

    async def until(self, *, up: bool, within: float) -> None:
        """Return when the link is up, or down. Raises CallerLocationLocalError when the time is up."""
        try:
            async with asyncio.timeout(within):
                while self._up is not up:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            state = "up" if self._up else "down"
            raise CallerLocationLocalError(f"{self.name}: the link is {state} still after {within:g} s") from None

    def subscribe(self, callback: Callable[[Notice], None]) -> Callable[[], None]:
        """Call ``callback`` with each notice; the returned function ends that."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def known(self, call: str) -> Known | None:
        """Return what is known of a call, or None when it was not asked about, or was released."""
        return self._calls.get(call)

    def ask(self, call: str, cli: str) -> None:
        """Ask where a caller is, now or as soon as the link is up; a call that was asked about already is left alone.

        ``call`` is the control room's own reference, ``cli`` the number (E.164) or empty where none came. Raises
        CallerLocationLocalError when MAX_CALLS are asked about.
        """
        if call in self._calls:
            return
        if len(self._calls) >= MAX_CALLS:
            raise CallerLocationLocalError(f"{self.name}: {MAX_CALLS} calls are asked about already")
        self._calls[call] = Known(call, cli)
        if self._up:
            self._query(call)

    async def locate(self, call: str, cli: str, *, within: float = ANSWERS_WITHIN_S) -> Known:
        """Ask, and return what the service answers first.

        Raises CallerLocationLocalError when the link is down, the service refuses, or the time is up; updates come all
        the same.
        """
        self.ask(call, cli)
        known = self._calls[call]
        if known.status is not None:
            return known
        if not self._up:
            raise CallerLocationLocalError(f"{self.name}: no link to the location service; ask the caller")
        waiting = self._waiting.setdefault(call, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(within):
                return await asyncio.shield(waiting)
        except TimeoutError:
            raise CallerLocationLocalError(f"{self.name}: no answer within {within:g} s; ask the caller") from None

    def release(self, call: str) -> None:
        """Forget a call that is over; the service sends no more of it."""
        if self._calls.pop(call, None) is not None and self._up:
            self._send(Release(call))
        self._fail(call, "the call was released")

    async def close(self) -> None:
        """End the link and forget everything."""
        self._ended.set()
        for call in tuple(self._waiting):
            self._fail(call, "the link was closed")
        if self._connection is not None:
            self._connection.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._calls.clear()

    # -- the link --------------------------------------------------------------------------------------------------

    async def _keep_linked(self) -> None:
        while not self._ended.is_set():
            await self._link_once()
            await self._pause()

    async def _link_once(self) -> None:
        loop = asyncio.get_running_loop()
        host, port = self.address
        gone = asyncio.Event()

        def down(cause: str) -> None:
            self._is_down_now(cause)
            gone.set()

        link = Link(Side.CONTROL_ROOM, self._make_codec(), self._greeting)
        self._connection = connection = Connection(link, up=self._is_up_now, deliver=self._take, down=down)
        try:
            async with asyncio.timeout(CONNECTS_WITHIN_S):
                await loop.create_connection(lambda: connection, host, port, ssl=self._tls)
        except (OSError, TimeoutError, TransportError) as error:
            self._is_down_now(f"no connection to {host}:{port}: {error or type(error).__name__}")
            return
        await gone.wait()

    async def _pause(self) -> None:
        delay = self._retry_s * self._context.rng.uniform(0.75, 1.25)
        self._retry_s = min(self._retry_s * 2, RETRY_S[1])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._ended.wait()

    def _is_up_now(self, greeting: Hello | Welcome) -> None:
        assert isinstance(greeting, Welcome), "a control room's link is greeted by a service"
        self._up, self._told_cause, self._retry_s = True, "", RETRY_S[0]
        self._asked.clear()
        self._journal.record(
            self.name, "location.link_up", service=greeting.service, keep_alive_s=greeting.keep_alive_s
        )
        for call in self._calls:
            self._query(call)
        self._tell(LinkChanged(True, ""))

    def _is_down_now(self, cause: str) -> None:
        self._connection, self._up = None, False
        for call in tuple(self._waiting):
            self._fail(call, f"the link went down: {cause}")
        if cause != self._told_cause and not self._ended.is_set():  # not each try that fails in the same way
            self._told_cause = cause
            self._journal.warn(self.name, "location.link_down", cause=cause)
            self._tell(LinkChanged(False, cause))

    def _query(self, call: str) -> None:
        self._queries += 1
        self._asked[self._queries] = call
        cli = self._calls[call].cli
        self._journal.record(self.name, "location.asked", call=call, cli=cli)
        self._send(Query(self._queries, call, cli))

    def _send(self, message: Message) -> None:
        assert self._connection is not None, "there is a connection while the link is up"
        self._connection.send(message)

    # -- what comes ------------------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        match message:
            case Answer():
                self._answered(message)
            case Update(call, location):
                self._updated(call, location)
            case Refusal(query, reason):
                refused = self._asked.pop(query, None)
                self._journal.warn(self.name, "location.refused", call=refused, reason=reason.value)
                if refused is not None:
                    self._fail(refused, f"the service refused: {reason}")

    def _answered(self, answer: Answer) -> None:
        call = self._asked.pop(answer.query, None)
        known = self._calls.get(answer.call)
        if call is None or call != answer.call:
            self._journal.warn(self.name, "location.stray", call=answer.call, reason="an answer to no question of ours")
            return
        if known is None:  # released while the answer was on its way
            return
        new = tuple(each for each in answer.locations if not any(_same(each, held) for held in known.locations))
        known = self._keep(replace(known, status=answer.status), new)
        self._journal.record(
            self.name, "location.answered", call=call, cli=known.cli, status=answer.status.value, locations=len(new)
        )
        self._note(known, new, pushed=False)
        waiting = self._waiting.pop(call, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(known)

    def _updated(self, call: str, location: CallerLocation) -> None:
        known = self._calls.get(call)
        if known is None:
            self._journal.warn(self.name, "location.stray", call=call, reason="an update to no call of ours")
        elif not any(_same(location, held) for held in known.locations):
            self._note(self._keep(replace(known, status=Status.FOUND), (location,)), (location,), pushed=True)

    def _keep(self, known: Known, new: tuple[CallerLocation, ...]) -> Known:
        locations = (*known.locations, *new)
        if len(locations) > MAX_LOCATIONS:
            locations = (locations[0], *locations[1 - MAX_LOCATIONS :])
        self._calls[known.call] = kept = replace(known, locations=locations)
        return kept

    def _note(self, known: Known, new: tuple[CallerLocation, ...], *, pushed: bool) -> None:
        for location in new:
            self._journal.record(
                self.name,
                "location.received",
                call=known.call,
                cli=known.cli,
                pushed=pushed,
                **fields(location, known.cli),
            )
        self._tell(LocationChanged(known, new, pushed))

    def _fail(self, call: str, reason: str) -> None:
        waiting = self._waiting.pop(call, None)
        if waiting is not None and not waiting.done():
            waiting.set_exception(CallerLocationLocalError(f"{self.name}: {reason}; ask the caller"))
            waiting.exception()  # whoever waited may have gone already

    def _tell(self, notice: Notice) -> None:
        if isinstance(notice, LinkChanged):
            self._changed.set()
        for subscriber in tuple(self._subscribers):
            subscriber(notice)


def _same(one: CallerLocation, other: CallerLocation) -> bool:
    """Whether nothing new is told: a cell or an address asked for again bears the time of asking."""
    if one.source is Source.AML:
        return one == other
    return replace(one, time=None) == replace(other, time=None)
