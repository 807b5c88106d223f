"""A radio keyed by a control line: its key, its carrier and its footswitch, and a guard against a key that sticks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from harness.endpoints.keying.ports import DevicePort, LinePort, ServerPort
from harness.endpoints.keying.wiring import Inputs, Wiring
from harness.errors import HarnessError, KeyingError, KeyingLocalError
from harness.transport.context import Context

SCHEME: Final = "rfc2217://"
DEBOUNCE_S: Final = 0.03
"""Seconds for which a footswitch must stay as it is before it counts."""
MAX_KEYED_S: Final = 60.0
"""Seconds after which the key is let go by itself (NICCS-RAD-024)."""
ECHO_WITHIN_S: Final = 0.5
"""Seconds within which an input that is wired to the key follows it."""

Told = Callable[[str, dict[str, object]], None]


def _nothing(_kind: str, _data: dict[str, object]) -> None:
    """Told of changes where nobody is."""


class KeyingLines:
    """One radio's lines, open.

    Events, under ``name``: ``line.keyed``, ``line.unkeyed`` {held_s}, ``line.stuck`` {held_s} (a warning),
    ``carrier.up``, ``carrier.down``, ``footswitch.pressed``, ``footswitch.released``, ``lines.lost`` {reason}.
    """

    def __init__(self, context: Context, name: str, wiring: Wiring, told: Told = _nothing) -> None:
        self.name = name
        self.wiring = wiring
        self._context = context
        self._journal = context.journal
        self._told = told
        self._port: LinePort | None = None
        self._inputs: Inputs | None = None
        self._carrier = False
        self._footswitch = False
        self._settles: asyncio.TimerHandle | None = None
        self._guard: asyncio.TimerHandle | None = None
        self._keyed_at: float | None = None
        self._setting = asyncio.Lock()
        self._letting_go: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._lost = ""

    @classmethod
    async def open(cls, context: Context, name: str, url: str, wiring: Wiring, *, told: Told = _nothing) -> KeyingLines:
        """Open the lines of ``url``, a device or ``rfc2217://host:port``, both outputs at rest from before it is open.

        ``told`` is given each event as well. Raises TransportError where it can't be opened, KeyingError where it
        carries no control lines, or only says that it does.
        """
        lines = cls(context, name, wiring, told)
        if url.startswith(SCHEME):
            host, _, port = url[len(SCHEME) :].rpartition(":")
            if not host or not port.isdecimal():
                raise KeyingLocalError(f"{url}: rfc2217://host:port is meant")
            lines._port = await ServerPort.open(host, int(port), wiring, lines._changed, lines._gone)
        else:
            lines._port = await DevicePort.open(url, wiring, lines._changed, lines._gone)
        return lines

    async def close(self) -> None:
        """Let the key go, and close. Again does nothing."""
        port = self._port
        if port is None:
            return
        try:
            if self.keyed and not self._lost:
                await self.unkey()
        finally:
            self._port = None
            for timer in (self._settles, self._guard):
                if timer is not None:
                    timer.cancel()
            if self._letting_go is not None:
                await asyncio.gather(self._letting_go, return_exceptions=True)
            await port.close()

    @property
    def keyed(self) -> bool:
        """Whether the radio is keyed by us."""
        return self._keyed_at is not None

    @property
    def carrier(self) -> bool:
        """Whether the radio tells that it receives."""
        return self._carrier

    @property
    def footswitch(self) -> bool:
        """Whether the footswitch is down."""
        return self._footswitch

    # The key

    async def key(self) -> None:
        """Key the radio. Raises KeyingLocalError where the lines are gone, KeyingError where the line does not move."""
        async with self._setting:
            if self.keyed:
                return
            port = self._there()
            try:
                await port.set(self.wiring.key, on=self.wiring.output(keyed=True))
                self._keyed_at = self._journal.now()
                await self._follows(keyed=True)
            except BaseException:
                await self._rest(port)
                raise
            self._guard = asyncio.get_running_loop().call_later(MAX_KEYED_S, self._stuck)
            self._say("line.keyed")

    async def unkey(self) -> None:
        """Let the key go. Raises KeyingLocalError where the lines are gone, KeyingError where it does not move."""
        async with self._setting:
            if self._keyed_at is None:
                return
            held = self._journal.now() - self._keyed_at
            if self._guard is not None:
                self._guard.cancel()
            port = self._there()
            await port.set(self.wiring.key, on=self.wiring.output(keyed=False))
            self._keyed_at = None
            await self._follows(keyed=False)
            self._say("line.unkeyed", held_s=round(held, 3))

    async def _rest(self, port: LinePort) -> None:
        """Put the key at rest after a failure, whatever comes of it."""
        self._keyed_at = None
        try:
            await port.set(self.wiring.key, on=self.wiring.output(keyed=False))
        except HarnessError as error:
            self._journal.warn(self.name, "line.not_at_rest", reason=str(error))

    async def _follows(self, *, keyed: bool) -> None:
        echo = self.wiring.echo
        if echo is None:
            return
        due = self.wiring.output(keyed=keyed)
        try:
            async with asyncio.timeout(ECHO_WITHIN_S):
                while self._inputs is None or self._inputs.of(echo) is not due:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise KeyingError(
                f"{self.name}: {echo.upper()} does not follow {self.wiring.key.upper()}: the line is not driven"
            ) from None

    def _stuck(self) -> None:
        self._journal.warn(self.name, "line.stuck", held_s=MAX_KEYED_S)
        self._told("line.stuck", {"held_s": MAX_KEYED_S})
        self._letting_go = asyncio.get_running_loop().create_task(self._let_go())

    async def _let_go(self) -> None:
        try:
            await self.unkey()
        except HarnessError as error:
            self._journal.warn(self.name, "line.not_at_rest", reason=str(error))

    def _there(self) -> LinePort:
        if self._port is None or self._lost:
            raise KeyingLocalError(f"{self.name}: its lines are {'gone: ' + self._lost if self._lost else 'closed'}")
        return self._port

    # What the radio tells

    def _changed(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._news.set()
        wiring = self.wiring
        if wiring.carrier is not None:
            carrier = inputs.of(wiring.carrier) is not wiring.carrier_inverted
            if carrier is not self._carrier:
                self._carrier = carrier
                self._say("carrier.up" if carrier else "carrier.down")
        if wiring.footswitch is not None:
            down = inputs.of(wiring.footswitch) is not wiring.footswitch_inverted
            if self._settles is not None:
                self._settles.cancel()
                self._settles = None
            if down is not self._footswitch:
                self._settles = asyncio.get_running_loop().call_later(DEBOUNCE_S, self._settled, down)

    def _settled(self, down: bool) -> None:
        self._settles = None
        self._footswitch = down
        self._say("footswitch.pressed" if down else "footswitch.released")

    def _gone(self, why: str) -> None:
        if self._port is None or self._lost:  # it is not open yet, or was told already
            return
        self._lost = why
        self._keyed_at = None
        if self._guard is not None:
            self._guard.cancel()
        self._journal.warn(self.name, "lines.lost", reason=why)
        self._told("lines.lost", {"reason": why})

    def _say(self, kind: str, **data: Any) -> None:
        self._journal.record(self.name, kind, **data)
        self._told(kind, data)
