"""Calls with one radio, placed at a position: by a line kept for them, duplex, both sides recorded.

A position that places a call takes the first line that is free and reaches the radio.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Final

from harness.endpoints.media import MediaPort
from harness.errors import HarnessError, MediaError
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.radio_services.private_lines import PrivateLine, nobody
from simulators.iccs.radio_services.recordings import Recordings
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.way import RadioUser, told_of

ANSWERED_S: Final = 45.0
"""Seconds for which a radio may ring."""


@dataclass(slots=True, eq=False)
class _Call:
    id: str
    who: RadioUser
    position: Position
    jack: MediaPort
    line: PrivateLine
    work: asyncio.Task[None] | None = None
    port: MediaPort | None = None
    """The line's, once it is answered."""
    why: str | None = None
    """Why it ends, where its position ends it."""
    ending: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while its end is seen to: its port stays open until then."""

    @property
    def told(self) -> dict[str, Any]:
        """What all its events carry."""
        return {"radio_call": self.id, **told_of(self.who)}


class RadioCalls:
    """The calls with one radio of one control room."""

    def __init__(self, shared: Shared, panel: PatchPanel, recordings: Recordings, lines: Sequence[PrivateLine]) -> None:
        self._shared = shared
        self._panel = panel
        self._recordings = recordings
        self._lines = lines
        self._calls: dict[str, _Call] = {}
        """By the name of the line that has it."""
        self._number = count(1)
        self.began: Callable[[Position], None] = lambda _position: None
        """Called when a position places a call: what rings there rings elsewhere."""

    async def start(self) -> None:
        """Open every line. Raises LocalError, MediaError."""
        for line in self._lines:
            await line.start()

    async def stop(self) -> None:
        """Close every line."""
        for call in self._calls.values():
            call.line.ended = nobody
            if call.work is not None:
                call.work.cancel()
        for line in self._lines:
            await line.close()

    # What operators do

    def place(self, position: Position, who: RadioUser) -> dict[str, Any]:
        """Call a radio: the position is told ``radio_call.connected``, or ``radio_call.failed`` with the reason.

        Raises PositionError where the position is not free, or no line is.
        """
        position.seated()
        assert position.jack is not None
        if not position.free:
            raise PositionError(f"{position.id} is not free: it has a call or keys a talkgroup")
        lines = [each for each in self._lines if each.reaches(who)]
        line = next((each for each in lines if each.name not in self._calls), None)
        if line is None:
            raise PositionError(f"no line for calls with one radio is free; there are {len(lines)}")
        call = _Call(f"C-{next(self._number)}", who, position, position.jack, line)
        self._calls[line.name] = call
        line.ended = partial(self._over, call)
        position.radio_call = call.id
        self._shared.positions.tell(position, "radio_call.dialled", **call.told)
        self.began(position)
        self._shared.positions.settle(position)
        call.work = self._shared.spawn(self._call(call))
        return call.told

    async def _call(self, call: _Call) -> None:
        try:
            port = call.port = await call.line.call(call.who, within=ANSWERED_S)
            await self._recordings.begin(self._speakers(call, port))
            await port.hear(call.jack)
        except HarnessError as error:
            if not self._is_on(call):
                return  # the other side has ended it meanwhile
            call.line.ended = nobody
            if call.port is not None:
                await self._hang_up(call)
            self._free(call)
            self._shared.positions.tell(call.position, "radio_call.failed", **call.told, reason=str(error))
            return
        call.position.hears[call.id] = port
        self._panel.position(call.position)
        self._shared.positions.tell(call.position, "radio_call.connected", **call.told)

    @staticmethod
    def _speakers(call: _Call, port: MediaPort) -> dict[str, MediaPort]:
        return {"radio": port, "position": call.jack}

    async def _hang_up(self, call: _Call) -> None:
        try:
            await call.line.hang_up()
        except HarnessError as error:
            self._shared.journal.warn(call.line.name, "gateway.hang_up_failed", reason=str(error))

    async def clear(self, position: Position) -> None:
        """Clear the call. Raises PositionError where there is none."""
        call = next((each for each in self._calls.values() if each.position is position), None)
        if call is None:
            raise PositionError(f"{position.id} has no call with a radio")
        call.why = f"{position.id} cleared it"
        if call.port is None and call.work is not None:
            call.work.cancel()  # the request to the network is taken back
        else:
            await self._hang_up(call)
        await self._over(call, call.why)

    async def gone(self, position: Position) -> None:
        """A position logs out: its call is cleared."""
        if position.radio_call is not None:
            await self.clear(position)

    async def _over(self, call: _Call, reason: str) -> None:
        """A call has ended; its port is still there."""
        recording = None
        async with call.ending:
            if not self._is_on(call):
                return
            if call.port is not None:
                try:
                    await call.port.hear()
                    speakers = self._speakers(call, call.port)
                    kept = await self._recordings.end(speakers, "radio call", call.position.id, call.who)
                    recording = kept.id
                except MediaError as error:
                    self._shared.journal.warn("iccs", "recording.failed", reason=str(error))
            self._free(call)
        self._shared.positions.tell(
            call.position, "radio_call.ended", **call.told, reason=call.why or reason, recording=recording
        )

    def _is_on(self, call: _Call) -> bool:
        return self._calls.get(call.line.name) is call

    def _free(self, call: _Call) -> None:
        del self._calls[call.line.name]
        call.line.ended = nobody
        call.position.radio_call = None
        call.position.hears.pop(call.id, None)
        self._panel.position(call.position)
        self._shared.positions.settle(call.position)
