"""Makes the ways that gateways' lines describe."""

from __future__ import annotations

from harness.endpoints.media import MediaService
from harness.errors import LocalError
from harness.transport.context import Context
from simulators.iccs.talkgroup_ways.lines import GatewayLine, McpttLine, RoipLine, TetraLine
from simulators.iccs.talkgroup_ways.mcptt import McpttWay
from simulators.iccs.talkgroup_ways.mcptt_user import McpttUsers
from simulators.iccs.talkgroup_ways.roip import RoipWay
from simulators.iccs.talkgroup_ways.tetra import TetraWay
from simulators.iccs.talkgroup_ways.way import DialPermit, RadioPermit, TalkgroupWay


class Ways:
    """Those of one ICCS; lines of one MCPTT user share it."""

    def __init__(
        self,
        context: Context,
        media: MediaService,
        permit_radio: RadioPermit,
        permit_dial: DialPermit,
        users: McpttUsers,
    ) -> None:
        self._context = context
        self._media = media
        self._permit_radio = permit_radio
        self._permit_dial = permit_dial
        self._users = users

    def make(self, line: GatewayLine, gssi: int | None) -> TalkgroupWay:
        """Return a line's way; nothing is open yet. Raises LocalError for a TETRA talkgroup without a GSSI."""
        match line:
            case McpttLine():
                return McpttWay(self._context.journal, self._users.of(line), line, self._permit_radio)
            case RoipLine():
                return RoipWay(self._context, self._media, line, self._permit_radio, self._permit_dial)
            case TetraLine() if gssi is not None:
                return TetraWay(self._context, self._media, line, gssi, self._permit_radio)
        raise LocalError(f"gateway {line.name}: talkgroup {line.talkgroup} has no GSSI")
