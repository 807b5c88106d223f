"""On which testbed a playing is: the server's, or the one that its scenario names, if the server has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import PageError, TestbedError
from harness.page.contract import Person
from harness.page.play import Sessions
from suites.selftest.scenario.benches import HEAD, TESTBED

PERSON = Person(1, "Ailsa", "trainee", "B", "Govan")
REAL = '  crm: {role: crm, binding: real, service: "https://crm.example", token: test}\n'
STEPS = "  - officer: {press: , for: 1 s}\n"


class Unasked:
    """Attempts, where none is kept: nothing is begun."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


@pytest.mark.parametrize(
    ("testbed", "named", "error", "told"),
    [
        ("testbed: other.yaml\n", TESTBED, PageError, r"'other.yaml' is none of this server's: bed.yaml"),
        ("testbed: bed.yaml\n", TESTBED + REAL, PageError, r"has real equipment \(crm\)"),
        ("testbed: bed.yaml\n", TESTBED.replace("4001234", "4001299"), TestbedError, r"scenario.yaml:9: actor officer"),
        ("", TESTBED, TestbedError, "testbed 'bare' has no console"),
    ],
)
async def test_a_playing_is_refused_where_its_testbed_is_none_of_the_servers_or_does_not_do(
    tmp_path: Path, testbed: str, named: str, error: type[Exception], told: str
) -> None:
    (tmp_path / "bare.yaml").write_text("name: bare\ncomponents:\n  radio: {role: radio_network}\n", encoding="utf-8")
    (tmp_path / "bed.yaml").write_text(named, encoding="utf-8")
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(HEAD.replace("actors:", f"{testbed}actors:") + STEPS, encoding="utf-8")
    sessions = Sessions(Unasked(), tmp_path / "bare.yaml", {"bed.yaml": tmp_path / "bed.yaml"})
    with pytest.raises(error, match=told):
        await sessions.start(PERSON, scenario, "dispatcher")
