"""Dynamic regrouping (DGNA): gives groups to chosen terminals over the air, takes them back, keeps who has attached.

Theory. A grouping is one group and the terminals that are to have it. Each terminal is a unit of it: ordered, then
after the network's delay attached (or assigned, where it is not to turn to the group), or out of reach, or full. A
terminal that was out of reach gets what it is due when it comes back. When the group is taken, it turns to the
talkgroup that it was on before. A terminal shows one report, `+CTDGR`, and that it turned, `+CTGS`: SHOWS_SELECTION.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from harness.protocols.pei.codes import GroupAct
from harness.protocols.pei.mobile_terminal import GROUP_GIVEN, GROUP_TAKEN, MAX_DYNAMIC_GROUPS
from harness.protocols.pei.unsolicited import GroupReport, SelectedGroup
from harness.protocols.tetra.identity import Tsi
from simulators.events import Events
from simulators.radio.config import RadioConfig
from simulators.radio.refusals import ControlError, UnknownThingError
from simulators.radio.terminal import SimulatedTerminal

FIRST_DYNAMIC_GSSI: Final = 15_000_001
"""GSSIs that the network gives away begin here, where the asker names none; a force's plan says otherwise [U]."""
MAX_GROUPINGS: Final = 256
SHOWS_SELECTION: Final = True
"""Whether a terminal that the network turns to a group writes `+CTGS` of its own accord [U]."""


class UnitState(StrEnum):
    """What has become of one terminal's regrouping."""

    ORDERED = "ordered"
    ATTACHED = "attached"
    ASSIGNED = "assigned"
    """It has the group, and was not to turn to it."""
    OUT_OF_REACH = "out of reach"
    FULL = "full"
    """It holds as many groups as it can."""


@dataclass(slots=True, eq=False)
class _Unit:
    terminal: SimulatedTerminal
    state: UnitState = UnitState.ORDERED
    before: int | None = None
    """The talkgroup that it was on when it was turned to this one."""


@dataclass(slots=True, eq=False)
class Grouping:
    """One group given over the air."""

    gssi: int
    name: str
    attach: bool
    units: dict[int, _Unit] = field(default_factory=dict)
    """By ISSI."""

    def shown(self) -> dict[str, Any]:
        """Return it as the control interface shows it."""
        states = [unit.state for unit in self.units.values()]
        return {
            "gssi": self.gssi,
            "name": self.name,
            "attach": self.attach,
            "units": {str(issi): unit.state.value for issi, unit in self.units.items()},
            "attached": states.count(UnitState.ATTACHED),
            "of": len(states),
        }


