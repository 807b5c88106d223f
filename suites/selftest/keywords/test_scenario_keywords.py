"""`Replay Scenario`, as a suite uses it."""

from __future__ import annotations

from pathlib import Path

from suites.selftest.keywords.robot_suite import Suite
from suites.selftest.scenario.benches import HEAD, TESTBED


def test_a_suite_replays_scenarios_and_fails_where_they_do(tmp_path: Path) -> None:
    testbed, good, bad = (tmp_path / name for name in ("testbed.yaml", "good.yaml", "bad.yaml"))
    testbed.write_text(TESTBED, encoding="utf-8")
    good.write_text(HEAD + "  - officer: {press: , for: 1 s}\n", encoding="utf-8")
    bad.write_text(HEAD + "  - officer: release\n", encoding="utf-8")
    body = (
        f"Good\n    ${{result}}    Replay Scenario    {good}\n    Should Be Equal    ${{result}}[outcome]    passed\n"
    )
    body += f"Bad\n    Replay Scenario    {bad}\nGone\n    Replay Scenario    no-such-scenario\n"
    _, results, said = Suite(tmp_path).run(body, options=f"time=virtual    testbed={testbed}")
    assert results["Good"][0] == "PASS", said
    assert results["Bad"][0] == "FAIL" and "bad.yaml:10: officer: release" in results["Bad"][1]
    assert results["Gone"][0] == "FAIL" and "no-such-scenario: can't be read" in results["Gone"][1]
