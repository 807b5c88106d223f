"""Plots of what was measured: named lines over one axis, with units, as SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harness.errors import LocalError

MAX_POINTS: Final = 20_000
"""Points of one line; of more, every so many-th is drawn."""
MAX_LINES: Final = 12
"""Lines of one plot: more can't be told apart."""
WIDE: Final = (9.0, 4.5)
"""Inches of a plot that has a page's width."""
HALF: Final = (4.6, 3.0)
"""Of one of two beside each other: smaller, so that its words are no smaller."""

Style = Literal["-", "--", ":", "-."]


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, and in what unit."""

    label: str
    unit: str = ""
    counts: bool = False
    """It counts things: there is nothing between one and the next."""

    def __str__(self) -> str:
        """Return it as it stands beside the axis: ``time, min``."""
        return f"{self.label}, {self.unit}" if self.unit else self.label


@dataclass(frozen=True, slots=True)
class Line:
    """One line: points by their place on both axes."""

    x: Sequence[float]
    y: Sequence[float]
    style: Style = "-"
    colour: str | None = None
    """``#rrggbb``; where not given, the next of a row of colours that can be told apart."""


def line_plot(
    lines: Mapping[str, Line],
    *,
    title: str,
    x: Axis,
    y: Axis,
    note: str = "",
    from_zero: bool = True,
    inches: tuple[float, float] = WIDE,
) -> bytes:
    """Draw lines by their names and return the picture as SVG, the same bytes for the same points.

    ``note`` stands under the title. ``from_zero``: the vertical axis begins at 0, so that a change is seen as large as
    it is. ``inches``: its width and height, WIDE or HALF. Raises LocalError where there is nothing to draw, or too
    much, or a line's points don't pair up.
    """
    if not lines or len(lines) > MAX_LINES:
        raise LocalError(f"a plot has 1 to {MAX_LINES} lines, not {len(lines)}")
    for name, line in lines.items():
        if len(line.x) != len(line.y) or not line.x:
            raise LocalError(
                f"line {name!r} has {len(line.x)} places and {len(line.y)} values: as many are due, and one"
            )
    import matplotlib as mpl  # noqa: PLC0415 - takes a second to load, and few runs plot
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    with mpl.rc_context({"svg.hashsalt": "iccs", "font.family": "sans-serif", "font.size": 10}):
        figure = Figure(figsize=inches, layout="constrained")
        axes = figure.subplots()
        for name, line in lines.items():
            every = 1 + len(line.x) // MAX_POINTS
            points = list(line.x)[::every], list(line.y)[::every]
            axes.plot(*points, line.style, label=name, linewidth=1.4, color=line.colour)
        for axis, shown in ((axes.xaxis, x), (axes.yaxis, y)):
            if shown.counts:
                axis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel=str(x), ylabel=str(y))
        axes.set_title(f"{title}\n{note}" if note else title, fontsize=11, loc="left")
        if from_zero:
            axes.set_ylim(bottom=0)
        axes.grid(visible=True, alpha=0.3)
        figure.legend(loc="outside lower center", ncols=min(len(lines), 4), edgecolor="none")  # never over a line
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()
