"""``iccs defects``: reads and checks the register of known faults; errors name file, line, found and allowed."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from harness.cli.checked_file import MAX_ERRORS, Where, read_checked
from harness.cli.places import FIXTURES
from harness.errors import LocalError
from harness.evidence.defects import Defect, Register, Waiver, this_day, unknown
from harness.evidence.requirements import catalogue
from harness.source import Kind

REGISTER: Final = FIXTURES / "defects.yaml"
EXIT_FAILED, EXIT_USAGE = 1, 2


class RegisterError(LocalError):
    """The register of known faults is not as it must be."""


_KIND: Final = Kind("register", RegisterError, "'defects'", "write the value again")
_PARTS: Final = frozenset({*Defect.model_fields, *Waiver.model_fields})

File = Annotated[Path, typer.Option("--register", help="The register's file.")]
app = typer.Typer(
    help="Known faults: list them, check the register. Example: iccs defects check --register fixtures/defects.yaml",
    no_args_is_help=True,
)


def load_register(path: Path) -> Register:
    """Return the known faults that a file holds.

    Raises RegisterError with one line an error: ``file:line: key: found …; allowed: …``.
    """
    register, spot = read_checked(path, _KIND, Register, _PARTS | {"defects"}, _model)
    wrong = []
    first: dict[str, int] = {}
    missing = unknown(register, catalogue())
    for index, defect in enumerate(register.defects):
        at = spot.at(["defects", index])
        if defect.id in first:
            wrong.append(
                at.at(["id"]).error(f"defects.{index}.id: found {defect.id!r} again; first in line {first[defect.id]}")
            )
        first.setdefault(defect.id, at.line)
        wrong += [
            at.at(["requirements"]).error(f"defects.{index}.requirements: {catalogue().unknown(name)}")
            for name in missing.get(defect.id, ())
        ]
    if wrong:
        raise RegisterError("\n".join(wrong[:MAX_ERRORS]))
    return register


def _model(location: Where) -> type[BaseModel]:
    return Register if len(location) == 1 else Waiver if "waiver" in location[:-1] else Defect


def _loaded(path: Path) -> Register:
    try:
        return load_register(path)
    except LocalError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error


@app.command("list")
def list_defects(register: File = REGISTER) -> None:
    """Show every known fault with its severity, change request and waiver.

    Example: iccs defects list
    """
    today = this_day()
    console = Console()
    found = _loaded(register).defects
    if not found:
        console.print(f"{register} holds no known fault.", markup=False, highlight=False, soft_wrap=True)
        return
    table = Table(title="Known faults", title_justify="left")
    for heading in ("id", "severity", "fault", "requirements", "change request", "state", "waiver"):
        table.add_column(heading, no_wrap=heading == "id")
    for each in found:
        row = (each.id, str(each.severity), each.title, ", ".join(each.requirements), each.change_request or "-")
        closed = f"closed {each.closed.isoformat()}" if each.closed is not None else "open"
        table.add_row(*(_plain(cell) for cell in (*row, closed, _waiver(each, today))))
    console.print(table)


@app.command()
def check(register: File = REGISTER) -> None:
    """Check the register: exit 0 when it is right, 1 when the waiver of an open fault has expired, 2 when it is wrong.

    Example: iccs defects check --register fixtures/defects.yaml
    """
    found = _loaded(register)
    expired = found.expired(this_day())
    for line in expired:
        print(f"{register}: {line}", file=sys.stderr)  # noqa: T201
    if expired:
        raise typer.Exit(EXIT_FAILED)
    print(f"{register}: {len(found.defects)} known faults, no waiver expired")  # noqa: T201


def _waiver(defect: Defect, today: date) -> str:
    waiver = defect.waiver
    if waiver is None:
        return "none: the gate fails"
    state = "until" if waiver.holds(today) else "EXPIRED on"
    return f"{waiver.approver}, {state} {waiver.expires.isoformat()}; gate {waiver.gate}"


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
