"""The radio network's driver: what whoever runs the network does and sees; cuts a site off, looks terminals up."""

from __future__ import annotations

from collections.abc import Sequence
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

    async def power_cycle(self, issi: int) -> None:
        """Switch a terminal off and on. Raises DriverError."""
        self._journal.record(self.name, "network.power_cycle", issi=issi)
        await self._link.ask("POST", f"/terminals/{issi}/power-cycle")

    # Vehicles

    async def drive(self, issi: int, waypoints: Sequence[tuple[float, float]], *, speed_kmh: float) -> float:
        """Let the vehicle of a terminal go from waypoint to waypoint (degrees north and east); return metres of way.

        It reports its place as its ``tracker`` in the testbed file says; each report is journalled here as
        ``place.reported`` {issi, lat, lon, reason, travelled_m}. Raises DriverError.
        """
        self._journal.record(self.name, "network.drive", issi=issi, speed_kmh=speed_kmh)
        body = {"waypoints": [list(each) for each in waypoints], "speed_kmh": speed_kmh}
        return float((await self._link.ask("PUT", f"/terminals/{issi}/course", body))["length_m"])

    async def park(self, issi: int) -> None:
        """End a drive, and the reports. Raises DriverError where that vehicle is not under way."""
        self._journal.record(self.name, "network.park", issi=issi)
        await self._link.ask("DELETE", f"/terminals/{issi}/course")

    async def _set_link(self, site: str, *, up: bool) -> None:
        self._journal.record(self.name, "network.set_link", site=site, up=up)
        await self._link.ask("PUT", f"/sites/{quote(site, safe='')}/link", {"up": up})
