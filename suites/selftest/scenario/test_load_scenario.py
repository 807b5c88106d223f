"""What a scenario file's errors tell: file, line, what was found and what was meant; and never anything but that."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import ScenarioError
from harness.scenario.load import load_scenario, load_with_lines
from harness.scenario.model import MAX_STEPS
from harness.source import MAX_DEPTH, MAX_FILE

HEAD = """\
id: E2E-T
title: a test
requirements: [NICCS-RAD-007]
actors:
  taker: {role: console, position: govan-12}
  officer: {role: radio_terminal, issi: 4001234}
timeline:
"""
"""Seven lines: what follows begins on line 8."""


def written(folder: Path, text: str, name: str = "scenario.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str) -> str:
    """What is told of a file, its folder left out."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(written(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


STEPS = [
    ("- taker: {anwser: emergency}", r"scenario.yaml:8: .*'anwser', which console can't do; did you mean 'answer'"),
    ("- takr: hold", r"scenario.yaml:8: .*'takr', which is no actor; did you mean 'taker'\?"),
    ("- taker: {answer: {que: emergency}}", r"scenario.yaml:8: .*unknown key 'que'; did you mean 'queue'\?"),
    ("- taker: hold\n  - officer: {status: many}", r"scenario.yaml:9: timeline.1.officer.status.status: found 'many'"),
    ("- taker: {say: dispach}", r"scenario.yaml:8: .*the clip 'dispach'.*did you mean 'dispatch'\?"),
    ("- taker: {hand_over: {to: taker}}", r"scenario.yaml:8: .*'incident' is needed, and missing"),
    ("- taker: {close_incident: '${incidnt}'}", r"scenario.yaml:8: .*nothing is kept under 'incidnt' so far"),
    ("- taker: {close_incident: '${}'}", r"scenario.yaml:8: .*a reference is \$\{name\} or \$\{name.field\}"),
    ("- taker: {close_incident: '${officer}'}", r"an actor is no value; \$\{officer.issi\} or the like is"),
    ("- taker: hold\n    as: officer", r"scenario.yaml:9: timeline.0.as: found 'officer', which is an actor"),
    ("- taker: {}", r"scenario.yaml:8: .*found nothing to do; console can answer"),
    ("- at: soon\n    taker: hold", r"scenario.yaml:8: timeline.0.at: found 'soon': a time such as '10 s'"),
    ("- at: 48 h\n    taker: hold", r"scenario.yaml:8: timeline.0.at: found '48 h': a time of 0 s to 24 h"),
    ("- at: .nan\n    taker: hold", r"scenario.yaml:8: timeline.0.at: found nan"),
    ("- {at: 1 s, after: 1 s, taker: hold}", r"'at' or 'after', not both"),
    ("- {taker: hold, note: now}", r"a step is one of"),
    ("- hold", r"scenario.yaml:8: timeline.0: found 'hold': a step is a mapping"),
    ("- expect: {on: takr, event: call.ringing}", r"scenario.yaml:8: .*'takr', which is no actor"),
    ("- expect: {on: taker, evnt: call.ringing}", r"unknown key 'evnt'; did you mean 'event'"),
    ("- expect: {on: taker, event: ringing}", r"scenario.yaml:8: timeline.0.expect.0.event: found 'ringing'"),
    ("- expect: {event: a.b, after: then}", r"nothing is kept under that name so far"),
    ("- expect: {event: a.b, absent: true, count: 2}", r"'absent' goes with none of"),
    ("- expect: {event: a.b, of: 3}", r"'of' and the measure 'share' go together"),
    ("- expect: {event: a.b, measure: {share: '>= 95 %'}}", r"'of' and the measure 'share' go together"),
    ("- expect: {event: a.b, of: 3, count: 1, measure: {share: '>= 95 %'}}", r"'of' goes with neither"),
    ("- expect: {event: a.b, of: 3, measure: {share: '>= 95 s'}}", r"the measure is in %; found a limit in s"),
    ("- expect: {event: a.b, not_before: 9 s, within: 3 s}", r"'not_before' lies after 'within'"),
    ("- expect: {event: a.b, on: taker, measure: {time: soon}}", r"a limit such as '<= 10 s'"),
    ("- expect: {event: a.b, on: taker, measure: {time: '< 3 m'}}", r"the measure is in s; found a limit in m"),
    (
        "- expect: {event: a.b, on: taker, measure: {time: {requirement: NICCS-RAD-007, figure: shown}}}",
        r"'shown', which NICCS-RAD-007 has not; did you mean 'shown_s'\?",
    ),
    (
        "- expect: {event: a.b, on: taker, measure: {time: {requirement: NICCS-RAD-010, figure: shown_s}}}",
        r"'NICCS-RAD-010', which is not among the scenario's 'requirements'",
    ),
    ("- expect: {event: a.b, measure: {mouth_to_ear: '< 1 s'}}", r"needs 'on', whose ear it is"),
    ("- include: gone.yaml", r"scenario.yaml:8: include: found 'gone.yaml', which is no file"),
    ("- include: ../gone.yaml", r"scenario.yaml:8: include: .*allowed: files in the scenario's own folder"),
    ("- include: /etc/hostname", r"scenario.yaml:8: include: .*allowed: files in the scenario's own folder"),
    ("- include: scenario.yaml", r"scenario.yaml:8: include: scenario.yaml includes itself"),
    ("- {taker: &a hold}\n  - {taker: *a}", r"scenario.yaml:9: found the alias '\*a'; a scenario has none"),
    ("- {taker: hold, taker: resume}", r"scenario.yaml:8: not YAML: .*duplicate key"),
    ("- [", r"scenario.yaml:\d+: not YAML"),
]


