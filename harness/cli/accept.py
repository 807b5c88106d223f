"""``iccs accept``: runs acceptance suites against a testbed, shows them as they go, and reports by requirement."""

from __future__ import annotations

import asyncio
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.cli.places import FIXTURES, PROJECT, SIMULATED_TESTBED
from harness.cli.report import OUT
from harness.errors import HarnessError, TestbedError

if TYPE_CHECKING:
    from harness.testbed.model import Testbed

MAX_LANES = 16
DEFAULT_LANES = 4
"""At most so many where nobody says how many."""
SUITES = PROJECT / "suites"


class KeepEvidence(StrEnum):
    """Which tests keep their whole evidence."""

    ALL = "all"
    FAILURES = "failures"


def accept(
    suite: Annotated[
        list[str] | None,
        typer.Option(
            help="Folder under suites/; may be given more than once.", show_default="niccs, service_centre, webex_sat"
        ),
    ] = None,
    testbed: Annotated[Path, typer.Option(help="Testbed file.")] = SIMULATED_TESTBED,
    keep_evidence: Annotated[
        KeepEvidence, typer.Option(help="Whose captures, transcripts and audio are kept whole.")
    ] = KeepEvidence.FAILURES,
    out: Annotated[Path, typer.Option(help="Folder for results, report and summary.")] = OUT,
    lanes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_LANES,
            help="Sets of simulators that play tests side by side; more than 1 where all is simulated.",
            show_default="one a core, at most 4; 1 where anything is real",
        ),
    ] = None,
    defects: Annotated[
        Path, typer.Option(help="The register of known faults.", show_default="fixtures/defects.yaml")
    ] = FIXTURES / "defects.yaml",
    runs: Annotated[
        str | None,
        typer.Option(
            envvar="ICCS_RUNS",
            help="The run store: a file, or postgresql://user:password@host/name.",
            show_default="runs.sqlite in the folder of --out",
        ),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Don't make the Allure report.")] = False,
) -> None:
    """Run acceptance suites (pytest and Robot) against a testbed and report by requirement.

    Simulators that the testbed names are started for the run and ended after it. Results, report, captures and logs
    go to reports/out; those of the run before are kept in reports/out/previous.

    Exit codes: 0 all passed, or failed by known faults alone that a waiver lets through; 1 a test failed or a
    waiver has expired; 2 wrong use, testbed file or register; 3 something the run needs is missing, its disk is full
    (what was reached is reported), or a runner ended oddly; 4 all passed, but there is no Allure report (it is said
    why, and how to get it); 130 interrupted (what was reached is reported).

    Examples:

      iccs accept

      iccs accept --suite niccs --testbed fixtures/testbeds/simulated.yaml --keep-evidence all
    """
    from harness.cli.acceptance import Acceptance, Plan  # noqa: PLC0415 - help must come at once
    from harness.cli.defects import RegisterError, load_register  # noqa: PLC0415
    from harness.cli.keeping import STORE  # noqa: PLC0415
    from harness.cli.lane import PlanError  # noqa: PLC0415
    from harness.testbed.load import load_testbed  # noqa: PLC0415

    console = Console()
    try:
        described = load_testbed(testbed)
        plan = Plan(
            suites=tuple(SUITES / name for name in suite or ["niccs", "service_centre", "webex_sat"]),
            testbed_file=testbed.resolve(),
            testbed=described,
            keep_evidence=keep_evidence.value,
            out=out.resolve(),
            report=not no_report,
            lanes=_lanes(lanes, described),
            register=load_register(defects),
            store=runs or str(out.resolve() / STORE),
        )
        acceptance = Acceptance(plan, console)
        acceptance.prepare()
    except (TestbedError, PlanError, RegisterError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(2) from error
    except HarnessError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(3) from error
    raise typer.Exit(asyncio.run(acceptance.run()))


def _lanes(asked: int | None, testbed: Testbed) -> int:
    """Return how many lanes there are to be. Raises PlanError for several on equipment of which there is one."""
    from harness.cli.lane import PlanError  # noqa: PLC0415 - help must come at once

    real = testbed.real()
    if not real:
        return asked or min(DEFAULT_LANES, len(os.sched_getaffinity(0)))
    if asked not in {None, 1}:
        raise PlanError(f"{', '.join(real)} of {testbed.name} can't be in {asked} lanes: there is one of it")
    return 1
