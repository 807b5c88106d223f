"""A real bench stands for layouts: unknown ones are told with their line, and what it lacks of each by name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.cli.places import FIXTURES, PROJECT
from harness.drivers.talking_radio import Technology
from harness.errors import NotPlayedError, TestbedError
from harness.testbed.bench import open_bench
from harness.testbed.desk_party import desk_party
from harness.testbed.layouts import lacking, plays, tells_nothing_of
from harness.testbed.load import load_testbed
from harness.testbed.radio_party import radio_party

EXAMPLES = sorted((PROJECT / "docs" / "examples").glob("*.yaml"))
BENCH = """\
name: bench
stands_for: [queues, webex-calling]
components:
  iccs: {role: iccs, binding: real, sip: "192.0.2.1:5060"}
  govan-01: {role: console, position: govan-01, binding: manual}
  trunk-999: {role: telephone, binding: real, line: "2001", password: x, of: switch}
  switch: {role: enterprise_switch, binding: real, sip: "192.0.2.2:5060"}
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "bench.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_examples_in_the_docs_can_be_used_as_they_are(example: Path) -> None:
    bench = load_testbed(example)
    assert bench.real()
    assert all(plays(bench, layout) for layout in bench.stands_for)


def test_an_unknown_layout_is_told_with_its_line_and_what_there_is(tmp_path: Path) -> None:
    file = written(tmp_path, BENCH.replace("queues", "qeues"))
    with pytest.raises(TestbedError) as caught:
        load_testbed(file)
    assert str(caught.value).startswith(f"{file}:2: stands_for.0: found 'qeues'; allowed: a testbed of fixtures/test")
    assert "queues" in str(caught.value)


def test_what_a_bench_lacks_or_has_in_another_role_is_named(tmp_path: Path) -> None:
    bench = load_testbed(written(tmp_path, BENCH))
    queues = load_testbed(FIXTURES / "testbeds" / "queues.yaml")
    missing = lacking(bench, queues)
    assert "govan-01" not in missing
    assert set(missing) <= set(queues.components)
    told = CliRunner().invoke(app, ["testbed", "check", str(tmp_path / "bench.yaml")]).output
    assert f"Stands for queues, but for {', '.join(missing)}: tests that ask for these are skipped." in told
    assert "Stands for webex-calling, but for webex," in told


def test_only_real_equipment_stands_for_a_layout(tmp_path: Path) -> None:
    simulated = load_testbed(written(tmp_path, "name: all\nstands_for: [queues]\ncomponents: {iccs: {role: iccs}}\n"))
    assert not plays(simulated, "queues")
    assert tells_nothing_of(simulated, "queues") == ""
    bench = load_testbed(written(tmp_path, BENCH))
    assert plays(bench, "queues")
    assert not plays(bench, "routes")
    assert "stands_for: [routes]" in tells_nothing_of(bench, "routes")


PARTY = """\
name: real
stands_for: [simulated]
talkgroups: {GD-OPS-1: 1001}
components:
  iccs: {role: iccs, binding: real, sip: "192.0.2.1:5060"}
  govan-31: {role: console, binding: manual, position: govan-31}
  radio: {role: radio_network, binding: real}
  one: {role: radio_terminal, issi: 4001001, talkgroup: GD-OPS-1}
"""


async def test_what_a_real_bench_lacks_of_a_party_is_not_played(tmp_path: Path) -> None:
    bench_of = load_testbed(written(tmp_path, PARTY))
    async with open_bench(bench_of, today=date(2026, 1, 1), addresses=None, virtual=False) as bench:
        with pytest.raises(NotPlayedError, match="1 radios for tetra on one talkgroup; 2 are due"):
            radio_party(bench, Technology.TETRA)
        party = desk_party(bench, Technology.TETRA)
        assert party is not None
        with pytest.raises(NotPlayedError, match="the testbed has 1 consoles that work GD-OPS-1"):
            await party.dispatcher(1)
