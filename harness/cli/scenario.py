"""``iccs scenario``: checks scenario files, tells what actors can do, and writes the JSON Schema for editors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.errors import ScenarioError, TestbedError

EXIT_USAGE = 2

app = typer.Typer(
    help="Scenario files: check them, and what can stand in them. Example: iccs scenario check FILE",
    no_args_is_help=True,
)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Scenario files (YAML).")],
    testbed: Annotated[Path | None, typer.Option(help="Tell also whether this testbed has all its actors.")] = None,
) -> None:
    """Check scenario files; every error names file, line, what was found and what was meant. Exit 2 on errors.

    A testbed that a scenario names is read too, and has to have its actors; --testbed tells of another instead.

    Example: iccs scenario check fixtures/scenarios/*.yaml
    """
    from harness.scenario.cast import casting, named_testbed  # noqa: PLC0415 - help must come at once
    from harness.scenario.load import load_with_lines  # noqa: PLC0415
    from harness.scenario.load_model.file import read_load  # noqa: PLC0415
    from harness.testbed.load import load_testbed  # noqa: PLC0415

    wrong = False
    for file in files:
        try:
            if (load := read_load(file)) is not None:
                print(f"{file}: {load.id}: a load of {len(load.load.hours)} hours")  # noqa: T201
                continue
            scenario, lines = load_with_lines(file)
            played_on = testbed or named_testbed(scenario, lines)
            if played_on is not None:
                casting(scenario, load_testbed(played_on), lines)
        except (ScenarioError, TestbedError) as error:
            told = str(error) if str(file) in str(error) else f"{file}: {error}"
            print(told, file=sys.stderr)  # noqa: T201
            wrong = True
        else:
            print(  # noqa: T201
                f"{file}: {scenario.id}: {len(scenario.actors)} actors, {len(scenario.timeline)} steps, "
                f"{len(scenario.requirements)} requirements"
            )
    if wrong:
        raise typer.Exit(EXIT_USAGE)


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors and other programs.

    Example: iccs scenario schema > scenario.schema.json
    """
    from harness.scenario.schema import json_schema  # noqa: PLC0415

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # noqa: T201


@app.command()
def verbs(role: Annotated[str | None, typer.Argument(help="One role.", show_default="all")] = None) -> None:
    """Tell what actors can do, by role: the verb, what goes with it (`?`: may be left out), what it does.

    Example: iccs scenario verbs console
    """
    from harness.scenario.names import meant  # noqa: PLC0415
    from harness.scenario.schema import verb_lines  # noqa: PLC0415
    from harness.scenario.verbs import VERBS  # noqa: PLC0415

    if role is not None and role not in VERBS:
        print(f"there is no role {role!r}{meant(role, VERBS)}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE)
    table = Table()
    for heading in ("role", "verb", "with", "does"):
        table.add_column(heading)
    for line in verb_lines():
        if role in (None, line[0]):
            table.add_row(*line)
    Console(markup=False, highlight=False).print(table)
