"""``iccs record``: makes a scenario of a run's journal, which replays the same acts with the same spacing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.places import SIMULATED_TESTBED
from harness.errors import ScenarioError, TestbedError

EXIT_USAGE, EXIT_ENVIRONMENT = 2, 3


def record(
    journal: Annotated[Path, typer.Argument(help="A run's journal (JSONL): iccs replay --journal, or of a test.")],
    out: Annotated[Path, typer.Option(help="Scenario file to write.")],
    testbed: Annotated[Path, typer.Option(help="The testbed of that run: who the actors are.")] = SIMULATED_TESTBED,
    id_: Annotated[str, typer.Option("--id", help="The scenario's id.")] = "RECORDED",
) -> None:
    """Make a scenario of a run's journal: the same acts, by the same actors, at the same times.

    A journal has no passwords, no numbers but test numbers, and of speech the clips of scenarios alone: else keys are
    held as long as they were, and nobody speaks. What can't be done again is left out, and told.

    Exit codes: 0 written, 2 no journal of that testbed, 3 a file can't be read or written.

    Example: iccs record journal.jsonl --out recorded.yaml && iccs replay recorded.yaml --virtual
    """
    from harness.scenario.load import load_scenario  # noqa: PLC0415 - help must come at once
    from harness.scenario.record import record as read  # noqa: PLC0415
    from harness.scenario.record import scenario_text  # noqa: PLC0415
    from harness.testbed.load import load_testbed  # noqa: PLC0415

    try:
        with journal.open(encoding="utf-8") as file:
            recorded = read(file, load_testbed(testbed), str(journal))
        out.write_text(scenario_text(recorded, id_, f"Recorded from {journal.name}"), encoding="utf-8")
        load_scenario(out)
    except (ScenarioError, TestbedError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_ENVIRONMENT) from error
    for why, count in sorted(recorded.left_out.items()):
        print(f"left out, {count}: {why}")  # noqa: T201
    if recorded.may_be_late:
        print(f"{recorded.may_be_late} acts come while a key before them waits for its floor: they may be late")  # noqa: T201
    print(f"{out}: {len(recorded.acts)} acts of {len(recorded.actors)} actors; iccs replay {out} plays it")  # noqa: T201
