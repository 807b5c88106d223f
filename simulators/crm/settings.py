"""What a CRM simulator is told at its start: where it listens, its store, whom it knows, codes of failure demand."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator, model_validator

from simulators.crm.codes import Code, Line, Prose
from simulators.settings import E164, Strict

MAX_PEOPLE: Final = 1_000_000
MAX_NAMED: Final = 1_000
"""Contacts, and codes, that the settings write out."""

FAILURE_DEMAND: Final = {
    "no_update": "asks what has become of an earlier contact",
    "not_attended": "nobody came who was to come",
    "no_call_back": "was not called back as promised",
    "abandoned_call": "gave up waiting before, and tries again",
    "wrong_information": "was told something that was wrong",
    "misdirected": "was sent to the wrong place, here or elsewhere",
    "repeated": "has to tell again what was told before",
    "other": "another failure of ours, told in the note",
}
"""Codes of demand that would not be there, had it been done right the first time; what HMICFRS asks forces to know.
Forces have lists of their own, and none is published: this one is put forward by the project. [p]"""


class MarkerSettings(Strict):
    """A marker of a contact."""

    kind: Code
    text: Prose = ""


class ContactSettings(Strict):
    """A contact that the CRM knows from the start."""

    reference: Annotated[str, Field(pattern=r"^[A-Za-z0-9:._/-]{1,64}$")]
    """Its own name in the file, by which it is found again in a store that is kept."""
    name: Line
    telephone: E164 | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    address: Line | None = None
    markers: tuple[MarkerSettings, ...] = Field(default=(), max_length=32)


class CrmSettings(Strict):
    """How the simulator is laid out."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where it is asked; 0: any that is free."""
    control_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where its events, figures and faults are."""
    token: SecretStr | None = None
    """What both ask for."""
    store: str | None = None
    """A file's path, or ``postgresql://user:password@host/name``; left out: in memory, gone with the simulator."""
    people: Annotated[int, Field(ge=0, le=MAX_PEOPLE)] = 0
    """Contacts that are made up at the start, beside ``contacts``; what a kept store has already is left as it is."""
    people_seed: int = 1
    """One seed gives the same people."""
    contacts: tuple[ContactSettings, ...] = Field(default=(), max_length=MAX_NAMED)
    prompt_review_min: Annotated[float, Field(gt=0, le=10_080)] = 45.0
    """Minutes for which a Prompt may be unattended before a supervisor is to look at it (SVC-007)."""
    failure_demand: dict[Code, Line] = Field(
        default_factory=lambda: dict(FAILURE_DEMAND), min_length=1, max_length=MAX_NAMED
    )
    """Codes and what they mean. ``none``, demand that is no failure of ours, is always there."""

    @field_validator("failure_demand")
    @classmethod
    def _none_is_ours(cls, codes: dict[str, str]) -> dict[str, str]:
        if "none" in codes:
            raise ValueError("'none' is there by itself, for demand that is no failure of ours")
        return codes

    @model_validator(mode="after")
    def _once_each(self) -> CrmSettings:
        references = [each.reference for each in self.contacts]
        if len(set(references)) != len(references):
            raise ValueError("two contacts have the same reference")
        return self
