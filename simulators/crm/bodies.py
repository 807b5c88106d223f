"""The bodies that the CRM takes; anything else in them is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from simulators.crm.codes import LINE, PROSE, Code, Line, Prose
from simulators.crm.thrive import Grade

MAX_FLAGS: Final = 32
MAX_ATTACHMENTS: Final = 32
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)


def _within(time: datetime) -> datetime:
    if not _EARLIEST <= time < _LATEST:
        raise ValueError("from 1970 to 9998 only")
    return time


Time = Annotated[AwareDatetime, AfterValidator(_within)]
"""ISO 8601 with its offset from UTC."""
By = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~][ -~]*$")]
"""Who does it: a user's name, printable ASCII, as it stands in the audit."""
Assessed = Annotated[str, Field(max_length=2_000, pattern=PROSE)]


class Body(BaseModel):
    """A body in which no other key is allowed."""

    model_config = ConfigDict(extra="forbid")


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
    size: Annotated[int, Field(ge=0, lt=2**53)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class RecordBody(Body):
    """A contact that was made: a call, a form, a mail, a text."""

    channel: Code
    """``contact_us``, ``email``, ``phone``, ``sms``, ``storm`` or another."""
    received: Time
    person: PersonBody = PersonBody()
    text: Prose = ""
    flags: Annotated[list[Code], Field(max_length=MAX_FLAGS)] = []
    """``urgent``, ``vulnerable`` …"""
    reference: Annotated[str, Field(max_length=128, pattern=LINE)] | None = None
    """The sender's own."""
    attachments: Annotated[list[AttachmentBody], Field(max_length=MAX_ATTACHMENTS)] = []


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

    text: Annotated[str, Field(min_length=1, max_length=20_000, pattern=PROSE)]
    by: By


class ThriveBody(Body):
    """An assessment. All six factors and the rationale are needed, none of them blank; a 422 names those that are not
    there."""

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
    rationale: Assessed = ""
    """By THRIVE, why it has another grade now; needed where it had one."""
    by: By


class TransferBody(Body):
    """Whom a record goes to."""

    to: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$")]
    """A person, team or force."""
    rationale: Assessed = ""
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

    other: Annotated[str, Field(pattern=r"^C-([1-9][0-9]{6,14}|[0-9]{6})$")]
