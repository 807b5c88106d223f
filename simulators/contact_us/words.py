"""Risk words: finds in what somebody tells that it can't wait, or that somebody needs care, by a list of words.

The list (risk_words.yaml) has words and phrases by flag. A match is whole words, without regard to case, accents,
apostrophes' shape or spacing; a ``*`` at a word's end takes any ending. ``unless`` phrases are taken out first. Words
under ``things`` do not count where a denial stands right before them, with a determiner between them at most (*no
knife*, *wisnae a gun*, *without any weapons*); nothing else is ever denied away: *not breathing* must count, and a
message flagged in vain costs less than one that was not.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from harness.errors import LocalError

OURS: Final = Path(__file__).with_name("risk_words.yaml")
MAX_WORDS: Final = 5_000
"""Of one flag."""
MAX_FOUND: Final = 20
"""Words of one flag that are told."""
_NEXT: Final = r"[^\w.!?;,:\n]{1,8}"
"""Between words of one clause."""
_DENIED: Final = (
    r"(?<!\w)(?:no|not|never|nae|without|wi'?oot|neither|nor|\w+n't|(?:do|does|did|is|was|has|have|ca)nt"
    rf"|(?!gonnae)\w+nae)(?:{_NEXT}(?:a|an|any|ony|the))?{_NEXT}"
)
"""A denial and at most one determiner, in one clause with what follows."""
_ZERO_WIDTH: Final = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


class _Flag(BaseModel):
    """Words of one flag."""

    model_config = ConfigDict(extra="forbid")

    words: list[str] = Field(default=[], max_length=MAX_WORDS)
    things: list[str] = Field(default=[], max_length=MAX_WORDS)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    urgent: _Flag
    vulnerable: _Flag
    crime: _Flag
    unless: list[str] = Field(default=[], max_length=MAX_WORDS)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: the words of the list, as they stood in the text."""

    urgent: tuple[str, ...] = ()
    vulnerable: tuple[str, ...] = ()
    crime: tuple[str, ...] = ()

    def flags(self) -> list[str]:
        """The flags that are up."""
        return [name for name in ("urgent", "vulnerable", "crime") if getattr(self, name)]


class RiskWords:
    """A word list."""

    def __init__(self, file: Path = OURS) -> None:
        """Read it. Raises LocalError for a file that is no word list."""
        try:
            tree = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
            read = _File.model_validate(tree)
        except (OSError, UnicodeDecodeError, YAMLError, ValidationError, RecursionError) as error:
            raise LocalError(f"{file}: no list of risk words: {error}") from error
        self._unless = _pattern(read.unless)
        self._by_flag = {
            name: (_pattern(flag.words), _pattern(flag.things, before=rf"({_DENIED})?"))
            for name, flag in (("urgent", read.urgent), ("vulnerable", read.vulnerable), ("crime", read.crime))
        }

    def find(self, text: str) -> Found:
        """What is in ``text``, of any length; time grows with it evenly."""
        text = plain(text)
        if self._unless is not None:
            text = self._unless.sub(" . ", text)
        return Found(**{name: _found(text, *patterns) for name, patterns in self._by_flag.items()})


def _found(text: str, words: re.Pattern[str] | None, things: re.Pattern[str] | None) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for match in words.finditer(text) if words is not None else ():
        seen[match["found"]] = None
    for match in things.finditer(text) if things is not None else ():
        if match[1] is None:
            seen[match["found"]] = None
    return tuple(list(seen)[:MAX_FOUND])


def plain(text: str) -> str:
    """``text`` in the form in which words are looked for: small letters, no accents, plain apostrophes."""
    text = unicodedata.normalize("NFKD", text.translate(_ZERO_WIDTH)).casefold()
    text = re.sub(r"['’‘ʼ`´]", "'", text)  # noqa: RUF001 - the shapes that an apostrophe is written in
    return "".join(c for c in text if not unicodedata.combining(c))


def _pattern(phrases: list[str], *, before: str = "") -> re.Pattern[str] | None:
    if not phrases:
        return None
    forms = sorted({_form(phrase) for phrase in phrases}, key=len, reverse=True)
    return re.compile(rf"{before}(?<!\w)(?P<found>{'|'.join(forms)})(?!\w)")


def _form(phrase: str) -> str:
    words = plain(phrase).split()
    forms = [rf"{re.escape(word[:-1])}\w*" if word.endswith("*") else re.escape(word) for word in words]
    return r"[^\w.!?;]{1,8}".join(form.replace("'", "'?") for form in forms)
