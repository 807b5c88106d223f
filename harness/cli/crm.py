"""``iccs crm``: contacts sent to a CRM from a CSV file, whatever is wrong with some of its rows."""

from __future__ import annotations

import asyncio
import csv
import getpass
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from harness.endpoints.crm import CrmClient
from harness.errors import CrmError, CrmGoneError

EXIT_BAD_ROWS: Final = 1
EXIT_USAGE: Final = 2
EXIT_CRM: Final = 3
TOKEN_VARIABLE: Final = "ICCS_CRM_TOKEN"  # noqa: S105 - a variable's name
READ_BYTES: Final = 64 * 1024
ROWS_SHOWN: Final = 20
"""Bad rows that are shown where no file is named for them."""

app = typer.Typer(no_args_is_help=True, help="A CRM: import contacts.")


@app.callback()
def _crm() -> None:
    """What is done to a CRM from a command line."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV file, UTF-8; its first line names columns.")],
    to: Annotated[str, typer.Option(help="Where the CRM is asked: http://host:port.")],
    bad_rows: Annotated[
        Path | None, typer.Option(help="Write every bad row's line and reason to this CSV file.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Who imports, for the CRM's audit; left out: who you are.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the CRM's audit.")] = "import",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Send contacts to a CRM: good rows in, bad rows told with their line and what is wrong.

    Columns, in any order: reference (needed: the contact's own name in the system it comes from), name, telephone,
    email, address, markers ("kind: text; kind: text"). Sending a file again changes nothing that is right already, so
    that one that was broken off, or whose bad rows were mended, is simply sent again. A token, where the CRM asks for
    one, is read from ICCS_CRM_TOKEN.

    Exit 0 when every row is in, 1 when some were bad, 2 for a file, an address or a token that is wrong, 3 when the CRM
    can't be reached or the import was broken off.

    Examples:

      iccs crm import contacts.csv --to http://127.0.0.1:8090

      iccs crm import contacts.csv --to http://127.0.0.1:8090 --bad-rows to-mend.csv
    """
    if re.fullmatch(r"https?://[^/\s]+", to) is None:
        _end(f"--to is {to!r}; http://host:port is due", EXIT_USAGE)
    try:
        with file.open("rb") as source:
            told = asyncio.run(_import(source, to, bad_rows, user or getpass.getuser(), reason, quiet=as_json))
    except OSError as error:
        _end(f"{error.filename or file}: {error.strerror or error}", EXIT_USAGE)
    except CrmGoneError as error:
        _end(str(error), EXIT_CRM)
    except CrmError as error:
        _end(str(error), EXIT_USAGE)
    if as_json:
        print(json.dumps(told))  # noqa: T201
    raise typer.Exit(EXIT_BAD_ROWS if told["bad"] else 0)


def _end(why: str, code: int) -> None:
    print(why, file=sys.stderr)  # noqa: T201
    raise typer.Exit(code)


async def _import(
    source: IO[bytes], to: str, bad_rows: Path | None, user: str, reason: str, *, quiet: bool
) -> dict[str, Any]:
    console = Console(stderr=True, quiet=quiet)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    async with CrmClient(to, os.environ.get(TOKEN_VARIABLE, "")) as crm:
        with Progress(*columns, console=console) as progress:
            sent = progress.add_task(Path(source.name).name, total=os.fstat(source.fileno()).st_size)

            async def data() -> AsyncIterator[bytes]:
                while part := source.read(READ_BYTES):
                    yield part
                    progress.advance(sent, len(part))

            told = await crm.import_contacts(data(), user=user, reason=reason)
        console.print(
            f"{told['rows']} rows: {told['added']} added, {told['changed']} changed, {told['unchanged']} as they were, "
            f"{told['bad']} bad"
        )
        if told["bad"]:
            await _tell(crm, str(told["id"]), bad_rows, console)
    return told


async def _tell(crm: CrmClient, import_: str, bad_rows: Path | None, console: Console) -> None:
    if bad_rows is None:
        shown = 0
        async for line, why in crm.bad_rows(import_):
            if shown == ROWS_SHOWN:
                console.print("… and more: --bad-rows FILE has all of them")
                return
            console.print(f"line {line}: {why}", markup=False, highlight=False)
            shown += 1
        return
    with bad_rows.open("w", newline="", encoding="utf-8") as target:
        rows = csv.writer(target)
        rows.writerow(("line", "why"))
        async for line, why in crm.bad_rows(import_):
            rows.writerow((line, why))
    console.print(f"their lines and reasons are in {bad_rows}", markup=False, highlight=False)
