"""Sites and their links: a site that loses its link to the network falls back to itself, and comes back with it.

Theory. Terminals that a linked site serves are of one network; each site without its link is an island, whose terminals
reach one another alone (fallback, or local site trunking). A terminal whose site changes over is off the air for as
long as that takes: its call is released, `+CREG` shows it unregistered, then registered again, and `+CTBCT` tells
whether the cell offers system-wide services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from harness.protocols.pei.codes import Registration
from harness.protocols.pei.unsolicited import SYSTEM_WIDE_SERVICES, Broadcast, NetworkRegistration
from simulators.events import Events
from simulators.radio.config import Delay, RadioConfig
from simulators.radio.refusals import UnknownThingError
from simulators.radio.terminal import SimulatedTerminal
from simulators.radio.timers import Timers

CELL_SERVICES: Final = 0b110000100000
"""BS service details of a cell in fallback: registration and de-registration needed, TETRA voice [U]."""


class Sites:
    """All sites of one network, and which of them are cut off."""

    def __init__(
        self,
        config: RadioConfig,
        events: Events,
        timers: Timers,
        terminals: Callable[[], Iterable[SimulatedTerminal]],
        leaves: Callable[[SimulatedTerminal], None],
        arrives: Callable[[SimulatedTerminal], None],
    ) -> None:
        """``leaves`` takes a terminal out of its call, ``arrives`` is called when it can be reached again."""
        self._events = events
        self._timers = timers
        self._delay: Delay = config.delays.change_over
        self._terminals = terminals
        self._leaves = leaves
        self._arrives = arrives
        self._linked = dict.fromkeys(config.sites, True)
        self._islands: set[str] = set()
        """Sites that work by themselves; a site that changes over is what it was until it is done."""

    def is_linked(self, terminal: SimulatedTerminal) -> bool:
        """Whether the network reaches the terminal's site."""
        return self.island(terminal) == ""

    def island(self, terminal: SimulatedTerminal) -> str:
        """Which part of the network a terminal is in: its site's name where that works by itself, else empty."""
        site = terminal.config.site
        return site if site in self._islands else ""

    def shown(self) -> list[dict[str, Any]]:
        """Return all sites."""
        return [
            {"site": site, "linked": linked, "fallback": site in self._islands} for site, linked in self._linked.items()
        ]

    def set_link(self, site: str, *, up: bool) -> None:
        """Cut a site's link or restore it; what is so already stays. Raises UnknownThingError."""
        if site not in self._linked:
            raise UnknownThingError(f"there is no site {site!r}; there is {', '.join(self._linked)}")
        if self._linked[site] is up:
            return
        self._linked[site] = up
        self._events.tell("site.link_restored" if up else "site.link_lost", site=site)
        for terminal in self._served(site):
            self._leaves(terminal)
            terminal.tell(NetworkRegistration(Registration.NONE))
        self._timers.after(f"change over {site}", self._delay, lambda: self._changed_over(site))

    def _served(self, site: str) -> list[SimulatedTerminal]:
        return [each for each in self._terminals() if each.config.site == site and each.may_register]

    def _changed_over(self, site: str) -> None:
        linked = self._linked[site]
        if linked:
            self._islands.discard(site)
        else:
            self._islands.add(site)
        self._events.tell("site.wide_again" if linked else "site.fallback", site=site)
        for terminal in self._served(site):
            terminal.register()
            services = CELL_SERVICES | (SYSTEM_WIDE_SERVICES if linked else 0)
            terminal.tell(Broadcast(terminal.location_area, services))
            self._arrives(terminal)
