"""Room on a run's disk: a run begins only where there is enough, and ends in order while its report can be written."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from harness.errors import HarnessError

MIB: Final = 1024 * 1024
TO_BEGIN: Final = 256 * MIB
"""Bytes that must be free where a run is to begin; every suite together leaves some 100 MiB."""
TO_END: Final = 64 * MIB
"""Bytes left for the summary, the report and the run store: with less, a run ends with what it has reached."""
LOOK_S: Final = 0.5
"""How often it is looked at."""


class DiskFullError(HarnessError):
    """There is no room for what a run leaves."""


def check_room(folder: Path) -> None:
    """Raise DiskFullError where there is too little room for a run in a folder, which need not be there yet."""
    free = _free(folder)
    if free < TO_BEGIN:
        raise DiskFullError(
            f"{folder}: {free // MIB} MiB are free on its disk and a run may need {TO_BEGIN // MIB} MiB: make room "
            "(iccs runs prune takes away old runs' evidence), or name a folder on another disk with --out"
        )


@asynccontextmanager
async def with_room(folder: Path) -> AsyncIterator[None]:
    """Cancel what goes on in it when the room that ending needs is touched; DiskFullError is raised then."""

    async def look(limit: asyncio.Timeout) -> None:
        while _free(folder) >= TO_END:  # noqa: ASYNC110 - nobody tells of a disk
            await asyncio.sleep(LOOK_S)
        limit.reschedule(asyncio.get_running_loop().time())

    try:
        async with asyncio.timeout(None) as limit:
            looking = asyncio.create_task(look(limit))
            try:
                yield
            finally:
                looking.cancel()
    except TimeoutError:
        if not limit.expired():
            raise
        raise DiskFullError(
            f"{folder}: less than {TO_END // MIB} MiB are free on its disk: the run ends here, with what it has reached"
        ) from None


def _free(folder: Path) -> int:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free
