"""The certificate data of a run: what was tested, where, with which software, how each criterion stands and by which
files, what was not run; and whether it can be signed as acceptance.

It is written as a run ends and is made anew, from the results, whenever it is shown: `differing` tells where the two
are not the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import LocalError
from harness.evidence.collect import SERVICE
from harness.evidence.results import RequirementStanding, Standing, Summary, TestOutcome, Verdict
from harness.evidence.run_store import EvidenceFile, Measured, files_of, tables_of

FOLDER: Final = "certificate"
FILE: Final = "certificate.json"
LAYOUT: Final = 1
GROUPS: Final = {"webex_sat": "WBX"}
"""By suite, the group of the catalogue whose criteria its certificate is of: the beginning of their ids."""
STAGE: Final = "SAT"
MAX_BYTES: Final = 32 * 1024 * 1024
"""Of a certificate's file."""
NO_TEST: Final = "no test of the suites that were played gives evidence for it"
_SETTLED: Final = (Standing.PASSED, Standing.NOT_APPLICABLE)
_Part: Final = ConfigDict(extra="forbid", frozen=True)


class CertificateError(LocalError):
    """A certificate's file can't be read, or is none of ours."""


class Tested(BaseModel):
    """A service that was tested, as it told of itself."""

    model_config = _Part
    testbed: str
    component: str
    binding: str
    service: str
    """Its address."""
    organisation: str
    """The tenant."""
    organisation_id: str
    components: dict[str, str]
    """``simulated``, ``real`` or ``manual`` by component of the testbed that it stood in."""


class Value(BaseModel):
    """A measure of a criterion."""

    model_config = _Part
    name: str
    unit: str
    count: int
    least: float
    median: float
    most: float
    limit: float | None
    """What each value was held against; None: nothing."""


class Proof(BaseModel):
    """A file of evidence."""

    model_config = _Part
    path: str
    """In the run's folder."""
    size: int
    sha256: str


class Played(BaseModel):
    """A test."""

    model_config = _Part
    name: str
    verdict: str
    won_on: str
    """``real``, ``simulated`` or ``mixed``."""
    fault: str | None = None
    """The known fault that explains a failure."""


class Certified(BaseModel):
    """A criterion and how it stands."""

    model_config = _Part
    id: str
    priority: str
    text: str
    standing: str
    tests: list[Played]
    measures: list[Value]
    evidence: list[Proof]


class NotRun(BaseModel):
    """What was not run, and why."""

    model_config = _Part
    what: str
    """A criterion's id, or a test's name."""
    why: str


class Software(BaseModel):
    """What tested."""

    model_config = _Part
    harness: str
    commit: str
    """Empty where git did not tell."""
    dirty: bool
    """Whether files differed from the commit."""
    python: str
    packages: dict[str, str]


class Certificate(BaseModel):
    """The certificate data, layout 1."""

    model_config = _Part
    layout: Literal[1] = LAYOUT
    stage: str
    group: str
    """The group of the catalogue that it is of."""
    testbed: str
    won_on: str
    components: dict[str, str]
    """Of the run's testbed, ``simulated``, ``real`` or ``manual``."""
    tested: list[Tested]
    suites: list[str]
    began: str
    """UTC, ISO 8601."""
    ended: str
    software: Software
    standings: dict[str, int]
    """How many criteria stand how."""
    requirements: list[Certified]
    not_run: list[NotRun]
    signable: bool
    """Whether the data support a signature of acceptance."""
    why_not: list[str] = Field(default_factory=list)


def group_of(run: Mapping[str, Any]) -> str:
    """The group that a run's certificate is of; empty where it has none."""
    if run.get("stage") != STAGE:
        return ""
    return next((GROUPS[suite] for suite in run.get("suites") or [] if suite in GROUPS), "")


def certificate(
    run: Mapping[str, Any],
    summary: Summary,
    results: Path,
    measures: Iterable[Measured],
    files: Iterable[EvidenceFile],
    software: Software,
) -> Certificate:
    """Return the certificate data of a run that has a group (`group_of`).

    ``run``: the run as ``summary.json`` tells it; ``results``: its Allure results, which ``files`` and ``measures``
    are of.
    """
    group = group_of(run)
    hashed = {each.path: each for each in files}
    by_requirement: dict[str, list[Measured]] = {}
    for measured in measures:
        by_requirement.setdefault(measured.requirement, []).append(measured)
    rows = [each for each in summary.standings if each.requirement.id.startswith(f"{group}-")]
    requirements = [_certified(each, results, by_requirement.get(each.requirement.id, ()), hashed) for each in rows]
    tested = sorted(_tested(results, summary.tests), key=lambda each: (each.testbed, each.component))
    began = float(run.get("began") or 0)
    why_not = list(_why_not(run, summary, rows, tested))
    return Certificate(
        stage=str(run.get("stage")),
        group=group,
        testbed=str(run.get("testbed")),
        won_on=str(run.get("won_on") or "simulated"),
        components={str(name): str(how) for name, how in dict(run.get("bindings") or {}).items()},
        tested=tested,
        suites=[str(each) for each in run.get("suites") or []],
        began=_moment(began),
        ended=_moment(began + float(run.get("seconds") or 0)),
        software=software,
        standings={each.value: count for each in Standing if (count := sum(row.standing is each for row in rows))},
        requirements=requirements,
        not_run=list(_not_run(rows)),
        signable=not why_not,
        why_not=why_not,
    )


