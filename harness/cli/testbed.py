"""``iccs testbed check``: tells whether a testbed file can be used, and what it would drive."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.errors import TestbedError
from harness.testbed.layouts import lacking
from harness.testbed.load import LAYOUTS, load_testbed

EXIT_USAGE = 2

app = typer.Typer(help="Testbed files: what stands behind each role, and what safety allows.", no_args_is_help=True)


@app.callback()
def main() -> None:
    """Keep ``check`` a sub-command while it is the only one."""


@app.command()
def check(file: Annotated[Path, typer.Argument(help="Testbed file (YAML).")]) -> None:
    """Check a testbed file; every error names file, line, key, what was found and what is allowed. Exit 2 on errors.

    Example: iccs testbed check fixtures/testbeds/simulated.yaml
    """
    try:
        testbed = load_testbed(file)
    except TestbedError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error
    table = Table(title=f"{testbed.name} ({testbed.stage})", title_justify="left")
    for heading in ("component", "role", "binding"):
        table.add_column(heading)
    for name, component in testbed.components.items():
        table.add_row(name, component.role, component.binding.value)
    console = Console(markup=False, highlight=False, soft_wrap=True)
    console.print(table)
    real = testbed.real()
    for layout in testbed.stands_for:
        missing = lacking(testbed, load_testbed(LAYOUTS / f"{layout}.yaml"))
        but = f", but for {', '.join(missing)}: tests that ask for these are skipped" if missing else ""
        console.print(f"Stands for {layout}{but}.")
    if not real:
        console.print("All simulated: the safety interlock allows everything, and no result counts as acceptance.")
        return
    safety = testbed.safety
    console.print(f"Not simulated: {', '.join(real)}. The safety interlock allows nothing but:")
    console.print(f"  dial     {', '.join(safety.dial) or 'nothing'}")
    console.print(f"  key      {', '.join(safety.key) or 'nothing'}")
    console.print(f"  call     {', '.join(map(str, safety.call)) or 'nothing'}")
    console.print(f"  message  {', '.join(map(str, safety.message)) or 'nothing'}")
    console.print(f"  locate   {', '.join(safety.locate) or 'nothing'}")
    for permit in safety.permits:
        console.print(
            f"  {permit.what} to {permit.target}, {permit.valid_from} to {permit.valid_until}, by {permit.approved_by}"
        )
