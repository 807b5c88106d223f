"""A console driver as a plug-in: a console whose remote control takes a line of JSON for each act, over TCP.

It answers each line with ``{"done": {…}}`` or ``{"refused": "why"}``, and tells ``{"shown": KIND, "data": {…}}``
at any time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from harness.drivers.adapted_console import AdaptedConsole, Seat
from harness.errors import DriverError

ANSWERS_WITHIN_S = 5.0
MAX_LINE = 64 * 1024
"""Bytes of a line of the console's: what is longer ends the connection."""


class LineConsole(AdaptedConsole):
    """One position of such a console."""

    _writer: asyncio.StreamWriter | None = None
    _reading: asyncio.Task[None] | None = None
    _answer: asyncio.Future[Mapping[str, Any]] | None = None

    async def connect(self, address: str) -> None:
        """Connect to ``host:port``. Raises DriverError."""
        host, _, port = address.rpartition(":")
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                reader, self._writer = await asyncio.open_connection(host, int(port), limit=MAX_LINE)
        except (OSError, ValueError, TimeoutError) as error:
            raise DriverError(f"{self.name}: no console at {address!r}: {error}") from error
        self._reading = asyncio.create_task(self._read(reader))

    async def act(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Send the act's line, and return what the console says it gave."""
        if self._writer is None or self._answer is not None:
            raise DriverError(f"{self.name}: {name}: the console is not connected, or does something else")
        self._answer = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(json.dumps({"act": name, "position": self.position, **given}).encode() + b"\n")
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                said = await self._answer
        except (OSError, TimeoutError) as error:
            raise DriverError(f"{self.name}: {name} got no answer: {error}") from error
        finally:
            self._answer = None
        if "done" not in said:
            raise DriverError(f"{self.name}: {name} was refused: {said.get('refused')}")
        return dict(said["done"])

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                said = json.loads(line)
                if "shown" in said:
                    self.shows(str(said["shown"]), dict(said["data"]))
                elif self._answer is not None and not self._answer.done():
                    self._answer.set_result(said)
        except (OSError, ValueError, TypeError, KeyError) as error:
            self._journal.warn(self.name, "console.lost", reason=str(error))

    async def close(self) -> None:
        """Log out and disconnect. Again does nothing."""
        await super().close()
        if self._writer is not None:
            self._writer.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)


async def open_console(seat: Seat) -> LineConsole:
    """What the entry point names."""
    console = LineConsole(
        seat.context,
        seat.media,
        seat.name,
        seat.position,
        permit_dial=seat.permit_dial,
        permit_radio=seat.permit_radio,
    )
    try:
        await console.connect(seat.settings.get("address", ""))
        await console.log_in(None if seat.audio == "rtp" else seat.audio)
    except BaseException:
        await console.close()
        raise
    return console
