"""docs/sip-matrix.md against the tests: what it names is there, and no file of SIP tests is left out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SELFTEST = Path(__file__).resolve().parents[2]
PAGE = SELFTEST.parents[1] / "docs" / "sip-matrix.md"
NAMED = re.compile(r"(?:(?P<label>[a-z0-9][a-z0-9 ]*): )?`(?P<test>test_\w+)`")
FILED = re.compile(r"^\| (?P<labels>[a-z0-9, ]+) \| (?P<files>`[^|]*\.py`) \|$", re.MULTILINE)


def files() -> dict[str, Path]:
    """The files by the names that the page gives them."""
    found: dict[str, Path] = {}
    for row in FILED.finditer(PAGE.read_text(encoding="utf-8")):
        labels, paths = row["labels"].split(", "), row["files"].replace("`", "").split(", ")
        assert len(labels) == len(paths), row.group()
        found.update(zip(labels, (SELFTEST / path for path in paths), strict=True))
    return found


def shown() -> Iterator[tuple[str, str]]:
    """Each test that the page names: its file's name, its function."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        label = ""
        for found in NAMED.finditer(line):
            label = found["label"] or label
            yield label, found["test"]


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_test_that_the_page_names_is_there() -> None:
    by_name = {name: functions(path) for name, path in files().items()}
    named = list(shown())
    assert len(named) > 80
    missing = [(label, test) for label, test in named if test not in by_name.get(label, ())]
    assert missing == []


def test_no_file_of_sip_tests_is_left_out() -> None:
    named = set(files().values())
    assert all(path.is_file() for path in named)
    covered = {"test_sip_matrix.py", "test_sip_witness.py", "test_sip_nasties_wire.py", "test_sip_malformed.py"}
    """This one; two smoke tests; those that docs/sip-torture.md names."""
    there = {path for path in (SELFTEST / "endpoints" / "sip").glob("test_*.py") if path.name not in covered}
    assert there <= named
    used = {label for label, _ in shown()}
    assert {"message", "tcp", "tls", "kamailio", "load"} <= used


def test_each_row_of_the_tables_shows_a_test() -> None:
    page = PAGE.read_text(encoding="utf-8").partition("## Limits")[0]
    rows = [line for line in page.splitlines() if line.startswith("| ") and "shown by |" not in line]
    assert len(rows) > 60
    assert [row for row in rows if "`test_" not in row] == []
