"""For whom a dossier or report is made, and the masked copy of a run that it is then made of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from harness.errors import LocalError
from harness.evidence.defects import Register
from harness.evidence.plan import Plan
from harness.evidence.redacted_run import TOLD, redact_run

MAX_NAMES = 1024 * 1024
"""Bytes of a file of names."""


class Readers(StrEnum):
    """Who will read it."""

    INTERNAL = "internal"
    """The programme: nothing is masked that was not masked as it was recorded."""
    GOVERNANCE = "governance"
    """The board: persons are masked; who approved a waiver and network addresses are not."""
    PUBLIC = "public"
    """Anybody: these are masked, too."""


Audience = Annotated[Readers, typer.Option(help="Who will read it; beyond internal, personal data is masked.")]
Names = Annotated[
    Path | None, typer.Option(help="Further names to mask, one a line: those that no field of the evidence tells of.")
]


class NamesError(LocalError):
    """The file of names can't be read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An audience, and what is masked for it besides."""

    readers: Readers
    names: Path | None = None

    def copy(
        self, out: Path, bindings: Iterable[str], register: Register, plan: Plan | None = None
    ) -> tuple[Path, Register, Plan | None]:
        """Return the run's folder, the register and the plan as this audience may see them. Raises LocalError."""
        if self.readers is Readers.INTERNAL:
            return out, register, plan
        audience: Literal["governance", "public"] = "public" if self.readers is Readers.PUBLIC else "governance"
        return redact_run(out, audience, register, bindings=bindings, names=self._named(), plan=plan)

    def told(self, out: Path) -> dict[str, Any] | None:
        """Return what was masked in the copy; nothing where there is none."""
        if self.readers is Readers.INTERNAL:
            return None
        found: dict[str, Any] = json.loads((out / TOLD).read_text(encoding="utf-8"))
        return found

    def _named(self) -> list[str]:
        if self.names is None:
            return []
        try:
            with self.names.open("rb") as file:
                text = file.read(MAX_NAMES + 1).decode("utf-8")
        except OSError as error:
            raise NamesError(f"{self.names}: can't be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise NamesError(f"{self.names}: found no UTF-8 at byte {error.start}; one name a line is due") from error
        if len(text.encode()) > MAX_NAMES:
            raise NamesError(f"{self.names}: more than {MAX_NAMES} bytes")
        return [line.strip() for line in text.splitlines() if line.strip()]
