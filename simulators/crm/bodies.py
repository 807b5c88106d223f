"""The bodies that the CRM takes; anything else in them is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from simulators.bodies import Body
from simulators.crm.codes import LINE, PROSE, SAID, Code, Line, Prose
from simulators.crm.ids import ContactId
from simulators.thrive import PARTS, Grade

MAX_FLAGS: Final = 32
MAX_ATTACHMENTS: Final = 32
_YEARS: Final = (1980, 8999)


def _within(time: datetime) -> datetime:
    if not _YEARS[0] <= time.year <= _YEARS[1]:
        raise ValueError(f"its year is not from {_YEARS[0]} to {_YEARS[1]}")
    return time


Time = Annotated[
    AwareDatetime,
    Field(strict=False, json_schema_extra={"pattern": "^(19[89]|[2-8][0-9]{2})[0-9]-"}),
    AfterValidator(_within),
]
"""ISO 8601 with its offset from UTC."""
By = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]([ -~]*[!-~])?$")]
"""Who does it: a user's name, printable ASCII, as it stands in the audit."""
Rationale = Annotated[str, Field(max_length=2_000, pattern=PROSE)]
Assessed = Annotated[str, Field(max_length=2_000, pattern=PROSE, json_schema_extra={"minLength": 1, "pattern": SAID})]
"""Left out or blank, it is refused by the rules of THRIVE, which name all that is missing."""


def _all_needed(schema: dict[str, Any]) -> None:
    schema["required"] = [*PARTS, "by"]
    for part in PARTS:
        schema["properties"][part].pop("default", None)


class PersonBody(Body):
    """Somebody as they told of themselves; what is no number or mail address is kept, and nobody is found by it."""

    name: Annotated[str, Field(max_length=200, pattern=LINE)] | None = None
    telephone: Annotated[str, Field(max_length=40, pattern=LINE)] | None = None
    email: Annotated[str, Field(max_length=254, pattern=LINE)] | None = None
    address: Annotated[str, Field(max_length=500, pattern=PROSE)] | None = None


class AttachmentBody(Body):
    """What came with it; the CRM keeps what it is, its sender keeps the thing itself."""

    name: Line
    media_type: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$")]
    size: Annotated[int, Field(ge=0, le=2**53 - 1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class RecordBody(Body):
    """A contact that was made: a call, a form, a mail, a text."""

    channel: Code
    """``contact_us``, ``email``, ``phone``, ``sms``, ``storm`` or another."""
    received: Time
    person: PersonBody = PersonBody()
    text: Prose = ""
    flags: Annotated[list[Code], Field(default_factory=list, max_length=MAX_FLAGS)]
    """``urgent``, ``vulnerable`` …"""
    reference: Annotated[str, Field(max_length=128, pattern=LINE)] | None = None
    """The sender's own."""
    attachments: Annotated[list[AttachmentBody], Field(default_factory=list, max_length=MAX_ATTACHMENTS)]


class TaskBody(Body):
    """Something to be done."""

    kind: Code
    """``supervisor_review``, ``rebook`` …"""
    about: Annotated[str, Field(min_length=1, max_length=128, pattern=LINE)]
    """A record's id, an appointment's …"""
    text: Annotated[str, Field(max_length=2_000, pattern=PROSE)] = ""
    due: Time | None = None


class NoteBody(Body):
    """A line for a record."""

    text: Annotated[str, Field(min_length=1, max_length=20_000, pattern=SAID)]
    by: By


class ThriveBody(Body):
    """An assessment. All six factors and the rationale are needed, none of them blank; a 422 names those that are not
    there."""

    model_config = ConfigDict(json_schema_extra=_all_needed)

    threat: Assessed = ""
    harm: Assessed = ""
    risk: Assessed = ""
    investigation: Assessed = ""
    vulnerability: Assessed = ""
    engagement: Assessed = ""
    rationale: Assessed = ""
    by: By


class GradeBody(Body):
    """A grade."""

    grade: Annotated[str, Field(max_length=40, json_schema_extra={"enum": list(Grade)})]
    rationale: Rationale = ""
    """By THRIVE, why it has another grade now; needed where it had one."""
    by: By


class TransferBody(Body):
    """Whom a record goes to."""

    to: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$")]
    """A person, team or force."""
    rationale: Rationale = ""
    """By THRIVE, why; needed."""
    by: By


class ByBody(Body):
    """Who did it."""

    by: By


class FailureDemandBody(Body):
    """Whether a contact was made because of a failure of ours, and of which."""

    code: Code
    note: Annotated[str, Field(max_length=200, pattern=LINE)] = ""
    by: By


class MarkerBody(Body):
    """A marker."""

    kind: Code
    text: Annotated[str, Field(max_length=2_000, pattern=PROSE)] = ""
    by: By


class WhyBody(Body):
    """Who did something, and why."""

    by: By
    reason: Line


class MergeBody(WhyBody):
    """Which other contact is the same as this one."""

    other: ContactId
