"""Waiting on the journal for one event of several kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from harness.journal import Event, Journal, matches


async def first_of(
    journal: Journal, source: str, kinds: Sequence[str], *, within: float, after: int = 0, **with_: Any
) -> Event:
    """Return the first event of any of ``kinds`` that matches and is younger than ``after``.

    Raises ExpectationError, which tells of the first kind, when none comes ``within`` seconds.
    """

    def fits(event: Event) -> bool:
        return any(matches(event, source, kind, with_) for kind in kinds)

    try:
        return await first_that(journal, source, fits, within=within, after=after)
    except TimeoutError:
        return await journal.expect(source, kinds[0], within=0, after=after, **with_)


async def first_that(
    journal: Journal, source: str | None, fits: Callable[[Event], bool], *, within: float, after: int = 0
) -> Event:
    """Return the first event of ``source``, or of anybody, that fits and is younger than ``after``.

    Raises TimeoutError when none comes ``within`` seconds.
    """
    came = asyncio.get_running_loop().create_future()

    def seen(event: Event) -> None:
        if source in (None, event.source) and fits(event) and not came.done():
            came.set_result(event)

    for event in journal.since(after):
        if source in (None, event.source) and fits(event):
            return event
    forget = journal.subscribe(seen)
    try:
        async with asyncio.timeout(within):
            found: Event = await came
            return found
    finally:
        forget()
