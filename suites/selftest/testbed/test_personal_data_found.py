"""What may be somebody's is found in test data, and told with file and line, masked; what is reserved is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.testbed.personal_data import may_be_somebodys


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("number: 020 7946 0000, dial: 02079460000", "020••••••00"),
        ("cli: +447911123456", "+44"),
        ("email: ailsa@police.example.co.uk", "at police.example.co.uk"),
        ("key: inline:c2VjcmV0c2VjcmV0", "inline:xxxx"),
    ],
)
def test_what_is_not_reserved_is_told_masked(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(f"name: x\n{line}\n", encoding="utf-8")
    (found,) = may_be_somebodys(path)
    assert (found.path, found.line) == (path, 2)
    assert told in str(found)
    assert "9111234" not in str(found) and "7946000" not in str(found)


def test_what_is_reserved_is_not(tmp_path: Path) -> None:
    path = tmp_path / "data.yaml"
    text = "+447700900123 01632960123 01314960200 999 issi 4001234\nmail: a@force.example, b@example.org, c@x.test\n"
    path.write_text(text, encoding="utf-8")
    assert list(may_be_somebodys(path)) == []
