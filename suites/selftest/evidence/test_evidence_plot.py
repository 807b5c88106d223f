"""Plots: lines with names, axes with units, the same picture for the same points."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from harness.errors import LocalError
from harness.evidence.plot import MAX_LINES, MAX_POINTS, Axis, Line, line_plot

TIME, MEMORY = Axis("time", "min"), Axis("resident memory", "MiB")


def drawn(points: int = 50, **more: str) -> str:
    line = Line(list(range(points)), [100.0 + each % 7 for each in range(points)])
    fit = Line([0, points - 1], [103, 103], "--")
    return line_plot({"ICCS": line, "fit": fit}, title="Memory under calls", x=TIME, y=MEMORY, **more).decode()


def test_it_is_svg_and_the_same_bytes_each_time() -> None:
    assert ElementTree.fromstring(drawn()).tag.endswith("svg")
    assert drawn() == drawn()
    assert drawn(note="20 calls a second") != drawn()


def test_names_and_units_stand_on_it() -> None:
    said = drawn(note="20 calls a second")
    for words in ("time, min", "resident memory, MiB", "ICCS", "fit", "Memory under calls", "20 calls a second"):
        assert f"<!-- {words}" in said or words in said, words


def test_many_points_make_no_large_picture() -> None:
    assert len(drawn(10 * MAX_POINTS)) < 3_000_000


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ({}, "has 1 to"),
        ({str(number): Line([0], [0]) for number in range(MAX_LINES + 1)}, "not 13"),
        ({"a": Line([], [])}, "line 'a' has 0 places and 0 values"),
        ({"a": Line([0, 1], [0])}, "line 'a' has 2 places and 1 values"),
    ],
)
def test_what_can_not_be_drawn_is_said(lines: dict[str, Line], why: str) -> None:
    with pytest.raises(LocalError, match=why):
        line_plot(lines, title="x", x=TIME, y=MEMORY)
