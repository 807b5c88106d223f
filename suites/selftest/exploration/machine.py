"""Explores what people can do at consoles and radios, in virtual time, and writes the shortest failure as a scenario.

Theory. Hypothesis draws acts; the model (`desk_model`) makes a scenario of them, which is played once the sequence is
complete. A playing that does not pass is the failure that Hypothesis then shortens. The file is written at each
failure: the last one, which Hypothesis plays as its answer, is the shortest.
"""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from desk_model import CALLERS, DISPATCHERS, GATEWAYS, RADIO, RADIOS, TAKERS, TELEPHONY, Call, Desk
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from harness.scenario.load import load_with_lines
from harness.scenario.player import Player
from harness.scenario.result import Result
from harness.testbed.bench import open_bench
from harness.testbed.load import load_testbed
from harness.transport.virtual_loop import VirtualLoop

SEED = 1
MAX_PLAYED = 24
"""Sequences that are played in one exploration; what would be drawn beyond, to shorten a failure, counts as passed."""
SCENARIO, TESTBED_FILE = "explored.yaml", "testbed.yaml"


def command(folder: Path) -> str:
    """The command that plays the failure again."""
    return f"iccs replay {folder / SCENARIO} --testbed {folder / TESTBED_FILE} --virtual --seed {SEED}"


def play(folder: Path) -> Result:
    """Play the folder's scenario."""

    async def played() -> Result:
        scenario, lines = load_with_lines(folder / SCENARIO)
        testbed = load_testbed(folder / TESTBED_FILE)
        async with open_bench(testbed, today=date(2026, 1, 1), addresses=None, virtual=True, seed=SEED) as bench:
            return await Player(scenario, bench, lines=lines).play()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(SEED)) as runner:
        return runner.run(played())