@pytest.mark.parametrize(("step", "told"), STEPS)
def test_an_error_names_file_line_what_was_found_and_what_was_meant(tmp_path: Path, step: str, told: str) -> None:
    assert re.search(told, complaint(tmp_path, f"{HEAD}  {step}\n")), complaint(tmp_path, f"{HEAD}  {step}\n")


HEADS = [
    (("id: E2E-T", "id: small"), r"scenario.yaml:1: id: found 'small'"),
    (("title: a test\n", ""), r"title: found nothing; this key is needed"),
    (("title:", "titel:"), r"scenario.yaml:2: titel: found the unknown key 'titel'; did you mean 'title'"),
    (("RAD-007", "RAD-999"), r"scenario.yaml:3: .*unknown requirement 'NICCS-RAD-999'"),
    (("role: console", "role: consol"), r"scenario.yaml:5: .*role: found 'consol'; did you mean 'console'\?"),
    (("position: govan-12", "postion: govan-12"), r"scenario.yaml:5: .*'postion'; did you mean 'position'"),
    (("issi: 4001234", "issi: 99999999"), r"scenario.yaml:6: .*found 99999999"),
    (("  taker:", "  Taker:"), r"scenario.yaml:5: .*the name 'Taker'"),
    (("  taker:", "  note:"), r"'note' is a word of steps"),
]


@pytest.mark.parametrize(("change", "told"), HEADS)
def test_an_error_of_the_head_names_its_line(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    text = HEAD.replace(*change) + "  - officer: release\n"
    assert re.search(told, complaint(tmp_path, text)), complaint(tmp_path, text)


def test_several_errors_are_told_at_once_each_on_its_line(tmp_path: Path) -> None:
    told = complaint(tmp_path, f"{HEAD}  - taker: hld\n  - officr: press\n  - taker: {{say: nothing at all}}\n")
    assert [line.split(":")[1] for line in told.splitlines()] == ["8", "9", "10"]


def test_an_outcome_with_an_unknown_measure_or_moment_is_told(tmp_path: Path) -> None:
    text = f"{HEAD}  - taker: hold\noutcome:\n  - {{measure: anser_time, on: taker, is: '< 1 s'}}\n"
    text += "  - {measure: mine, from: a, to: b, is: '< 1 s'}\n  - {event: a.b, on: nobody}\n"
    told = complaint(tmp_path, text)
    assert re.search(r"scenario.yaml:10: .*'anser_time', which is no measure; did you mean 'answer_time'", told)
    assert re.search(r"scenario.yaml:11: .*'a', and nothing is kept under that name", told)
    assert re.search(r"scenario.yaml:12: .*'nobody', which is no actor", told)


def test_mouth_to_ear_needs_speech_that_is_played(tmp_path: Path) -> None:
    text = HEAD.replace("title:", "media: talkspurts\ntitle:")
    text += "  - expect: {on: taker, event: a.b, measure: {mouth_to_ear: '< 1 s'}}\n"
    assert "nobody hears any speech" in complaint(tmp_path, text)


def test_included_steps_stand_in_their_place_with_their_own_lines_and_variables(tmp_path: Path) -> None:
    written(tmp_path, "variables: {group: A}\ntimeline:\n  - taker: {key: '${group}'}\n", "parts/key.yaml")
    text = f"{HEAD}  - taker: hold\n  - {{include: parts/key.yaml, with: {{group: B}}}}\n  - include: parts/key.yaml\n"
    scenario, lines = load_with_lines(written(tmp_path, text))
    assert [step.acts["taker"] for step in scenario.timeline] == [{"hold": None}, {"key": "B"}, {"key": "A"}]
    place = lines.at(["timeline", 1])
    assert (place.file.name, place.line) == ("key.yaml", 3)
    assert lines.at(["timeline", 0]).line == 8


def test_an_error_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    written(tmp_path, "timeline:\n  - taker: hold\n  - taker: hld\n", "part.yaml")
    assert "part.yaml:3: timeline.1.taker.hld" in complaint(tmp_path, f"{HEAD}  - include: part.yaml\n")


def test_an_included_file_is_told_no_variable_that_it_lacks(tmp_path: Path) -> None:
    written(tmp_path, "variables: {group: A}\ntimeline: [{taker: {key: '${group}'}}]\n", "part.yaml")
    told = complaint(tmp_path, f"{HEAD}  - {{include: part.yaml, with: {{grup: B}}}}\n")
    assert "part.yaml has no variable 'grup'; did you mean 'group'?" in told


def test_files_that_include_each_other_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "timeline: [{include: b.yaml}]\n", "a.yaml")
    written(tmp_path, "timeline: [{include: a.yaml}]\n", "b.yaml")
    assert "b.yaml:1: include: a.yaml includes itself" in complaint(tmp_path, f"{HEAD}  - include: a.yaml\n")


