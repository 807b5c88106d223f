"""`iccs runs`: list, show, compare, hold, prune, and what it says of what can't be done."""

import pytest
from typer.testing import CliRunner

from harness.cli.runs import app
from harness.evidence.results import TestOutcome, Verdict
from harness.evidence.run_store import EvidenceFile, Measured, RunStart, RunStore

TEL = "NICCS-TEL-001"


@pytest.fixture
def iccs(tmp_path):
    path = str(tmp_path / "runs.sqlite")
    store = RunStore.open(path)
    for run, commit, verdict, value in (("one-1", "aaaa1111", "passed", 1.0), ("two-1", "bbbb2222", "failed", 9.0)):
        store.begin(RunStart(run, commit, True, "[b]bed", "SAT", {"iccs": "simulated"}, ("niccs",), 1, 1_000.0))
        tests = [TestOutcome("a test", Verdict(verdict), (TEL,), "simulated")]
        measures = [Measured("a test", "ring", value + step / 10, "s", TEL) for step in range(8)]
        measures.append(Measured("a test", "seldom", 1.0, "s", ""))
        files = [EvidenceFile("logs/a", 1, "f" * 64)]
        store.end(run, state="ended", code=0, ended=1_001.0, tests=tests, measures=measures, files=files)
    store.close()

    def call(*arguments):
        found = CliRunner().invoke(app, [*arguments, "--runs", path], env={"COLUMNS": "220"})
        return found.exit_code, found.output

    return call


def test_list_and_show(iccs):
    code, told = iccs("list")
    assert code == 0
    assert "[b]bed" in told
    assert "aaaa1111 (changed)" in told
    code, told = iccs("show", "one-")
    assert code == 0
    for each in (
        f"passed         a test [{TEL}]",
        f"measure ring: 1 s {TEL}",
        f"{'f' * 64}  logs/a",
        "won on: simulated",
    ):
        assert each in told


def test_compare_is_exit_1_where_a_requirement_regressed_and_shows_n_and_p(iccs):
    code, told = iccs("compare", "one-1", "bbbb")
    assert code == 1
    assert f"REGRESSED: {TEL}: passed (simulated) → failed" in told
    (row,) = [line for line in told.splitlines() if f"{TEL} ring" in line]
    assert [cell.strip() for cell in row.split("│")[2:8]] == [
        "8, 8",
        "1.35 s",
        "9.35 s",
        "0.000155",
        "0.000155",
        "moved",
    ]
    assert "1 measures have too few samples to tell" in told
    assert "seldom: n 1, 1" in told
    code, told = iccs("compare", "two-1", "one-1")
    assert code == 0
    assert "changed:" in told


def test_hold_and_prune(iccs):
    assert iccs("hold", "one-1")[0] == 2
    assert iccs("hold", "one-1", "--why", "board") == (0, "one-1: held\n")
    assert iccs("prune", "--keep", "9d", "--dry-run") == (
        0,
        "would drop two-1\n1 runs older than 9d; 1 more are held\n",
    )
    assert iccs("prune", "--keep", "9d") == (0, "dropped two-1\n1 runs older than 9d; 1 more are held\n")
    assert iccs("hold", "one-1", "--release")[0] == 0
    assert iccs("prune", "--keep", "9d")[1].startswith("dropped one-1\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "none"], "no run or commit begins with 'none'"),
        (["prune", "--keep", "soon"], "--keep: found 'soon'; allowed: days, such as 90d"),
        (["compare", "one-1", "zzzz"], "no run or commit begins with 'zzzz'"),
    ],
)
def test_what_cannot_be_done_is_exit_2(iccs, arguments, told):
    code, output = iccs(*arguments)
    assert code == 2
    assert told in output
