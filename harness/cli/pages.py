"""Renders the pages of reports/templates: what was found is text there, and long names break where their parts end."""

from __future__ import annotations

import re
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.cli.places import PROJECT
from harness.evidence.dossier import figure, test_lines

TEMPLATES: Final = PROJECT / "reports" / "templates"
_PART: Final = re.compile(r"(?<=[_#./:\[(,])(?=[^\s_#./:])")


def page(name: str, **found: Any) -> str:
    """Return the page that ``name.j2`` makes of what was found."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"parted": parted, "figure": figure, "test_lines": test_lines, "minutes": minutes}
    return environment.get_template(f"{name}.j2").render(**found)


def parted(name: str) -> Markup:
    """Return a test's or file's name as HTML that may go on in the next line where one of its parts ends."""
    return Markup("<wbr>").join(escape(part) for part in _PART.split(name))


def minutes(seconds: float) -> str:
    """Return a duration as a reader is told it: ``42 s``, ``3 min 36 s``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"
