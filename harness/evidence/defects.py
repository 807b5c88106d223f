"""Known faults: which failing tests each explains, and whether a waiver lets a run pass in spite of it.

A known fault is never a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from harness.evidence.requirements import RequirementId

MAX_DEFECTS: Final = 2_000
"""Known faults that a register may hold."""
MAX_LINKED: Final = 200
"""Tests, and requirements, that one of them may name."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"^[^\r\n]*$")]
Severity = Annotated[int, Field(ge=1, le=4)]
SEVERITIES: Final[Mapping[int, str]] = {
    1: "999 or an emergency lost, or safety",
    2: "a critical function badly degraded",
    3: "impaired, with a workaround",
    4: "cosmetic",
}


def this_day() -> date:
    """Return the day where the harness stands; a waiver ends with one."""
    return datetime.now().astimezone().date()


class Waiver(BaseModel):
    """Somebody's word that a fault is borne for a while."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approver: Line
    """Name and office of whoever signed it."""
    expires: date
    """The last day on which it holds."""
    reason: Text
    gate: Literal["fails", "passes"] = "fails"
    """``passes``: while it holds, a run does not fail by this fault alone."""

    def holds(self, today: date) -> bool:
        """Tell whether it has not expired."""
        return today <= self.expires


class Defect(BaseModel):
    """A known fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,9}-\d{1,6}$")]
    """``DEF-12``."""
    title: Line
    severity: Severity
    requirements: Annotated[tuple[RequirementId, ...], Field(min_length=1, max_length=MAX_LINKED)]
    tests: Annotated[tuple[Line, ...], Field(max_length=MAX_LINKED)] = ()
    """Full names as the summary tells them; of a Robot test the end after a dot is enough."""
    failure: Line | None = None
    """Text that the failure's message must hold to be this fault; without it, any failure of the tests is."""
    change_request: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,39}$")] | None = None
    """``CR005``."""
    link: Annotated[str, StringConstraints(pattern=r"^https?://[^\s\"'<>]{1,500}$")] | None = None
    """Where the change request can be read."""
    workaround: Text | None = None
    opened: date
    closed: date | None = None
    """The day on which the mended system was accepted; from then on it explains no failure."""
    waiver: Waiver | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Defect:
        if self.closed is not None and self.closed < self.opened:
            raise ValueError("closed before it was opened")
        if self.severity == 1 and self.waiver is not None and self.waiver.gate == "passes":
            raise ValueError("a fault of severity 1 passes no gate: severity, or the waiver's gate, must be another")
        return self

    def explains(self, test: str, message: str) -> bool:
        """Tell whether a test's failure is this fault's, by the test's name and the failure's message."""
        if self.closed is not None or (self.failure is not None and self.failure not in message):
            return False
        return any(test == name or test.endswith("." + name) for name in self.tests)

    def expired(self, today: date) -> bool:
        """Tell whether it is open and its waiver holds no more."""
        return self.closed is None and self.waiver is not None and not self.waiver.holds(today)

    def passes_gate(self, today: date) -> bool:
        """Tell whether a waiver lets a run pass in spite of it."""
        return self.waiver is not None and self.waiver.gate == "passes" and self.waiver.holds(today)

    @property
    def label(self) -> str:
        """How a report names it: ``DEF-12 (CR005)``."""
        return f"{self.id} ({self.change_request})" if self.change_request else self.id


class Register(BaseModel):
    """All known faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    defects: Annotated[tuple[Defect, ...], Field(max_length=MAX_DEFECTS)]

    def explaining(self, test: str, message: str) -> Defect | None:
        """Return the gravest fault that explains a failure, or None."""
        found = [each for each in self.defects if each.explains(test, message)]
        return min(found, key=lambda each: (each.severity, each.id), default=None)

    def expired(self, today: date) -> list[str]:
        """Return, a line each, the open faults whose waiver holds no more."""
        return [
            f"{each.label}: {each.title}: the waiver of {each.waiver.approver} expired on {each.waiver.expires}"
            for each in self.defects
            if each.waiver is not None and each.expired(today)
        ]


EMPTY: Final = Register(defects=())
DEFECT: Final = "defect"
"""Name of the label, and type of the link, that tie a failing result to a known fault."""
WAIVER: Final = "waiver"
"""Name of the label that tells who bears the fault, and until when."""


def marked(result: dict[str, Any], defect: Defect | None) -> dict[str, Any]:
    """Return an Allure result as it tells of ``defect``, or of none: its label, and the link to its change request.

    Not by Allure's own "known": that reads "accepted" in its page, and only a waiver accepts.
    """
    labels = [each for each in result.get("labels") or [] if each.get("name") not in (DEFECT, WAIVER)]
    links = [each for each in result.get("links") or [] if each.get("type") != DEFECT]
    if defect is not None:
        labels.append({"name": DEFECT, "value": defect.label})
    if defect is not None and defect.waiver is not None:
        labels.append({"name": WAIVER, "value": f"{defect.waiver.approver}, until {defect.waiver.expires}"})
    if defect is not None and defect.link is not None:
        links.append({"type": DEFECT, "name": f"{defect.label}: {defect.title}", "url": defect.link})
    return {**result, "labels": labels, "links": links}


def unknown(register: Register, known: Iterable[str]) -> Mapping[str, list[str]]:
    """Return, by defect, the requirements that it names and the catalogue does not hold."""
    there = set(known)
    found = {each.id: [name for name in each.requirements if name not in there] for each in register.defects}
    return {name: missing for name, missing in found.items() if missing}
