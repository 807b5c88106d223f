"""The calls of a load, hour by hour: callers at the trunk, advisers who answer by themselves, and incidents of some."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Final

from harness.drivers.call_load import CallLoad, LoadPlan, failed
from harness.drivers.load_shape import moments
from harness.endpoints.control_link import ControlClient
from harness.errors import DriverError, TestbedError
from harness.scenario.load_model.model import CallsLoad, Load
from harness.scenario.load_model.shape import by_the_hour
from harness.testbed.bench import Bench
from harness.testbed.components import IccsComponent

HOUR_S: Final = 3600.0
QUARTERS: Final = (1, 1, 1, 1)
OPENED_AT: Final = "control-01"
"""The position at which incidents are opened."""
GRADED_S: Final = 60.0
"""From a call to the incident that is opened of it: what the first scenario allows."""
WORKED_S: Final = 1_200.0
"""Mean seconds for which an incident is open. [p]"""


class CallsPart:
    """All calls of a load, at one control room: they share its advisers."""

    def __init__(self, bench: Bench, load: Load) -> None:
        self.came: Counter[str] = Counter()
        """``calls NUMBER``, ``answered NUMBER``, ``incidents``, and what failed."""
        self._bench = bench
        self._load = load
        self._began = bench.journal.now()

    async def play(self) -> None:
        """Play all of it, until the last caller has hung up. Raises TestbedError, and what opening drivers raises."""
        callers, desk = await self._bench.call_load(), self._desk()
        try:
            async with asyncio.TaskGroup() as group:
                for each in self._load.calls:
                    for hour, count in enumerate(by_the_hour(each.calls, self._load.hours)):
                        if count:
                            group.create_task(self._hour(callers, desk, each, hour, count))
        finally:
            await desk.close()

    def _desk(self) -> ControlClient:
        """The control interface of the ICCS, as a console without a headset has it: that would be 50 packets a second.

        Raises TestbedError where the testbed has no position for it.
        """
        for name, each in self._bench.testbed.components.items():
            if isinstance(each, IccsComponent):
                positions = [position.id for position in each.simulator.each_position()]
                if OPENED_AT not in positions:
                    raise TestbedError(f"{name} has no position {OPENED_AT!r}, at which a load's incidents are opened")
                token = each.simulator.control_token
                return ControlClient(
                    "incidents", self._bench.addresses.url(name, "http"), token.get_secret_value() if token else None
                )
        raise TestbedError(f"testbed {self._bench.testbed.name!r} has no iccs to call")

    async def _hour(self, callers: CallLoad, desk: ControlClient, load: CallsLoad, hour: int, count: int) -> None:
        rng = Random(f"calls {self._load.seed} {load.number} {hour}")
        comes = moments(rng, count, HOUR_S, parts=QUARTERS, mean_hold_s=load.talk_s)
        await self._until(hour * HOUR_S)
        plan = LoadPlan(
            number=load.number,
            calls=count,
            per_second=count / HOUR_S,
            hold_s=load.talk_s,
            answer_within_s=load.patience_s,
            record=False,
            speech=False,
            moments=comes,
        )
        async with asyncio.TaskGroup() as group:
            for each in comes:
                if rng.random() < load.incidents:
                    at, lasts_s = hour * HOUR_S + each.at_s + GRADED_S, rng.expovariate(1 / WORKED_S)
                    group.create_task(self._incident(desk, load.number, at, lasts_s))
            placed = await callers.place(plan)
        self.came[f"calls {load.number}"] += count
        self.came[f"answered {load.number}"] += count - len(failed(placed))

    async def _incident(self, desk: ControlClient, number: str, at: float, lasts_s: float) -> None:
        await self._until(at)
        journal, path = self._bench.journal, f"positions/{OPENED_AT}/incidents"
        try:
            opened = await desk.ask("POST", path, {"title": f"of a call to {number}"})
            journal.record(OPENED_AT, "incident.opened", incident=opened["id"])
            self.came["incidents"] += 1
            await asyncio.sleep(lasts_s)
            await desk.ask("POST", f"{path}/{opened['id']}/close")
            journal.record(OPENED_AT, "incident.closed", incident=opened["id"])
        except DriverError as error:
            journal.warn(OPENED_AT, "incident.failed", why=str(error))
            self.came["incidents that failed"] += 1

    async def _until(self, time_s: float) -> None:
        await asyncio.sleep(self._began + time_s - self._bench.journal.now())
