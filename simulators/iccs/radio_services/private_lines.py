"""Lines for calls with one radio: a TETRA terminal kept for them, or the ICCS's user at an MCPTT server.

A line carries one call at a time. Only duplex calls are placed: a console that calls one officer talks as on a
telephone. Calls that come in are not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from harness.endpoints.mcptt import FullDuplexCall
from harness.endpoints.media import MediaPort
from harness.endpoints.pei import TerminalEquipment
from harness.errors import HarnessError, LocalError, McpttLocalError
from harness.journal import Event
from harness.protocols.mcptt.private import Commencement
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.lines import TetraLine
from simulators.iccs.talkgroup_ways.mcptt_user import McpttUser
from simulators.iccs.talkgroup_ways.way import RadioPermit, RadioUser, name_of

HANG_UP_S: Final = 5.0
"""Seconds within which the MCPTT server confirms that a call is over."""

Ended = Callable[[str], Coroutine[Any, Any, None]]
"""Awaited once the other side or the network has ended the call, with why; the line's port is there until then."""


class PrivateLine(Protocol):
    """One line."""

    name: str
    """The journal's source for what goes wrong with it."""
    ended: Ended

    def reaches(self, who: RadioUser) -> bool:
        """Whether it reaches such a radio."""

    async def start(self) -> None:
        """Open what stays open for good. Raises LocalError, MediaError."""

    async def call(self, who: RadioUser, *, within: float) -> MediaPort:
        """Call a radio; return the port that hears it and speaks to it, once it has answered.

        Raises HarnessError, with nothing held then.
        """

    async def hang_up(self) -> None:
        """End the call. Raises HarnessError."""

    async def close(self) -> None:
        """End the call and close everything."""


async def nobody(_why: str) -> None:
    """Nobody waits for the end of a call."""


class TetraPrivateLine:
    """A gateway terminal that is kept for them."""

    def __init__(self, shared: Shared, line: TetraLine, permit: RadioPermit) -> None:
        self.name = line.name
        self.ended: Ended = nobody
        self._shared = shared
        self._line = line
        self._permit = permit
        self._port: MediaPort | None = None
        self._terminal: TerminalEquipment | None = None
        self._cc: int | None = None
        self._forget: Callable[[], None] = lambda: None

    def reaches(self, who: RadioUser) -> bool:
        """Whether it has an ISSI."""
        return isinstance(who, int)

    async def start(self) -> None:
        """Plug into its jack, and open its line; one that can't be had is opened when it is wanted."""
        line = self._line
        host, _, port = line.audio.removeprefix("rtp://").rpartition(":")
        if not host or not port.isdecimal():
            raise LocalError(f"gateway {line.name}: no audio jack at {line.audio!r}; rtp://host:port")
        local = "127.0.0.1" if host.startswith("127.") else "0.0.0.0"  # noqa: S104 - a real jack is elsewhere
        self._port = await self._shared.media.open_port(f"iccs {line.name}", host=local)
        await self._port.connect((host, int(port)), dtmf_payload_type=None, rests=True)
        self._forget = self._shared.journal.subscribe(self._happened)
        try:
            await self._ready()
        except HarnessError as error:
            self._shared.journal.warn(line.name, "gateway.out_of_service", reason=str(error))

    async def _ready(self) -> TerminalEquipment:
        terminal = self._terminal
        if terminal is None:
            terminal = self._terminal = await TerminalEquipment.open(
                self._shared.context, self._line.name, self._line.serial, baud=self._line.baud, permit=self._permit
            )
            await terminal.register_services()
        elif terminal.lost is not None:
            await terminal.reopen()
            await terminal.register_services()
        return terminal

    async def call(self, who: RadioUser, *, within: float) -> MediaPort:
        """Call it."""
        assert isinstance(who, int)
        assert self._port is not None
        terminal = await self._ready()
        self._cc = await terminal.call_terminal(who, duplex=True, within=within)
        return self._port

    async def hang_up(self) -> None:
        """Clear the call."""
        self._cc = None
        if self._terminal is not None:
            await self._terminal.hang_up()

    async def close(self) -> None:
        """Close its line and its jack."""
        self._forget()
        if self._terminal is not None:
            self._terminal.close()
        if self._port is not None:
            await self._port.close()

    def _happened(self, event: Event) -> None:
        if event.source != self.name or self._cc is None:
            return
        if event.kind == "pei.lost" or (event.kind == "radio.released" and event.data.get("cc") == self._cc):
            self._cc = None
            self._shared.spawn(self.ended(str(event.data.get("cause", "the gateway's line is gone"))))


class McpttPrivateLine:
    """A user of an MCPTT server: registered by the ways to its groups."""

    def __init__(self, user: McpttUser, permit: RadioPermit) -> None:
        self.name = user.name
        self.ended: Ended = nobody
        self._user = user
        self._permit = permit
        self._call: FullDuplexCall | None = None

    def reaches(self, who: RadioUser) -> bool:
        """Whether it has an MCPTT ID of this user's domain."""
        return isinstance(who, str) and self._user.serves(who)

    async def start(self) -> None:
        """Nothing: the ways register."""

    async def call(self, who: RadioUser, *, within: float) -> MediaPort:
        """Call it, so that it rings (TS 24.379 clause 11.1.2)."""
        self._permit("call", name_of(who), 0)
        terminal = self._user.terminal
        if terminal is None:
            raise McpttLocalError(f"{self.name} is not registered")
        call = await terminal.private.place(str(who), duplex=True, commencement=Commencement.MANUAL, within=within)
        assert isinstance(call, FullDuplexCall)
        call.before_close = self._closes
        self._call = call
        return call.media.port

    async def hang_up(self) -> None:
        """End the call."""
        terminal = self._user.terminal
        if terminal is not None and self._call is not None and self._call.is_up:
            await terminal.private.hang_up(within=HANG_UP_S)

    async def close(self) -> None:
        """Nothing: the ways close the terminal, and with it its calls."""

    async def _closes(self, _port: MediaPort) -> None:
        call, self._call = self._call, None
        assert call is not None
        await self.ended(f"{call.sip.status} {call.sip.reason}".strip())
