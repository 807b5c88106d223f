"""A control room of one's own: a testbed's simulators in a child process, and a bench on them, for one playing."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from harness.testbed.addresses import Addresses
from harness.testbed.bench import Bench, open_bench
from harness.testbed.child import simulators
from harness.testbed.load import load_testbed


@asynccontextmanager
async def open_room(testbed: Path) -> AsyncIterator[Bench]:
    """Start the simulators of a testbed on free ports and open a bench on them; both end with the block.

    Raises TestbedError where they don't come up, and what opening a bench raises.
    """
    model = load_testbed(testbed)
    origin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="iccs-play-") as folder:
        async with (
            _started(testbed, origin, Path(folder)) as addresses,
            open_bench(
                model,
                today=date.today(),  # noqa: DTZ011 - a permit is dated by the tester's calendar
                addresses=addresses,
                virtual=False,
                origin=origin,
            ) as bench,
        ):
            yield bench


@asynccontextmanager
async def _started(testbed: Path, origin: float, folder: Path) -> AsyncIterator[Addresses]:
    child = simulators(testbed, origin=origin, run_dir=folder)
    starting = asyncio.ensure_future(asyncio.to_thread(child.__enter__))
    try:
        yield await asyncio.shield(starting)
    finally:  # a child that was begun is ended, also where whoever began it was cancelled meanwhile
        await asyncio.wait((starting,))
        if starting.exception() is None:
            await asyncio.to_thread(child.__exit__, None, None, None)
