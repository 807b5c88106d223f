"""``iccs simulate``: starts the simulators of a testbed alone, so that any outside client can be pointed at them."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.cli.places import SERVICE_CENTRE_TESTBED, SIMULATED_TESTBED
from harness.errors import HarnessError, TestbedError
from harness.journal import EVENTS_IN_MEMORY
from harness.testbed.addresses import Addresses
from harness.testbed.interlock import Interlock
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.testbed.places import SIMULATORS_CAPTURE
from harness.testbed.simulation import Simulation, simulators_of
from harness.transport.context import Context

EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3
EVENTS_UNREAD = 20_000
"""Events that simulators keep in memory where no folder is named to which their journal would be written."""
FLUSH_S = 0.25
"""Seconds between hand-overs of what was captured: a runner reads it while the simulators go on."""


def simulate(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Simulators to start, by component or role; all of the testbed when none is named."),
    ] = None,
    testbed: Annotated[
        Path | None,
        typer.Option(
            help="Testbed file.",
            show_default="fixtures/testbeds/simulated.yaml, else the first of ours that has what is named",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help='One JSON object a line, last {"ready":true}.')] = False,
    auto_answer: Annotated[
        float | None, typer.Option(min=0, max=600, help="Let positions answer by themselves after so many seconds.")
    ] = None,
    auto_advisers: Annotated[
        bool, typer.Option("--auto-advisers", help="Let the advisers that the testbed's ICCS describes answer.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Seed of delays and identifiers; a fresh one when left out.")] = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="Keep captures and the simulators' journal in this folder.")
    ] = None,
    origin: Annotated[float | None, typer.Option(hidden=True, help="Monotonic time at which the run began.")] = None,
    until_stdin_closes: Annotated[bool, typer.Option(hidden=True, help="Stop when standard input ends.")] = False,
) -> None:
    """Start simulators and print where each can be reached; Ctrl-C or SIGTERM stops them.

    Point any client at what is printed: a SIP telephone or SIPp at the sip address (of an enterprise switch:
    docs/interfaces/enterprise-switch.md), a terminal program at the serial path, a browser or curl at the http address
    (its /docs page shows what can be done there), netcat at the location address
    (docs/interfaces/caller-location.md), a control room's radio sessions at the sip address of a radio gateway
    (docs/roip.md), a modem program or an SMPP client at those of an SMS network (docs/sms.md),
    a browser or a mail program at those of Contact Us (docs/interfaces/contact-us.md).

    Exit 0 when stopped, 2 for a testbed file or name that is wrong, 3 when an address is taken or the like.

    Examples:

      iccs simulate

      iccs simulate iccs --auto-answer 0.2 --json

      iccs simulate crm contact-us

      sipp -sn uac 127.0.0.1:PORT -s 999 -r 20 -m 200 -d 1000
    """
    try:
        loaded = load_testbed(testbed) if testbed is not None else _ours_with(names or [])
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(
                _run(
                    loaded,
                    names or [],
                    shown=_as_json if json else _as_table,
                    auto_answer=auto_answer,
                    auto_advisers=auto_advisers,
                    seed=seed,
                    run_dir=run_dir,
                    origin=origin,
                    until_stdin_closes=until_stdin_closes,
                )
            )
    except TestbedError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error
    except (HarnessError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_ENVIRONMENT) from error


def _ours_with(names: list[str]) -> Testbed:
    """The first of the testbeds that we ship which has a simulator for each name; the simulated one where none has."""
    ours = (SIMULATED_TESTBED, SERVICE_CENTRE_TESTBED, *sorted(SIMULATED_TESTBED.parent.glob("*.yaml")))
    default: Testbed | None = None
    for path in dict.fromkeys(ours):
        found = load_testbed(path)
        if all(simulators_of(found, name) for name in names):
            if default is not None:
                print(f"from {path}", file=sys.stderr)  # noqa: T201
            return found
        default = default or found
    assert default is not None, "the first is read whatever is named"
    return default


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415 - not to be had everywhere
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


async def _run(
    testbed: Testbed,
    names: list[str],
    *,
    shown: Callable[[Addresses], None],
    auto_answer: float | None,
    auto_advisers: bool,
    seed: int | None,
    run_dir: Path | None,
    origin: float | None,
    until_stdin_closes: bool,
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_closes:
        try:
            loop.add_reader(sys.stdin.fileno(), _until_end, loop, stop)
        except PermissionError:  # a file or /dev/null, which can't be waited for: it has ended already
            stop.set()
    capture = run_dir / SIMULATORS_CAPTURE if run_dir is not None else None
    events = EVENTS_IN_MEMORY if capture is not None else EVENTS_UNREAD
    context = Context.create(seed=seed, origin=origin, capture_dir=capture, events=events)
    try:
        interlock = Interlock(testbed, date.today())  # noqa: DTZ011 - a permit is dated by the tester's calendar
        starting = asyncio.create_task(
            Simulation.start(
                context,
                testbed,
                interlock,
                virtual=False,
                names=names,
                auto_answer=auto_answer,
                auto_advisers=auto_advisers,
            )
        )
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((starting, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return
        simulation = await starting
        # What is up now stays up: a full collection that goes through it holds every call up for 0.1 s and more.
        gc.collect()
        gc.freeze()
        flushing = asyncio.create_task(_flush(context))
        try:
            shown(simulation.addresses)
            await stopped
        finally:
            stopped.cancel()
            flushing.cancel()
            await simulation.stop()
    finally:
        context.close()
        if capture is not None:
            (capture / "journal.jsonl").write_text(context.journal.lines(), encoding="utf-8")


async def _flush(context: Context) -> None:
    while True:
        await asyncio.sleep(FLUSH_S)
        context.flush()


def _until_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


def _as_json(addresses: Addresses) -> None:
    for entry in addresses:
        print(entry.line())  # noqa: T201
    print('{"ready":true}', flush=True)  # noqa: T201


def _as_table(addresses: Addresses) -> None:
    table = Table(title="Simulators", title_justify="left")
    for heading in ("component", "role", "kind", "address"):
        table.add_column(heading)
    for entry in addresses:
        table.add_row(entry.name, entry.role, entry.kind, entry.url)
    console = Console()
    console.print(table)
    console.print("Ready. Ctrl-C stops them.")