def test_actors_and_variables_come_from_files_included_at_the_head_and_the_files_own_go_before(tmp_path: Path) -> None:
    written(
        tmp_path,
        "variables: {group: A, status: 5}\nactors:\n  taker: {role: console, position: govan-1}\n"
        "  officer: {role: radio_terminal, issi: 4001235}\n",
        "cast.yaml",
    )
    text = "id: E2E-T\ntitle: t\ninclude: [cast.yaml]\nvariables: {group: B}\n"
    text += "actors: {officer: {role: radio_terminal, issi: 4001236}}\n"
    text += "timeline:\n  - taker: {key: '${group}'}\n  - officer: {status: '${status}'}\n"
    scenario = load_scenario(written(tmp_path, text))
    assert scenario.actors["taker"].position == "govan-1"
    assert scenario.actors["officer"].issi == 4001236
    assert scenario.timeline[0].acts == {"taker": {"key": "B"}}
    assert scenario.timeline[1].acts == {"officer": {"status": 5}}


def test_a_file_of_ten_megabytes_is_refused_unread(tmp_path: Path) -> None:
    assert f"more than {MAX_FILE} bytes" in complaint(tmp_path, "x: y\n" * 2_000_000)


def test_a_yaml_bomb_is_refused_at_its_first_alias(tmp_path: Path) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert complaint(tmp_path, bomb).startswith("scenario.yaml:2: found the alias '*a'")


def test_what_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    assert f"nested deeper than {MAX_DEPTH}" in complaint(tmp_path, "a: " + "[" * 5_000 + "]" * 5_000)


def test_more_steps_than_a_scenario_may_have_are_refused(tmp_path: Path) -> None:
    assert "timeline: " in complaint(tmp_path, HEAD + "  - {taker: hold}\n" * (MAX_STEPS + 1))


def test_a_file_that_is_not_there_no_text_or_no_mapping_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="can't be read"):
        load_scenario(tmp_path / "gone.yaml")
    with pytest.raises(ScenarioError, match="can't be read"):
        load_scenario(Path("a\0b"))
    (tmp_path / "binary.yaml").write_bytes(b"id: x\n\xff\xfe")
    with pytest.raises(ScenarioError, match=r"binary.yaml:2: found byte 0xFF"):
        load_scenario(tmp_path / "binary.yaml")
    assert "a scenario is a mapping" in complaint(tmp_path, "- a\n- b\n")
    assert "a scenario is a mapping" in complaint(tmp_path, "")


WORDS = st.sampled_from(
    re.findall(
        r"\S+",
        "id title actors timeline expect on event with within at after as include taker role console answer key say is "
        "measure time outcome ${a} ${taker.issi} variables note hint requirements media 1s <=1s a.b E2E-T",
    )
)
VALUES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
HARD = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def only_the_named_error(path: Path) -> None:
    try:
        load_scenario(path)
    except ScenarioError as error:
        assert str(error)


@HARD
@given(step=VALUES, outcome=VALUES, actors=VALUES, include=VALUES)
def test_odd_trees_raise_nothing_but_the_named_error(
    tmp_path: Path, step: object, outcome: object, actors: object, include: object
) -> None:
    parts = {"timeline": [step], "outcome": [outcome], "actors": actors, "include": include}
    head = {"id": "E2E-T", "title": "t", "requirements": []}
    for name, part in parts.items():
        whole = {"actors": {"taker": {"role": "console"}}, "timeline": [{"taker": "hold"}]}
        only_the_named_error(written(tmp_path, json.dumps(head | whole | {name: part})))


@HARD
@given(text=st.text(max_size=200), cut=st.integers(0, 400), junk=st.binary(max_size=20))
def test_odd_text_raises_nothing_but_the_named_error(tmp_path: Path, text: str, cut: int, junk: bytes) -> None:
    whole = f"{HEAD}  - taker: hold\n".encode()
    for raw in (text.encode("utf-8", "surrogatepass"), whole[:cut] + junk + whole[cut:]):
        path = tmp_path / "scenario.yaml"
        path.write_bytes(raw)
        only_the_named_error(path)
