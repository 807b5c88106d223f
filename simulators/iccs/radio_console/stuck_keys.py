"""Keys that stick: a console's is let go by the ICCS, a radio's is told to those who monitor the talkgroup.

Theory. A position's transmission is timed from the press, so that a request that waits counts. A radio's is timed from
when its gateway shows the talker; only the network can end it, which it does after a time of its own, usually the same:
one that the network ends within SIGNALLING_S of ours was stuck as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from harness.journal import Event
from simulators.iccs.alarms import Alarm, Alarms
from simulators.iccs.positions import PositionError
from simulators.iccs.radio_desk import RadioDesk
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.way import LOST, talker_of, told_of

SIGNALLING_S = 0.2
"""By how much a gateway may see a transmission shorter than the network does: two frames and a margin."""


@dataclass(slots=True, eq=False)
class _Transmission:
    who: int | str | None
    since: float
    timer: asyncio.TimerHandle
    alarm: Alarm | None = None


class StuckKeys:
    """Watches every transmission that positions and gateways have to do with."""

    def __init__(self, shared: Shared, radio: RadioDesk, alarms: Alarms, lines: Mapping[str, str]) -> None:
        """``lines``: each gateway's talkgroup by its line's name."""
        self._shared = shared
        self._radio = radio
        self._alarms = alarms
        self._lines = lines
        self._pressed: dict[tuple[str, str], asyncio.TimerHandle] = {}
        """Of each position's keyed talkgroups."""
        self._talking: dict[str, _Transmission] = {}
        """Of each talkgroup's radios."""
        self._forget = shared.journal.subscribe(self._reported)

    def stop(self) -> None:
        """Watch no more."""
        self._forget()
        for timer in [*self._pressed.values(), *(each.timer for each in self._talking.values())]:
            timer.cancel()

    def _reported(self, event: Event) -> None:
        talkgroup = self._lines.get(event.source)
        if talkgroup is not None:
            self._heard(talkgroup, event)
        elif event.kind.startswith("ptt.") and event.source in self._shared.positions:
            self._keyed(event.source, str(event.data.get("talkgroup")), event.kind)

    # Consoles

    def _keyed(self, position: str, talkgroup: str, kind: str) -> None:
        before = self._pressed.pop((position, talkgroup), None) if kind in _ENDS or kind == "ptt.requested" else None
        if before is not None:
            before.cancel()
        if kind == "ptt.requested":
            within = self._shared.settings.radio.stuck_s
            loop = asyncio.get_running_loop()
            self._pressed[position, talkgroup] = loop.call_later(within, self._time_out, position)

    def _time_out(self, position_id: str) -> None:
        position = self._shared.positions.get(position_id)
        groups = list(position.keyed_groups)
        try:
            self._radio.unkey(position)
        except PositionError:  # it was let go in this very moment
            return
        after = self._shared.settings.radio.stuck_s
        alarm = self._alarms.raise_(
            "stuck_ptt", self._shared.now(), console=position_id, talkgroups=groups, after_s=after
        )
        self._shared.positions.tell(position, "ptt.timed_out", talkgroups=groups, after_s=after, alarm=alarm.id)

    # Radios

    def _heard(self, talkgroup: str, event: Event) -> None:
        match event.kind:
            case "radio.talker":
                who = talker_of(event.data)
                if talkgroup not in self._talking or self._talking[talkgroup].who != who:
                    self._over(talkgroup)
                    self._begin(talkgroup, who)
            case kind if kind in _OVER:
                self._over(talkgroup)

    def _begin(self, talkgroup: str, who: int | str | None) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._shared.settings.radio.stuck_s, self._stuck, talkgroup)
        self._talking[talkgroup] = _Transmission(who, loop.time(), timer)

    def _over(self, talkgroup: str) -> None:
        transmission = self._talking.get(talkgroup)
        if transmission is None:
            return
        lasted = asyncio.get_running_loop().time() - transmission.since
        if transmission.alarm is None and lasted >= self._shared.settings.radio.stuck_s - SIGNALLING_S:
            self._stuck(talkgroup)
        del self._talking[talkgroup]
        transmission.timer.cancel()
        if transmission.alarm is not None:
            self._alarms.end(transmission.alarm, "the transmission ended")

    def _stuck(self, talkgroup: str) -> None:
        transmission = self._talking[talkgroup]
        settings = self._shared.settings.radio
        about = {
            "talkgroup": talkgroup,
            **told_of(transmission.who),
            "alias": settings.shown_as(transmission.who),
            "after_s": settings.stuck_s,
        }
        transmission.alarm = self._alarms.raise_("stuck_talker", self._shared.now(), **about)
        for position in self._shared.positions:
            if position.streams and talkgroup in position.listening.talkgroups:
                self._shared.positions.tell(position, "talker.stuck", alarm=transmission.alarm.id, **about)


_ENDS = frozenset({"ptt.refused", "ptt.lost", "ptt.released"})
_OVER = frozenset({"radio.ceased", "radio.released", *LOST})
