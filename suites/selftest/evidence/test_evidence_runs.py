"""The run store, and runs compared: what regressed, which measures moved, when there are too few samples to tell."""

import contextlib
import itertools
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from fixtures.postgresql import postgresql_server
from harness.errors import LocalError
from harness.evidence.comparing import measures_compared, requirements_moved
from harness.evidence.results import Standing, TestOutcome, Verdict
from harness.evidence.run_store import (
    EvidenceFile,
    Measured,
    Play,
    RunStart,
    RunStore,
    RunStoreError,
    as_outcome,
    evidence_files,
    measures_of,
)

TEL = "NICCS-TEL-001"
_names = itertools.count()


def start(run="20260101T000000Z-aaaaaa", commit="c0ffee00", began=1_000.0):
    return RunStart(run, commit, False, "bed", "SAT", {"iccs": "real"}, ("niccs",), 1, began)


def outcome(verdict=Verdict.PASSED, binding="real", name="t"):
    return TestOutcome(name, verdict, (TEL,), binding)


@pytest.fixture(scope="module")
def server():
    with postgresql_server() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real_wire)])
def store(request, tmp_path):
    at = str(tmp_path / "runs.sqlite")
    if request.param == "postgresql":
        at = request.getfixturevalue("server").database(f"runs_{next(_names)}")
    opened = RunStore.open(at)
    yield opened
    opened.close()


def ended(store, *tests, **changes):
    started = start(**changes)
    store.begin(started)
    store.end(started.id, state="ended", code=0, ended=started.began + 1, tests=tests)
    return started.id


def test_what_is_kept_is_read_back(store):
    store.begin(start())
    files = [EvidenceFile("allure-results/a.json", 3, "0" * 64)]
    values = [Measured("t", "ring", 1.5, "s", TEL)]
    given = outcome(Verdict.KNOWN)
    store.end(
        start().id, state="killed", code=None, ended=2.0, tests=[given], cut_short=["u"], measures=values, files=files
    )
    kept = store.run("20260101")
    assert (kept.row.state, kept.row.exit, kept.row.ended) == ("killed", None, 2.0)
    assert [as_outcome(row).verdict for row in kept.results] == [Verdict.KNOWN, Verdict.SKIPPED]
    assert (kept.measures[0].name, kept.measures[0].value) == ("ring", 1.5)
    assert kept.files[0].sha256 == "0" * 64


def test_a_run_ends_once(store):
    ended(store)
    with pytest.raises(RunStoreError, match="not under way"):
        store.end(start().id, state="ended", code=0, ended=1.0, tests=[outcome()])
    assert store.run(start().id).results == ()


def test_two_runs_write_at_once(tmp_path):
    path = str(tmp_path / "runs.sqlite")

    def write(number):
        store = RunStore.open(path)
        try:
            return ended(store, *[outcome(name=f"t{index}") for index in range(200)], run=f"20260101T00000{number}Z-x")
        finally:
            store.close()

    with ThreadPoolExecutor(6) as threads:
        names = set(threads.map(write, range(6)))
    store = RunStore.open(path)
    assert {(row.id, tests) for row, tests in store.runs()} == {(name, 200) for name in names}
    store.close()


def test_names_are_the_beginning_of_an_id_or_a_commit(store):
    one, two = ended(store, run="20260101T1-a"), ended(store, run="20260102T1-a")
    assert store.named("20260101") == [one]
    assert sorted(store.named("c0ffee")) == [one, two]
    for wrong in ("2026", "none", "c0", "%%%%"):
        with pytest.raises(RunStoreError):
            store.named(wrong)
    with pytest.raises(RunStoreError, match="a commit with 2 runs"):
        store.run("c0ffee")


def test_how_scenarios_were_played_is_kept_by_stage_for_runs_that_are_over(store):
    played = [TestOutcome("t", verdict, (), "real", scenario="E2E-01") for verdict in (Verdict.PASSED, Verdict.KNOWN)]
    old = ended(store, *played, outcome(), began=10.0)
    store.begin(start(run="20260102T000000Z-bbbbbb", began=20.0))
    expected = [Play("bed", 10.0, "E2E-01", verdict, "real") for verdict in ("passed", "known")]
    assert sorted(store.plays("SAT"), key=lambda play: play.verdict, reverse=True) == expected
    assert store.plays("FAT") == []
    assert store.prune(15.0, dry=False) == ([old], 0)
    assert store.plays("SAT") == []


