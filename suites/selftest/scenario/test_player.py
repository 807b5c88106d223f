"""The player in virtual time: steps at their times, windows, order, counts, absence, names, measures, outcome."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.errors import ExpectationError, ScenarioError, TestbedError
from harness.scenario.player import Onlooker
from harness.scenario.result import Result
from suites.selftest.scenario.benches import HEAD, TESTBED, played, player, virtual_bench

pytestmark = pytest.mark.virtual_time

KEYED = """\
- dispatcher: {key: GD-OPS-1, for: 2 s}
  as: keyed
"""


def reason(result: Result) -> str:
    """Why it failed."""
    assert result.outcome == "failed"
    return next(step.reason for step in result.steps if step.done == "failed")


async def test_steps_begin_at_their_times_and_so_long_after_each_other(tmp_path: Path) -> None:
    result = await played(tmp_path, "- note: first\n- {at: 5 s, note: second}\n- {after: 2500 ms, note: third}")
    assert result.outcome == "passed"
    assert [step.began for step in result.steps] == pytest.approx([0.0, 5.0, 7.5])


async def test_an_event_within_its_window_passes_though_the_act_took_longer_than_the_window(tmp_path: Path) -> None:
    """Windows count from the beginning of the step done last: the key was held for two seconds."""
    result = await played(tmp_path, KEYED + "- expect: {on: officer, event: talker.shown, within: 1 s}")
    assert result.outcome == "passed"


async def test_an_event_after_its_window_fails_and_tells_when_it_came(tmp_path: Path) -> None:
    result = await played(
        tmp_path, KEYED + "- {after: 1 s, note: waits}\n- expect: {on: officer, event: talker.ended, within: 1 s}"
    )
    assert "came after 2." in reason(result)


async def test_an_event_that_does_not_come_fails_and_tells_what_did(tmp_path: Path) -> None:
    result = await played(
        tmp_path, KEYED + "- expect: {on: officer, event: talker.shown, with: {issi: 1}, within: 3 s}\n- note: no more"
    )
    assert "talker.shown" in reason(result) and "4009001" in reason(result)
    assert len(result.steps) == 2, "what comes after a failure is not played"
    with pytest.raises(ExpectationError, match=r"scenario.yaml:12: expect talker.shown"):
        result.check()


async def test_an_event_before_the_step_done_last_does_not_count(tmp_path: Path) -> None:
    steps = KEYED + "- taker: {go: break}\n- expect: {on: officer, event: talker.shown, within: 1 s}"
    assert (await played(tmp_path, steps)).outcome == "failed"
    named = steps.replace("within: 1 s", "after: keyed, within: 1 s")
    assert (await played(tmp_path, named)).outcome == "passed"


async def test_an_event_that_comes_too_soon_fails(tmp_path: Path) -> None:
    steps = KEYED + "- expect: {on: officer, event: talker.ended, not_before: 1 s, within: 4 s}"
    assert (await played(tmp_path, steps)).outcome == "passed"
    result = await played(tmp_path, steps.replace("not_before: 1 s", "not_before: 3 s"))
    assert "was not due before 3 s" in reason(result)


@pytest.mark.parametrize(("count", "outcome"), [(1, "failed"), (2, "passed"), (3, "failed")])
async def test_a_count_is_exact(tmp_path: Path, count: int, outcome: str) -> None:
    steps = "- {dispatcher: {key: GD-OPS-1, for: 1 s}, colleague: {key: GD-OPS-2, for: 1 s}}\n"
    steps += f"- expect: {{event: console.key, within: 1 s, count: {count}}}"
    assert (await played(tmp_path, steps)).outcome == outcome


@pytest.mark.parametrize(("due", "outcome"), [(">= 50 %", "passed"), (">= 51 %", "failed")])
async def test_a_share_of_so_many_is_measured_at_the_windows_end(tmp_path: Path, due: str, outcome: str) -> None:
    steps = "- {dispatcher: {key: GD-OPS-1, for: 1 s}, colleague: {key: GD-OPS-2, for: 1 s}}\n"
    steps += f"- expect: {{event: console.key, within: 3 s, of: 4, measure: {{share: '{due}'}}}}\n- note: after"
    result = await played(tmp_path, steps)
    assert result.outcome == outcome
    assert outcome == "passed" or "share console.key is 50.000 %; at least 51 % is due" in reason(result)
    assert outcome == "failed" or result.steps[-1].began == pytest.approx(3.0)
    none = await played(tmp_path, steps.replace("console.key", "ptt.lost"))
    assert "ptt.lost of 4 on anything within 3 s was due, and none came" in reason(none)


TRUNK = """\
id: E2E-T
title: a test
actors:
  one: {role: trunk_caller, number: "+447700900201"}
  two: {role: trunk_caller, number: "+447700900202"}
  taker: {role: console, position: govan-12}
