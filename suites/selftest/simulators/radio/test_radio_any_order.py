"""Terminals, groups and a gateway, in any order: one talker a group, emergencies in time, and only the holder is heard.

A Hypothesis state machine over the simulated network in virtual time, by real PEI engines on serial lines. It has to
find a fault that is sown: each of those at the end breaks one rule of the simulator, in a subclass that is only here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from radio_field import GROUPS, HANG_S, MAX_TALK_S, NAMES, Field

from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY
from harness.transport.virtual_loop import VirtualLoop
from simulators.radio import group_call, network
from simulators.radio.floor import Demand, Floor
from simulators.radio.group_call import GroupCall
from simulators.radio.terminal import SimulatedTerminal

PRE_EMPTIVE = 12
WHO = st.sampled_from(NAMES)
AFTER_S = st.sampled_from([0.0, 0.03, 0.1, 0.3, 1.0, 4.0])
"""How long after a step the next comes."""


class Radios(RuleBasedStateMachine):
    """What officers do."""

    SPEECH = False

    def __init__(self) -> None:
        super().__init__()
        self.runner: asyncio.Runner | None = None
        self.field: Field

    def run(self, work: Coroutine[Any, Any, Any], after: float = 0.0) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(600):
                await work
                await asyncio.sleep(after)

        assert self.runner is not None
        self.runner.run(bounded())

    @initialize(seed=st.integers(0, 1000))
    def up(self, seed: int) -> None:
        self.runner = asyncio.Runner(loop_factory=lambda: VirtualLoop(seed))
        self.runner.__enter__()

        async def begin() -> None:
            self.field = await Field.open(seed, speech=self.SPEECH)

        self.run(begin())

    def pressed(self, name: str) -> bool:
        return self.field.officers[name].press is not None

    @rule(name=WHO, priority=st.sampled_from([0, 0, 0, PRE_EMPTIVE]), after=AFTER_S)
    def press(self, name: str, priority: int, after: float) -> None:
        if self.field.officers[name].plugged and not self.pressed(name):
            self.run(self._press(name, priority), after)

    @rule(name=WHO, after=AFTER_S)
    def emergency(self, name: str, after: float) -> None:
        if self.field.officers[name].plugged and not self.pressed(name):
            self.run(self._press(name, EMERGENCY_CALL_PRIORITY), after)

    async def _press(self, name: str, priority: int) -> None:
        self.field.press(name, priority)

    @rule(name=WHO, after=AFTER_S)
    def release(self, name: str, after: float) -> None:
        if self.pressed(name):
            self.run(self.field.release(name), after)

    @rule(name=WHO, group=st.sampled_from(list(GROUPS.values())), after=AFTER_S)
    def move(self, name: str, group: int, after: float) -> None:
        if self.field.officers[name].plugged and self.field.officers[name].group != group:
            self.run(self.field.move(name, group), after)

    @rule(name=WHO, after=AFTER_S)
    def pull(self, name: str, after: float) -> None:
        if self.field.officers[name].plugged:
            self.run(self.field.pull(name), after)

    @rule(name=WHO, after=AFTER_S)
    def plug(self, name: str, after: float) -> None:
        if not self.field.officers[name].plugged:
            self.run(self.field.plug(name), after)

    @precondition(lambda self: self.SPEECH)
    @rule()
    def listen(self) -> None:
        self.run(self.field.listened())

    async def _all_let_go(self) -> None:
        """No floor is lost for ever: when all have let go, and long enough after, each is granted to who presses."""
        field = self.field
        for name, officer in field.officers.items():
            if officer.press is not None:
                await field.release(name)
            if not officer.plugged:
                await field.plug(name)
        await asyncio.sleep(MAX_TALK_S + HANG_S + 2.0)
        for group in GROUPS.values():
            on = [officer for officer in field.officers.values() if officer.group == group]
            if not on:
                continue
            field.press(on[0].name, 0)
            await asyncio.sleep(1.0)
            if on[0].state is not CallState.TALKING:
                field.wrong.append(f"nobody talks on {group} and {on[0].name} is not granted it: {on[0].state.value}")
            for other in on[1:]:
                if other.hears != on[0].name:
                    field.wrong.append(f"{on[0].name} talks on {group} and {other.name} is shown {other.hears}")
            await field.release(on[0].name)
        await asyncio.sleep(HANG_S + 1.0)
        await field.listened()

    @invariant()
    def nothing_is_wrong(self) -> None:
        if self.runner is not None:
            assert not self.field.wrong, "\n".join(self.field.wrong)

    def teardown(self) -> None:
        if self.runner is None:
            return
        try:
            if not self.field.wrong:
                self.run(self._all_let_go())
            self.nothing_is_wrong()
        finally:
            self.run(self.field.close())
            self.runner.close()


class SpeakingRadios(Radios):
    """The same with speech, which takes ten times as long."""

    SPEECH = True


# Not shrunk, which takes minutes: who looks into a failure adds Phase.shrink.
_SETTINGS = settings(
    deadline=None,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MANY, FEW = settings(_SETTINGS, max_examples=40), settings(_SETTINGS, max_examples=4)


def test_one_talker_a_group_emergencies_in_time_and_no_floor_is_lost() -> None:
    run_state_machine_as_test(Radios, settings=MANY)


def test_what_is_heard_is_what_the_holder_said_and_nobody_else() -> None:
    run_state_machine_as_test(SpeakingRadios, settings=FEW)


# Faults that are sown


class NobodyPreEmpts(Floor):
    """An emergency waits its turn."""

    @staticmethod
    def _pre_empts(demand: Demand, holder: Demand) -> bool:
        return False


class NobodyIsToldTheTalker(GroupCall):
    """Who is pre-empted is not told, and talks on."""

    def _show_talker(self, terminal: SimulatedTerminal) -> None:
        if terminal.machine.calls.get(self._cc(terminal)) is not CallState.TALKING:
            super()._show_talker(terminal)


class NobodyIsNext(Floor):
    """A floor that comes free is given to nobody who waits."""

    def next(self) -> Demand | None:
        return None


class NeverCut(GroupCall):
    """Who let the key go is heard until another talks."""

    def cease(self, terminal: SimulatedTerminal) -> None:
        super().cease(terminal)
        self._timers.cancel("cut")

    def _ceased(self, was_talking: bool, by: SimulatedTerminal) -> None:
        super()._ceased(was_talking, by)
        self._timers.cancel("hang")


FAULTS = [
    (group_call, "Floor", NobodyPreEmpts, Radios, "emergency on .* has no floor"),
    (network, "GroupCall", NobodyIsToldTheTalker, Radios, "both talk on"),
    (group_call, "Floor", NobodyIsNext, Radios, "has no floor"),
    (network, "GroupCall", NeverCut, SpeakingRadios, "who has no floor there"),
]


@pytest.mark.parametrize(
    ("module", "name", "fault", "machine", "told"), FAULTS, ids=[each[2].__name__ for each in FAULTS]
)
def test_a_fault_that_is_sown_is_found(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, fault: type, machine: type[Radios], told: str
) -> None:
    monkeypatch.setattr(module, name, fault)
    with pytest.raises(AssertionError, match=told):
        run_state_machine_as_test(machine, settings=settings(_SETTINGS, max_examples=100))
