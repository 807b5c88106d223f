"""``iccs load-model``: writes a day of the load model, or an hour of it, as a file that ``iccs replay`` plays."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

EXIT_USAGE, EXIT_ENVIRONMENT = 2, 3


def load_model(
    out: Annotated[Path, typer.Option(help="File to write.")],
    day: Annotated[bool, typer.Option("--day", help="All 24 hours.")] = False,
    hour: Annotated[int | None, typer.Option(min=0, max=23, help="One hour of the day; 19 is the busiest.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Of when calls and presses come.")] = 1,
) -> None:
    """Write a day of the load model: calls to 999 and 101, incidents, and keys pressed on 60 talkgroups.

    The file is short: it tells how much comes, every figure with what it stands for, and the seed from which replay
    draws when. Change it as a plan changes.

    Exit codes: 0 written, 2 wrong use, 3 the file can't be written.

    Example: iccs load-model --day --out day.yaml && iccs replay day.yaml --virtual
    """
    from harness.scenario.load_model.file import day_text  # noqa: PLC0415 - help must come at once

    if day == (hour is not None):
        print("--day for all of it, or --hour for one: one of the two is needed", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE)
    try:
        out.write_text(day_text(seed, hour), encoding="utf-8")
    except OSError as error:
        print(f"{out}: can't be written: {error.strerror}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_ENVIRONMENT) from error
    print(f"{out}: written; iccs replay {out} --virtual plays it")  # noqa: T201
