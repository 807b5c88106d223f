"""``iccs audit``: an ICCS's audit trail, verified against its own chain and against heads that were noted elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Final, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.errors import AuditChainError
from harness.protocols.audit_chain import MAX_LINE, Head, follow, read_head, verified

EXIT_BROKEN: Final = 1
EXIT_USAGE: Final = 2
MAX_JOURNAL_LINE: Final = 1024 * 1024
"""Bytes of a journal's line that are read at once."""
TELLS_HEADS: Final = ("audit.opened", "audit.closed")
COLUMNS: Final = ("time", "position", "act", "target", "outcome", "reason", "why")

app = typer.Typer(no_args_is_help=True, help="Audit trails: verify one, look into one. Example: iccs audit verify FILE")

_File = Annotated[Path, typer.Argument(help="The trail: the file of the ICCS's setting 'audit_trail'.")]


@app.command()
def verify(
    file: _File,
    head: Annotated[
        list[str] | None, typer.Option(help="A head noted elsewhere, NUMBER:HASH, that must be in it; may be repeated.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="A run's journal: the heads that the ICCS told in it must be in the trail.")
    ] = None,
) -> None:
    """Tell whether an audit trail is whole and unchanged, and print its head.

    Each line holds the hash of the one before: a line that was changed, taken out or put in is found. That the last
    ones were taken away, or all was written anew, only shows against a head that was noted elsewhere: note the one that
    this command prints, or give the run's journal. Exit 0 where it holds, 1 where it does not, 2 for wrong use.

    Examples:

      iccs audit verify audit.jsonl

      iccs audit verify audit.jsonl --journal reports/out/journal.jsonl
    """
    noted = _noted(head or (), journal)
    try:
        with file.open("rb") as trail:
            found = verified(_lines(trail), noted=noted)
    except OSError as error:
        _fail(f"{file}: {error.strerror}", EXIT_USAGE)
    except AuditChainError as error:
        _fail(f"{file}: {error}", EXIT_BROKEN)
    against = f"; noted heads found in it: {len(noted)}" if noted else ""
    print(f"{file}: entries: {found.number}, whole and unchanged{against}", file=sys.stderr)  # noqa: T201
    print(found.told())  # noqa: T201


@app.command()
def show(
    file: _File,
    position: Annotated[str | None, typer.Option(help="Only what was done at this position.")] = None,
    act: Annotated[str | None, typer.Option(help="Only this act, as 'dial' or 'ambience'.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only 'done' or 'refused'.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show what was entered, up to the first line that does not hold.

    Exit codes are those of `iccs audit verify`.

    Example: iccs audit show audit.jsonl --act ambience
    """
    wanted = {key: value for key, value in (("position", position), ("act", act), ("outcome", outcome)) if value}
    table = Table(*COLUMNS)
    chain = Head()
    wrong = ""
    try:
        with file.open("rb") as trail:
            for number, line in enumerate(_lines(trail), 1):
                try:
                    entry, chain = follow(chain, line.removesuffix(b"\n"))
                except AuditChainError as error:
                    wrong = f"{file}: line {number}: {error}"
                    break
                if any(entry.get(key) != value for key, value in wanted.items()):
                    continue
                if as_json:
                    print(json.dumps({"number": number, **entry}, ensure_ascii=False))  # noqa: T201
                else:
                    table.add_row(*(escape(str(entry.get(key, ""))) for key in COLUMNS))
    except OSError as error:
        _fail(f"{file}: {error.strerror}", EXIT_USAGE)
    if not as_json:
        Console().print(table)
    if wrong:
        _fail(wrong, EXIT_BROKEN)


def _noted(heads: list[str] | tuple[()], journal: Path | None) -> list[Head]:
    try:
        noted = [read_head(each) for each in heads]
    except AuditChainError as error:
        _fail(f"--head: {error}", EXIT_USAGE)
    if journal is None:
        return noted
    try:
        with journal.open("rb") as events:
            noted += [each for each in _journalled(journal, events) if each.number]
    except OSError as error:
        _fail(f"{journal}: {error.strerror}", EXIT_USAGE)
    return noted


def _journalled(journal: Path, events: BinaryIO) -> Iterator[Head]:
    number = 0
    while line := events.readline(MAX_JOURNAL_LINE):
        number += 1
        try:
            event = json.loads(line)
            if event["kind"] in TELLS_HEADS:
                yield read_head(f"{event['data']['number']}:{event['data']['head']}")
        except (ValueError, KeyError, TypeError, RecursionError, AuditChainError) as error:
            _fail(f"{journal}: line {number} is no event of a journal: {error}", EXIT_USAGE)


def _lines(trail: BinaryIO) -> Iterator[bytes]:
    """Its lines, each no longer than what is found to be too long."""
    while line := trail.readline(MAX_LINE + 2):
        yield line


def _fail(told: str, code: int) -> NoReturn:
    print(told, file=sys.stderr)  # noqa: T201
    raise typer.Exit(code)
