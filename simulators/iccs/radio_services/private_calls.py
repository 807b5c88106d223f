"""Calls with one radio, placed at a position: by a gateway kept for them, duplex, both sides recorded.

One line carries one call at a time; a position that places a call takes the first that is free. Only duplex calls are
placed: a console that calls one officer talks as on a telephone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from harness.endpoints.media import MediaPort
from harness.endpoints.pei import TerminalEquipment
from harness.errors import HarnessError, LocalError, MediaError
from harness.journal import Event
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.radio_services.recordings import Recordings
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.lines import TetraLine
from simulators.iccs.talkgroup_ways.way import RadioPermit

ANSWERED_S: Final = 45.0
"""Seconds for which a radio may ring."""


@dataclass(slots=True, eq=False)
class _Call:
    id: str
    issi: int
    position: Position
    jack: MediaPort
    work: asyncio.Task[None] | None = None
    cc: int | None = None


@dataclass(slots=True, eq=False)
class _Line:
    line: TetraLine
    port: MediaPort
    terminal: TerminalEquipment | None = None
    call: _Call | None = None


class RadioCalls:
    """The calls with one radio of one control room."""

    def __init__(
        self,
        shared: Shared,
        panel: PatchPanel,
        recordings: Recordings,
        lines: list[TetraLine],
        permit: RadioPermit,
    ) -> None:
        self._shared = shared
        self._panel = panel
        self._recordings = recordings
        self._gateways = lines
        self._permit = permit
        self._lines: dict[str, _Line] = {}
        self._number = count(1)
        self._forget: Callable[[], None] = lambda: None
        self.began: Callable[[Position], None] = lambda _position: None
        """Called when a position places a call: what rings there rings elsewhere."""

    async def start(self) -> None:
        """Open every line; one that can't be had is opened when it is wanted. Raises LocalError, MediaError."""
        self._forget = self._shared.journal.subscribe(self._happened)
        for gateway in self._gateways:
            host, _, port = gateway.audio.removeprefix("rtp://").rpartition(":")
            if not host or not port.isdecimal():
                raise LocalError(f"gateway {gateway.name}: no audio jack at {gateway.audio!r}; rtp://host:port")
            local = "127.0.0.1" if host.startswith("127.") else "0.0.0.0"  # noqa: S104 - a real jack is elsewhere
            opened = await self._shared.media.open_port(f"iccs {gateway.name}", host=local)
            await opened.connect((host, int(port)), dtmf_payload_type=None, rests=True)
            self._lines[gateway.name] = line = _Line(gateway, opened)
            try:
                await self._ready(line)
            except HarnessError as error:
                self._shared.journal.warn(gateway.name, "gateway.out_of_service", reason=str(error))

    async def stop(self) -> None:
        """Close every line."""
        self._forget()
        for line in self._lines.values():
            if line.call is not None and line.call.work is not None:
                line.call.work.cancel()
            if line.terminal is not None:
                line.terminal.close()
            await line.port.close()

    async def _ready(self, line: _Line) -> TerminalEquipment:
        terminal = line.terminal
        if terminal is None:
            gateway = line.line
            terminal = line.terminal = await TerminalEquipment.open(
                self._shared.context, gateway.name, gateway.serial, baud=gateway.baud, permit=self._permit
            )
            await terminal.register_services()
        elif terminal.lost is not None:
            await terminal.reopen()
            await terminal.register_services()
        return terminal

    # What operators do

    def place(self, position: Position, issi: int) -> dict[str, Any]:
        """Call a radio: the position is told ``radio_call.connected``, or ``radio_call.failed`` with the reason.

        Raises PositionError where the position is not free, or no line is.
        """
        position.seated()
        assert position.jack is not None
        if not position.free:
            raise PositionError(f"{position.id} is not free: it has a call or keys a talkgroup")
        line = next((each for each in self._lines.values() if each.call is None), None)
        if line is None:
            raise PositionError(f"no line for calls with one radio is free; there are {len(self._lines)}")
        call = line.call = _Call(f"C-{next(self._number)}", issi, position, position.jack)
        position.radio_call = call.id
        self._shared.positions.tell(position, "radio_call.dialled", radio_call=call.id, issi=issi)
        self.began(position)
        self._shared.positions.settle(position)
        call.work = self._shared.spawn(self._call(line, call))
        return {"radio_call": call.id, "issi": issi}

    async def _call(self, line: _Line, call: _Call) -> None:
        try:
            terminal = await self._ready(line)
            call.cc = await terminal.call_terminal(call.issi, duplex=True, within=ANSWERED_S)
            await self._recordings.begin(self._speakers(line, call))
            await line.port.hear(call.jack)
        except HarnessError as error:
            if call.cc is not None:
                await self._hang_up(line)
            self._shared.positions.tell(
                call.position, "radio_call.failed", radio_call=call.id, issi=call.issi, reason=str(error)
            )
            self._free(line, call)
            return
        call.position.hears[call.id] = line.port
        self._panel.position(call.position)
        self._shared.positions.tell(call.position, "radio_call.connected", radio_call=call.id, issi=call.issi)

    @staticmethod
    def _speakers(line: _Line, call: _Call) -> dict[str, MediaPort]:
        return {"radio": line.port, "position": call.jack}

    async def _hang_up(self, line: _Line) -> None:
        if line.terminal is None:
            return
        try:
            await line.terminal.hang_up()
        except HarnessError as error:
            self._shared.journal.warn(line.line.name, "gateway.hang_up_failed", reason=str(error))

    async def clear(self, position: Position) -> None:
        """Clear the call. Raises PositionError where there is none."""
        line = next((each for each in self._lines.values() if each.call and each.call.position is position), None)
        if line is None or line.call is None:
            raise PositionError(f"{position.id} has no call with a radio")
        call = line.call
        if call.cc is None and call.work is not None:
            call.work.cancel()  # the request to the network is taken back
        else:
            await self._hang_up(line)
        await self._over(line, call, f"{position.id} cleared it")

    async def gone(self, position: Position) -> None:
        """A position logs out: its call is cleared."""
        if position.radio_call is not None:
            await self.clear(position)

    async def _over(self, line: _Line, call: _Call, reason: str) -> None:
        if line.call is not call:
            return
        self._free(line, call)
        recording = None
        if call.cc is not None:
            try:
                await line.port.hear()
                kept = await self._recordings.end(self._speakers(line, call), "radio call", call.position.id, call.issi)
                recording = kept.id
            except MediaError as error:
                self._shared.journal.warn("iccs", "recording.failed", reason=str(error))
        self._shared.positions.tell(
            call.position,
            "radio_call.ended",
            radio_call=call.id,
            issi=call.issi,
            reason=reason,
            recording=recording,
        )

    def _free(self, line: _Line, call: _Call) -> None:
        line.call = None
        call.position.radio_call = None
        call.position.hears.pop(call.id, None)
        self._panel.position(call.position)
        self._shared.positions.settle(call.position)

    def _happened(self, event: Event) -> None:
        line = self._lines.get(event.source)
        if line is None or line.call is None or line.call.cc is None:
            return
        call = line.call
        if event.kind == "pei.lost" or (event.kind == "radio.released" and event.data.get("cc") == call.cc):
            self._shared.spawn(self._over(line, call, str(event.data.get("cause", "the gateway's line is gone"))))
