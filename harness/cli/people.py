"""``iccs people``: the accounts of the champions' page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.errors import LocalError

if TYPE_CHECKING:
    from harness.page.people import People

EXIT_USAGE = 2
DATABASE = "iccs-page.sqlite"
"""The page's store where none is named: a file in the current folder."""
Database = Annotated[
    str,
    typer.Option(
        envvar="ICCS_PAGE_DATABASE", help="The page's store: a file, or postgresql://user:password@host/name."
    ),
]
Name = Annotated[str, typer.Argument(help="The account's name.")]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input, one line."),
]

app = typer.Typer(
    help="Accounts of the champions' page. Example: iccs people add Ailsa --role trainee --team B --site Govan",
    no_args_is_help=True,
)


@contextmanager
def _people(database: str) -> Iterator[People]:
    from harness.page.people import People  # noqa: PLC0415 - help must come at once
    from harness.page.store import Store  # noqa: PLC0415

    try:
        store = Store.open(database)
        try:
            yield People(store)
        finally:
            store.close()
    except LocalError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error


@app.command()
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="champion, trainee, engineer or governance.")] = "trainee",
    team: Annotated[str, typer.Option(help="The team's name.")] = "",
    site: Annotated[str, typer.Option(help="The site's name.")] = "",
    shift: Annotated[str, typer.Option(help="The shift's name.")] = "",
    no_password: Annotated[bool, typer.Option("--no-password", help="Only `iccs people token` lets in.")] = False,
    password_stdin: FromStdin = False,
    database: Database = DATABASE,
) -> None:
    """Make an account; the password is asked for. Exit 2 where the name is taken or something does not fit.

    Example: iccs people add "Ailsa Reid" --role champion --team B --site Govan --shift early
    """
    from harness.page.people import NewPerson  # noqa: PLC0415

    with _people(database) as people:
        made = people.add(
            NewPerson(name, role, team, site, shift), None if no_password else _password(from_stdin=password_stdin)
        )
        print(f"{made.name}: {made.role}")  # noqa: T201


@app.command("list")
def list_(database: Database = DATABASE) -> None:
    """Tell who has an account.

    Example: iccs people list
    """
    with _people(database) as people:
        table = Table()
        for heading in ("name", "role", "team", "site", ""):
            table.add_column(heading)
        for person, disabled in people.all():
            table.add_row(person.name, person.role, person.team, person.site, "disabled" if disabled else "")
        Console(markup=False, highlight=False).print(table)


@app.command()
def password(name: Name, password_stdin: FromStdin = False, database: Database = DATABASE) -> None:
    """Give an account a new password; its browsers are signed out.

    Example: iccs people password "Ailsa Reid"
    """
    with _people(database) as people:
        people.set_password(name, _password(from_stdin=password_stdin))


@app.command()
def disable(name: Name, database: Database = DATABASE) -> None:
    """Let an account in no more, at once; its records stay.

    Example: iccs people disable "Ailsa Reid"
    """
    with _people(database) as people:
        people.disable(name)


@app.command()
def token(
    name: Name,
    url: Annotated[str, typer.Option(help="Where the page is.")] = "http://127.0.0.1:8080",
    database: Database = DATABASE,
) -> None:
    """Print an address that lets somebody in once, within 15 minutes.

    Example: iccs people token "Ailsa Reid"
    """
    with _people(database) as people:
        print(f"{url.rstrip('/')}/sign-in/{people.token(name)}")  # noqa: T201


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline(1024).rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
