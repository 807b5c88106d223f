"""The documents of what was witnessed outside of any run: held against the hash that the plan has of them, and kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date
from hashlib import file_digest
from pathlib import Path
from typing import Final

from harness.errors import LocalError
from harness.evidence.plan import Plan
from harness.evidence.witnessed import Witnessed, counted

FOLDER: Final = "witnessed"
"""Where the dossier keeps them."""


class DocumentError(LocalError):
    """A document is not there, or not as it was when it was written down."""


def witnessed_of(plan: Plan, path: Path, stage: str, today: date) -> dict[str, Witnessed]:
    """Return, by requirement, the records of the plan that count for the stage.

    ``path`` is the plan's file, from whose folder documents are found. Raises DocumentError where one that a record
    rests on is missing or was changed.
    """
    found = counted(plan.witnessed, stage, today)
    for each in found.values():
        file = _document(path, each)
        try:
            with file.open("rb") as opened:
                digest = file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise DocumentError(
                f"{path}: witnessed: the document of {each.requirement}, {file}: can't be read: {error.strerror}"
            ) from error
        if digest != each.sha256:
            raise DocumentError(
                f"{path}: witnessed: the document of {each.requirement}, {file}: was changed since it was written "
                f"down: its SHA-256 is {digest}, and {each.sha256} was due"
            )
    return found


def keep(records: Iterable[Witnessed], path: Path, folder: Path) -> None:
    """Copy the records' documents into ``folder``, in place of what was there. Raises DocumentError."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        for each in records:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_document(path, each), folder / kept_as(each))
    except OSError as error:
        raise DocumentError(f"{folder}: the documents can't be kept: {error.strerror}") from error


def kept_as(record: Witnessed) -> str:
    """Return the file's name in the dossier's folder: two records may have documents of one name."""
    return f"{record.requirement}-{Path(record.document).name}"


def _document(path: Path, record: Witnessed) -> Path:
    return path.resolve().parent / record.document
