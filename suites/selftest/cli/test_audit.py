"""`iccs audit`: what it says of a trail that holds, of one that does not, and of what is no trail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.audit import app
from harness.journal import Journal
from simulators.iccs.audit.record import Audit


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, Path]:
    """A trail of three entries, and the journal of the run that wrote it."""
    trail, journalled = tmp_path / "audit.jsonl", tmp_path / "journal.jsonl"
    journal = Journal(lambda: 1.0)
    audit = Audit(journal, 0.0)
    audit.keep_in(trail)
    audit.enter("govan-12", "answer", "", "done")
    audit.enter("govan-31", "ambience", "4001234", "refused", "govan-31 has no right to ambience [red]")
    audit.enter("govan-31", "key", "", "done")
    audit.close()
    journalled.write_text("".join(event.line() + "\n" for event in journal), encoding="utf-8")
    return trail, journalled


def iccs(*words: object) -> tuple[int, str, str]:
    ran = CliRunner().invoke(app, [str(word) for word in words])
    return ran.exit_code, ran.stdout, ran.stderr


def test_a_whole_trail_is_verified_and_its_head_printed(run: tuple[Path, Path]) -> None:
    trail, journal = run
    code, out, told = iccs("verify", trail, "--journal", journal)
    assert (code, told.strip()) == (0, f"{trail}: entries: 3, whole and unchanged; noted heads found in it: 1")
    assert iccs("verify", trail, "--head", out.strip())[0] == 0


def test_a_trail_that_was_cut_short_shows_against_the_journal(run: tuple[Path, Path]) -> None:
    trail, journal = run
    trail.write_bytes(b"".join(trail.read_bytes().splitlines(keepends=True)[:2]))
    assert iccs("verify", trail)[0] == 0
    code, _, told = iccs("verify", trail, "--journal", journal)
    assert code == 1
    assert "it ends at line 2, and line 3 was noted: the last ones were taken away" in told


def test_a_changed_line_is_named(run: tuple[Path, Path]) -> None:
    trail, _ = run
    trail.write_bytes(trail.read_bytes().replace(b'"refused"', b'"done"'))
    for command in ("verify", "show"):
        code, _, told = iccs(command, trail)
        assert code == 1
        assert f"{trail}: line 2: it was changed" in told


def test_entries_are_shown_and_chosen(run: tuple[Path, Path]) -> None:
    trail, _ = run
    code, out, _ = iccs("show", trail, "--position", "govan-31", "--outcome", "refused", "--json")
    [entry] = map(json.loads, out.splitlines())
    assert (code, entry["number"], entry["act"], entry["target"]) == (0, 2, "ambience", "4001234")
    assert "[red]" in iccs("show", trail)[1].replace("\n", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["verify", "{folder}/nowhere"], "No such file"),
        (["show", "{folder}"], "Is a directory"),
        (["verify", "{trail}", "--head", "3:abc"], "--head: '3:abc' is no head"),
        (["verify", "{trail}", "--journal", "{folder}/nowhere"], "nowhere: No such file"),
        (["verify", "{trail}", "--journal", "{trail}"], "line 1 is no event of a journal"),
    ],
)
def test_wrong_use_is_told(run: tuple[Path, Path], words: list[str], told: str) -> None:
    trail, _ = run
    code, _, error = iccs(*(word.format(folder=trail.parent, trail=trail) for word in words))
    assert code == 2
    assert told in error
