"""What somebody tells Contact Us, by whichever way, and what of it is unfit."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Final

from harness.errors import NumberError, RemoteError
from harness.protocols import uk_numbers
from simulators.contact_us.attachments import Attachment

MAX_TEXT: Final = 16_000
"""Characters of what is told, so that it fits into a record of the CRM with its place and notes; the form takes
FORM_TEXT."""
FORM_TEXT: Final = 5_000
MAX_NAME: Final = 120
MAX_EMAIL: Final = 254
"""RFC 5321, section 4.5.3.1.3, less the angle brackets."""
MAX_PLACE: Final = 500
_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,10}[A-Za-z0-9-]{1,63}")
"""What HTML has as a valid address, with a dot in the domain."""


class Kind(StrEnum):
    """What it is about."""

    CRIME = "crime"
    INFORMATION = "information"
    UPDATE = "update"
    CONCERN = "concern"
    OTHER = "other"


KINDS: Final[dict[Kind, str]] = {
    Kind.CRIME: "Report a crime",
    Kind.INFORMATION: "Give us information",
    Kind.UPDATE: "Add to something that you told us before",
    Kind.CONCERN: "Tell us of a worry about somebody",
    Kind.OTHER: "Something else",
}
"""As the form asks for it."""


class Channel(StrEnum):
    """The way by which it came."""

    FORM = "form"
    REST = "rest"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Person:
    """Who tells it, as far as they say."""

    name: str = ""
    telephone: str = ""
    """E.164."""
    email: str = ""
    address: str = ""

    def given(self) -> dict[str, str]:
        """What they say."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody tells."""

    channel: Channel
    text: str
    kind: Kind = Kind.OTHER
    person: Person = Person()
    place: str = ""
    attachments: tuple[Attachment, ...] = ()
    key: str = ""
    """The sender's own name for it, the same however often it is sent; empty: it has none."""
    suspect: str = ""
    """Why it looks like spam already where it came in; empty: it does not."""
    notes: tuple[str, ...] = field(default=())
    """What a person who reads it has to know: what was left out, what could not be read."""

    def fingerprint(self) -> str:
        """The same for two that tell the same."""
        told = [self.kind, self.text, self.place, self.person.given(), [each.sha256 for each in self.attachments]]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is unfit, in words for whoever filled it in."""

    field: str
    """``kind``, ``text``, ``place``, ``name``, ``email``, ``telephone`` or ``files``."""
    says: str


class UnfitError(RemoteError):
    """A submission that can't be taken as it is."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(each.says for each in problems))
        self.problems = problems


def cleaned(text: str) -> str:
    """``text`` with line ends as LF, without control characters, ends trimmed."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def one_line(text: str) -> str:
    """`cleaned`, line breaks as blanks."""
    return " ".join(cleaned(text).split())


def is_email(text: str) -> bool:
    """Whether it can be an address of somebody."""
    return len(text) <= MAX_EMAIL and _EMAIL.fullmatch(text) is not None


def checked(
    channel: Channel,
    *,
    kind: str,
    text: str,
    name: str = "",
    email: str = "",
    telephone: str = "",
    address: str = "",
    place: str = "",
    attachments: tuple[Attachment, ...] = (),
    problems: tuple[Problem, ...] = (),
    key: str = "",
    suspect: str = "",
    most: int = MAX_TEXT,
) -> Submission:
    """A submission of what was filled in. Raises UnfitError with all that is unfit, ``problems`` before it included."""
    found: list[Problem] = []
    if kind not in set(Kind):
        found.append(Problem("kind", "Choose what it is about"))
    text, place, email = cleaned(text), one_line(place), one_line(email)
    if not text:
        found.append(Problem("text", "Tell us what happened"))
    for at, what, value, limit in (
        ("text", "What you tell us", text, most),
        ("place", "The place", place, MAX_PLACE),
        ("name", "Your name", one_line(name), MAX_NAME),
        ("address", "Your address", one_line(address), MAX_PLACE),
    ):
        if len(value) > limit:
            found.append(Problem(at, f"{what} must be {limit:,} characters or fewer; it has {len(value):,}"))
    if email and not is_email(email):
        found.append(Problem("email", "Enter an email address in the correct format, like name@example.com"))
    number = ""
    if telephone.strip():
        try:
            number = _number(telephone)
        except NumberError:
            found.append(Problem("telephone", "Enter a telephone number, like 01632 960 001 or +44 808 157 0192"))
    found += problems
    if found:
        raise UnfitError(*found)
    person = Person(one_line(name), number, email, one_line(address))
    return Submission(channel, text, Kind(kind), person, place, attachments, key, suspect)


def _number(text: str) -> str:
    """A person's number as E.164. Raises NumberError, for a short code or an extension too."""
    digits = uk_numbers.parse(text[:60]).digits
    if not digits.startswith("+"):
        raise NumberError(f"{digits} is nobody's own number")
    return digits
