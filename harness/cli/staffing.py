"""``iccs staffing``: how many advisers a load needs and why, by Erlang C or, with patience, Erlang A."""

from __future__ import annotations

import json
import math
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from harness.errors import StaffingError
from harness.workforce.erlang import Line
from harness.workforce.staffing import Demand, needed, rostered

EXIT_USAGE = 2
AROUND = 3
"""Advisers more and fewer that the table shows."""


def staffing(
    calls: Annotated[float, typer.Option(min=0, help="Calls that come in the period.")],
    aht: Annotated[float, typer.Option(help="Seconds that a call takes an adviser, writing up included.")],
    within: Annotated[float, typer.Option(help="Seconds in which they are to be answered.")] = 10,
    share: Annotated[float, typer.Option(help="Share of calls to be answered in that time, 0 to 1.")] = 0.9,
    patience: Annotated[
        float | None, typer.Option(help="Mean seconds after which waiting callers hang up; left out: never.")
    ] = None,
    period: Annotated[float, typer.Option(help="Seconds of the period.")] = 3600,
    shrinkage: Annotated[float, typer.Option(help="Share of paid time away from the position, 0 to 1.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Tell how many advisers a load needs, and how fewer and more of them would do.

    Erlang's load is calls per second times seconds per call: how many advisers are busy on average. More are needed,
    for calls come by chance. Without --patience callers wait for ever (Erlang C): it asks for more than are needed
    where callers hang up. With it (Erlang A) those who hang up are counted, and a line that is short of advisers does
    not grow for ever. "in time" is of all calls that come. Exit 0 with a result, 2 for what can't be.

    Examples:

      iccs staffing --calls 168 --aht 420 --within 10 --share 0.9

      iccs staffing --calls 300 --aht 600 --within 60 --share 0.8 --patience 120 --shrinkage 0.3
    """
    try:
        demand = Demand(calls=calls, period_s=period, handling_s=aht, within_s=within, share=share, patience_s=patience)
        best = needed(demand)
        numbers = range(max(0, best.agents - AROUND), best.agents + AROUND + 1)
        rows = [demand.met_by(number) for number in numbers]
        on_roster = rostered(best.agents, shrinkage)
    except StaffingError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error
    if as_json:
        shown = {"formula": _formula(patience), "advisers": best.agents, "rostered": on_roster}
        print(json.dumps({**shown, "erlangs": demand.erlangs, "around": [_plain(row) for row in rows]}))  # noqa: T201
    else:
        _teach(demand, best, rows, on_roster, shrinkage)


def _formula(patience: float | None) -> str:
    return "Erlang C" if patience is None else "Erlang A"


def _plain(row: Line) -> dict[str, Any]:
    """A line as JSON has it: no infinity."""
    return {
        "advisers": row.agents,
        "in_time": row.in_time,
        "delayed": row.delayed,
        "mean_answer_s": row.mean_answer_s if math.isfinite(row.mean_answer_s) else None,
        "abandoned": row.abandoned,
        "occupancy": row.occupancy,
    }


def _teach(demand: Demand, best: Line, rows: list[Line], on_roster: int, shrinkage: float) -> None:
    console = Console(soft_wrap=True)
    console.print(
        f"{demand.calls:g} calls in {demand.period_s:g} s, {demand.handling_s:g} s each: "
        f"{demand.calls:g} x {demand.handling_s:g} / {demand.period_s:g} = {demand.erlangs:.2f} erlangs."
    )
    console.print(
        f"{best.agents} advisers answer {100 * best.in_time:.1f} % within {demand.within_s:g} s "
        f"({100 * demand.share:g} % is due), by {_formula(demand.patience_s)}; "
        f"each is with a caller for {100 * best.occupancy:.0f} % of the time."
    )
    if shrinkage:
        console.print(f"With {100 * shrinkage:g} % of paid time away from the position, {on_roster} are rostered.")
    table = Table()
    for heading in ("advisers", "in time", "wait at all", "mean answer", "hang up", "busy"):
        table.add_column(heading, justify="right")
    for row in rows:
        mean = f"{row.mean_answer_s:.1f} s" if math.isfinite(row.mean_answer_s) else "grows for ever"
        shares = [f"{100 * each:.1f} %" for each in (row.in_time, row.delayed, row.abandoned, row.occupancy)]
        mark = " <" if row.agents == best.agents else ""
        table.add_row(f"{row.agents}{mark}", shares[0], shares[1], mean, shares[2], shares[3])
    console.print(table)
    if demand.patience_s is None:
        console.print("Callers who never hang up are assumed; --patience S counts those who do.")
