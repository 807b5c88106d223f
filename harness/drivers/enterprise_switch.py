"""The enterprise switch as whoever runs it has it: its trunks and sites are made to fail, and mended."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from harness.drivers.made_to_fail import TrunkFault
from harness.endpoints.control_link import ControlClient
from harness.transport.context import Context

_HEALTHY: Final = None


class EnterpriseSwitch:
    """A simulated switch's faults. What is done is journalled under the component's name."""

    def __init__(self, context: Context, name: str, control: str, token: str | None) -> None:
        """``control``: the switch's ``http://host:port``."""
        self.name = name
        self._journal = context.journal
        self._client = ControlClient(name, control, token)

    async def close(self) -> None:
        """Disconnect; again does nothing."""
        await self._client.close()

    async def fail_trunk(self, trunk: str, fault: TrunkFault = "silent") -> None:
        """Make a trunk fail: ``refusing`` answers 503, ``silent`` is a cut wire. Raises DriverError."""
        await self._trunk(trunk, fault)

    async def mend_trunk(self, trunk: str) -> None:
        """Let a trunk be well again. Raises DriverError."""
        await self._trunk(trunk, _HEALTHY)

    async def _trunk(self, trunk: str, fault: str | None) -> None:
        self._journal.record(self.name, "switch.trunk", trunk=trunk, fault=fault)
        await self._client.ask("PUT", f"/trunks/{quote(trunk, safe='')}/fault", {"fault": fault})

    async def cut_site(self, site: str) -> None:
        """Cut a site's wire to the centre. Raises DriverError."""
        await self._site(site, cut=True)

    async def mend_site(self, site: str) -> None:
        """Mend it. Raises DriverError."""
        await self._site(site, cut=False)

    async def _site(self, site: str, *, cut: bool) -> None:
        self._journal.record(self.name, "switch.site", site=site, cut=cut)
        await self._client.ask("PUT", f"/sites/{quote(site, safe='')}/cut", {"cut": cut})

    async def freeze_meeting(self, number: str, *, on: bool = True) -> None:
        """Have the mixer of the meeting at a number hang, or go on: its parties stay in. Raises DriverError."""
        self._journal.record(self.name, "switch.meeting_frozen", meeting=number, on=on)
        await self._client.ask("PUT", f"/meetings/{quote(number, safe='')}/frozen", {"on": on})

    async def impair(self, line: str, **impairment: float) -> None:
        """Make what a line's telephones are sent bad, in the calls that it has now: ``loss``, ``delay_ms`` …

        The names are those of `harness.endpoints.media.Impairment`; none: well again. Raises DriverError.
        """
        self._journal.record(self.name, "switch.impair", line=line, **impairment)
        parties: list[dict[str, Any]] = await self._client.ask("GET", f"/parties?line={quote(line, safe='')}")
        for party in parties:
            await self._client.ask("PUT", f"/parties/{party['id']}/impairment", dict(impairment))
