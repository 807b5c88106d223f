"""The radio of a load: dispatch talkgroups whose terminals talk by turns, each press heard by all the others."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

from harness.endpoints.pei import KeyOutcome, TerminalEquipment
from harness.errors import PeiLocalError
from harness.protocols.pei.codes import Grant
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.unsolicited import TransmissionGrant
from harness.scenario.load_model.model import SHORTEST_PRESS_S, RadioLoad
from harness.scenario.load_model.shape import exchanges
from harness.transport.context import Context
from simulators.radio.config import RadioConfig, TerminalConfig
from simulators.radio.network import RadioNetwork

BAUD: Final = 38_400
FIRST_GSSI: Final = 1_000
FIRST_ISSI: Final = 4_000_000
QUEUED_S: Final = 60.0
"""Longest wait for a floor that another has."""
AGAIN_S: Final = 0.5
"""After which a key is pressed again that met the end of the group's call, as people do."""
ATTEMPTS: Final = 3


class _Group:
    """One talkgroup: its lines, and who of them has been told of the transmission under way."""

    def __init__(self, gssi: int) -> None:
        self.gssi = gssi
        self.talkers: list[TerminalEquipment] = []
        self.heard_by: set[int] = set()

    def ear(self, number: int) -> Callable[[Unsolicited], None]:
        """What the line of a number is to call with each code."""

        def hear(code: Unsolicited) -> None:
            if isinstance(code, TransmissionGrant) and code.grant == Grant.GRANTED_TO_ANOTHER:
                self.heard_by.add(number)

        return hear


class RadioPart:
    """Some of a load's talkgroups, on a network of their own: no two talkgroups have to do with each other."""

    def __init__(self, context: Context, load: RadioLoad, groups: range, *, seed: int, network_seed: int) -> None:
        """``groups``: their numbers, from 0; ``seed``: of when keys are pressed."""
        self.came: Counter[str] = Counter()
        """``presses``, ``granted``, ``heard`` (once for each who heard one), ``unheard``, ``queued``, ``again``, and
        what failed."""
        self._context = context
        self._load = load
        self._seed = seed
        self._config = _network(load, groups, network_seed)

    async def play(self, lasts_s: float) -> None:
        """Play so many seconds, and what is under way then to its end. Raises TransportError, PeiLocalError."""
        network = await RadioNetwork.start(self._context, None, self._config, virtual=True)
        lines: list[TerminalEquipment] = []
        groups = {name: _Group(gssi) for name, gssi in self._config.talkgroups.items()}
        urls = {each["name"]: each["url"] for each in network.addresses()}
        try:
            for number, each in enumerate(self._config.terminals):
                line = await TerminalEquipment.open(self._context, each.name, urls[each.name], baud=BAUD)
                lines.append(line)
                group = groups[each.talkgroup or ""]
                line.on_event = group.ear(number)
                if each.role == "radio_terminal":
                    group.talkers.append(line)
            await asyncio.gather(*(line.register_services() for line in lines))
            await asyncio.gather(*(self._talk(group, lasts_s) for group in groups.values()))
        finally:
            for line in lines:
                line.close()
            await network.stop()

    async def _talk(self, group: _Group, lasts_s: float) -> None:
        loop, load = asyncio.get_running_loop(), self._load
        rng = Random(f"radio {self._seed} {group.gssi}")
        began, last = loop.time(), -1
        for at in exchanges(rng, round(load.presses_a_minute * lasts_s / 60), lasts_s, load):
            # Whoever has just spoken is answered by another.
            number = rng.randrange(len(group.talkers) - (last >= 0))
            last = number + (0 <= last <= number)
            hold_s = SHORTEST_PRESS_S + rng.expovariate(1 / (load.talk_s - SHORTEST_PRESS_S))
            await asyncio.sleep(began + at - loop.time())
            await self._press(group, group.talkers[last], hold_s)

    async def _press(self, group: _Group, line: TerminalEquipment, hold_s: float) -> None:
        self.came["presses"] += 1
        group.heard_by.clear()
        for _ in range(ATTEMPTS):
            try:
                outcome = await self._granted(line, await line.key(group.gssi))
                if outcome.granted:
                    await asyncio.sleep(hold_s)
                    await line.unkey(outcome.cc)
                    self._over(group)
                    return
            except PeiLocalError:  # journalled as the refused command, or the code, that it was
                pass
            self.came["again"] += 1
            await asyncio.sleep(AGAIN_S)
        self.came["failed"] += 1

    def _over(self, group: _Group) -> None:
        heard = len(group.heard_by)
        self.came["granted"] += 1
        self.came["heard"] += heard
        self.came["unheard"] += self._load.terminals - heard

    async def _granted(self, line: TerminalEquipment, outcome: KeyOutcome) -> KeyOutcome:
        if outcome.grant is Grant.QUEUED:
            self.came["queued"] += 1
            return await line.granted(outcome.cc, within=QUEUED_S)
        return outcome


def _network(load: RadioLoad, groups: range, seed: int) -> RadioConfig:
    talkgroups = {f"ops-{number:03}": FIRST_GSSI + number for number in groups}
    terminals = []
    for name, gssi in talkgroups.items():
        issi = FIRST_ISSI + 100 * (gssi - FIRST_GSSI)
        terminals.append(TerminalConfig(f"{name}-gateway", issi, name, role="radio_gateway", baud=BAUD))
        terminals += [
            TerminalConfig(f"{name}-unit-{each}", issi + each, name, baud=BAUD) for each in range(1, load.terminals + 1)
        ]
    return RadioConfig(talkgroups=talkgroups, terminals=terminals, seed=seed)
