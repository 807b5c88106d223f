"""What passes between the harness and a CRM, whichever makes it: contacts, records, tasks, assessments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FoundBy = Literal["telephone", "email", "name"]


@dataclass(frozen=True, slots=True)
class Marker:
    """What is to be known of a contact."""

    kind: str
    text: str
    since: str
    """ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An earlier contact made, as a contact's history shows it."""

    record: str
    channel: str
    received: str
    """ISO 8601, UTC."""
    grade: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody whom the CRM knows."""

    id: str
    name: str
    telephone: str | None
    markers: tuple[Marker, ...]
    history: tuple[Seen, ...]
    """Newest first; no more than the CRM shows at once."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as they told of themselves."""

    name: str | None = None
    telephone: str | None = None
    email: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """What came with a contact; its sender keeps the thing itself."""

    name: str
    media_type: str
    size: int
    """Bytes."""
    sha256: str
    """64 hexadecimal digits, lower case."""


@dataclass(frozen=True, slots=True)
class RecordTold:
    """A contact that was made, as it is told to the CRM."""

    channel: str
    """``contact_us``, ``email``, ``phone``, ``sms``, ``storm``."""
    received: str
    """ISO 8601 with its offset from UTC."""
    person: Person = Person()
    text: str = ""
    """20,000 characters at most."""
    flags: tuple[str, ...] = ()
    """``urgent``, ``vulnerable`` …; 32 at most."""
    reference: str | None = None
    """The sender's own."""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordMade:
    """What became of it."""

    id: str
    contact: str
    created: bool
    """False: it was told before with the same key."""


@dataclass(frozen=True, slots=True)
class TaskTold:
    """Something to be done, as it is told to the CRM."""

    kind: str
    about: str
    text: str = ""
    due: str | None = None
    """ISO 8601 with its offset from UTC."""


@dataclass(frozen=True, slots=True)
class ThriveAssessment:
    """An assessment by THRIVE; what is blank, the CRM is to refuse (SVC-005)."""

    threat: str = ""
    harm: str = ""
    risk: str = ""
    investigation: str = ""
    vulnerability: str = ""
    engagement: str = ""
    rationale: str = ""
