"""``iccs gate``: tells whether the last run meets its stage's exit criteria, as the plan file has them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, get_args

import typer
from pydantic import BaseModel
from rich.console import Console

from harness.cli.checked_file import MAX_ERRORS, Where, read_checked
from harness.cli.defects import REGISTER
from harness.cli.places import FIXTURES
from harness.errors import HarnessError, LocalError
from harness.evidence.plan import Board, Completion, Criterion, Declared, Exit, Plan, Risk, StagePlan, allure_rules
from harness.evidence.requirements import catalogue
from harness.evidence.stages import Stage
from harness.evidence.witnessed import Witnessed
from harness.source import Kind

PLAN: Final = FIXTURES / "plans" / "niccs.yaml"
_STYLES: Final = {"met": "green", "not met": "bold red", "not declared": "yellow"}


class PlanFileError(LocalError):
    """The plan file is not as it must be, or has nothing of the stage."""


_KIND: Final = Kind("plan", PlanFileError, "'plan' and 'stages'", "write the value again")
_MODELS: Final[Mapping[str, type[BaseModel]]] = {
    "exit": Exit,
    "declared": Declared,
    "board": Board,
    "risks": Risk,
    "completion": Completion,
    "witnessed": Witnessed,
}
_STAGES: Final = frozenset(get_args(Stage))
_PARTS: Final = _STAGES.union(Plan.model_fields, StagePlan.model_fields, *(m.model_fields for m in _MODELS.values()))

PlanFile = Annotated[
    Path,
    typer.Option("--plan", help="The plan file: exit criteria by stage.", show_default="fixtures/plans/niccs.yaml"),
]


def load_plan(path: Path) -> Plan:
    """Return the plan. Raises PlanFileError with one line an error: ``file:line: key: found …; allowed: …``."""
    plan, spot = read_checked(path, _KIND, Plan, _PARTS, _model)
    wrong = [
        spot.at(["witnessed", index, "requirement"]).error(
            f"witnessed.{index}.requirement: {catalogue().unknown(each.requirement)}"
        )
        for index, each in enumerate(plan.witnessed)
        if each.requirement not in catalogue()
    ]
    if wrong:
        raise PlanFileError("\n".join(wrong[:MAX_ERRORS]))
    return plan


def _model(location: Where) -> type[BaseModel]:
    named = [str(step) for step in location[:-1] if not isinstance(step, int)]
    inner = next((_MODELS[step] for step in reversed(named) if step in _MODELS), None)
    return inner or (StagePlan if named else Plan)


def stage_of(plan: Plan, stage: str, path: Path) -> StagePlan:
    """Return one stage of a plan. Raises PlanFileError where it has none of that name."""
    for name, found in plan.stages.items():
        if name == stage:
            return found
    raise PlanFileError(f"{path}: found no stage {stage!r}; there are {', '.join(plan.stages)}")


def gate(
    stage: Annotated[str, typer.Option(help="FAT, SAT, E2E …: whose exit criteria.")] = "SAT",
    plan: PlanFile = PLAN,
    out: Annotated[Path | None, typer.Option(help="The run's folder.", show_default="reports/out")] = None,
    defects: Annotated[Path, typer.Option(help="The register of known faults.")] = REGISTER,
    allure: Annotated[bool, typer.Option("--allure", help="Have Allure's own quality gate judge, too.")] = False,
) -> None:
    """Tell how the last run stands to the exit criteria of a stage.

    Exit 0 where all are met, 1 where one is not or nobody has declared it, 2 where there is no run or plan.

    Allure's gate judges by counts alone, such as how many tests passed; 3 where it is not here. Without --allure
    nothing but this harness is needed.

    Example: iccs gate --stage SAT
    """
    from harness.cli.dossier import standing_of  # noqa: PLC0415 - the report's libraries take a second
    from harness.cli.report import OUT, RESULTS, allure_gate  # noqa: PLC0415
    from harness.cli.witnessed import witnessed_of  # noqa: PLC0415
    from harness.evidence.defects import this_day  # noqa: PLC0415

    folder = (out or OUT).resolve()
    try:
        written = load_plan(plan)
        staged = stage_of(written, stage, plan)
        records = witnessed_of(written, plan, stage, this_day())
        found = standing_of(folder, stage, staged, defects, records)
        show_criteria(Console(), found)
        good = all(each.state == "met" for each in found)
        if allure:
            passed, said = allure_gate(folder / RESULTS, allure_rules(staged))
            print(said or "Allure's quality gate passes")  # noqa: T201
            good &= passed
    except LocalError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(2) from error
    except HarnessError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(3) from error
    if not good:
        raise typer.Exit(1)


def show_criteria(console: Console, found: list[Criterion]) -> None:
    """Print exit criteria, one a line."""
    for each in found:
        console.print(f"[{_STYLES[each.state]}]{each.state:<12}[/] ", end="")
        console.print(f"{each.text}: {each.found}", markup=False, highlight=False, soft_wrap=True)
