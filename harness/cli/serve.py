"""``iccs serve``: the champions' page, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.people import DATABASE, Database
from harness.cli.places import FIXTURES, SIMULATED_TESTBED
from harness.errors import HarnessError, LocalError, PageError, TestbedError
from simulators.reach import is_loopback

if TYPE_CHECKING:
    from harness.page.people import People

EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3
COMMAND_LINE = "Command line"
"""The account of whoever has the command line, where `--as` names none; it has no password."""


def serve(
    database: Database = DATABASE,
    scenarios: Annotated[Path, typer.Option(help="Folder of scenarios.")] = FIXTURES / "scenarios",
    testbed: Annotated[
        Path, typer.Option(help="Testbed file whose simulators each playing has, where its scenario names no other.")
    ] = SIMULATED_TESTBED,
    host: Annotated[str, typer.Option(help="Address to serve on; beyond loopback https is needed.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8080,
    name: Annotated[list[str] | None, typer.Option(help="Another name under which browsers reach it.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM file of the server's certificate.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file of its key.")] = None,
    as_: Annotated[str, typer.Option("--as", help="Account that the printed address signs in.")] = COMMAND_LINE,
) -> None:
    """Serve the champions' page and print an address that signs one browser in; Ctrl-C or SIGTERM stops it.

    Only this machine reaches it, unless --host says otherwise: then --certificate and --key are needed, as passwords
    go over the line. Nothing is shown to who is not signed in.

    Exit 0 when stopped, 2 for an option that is wrong, 3 when the port is taken, the store is gone or the like.

    Examples:

      iccs serve --database people.sqlite --port 8080

      iccs serve --testbed fixtures/testbeds/sites.yaml
    """
    try:
        if (certificate is None) != (key is None) or (certificate is None and not is_loopback(host)):
            raise PageError(f"{host}: --certificate and --key are needed together, and always beyond loopback")
        _check(testbed)
        hosts = ("127.0.0.1", "localhost", "[::1]", host, *(name or ()))
        asyncio.run(_serve(database, scenarios, testbed, host, port, hosts, certificate, key, as_))
    except PageError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error
    except (HarnessError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_ENVIRONMENT) from error


async def _serve(
    database: str,
    scenarios: Path,
    testbed: Path,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    certificate: Path | None,
    key: Path | None,
    as_: str,
) -> None:
    from harness.page.access import form_of, person_of, require  # noqa: PLC0415 - help must come at once
    from harness.page.app import create_app  # noqa: PLC0415
    from harness.page.drill_pages import add_drills  # noqa: PLC0415
    from harness.page.library import Library  # noqa: PLC0415
    from harness.page.marking_pages import add_marking  # noqa: PLC0415
    from harness.page.play import Sessions, Site, add_play  # noqa: PLC0415
    from harness.page.rendering import render  # noqa: PLC0415
    from harness.page.scenario_pages import add_scenarios  # noqa: PLC0415
    from harness.page.skill_pages import add_skills  # noqa: PLC0415
    from harness.page.store import Store  # noqa: PLC0415
    from harness.page.workshop_pages import add_workshop  # noqa: PLC0415
    from simulators.web import WebServer  # noqa: PLC0415

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = Store.open(database)
    try:
        library = Library(scenarios, store)
        try:
            parts = (add_scenarios, add_skills, add_marking, add_drills, add_workshop)
            app = create_app(store, library, parts, hosts=hosts, secure=certificate is not None)
            sessions = Sessions(app.state.attempts, testbed, library.testbeds)
            add_play(app, sessions, Site(person_of, require, form_of, render, library.find))
            server = WebServer(app, host, port, certificate=certificate, key=key)
            served = await server.start()
            try:
                shown = host if host not in {"0.0.0.0", "::"} else hosts[-1]  # noqa: S104 - only compared
                scheme = "https" if certificate is not None else "http"
                token = _token(app.state.people, as_)
                print(f"Sign in, once, within 15 minutes: {scheme}://{shown}:{served}/sign-in/{token}")  # noqa: T201
                print("Ready. Ctrl-C stops it.", flush=True)  # noqa: T201
                await stop.wait()
            finally:
                for lost in await sessions.close():
                    print(f"An attempt could not be stored and is lost: {lost}", file=sys.stderr)  # noqa: T201
                await server.stop()
        finally:
            library.close()
    finally:
        store.close()


def _check(testbed: Path) -> None:
    """Raise PageError for a testbed on which nobody can play."""
    from harness.testbed.load import load_testbed  # noqa: PLC0415 - help must come at once

    try:
        found = load_testbed(testbed)
    except (TestbedError, OSError) as error:
        raise PageError(f"--testbed: {error}") from error
    if real := ", ".join(found.real()):
        raise PageError(f"--testbed {testbed}: it has real equipment ({real}), and a playing is on simulators")


def _token(people: People, name: str) -> str:
    from harness.page.people import NewPerson  # noqa: PLC0415

    if name == COMMAND_LINE and all(person.name != name for person, _ in people.all()):
        people.add(NewPerson(name, "engineer"))
    try:
        return people.token(name)
    except LocalError as error:
        raise PageError(f"--as {name}: {error}") from error
