"""A person in a console's seat: acts are known by what the console shows, timed, and scored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from harness.drivers.console import Console
from harness.errors import DriverError
from harness.scenario.result import Result, score
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from suites.selftest.scenario.benches import player, virtual_bench

pytestmark = pytest.mark.virtual_time

STEPS = """\
- dispatcher: {key: GD-OPS-1}
  within: 5 s
  hint: Call the unit
- dispatcher: unkey
  within: 10 s
- expect: {on: officer, event: talker.ended, within: 2 s}
- dispatcher: {open_incident: Test}
  as: incident
  within: 20 s
- dispatcher: {note_incident: {incident: "${incident}", text: seen}}
- dispatcher: {hand_over: {incident: "${incident}", to: colleague}}
  within: 5 s
- expect: {on: colleague, event: incident.received, with: {incident: "${incident}"}, within: 2 s}
"""

Person = Callable[[Console], Awaitable[None]]


async def sits_down(bench: Bench) -> Console:
    """A person at govan-31: a console of their own, on the same interface as any other program's."""
    return await Console.open(
        bench.context,
        bench._media,
        "person",
        control=bench.addresses.url("iccs", "http"),
        position="govan-31",
        permit_dial=bench.interlock.dial,
        permit_radio=bench.interlock.radio,
    )


async def with_person(folder: Path, person: Person, steps: str = STEPS) -> Result:
    async with virtual_bench(folder) as bench:
        playing = asyncio.create_task(player(folder, bench, steps, seats=("dispatcher",)).play())
        console = await sits_down(bench)
        acting = asyncio.ensure_future(person(console))
        try:
            return await playing
        finally:
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)
            await console.close()


def acts(key_after: float, talkgroup: str = "GD-OPS-1") -> Person:
    async def person(console: Console) -> None:
        await asyncio.sleep(key_after)
        await console.key(talkgroup)
        await asyncio.sleep(3.0)
        await console.unkey()
        await asyncio.sleep(2.0)
        incident = await console.open_incident("A person's title")
        await asyncio.sleep(1.0)
        await console.hand_over(incident, "govan-32")

    return person


async def test_what_a_person_does_in_time_is_seen_kept_and_scored(tmp_path: Path) -> None:
    result = await with_person(tmp_path, acts(2.0))
    assert result.outcome == "passed", [step.line() for step in result.steps]
    theirs = [step for step in result.steps if step.person == "dispatcher"]
    assert [step.done for step in theirs] == ["done", "done", "done", "unscored", "done"]
    assert theirs[0].took == pytest.approx(2.0, abs=0.5) and theirs[0].due_s == 5.0
    assert str(result.scores["dispatcher"]) == "100 %: 4 of 4 steps in time, 0 late, 0 missed"
    assert "unscored" in theirs[3].line() and "not scored" in theirs[3].reason


async def test_what_a_person_does_late_is_told_and_the_scenario_goes_on(tmp_path: Path) -> None:
    result = await with_person(tmp_path, acts(8.0))
    assert result.outcome == "passed"
    assert result.steps[0].done == "late"
    assert str(result.scores["dispatcher"]) == "88 %: 3 of 4 steps in time, 1 late, 0 missed"


async def test_what_a_person_never_does_is_missed_and_ends_the_scenario(tmp_path: Path) -> None:
    async def nothing(_console: Console) -> None:
        return

    result = await with_person(tmp_path, nothing)
    assert result.outcome == "failed"
    assert result.steps[-1].done == "missed"
    assert score(result.steps, "dispatcher").missed == 1


async def test_another_act_of_the_kind_is_not_the_one_that_is_due(tmp_path: Path) -> None:
    result = await with_person(tmp_path, acts(1.0, "GD-OPS-2"))
    assert result.steps[0].done == "missed", "another talkgroup was keyed"


