"""``iccs dossier``: a run's evidence as one page a board can read, hashed and signed; and whether it was changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness.cli.defects import REGISTER, load_register
from harness.cli.keeping import EVIDENCE, STORE, held
from harness.cli.plan import PLAN, PlanFile, load_plan, stage_of
from harness.cli.printing import PrintError, print_pdf
from harness.cli.redacting import Audience, Names, Readers, Shown
from harness.cli.report import OUT, RESULTS, SUMMARY, TEMPLATES
from harness.errors import LocalError
from harness.evidence.allure_adapter import RunDescription
from harness.evidence.dossier import judge, measure_lines, waived_musts
from harness.evidence.manifest import differences, make_key, read_key, signed
from harness.evidence.plan import Criterion, StagePlan, criteria
from harness.evidence.requirements import PRIORITIES, catalogue
from harness.evidence.results import Verdict, read_results, summarise
from harness.evidence.run_store import RunStore, evidence_files, measures_of
from harness.evidence.trend import RunLine, plots, trend, trend_picture
from harness.whole_file import write_whole

EXIT_FAILED, EXIT_USAGE = 1, 2
FOLDER: Final = "dossier"
PAGE: Final = "dossier.html"
PDF: Final = "dossier.pdf"
MANIFEST: Final = "manifest.json"
Out = Annotated[Path, typer.Option(help="The run's folder, as given to iccs accept.")]

app = typer.Typer(help="The board's dossier of a run. Example: iccs dossier --stage SAT --key ~/iccs-dossier.pem")


class DossierError(LocalError):
    """There is no run of which a dossier can be made."""


@app.callback(invoke_without_command=True)
def make(
    context: typer.Context,
    stage: Annotated[str, typer.Option(help="FAT, SAT, E2E …: the stage that the run's testbed must be of.")] = "SAT",
    key: Annotated[
        Path | None,
        typer.Option(
            envvar="ICCS_DOSSIER_KEY",
            help="Ed25519 private key (PEM); see iccs dossier key.",
            show_default="your own, made at first use",
        ),
    ] = None,
    out: Out = OUT,
    defects: Annotated[Path, typer.Option(help="The register of known faults.")] = REGISTER,
    plan: PlanFile = PLAN,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print dossier.pdf, too; needs Chromium.")] = False,
    runs: Annotated[
        str | None,
        typer.Option(envvar="ICCS_RUNS", help="The run store, for the trend.", show_default="runs.sqlite in OUT"),
    ] = None,
    audience: Audience = Readers.INTERNAL,
    names: Names = None,
) -> None:
    """Make the dossier of the last run: dossier/dossier.html, and dossier/manifest.json with hashes and signature.

    For an audience beyond the programme, all of it is made of a masked copy of the results, in the folder of that
    name: numbers, ISSIs, names, addresses, places and tokens are crossed out, recordings are silent, and of captures
    what is no text is zeros. Exit 0 where it was made, whatever it says; 2 where it could not be.

    Examples:

      iccs dossier --stage SAT --key ~/iccs-dossier.pem

      iccs dossier --stage SAT --key ~/iccs-dossier.pem --audience public --names witnesses.txt
    """
    if context.invoked_subcommand is not None:
        return
    try:
        key = key or _own_key()
        with held(out.resolve()):
            page, colour = _made(out.resolve(), stage, key, defects, Shown(audience, names), plan, runs, pdf=pdf)
    except LocalError as error:
        raise _refused(error) from error
    print(f"Dossier ({colour}): {page}")  # noqa: T201


@app.command()
def verify(
    fingerprint: Annotated[
        str | None, typer.Option(help="Fingerprint that the signer's key must have, had from the signer another way.")
    ] = None,
    out: Out = OUT,
) -> None:
    """Tell whether the dossier and its evidence are as they were signed. Exit 0 so, 1 changed, 2 no dossier.

    Example: iccs dossier verify --fingerprint 9f2c…
    """
    try:
        found, whose = differences(out / FOLDER / MANIFEST, out, fingerprint)
    except LocalError as error:
        raise _refused(error) from error
    for line in found:
        print(line, file=sys.stderr)  # noqa: T201
    if found:
        raise typer.Exit(EXIT_FAILED)
    known = "" if fingerprint else "; compare it with the signer's, or name that with --fingerprint"
    print(f"Nothing was changed since it was signed with the key {whose}{known}")  # noqa: T201


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="Where the private key is written; keep it off the repository.")],
) -> None:
    """Make a signing key and print its fingerprint, which goes to whoever will verify.

    Example: iccs dossier key ~/iccs-dossier.pem
    """
    try:
        print(make_key(file))  # noqa: T201
    except LocalError as error:
        raise _refused(error) from error


def _refused(error: LocalError) -> typer.Exit:
    print(error, file=sys.stderr)  # noqa: T201
    return typer.Exit(EXIT_USAGE)


def _own_key() -> Path:
    """The key of whoever signs without naming one, away from what is signed. Raises ManifestError."""
    path = Path(typer.get_app_dir("iccs")) / "dossier-key.pem"
    if not path.exists():
        print(f"Made {path}, with which your dossiers are signed. Its fingerprint, for who verifies: {make_key(path)}")  # noqa: T201
    return path


def _made(
    out: Path, stage: str, key: Path, defects: Path, shown: Shown, plan_file: Path, runs: str | None, *, pdf: bool
) -> tuple[Path, str]:
    signing, register, written = read_key(key), load_register(defects), load_plan(plan_file)
    stage_of(written, stage, plan_file)  # a plan without the stage is told before anything is masked
    run = _run(out / SUMMARY, stage)
    earlier = _trend(runs or str(out / STORE), run)
    bindings = _bindings(run)
    out, register, masked = shown.copy(out, bindings, register, written)
    plan = masked or written
    staged = stage_of(plan, stage, plan_file)
    tests, unreadable = read_results(out / RESULTS)  # and not marked: they stay as the run store hashed them
    summary = summarise(tests, catalogue(), unreadable, register=register)
    described = RunDescription(stage, bindings)
    finished = run.get("exit") in (0, 1) and not run.get("interrupted")
    exits = criteria(staged, summary, register, described.binding)
    judgement = judge(summary, register, described.binding, exits, finished=finished)
    measures = list(measures_of(out / RESULTS, summary.tests))
    files = [*evidence_files(out, EVIDENCE)]
    page = out / FOLDER / PAGE
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    html = environment.get_template(PAGE + ".j2").render(
        stage=stage,
        audience=shown.told(out),
        plan=plan,
        staged=staged,
        exits=exits,
        waived=waived_musts(summary),
        run=run,
        began=datetime.fromtimestamp(float(run.get("began") or 0), UTC),
        bindings=bindings,
        ground=described.binding,
        judgement=judgement,
        summary=summary,
        musts=summary.musts(),
        register=register,
        measures=measure_lines(measures),
        plots=plots(measures),
        trend=earlier,
        trend_plot=trend_picture(earlier),
        verdicts={verdict.value: summary.count(verdict) for verdict in Verdict if summary.count(verdict)},
        priorities=PRIORITIES,
        sources=catalogue().sources,
        files=files,
    )
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_whole(page, html)
        page.with_name(PDF).unlink(missing_ok=True)
        if pdf:
            _print(page)
        ours = {f"{FOLDER}/{name}" for name in (PAGE, PDF)}
        files += [each for each in evidence_files(out, [FOLDER]) if each.path in ours]
        facts = {
            "stage": stage,
            "testbed": run.get("testbed"),
            "won_on": described.binding,
            "verdict": judgement.colour,
            "exit_criteria": {each.text: each.state for each in exits},
        }
        told = json.dumps(signed(files, facts, signing), ensure_ascii=False, indent=1) + "\n"
        write_whole(page.with_name(MANIFEST), told)
    except OSError as error:
        raise DossierError(f"{page.parent}: the dossier can't be written: {error.strerror}") from error
    return page, judgement.colour


def standing_of(out: Path, stage: str, staged: StagePlan, defects: Path) -> list[Criterion]:
    """Return how the run in ``out`` stands to the exit criteria of its stage. Raises LocalError."""
    register, run = load_register(defects), _run(out / SUMMARY, stage)
    tests, unreadable = read_results(out / RESULTS)
    summary = summarise(tests, catalogue(), unreadable, register=register)
    return criteria(staged, summary, register, RunDescription(stage, _bindings(run)).binding)


def _bindings(run: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(how) for name, how in dict(run.get("bindings") or {}).items()}


def _trend(store: str, run: Mapping[str, Any]) -> list[RunLine]:
    """Return the runs before, and this one; none where there is no store yet."""
    if "://" not in store and not Path(store).is_file():
        return []
    kept = RunStore.open(store)
    try:
        return trend(kept, str(run.get("testbed")), str(run.get("stage")))
    finally:
        kept.close()


def _print(page: Path) -> None:
    """Print the page; where that can't be done it is told, and the dossier is made without."""
    try:
        print_pdf(page, page.with_name(PDF))
    except PrintError as error:
        print(error, file=sys.stderr)  # noqa: T201


def _run(path: Path, stage: str) -> dict[str, Any]:
    try:
        run = json.loads(path.read_text(encoding="utf-8"))["run"]
    except OSError as error:
        raise DossierError(f"{path}: no run has ended here: {error.strerror}; run iccs accept") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DossierError(f"{path}: found no summary of a run") from error
    if not isinstance(run, dict) or not run:
        raise DossierError(f"{path}: tells nothing of the run itself; run iccs accept")
    if run.get("stage") != stage:
        raise DossierError(f"{path}: the run is of the stage {run.get('stage')!r}, not {stage!r}")
    return run