def explore(folder: Path, people: type[_Drawn], *, sequences: int, acts: int) -> None:
    """Let people play so many sequences of so many acts at most; always the same ones.

    Raises AssertionError for a sequence that does not pass: the shortest that was found is in ``folder`` then.
    """
    (folder / TESTBED_FILE).write_text(people.testbed, encoding="utf-8")
    played: dict[str, str | None] = {}
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: people(folder, played),
        settings=settings(
            max_examples=sequences,
            stateful_step_count=acts,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


class _Drawn(RuleBasedStateMachine):
    """A sequence that is drawn, and played at its end."""

    testbed: ClassVar = TELEPHONY + RADIO

    def __init__(self, folder: Path, played: dict[str, str | None]) -> None:
        """``played``: how each sequence that was played before fails, None where it passes: it is not played again."""
        super().__init__()
        self._folder = folder
        self._played = played
        self._desk = Desk()

    def teardown(self) -> None:
        """Play what was drawn."""
        if not self._desk.steps:
            return
        self._desk.finish()
        text = self._desk.text()
        if text not in self._played and len(self._played) < MAX_PLAYED:
            self._played[text] = self._failure(text)
        if self._played.get(text) is not None:
            (self._folder / SCENARIO).write_text(text, encoding="utf-8")
            raise AssertionError(f"{self._played[text]}\nPlay it again: {command(self._folder)}\n{text}")

    def _failure(self, text: str) -> str | None:
        """How a sequence fails; None where it passes. What an earlier failure left in the folder stays there."""
        with TemporaryDirectory(prefix="iccs-explore-") as folder:
            for name, each in ((SCENARIO, text), (TESTBED_FILE, self.testbed)):
                (Path(folder) / name).write_text(each, encoding="utf-8")
            result = play(Path(folder))
        return None if result.outcome == "passed" else f"{result.told()}: {result.steps[-1].line()}"

    @staticmethod
    def _one(data: st.DataObject, of: list[Any]) -> Any:
        return of[0] if len(of) == 1 else data.draw(st.sampled_from(of))


class Telephones(_Drawn):
    """What is done with calls."""

    testbed: ClassVar = TELEPHONY

    def _idle(self, caller: str) -> bool:
        return self._desk.call_of(caller) is None

    def _free(self, taker: str) -> bool:
        return self._desk.call_of(taker) is None

    def _ringing(self) -> list[Call]:
        return [call for call in self._desk.calls if not call.at]

    @precondition(lambda self: any(map(self._idle, CALLERS)))
    @rule(data=st.data(), number=st.sampled_from(["999", "101"]))
    def dial(self, data: st.DataObject, number: str) -> None:
        """Somebody calls."""
        self._desk.dial(self._one(data, [each for each in CALLERS if self._idle(each)]), number)

    @precondition(lambda self: self._ringing() and any(map(self._free, TAKERS)))
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """Any call that rings is answered."""
        taker = self._one(data, [each for each in TAKERS if self._free(each)])
        self._desk.answer(taker, self._one(data, self._ringing()))

    @precondition(lambda self: all(map(self._free, TAKERS)))
    @rule(taker=st.sampled_from(TAKERS))
    def ring(self, taker: str) -> None:
        """One taker rings the other."""
        self._desk.ring(taker)

    @precondition(lambda self: self._with_caller())
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        """A caller is put on hold."""
        self._desk.hold(*self._one(data, self._with_caller()))

    def _with_caller(self) -> list[tuple[str, Call]]:
        found = [(taker, self._desk.call_of(taker)) for taker in TAKERS if self._desk.held_at(taker) is None]
        return [(taker, call) for taker, call in found if call is not None and call.caller is not None]

    @precondition(lambda self: self._on_hold())
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """A caller is taken off hold."""
        self._desk.resume(*self._one(data, self._on_hold()))

    def _on_hold(self) -> list[tuple[str, Call]]:
        found = [(taker, self._desk.held_at(taker)) for taker in TAKERS if self._free(taker)]
        return [(taker, call) for taker, call in found if call is not None]

    @precondition(lambda self: self._with_caller() and any(map(self._free, TAKERS)))
    @rule(data=st.data())
    def transfer(self, data: st.DataObject) -> None:
        """A caller is passed on."""
        self._desk.transfer(*self._one(data, self._with_caller()))

    @precondition(lambda self: self._desk.calls)
    @rule(data=st.data())
    def hang_up(self, data: st.DataObject) -> None:
        """Somebody in a call ends it."""
        call = self._one(data, self._desk.calls)
        who = [*([] if call.caller is None else [call.caller]), *([] if call.held else call.at)]
        self._desk.hang_up(self._one(data, who), call)


class Radios(_Drawn):
    """What is done with talkgroups, patches and emergencies."""

    def _can_talk(self, radio: str) -> bool:
        return self._desk.is_quiet(RADIOS[radio][1])

    @precondition(lambda self: self._keyable())
    @rule(data=st.data())
    def key(self, data: st.DataObject) -> None:
        """A dispatcher talks."""
        self._desk.key(*self._one(data, self._keyable()))

    def _keyable(self) -> list[tuple[str, str]]:
        seats = [seat for seat in DISPATCHERS if seat not in self._desk.talks]
        return [(seat, group) for seat in seats for group in GATEWAYS if self._desk.is_quiet(group)]

    @precondition(lambda self: any(map(self._can_talk, RADIOS)))
    @rule(data=st.data())
    def press(self, data: st.DataObject) -> None:
        """A radio talks."""
        self._desk.press(self._one(data, [each for each in RADIOS if self._can_talk(each)]))

    @precondition(lambda self: self._desk.talks)
    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        """Whoever talks has spoken."""
        talker = self._one(data, list(self._desk.talks))
        (self._desk.unkey if talker in DISPATCHERS else self._desk.release)(talker)

    @precondition(lambda self: self._desk.patched is None and len(self._desk.talks) < 2)
    @rule(dispatcher=st.sampled_from(DISPATCHERS))
    def patch(self, dispatcher: str) -> None:
        """The talkgroups are patched."""
        self._desk.patch(dispatcher)

    @precondition(lambda self: self._desk.patched is not None)
    @rule(dispatcher=st.sampled_from(DISPATCHERS))
    def unpatch(self, dispatcher: str) -> None:
        """The patch is taken apart."""
        self._desk.unpatch(dispatcher)

    @precondition(lambda self: self._desk.emergency is None and any(map(self._can_talk, RADIOS)))
    @rule(data=st.data())
    def emergency(self, data: st.DataObject) -> None:
        """An officer is in danger."""
        self._desk.raise_emergency(self._one(data, [each for each in RADIOS if self._can_talk(each)]))

    @precondition(lambda self: self._desk.emergency is not None and not self._desk.emergency[1])
    @rule(dispatcher=st.sampled_from(DISPATCHERS))
    def acknowledge(self, dispatcher: str) -> None:
        """A dispatcher acknowledges it."""
        self._desk.acknowledge(dispatcher)

    @precondition(lambda self: self._desk.emergency is not None and self._desk.emergency[1] and not self._desk.talks)
    @rule(dispatcher=st.sampled_from(DISPATCHERS))
    def clear_emergency(self, dispatcher: str) -> None:
        """And clears it, when nobody talks any more."""
        self._desk.clear_emergency(dispatcher)

    @rule(dispatcher=st.sampled_from(DISPATCHERS), group=st.sampled_from(list(GATEWAYS)))
    def select(self, dispatcher: str, group: str) -> None:
        """A dispatcher hears a talkgroup in the headset."""
        self._desk.select(dispatcher, group)


class ControlRoom(Telephones, Radios):
    """Both."""

    testbed: ClassVar = TELEPHONY + RADIO
