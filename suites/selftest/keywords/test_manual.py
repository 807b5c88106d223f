"""The keyword manual in docs/ is the library's own documentation."""

from __future__ import annotations

from pathlib import Path

from harness.keywords.manual import manual

PAGE = Path(__file__).resolve().parents[3] / "docs" / "keywords.md"


def test_the_page_is_what_the_library_says() -> None:
    """`make docs` was run after the last change of a keyword."""
    assert PAGE.read_text(encoding="utf-8") == manual(), "docs/keywords.md is behind the library: run `make docs`"