def test_a_store_from_before_plays_were_kept_takes_them(tmp_path):
    at = str(tmp_path / "runs.sqlite")
    store = RunStore.open(at)
    kept = ended(store, outcome())
    store.close()
    with contextlib.closing(sqlite3.connect(at)) as file:
        file.execute("DROP TABLE run_plays")
    store = RunStore.open(at)
    assert [row.id for row, _ in store.runs()] == [kept]
    assert store.plays("SAT") == []
    store.close()


def test_prune_spares_what_is_held_under_way_or_young(store):
    old, held = ended(store, outcome(), run="aaaa-1", began=10.0), ended(store, outcome(), run="bbbb-1", began=10.0)
    ended(store, run="cccc-1", began=100.0)
    store.begin(start("dddd-1", began=10.0))
    store.hold("bbbb-1", "the board")
    assert store.prune(50.0, dry=True) == ([old], 1)
    assert len(store.runs()) == 4
    assert store.prune(50.0, dry=False) == ([old], 1)
    assert {row.id for row, _ in store.runs()} == {held, "cccc-1", "dddd-1"}
    assert len(store.run(held).results) == 1
    store.hold(held, None)
    assert store.prune(50.0, dry=False) == ([held], 0)


def test_a_store_that_is_none_is_told(tmp_path):
    path = tmp_path / "runs.sqlite"
    path.write_text("this is a letter and no database at all, whatever it is called")
    with pytest.raises(LocalError, match="can't be opened"):
        RunStore.open(str(path))


def test_evidence_is_hashed_links_are_not_followed_and_junk_has_no_measures(tmp_path):
    folder = tmp_path / "allure-results"
    folder.mkdir()
    (folder / "a.txt").write_text("abc")
    (folder / "link").symlink_to("/etc/hostname")
    (file,) = evidence_files(tmp_path, ["allure-results", "absent"])
    assert file.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (file.path, file.size) == ("allure-results/a.txt", 3)
    (folder / "j-result.json").write_text('{"attachments": [{"name": "measures", "type": "application/json"}]}')
    (folder / "k-result.json").write_text("[1]")
    tests = [
        TestOutcome("t", Verdict.PASSED, (), "real", file=name) for name in ("j-result.json", "k-result.json", "x")
    ]
    assert list(measures_of(folder, tests)) == []


@pytest.mark.parametrize(
    ("before", "after", "regressed"),
    [
        ([outcome()], [outcome(Verdict.FAILED)], True),
        ([outcome()], [outcome(Verdict.KNOWN)], True),
        ([outcome()], [outcome(binding="simulated")], True),
        ([outcome(binding="simulated")], [], True),
        ([outcome(Verdict.FAILED)], [outcome()], False),
        ([outcome(binding="simulated")], [outcome()], False),
        ([], [outcome(Verdict.FAILED)], False),
    ],
)
def test_which_requirement_regressed(before, after, regressed):
    (moved,) = requirements_moved(before, after)
    assert moved.regressed is regressed


def test_nothing_moved_where_all_stands_as_before():
    assert requirements_moved([outcome()], [outcome()]) == []
    assert requirements_moved([outcome()], [outcome(), outcome(Verdict.FAILED)])[0].after is Standing.FAILED


def test_a_measure_that_moved_is_told_by_mann_whitney_and_one_that_did_not_is_not():
    random = np.random.default_rng(7)
    same = [random.normal(5, 1, 20).tolist() for _ in range(2)]
    slow = [random.normal(5, 1, 20).tolist(), random.normal(8, 1, 20).tolist()]
    few = [[1.0, 1.1, 1.2], [9.0, 9.1, 9.2]]
    sides = [
        {("", "same", "s"): same[side], ("", "slow", "s"): slow[side], ("", "few", "s"): few[side]} for side in (0, 1)
    ]
    first, second, third = measures_compared(*sides)
    assert (first.key[1], first.moved, first.samples) == ("slow", True, (20, 20))
    assert first.p == pytest.approx(mannwhitneyu(*slow).pvalue)
    assert (second.key[1], second.moved) == ("same", False)
    assert (third.key[1], third.p, third.moved, third.samples) == ("few", None, False, (3, 3))


def test_of_a_hundred_measures_that_did_not_move_none_is_said_to_have():
    random = np.random.default_rng(3)
    sides = [{("", str(name), "s"): random.normal(5, 1, 10).tolist() for name in range(100)} for _ in range(2)]
    compared = measures_compared(*sides)
    assert min(each.p for each in compared) < 0.05
    assert not any(each.moved for each in compared)