timeline:
"""


async def test_one_trunk_carries_several_callers_who_speak_and_see_their_own_call(tmp_path: Path) -> None:
    steps = """\
- {one: {dial: "999"}, two: {dial: "999"}}
- expect: {on: taker, event: call.ringing, with: {cli: "${two.number}"}, as: second}
- taker: {answer: {call: "${second.call}"}}
- expect:
    - {on: two, event: call.answered, within: 2 s}
    - {on: one, event: call.answered, absent: true, within: 2 s}
- two: {say: caller-999}
- expect: {on: taker, event: voice.heard, within: 1 s, measure: {mouth_to_ear: "<= 300 ms"}}
- taker: {say: call-taker}
- expect: {on: two, event: voice.heard, within: 1 s, measure: {mouth_to_ear: "<= 300 ms"}}
- two: hang_up
- expect:
    - {on: two, event: call.ended, within: 2 s}
    - {on: one, event: call.ended, absent: true, within: 2 s}
"""
    more = 'queues: {emergency: ["999"]}\n      positions:'
    testbed = TESTBED.replace("positions:", more) + "  trunk: {role: emergency_trunk, to: iccs}\n"
    async with virtual_bench(tmp_path, testbed=testbed) as bench:
        result = await player(tmp_path, bench, steps, head=TRUNK).play()
    result.check()


async def test_two_actors_are_not_one_console(tmp_path: Path) -> None:
    head = HEAD.replace("timeline:", "  another: {role: console, position: govan-12}\ntimeline:")
    with pytest.raises(
        TestbedError, match=r"scenario.yaml:9: actors taker and another are the same component, govan-12"
    ):
        await played(tmp_path, "- note: x", head=head)


async def test_what_is_to_be_absent_is_waited_for_to_the_windows_end(tmp_path: Path) -> None:
    steps = "- officer: {press: , for: 1 s}\n- expect: {on: dispatcher, event: ptt.lost, absent: true, within: 6 s}"
    result = await played(tmp_path, steps + "\n- note: after")
    assert result.outcome == "passed"
    assert result.steps[-1].began == pytest.approx(6.0)
    failed = await played(tmp_path, steps.replace("ptt.lost", "talker.shown"))
    assert "and there were 1" in reason(failed)


async def test_of_two_expectations_in_a_row_the_second_looks_past_the_firsts_event(tmp_path: Path) -> None:
    steps = KEYED + "- expect: {on: officer, event: talker.shown}\n- expect: {on: officer, event: talker.shown}"
    assert (await played(tmp_path, steps)).outcome == "failed"


async def test_actors_of_one_step_act_side_by_side(tmp_path: Path) -> None:
    steps = "- {dispatcher: {key: GD-OPS-1, for: 3 s}, colleague: {key: GD-OPS-2, for: 3 s}}\n- note: after"
    result = await played(tmp_path, steps)
    assert result.outcome == "passed"
    assert 3.0 <= result.steps[-1].began < 4.0


async def test_what_is_kept_is_used_later_and_what_an_actor_is_comes_from_the_testbed(tmp_path: Path) -> None:
    steps = """\
- dispatcher: {open_incident: Test}
  as: incident