def read_certificate(path: Path) -> Certificate:
    """Return what was written. Raises CertificateError."""
    try:
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise CertificateError(f"{path}: more than {MAX_BYTES} bytes")
        return Certificate.model_validate_json(body)
    except OSError as error:
        raise CertificateError(f"{path}: can't be read: {error.strerror}; run iccs accept") from error
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise CertificateError(f"{path}: found no certificate data of ours, at {where or 'its beginning'}") from error


def written(told: Certificate) -> str:
    """A certificate as its file has it."""
    return json.dumps(told.model_dump(), ensure_ascii=False, indent=1) + "\n"


def differing(kept: Certificate, now: Certificate) -> list[str]:
    """Where a certificate that was kept is not what the results say now: its keys, and criteria by their ids."""
    found = [
        name
        for name in Certificate.model_fields
        if name not in ("requirements", "software") and getattr(kept, name) != getattr(now, name)
    ]
    there = {each.id: each for each in kept.requirements}
    found += [each.id for each in now.requirements if there.pop(each.id, None) != each]
    return [*found, *there]


def _certified(
    row: RequirementStanding, results: Path, measures: Iterable[Measured], hashed: Mapping[str, EvidenceFile]
) -> Certified:
    values: dict[tuple[str, str], list[Measured]] = {}
    for each in measures:
        values.setdefault((each.name, each.unit), []).append(each)
    paths = dict.fromkeys(f"{results.name}/{name}" for test in row.tests for name in files_of(results, test))
    return Certified(
        id=row.requirement.id,
        priority=row.requirement.priority,
        text=row.requirement.text,
        standing=row.standing.value,
        tests=[
            Played(
                name=test.name,
                verdict=test.verdict.value,
                won_on=test.binding,
                fault=test.defect.label if test.defect is not None else None,
            )
            for test in row.tests
        ],
        measures=[_value(name, unit, of) for (name, unit), of in sorted(values.items())],
        evidence=[
            Proof(path=proof.path, size=proof.size, sha256=proof.sha256)
            for path in sorted(paths)
            if (proof := hashed.get(path)) is not None
        ],
    )


def _value(name: str, unit: str, of: list[Measured]) -> Value:
    values, limits = [each.value for each in of], {each.limit for each in of}
    limit = limits.pop() if len(limits) == 1 else None
    return Value(
        name=name,
        unit=unit,
        count=len(values),
        least=min(values),
        median=median(values),
        most=max(values),
        limit=limit,
    )


def _tested(results: Path, tests: Iterable[TestOutcome]) -> Iterator[Tested]:
    """The services that tests told of, each once; what is no row of ours is passed by."""
    seen = set()
    for test in tests:
        for row in tables_of(results, test, SERVICE):
            try:
                told = Tested.model_validate(row)
            except ValidationError:
                continue
            # A simulated service has another address in each test.
            key = told.testbed, told.component, told.service if told.binding == "real" else ""
            if key not in seen:
                seen.add(key)
                yield told


def _not_run(rows: Iterable[RequirementStanding]) -> Iterator[NotRun]:
    for row in rows:
        if not row.tests:
            yield NotRun(what=row.requirement.id, why=NO_TEST)
    told: set[str] = set()
    for test in (test for row in rows for test in row.tests):
        if test.verdict in (Verdict.SKIPPED, Verdict.NOT_APPLICABLE, Verdict.UNKNOWN) and test.name not in told:
            told.add(test.name)
            yield NotRun(what=test.name, why=test.reason or f"{test.verdict.value}, and no reason is told")


def _why_not(
    run: Mapping[str, Any], summary: Summary, rows: Iterable[RequirementStanding], tested: Iterable[Tested]
) -> Iterator[str]:
    """Why nobody can sign it as acceptance."""
    if run.get("won_on") != "real":
        yield f"the run was won on: {run.get('won_on') or 'simulated'}; nothing simulated is acceptance"
    if any(each.binding != "real" for each in tested):
        yield "a service that was tested is simulated"
    if not any(each.binding == "real" for each in tested):
        yield "no real service told which organisation it is"
    musts = [row for row in rows if row.requirement.priority == "M"]
    open_ = [row.requirement.id for row in musts if row.standing not in _SETTLED]
    if open_ or not musts:
        yield f"Musts that did not pass on real equipment: {', '.join(open_) or 'there are none'}"
    failed = [row.requirement.id for row in rows if row.standing in (Standing.FAILED, Standing.KNOWN)]
    if failed:
        yield f"criteria that failed: {', '.join(failed)}"
    if run.get("interrupted") or run.get("exit") not in (0, 1):
        yield "the run did not come to its end"
    elif not summary.passed:
        yield "the run did not pass"
    if summary.unreadable:
        yield f"{len(summary.unreadable)} results can't be read"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
