"""What was shown outside of any run: demonstrated, inspected or worked out, witnessed, and written down in a document.

No test can take a building's mains away, or carry out an IT Health Check. A record of it counts for the stages that it
names, from its day until it expires; of several for one criterion the latest does. A test that failed outweighs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from harness.evidence.defects import Line, Text
from harness.evidence.requirements import RequirementId
from harness.evidence.results import RequirementStanding, Standing, Summary
from harness.evidence.stages import Stage

MAX_WITNESSED: Final = 500
"""Records of one plan."""
METHODS: Final[Mapping[str, str]] = {
    "demonstration": "demonstrated",
    "inspection": "inspected",
    "analysis": "worked out",
}
"""How a criterion can be verified other than by test (ISO/IEC/IEEE 29148, 6.5.2), and how it is told."""


class Witnessed(BaseModel):
    """One record."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    requirement: RequirementId
    method: Literal["demonstration", "inspection", "analysis"]
    result: Literal["met", "not met"]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=7)]
    """Those in whose dossiers it counts."""
    what: Text
    """What was done, and what came of it."""
    where: Line
    """The site and the equipment, which are the real ones: what is shown on a simulator is a run."""
    on: date
    by: Line
    """Name and office of whoever witnessed it."""
    document: Line
    """The report's file, from the plan's folder."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Of the document, as ``sha256sum`` prints it."""
    expires: date | None = None
    """The last day on which it counts."""

    @model_validator(mode="after")
    def _consistent(self) -> Witnessed:
        if self.expires is not None and self.expires < self.on:
            raise ValueError("expires before it was witnessed")
        return self

    @property
    def told(self) -> str:
        """How: ``demonstrated``."""
        return METHODS[self.method]

    def counts(self, stage: str, today: date) -> bool:
        """Tell whether it is a record of that stage, and holds today."""
        return stage in self.stages and self.on <= today and (self.expires is None or today <= self.expires)


def counted(records: Iterable[Witnessed], stage: str, today: date) -> dict[str, Witnessed]:
    """Return, by requirement, the latest record that counts; of two of one day the one that is written later."""
    found: dict[str, Witnessed] = {}
    for each in records:
        earlier = found.get(each.requirement)
        if each.counts(stage, today) and (earlier is None or earlier.on <= each.on):
            found[each.requirement] = each
    return found


def with_witnessed(summary: Summary, records: Mapping[str, Witnessed]) -> Summary:
    """Return how every criterion stands by its tests and by what was witnessed of it."""
    return replace(summary, standings=tuple(_standing(each, records) for each in summary.standings))


def _standing(tested: RequirementStanding, records: Mapping[str, Witnessed]) -> RequirementStanding:
    record = records.get(tested.requirement.id)
    if record is None:
        return tested
    if record.result == "not met":
        return replace(tested, standing=Standing.FAILED)
    settled = tested.standing in (Standing.FAILED, Standing.KNOWN, Standing.PASSED)
    return tested if settled else replace(tested, standing=Standing.WITNESSED)
