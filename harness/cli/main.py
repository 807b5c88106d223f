"""The `iccs` command: which sub-commands there are; each is imported when it is called, so that help comes at once."""

from __future__ import annotations

import errno
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class _Entry:
    module: str
    attribute: str
    """A function, or a typer application with sub-commands of its own."""
    help: str


COMMANDS = {
    "doctor": _Entry("harness.cli.doctor", "doctor", "Tell what is here, what is missing, and how to get it."),
    "testbed": _Entry("harness.cli.testbed", "app", "Testbed files: check one."),
    "simulate": _Entry("harness.cli.simulate", "simulate", "Start simulators and print where each can be reached."),
    "accept": _Entry("harness.cli.accept", "accept", "Run acceptance suites against a testbed, and report."),
    "scenario": _Entry(
        "harness.cli.scenario", "app", "Scenario files: check them; what actors can do; the JSON Schema."
    ),
    "replay": _Entry("harness.cli.replay", "replay", "Play a scenario, every seat by the harness or one by a person."),
    "record": _Entry(
        "harness.cli.record", "record", "Make a scenario of a run's journal, or of a capture: the same acts again."
    ),
    "load-model": _Entry(
        "harness.cli.load_model", "load_model", "Write a day of the load model, for 'iccs replay FILE --virtual'."
    ),
    "serve": _Entry("harness.cli.serve", "serve", "Serve the champions' page: scenarios played in a browser."),
    "people": _Entry("harness.cli.people", "app", "Accounts of the champions' page."),
    "report": _Entry("harness.cli.report", "report", "Make the report of a run again from its results."),
    "gate": _Entry("harness.cli.plan", "gate", "Tell whether the last run meets its stage's exit criteria."),
    "dossier": _Entry("harness.cli.dossier", "app", "The board's dossier of a run, signed; whether it was changed."),
    "runs": _Entry("harness.cli.runs", "app", "Acceptance runs that were kept: list, show, compare, hold, prune."),
    "defects": _Entry("harness.cli.defects", "app", "The register of known faults: list and check it."),
    "measure": _Entry("harness.cli.measure", "app", "Access time and mouth-to-ear latency from tables and recordings."),
    "crm": _Entry("harness.cli.crm", "app", "A CRM: import contacts."),
    "webex": _Entry("harness.cli.webex", "app", "Webex: find and take away what tests left."),
    "staffing": _Entry("harness.cli.staffing", "staffing", "How many advisers a load needs, by Erlang's formulas."),
    "audit": _Entry("harness.cli.audit", "app", "An ICCS's audit trail: verify it, look into it."),
    "decode": _Entry("harness.cli.decode", "decode", "Show what the harness understands of a message, as JSON."),
}


class _Lazy(TyperGroup):
    """Lists commands from the table above; imports the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else TyperCommand(cmd_name, help=entry.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else _load(name), rest


def _load(name: str) -> Any:
    entry = COMMANDS[name]
    target = getattr(import_module(entry.module), entry.attribute)
    if isinstance(target, typer.Typer):
        return typer.main.get_command(target)
    app = typer.Typer(add_completion=False)
    app.command(name)(target)
    return typer.main.get_command(app)


app = typer.Typer(cls=_Lazy, no_args_is_help=True, pretty_exceptions_show_locals=False)


@app.callback()
def main() -> None:
    """Acceptance tests for a control room's Integrated Communications Control System.

    Start with `iccs doctor`, then `iccs accept`. Each command's --help shows examples.
    """


def run() -> None:
    """Run the command line; the console script's entry. A disk that fills up under a command is told, with exit 3."""
    try:
        app(prog_name="iccs")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"iccs: {where}{error.strerror}; make room and run it again", file=sys.stderr)  # noqa: T201
        sys.exit(3)
