"""The radio services of one control room put together: what its rooms and its control interface see of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulators.iccs.audit.record import Audit
from simulators.iccs.incidents import IncidentLog
from simulators.iccs.patch_panel import PatchPanel
from simulators.iccs.positions import Position
from simulators.iccs.radio_desk import RadioDesk
from simulators.iccs.radio_services.ambience import AmbienceDesk
from simulators.iccs.radio_services.microphones import McpttMicrophones, Microphones, TetraMicrophones
from simulators.iccs.radio_services.network import NetworkLink, RadioControl
from simulators.iccs.radio_services.patches import TalkgroupPatches
from simulators.iccs.radio_services.private_calls import RadioCalls
from simulators.iccs.radio_services.private_lines import McpttPrivateLine, PrivateLine, TetraPrivateLine
from simulators.iccs.radio_services.recordings import Recordings
from simulators.iccs.radio_services.regrouping import RegroupingDesk
from simulators.iccs.radio_services.unit_map import UnitMap
from simulators.iccs.radio_services.units import StatusMeaning, Units
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.lines import GatewayLine, McpttLine, TetraLine
from simulators.iccs.talkgroup_ways.mcptt_user import McpttUsers
from simulators.iccs.talkgroup_ways.way import RadioPermit


@dataclass(frozen=True, slots=True)
class RadioSurroundings:
    """What of the radio network an ICCS is told at its start."""

    gateways: tuple[GatewayLine, ...] = ()
    talkgroups: Mapping[str, int] = field(default_factory=dict)
    """Name to GSSI."""
    statuses: Mapping[int, StatusMeaning] = field(default_factory=dict)
    """By the value that goes over the air."""
    control: RadioControl | None = None
    """Where the network's control interface is, where it has one."""

    @property
    def names(self) -> tuple[str, ...]:
        """The talkgroups that there are, whatever reaches them."""
        return tuple(dict.fromkeys((*self.talkgroups, *(line.talkgroup for line in self.gateways))))


class RadioServices:
    """All of them."""

    def __init__(
        self,
        shared: Shared,
        radio: RadioDesk,
        panel: PatchPanel,
        incidents: IncidentLog,
        around: RadioSurroundings,
        permit: RadioPermit,
        audit: Audit,
        users: McpttUsers,
    ) -> None:
        self._gateways = around.gateways
        self._network = NetworkLink(shared, around.control)
        self.recordings = Recordings()
        self.patches = TalkgroupPatches(shared, radio, panel, audit)
        mcptt = dict.fromkeys(users.of(line) for line in around.gateways if isinstance(line, McpttLine))
        microphones: list[Microphones] = [
            TetraMicrophones(shared, self._network),
            *(McpttMicrophones(user, permit) for user in mcptt),
        ]
        self.ambience = AmbienceDesk(shared, panel, microphones, audit, self.recordings)
        self.regrouping = RegroupingDesk(shared, self._network, audit, around.talkgroups)
        self.unit_map = UnitMap(shared, (line.name for line in around.gateways))
        self.units = Units(shared, incidents, around.statuses)
        tetra = [line for line in around.gateways if isinstance(line, TetraLine) and line.private]
        lines: list[PrivateLine] = [
            *(TetraPrivateLine(shared, line, permit) for line in tetra),
            *(McpttPrivateLine(user, permit) for user in mcptt),
        ]
        self.calls = RadioCalls(shared, panel, self.recordings, lines)

    async def start(self) -> None:
        """Open lines and the link to the network. Raises LocalError, MediaError."""
        self.patches.relays.start()
        self.units.start(line.name for line in self._gateways)
        await self.calls.start()
        await self._network.start()

    async def gone(self, position: Position) -> None:
        """A position is about to log out: what it alone holds is given up."""
        await self.calls.gone(position)
        await self.ambience.gone(position)

    async def stop(self) -> None:
        """Give everything up."""
        self.patches.relays.stop()
        self.units.stop()
        self.unit_map.stop()
        await self.calls.stop()
        await self._network.stop()
