"""The schema, the table of verbs and the scenario files of the project agree with the engine."""

from __future__ import annotations

from pathlib import Path

import jsonschema_rs
import pytest

from harness.pytest_plugin import DEFAULT_TESTBED, PROJECT
from harness.scenario.actors import ACTORS
from harness.scenario.cast import casting, named_testbed
from harness.scenario.load import load_with_lines
from harness.scenario.schema import json_schema, verb_table
from harness.scenario.verbs import VERBS
from harness.source import read_tree
from harness.testbed.load import load_testbed

FILES = sorted((PROJECT / "fixtures" / "scenarios").glob("*.yaml"))


def test_every_role_has_verbs_and_every_verb_tells_what_it_does() -> None:
    assert set(VERBS) == set(ACTORS)
    for verbs in VERBS.values():
        for verb in verbs.values():
            assert verb.does.endswith((".", ";")), f"{verb.name}: {verb.does!r}"
            assert verb.short is None or verb.short in verb.arguments.model_fields


def test_the_manual_has_the_table_of_verbs_as_it_is() -> None:
    manual = (PROJECT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    assert manual.endswith(verb_table()), "docs/scenarios.md is behind: its table is harness.scenario.schema.verb_table"


def test_the_schema_knows_every_verb_of_every_role() -> None:
    schema = json_schema()
    for role, verbs in VERBS.items():
        told = schema["$defs"][f"acts_of_{role}"]["properties"]
        assert set(told) == set(verbs)
    assert {"variables", "include", "timeline"} <= set(schema["properties"])


def references(value: object) -> set[str]:
    """Every ``$ref`` of a schema."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(each) for each in value.values()))
    return set().union(*(references(each) for each in value)) if isinstance(value, list) else set()


def test_the_schema_refers_to_nothing_that_it_lacks() -> None:
    schema = json_schema()
    assert {each.removeprefix("#/$defs/") for each in references(schema)} <= set(schema["$defs"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_scenario_of_the_project_is_right_and_has_its_actors_on_a_simulated_testbed(file: Path) -> None:
    scenario, lines = load_with_lines(file)
    testbed = named_testbed(scenario, lines) or DEFAULT_TESTBED
    assert set(casting(scenario, load_testbed(testbed), lines)) == set(scenario.actors)
    assert scenario.requirements and scenario.learning and scenario.brief


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_robot_plays_every_scenario_of_the_project_on_its_testbed_for_its_requirements(file: Path) -> None:
    scenario, lines = load_with_lines(file)
    testbed = (named_testbed(scenario, lines) or DEFAULT_TESTBED).name
    tags = "    ".join(["[Tags]", *(f"req:{name}" for name in scenario.requirements)])
    played = [
        suite
        for suite in (PROJECT / "suites").glob("*/*.robot")
        if f"    {tags}\n    {file.stem}\n" in suite.read_text(encoding="utf-8")
        and f"testbeds/{testbed} " in suite.read_text(encoding="utf-8")
    ]
    assert len(played) == 1


def test_the_schema_takes_every_scenario_of_the_project_and_not_a_misspelt_verb() -> None:
    """By another's validator."""
    validator = jsonschema_rs.Draft202012Validator(json_schema())
    for file in FILES:
        tree = read_tree(file)[0]
        errors = [str(error)[:300] for error in validator.iter_errors(tree)]
        assert not errors, f"{file.name}: {errors[:3]}"
    tree["timeline"] = [{"dispatcher": {"pres": None}}]
    assert not validator.is_valid(tree)