class Regrouping:
    """All groups that the network has given."""

    def __init__(
        self,
        config: RadioConfig,
        events: Events,
        draw: Callable[[], float],
        reachable: Callable[[SimulatedTerminal], bool],
        turned: Callable[[SimulatedTerminal], None],
    ) -> None:
        """``draw`` gives a delay, ``turned`` is called when a terminal's talkgroup has changed."""
        self._config = config
        self._events = events
        self._draw = draw
        self._reachable = reachable
        self._turned = turned
        self._groupings: dict[int, Grouping] = {}
        self._loop = asyncio.get_running_loop()
        self._timers: dict[tuple[int, int], asyncio.TimerHandle] = {}
        """By GSSI and ISSI."""
        self._kept: dict[tuple[int, int], tuple[Grouping, _Unit]] = {}
        """Groups that a terminal has still, as it was out of reach when they were taken."""

    def __contains__(self, gssi: int) -> bool:
        return gssi in self._groupings

    def get(self, gssi: int) -> Grouping:
        """Return a grouping. Raises UnknownThingError."""
        try:
            return self._groupings[gssi]
        except KeyError:
            raise UnknownThingError(f"the network has given nobody group {gssi}") from None

    def shown(self) -> list[dict[str, Any]]:
        """Return all groupings."""
        return [grouping.shown() for grouping in self._groupings.values()]

    def give(
        self, name: str, gssi: int | None, terminals: Iterable[SimulatedTerminal], *, attach: bool
    ) -> dict[str, Any]:
        """Give a group to terminals; without a GSSI a free one. Terminals are added to a group that is given already.

        Raises ControlError where too many groups are given.
        """
        gssi = self._free_gssi() if gssi is None else gssi
        grouping = self._groupings.get(gssi)
        if grouping is None:
            if len(self._groupings) >= MAX_GROUPINGS:
                raise ControlError(f"{MAX_GROUPINGS} groups are given already")
            grouping = self._groupings[gssi] = Grouping(gssi, name, attach)
        for terminal in terminals:
            issi = terminal.config.issi
            self._kept.pop((gssi, issi), None)
            if issi not in grouping.units:
                grouping.units[issi] = _Unit(terminal)
                self._later(grouping, issi)
        self._events.tell("group.given", gssi=gssi, name=grouping.name, of=len(grouping.units))
        return grouping.shown()

    def take(self, gssi: int) -> dict[str, Any]:
        """Take a group back from all its terminals. Raises UnknownThingError."""
        grouping = self.get(gssi)
        del self._groupings[gssi]
        for issi, unit in grouping.units.items():
            timer = self._timers.pop((gssi, issi), None)
            if timer is not None:
                timer.cancel()
            if unit.state in (UnitState.ATTACHED, UnitState.ASSIGNED):
                self._timers[gssi, issi] = self._loop.call_later(self._draw(), self._take_from, grouping, unit)
        self._events.tell("group.taken", gssi=gssi, name=grouping.name, of=len(grouping.units))
        return grouping.shown()

    def back(self, terminal: SimulatedTerminal) -> None:
        """A terminal can be reached again: it gets what it is due, and gives back what it should no longer have."""
        for (gssi, issi), (grouping, unit) in tuple(self._kept.items()):
            if issi == terminal.config.issi:
                del self._kept[gssi, issi]
                self._timers[gssi, issi] = self._loop.call_later(self._draw(), self._take_from, grouping, unit)
        for grouping in self._groupings.values():
            given = grouping.units.get(terminal.config.issi)
            if given is not None and str(grouping.gssi) not in terminal.machine.dynamic_groups:
                given.state = UnitState.ORDERED
                self._later(grouping, terminal.config.issi)

    def stop(self) -> None:
        """Order nothing more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _free_gssi(self) -> int:
        taken = {*self._config.talkgroups.values(), *(each.issi for each in self._config.terminals), *self._groupings}
        return next(
            gssi for gssi in range(FIRST_DYNAMIC_GSSI, FIRST_DYNAMIC_GSSI + len(taken) + 1) if gssi not in taken
        )

    def _later(self, grouping: Grouping, issi: int) -> None:
        key = (grouping.gssi, issi)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        self._timers[key] = self._loop.call_later(self._draw(), self._give_to, grouping, grouping.units[issi])

    def _give_to(self, grouping: Grouping, unit: _Unit) -> None:
        terminal, machine = unit.terminal, unit.terminal.machine
        self._timers.pop((grouping.gssi, terminal.config.issi), None)
        if not self._reachable(terminal):
            unit.state = UnitState.OUT_OF_REACH
        elif len(machine.dynamic_groups) >= MAX_DYNAMIC_GROUPS:
            unit.state = UnitState.FULL
        else:
            terminal.tell(GroupReport(GROUP_GIVEN, str(grouping.gssi), machine.identity.mni, 0))
            unit.state = UnitState.ATTACHED if grouping.attach else UnitState.ASSIGNED
            if grouping.attach and machine.selected != grouping.gssi:
                unit.before = machine.selected
                self._turn(terminal, grouping.gssi)
        self._events.tell(
            "group.unit",
            gssi=grouping.gssi,
            issi=terminal.config.issi,
            state=unit.state.value,
            attached=grouping.shown()["attached"],
            of=len(grouping.units),
        )

    def _take_from(self, grouping: Grouping, unit: _Unit) -> None:
        terminal, machine = unit.terminal, unit.terminal.machine
        issi = terminal.config.issi
        self._timers.pop((grouping.gssi, issi), None)
        if not self._reachable(terminal):
            self._kept[grouping.gssi, issi] = grouping, unit
            self._events.tell("group.kept", gssi=grouping.gssi, issi=issi, reason=UnitState.OUT_OF_REACH.value)
            return
        was_on_it = machine.selected == grouping.gssi
        terminal.tell(GroupReport(GROUP_TAKEN, str(grouping.gssi), machine.identity.mni, 0))
        if was_on_it:
            self._turn(terminal, self._provisioned(unit))
        self._events.tell("group.unit", gssi=grouping.gssi, issi=issi, state="removed", talkgroup=machine.selected)

    def _provisioned(self, unit: _Unit) -> int | None:
        """The talkgroup that a terminal turns to when a group is taken: the one before, or its codeplug's."""
        machine = unit.terminal.machine
        if unit.before in (*machine.groups.values(), *machine.dynamic_groups.values()):
            return unit.before
        name = unit.terminal.config.talkgroup
        return None if name is None else self._config.talkgroups[name]

    def _turn(self, terminal: SimulatedTerminal, gssi: int | None) -> None:
        machine = terminal.machine
        machine.selected = gssi
        if SHOWS_SELECTION:
            gtsi = None if gssi is None else Tsi(machine.identity.mcc, machine.identity.mnc, gssi).digits
            terminal.tell(SelectedGroup(GroupAct.NONE if gssi is None else GroupAct.SELECT, gtsi))
        self._turned(terminal)
