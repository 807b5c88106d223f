"""``iccs webex``: what tests left in a Webex organisation after a crash, and migrations that were broken off."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.drivers.webex import ADMINISTRATOR
from harness.drivers.webex_left import Left, find, remove
from harness.endpoints.webex import WebexClient, token_from
from harness.endpoints.webex.ledger import Ledger
from harness.endpoints.webex.migration import Migration
from harness.errors import MigrationError, TestbedError, WebexError, WebexGoneError, WebexRefusedError
from harness.testbed.components import Binding, WebexComponent
from harness.testbed.load import load_testbed
from harness.transport.tls import TlsFiles, client_context

EXIT_LEFT: Final = 1
EXIT_USAGE: Final = 2
EXIT_WEBEX: Final = 3
TOKEN_VARIABLE: Final = "ICCS_WEBEX_TOKEN"  # noqa: S105 - a variable's name
PREFIX: Final = "iccs-test-"

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def _webex() -> None:
    """Webex: whose tokens there are; find and take away what tests left; roll back a migration by its ledger.

    Examples:

      iccs webex accounts my-tenant.yaml

      iccs webex sweep --dry-run --testbed my-tenant.yaml

      iccs webex roll-back wave-1.ledger --testbed my-tenant.yaml
    """


@app.command()
def sweep(
    testbed: Annotated[
        Path | None, typer.Option(help="Testbed file with a real webex: all its accounts sweep.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Instead of a file: where Webex is asked, without /v1.")] = None,
    prefix: Annotated[str, typer.Option(help="With --to: what the names of what is taken away begin with.")] = PREFIX,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be taken away, and change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Find what tests make (rooms, meetings, accounts …) whose names begin with the prefix, and delete it.

    Tests take away what they make; after a crash or a pulled plug this does. With a testbed file each account's token
    is read from its own variable or the keyring; with --to the token is ICCS_WEBEX_TOKEN's.

    An account whose token serves no more is told, and the others sweep.

    Exit 0 when nothing is left (with --dry-run: when nothing would be taken away), 1 when something is, or when an
    account was not asked, 2 for a file, an address or a token that is wrong, 3 when Webex can't be reached.

    Examples:

      iccs webex sweep --dry-run --testbed my-tenant.yaml

      ICCS_WEBEX_TOKEN=… iccs webex sweep --to http://127.0.0.1:8080
    """
    if (testbed is None) == (to is None):
        _end("either --testbed FILE or --to URL is due", EXIT_USAGE)
    try:
        at, begins = _of_file(testbed) if testbed is not None else _of_address(to or "", prefix)
        left = asyncio.run(_sweep(at, begins, dry_run=dry_run, as_json=as_json))
    except WebexGoneError as error:
        _end(str(error), EXIT_WEBEX)
    except (WebexError, TestbedError) as error:
        _end(str(error), EXIT_USAGE)
    raise typer.Exit(EXIT_LEFT if left else 0)


@app.command()
def accounts(testbed: Annotated[Path, typer.Argument(help="Testbed file with a real webex.")]) -> None:
    """Ask the service whose token each account of a testbed file has: before a run, which acts as these people.

    Exit 0 when each token serves and is that account's, 1 when one is not, 2 for a file, an address or a token that is
    wrong, 3 when Webex can't be reached.

    Example: iccs webex accounts my-tenant.yaml
    """
    try:
        at, _prefix = _of_file(testbed)
        wrong = asyncio.run(_told_apart(at))
    except WebexGoneError as error:
        _end(str(error), EXIT_WEBEX)
    except (WebexError, TestbedError) as error:
        _end(str(error), EXIT_USAGE)
    for name in at.tokens:
        print(f"{name}: {wrong.get(name, at.emails[name])}")  # noqa: T201
    raise typer.Exit(EXIT_LEFT if wrong else 0)


@app.command("roll-back")
def roll_back(
    ledger: Annotated[Path, typer.Argument(help="The ledger that the migration wrote.")],
    testbed: Annotated[
        Path | None, typer.Option(help="Testbed file with a real webex: its administrator rolls back.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Instead of a file: where Webex is asked, without /v1.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what stands by the ledger; ask nothing.")] = False,
) -> None:
    """Take back what a migration of Teams users did, by its ledger: whoever began it, and however it ended.

    Steps are taken back last first, and each is marked in the ledger: where the service fails, the same command goes on
    from there. Only what the migration made is touched; accounts that were there before keep all but what they got.

    Exit 0 when nothing of it is left, 1 when something is, or with --dry-run may be, 2 for a file, an address or a
    token that is wrong, 3 when Webex can't be reached.

    Examples:

      iccs webex roll-back wave-1.ledger --dry-run

      iccs webex roll-back wave-1.ledger --testbed my-tenant.yaml
    """
    try:
        book = Ledger.read(ledger)
        standing = [each for each in book.steps if each.state != "undone"]
        if dry_run:
            print(f"{book.wave}: {len(standing)} of {len(book.steps)} steps stand")  # noqa: T201
            raise typer.Exit(EXIT_LEFT if standing else 0)
        if (testbed is None) == (to is None):
            _end("either --testbed FILE or --to URL is due", EXIT_USAGE)
        at, _prefix = _of_file(testbed) if testbed is not None else _of_address(to or "", PREFIX)
        asyncio.run(_roll_back(at, book))
    except WebexGoneError as error:
        _end(str(error), EXIT_WEBEX)
    except MigrationError as error:
        _end(str(error), EXIT_LEFT if error.rolled_back is False else EXIT_USAGE)
    except (WebexError, TestbedError) as error:
        _end(str(error), EXIT_USAGE)
    print(f"{book.wave}: {len(standing)} steps were taken back; nothing of it is left")  # noqa: T201


