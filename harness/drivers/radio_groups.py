"""Groups that the network gives a radio terminal and takes from it, and the cell that serves it, as its user sees."""

from __future__ import annotations

from harness.errors import DriverError
from harness.journal import Event, Journal
from harness.protocols.pei.codes import ServiceMode, describe
from harness.protocols.pei.mobile_terminal import GROUP_GIVEN
from harness.protocols.pei.unsolicited import SYSTEM_WIDE_SERVICES

TALKGROUP_MAX = 5_000
"""Talkgroups of one terminal's plan, those given over the air included."""


class RegroupedRadio:
    """The part of a terminal that the network can change.

    Events: ``group.given`` {talkgroup}, ``group.taken`` {talkgroup}, ``talkgroup.turned`` {talkgroup} where the network
    chose it, ``cell.shown`` {system_wide}: in fallback a cell is not; in direct mode ``gateway.seen`` {issi}.
    """

    name: str
    talkgroup: str | None
    _journal: Journal
    _talkgroups: dict[str, int]
    _names: dict[str, str]
    """Digits of a GSSI to the talkgroup's name."""
    _in_direct_mode = False
    """Whether it last told of direct mode: `+CTDGR` tells of a gateway or repeater then (EN 300 392-5, 6.14.10)."""

    def _gssi(self, talkgroup: str) -> int:
        try:
            return self._talkgroups[talkgroup]
        except KeyError:
            known = ", ".join(sorted(self._talkgroups)[:8]) or "none"
            raise DriverError(f"{self.name}: no talkgroup {talkgroup!r}; the plan has {known}") from None

    def _seen_regrouped(self, event: Event) -> None:
        """What the line reports of groups and cells; a group that is in no plan goes by its GSSI."""
        gssi = event.data.get("gssi")
        match event.kind:
            case "radio.mode":
                self._in_direct_mode = event.data.get("mode") != describe(ServiceMode, ServiceMode.TMO)
            case "radio.regrouped" if self._in_direct_mode:
                self._journal.record(self.name, "gateway.seen", issi=gssi)
            case "radio.regrouped" if gssi is not None:
                name = self._names.get(str(gssi), str(gssi))
                given = event.data.get("act") == GROUP_GIVEN
                if given and len(self._talkgroups) < TALKGROUP_MAX:
                    self._talkgroups.setdefault(name, int(gssi))
                    self._names.setdefault(str(gssi), name)
                self._journal.record(self.name, "group.given" if given else "group.taken", talkgroup=name)
            case "radio.group":
                self.talkgroup = None if gssi is None else self._names.get(str(gssi), str(gssi))
                self._journal.record(self.name, "talkgroup.turned", talkgroup=self.talkgroup)
            case "radio.cell":
                services = event.data.get("services")
                wide = None if services is None else bool(int(services) & SYSTEM_WIDE_SERVICES)
                self._journal.record(self.name, "cell.shown", system_wide=wide)
