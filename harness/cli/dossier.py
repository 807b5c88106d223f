"""``iccs dossier``: a run's evidence as one page a board can read, hashed and signed; and whether it was changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from harness.cli import certifying
from harness.cli import witnessed as documents
from harness.cli.certifying import certified
from harness.cli.defects import REGISTER, load_register
from harness.cli.keeping import EVIDENCE, STORE, held
from harness.cli.pages import page as rendered
from harness.cli.plan import PLAN, PlanFile, load_plan, stage_of
from harness.cli.played import scenarios_shown
from harness.cli.printing import PrintError, print_pdf
from harness.cli.redacting import Audience, Names, Readers, Shown
from harness.cli.report import OUT, RESULTS, SUMMARY
from harness.errors import LocalError
from harness.evidence.allure_adapter import Binding, RunDescription
from harness.evidence.defects import SEVERITIES, Register, this_day
from harness.evidence.dossier import (
    ENDED,
    Judgement,
    asked_first,
    by_binding,
    judge,
    measure_lines,
    waived_musts,
)
from harness.evidence.manifest import differences, make_key, read_key, signed
from harness.evidence.plan import Criterion, Plan, StagePlan, criteria
from harness.evidence.played import SiteLine, by_site, plays_of
from harness.evidence.requirements import PRIORITIES, catalogue
from harness.evidence.results import Summary, TestOutcome, read_results, summarise
from harness.evidence.run_store import EvidenceFile, Play, RunStore, evidence_files, measures_of
from harness.evidence.trend import RunLine, open_faults, plots, trend, trend_picture
from harness.evidence.witnessed import Witnessed, counted, with_witnessed
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


@dataclass(frozen=True, slots=True)
class _Judged:
    """A run as its audience may see it, and how it stands to the plan."""

    out: Path
    run: Mapping[str, Any]
    plan: Plan
    staged: StagePlan
    register: Register
    described: RunDescription
    summary: Summary
    exits: Sequence[Criterion]
    judgement: Judgement
    certificate: certifying.Shown | None
    unsigned: Sequence[str]
    """Why nobody can sign the certificate as acceptance."""


def _made(
    out: Path, stage: str, key: Path, defects: Path, shown: Shown, plan_file: Path, runs: str | None, *, pdf: bool
) -> tuple[Path, str]:
    signing, register, written = read_key(key), load_register(defects), load_plan(plan_file)
    stage_of(written, stage, plan_file)  # a plan without the stage is told before anything is masked
    records = documents.witnessed_of(written, plan_file, stage, this_day())
    run = _run(out / SUMMARY, stage)
    earlier = _earlier(runs or str(out / STORE), run)
    copy, register, masked = shown.copy(out, _bindings(run), register, written)
    plan = masked or written
    judged = _judged(out, copy, run, plan, stage_of(plan, stage, plan_file), register, records)
    page, files = copy / FOLDER / PAGE, evidence_files(copy, EVIDENCE)
    html = _html(judged, shown.told(copy), *earlier, files)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_whole(page, html)
        page.with_name(PDF).unlink(missing_ok=True)
        if pdf:
            _print(page)
        if shown.readers is Readers.INTERNAL:
            documents.keep(records.values(), plan_file, page.with_name(documents.FOLDER))
            files += evidence_files(copy, [f"{FOLDER}/{documents.FOLDER}"])
        ours = {f"{FOLDER}/{name}" for name in (PAGE, PDF)}
        files += [each for each in evidence_files(copy, [FOLDER]) if each.path in ours]
        told = json.dumps(signed(files, _facts(judged), signing), ensure_ascii=False, indent=1) + "\n"
        write_whole(page.with_name(MANIFEST), told)
    except OSError as error:
        raise DossierError(f"{page.parent}: the dossier can't be written: {error.strerror}") from error
    return page, judged.judgement.colour


def _judged(
    kept: Path,
    out: Path,
    run: Mapping[str, Any],
    plan: Plan,
    staged: StagePlan,
    register: Register,
    records: Mapping[str, Witnessed],
) -> _Judged:
    """Judge the run in ``out``, which is that in ``kept`` or a masked copy of it."""
    tests, unreadable = read_results(out / RESULTS)  # and not marked: they stay as the run store hashed them
    tested = summarise(tests, catalogue(), unreadable, register=register)
    summary = with_witnessed(tested, records)
    described = RunDescription(str(run.get("stage")), _bindings(run))
    finished = run.get("exit") in (0, 1) and not run.get("interrupted")
    exits = criteria(staged, summary, register, described.binding)
    judgement = judge(summary, register, described.binding, exits, finished=finished)
    certificate = certified(kept, out, tested, run)
    unsigned = _unsigned(certificate, staged, described.binding)
    if certificate is not None and unsigned and judgement.colour == "green":
        judgement = Judgement("amber", ("the certificate data can't be signed as acceptance",))
    return _Judged(out, run, plan, staged, register, described, summary, exits, judgement, certificate, unsigned)


def _html(
    judged: _Judged,
    audience: Mapping[str, Any] | None,
    earlier: Sequence[RunLine],
    played: Sequence[Play],
    files: Sequence[EvidenceFile],
) -> str:
    run, summary, stage = judged.run, judged.summary, judged.described.stage
    measures = list(measures_of(judged.out / RESULTS, summary.tests))
    scenarios = scenarios_shown()
    return rendered(
        PAGE,
        stage=stage,
        audience=audience,
        plan=judged.plan,
        staged=judged.staged,
        exits=judged.exits,
        waived=waived_musts(summary),
        run=run,
        began=datetime.fromtimestamp(float(run.get("began") or 0), UTC),
        bindings=by_binding(judged.described.bindings),
        severities=SEVERITIES,
        ground=judged.described.binding,
        judgement=judged.judgement,
        summary=summary,
        witnessed=counted(judged.plan.witnessed, stage, summary.today),
        kept_as=documents.kept_as,
        musts=summary.musts(),
        register=judged.register,
        measures=measure_lines(measures),
        asked=asked_first(measures),
        plots=plots(measures),
        trend=earlier,
        scenarios=scenarios,
        sites=_sites(judged.plan.board.sites, played, summary.tests, run, [each.id for each in scenarios]),
        faults=open_faults(judged.register, summary.today),
        trend_plot=trend_picture(list(earlier)),
        verdicts={told: summary.count(verdict) for verdict, told in ENDED.items() if summary.count(verdict)},
        priorities=PRIORITIES,
        sources=catalogue().sources,
        files=files,
        certificate=judged.certificate,
        unsigned=judged.unsigned,
    )


def _facts(judged: _Judged) -> dict[str, Any]:
    """What the manifest signs beside the files."""
    return {
        "stage": judged.described.stage,
        "testbed": judged.run.get("testbed"),
        "won_on": judged.described.binding,
        "verdict": judged.judgement.colour,
        "exit_criteria": {each.text: each.state for each in judged.exits},
        "acceptance_can_be_signed": not judged.unsigned,
        "why_not": judged.unsigned,
    }


def _unsigned(certificate: certifying.Shown | None, staged: StagePlan, binding: Binding) -> list[str]:
    """Why nobody can sign this dossier's certificate as acceptance; empty where they can."""
    why = [] if binding == "real" or not staged.exit.real else [f"the run was won on: {binding}"]
    if certificate is not None:
        why = certificate.why_not
    return why