@dataclass(frozen=True, slots=True)
class _At:
    """A Webex, and who asks it."""

    service: str
    tokens: dict[str, str] = field(repr=False)
    """By account."""
    emails: dict[str, str] = field(default_factory=dict)
    """Whose they are to be, by account, where that is known."""
    tls: ssl.SSLContext | None = None
    """By what the service is checked; None: whom the public web trusts."""

    def client(self, account: str, *, read_only: bool) -> WebexClient:
        return WebexClient(f"webex {account}", self.service, self.tokens[account], read_only=read_only, tls=self.tls)


async def _told_apart(at: _At) -> dict[str, str]:
    """What is wrong with which account's token."""
    wrong = {}
    for name, email in at.emails.items():
        client = at.client(name, read_only=True)
        try:
            told = {str(each).lower() for each in (await client.ask("GET", "/people/me")).get("emails", ())}
        except WebexRefusedError as error:
            wrong[name] = str(error)
        else:
            if email.lower() not in told:
                wrong[name] = f"{email} is due, and the token is {', '.join(sorted(told)) or 'nobody'}'s"
        finally:
            await client.close()
    return wrong


async def _roll_back(at: _At, book: Ledger) -> None:
    client = at.client(ADMINISTRATOR, read_only=False)
    try:
        me = await client.ask("GET", "/people/me")
        if str(me["orgId"]) != book.organisation:
            raise MigrationError("the ledger is of another organisation than the token: nothing was changed")
        await Migration(client, await client.scim(), book, lambda _step: None).roll_back()
    finally:
        await client.close()


def _end(why: str, code: int) -> None:
    print(why, file=sys.stderr)  # noqa: T201
    raise typer.Exit(code)


def _of_address(to: str, prefix: str) -> tuple[_At, str]:
    if re.fullmatch(r"https?://[^/\s]+", to) is None:
        raise WebexError(f"--to is {to!r}; https://host is due, without /v1")
    return _At(to, {ADMINISTRATOR: token_from(TOKEN_VARIABLE)}), prefix


def _of_file(testbed: Path) -> tuple[_At, str]:
    found = [each for each in load_testbed(testbed).components.values() if isinstance(each, WebexComponent)]
    real = [each for each in found if each.binding is Binding.REAL]
    if len(real) != 1:
        raise TestbedError(
            f"{testbed}: {len(real)} real components of role webex, and one is due; a simulated one keeps nothing "
            "(one that runs is swept with --to URL)"
        )
    [component] = real
    assert component.service is not None, "the file's reader saw to it"
    tokens = {name: token_from(each.token_variable or "") for name, each in component.accounts.items()}
    authority = component.authority
    tls = None if authority is None else client_context(TlsFiles(authority=authority))
    emails = {name: each.email for name, each in component.accounts.items()}
    return _At(component.service, tokens, emails, tls), component.prefix


async def _sweep(at: _At, prefix: str, *, dry_run: bool, as_json: bool) -> int:
    """Sweep with each account; return how many things are left, and accounts that could not be asked."""
    seen: dict[str, tuple[Left, str]] = {}
    unasked: list[str] = []
    for name in at.tokens:
        client = at.client(name, read_only=dry_run)
        try:
            for left in [each async for each in find(client, prefix, name)]:
                if left.id not in seen or seen[left.id][1]:
                    seen[left.id] = (left, "would be taken away" if dry_run else await _removed(client, left))
        except WebexRefusedError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
            unasked.append(f"account {name} was not asked, its token serves no more: {error}")
        finally:
            await client.close()
    _show([*seen.values()], as_json=as_json)
    for why in unasked:
        print(why, file=sys.stderr)  # noqa: T201
    return sum(bool(why) for _left, why in seen.values()) + len(unasked)


async def _removed(client: WebexClient, left: Left) -> str:
    """Why it could not be taken away; empty: it was."""
    try:
        await remove(client, left)
    except WebexGoneError:
        raise
    except WebexError as error:
        return str(error)
    return ""


def _show(found: list[tuple[Left, str]], *, as_json: bool) -> None:
    if as_json:
        for left, why in found:
            told = {"kind": left.kind, "id": left.id, "name": left.name, "account": left.by, "left": why or None}
            print(json.dumps(told))  # noqa: T201
        return
    console = Console()
    if not found:
        console.print("Nothing was left.")
        return
    table = Table("kind", "name", "account", "", title="Left by tests", title_justify="left")
    for left, why in found:
        table.add_row(left.kind, escape(left.name), left.by, escape(why or "taken away"))
    console.print(table)
