"""The nodes' clocks as a tester reads them, by SNTP; simulated ones can be set wrong."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from harness.endpoints.control_link import ControlClient
from harness.endpoints.sntp import Clock, ask_clock
from harness.errors import DriverError, NotPlayedError, SntpLocalError
from harness.protocols.sntp import Sample
from harness.transport.context import Context
from harness.transport.tap import Address


class NodeClocks:
    """The clocks of a testbed's nodes.

    Events, under a node's name: ``clock.read`` {offset_ms, uncertainty_ms, delay_ms, stratum, synchronised};
    ``clock.silent`` {reason} where it did not answer; ``clock.skewing`` {skew_ms} when a simulated one is set.
    """

    def __init__(
        self, context: Context, clock: Clock, nodes: Mapping[str, Address], control: ControlClient | None
    ) -> None:
        """``clock``: our own, seconds since 1970; ``control``: where simulated clocks are set wrong."""
        self._context = context
        self._journal = context.journal
        self._clock = clock
        self._nodes = dict(nodes)
        self._control = control

    @property
    def names(self) -> list[str]:
        """The nodes that tell their time."""
        return list(self._nodes)

    async def read(self, node: str) -> Sample:
        """Return how far a node's clock is ahead of ours. Raises DriverError where it has none or does not answer."""
        address = self._nodes.get(node)
        if address is None:
            raise DriverError(f"{node} tells no time; these do: {', '.join(self._nodes) or 'none'}")
        try:
            found = await ask_clock(self._context, address, self._clock)
        except SntpLocalError as error:
            self._journal.warn(node, "clock.silent", reason=str(error))
            raise DriverError(f"{node}: {error}") from error
        self._journal.record(
            node,
            "clock.read",
            offset_ms=round(found.offset_s * 1000, 3),
            uncertainty_ms=round(found.uncertainty_s * 1000, 3),
            delay_ms=round(found.delay_s * 1000, 3),
            stratum=found.stratum,
            synchronised=found.synchronised,
        )
        return found

    async def read_all(self) -> dict[str, Sample]:
        """Read every node's clock, one after the other. Raises DriverError at the first that does not answer."""
        return {node: await self.read(node) for node in self._nodes}

    async def set_skew(self, node: str, skew_ms: float) -> None:
        """Set a simulated node's clock wrong by so much, ahead or (below 0) behind; 0 sets it right.

        Raises DriverError where there is no simulated node of that name, NotPlayedError where none is simulated.
        """
        if self._control is None:
            raise NotPlayedError(f"{node}: only simulated clocks can be set, and none is simulated")
        self._journal.record(node, "clock.skewing", skew_ms=skew_ms)
        await self._control.ask("PUT", f"/clocks/{quote(node, safe='')}", {"skew_ms": skew_ms})

    async def close(self) -> None:
        """Disconnect; again does nothing."""
        if self._control is not None:
            await self._control.close()
