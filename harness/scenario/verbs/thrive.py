"""What goes with an assessment by THRIVE and with a grade, at the CRM and at a console; parts as the CRM has them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from pydantic import Field, create_model

from harness.endpoints.crm import ThriveAssessment
from harness.scenario.verbs.base import Arguments


class OfRecord(Arguments):
    """A record of the CRM's, and who does something to it."""

    record: str
    by: str


class OfIncident(Arguments):
    """An incident of the control room's."""

    incident: str = Field(min_length=1, max_length=80)


class Graded(Arguments):
    """A grade, and why it is another than before."""

    grade: str
    rationale: str = ""


class GradeRefused(Arguments):
    """A grade without a rationale of its own, and why it may not be given."""

    grade: str
    because: str = ""
    """Words that the refusal has to hold."""


_PARTS: Final[dict[str, Any]] = {each.name: (str, "") for each in fields(ThriveAssessment)}
AssessRecord = create_model("AssessRecord", __base__=OfRecord, **_PARTS)
"""The CRM refuses one that lacks a factor or the rationale."""
AssessIncident = create_model("AssessIncident", __base__=OfIncident, **_PARTS)
"""What is left out stays as it was; all of it is needed before the incident is graded."""
