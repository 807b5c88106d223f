"""Writes docs/keywords.md from the keyword library: ``python -m harness.keywords.manual > FILE``."""

from __future__ import annotations

import re
import sys

from robot.libdocpkg import LibraryDocumentation

_HEAD = """# Keywords

The Robot library `harness.keywords.ICCS`. This page is made from the library by `make docs`; don't edit it.

"""
_HEADING = re.compile(r"=(\w+)=")


def manual() -> str:
    """Return the page."""
    library = LibraryDocumentation("harness.keywords.ICCS")
    parts = [_HEAD + _prose(library.doc)]
    for each in (*library.inits, *library.keywords):
        name = "Library import" if each in library.inits else each.name
        arguments = ", ".join(f"`{argument}`" for argument in each.args)
        parts.append(f"## {name}\n{arguments}\n\n{_prose(each.doc)}" if arguments else f"## {name}\n{_prose(each.doc)}")
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _prose(text: str) -> str:
    """Return Robot's documentation format as Markdown: tables as tables, rows after ``Example:`` as code."""
    lines: list[str] = []
    example = False
    for line in text.splitlines():
        row = line.strip()
        if row == "Example:":
            example = True
            lines += ["", "```robotframework"]
        elif example and row.startswith("|"):
            lines.append("    ".join(cell.strip().replace("`", "") for cell in row.strip("|").split("    ")).strip())
        elif _HEADING.search(row) and row.startswith("|"):
            lines += ["", _HEADING.sub(r"\1", row), re.sub(r"[^|]+", "-", row)]
        elif row.startswith("= ") and row.endswith(" ="):
            lines += ["", f"**{row.strip('= ')}.**"]
        else:
            lines.append(row.replace("``", "`"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join([*lines, "```"] if example else lines))


if __name__ == "__main__":
    sys.stdout.write(manual())
