"""The bodies that the control interface takes; anything else in them is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulators.bodies import Body

NUMBER = r"^[A-Za-z0-9+*#._-]+$"
MAX_ISSI = 16_777_215
_MCPTT_ID = r"sip:[A-Za-z0-9_.-]{1,40}@[A-Za-z0-9.-]{1,120}"
McpttId = Annotated[str, Field(pattern=rf"^{_MCPTT_ID}$")]
RADIO = rf"^([1-9][0-9]{{0,7}}|{_MCPTT_ID})$"
"""A radio in a path: its ISSI, or its user's MCPTT ID."""


class AnswerBody(Body):
    """Which call to take: by id, by queue, or whatever rings."""

    queue: str | None = Field(default=None, max_length=64)
    call: str | None = Field(default=None, max_length=64)


class DialBody(Body):
    """Whom to call: a position's id, a telephone's number, a number in the network."""

    number: str = Field(min_length=1, max_length=64, pattern=NUMBER)


class ToBody(Body):
    """Whom an enquiry is made of: a position's id, a telephone's number, a number in the network."""

    to: str = Field(min_length=1, max_length=64, pattern=NUMBER)


class MaybeToBody(Body):
    """Whom a call is passed on to, or who is rung into it; left out: the party of the enquiry."""

    to: str | None = Field(default=None, min_length=1, max_length=64, pattern=NUMBER)


class CallBody(Body):
    """One call."""

    call: str = Field(min_length=1, max_length=64)


class MaybeCallBody(Body):
    """One call; left out: the latest that is on hold."""

    call: str | None = Field(default=None, max_length=64)


class RedialBody(Body):
    """Whose caller is called back; left out: that of the position's latest call."""

    record: str | None = Field(default=None, max_length=64)


class NuisanceBody(Body):
    """What is tagged as a nuisance call, and why; left out: the position's latest call."""

    record: str | None = Field(default=None, max_length=64)
    note: str = Field(default="", max_length=2000)


class StateBody(Body):
    """What the adviser does next."""

    state: Literal["available", "break"]


class OperatorBody(Body):
    """What the 999 operator, who is on the line, is asked to do."""

    operator: Literal["leave", "return"]


class DtmfBody(Body):
    """Digits to send."""

    digits: str = Field(min_length=1, max_length=32, pattern=r"^[0-9*#A-D]+$")


class TypeBody(Body):
    """What is typed to a caller by real-time text."""

    text: str = Field(min_length=1, max_length=2000)


class LocationBody(Body):
    """Where the caller says it is."""

    text: str | None = Field(default=None, min_length=1, max_length=500)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)

    @model_validator(mode="after")
    def _something(self) -> LocationBody:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("'latitude' and 'longitude' go together")
        if self.text is None and self.latitude is None:
            raise ValueError("a location needs 'text', or 'latitude' and 'longitude'")
        return self


class KeyBody(Body):
    """The talkgroup to talk to."""

    talkgroup: str = Field(min_length=1, max_length=64)


class RadioBody(Body):
    """One radio: by its ISSI, or by its user's MCPTT ID."""

    issi: int | None = Field(default=None, ge=1, le=MAX_ISSI)
    mcptt_id: McpttId | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> RadioBody:
        if (self.issi is None) == (self.mcptt_id is None):
            raise ValueError("a radio has an issi or an mcptt_id: one of both is due")
        return self

    @property
    def who(self) -> int | str:
        """What names it."""
        return self.mcptt_id or self.issi or 0


class TextBody(RadioBody):
    """A text message to a radio."""

    text: str = Field(min_length=1, max_length=140)


class IncidentBody(Body):
    """A new incident; the call is the one the position holds, where it holds one."""

    title: str = Field(min_length=1, max_length=200)


Prose = Annotated[str, Field(min_length=1, max_length=1_900, pattern=r"\S")]


class ThriveBody(Body):
    """Factors of THRIVE, and what follows from them; what is left out stays as it was."""

    threat: Prose | None = None
    harm: Prose | None = None
    risk: Prose | None = None
    investigation: Prose | None = None
    vulnerability: Prose | None = None
    engagement: Prose | None = None
    rationale: Prose | None = None

    @model_validator(mode="after")
    def _something(self) -> ThriveBody:
        if not self.model_dump(exclude_none=True):
            raise ValueError(f"at least one is needed of {', '.join(type(self).model_fields)}")
        return self


class GradeBody(Body):
    """How soon somebody comes: one of the four; and why, where it is another than before."""

    grade: Literal["Immediate", "Prompt", "Standard", "Other"]
    rationale: str = Field(default="", max_length=1_900)


class HandOverBody(Body):
    """Who takes an incident over."""

    to: str = Field(max_length=32)


class TransferBody(Body):
    """Which force takes an incident over."""

    force: str = Field(min_length=1, max_length=64)


class RecordsCheckBody(Body):
    """Whom or what a records database is asked about, and why: a vehicle's mark, or a person's name."""

    registration: str | None = Field(default=None, pattern=r"^[A-Za-z0-9 ]{2,10}$")
    name: str | None = Field(default=None, min_length=2, max_length=100)
    born: str | None = Field(default=None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    reason: str = Field(min_length=5, max_length=500)

    @model_validator(mode="after")
    def _of_one_kind(self) -> RecordsCheckBody:
        if (self.registration is None) == (self.name is None):
            raise ValueError("a check is of one vehicle ('registration') or one person ('name')")
        if self.born is not None and self.name is None:
            raise ValueError("'born' is a person's")
        return self


class NoIncidentBody(Body):
    """Why a call needs no incident."""

    reason: str = Field(min_length=1, max_length=200)
    record: str | None = Field(default=None, max_length=32)
    """The call's record; left out: that of the call in hand."""


class NoteBody(Body):
    """A line for an incident's log."""

    text: str = Field(min_length=1, max_length=2000)


class FaultBody(Body):
    """What goes wrong with a trunk."""

    fault: Literal["down", "refusing", "slow", "one_way"]
    seconds: float = Field(default=5.0, gt=0, le=600)
    """How long a slow trunk lets callers wait."""
