"""The keyed radio driver: a radio that a control line keys, its carrier and footswitch; and a simulated one's hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.endpoints.control_link import ControlLink
from harness.endpoints.keying import KeyingLines, Wiring
from harness.errors import NotPlayedError
from harness.journal import Event
from harness.transport.context import Context

Permit = Callable[[str, str, int], None]
"""Asked ``key``, what the radio keys, and priority 0 before the line moves; raises InterlockError."""


class KeyedRadio:
    """One radio. Events, under the component's name, are those of `KeyingLines`: ``line.keyed``, ``carrier.up`` …"""

    def __init__(self, context: Context, name: str, lines: KeyingLines, target: str, permit: Permit) -> None:
        self.name = name
        self._journal = context.journal
        self._lines = lines
        self._target = target
        self._permit = permit
        self._control: ControlLink | None = None

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        *,
        url: str,
        wiring: Wiring,
        target: str,
        permit: Permit,
        control: str | None = None,
        token: str | None = None,
    ) -> KeyedRadio:
        """Open its lines, the key at rest; ``target`` is the talkgroup or channel that it keys.

        ``control`` is a simulated radio's control interface. Raises TransportError, KeyingError, DriverError.
        """
        lines = await KeyingLines.open(context, name, url, wiring)
        radio = cls(context, name, lines, target, permit)
        if control is not None:
            try:
                radio._control = await ControlLink.open(context, name, control, token, radio._told)
            except BaseException:
                await lines.close()
                raise
        return radio

    def _told(self, kind: str, data: dict[str, Any]) -> None:
        self._journal.record(self.name, kind, **data)

    async def close(self) -> None:
        """Let the key go and close. Raises KeyingError where the key can't be let go."""
        if self._control is not None:
            await self._control.close()
        await self._lines.close()

    @property
    def simulated(self) -> bool:
        """Whether carrier and footswitch can be moved from here."""
        return self._control is not None

    @property
    def keyed(self) -> bool:
        """Whether it is keyed by us."""
        return self._lines.keyed

    @property
    def carrier(self) -> bool:
        """Whether the radio tells that it receives."""
        return self._lines.carrier

    @property
    def footswitch(self) -> bool:
        """Whether the footswitch is down."""
        return self._lines.footswitch

    async def key(self) -> None:
        """Key the radio. Raises InterlockError (the line has not moved then), KeyingError, KeyingLocalError."""
        self._permit("key", self._target, 0)
        await self._lines.key()

    async def unkey(self) -> None:
        """Let the key go. Raises KeyingError, KeyingLocalError."""
        await self._lines.unkey()

    async def set_carrier(self, up: bool) -> None:
        """Let a simulated radio receive, or no longer. Raises NotPlayedError on a real one."""
        await self._ask("PUT", "/carrier", {"on": up})

    async def press_footswitch(self, down: bool) -> None:
        """Press a simulated radio's footswitch, or let it go. Raises NotPlayedError on a real one."""
        await self._ask("PUT", "/footswitch", {"on": down})

    async def _ask(self, method: str, path: str, body: dict[str, Any]) -> None:
        if self._control is None:
            raise NotPlayedError(f"{self.name} is real: only a simulator has a control interface")
        await self._control.ask(method, path, body)

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that comes, or raise ExpectationError telling what did come."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)
