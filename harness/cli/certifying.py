"""The certificate data of a run in its folder: written as the run ends, and looked at when a dossier shows it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from harness.cli.keeping import commit
from harness.cli.report import RESULTS
from harness.evidence.certificate import (
    FILE,
    FOLDER,
    Certificate,
    CertificateError,
    Software,
    certificate,
    differing,
    group_of,
    read_certificate,
    written,
)
from harness.evidence.results import Summary
from harness.evidence.run_store import evidence_files, measures_of
from harness.whole_file import write_whole

HARNESS: Final = "iccs-acceptance-harness"
PACKAGES: Final = ("pytest", "robotframework", "allure-pytest", "allure-robotframework", "fastapi", "httpx", "numpy")
"""Those whose versions bear on what was measured and how it is told."""
UNKNOWN: Final = Software(harness="unknown", commit="", dirty=False, python="unknown", packages={})
SHOWN: Final = 20
"""Differences that are named."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate as a dossier shows it."""

    data: Certificate
    differs: tuple[str, ...] = ()
    """Where what was written as the run ended is not what the results say now."""
    lost: str = ""
    """Why what was written can't be read."""

    @property
    def signable(self) -> bool:
        """Whether it can be signed as acceptance."""
        return not self.why_not

    @property
    def why_not(self) -> list[str]:
        """Why it can't."""
        why = [*self.data.why_not]
        if self.lost:
            why.append(f"the data written as the run ended are lost: {self.lost}")
        if self.differs:
            more = f" and {len(self.differs) - SHOWN} more" if len(self.differs) > SHOWN else ""
            named = ", ".join(self.differs[:SHOWN])
            why.append(
                f"the data written as the run ended are not what the results and the register say now: {named}{more}"
            )
        return why


def software() -> Software:
    """What tests here."""
    digest, dirty = commit()
    return Software(
        harness=_version(HARNESS),
        commit=digest,
        dirty=dirty,
        python=platform.python_version(),
        packages={name: told for name in PACKAGES if (told := _version(name))},
    )


def certify(out: Path, summary: Summary, run: Mapping[str, Any]) -> list[str]:
    """Write the certificate data of a run that has just ended; return what to say of them, a line each.

    A run that has none (`group_of`) is said nothing of. Raises LocalError.
    """
    if not group_of(run):
        return []
    told = _of(out, summary, run, software())
    path = out / FOLDER / FILE
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, written(told))
    except OSError as error:
        raise CertificateError(f"{path}: can't be written: {error.strerror}") from error
    lines = [f"Certificate data: {path}"]
    return lines if told.signable else [*lines, f"Not to be signed as acceptance: {'; '.join(told.why_not)}"]


def certified(kept: Path, out: Path, summary: Summary, run: Mapping[str, Any]) -> Shown | None:
    """Return what a dossier shows of the run whose certificate is in `kept`; None where it has none.

    ``out``: the folder of the results that are shown, `kept` itself or a masked copy: there the certificate is made of
    what is shown, and written beside it. Raises LocalError.
    """
    if not group_of(run):
        return None
    before, lost = None, ""
    try:
        before = read_certificate(kept / FOLDER / FILE)
    except CertificateError as error:
        lost = str(error).removeprefix(f"{kept}/")
    now = _of(out, summary, run, before.software if before is not None else UNKNOWN)
    if out != kept:
        try:
            (out / FOLDER).mkdir(exist_ok=True)
            write_whole(out / FOLDER / FILE, written(now))
        except OSError as error:
            raise CertificateError(f"{out / FOLDER}: can't be written: {error.strerror}") from error
        return Shown(now, lost=lost)
    return Shown(now, tuple(differing(before, now)) if before is not None else (), lost)


def _of(out: Path, summary: Summary, run: Mapping[str, Any], made_by: Software) -> Certificate:
    results = out / RESULTS
    files = evidence_files(out, [RESULTS])
    return certificate(run, summary, results, measures_of(results, summary.tests), files, made_by)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