async def test_what_a_colleague_acknowledges_is_not_the_persons_act(tmp_path: Path) -> None:
    steps = """\
- officer: emergency
- expect: {on: colleague, event: emergency.shown, as: shown}
- colleague: {acknowledge_emergency: "${shown.emergency}"}
- dispatcher: {acknowledge_emergency: "${shown.emergency}"}
  within: 2 s
"""

    async def nothing(_console: Console) -> None:
        return

    result = await with_person(tmp_path, nothing, steps)
    assert result.steps[-1].done == "missed"


async def test_what_is_done_before_it_is_due_counts_and_what_follows_is_due_from_then(tmp_path: Path) -> None:
    steps = """\
- dispatcher: {open_incident: Test}
  as: incident
- at: 30 s
  dispatcher: {hand_over: {incident: "${incident}", to: colleague}}
  within: 5 s
- expect: {on: colleague, event: incident.received, with: {incident: "${incident}"}, within: 2 s}
- dispatcher: {hand_over: {incident: "${incident}", to: colleague}}
  within: 1 s
"""

    async def early(console: Console) -> None:
        await asyncio.sleep(1.0)
        await console.hand_over(await console.open_incident("Early"), "govan-32")

    result = await with_person(tmp_path, early, steps)
    assert [step.done for step in result.steps] == ["done", "done", "done", "missed"], "one act counts once"
    assert result.steps[1].took == 0.0


async def test_a_unit_that_a_person_assigns_is_seen(tmp_path: Path) -> None:
    steps = """\
- dispatcher: {open_incident: Test}
  as: incident
- dispatcher: {assign_unit: {incident: "${incident}", unit: officer}}
  within: 5 s
"""

    async def assigns(console: Console) -> None:
        await asyncio.sleep(1.0)
        await console.assign_unit(4001234, await console.open_incident("For a unit"))

    result = await with_person(tmp_path, assigns, steps)
    assert [step.done for step in result.steps] == ["done", "done"]


SPEAKS = """\
- dispatcher: {key: GD-OPS-1, say: dispatch, for: 5 s}
  within: 5 s
- expect: {on: officer, event: voice.heard, within: 2 s, measure: {mouth_to_ear: "<= 500 ms"}}
- officer: {press: , say: officer-reply, release: }
- expect: {on: dispatcher, event: talker.shown, with: {issi: "${officer.issi}"}, within: 1 s}
"""


@pytest.mark.parametrize("own_voice", [False, True])
async def test_a_person_whose_client_tells_of_it_is_waited_for_until_they_speak(
    tmp_path: Path, own_voice: bool
) -> None:
    async with virtual_bench(tmp_path) as bench:
        console = await bench.console("govan-31")

        async def speaks() -> None:
            await asyncio.sleep(1.0)
            await console.key("GD-OPS-1")
            await console.expect("ptt.granted", within=2.0)
            await asyncio.sleep(1.5)
            began = await console.say(read_clip("dispatch"))
            spoke = {} if own_voice else {"clip": "dispatch"}
            bench.journal.record("govan-31", "operator.spoke", at=began, **spoke)
            await console.headset.said()
            await console.unkey()

        speaking = asyncio.create_task(speaks())
        played = player(tmp_path, bench, SPEAKS, seats=("dispatcher",), telling=("dispatcher",))
        result = await played.play()
        await speaking
        assert result.outcome == "passed", [step.line() for step in result.steps]
        theirs = [step for step in result.steps if step.person == "dispatcher"]
        assert [step.done for step in theirs] == ["done", "done", "unscored"]
        measured = [event for event in bench.journal if event.kind == "measure"]
        assert len(measured) == (0 if own_voice else 1), "one's own voice is not measured"


async def test_nothing_is_done_at_a_seat_that_a_person_has(tmp_path: Path) -> None:
    async with virtual_bench(tmp_path) as bench:
        watched = await bench.watched_console("govan-31")
        for act in (watched.key("GD-OPS-1"), watched.dial("govan-32")):
            with pytest.raises(DriverError, match="a person has the seat"):
                await act
        person = await sits_down(bench)
        await person.key("GD-OPS-1")
        await watched.expect("ptt.granted", within=2.0, talkgroup="GD-OPS-1")
        await person.close()
