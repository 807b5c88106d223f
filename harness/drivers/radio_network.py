"""The radio network's driver: what whoever runs the network does and sees; cuts a site off, looks terminals up."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from harness.drivers.controlled import ControlledSimulator
from harness.transport.context import Context


class RadioNetworkControl(ControlledSimulator):
    """One simulated network, through its control interface.

    What the network tells is journalled under the component's name: ``site.link_lost`` {site}, ``site.fallback``,
    ``site.link_restored``, ``site.wide_again``, ``group.given`` {gssi, name, of}, ``group.unit`` {gssi, issi, state,
    attached, of}, ``ambience.begun`` {id, issi}, ``ambience.ended``, ``terminal.disabled`` {issi, told} and so on.
    """

    @classmethod
    async def open(cls, context: Context, name: str, *, control: str, token: str | None = None) -> RadioNetworkControl:
        """Connect to ``control`` (``http://host:port``). Raises DriverError."""
        return await cls(context, name)._connected(control, token)

    async def terminal(self, issi: int) -> dict[str, Any]:
        """Return what the network knows of a terminal: site, reached, disabled, gssi. Raises DriverError."""
        return dict(await self._link.ask("GET", f"/terminals/{issi}"))

    async def sites(self) -> list[dict[str, Any]]:
        """Return all sites: linked or not, in fallback or not."""
        return list(await self._link.ask("GET", "/sites"))

    async def cut_site(self, site: str) -> None:
        """Cut a site's link to the network: ``site.fallback`` follows. Raises DriverError."""
        await self._set_link(site, up=False)

    async def restore_site(self, site: str) -> None:
        """Restore it: ``site.wide_again`` follows. Raises DriverError."""
        await self._set_link(site, up=True)

    async def _set_link(self, site: str, *, up: bool) -> None:
        self._journal.record(self.name, "network.set_link", site=site, up=up)
        await self._link.ask("PUT", f"/sites/{quote(site, safe='')}/link", {"up": up})