- expect: {on: dispatcher, event: incident.opened, with: {incident: "${incident}"}, as: opened}
- dispatcher: {hand_over: {incident: "${opened.incident}", to: colleague}}
- expect: {on: colleague, event: incident.received, with: {by: "${dispatcher.position}"}}
- colleague: {close_incident: "${incident}"}
"""
    assert (await played(tmp_path, steps)).outcome == "passed"


@pytest.mark.parametrize(
    ("use", "told"),
    [
        ("${opened.incidnt}", r"'opened' has no 'incidnt'; did you mean 'incident'"),
        ("${opened}", r"'opened' is an event, of which a value is due: .*\$\{opened.incident\}"),
        ("${officer.nothing}", r"the testbed tells no 'nothing' of officer \(officer\); it tells .*issi"),
    ],
)
async def test_a_name_that_leads_nowhere_is_told_with_what_there_is(tmp_path: Path, use: str, told: str) -> None:
    steps = "- dispatcher: {open_incident: Test}\n- expect: {on: dispatcher, event: incident.opened, as: opened}\n"
    result = await played(tmp_path, steps + f"- dispatcher: {{close_incident: '{use}'}}")
    with pytest.raises(ExpectationError, match=told):
        result.check()


async def test_a_refusal_of_the_equipment_fails_the_step_with_its_words(tmp_path: Path) -> None:
    result = await played(tmp_path, "- taker: hang_up")
    assert "govan-12: clear was refused" in reason(result)


async def test_measures_are_journalled_and_held_against_their_limits(tmp_path: Path) -> None:
    steps = "- dispatcher: {key: GD-OPS-1, say: dispatch, for: 5 s}\n- expect: {on: officer, event: voice.heard, "
    steps += "within: 2 s, measure: {mouth_to_ear: '<= 300 ms', time: '<= 2 s'}}"
    async with virtual_bench(tmp_path) as bench:
        result = await player(tmp_path, bench, steps).play()
        measures = {event.data["name"]: event.data for event in bench.journal if event.kind == "measure"}
    assert result.outcome == "passed"
    assert 20 < measures["mouth_to_ear to officer"]["value"] < 300
    failed = await played(tmp_path, steps.replace("<= 300 ms", "<= 20 ms"))
    assert "mouth_to_ear to officer is" in reason(failed)


async def test_an_outcome_is_looked_at_when_the_timeline_is_over(tmp_path: Path) -> None:
    rest = "outcome:\n  - {event: talker.ended, on: officer}\n"
    rest += "  - {measure: console_grant_time, on: dispatcher, is: '< 1 s'}\n"
    assert (await played(tmp_path, KEYED, rest=rest)).outcome == "passed"
    assert "did not come" in reason(await played(tmp_path, KEYED, rest=rest.replace("talker.ended", "ptt.lost")))
    late = await played(tmp_path, KEYED, rest=rest.replace("< 1 s", "< 1 ms"))
    assert "console_grant_time dispatcher is" in reason(late)


@pytest.mark.parametrize(("media", "seconds", "heard"), [("talkspurts", 4.0, False), ("none", 0.1, False)])
async def test_without_packets_nobody_hears_and_talkspurts_take_their_time(
    tmp_path: Path, media: str, seconds: float, heard: bool
) -> None:
    head = HEAD.replace("title:", f"media: {media}\ntitle:")
    steps = "- dispatcher: {key: GD-OPS-1, say: dispatch, unkey: }\n- note: after\n"
    steps += "- expect: {on: officer, event: voice.heard, absent: true, within: 6 s}"
    result = await played(tmp_path, steps, head=head)
    assert result.outcome == "passed"
    assert result.steps[1].began == pytest.approx(seconds, abs=0.5)


async def test_a_scenario_that_is_cancelled_tells_what_was_reached(tmp_path: Path) -> None:
    async with virtual_bench(tmp_path) as bench:
        playing = player(tmp_path, bench, "- note: first\n- {at: 60 s, note: second}")
        task = asyncio.create_task(playing.play())
        await asyncio.sleep(5.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert playing.result.outcome == "interrupted"
        assert playing.result.told() == "E2E-T: interrupted, 1 of 2 steps reached"
        ended = bench.journal.latest("scenario", "scenario.ended")
        assert ended is not None and ended.data["outcome"] == "interrupted"


async def test_the_clock_of_a_scenario_stands_while_it_is_held(tmp_path: Path) -> None:
    async def hold(_told: str) -> None:
        await asyncio.sleep(100.0)

    async with virtual_bench(tmp_path) as bench:
        steps = "- note: first\n- {at: 5 s, note: second}"
        result = await player(tmp_path, bench, steps, onlooker=Onlooker(gate=hold)).play()
    assert [step.began for step in result.steps] == pytest.approx([0.0, 5.0])


async def test_an_actor_that_the_testbed_lacks_or_has_twice_is_told_with_what_there_is(tmp_path: Path) -> None:
    lacking = HEAD.replace("govan-12", "govan-99")
    with pytest.raises(TestbedError, match=r"actor taker: .*no .*console.* with position govan-99; it has govan-12"):
        await played(tmp_path, "- taker: hold", head=lacking)
    several = HEAD.replace(", issi: 4001234", "")
    with pytest.raises(TestbedError, match=r"actor officer: .*name one by 'component' or 'issi'"):
        await played(tmp_path, "- taker: hold", head=several)
    twice = HEAD.replace("govan-32", "govan-31")
    with pytest.raises(TestbedError, match="dispatcher and colleague are the same component, govan-31"):
        await played(tmp_path, "- taker: hold", head=twice)


async def test_a_seat_that_is_no_consoles_is_refused(tmp_path: Path) -> None:
    async with virtual_bench(tmp_path) as bench:
        with pytest.raises(ScenarioError, match=r"officer is a radio_terminal: a person can have a console's seat"):
            player(tmp_path, bench, "- taker: hold", seats=("officer",))
        with pytest.raises(ScenarioError, match=r"'takr' is no actor of E2E-T; did you mean 'taker'"):
            player(tmp_path, bench, "- taker: hold", seats=("takr",))
