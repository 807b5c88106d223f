"""Acceptance leaves the scenarios to Robot's suites: each file is in one of them, once, with what it is about."""

from __future__ import annotations

import re

from harness.pytest_plugin import PROJECT
from harness.scenario.load import load_scenario

FILES = sorted((PROJECT / "fixtures" / "scenarios").glob("*.yaml"))


def test_each_scenario_is_in_one_robot_suite_with_its_requirements() -> None:
    found: dict[str, list[str]] = {}
    for suite in (PROJECT / "suites").glob("*/*scenarios.robot"):
        for tags, name in re.findall(r"^    \[Tags\]    (.+)\n    ([\w-]+)$", suite.read_text(), re.MULTILINE):
            found.setdefault(name, []).append(tags)
    assert found.keys() == {each.stem for each in FILES}
    for file in FILES:
        tags = found[file.stem]
        assert len(tags) == 1, f"{file.stem} is in {len(tags)} suites"
        assert set(tags[0].split()) == {f"req:{each}" for each in load_scenario(file).requirements}
