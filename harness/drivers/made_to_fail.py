"""What tests make fail: an ICCS's nodes, sites of the radio network and the switch, trunks; by a tester where real."""

from __future__ import annotations

from typing import Literal, Protocol

from harness.drivers.tester import Tester
from harness.errors import ExpectationError

TrunkFault = Literal["refusing", "silent"]


class CoreNodes(Protocol):
    """The nodes on which an ICCS runs."""

    async def serving_node(self) -> str:
        """Return the node that serves. Raises ExpectationError where none does."""

    async def kill_core_node(self, node: str) -> None:
        """Kill it. Raises DriverError."""

    async def repair_core_node(self, node: str) -> None:
        """Have it stand by again. Raises DriverError."""


class SiteLinks(Protocol):
    """The links of the radio network's sites."""

    async def cut_site(self, site: str) -> None:
        """Cut a site off. Raises DriverError."""

    async def restore_site(self, site: str) -> None:
        """Link it again. Raises DriverError."""


class SwitchFaults(Protocol):
    """Trunks and sites of an enterprise switch."""

    async def fail_trunk(self, trunk: str, fault: TrunkFault = "silent") -> None:
        """Make a trunk fail: ``refusing`` answers 503, ``silent`` is a cut wire. Raises DriverError."""

    async def mend_trunk(self, trunk: str) -> None:
        """Let it be well again. Raises DriverError."""

    async def cut_site(self, site: str) -> None:
        """Cut a site's wire to the centre. Raises DriverError."""

    async def mend_site(self, site: str) -> None:
        """Mend it. Raises DriverError."""


class ByHand:
    """All of these on real equipment: a tester is asked. Each raises NotPlayedError where the tester can't."""

    def __init__(self, name: str, tester: Tester) -> None:
        self.name = name
        self._tester = tester

    async def serving_node(self) -> str:
        """Return what the tester reads. Raises ExpectationError for an empty line: none serves."""
        node = await self._tester.tells(self.name, "which core node serves now? An empty line: none")
        if not node:
            raise ExpectationError(f"{self.name}: no core node serves, by what the tester sees")
        return node

    async def kill_core_node(self, node: str) -> None:
        """Have its power taken away."""
        await self._tester.breaks(
            self.name,
            f"node {node}",
            f"take the power of core node {node} away, without shutting it down",
            mended_by=f"start core node {node} again, and wait until it stands by",
        )

    async def repair_core_node(self, node: str) -> None:
        """Have it stand by again."""
        await self._tester.mends(self.name, f"node {node}")

    async def cut_site(self, site: str) -> None:
        """Have a site cut off."""
        await self._tester.breaks(
            self.name, f"site {site}", f"cut the link of site {site}", mended_by=f"link site {site} again"
        )

    async def restore_site(self, site: str) -> None:
        """Have it linked again."""
        await self._tester.mends(self.name, f"site {site}")

    async def mend_site(self, site: str) -> None:
        """Have it linked again."""
        await self.restore_site(site)

    async def fail_trunk(self, trunk: str, fault: TrunkFault = "silent") -> None:
        """Have a trunk fail."""
        how = "pull its wire" if fault == "silent" else "have its far end refuse calls with 503"
        await self._tester.breaks(
            self.name,
            f"trunk {trunk}",
            f"make trunk {trunk} fail: {how}",
            mended_by=f"make trunk {trunk} work again",
        )

    async def mend_trunk(self, trunk: str) -> None:
        """Have it well again."""
        await self._tester.mends(self.name, f"trunk {trunk}")

    async def close(self) -> None:
        """Do nothing: the tester is the bench's."""
