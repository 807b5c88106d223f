"""What somebody's reply to a text means: cancel, change, STOP or START, or nothing that is understood.

Case, spaces, punctuation, accents and politeness make no difference; a word that is not known does, for "don't cancel"
must not cancel. English only.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, model_validator

from simulators.settings import Strict

MAX_READ: Final = 1_000
"""Characters of a reply that are looked at; one that is longer is not understood."""
MAX_DIGITS: Final = 9
"""Digits of an appointment's number."""

Word = Annotated[str, Field(pattern=r"^[a-z]{2,20}$")]
_Words = Annotated[tuple[Word, ...], Field(min_length=1, max_length=50)]


class Meaning(StrEnum):
    """What a reply asks for."""

    CANCEL = "cancel"
    CHANGE = "change"
    STOP = "stop"
    START = "start"
    UNCLEAR = "unclear"


class Words(Strict):
    """The words that are understood, in small letters without accents; texts show the first of each."""

    cancel: _Words = ("cancel", "cancelled", "canceled")
    change: _Words = ("change", "move", "rearrange", "reschedule")
    stop: _Words = ("stop", "stopall", "unsubscribe", "quit", "end")
    start: _Words = ("start", "unstop", "subscribe")
    polite: tuple[Word, ...] = Field(
        default=("please", "pls", "thanks", "thank", "you", "my", "the", "appointment", "hi", "hello"), max_length=100
    )
    """Words that change nothing."""

    @model_validator(mode="after")
    def _apart(self) -> Words:
        words = [*self.cancel, *self.change, *self.stop, *self.start, *self.polite]
        for word in words:
            if words.count(word) > 1:
                raise ValueError(f"the word {word!r} is given twice")
        return self

    def meaning(self, word: str) -> Meaning | None:
        """What a word alone asks for."""
        for meaning in (Meaning.CANCEL, Meaning.CHANGE, Meaning.STOP, Meaning.START):
            if word in getattr(self, meaning):
                return meaning
        return None


@dataclass(frozen=True, slots=True)
class Reading:
    """A reply as it was understood."""

    meaning: Meaning
    appointment: int | None = None
    """The number of the appointment that it names."""


UNCLEAR: Final = Reading(Meaning.UNCLEAR)


def read(text: str, words: Words) -> Reading:
    """What ``text`` asks for: one thing, of one appointment at most; UNCLEAR for anything else."""
    if len(text) > MAX_READ:
        return UNCLEAR
    found: Meaning | None = None
    appointment: int | None = None
    for word in _plain(text).split():
        if word in words.polite:
            continue
        if word.isascii() and word.isdigit() and len(word) <= MAX_DIGITS and appointment is None:
            appointment = int(word)
            continue
        meaning = words.meaning(word)
        if meaning is None or found not in (None, meaning):
            return UNCLEAR
        found = meaning
    if found is None or (appointment is not None and found in (Meaning.STOP, Meaning.START)):
        return UNCLEAR
    return Reading(found, appointment)


def _plain(text: str) -> str:
    """In small letters without accents, a space for all that is neither a letter nor a digit."""
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(each for each in apart if not unicodedata.combining(each)).casefold()
    return "".join(each if each.isalnum() else " " for each in bare)