def standing_of(
    out: Path, stage: str, staged: StagePlan, defects: Path, records: Mapping[str, Witnessed]
) -> list[Criterion]:
    """Return how the run in ``out``, and what was witnessed beside it, stand to the stage's exit criteria.

    Raises LocalError.
    """
    register, run = load_register(defects), _run(out / SUMMARY, stage)
    tests, unreadable = read_results(out / RESULTS)
    summary = with_witnessed(summarise(tests, catalogue(), unreadable, register=register), records)
    return criteria(staged, summary, register, RunDescription(stage, _bindings(run)).binding)


def _bindings(run: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(how) for name, how in dict(run.get("bindings") or {}).items()}


def _earlier(store: str, run: Mapping[str, Any]) -> tuple[list[RunLine], list[Play]]:
    """Return the runs before and this one, and how scenarios were played at its stage; none where no store is yet."""
    if "://" not in store and not Path(store).is_file():
        return [], []
    kept = RunStore.open(store)
    try:
        stage = str(run.get("stage"))
        return trend(kept, str(run.get("testbed")), stage), kept.plays(stage)
    finally:
        kept.close()


def _sites(
    sites: Mapping[str, Sequence[str]],
    played: Sequence[Play],
    tests: Sequence[TestOutcome],
    run: Mapping[str, Any],
    scenarios: Sequence[str],
) -> list[SiteLine]:
    """Return how each scenario ended at each site, by the store's runs and by this one, which the store may lack."""
    testbed = str(run.get("testbed"))
    return by_site(sites, [*played, *plays_of(tests, testbed, float(run.get("began") or 0))], scenarios, testbed)


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
