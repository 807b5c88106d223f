"""What consoles work by one technology: talkgroups, dispatchers' positions and radios, found in the testbed file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.drivers.console import Console
from harness.drivers.talking_radio import TalkingRadio, Technology
from harness.testbed.bench import Bench
from harness.testbed.components import (
    Binding,
    ConsoleComponent,
    IccsComponent,
    McpttTerminalComponent,
    RadioGatewayComponent,
    RadioTerminalComponent,
)
from harness.testbed.layouts import lack, laid_out
from harness.testbed.model import Testbed
from harness.testbed.radio_party import radio_talkgroups
from simulators.iccs.settings.ways import McpttWaySettings

GROUPS: Final = 3
"""Talkgroups that such a suite works at once."""
DISPATCHERS: Final = ("govan-31", "govan-32")
"""Positions of a real ICCS that are set up for the suite, where no layout tells what is worked there."""


@dataclass(frozen=True, slots=True)
class DeskParty:
    """Talkgroups that consoles work by one technology."""

    bench: Bench
    technology: Technology
    talkgroups: tuple[str, ...]
    """Those with most radios first; GROUPS of them."""
    consoles: tuple[str, ...]
    """Components at whose positions all of them are worked, in the file's order."""

    async def dispatcher(self, number: int = 0) -> Console:
        """Return a dispatcher's position. Raises as `lack` says where the testbed has no so many."""
        return await self.bench.console(self._nth(self.consoles, number, f"consoles that work {self._all}"))

    async def radio(self, talkgroup: str, number: int = 0) -> TalkingRadio:
        """Return a radio on a talkgroup. Raises as `lack` says where the testbed has no so many."""
        names = radio_talkgroups(self.bench.testbed, self.technology).get(talkgroup, [])
        return await self.bench.radio(self._nth(names, number, f"radios for {self.technology} on {talkgroup}"))

    async def radios(self) -> list[TalkingRadio]:
        """Return one radio of each talkgroup that has any."""
        on = radio_talkgroups(self.bench.testbed, self.technology)
        return [await self.radio(talkgroup) for talkgroup in self.talkgroups if talkgroup in on]

    @property
    def _all(self) -> str:
        return ", ".join(self.talkgroups)

    def _nth(self, names: Sequence[str], number: int, what: str) -> str:
        if number >= len(names):
            told = f"the testbed has {len(names)} {what} ({', '.join(names)}); {number + 1} are due"
            raise lack(self.bench.testbed, told)
        return names[number]

    @property
    def calls_as(self) -> int | str | None:
        """As whom consoles call one radio alone: an ISSI, or an MCPTT user's name; None where the file has none."""
        components = laid_out(self.bench.testbed).components.values()
        if self.technology is Technology.TETRA:
            lines = [each for each in components if isinstance(each, RadioGatewayComponent)]
            return next((each.issi for each in lines if each.use == "radio_calls"), None)
        ways = [
            each.simulator.radio.ways.get(self.talkgroups[0]) for each in components if isinstance(each, IccsComponent)
        ]
        return next((way.user for way in ways if isinstance(way, McpttWaySettings)), None)

    def named(self, radio: TalkingRadio) -> dict[str, object]:
        """How consoles name who talks on a radio: by ISSI, or by MCPTT ID; nothing where the technology tells neither.

        These are values of ``talker.shown`` and ``emergency.shown``.
        """
        component = self.bench.testbed.components[radio.name]
        if not isinstance(component, RadioTerminalComponent | McpttTerminalComponent):
            return {"issi": None}
        who = self.bench.console_id(radio.name)
        return {"issi": None, "mcptt_id": who} if isinstance(who, str) else {"issi": who}


def worked_by(testbed: Testbed, technology: Technology) -> list[str]:
    """Return the talkgroups that consoles work by a technology, in the file's order.

    A real ICCS has its own lines, of which the file knows nothing unless it stands for a layout: there the talkgroups
    are those of the radios, and for TETRA the others of the plan that no other technology's radio is on.
    """
    testbed = laid_out(testbed)
    iccss = [each for each in testbed.components.values() if isinstance(each, IccsComponent)]
    if any(each.binding is not Binding.SIMULATED for each in iccss):
        found = list(radio_talkgroups(testbed, technology))
        if technology is not Technology.TETRA:
            return found
        others = {name for each in Technology for name in radio_talkgroups(testbed, each) if each is not technology}
        return list(dict.fromkeys((*found, *(name for name in testbed.talkgroups if name not in others))))
    if technology is Technology.TETRA:
        gateways = [each for each in testbed.components.values() if isinstance(each, RadioGatewayComponent)]
        return [each.talkgroup for each in gateways if each.use == "talkgroup" and each.standby_of is None]
    ways = [way for each in iccss for way in each.simulator.radio.ways.items()]
    return [talkgroup for talkgroup, way in ways if Technology(way.by) is technology]


def desk_party(bench: Bench, technology: Technology) -> DeskParty | None:
    """Return what consoles work by a technology; None where the testbed has no GROUPS talkgroups at one console."""
    testbed = bench.testbed
    on = radio_talkgroups(testbed, technology)
    groups = sorted(worked_by(testbed, technology), key=lambda name: -len(on.get(name, [])))[:GROUPS]
    consoles = tuple(name for name, each in testbed.components.items() if _works(testbed, each, groups))
    return DeskParty(bench, technology, tuple(groups), consoles) if len(groups) == GROUPS and consoles else None


def _works(testbed: Testbed, console: object, talkgroups: list[str]) -> bool:
    """Whether a component is a console at whose position all these talkgroups are worked."""
    if not isinstance(console, ConsoleComponent):
        return False
    iccs = laid_out(testbed).components.get(console.of)
    if not isinstance(iccs, IccsComponent):
        return False
    if iccs.binding is not Binding.SIMULATED:
        return console.position in DISPATCHERS
    positions = {position.id: position for position in iccs.simulator.each_position()}
    position = positions.get(console.position)
    return position is not None and set(talkgroups) <= set(position.talkgroups)
